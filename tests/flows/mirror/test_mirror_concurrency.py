"""Reads that overlap with changes and other reads: the newest state stays."""

from functools import partial

import pytest

from flows.accounts import clients
from flows.audit.models import AuditEvent
from flows.mirror import drift, flow_reads, mirror
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import (
    VERBS,
    BackgroundCall,
    clock_ahead,
    create_flow,
    delete_flow,
    drift_events,
    rename_flow,
    wait_for,
)
from tests.flows.mirror.sync_results import report

pytestmark = pytest.mark.django_db


@pytest.fixture
def during_listing(monkeypatch):
    """Call a function after Twilio made its list and before the mirror has it."""

    def arrange(act):
        class Client:
            def list(self):
                snapshots = list(clients.resource_client(FLEX_FLOW, "AC" + "5a" * 16).list())
                monkeypatch.setattr(flow_reads, "resource_client", clients.resource_client)
                act()
                return iter(snapshots)

        monkeypatch.setattr(flow_reads, "resource_client", lambda *_, **__: Client())

    yield arrange
    monkeypatch.undo()


def test_older_list_does_not_overwrite_our_change(sandbox, flow_sid, during_listing):
    during_listing(lambda: rename_flow(flow_sid))

    assert sync_account(ACCOUNT) == report(flows=1)

    assert Flow.objects.get().friendly_name == "Plaintes Lyon"
    assert sync_account(ACCOUNT) == report(flows=1)
    assert drift_events() == []


def test_flow_created_during_the_listing_is_not_marked_deleted(sandbox, flow_sid, during_listing):
    during_listing(create_flow)

    assert sync_account(ACCOUNT) == report(flows=1)

    created_sid = AuditEvent.objects.get(stage="outcome").target_sid
    assert Flow.objects.get(sid=created_sid).gone_at is None
    assert sync_account(ACCOUNT) == report(flows=2)
    assert drift_events() == []


def test_flow_deleted_during_the_listing_stays_deleted(sandbox, flow_sid, during_listing):
    during_listing(lambda: delete_flow(flow_sid))

    assert sync_account(ACCOUNT) == report(flows=1)

    assert Flow.objects.get().gone_at is not None
    assert sync_account(ACCOUNT) == report()
    assert drift_events() == []


def test_flow_fetched_during_the_listing_is_not_marked_deleted(sandbox, flow_sid, during_listing):
    during_listing(lambda: mirror.fetch(sandbox.add_flow(), account_sid=ACCOUNT))

    assert sync_account(ACCOUNT) == report(flows=1)

    assert Flow.objects.filter(gone_at=None).count() == 2
    assert [drift.payload.before for drift in drift_events()] == [None]


@pytest.mark.django_db(transaction=True)
def test_change_while_the_list_is_being_received(sandbox, flow_sid):
    """The last bytes of a real response wait until the change is applied."""
    sandbox.inject(Fault(FaultKind.DRIP, method="GET", path="/FlexFlows", seconds=60))
    listed = len(sandbox.requests)
    sync = BackgroundCall(partial(sync_account, ACCOUNT))
    wait_for(lambda: len(sandbox.requests) > listed and sandbox.requests[listed].status)

    rename_flow(flow_sid)

    sandbox.release()
    assert sync.outcome() == report(flows=1)
    assert Flow.objects.get().friendly_name == "Plaintes Lyon"


@pytest.mark.parametrize("act", ["change", "delete"])
def test_fetch_from_before_a_change_does_not_overwrite_it(sandbox, flow_sid, monkeypatch, act):
    """Twilio answers after the change with the flow as it was before."""

    class Client:
        def fetch(self, sid):
            snapshots = clients.resource_client(FLEX_FLOW, "AC" + "5a" * 16).fetch(sid)
            monkeypatch.setattr(flow_reads, "resource_client", clients.resource_client)
            rename_flow(sid) if act == "change" else delete_flow(sid)
            return snapshots

    monkeypatch.setattr(flow_reads, "resource_client", lambda *_, **__: Client())

    snapshots = mirror.fetch(flow_sid, account_sid=ACCOUNT)

    assert snapshots["friendly_name"] == "Réclamations Lyon"
    flow = Flow.objects.get()
    assert (flow.friendly_name, flow.gone_at is None) == (
        ("Plaintes Lyon", True) if act == "change" else ("Réclamations Lyon", False)
    )
    assert drift_events() == []


@pytest.mark.parametrize("act", ["our change", "another read"])
def test_event_recorded_before_the_mirror_is_written_counts_as_newer(
    sandbox, flow_sid, monkeypatch, act
):
    """The event comes between recording a difference and storing it."""
    sandbox.edit_flow(flow_sid, friendly_name="Theirs")
    note = drift.record_differences

    def note_and_act(*args, **more):
        monkeypatch.setattr(drift, "record_differences", note)
        as_found = note(*args, **more)
        if act == "our change":
            rename_flow(flow_sid, base=None)
        else:
            sandbox.edit_flow(flow_sid, friendly_name="Plaintes Lyon")
            mirror.fetch(flow_sid, account_sid=ACCOUNT)
        return as_found

    monkeypatch.setattr(drift, "record_differences", note_and_act)

    sync_account(ACCOUNT)

    assert Flow.objects.get().friendly_name == "Plaintes Lyon"
    assert len(drift_events()) == (1 if act == "our change" else 2)


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_result_applied_late_does_not_overwrite_a_newer_state(sandbox, flow_sid, monkeypatch, verb):
    """After the outcome is recorded, somebody changes the flow and a sync stores that first."""
    before, apply_result = FLEX_FLOW.decode(sandbox.flows[flow_sid]), mirror.apply_result

    def late(*args):
        if verb == "update":
            sandbox.edit_flow(flow_sid, friendly_name="Theirs")
        else:
            sandbox.add_flow(**{**before, "friendly_name": "Theirs"})
        with clock_ahead():
            sync_account(ACCOUNT)
        apply_result(*args)

    monkeypatch.setattr(mirror, "apply_result", late)

    VERBS[verb](flow_sid)

    flow = Flow.objects.get()
    assert (flow.friendly_name, flow.gone_at) == ("Theirs", None)
    assert not sync_account(ACCOUNT).has_changes
