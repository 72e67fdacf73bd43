"""An external flow whose webhook is a handler on this machine, and an account that can sign."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from flows.mirror.sync import sync_account
from tests import ACCOUNT
from tests.flows.webhook_tests.receiver import LOOPBACK, Receiver

TOKEN = "canary-auth-token-0123456789abcdef"


@pytest.fixture
def receiver(settings) -> Iterator[Receiver]:
    """A handler that the site may reach."""
    settings.WEBHOOK_TEST_ALLOWED_NETWORKS = LOOPBACK
    with Receiver() as running:
        yield running


@pytest.fixture
def external_sid(sandbox, db, receiver):
    """SID of a flow whose webhook is the receiver's."""
    return add_external_flow(sandbox, receiver.url)


@pytest.fixture
def auth_token(settings):
    settings.FLEX_ACCOUNTS = (replace(settings.FLEX_ACCOUNTS[0], auth_token=TOKEN),)
    return TOKEN


def add_external_flow(sandbox, url):
    sid = sandbox.add_flow(
        friendly_name="Réclamations Lyon",
        channel_type="sms",
        contact_identity="+33199000123",
        chat_service_sid="IS" + "7" * 32,
        integration_type="external",
        integration_url=url,
    )
    sync_account(ACCOUNT)
    return sid
