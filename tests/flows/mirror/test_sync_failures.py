"""Syncs that fail, and the lease that lets one sync run at a time."""

from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from flows.accounts import clients
from flows.mirror import flow_reads, flow_rows
from flows.mirror.models import Flow, SyncState
from flows.mirror.sync import (
    MISSING_THRESHOLD,
    SyncBusy,
    SyncReport,
    needs_sync,
    sync_account,
    sync_state,
)
from flows.twilio.errors import NotSent, OutcomeUnknown, RequestRefused
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import (
    BackgroundCall,
    failing_inserts,
    run_concurrently,
)
from tests.flows.mirror.sync_results import report, rows

pytestmark = pytest.mark.django_db


def snapshot(sid="FO" + "1" * 32, **values):
    return {"sid": sid, "account_sid": "AC" + "5a" * 16, "friendly_name": "A", **values}


LIST_FAULTS = {
    "refused": (Fault(FaultKind.REFUSE, times=None, status=403, code=20005), RequestRefused),
    "too many": (Fault(FaultKind.TOO_MANY, times=None, retry_after=0), RequestRefused),
    "problem": (Fault(FaultKind.PROBLEM, times=None), RequestRefused),
    "server error": (Fault(FaultKind.SERVER_ERROR, times=None), OutcomeUnknown),
    "dropped": (Fault(FaultKind.DROP, times=None), OutcomeUnknown),
    "hangs": (Fault(FaultKind.HANG, times=None), OutcomeUnknown),
    "drips": (Fault(FaultKind.DRIP, times=None, seconds=0.01), OutcomeUnknown),
    "drips headers": (Fault(FaultKind.DRIP_HEADERS, times=None, seconds=0.05), OutcomeUnknown),
    "truncated": (Fault(FaultKind.TRUNCATE, times=None), OutcomeUnknown),
    "a proxy's page": (Fault(FaultKind.HTML, times=None), OutcomeUnknown),
    "HTML": (Fault(FaultKind.HTML_OK, times=None), OutcomeUnknown),
    "garbage": (Fault(FaultKind.GARBAGE, times=None), OutcomeUnknown),
    "redirect": (Fault(FaultKind.REDIRECT, times=None), OutcomeUnknown),
    "huge": (Fault(FaultKind.HUGE, times=None), OutcomeUnknown),
    "empty": (Fault(FaultKind.EMPTY, times=None), OutcomeUnknown),
    "another host": (Fault(FaultKind.LEAVE_HOST, times=None), OutcomeUnknown),
    "a loop": (Fault(FaultKind.PAGE_LOOP, times=None), OutcomeUnknown),
}


@pytest.mark.parametrize(("fault", "kind"), LIST_FAULTS.values(), ids=LIST_FAULTS)
def test_failed_sync_keeps_the_rows_and_stores_the_error(
    sandbox, flow_sid, hurry, state, fault, kind
):
    before, synced_at = rows(), state().synced_at
    sandbox.edit_flow(flow_sid, friendly_name="Newer")
    sandbox.add_flow()
    sandbox.inject(fault)

    with pytest.raises(kind):
        sync_account(ACCOUNT)

    assert rows() == before
    after = state()
    assert (after.started_at, after.synced_at) == (None, synced_at)
    assert after.failed_at > synced_at
    assert after.error[0].isupper()
    sandbox.clear_faults()
    assert sync_account(ACCOUNT) == report(flows=2, created=1, changed=1)
    assert (state().error, state().failed_at) == ("", None)


def test_failure_at_a_later_page_keeps_the_rows(sandbox, flow_sid, monkeypatch):
    before = rows()
    sandbox.edit_flow(flow_sid, friendly_name="Newer")

    class Client:
        def list(self):
            yield snapshot("FO" + "2" * 32)
            raise OutcomeUnknown("the connection to Twilio was lost")

    monkeypatch.setattr(flow_reads, "resource_client", lambda *_, **__: Client())

    with pytest.raises(OutcomeUnknown):
        sync_account(ACCOUNT)

    assert rows() == before


def test_sync_without_a_network(db, settings, state):
    settings.FLEX_API_URL = "http://127.0.0.1:9/v1"

    with pytest.raises(NotSent):
        sync_account(ACCOUNT)

    assert state().error.startswith("Couldn't connect to 127.0.0.1:9. Check FLEX_API_URL")


@pytest.mark.django_db(transaction=True)
def test_database_error_during_a_sync_keeps_the_rows_and_is_not_retried_at_once(
    sandbox, flow_sid, state
):
    before = rows()
    sandbox.edit_flow(flow_sid, friendly_name="Newer")
    sandbox.add_flow()

    with failing_inserts("flows_flow"), pytest.raises(Exception, match="disk is full"):
        sync_account(ACCOUNT)

    assert rows() == before
    assert state().started_at is None
    assert "Internal error" in state().error
    assert not needs_sync(state())
    assert sync_account(ACCOUNT) == report(flows=2, created=1, changed=1)


@pytest.mark.django_db(transaction=True)
def test_one_sync_at_a_time(sandbox, flow_sid):
    listed = len(sandbox.requests)
    sandbox.inject(Fault(FaultKind.HANG))
    first = BackgroundCall(partial(sync_account, ACCOUNT))
    assert sandbox.wait_until_held()

    with pytest.raises(SyncBusy):
        sync_account(ACCOUNT)

    assert len(sandbox.requests) == listed + 1
    sandbox.release()
    assert first.outcome() == report(flows=1)


def test_mirror_is_loaded_while_twilio_prepares_its_list(sandbox, flow_sid, monkeypatch):
    sandbox.inject(Fault(FaultKind.HANG))
    load_snapshots = flow_rows.load_snapshots

    def load_while_held(rows):
        monkeypatch.setattr(flow_rows, "load_snapshots", load_snapshots)
        assert sandbox.wait_until_held()
        sandbox.release()
        return load_snapshots(rows)

    monkeypatch.setattr(flow_rows, "load_snapshots", load_while_held)

    assert sync_account(ACCOUNT) == report(flows=1)


@pytest.mark.django_db(transaction=True)
def test_eight_concurrent_syncs_create_each_flow_once(sandbox):
    for _ in range(20):
        sandbox.add_flow()

    results = run_concurrently(*[partial(sync_account, ACCOUNT)] * 8)

    reports = [result for result in results if not isinstance(result, SyncBusy)]
    assert reports
    assert all(isinstance(result, SyncReport) for result in reports)
    assert sum(result.created for result in reports) == 20
    assert Flow.objects.count() == 20


@pytest.mark.parametrize(
    ("age", "is_busy"), [(timedelta(minutes=1), True), (timedelta(minutes=3), False)]
)
def test_lease_of_a_dead_sync_expires(sandbox, flow_sid, age, is_busy):
    SyncState.objects.update(started_at=timezone.now() - age)

    if is_busy:
        with pytest.raises(SyncBusy):
            sync_account(ACCOUNT)
    else:
        assert sync_account(ACCOUNT) == report(flows=1)
        assert SyncState.objects.get().started_at is None


def test_slow_sync_does_not_release_the_lease_of_its_successor(sandbox, flow_sid, monkeypatch):
    successor = timezone.now()
    listing = clients.resource_client(FLEX_FLOW, "AC" + "5a" * 16, deadline=5).list

    def slow():
        SyncState.objects.update(started_at=successor)
        return listing()

    monkeypatch.setattr(
        flow_reads,
        "resource_client",
        lambda *_, **__: type("Client", (), {"list": staticmethod(slow)}),
    )

    sync_account(ACCOUNT)

    assert SyncState.objects.get().started_at == successor


def test_list_that_lacks_many_existing_flows_is_rejected(sandbox, db, monkeypatch):
    for number in range(MISSING_THRESHOLD):
        sandbox.add_flow(friendly_name=f"Flow {number}")
    sync_account(ACCOUNT)
    monkeypatch.setattr(flow_reads, "list_flows", lambda _sid: [])

    with pytest.raises(OutcomeUnknown, match="leaves out"):
        sync_account(ACCOUNT)

    assert not Flow.objects.exclude(gone_at=None).exists()
    assert "leaves out" in sync_state(ACCOUNT).error
