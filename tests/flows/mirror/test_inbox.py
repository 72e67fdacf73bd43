"""The inbox of drift: what is in it, and that only a person's acceptance or a change that was really made takes
something out.
"""

import uuid

import pytest

from flows.audit.audit_log import NotRecorded
from flows.audit.models import AuditEvent, OpenDrift
from flows.changes import reconcile
from flows.mirror import drift, mirror
from flows.mirror.models import Flow
from flows.twilio.flex.flex_flow import from_response
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
    """The flow has drifted twice: its name, then its retries."""
    for fields in ({"friendly_name": "Theirs"}, {"integration_retry_count": 1}):
        sandbox.edit_flow(flow_sid, **fields)
        mirror.sync(ACCOUNT)
    return drift_events()


def accept(event, reason="we know"):
    return drift.accept(event=event, reason=reason, actor=OMAR)


def undo(sid, event, **more):
    """An ordinary change back to how it was at first, made on the flow as it is now."""
    values = {"friendly_name": "Réclamations Lyon", "integration_retry_count": 3}
    return rename_flow(sid, base=None, refers_to=event.event_id, **{"values": values, **more})


def in_the_inbox():
    return list(OpenDrift.objects.order_by("event").values_list("event", flat=True))


def test_inbox_of_a_site_where_nothing_drifted(sandbox, flow_sid):
    rename_flow(flow_sid)

    assert drift.load_inbox() == []


def test_inbox_has_each_flow_once_with_its_first_and_last_the_latest_flow_first(sandbox, drifted):
    made = sandbox.add_flow()
    mirror.sync(ACCOUNT)

    *_, event = drift_events()
    assert drift.load_inbox() == [[event], list(drifted)]
    assert event.target_sid == made
    assert str(OpenDrift.objects.get(event=event)) == f"{made} {event.pk}"


def test_acceptance_is_on_record_and_empties_the_inbox(sandbox, flow_sid, drifted):
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


def test_acceptance_is_of_what_was_seen_and_leaves_what_came_later(drifted):
    accept(drifted[0])

    assert drift.load_inbox() == [[drifted[1]]]


def test_acceptance_leaves_other_flows_alone(sandbox, drifted):
    sandbox.add_flow()
    mirror.sync(ACCOUNT)
    *_, other = drift_events()

    accept(drifted[-1])

    assert in_the_inbox() == [other.pk]


def test_what_was_accepted_does_not_come_back_and_the_next_drift_does(sandbox, flow_sid, drifted):
    accept(drifted[-1])
    assert not mirror.sync(ACCOUNT).moved
    assert drift.load_inbox() == []

    sandbox.edit_flow(flow_sid, enabled=False)
    mirror.sync(ACCOUNT)

    ((found,),) = drift.load_inbox()
    assert found.changed_fields == ["enabled"]


def test_acceptance_of_what_is_accepted_already_takes_nothing_else_out(sandbox, flow_sid, drifted):
    accept(drifted[0])

    accept(drifted[0])

    assert in_the_inbox() == [drifted[1].pk]


@pytest.mark.django_db(transaction=True)
def test_acceptances_at_once(drifted):
    run_concurrently(*[lambda: accept(drifted[-1])] * 4)

    assert in_the_inbox() == []
    assert_chain_intact()


@pytest.mark.django_db(transaction=True)
def test_acceptance_that_can_not_go_on_record_takes_nothing_out(drifted):
    with read_only_database(), pytest.raises(NotRecorded):
        accept(drifted[-1])

    assert in_the_inbox() == [event.pk for event in drifted]


def test_acceptance_keeps_no_secret(drifted):
    accept(drifted[0], reason="see https://twilio:canary-7f3a@hooks.example.com/")

    assert "canary-7f3a" not in dump_tables()


def test_undoing_empties_the_inbox_once_it_is_made(sandbox, flow_sid, drifted):
    made = undo(flow_sid, drifted[0]).event

    assert (made.result, made.refers_to) == ("succeeded", drifted[0].event_id)
    assert AuditEvent.objects.get(stage="attempt").refers_to == drifted[0].event_id
    assert sandbox.flows[flow_sid]["friendly_name"] == "Réclamations Lyon"
    assert drift.load_inbox() == []
    assert not mirror.sync(ACCOUNT).moved
    assert_chain_intact()


@pytest.mark.parametrize("which", [0, 1])
def test_undoing_of_a_part_leaves_the_rest_in_the_inbox(flow_sid, drifted, which):
    before = drifted[which].payload.before
    values = {name: before[name] for name in drifted[which].changed_fields}

    undo(flow_sid, drifted[which], values=values)

    assert in_the_inbox() == [drifted[1 - which].pk]


def test_undoing_that_was_altered_before_saving_deals_with_what_it_refers_to(flow_sid, drifted):
    undo(flow_sid, drifted[0], values={"friendly_name": "Theirs too", "integration_retry_count": 2})

    assert in_the_inbox() == []


@pytest.mark.parametrize("fault", [FaultKind.REFUSE, FaultKind.DROP], ids=str)
def test_undoing_that_is_not_made_leaves_the_inbox_as_it_is(sandbox, flow_sid, drifted, fault):
    sandbox.inject(Fault(fault, method="POST"))

    undo(flow_sid, drifted[0])

    assert in_the_inbox() == [event.pk for event in drifted]


def test_undoing_whose_answer_is_lost_empties_the_inbox_when_it_is_found_out(
    sandbox, flow_sid, drifted
):
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    undo(flow_sid, drifted[0])
    assert in_the_inbox() == [event.pk for event in drifted]

    with clock_ahead():
        (settled,) = reconcile.reconcile()

    assert (settled.result, settled.refers_to) == ("applied", drifted[0].event_id)
    assert drift.load_inbox() == []


def test_deletion_is_undone_by_making_the_flow_anew(sandbox, flow_sid):
    sandbox.remove_flow(flow_sid)
    mirror.sync(ACCOUNT)
    (event,) = drift_events()
    assert drift.load_inbox() == [[event]]

    made = create_flow(
        values={"friendly_name": "Réclamations Lyon"}, refers_to=event.event_id
    ).event

    assert made.target_sid != flow_sid
    assert drift.load_inbox() == []


def test_creation_is_undone_by_deleting_the_flow(sandbox, flow_sid):
    sid = sandbox.add_flow(friendly_name="Theirs")
    mirror.sync(ACCOUNT)
    (event,) = drift_events()

    delete_flow(sid, base={"friendly_name": "Theirs"}, refers_to=event.event_id)

    assert drift.load_inbox() == []


def test_undoing_an_edit_does_not_accept_that_the_flow_was_made(sandbox):
    mirror.sync(ACCOUNT)
    sid = sandbox.add_flow(friendly_name="Theirs")
    mirror.sync(ACCOUNT)
    sandbox.edit_flow(sid, enabled=not from_response(sandbox.flows[sid])["enabled"])
    mirror.sync(ACCOUNT)
    made, edited = drift_events()

    before = edited.payload.before["enabled"]
    rename_flow(sid, base=None, values={"enabled": before}, refers_to=edited.event_id)

    assert in_the_inbox() == [made.pk]


def test_restoring_a_state_that_was_ours_takes_nothing_out(sandbox, flow_sid, drifted):
    baseline = AuditEvent.objects.get(action="flow.baseline")

    undo(flow_sid, baseline)

    assert in_the_inbox() == [event.pk for event in drifted]


def test_reference_to_nothing_on_record_takes_nothing_out(flow_sid, drifted):
    made = rename_flow(flow_sid, base=None, values={"enabled": False}, refers_to=uuid.uuid4())

    assert made.event.result == "succeeded"
    assert in_the_inbox() == [event.pk for event in drifted]


def test_change_of_ours_that_refers_to_nothing_takes_nothing_out(flow_sid, drifted):
    rename_flow(flow_sid)

    assert in_the_inbox() == [event.pk for event in drifted]


def test_edit_found_beside_the_undoing_comes_into_the_inbox(
    sandbox, flow_sid, drifted, monkeypatch
):
    """Made at Twilio between our reading and our writing: nobody has seen it yet."""
    fetch = mirror.fetch

    def fetch_and_edit(*args, **more):
        monkeypatch.setattr(mirror, "fetch", fetch)
        seen = fetch(*args, **more)
        sandbox.edit_flow(flow_sid, enabled=False)
        return seen

    monkeypatch.setattr(mirror, "fetch", fetch_and_edit)

    undo(flow_sid, drifted[0])

    ((event,),) = drift.load_inbox()
    assert event.changed_fields == ["enabled"]


def test_edit_found_after_the_form_of_the_undoing_was_opened_stays_in_the_inbox(
    sandbox, flow_sid, drifted
):
    """It was not there when the person decided, and it is still there afterwards."""
    base = Flow.objects.get().resource
    sandbox.edit_flow(flow_sid, enabled=False)

    values = {"friendly_name": "Réclamations Lyon", "integration_retry_count": 3}
    rename_flow(flow_sid, base=base, values=values, refers_to=drifted[-1].event_id)

    assert from_response(sandbox.flows[flow_sid])["enabled"] is False
    ((event,),) = drift.load_inbox()
    assert event.changed_fields == ["enabled"]
