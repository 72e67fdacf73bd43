"""The mirror: flows fetched one by one, and the state of its syncs."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from flows.mirror import flow_rows, mirror
from flows.mirror.models import Flow, SyncState
from flows.twilio.errors import FlexError, RequestRefused
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import (
    clock_ahead,
    failing_inserts,
)

pytestmark = pytest.mark.django_db


def test_fetch_stores_the_flow(sandbox, flow_sid):
    was = FLEX_FLOW.decode(sandbox.flows[flow_sid])
    sandbox.remove_flow(flow_sid)
    mirror.sync(ACCOUNT)
    sandbox.add_flow(**{**was, "friendly_name": "Newer"})

    with clock_ahead():
        assert mirror.fetch(flow_sid, account_sid=ACCOUNT)["friendly_name"] == "Newer"

    assert (Flow.objects.get().friendly_name, Flow.objects.get().gone_at) == ("Newer", None)


def test_fetch_of_a_deleted_flow_marks_it_deleted(sandbox, flow_sid):
    sandbox.remove_flow(flow_sid)

    with pytest.raises(RequestRefused):
        mirror.fetch(flow_sid, account_sid=ACCOUNT)

    gone_at = Flow.objects.get().gone_at
    assert gone_at is not None
    with pytest.raises(RequestRefused):
        mirror.fetch(flow_sid, account_sid=ACCOUNT)
    assert Flow.objects.get().gone_at == gone_at


@pytest.mark.parametrize("fault", [
    Fault(FaultKind.REFUSE, status=404, code=20003),
    Fault(FaultKind.REFUSE, status=403, code=20404),
    Fault(FaultKind.HTML, status=404),
    Fault(FaultKind.SERVER_ERROR, times=None),
], ids=["another code", "another status", "a proxy's 404", "an error"])  # fmt: skip
def test_fetch_that_fails_for_another_reason_marks_nothing(sandbox, flow_sid, hurry, fault):
    sandbox.inject(fault)

    with pytest.raises(FlexError):
        mirror.fetch(flow_sid, account_sid=ACCOUNT)

    assert Flow.objects.get().gone_at is None


@pytest.mark.django_db(transaction=True)
def test_fetch_returns_the_flow_though_the_mirror_cannot_be_written(sandbox, flow_sid, caplog):
    sandbox.edit_flow(flow_sid, friendly_name="Newer")

    with failing_inserts("flows_flow"):
        assert mirror.fetch(flow_sid, account_sid=ACCOUNT)["friendly_name"] == "Newer"

    assert "the mirror could not store" in caplog.text
    assert Flow.objects.get().friendly_name == "Réclamations Lyon"


def test_fetch_returns_a_flow_that_the_mirror_cannot_process(sandbox, flow_sid, monkeypatch):
    monkeypatch.setattr(flow_rows, "normalize_text", lambda text: 1 / 0)

    assert mirror.fetch(flow_sid, account_sid=ACCOUNT)["sid"] == flow_sid


@pytest.mark.parametrize(("synced", "failed", "stale"), [
    (None, None, True), (10, None, False), (40, None, True), (None, 10, False), (40, 10, False), (40, 50, True),
    (30, None, False),
])  # fmt: skip
def test_is_stale(synced, failed, stale):
    at = datetime(2026, 11, 21, 8, 40, tzinfo=UTC)

    def ago(seconds):
        return None if seconds is None else at - timedelta(seconds=seconds)

    assert mirror.is_stale(SyncState(synced_at=ago(synced), failed_at=ago(failed)), at=at) is stale


def test_is_stale_uses_the_current_time():
    assert not mirror.is_stale(SyncState(synced_at=timezone.now()))


def test_sync_state_of_a_new_site(settings):
    state = mirror.sync_state(ACCOUNT)

    assert (state.account_sid, state.synced_at) == ("AC" + "5a" * 16, None)
    assert not SyncState.objects.exists()


def test_sync_state_after_a_sync(sandbox, flow_sid):
    assert mirror.sync_state(ACCOUNT).flows == 1
