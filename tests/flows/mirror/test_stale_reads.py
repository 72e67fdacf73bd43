"""Reads from before our own confirmed change, for a minute after it.

They record nothing, the mirror keeps the confirmed state, and no change is sent on an old state.
"""

import pytest

from flows.audit.models import AuditEvent, OpenChange
from flows.changes import flow_changes, reconcile
from flows.mirror import mirror, stale_reads
from flows.mirror.models import Flow
from flows.mirror.stale_reads import StaleRead
from flows.mirror.sync import sync_account
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.sandbox.consistency import Lag
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import (
    age_history,
    assert_chain_intact,
    clock_ahead,
    create_flow,
    delete_flow,
    drift_events,
    received_writes,
    rename_flow,
    switch_flow,
)

pytestmark = pytest.mark.django_db
HOUR = 3600


def stale(sandbox, path=None):
    """Let every read show the flows as they were before our change."""
    sandbox.lag(Lag("stale", path=path, times=None, seconds=HOUR))


@pytest.fixture(autouse=True)
def _flow_is_old(sandbox, flow_sid):
    """Move the flow's history into the past, so that only our changes are recent."""
    age_history(sandbox)


def read_all(sid):
    """Sync the list, then fetch the flow."""
    sync_account(ACCOUNT)
    with pytest.raises(StaleRead):
        mirror.fetch(sid, account_sid=ACCOUNT)


def test_new_flow_that_twilio_does_not_show_yet_is_not_marked_deleted(sandbox):
    sid = create_flow().event.target_sid
    stale(sandbox)

    read_all(sid)

    assert drift_events() == []
    assert Flow.objects.get(sid=sid).gone_at is None
    assert not any(sid in request.path for request in sandbox.requests[-3:-1])  # not even asked for


def test_old_state_of_a_flow_that_we_changed_is_not_stored(sandbox, flow_sid):
    rename_flow(flow_sid)
    stale(sandbox)

    read_all(flow_sid)

    assert drift_events() == []
    assert Flow.objects.get().friendly_name == "Plaintes Lyon"


def test_flow_that_we_deleted_and_twilio_still_shows_stays_deleted(sandbox, flow_sid):
    delete_flow(flow_sid)
    stale(sandbox)

    read_all(flow_sid)

    assert drift_events() == []
    assert Flow.objects.get().gone_at is not None


def test_404_right_after_our_update_is_no_deletion(sandbox, flow_sid):
    rename_flow(flow_sid)
    sandbox.inject(
        Fault(FaultKind.REFUSE, method="GET", path="/FlexFlows/*", status=404, code=20404)
    )

    with pytest.raises(StaleRead):
        mirror.fetch(flow_sid, account_sid=ACCOUNT)

    assert (drift_events(), Flow.objects.get().gone_at) == ([], None)


@pytest.mark.parametrize("act", ["create", "rename", "delete"])
def test_every_read_counts_after_a_minute(sandbox, flow_sid, act):
    sid = create_flow().event.target_sid if act == "create" else flow_sid
    if act != "create":
        {"rename": rename_flow, "delete": delete_flow}[act](sid)
    stale(sandbox)

    with clock_ahead():
        sync_account(ACCOUNT)
        if act != "delete":
            assert [event.target_sid for event in drift_events()] == [sid]
        else:
            assert [event.payload.before for event in drift_events()] == [None]


def test_changes_of_other_processes_count_too(sandbox, flow_sid):
    """The log has the change of another process, and the mirror does not have it yet."""
    rename_flow(flow_sid)
    old = {**Flow.objects.get().resource, "friendly_name": "Réclamations Lyon"}
    Flow.objects.update(resource=old, friendly_name="Réclamations Lyon")
    stale(sandbox)

    with pytest.raises(StaleRead) as error:
        mirror.fetch(flow_sid, account_sid=ACCOUNT)

    assert error.value.confirmed["friendly_name"] == "Plaintes Lyon"
    assert error.value.seen["friendly_name"] == "Réclamations Lyon"
    assert drift_events() == []


def test_no_change_is_sent_on_an_old_state(sandbox, flow_sid):
    switch_flow(flow_sid, enabled=False)
    stale(sandbox)
    request_count = len(received_writes(sandbox))

    with pytest.raises(flow_changes.FlowUnreadable, match="could not be read"):
        switch_flow(flow_sid, enabled=True)

    event = AuditEvent.objects.latest("seq")
    assert (event.stage, event.result) == ("outcome", "failed")
    assert "doesn't show the last change yet" in event.payload.message
    assert len(received_writes(sandbox)) == request_count
    assert_chain_intact()


def test_value_that_the_flow_never_had_is_drift_at_once(sandbox, flow_sid):
    rename_flow(flow_sid)
    sandbox.edit_flow(flow_sid, friendly_name="Theirs")

    assert mirror.fetch(flow_sid, account_sid=ACCOUNT)["friendly_name"] == "Theirs"

    assert [event.changed_fields for event in drift_events()] == [["friendly_name"]]


def test_difference_in_another_field_is_drift_at_once(sandbox, flow_sid):
    rename_flow(flow_sid)
    sandbox.edit_flow(flow_sid, janitor_enabled=True)

    sync_account(ACCOUNT)

    assert [event.changed_fields for event in drift_events()] == [["janitor_enabled"]]


def test_state_before_two_of_our_changes_is_old(sandbox, flow_sid):
    was = FLEX_FLOW.decode(sandbox.flows[flow_sid])
    rename_flow(flow_sid)
    rename_flow(flow_sid, values={"friendly_name": was["friendly_name"]})
    switch_flow(flow_sid, enabled=False)
    stale(sandbox)

    read_all(flow_sid)

    assert (drift_events(), Flow.objects.get().enabled) == ([], False)


def test_deletion_elsewhere_does_not_flicker(sandbox, flow_sid):
    sandbox.remove_flow(flow_sid)
    sync_account(ACCOUNT)
    stale(sandbox)

    read_all(flow_sid)

    assert len(drift_events()) == 1
    assert Flow.objects.get().gone_at is not None


def test_edit_elsewhere_does_not_flicker(sandbox, flow_sid):
    sandbox.edit_flow(flow_sid, friendly_name="Theirs")
    sync_account(ACCOUNT)
    stale(sandbox)

    read_all(flow_sid)

    assert len(drift_events()) == 1
    assert Flow.objects.get().friendly_name == "Theirs"


def test_creation_elsewhere_does_not_flicker(sandbox):
    sid = sandbox.add_flow(friendly_name="Theirs")
    sync_account(ACCOUNT)
    stale(sandbox)

    read_all(sid)

    assert len(drift_events()) == 1
    assert Flow.objects.get(sid=sid).gone_at is None


def test_lost_change_is_not_resolved_by_a_read_from_before_another(sandbox, flow_sid):
    rename_flow(flow_sid)
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    rename_flow(flow_sid, values={"friendly_name": "Third"})
    stale(sandbox)

    assert reconcile.reconcile() == []

    change = OpenChange.objects.get()
    assert (change.ambiguity, change.not_applied_at) == ("", None)
    sandbox.lags.clear()
    (event,) = reconcile.reconcile()
    assert event.result == "applied"


def test_lost_deletion_right_after_a_change_is_resolved_later(sandbox, flow_sid):
    rename_flow(flow_sid)
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="DELETE", times=4))
    delete_flow(flow_sid, base={"friendly_name": "Plaintes Lyon"})

    reconcile.reconcile()
    with clock_ahead():
        reconcile.reconcile()

    assert not OpenChange.objects.exists()
    assert Flow.objects.get().gone_at is not None


@pytest.mark.parametrize(("one", "other", "expected"), [
    ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", True),
    ("2026-01-01T00:00:01Z", "2026-01-01T00:00:01Z", False),
    ("yesterday", "2026-01-01T00:00:01Z", False),
    (None, None, False),
])  # fmt: skip
def test_is_older(one, other, expected):
    assert stale_reads.is_older({"date_updated": one}, {"date_updated": other}) is expected


def test_writable_changes_leave_out_read_only_fields():
    before = {"friendly_name": "A", "date_updated": "1", "url": "x", "flavour": 1}

    assert FLEX_FLOW.changed_writable_fields(before, {"friendly_name": "B"}) == ["friendly_name"]
