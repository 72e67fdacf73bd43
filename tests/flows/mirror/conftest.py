"""Fixtures of the tests of the mirror."""

import copy

import pytest

from flows.accounts import clients
from flows.mirror import flow_reads
from flows.mirror.models import SyncState


@pytest.fixture
def hurry(monkeypatch):
    """Shorten reads to half a second, without pauses between attempts."""

    def make(resource, account_sid, *, deadline=0.5):
        client = copy.copy(
            clients.resource_client(resource, account_sid, deadline=min(deadline, 0.5))
        )
        client._sleep = lambda seconds: None
        return client

    monkeypatch.setattr(flow_reads, "resource_client", make)


@pytest.fixture
def state():
    return lambda: SyncState.objects.get()
