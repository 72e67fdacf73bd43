"""The inbox of drift: its content.

Only a user's acceptance or an applied change removes something from it.
"""

import uuid

import pytest

from flows.audit.audit_log import NotRecorded
from flows.audit.models import AuditEvent, OpenDrift
from flows.changes import reconcile
from flows.mirror import drift, mirror
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import (
    OMAR,
    assert_chain_intact,
    clock_ahead,
    create_flow,
    delete_flow,
    drift_events,
    dump_tables,
    read_only_database,
    rename_flow,
    run_concurrently,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def drifted(sandbox, flow_sid):
    """Two drift events of the flow: its name, then its retries."""
    for fields in ({"friendly_name": "Theirs"}, {"integration_retry_count": 1}):
        sandbox.edit_flow(flow_sid, **fields)
        sync_account(ACCOUNT)
    return drift_events()


def accept(event, reason="we know"):
    return drift.accept(event=event, reason=reason, actor=OMAR)


def revert(sid, event, **more):
    """Change the flow, as it is now, back to its state before the event."""
    values = {"friendly_name": "Réclamations Lyon", "integration_retry_count": 3}
    return rename_flow(sid, base=None, refers_to=event.event_id, **{"values": values, **more})


def inbox_event_ids():
    return list(OpenDrift.objects.order_by("event").values_list("event", flat=True))


def test_inbox_without_drift_is_empty(sandbox, flow_sid):
    rename_flow(flow_sid)

    assert drift.load_inbox() == []


def test_inbox_has_each_flow_once_and_the_latest_first(sandbox, drifted):
    created_sid = sandbox.add_flow()
    sync_account(ACCOUNT)

    *_, event = drift_events()
    assert drift.load_inbox() == [[event], list(drifted)]
    assert event.target_sid == created_sid
    assert str(OpenDrift.objects.get(event=event)) == f"{created_sid} {event.pk}"


def test_acceptance_is_recorded_and_empties_the_inbox(sandbox, flow_sid, drifted):
    accepted = accept(drifted[-1])

    assert drift.load_inbox() == []
    assert (accepted.stage, accepted.action, accepted.result) == (
        "access",
        "flow.accept",
        "succeeded",
    )
    assert (accepted.target_sid, accepted.refers_to) == (flow_sid, drifted[-1].event_id)
    assert (accepted.actor_label, accepted.reason) == ("omar", "we know")
    assert accepted.payload.friendly_name == "Theirs"
    assert_chain_intact()


def test_acceptance_leaves_later_drift_in_the_inbox(drifted):
    accept(drifted[0])

    assert drift.load_inbox() == [[drifted[1]]]


def test_acceptance_leaves_other_flows_alone(sandbox, drifted):
    sandbox.add_flow()
    sync_account(ACCOUNT)
    *_, other = drift_events()

    accept(drifted[-1])

    assert inbox_event_ids() == [other.pk]


def test_accepted_drift_does_not_return_but_the_next_drift_does(sandbox, flow_sid, drifted):
    accept(drifted[-1])
    assert not sync_account(ACCOUNT).has_changes
    assert drift.load_inbox() == []

    sandbox.edit_flow(flow_sid, enabled=False)
    sync_account(ACCOUNT)

    ((event,),) = drift.load_inbox()
    assert event.changed_fields == ["enabled"]


def test_repeated_acceptance_removes_nothing_else(sandbox, flow_sid, drifted):
    accept(drifted[0])

    accept(drifted[0])

    assert inbox_event_ids() == [drifted[1].pk]


@pytest.mark.django_db(transaction=True)
def test_concurrent_acceptances(drifted):
    run_concurrently(*[lambda: accept(drifted[-1])] * 4)

    assert inbox_event_ids() == []
    assert_chain_intact()


@pytest.mark.django_db(transaction=True)
def test_acceptance_that_cannot_be_recorded_removes_nothing(drifted):
    with read_only_database(), pytest.raises(NotRecorded):
        accept(drifted[-1])

    assert inbox_event_ids() == [event.pk for event in drifted]


def test_acceptance_keeps_no_secret(drifted):
    accept(drifted[0], reason="see https://twilio:canary-7f3a@hooks.example.com/")

    assert "canary-7f3a" not in dump_tables()


def test_revert_empties_the_inbox_once_it_is_applied(sandbox, flow_sid, drifted):
    change = revert(flow_sid, drifted[0]).event

    assert (change.result, change.refers_to) == ("succeeded", drifted[0].event_id)
    assert AuditEvent.objects.get(stage="attempt").refers_to == drifted[0].event_id
    assert sandbox.flows[flow_sid]["friendly_name"] == "Réclamations Lyon"
    assert drift.load_inbox() == []
    assert not sync_account(ACCOUNT).has_changes
    assert_chain_intact()


@pytest.mark.parametrize("position", [0, 1])
def test_partial_revert_leaves_the_rest_in_the_inbox(flow_sid, drifted, position):
    before = drifted[position].payload.before
    values = {name: before[name] for name in drifted[position].changed_fields}

    revert(flow_sid, drifted[position], values=values)

    assert inbox_event_ids() == [drifted[1 - position].pk]


def test_edited_revert_removes_the_event_that_it_refers_to(flow_sid, drifted):
    revert(
        flow_sid, drifted[0], values={"friendly_name": "Theirs too", "integration_retry_count": 2}
    )

    assert inbox_event_ids() == []


@pytest.mark.parametrize("fault", [FaultKind.REFUSE, FaultKind.DROP], ids=str)
def test_failed_revert_leaves_the_inbox_unchanged(sandbox, flow_sid, drifted, fault):
    sandbox.inject(Fault(fault, method="POST"))

    revert(flow_sid, drifted[0])

    assert inbox_event_ids() == [event.pk for event in drifted]


def test_lost_revert_empties_the_inbox_when_it_is_resolved(sandbox, flow_sid, drifted):
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    revert(flow_sid, drifted[0])
    assert inbox_event_ids() == [event.pk for event in drifted]

    with clock_ahead():
        (settled,) = reconcile.reconcile()

    assert (settled.result, settled.refers_to) == ("applied", drifted[0].event_id)
    assert drift.load_inbox() == []


def test_deletion_is_reverted_by_creating_the_flow(sandbox, flow_sid):
    sandbox.remove_flow(flow_sid)
    sync_account(ACCOUNT)
    (event,) = drift_events()
    assert drift.load_inbox() == [[event]]

    change = create_flow(
        values={"friendly_name": "Réclamations Lyon"}, refers_to=event.event_id
    ).event

    assert change.target_sid != flow_sid
    assert drift.load_inbox() == []


def test_creation_is_reverted_by_deleting_the_flow(sandbox, flow_sid):
    sid = sandbox.add_flow(friendly_name="Theirs")
    sync_account(ACCOUNT)
    (event,) = drift_events()

    delete_flow(sid, base={"friendly_name": "Theirs"}, refers_to=event.event_id)

    assert drift.load_inbox() == []


def test_revert_of_an_edit_does_not_accept_the_creation(sandbox):
    sync_account(ACCOUNT)
    sid = sandbox.add_flow(friendly_name="Theirs")
    sync_account(ACCOUNT)
    sandbox.edit_flow(sid, enabled=not FLEX_FLOW.decode(sandbox.flows[sid])["enabled"])
    sync_account(ACCOUNT)
    creation, edited = drift_events()

    before = edited.payload.before["enabled"]
    rename_flow(sid, base=None, values={"enabled": before}, refers_to=edited.event_id)

    assert inbox_event_ids() == [creation.pk]


def test_restore_of_our_own_state_removes_nothing(sandbox, flow_sid, drifted):
    baseline = AuditEvent.objects.get(action="flow.baseline")

    revert(flow_sid, baseline)

    assert inbox_event_ids() == [event.pk for event in drifted]


def test_reference_to_an_unknown_event_removes_nothing(flow_sid, drifted):
    change = rename_flow(flow_sid, base=None, values={"enabled": False}, refers_to=uuid.uuid4())

    assert change.event.result == "succeeded"
    assert inbox_event_ids() == [event.pk for event in drifted]


def test_change_without_a_reference_removes_nothing(flow_sid, drifted):
    rename_flow(flow_sid)

    assert inbox_event_ids() == [event.pk for event in drifted]


def test_concurrent_edit_of_a_revert_comes_into_the_inbox(sandbox, flow_sid, drifted, monkeypatch):
    """The edit was made at Twilio between our read and our change, and nobody has seen it yet."""
    fetch = mirror.fetch

    def fetch_and_edit(*args, **more):
        monkeypatch.setattr(mirror, "fetch", fetch)
        seen = fetch(*args, **more)
        sandbox.edit_flow(flow_sid, enabled=False)
        return seen

    monkeypatch.setattr(mirror, "fetch", fetch_and_edit)

    revert(flow_sid, drifted[0])

    ((event,),) = drift.load_inbox()
    assert event.changed_fields == ["enabled"]


def test_edit_after_the_form_of_a_revert_was_opened_stays_in_the_inbox(sandbox, flow_sid, drifted):
    """The user could not see the edit when deciding, so it stays."""
    base = Flow.objects.get().resource
    sandbox.edit_flow(flow_sid, enabled=False)

    values = {"friendly_name": "Réclamations Lyon", "integration_retry_count": 3}
    rename_flow(flow_sid, base=base, values=values, refers_to=drifted[-1].event_id)

    assert FLEX_FLOW.decode(sandbox.flows[flow_sid])["enabled"] is False
    ((event,),) = drift.load_inbox()
    assert event.changed_fields == ["enabled"]
