"""Fixtures for tests of the client: simulated responses, and clients of the sandbox."""

import socket

import pytest
import responses

from flows.twilio.client import ResourceClient
from flows.twilio.flex.flex_flow import FLEX_FLOW
from tests.flows.twilio.simulated_twilio import AC, ROOT, SECRET, SK


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def twilio():
    """Twilio, simulated by `responses`. A call without a response is a lost connection."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def client(pauses):
    flex_client = ResourceClient(
        FLEX_FLOW,
        base_url=ROOT,
        account_sid=AC,
        auth=(SK, SECRET),
        rate_limits=False,
        sleep=pauses.append,
    )
    yield flex_client
    flex_client.close()


@pytest.fixture
def client_of(sandbox, pauses):
    """Return a function that creates a client for the sandbox. Options replace the defaults."""
    clients = []

    def make(**options):
        defaults = {
            "base_url": sandbox.url,
            "account_sid": sandbox.account_sid,
            "auth": (sandbox.api_key, sandbox.api_secret),
            "rate_limits": False,
            "sleep": pauses.append,
        }
        clients.append(ResourceClient(FLEX_FLOW, **defaults | options))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def closed_port():
    """A port of this machine that refuses every connection."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        yield listener.getsockname()[1]
