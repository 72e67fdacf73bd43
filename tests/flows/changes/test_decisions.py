"""Users' decisions about ambiguous changes, for each action, both ways."""

import pytest

from flows.audit.audit_log import AlreadyRecorded, NotRecorded
from flows.audit.models import AuditEvent, OpenChange
from flows.changes import in_flight, reconcile, unknown_outcomes
from flows.changes.reconcile import NotAmbiguous
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.twilio.errors import FlexError
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import (
    NEW_FLOW,
    OMAR,
    BackgroundCall,
    append_attempt,
    applied_writes,
    assert_chain_intact,
    clock_ahead,
    create_flow,
    delete_flow,
    drift_events,
    read_only_database,
    received_writes,
    rename_flow,
    run_concurrently,
    switch_flow,
    wait_for,
)

pytestmark = pytest.mark.django_db


def decide(applied=True, sid="", change=None, **more):
    change = change or OpenChange.objects.select_related("attempt__payload").get()
    return reconcile.resolve_manually(
        change=change, applied=applied, sid=sid, reason="I saw it", actor=OMAR, **more
    )


@pytest.fixture
def edited_since(sandbox, flow_sid):
    """An update whose response was lost, then an edit of the same field by someone else."""
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    rename_flow(flow_sid)
    sandbox.edit_flow(flow_sid, friendly_name="Third", janitor_enabled=True)
    assert reconcile.reconcile() == []
    assert OpenChange.objects.get().ambiguity == unknown_outcomes.THIRD_VALUE.format(noun="flow")
    return flow_sid


@pytest.fixture
def gone_since(sandbox, flow_sid):
    """A flow turned off, with the response lost, and then deleted by someone else."""
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    switch_flow(flow_sid)
    sandbox.remove_flow(flow_sid)
    assert reconcile.reconcile() == []
    assert OpenChange.objects.get().ambiguity == unknown_outcomes.OBJECT_DELETED.format(noun="flow")
    return flow_sid


@pytest.fixture
def two_alike(sandbox, flow_sid):
    """A creation whose response was lost, and a flow like it."""
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    create_flow()
    requested = {name: value for name, value in NEW_FLOW.items() if value is not None}
    theirs = sandbox.add_flow(**requested, long_lived=False)
    assert reconcile.reconcile() == []
    assert OpenChange.objects.get().ambiguity == unknown_outcomes.MULTIPLE_MATCHES.format(
        noun="flow"
    )
    return applied_writes(sandbox)[-1].sid, theirs


def test_decision_is_on_record_as_a_persons_own(sandbox, edited_since):
    write_count = len(received_writes(sandbox))

    event = decide()

    attempt = AuditEvent.objects.get(stage="attempt")
    assert (event.stage, event.result, event.change_id) == (
        "reconciled",
        "applied",
        attempt.change_id,
    )
    assert (event.actor_label, event.actor_role, event.source_ip) == (
        "omar",
        "operator",
        "192.0.2.7",
    )
    assert event.reason == "I saw it"
    assert event.payload.message == "Decided by a user. " + unknown_outcomes.THIRD_VALUE.format(
        noun="flow"
    )
    assert (event.payload.before, event.payload.requested) == (
        attempt.payload.before,
        attempt.payload.requested,
    )
    assert not OpenChange.objects.exists()
    assert len(received_writes(sandbox)) == write_count
    assert_chain_intact()


def test_update_was_applied_and_what_came_after_it_is_somebody_elses(edited_since):
    event = decide()

    assert (
        event.payload.after["friendly_name"] == Flow.objects.get().friendly_name == "Plaintes Lyon"
    )
    assert event.payload.after["janitor_enabled"] is False
    assert drift_events() == []
    sync_account(ACCOUNT)
    (drift,) = drift_events()
    assert drift.changed_fields == ["friendly_name", "janitor_enabled"]
    assert drift.payload.before["friendly_name"] == "Plaintes Lyon"
    assert drift.payload.after["friendly_name"] == Flow.objects.get().friendly_name == "Third"


def test_update_was_not_applied_and_what_is_there_is_somebody_elses(edited_since):
    event = decide(applied=False)

    assert (event.result, event.payload.after, event.target_sid) == (
        "not_applied",
        None,
        edited_since,
    )
    assert Flow.objects.get().friendly_name == "Réclamations Lyon"
    sync_account(ACCOUNT)
    assert [drift.payload.before["friendly_name"] for drift in drift_events()] == [
        "Réclamations Lyon"
    ]
    assert [drift.payload.after["friendly_name"] for drift in drift_events()] == ["Third"]


@pytest.mark.parametrize("was_applied", [True, False])
def test_update_of_a_flow_that_is_gone(gone_since, was_applied):
    event = decide(applied=was_applied)

    assert event.target_sid == gone_since
    assert Flow.objects.get().enabled is not was_applied
    sync_account(ACCOUNT)
    assert [(drift.payload.before["enabled"], drift.payload.after) for drift in drift_events()] == [
        (not was_applied, None)
    ]
    assert Flow.objects.get().gone_at is not None


@pytest.mark.parametrize("index", [0, 1])
def test_creation_made_one_of_the_candidates_and_the_other_is_somebody_elses(two_alike, index):
    sid, other = two_alike[index], two_alike[1 - index]

    event = decide(sid=sid)

    assert (event.result, event.target_sid, event.payload.after["sid"]) == ("applied", sid, sid)
    assert Flow.objects.filter(sid=sid).exists()
    sync_account(ACCOUNT)
    assert [(drift.target_sid, drift.payload.before) for drift in drift_events()] == [(other, None)]


def test_creation_made_none_of_the_candidates(two_alike):
    event = decide(applied=False)

    assert (event.result, event.target_sid, event.payload.after) == ("not_applied", "", None)
    sync_account(ACCOUNT)
    assert {drift.target_sid for drift in drift_events()} == set(two_alike)


def test_candidate_that_is_gone_since_may_have_been_the_one(sandbox, two_alike):
    sandbox.remove_flow(two_alike[0])

    event = decide(sid=two_alike[0])

    assert (event.result, event.target_sid, event.payload.after) == ("applied", two_alike[0], None)
    sync_account(ACCOUNT)
    assert [drift.target_sid for drift in drift_events()] == [two_alike[1]]


@pytest.mark.parametrize("of", ["nothing", "another flow", "no flow at all"])
def test_only_a_candidate_can_be_the_one(flow_sid, two_alike, of):
    sid = {"nothing": "", "another flow": flow_sid, "no flow at all": "FO" + "0" * 32}[of]

    with pytest.raises(NotAmbiguous):
        decide(sid=sid)

    assert OpenChange.objects.exists()
    assert not AuditEvent.objects.filter(stage="reconciled").exists()


def test_candidate_that_another_creation_has_been_given_is_none_any_more(sandbox, flow_sid):
    """Two creations with lost responses, and one flow that either may have created."""
    for values in ({}, {"friendly_name": "Second", "contact_identity": "+2"}):
        sandbox.inject(Fault(FaultKind.DROP, method="POST"))
        create_flow(values=values)
    sid = sandbox.add_flow(friendly_name="Edited since")
    assert reconcile.reconcile() == []
    first, second = OpenChange.objects.order_by("attempt")
    assert first.candidates == second.candidates == [sid]
    decide(sid=sid, change=first)

    with pytest.raises(NotAmbiguous):
        decide(sid=sid, change=second)

    assert AuditEvent.objects.filter(action="flow.create", result="applied").count() == 1
    assert decide(applied=False, change=second).result == "not_applied"


def test_deletion_is_never_a_persons_to_decide(sandbox, flow_sid):
    sandbox.inject(Fault(FaultKind.DROP, method="DELETE", times=None))
    delete_flow(flow_sid)
    sandbox.edit_flow(flow_sid, friendly_name="Edited")
    assert reconcile.reconcile() == []

    for was_applied in (True, False):
        with pytest.raises(NotAmbiguous):
            decide(applied=was_applied)

    with clock_ahead():
        assert [event.result for event in reconcile.reconcile()] == ["not_applied"]


@pytest.mark.parametrize("was_applied", [True, False])
def test_what_reading_can_tell_is_not_for_a_person(sandbox, flow_sid, was_applied):
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    rename_flow(flow_sid)

    with pytest.raises(NotAmbiguous):
        decide(applied=was_applied)

    assert [event.result for event in reconcile.reconcile()] == ["applied"]


def test_change_that_is_under_way_is_not_for_a_person(flow_sid):
    append_attempt(flow_sid)

    with pytest.raises(NotAmbiguous):
        decide()


@pytest.mark.parametrize("applied", [True, False])
def test_what_is_decided_stays_decided(edited_since, applied):
    change = OpenChange.objects.select_related("attempt__payload").get()
    decide(change=change)

    with pytest.raises(NotAmbiguous):
        decide(change=change, applied=applied)

    assert AuditEvent.objects.filter(stage="reconciled").count() == 1


def test_puzzle_that_reading_solved_meanwhile_is_not_for_a_person(sandbox, edited_since):
    change = OpenChange.objects.select_related("attempt__payload").get()
    sandbox.edit_flow(edited_since, friendly_name="Plaintes Lyon")
    assert reconcile.reconcile_one(change).result == "applied"

    with pytest.raises(NotAmbiguous):
        decide(change=change, applied=False)


@pytest.mark.django_db(transaction=True)
def test_eight_people_decide_at_once(edited_since):
    change = OpenChange.objects.select_related("attempt__payload").get()

    results = run_concurrently(
        *[lambda number=number: decide(change=change, applied=number % 2) for number in range(8)]
    )

    assert sum(isinstance(result, AuditEvent) for result in results) == 1
    assert all(
        isinstance(result, AuditEvent | AlreadyRecorded | NotAmbiguous) for result in results
    )
    assert AuditEvent.objects.filter(stage="reconciled").count() == 1
    assert_chain_intact()


@pytest.mark.django_db(transaction=True)
def test_decision_that_can_not_go_on_record_decides_nothing(edited_since):
    with read_only_database(), pytest.raises(NotRecorded):
        decide()

    assert OpenChange.objects.get().ambiguity


def test_creation_without_twilio_is_not_decided(sandbox, two_alike):
    sandbox.inject(Fault(FaultKind.SERVER_ERROR, times=None))

    with pytest.raises(FlexError):
        decide(sid=two_alike[0])

    assert OpenChange.objects.get().ambiguity


def test_after_the_decision_the_flow_can_be_changed_again(edited_since):
    with pytest.raises(in_flight.ConcurrentChange):
        rename_flow(edited_since, base=None, values={"enabled": False})

    decide(applied=False)

    assert (
        rename_flow(edited_since, base=None, values={"enabled": False}).event.result == "succeeded"
    )


def test_decision_keeps_what_the_change_refers_to(sandbox, flow_sid):
    sandbox.edit_flow(flow_sid, integration_retry_count=1)
    sync_account(ACCOUNT)
    (drift,) = drift_events()
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    rename_flow(flow_sid, values={"integration_retry_count": 3}, refers_to=drift.event_id)
    sandbox.edit_flow(flow_sid, integration_retry_count=2)
    assert reconcile.reconcile() == []

    assert decide().refers_to == drift.event_id


@pytest.mark.django_db(transaction=True)
def test_decision_while_the_site_looks_again(sandbox, two_alike):
    """The read was under way when the user decided. The decision stays."""
    sandbox.remove_flow(two_alike[1])  # reading now says: one of them was there, and is gone
    sandbox.inject(Fault(FaultKind.DRIP, method="GET", path="/FlexFlows", seconds=60))
    change, read = (
        OpenChange.objects.select_related("attempt__payload").get(),
        len(sandbox.requests),
    )
    looking = BackgroundCall(lambda: reconcile.reconcile_one(change))
    wait_for(lambda: len(sandbox.requests) > read and sandbox.requests[read].status)

    decide(sid=two_alike[0], change=change)

    sandbox.release()
    assert looking.outcome() is None
    assert AuditEvent.objects.get(stage="reconciled").target_sid == two_alike[0]
    assert not OpenChange.objects.exists()
