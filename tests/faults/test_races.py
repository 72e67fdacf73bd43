"""Concurrent changes: a form posted twice, two users at one flow, and events between two steps."""

import uuid

import pytest

from flows.audit import audit_log
from flows.audit.audit_log import AlreadyRecorded
from flows.changes import reconcile
from flows.changes.flow_changes import Change, Conflict, NothingToChange
from flows.changes.in_flight import ConcurrentChange
from flows.mirror import mirror
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.twilio.errors import RequestRefused
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import (
    OMAR,
    VERBS,
    BackgroundCall,
    append_attempt,
    applied_writes,
    assert_chain_intact,
    create_flow,
    delete_flow,
    drift_events,
    own_events,
    own_stages,
    received_writes,
    rename_flow,
    run_concurrently,
    switch_flow,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.quick]

every_verb = pytest.mark.parametrize("act", VERBS.values(), ids=VERBS)
every_verb_of_a_flow = pytest.mark.parametrize("act", [rename_flow, switch_flow, delete_flow])


@pytest.fixture
def after_reading(monkeypatch):
    """Call a function once, between a change's read of the flow and its next step."""

    def arrange(act):
        fetch = mirror.fetch

        def fetch_and_act(*args, **kwargs):
            monkeypatch.setattr(mirror, "fetch", fetch)
            try:
                return fetch(*args, **kwargs)
            finally:
                act()

        monkeypatch.setattr(mirror, "fetch", fetch_and_act)

    return arrange


def seen(sid):
    return Flow.objects.get(sid=sid).resource


@every_verb
def test_form_posted_eight_times_at_once_is_one_call(sandbox, flow_sid, act):
    change_id, base = uuid.uuid4(), seen(flow_sid)
    more = {"base": base} if act is rename_flow else {}

    results = run_concurrently(*[lambda: act(flow_sid, change_id=change_id, **more)] * 8)

    assert len(received_writes(sandbox)) == 1
    assert [type(result) for result in results].count(Change) == 1
    refused_results = [result for result in results if not isinstance(result, Change)]
    assert all(isinstance(result, AlreadyRecorded | NothingToChange) for result in refused_results)
    assert own_stages() == [("attempt", "pending"), ("outcome", "succeeded")]
    assert_chain_intact(2)


@every_verb
def test_form_posted_again_while_the_call_hangs(sandbox, flow_sid, act):
    change_id = uuid.uuid4()
    sandbox.inject(
        Fault(FaultKind.HANG, method="DELETE" if act is delete_flow else "POST", times=9)
    )
    first = BackgroundCall(lambda: act(flow_sid, change_id=change_id))
    assert sandbox.wait_until_held()

    with pytest.raises(AlreadyRecorded) as raised:
        act(flow_sid, change_id=change_id)

    assert raised.value.event.stage == "attempt"
    assert len(received_writes(sandbox)) == 1
    sandbox.clear_faults()
    sandbox.release()
    assert isinstance(first.outcome(), Change)


@every_verb_of_a_flow
@pytest.mark.parametrize("second", [rename_flow, switch_flow, delete_flow])
def test_second_change_of_a_flow_is_refused_while_one_hangs(sandbox, flow_sid, act, second):
    sandbox.inject(
        Fault(FaultKind.HANG, method="DELETE" if act is delete_flow else "POST", times=9)
    )
    first = BackgroundCall(lambda: act(flow_sid))
    assert sandbox.wait_until_held()

    with pytest.raises(ConcurrentChange) as raised:
        second(flow_sid)

    assert raised.value.event == own_events().get()
    assert len(received_writes(sandbox)) == 1
    sandbox.clear_faults()
    sandbox.release()
    assert isinstance(first.outcome(), Change)


def test_eight_people_rename_one_flow_at_once(sandbox, flow_sid):
    base = seen(flow_sid)
    names = [f"Name {number}" for number in range(8)]

    results = run_concurrently(*[
        lambda name=name: rename_flow(flow_sid, base=base, values={"friendly_name": name}) for name in names
    ])  # fmt: skip

    (winner,) = [result for result in results if isinstance(result, Change)]
    assert all(isinstance(result, Change | ConcurrentChange | Conflict) for result in results)
    assert len(applied_writes(sandbox)) == 1
    assert (
        sandbox.flows[flow_sid]["friendly_name"]
        == winner.after["friendly_name"]
        == seen(flow_sid)["friendly_name"]
    )
    assert_chain_intact()


def test_eight_people_change_eight_flows_at_once(sandbox, flow_sid):
    sids = [sandbox.add_flow() for _ in range(8)]
    sync_account(ACCOUNT)

    results = run_concurrently(
        *[lambda sid=sid: rename_flow(sid, values={"friendly_name": sid}) for sid in sids]
    )

    assert [result.event.result for result in results] == ["succeeded"] * 8
    assert [sandbox.flows[sid]["friendly_name"] for sid in sids] == sids
    assert_chain_intact(16)


def test_flow_that_we_changed_since_it_was_read_is_not_overwritten(
    sandbox, flow_sid, after_reading
):
    base = seen(flow_sid)
    after_reading(lambda: rename_flow(flow_sid, base=base, values={"friendly_name": "First"}))

    with pytest.raises(ConcurrentChange):
        rename_flow(flow_sid, base=base, values={"friendly_name": "Second"})

    assert sandbox.flows[flow_sid]["friendly_name"] == "First"
    with pytest.raises(Conflict):
        rename_flow(flow_sid, base=base, values={"friendly_name": "Second"})
    assert len(received_writes(sandbox)) == 1


def test_flow_that_we_renamed_since_it_was_read_is_not_deleted(sandbox, flow_sid, after_reading):
    after_reading(lambda: rename_flow(flow_sid))

    with pytest.raises(ConcurrentChange):
        delete_flow(flow_sid)

    assert flow_sid in sandbox.flows


@every_verb_of_a_flow
def test_replay_whose_read_fails_does_not_settle_the_attempt_of_the_first(
    sandbox, flow_sid, after_reading, act
):
    """Otherwise a change in progress would be recorded as failed."""
    change_id = uuid.uuid4()
    sandbox.inject(Fault(FaultKind.REFUSE, method="GET", status=401, code=20003))
    after_reading(lambda: append_attempt(flow_sid, change_id=change_id))

    with pytest.raises(AlreadyRecorded) as raised:
        act(flow_sid, change_id=change_id)

    assert isinstance(raised.value.__context__, RequestRefused)
    assert own_stages() == [("attempt", "pending")]
    assert received_writes(sandbox) == []


def test_replay_that_finds_a_conflict_does_not_settle_the_attempt_of_the_first(
    sandbox, flow_sid, after_reading
):
    change_id, base = uuid.uuid4(), seen(flow_sid)
    sandbox.edit_flow(flow_sid, friendly_name="Theirs")
    after_reading(lambda: append_attempt(flow_sid, change_id=change_id))

    with pytest.raises(AlreadyRecorded):
        rename_flow(flow_sid, base=base, change_id=change_id)

    assert own_stages() == [("attempt", "pending")]


def test_delete_replay_that_finds_a_conflict_does_not_settle_the_first(
    sandbox, flow_sid, after_reading
):
    change_id = uuid.uuid4()
    sandbox.edit_flow(flow_sid, friendly_name="Theirs")
    after_reading(lambda: append_attempt(flow_sid, change_id=change_id))

    with pytest.raises(AlreadyRecorded):
        delete_flow(flow_sid, change_id=change_id)

    assert own_stages() == [("attempt", "pending")]


@every_verb_of_a_flow
def test_attempt_after_a_replay_was_recorded_as_failed_is_not_sent(
    sandbox, flow_sid, after_reading, act
):
    change_id = uuid.uuid4()
    after_reading(lambda: audit_log.append(
        action="flow.update", stage="outcome", result="failed", actor=OMAR, change_id=change_id,
        target_sid=flow_sid, starts_change=True,
    ))  # fmt: skip

    with pytest.raises(AlreadyRecorded):
        act(flow_sid, change_id=change_id)

    assert own_stages() == [("outcome", "failed")]
    assert received_writes(sandbox) == []


@pytest.mark.parametrize("act", [rename_flow, delete_flow])
def test_conflict_found_eight_times_at_once_is_recorded_once(sandbox, flow_sid, act):
    change_id = uuid.uuid4()
    more = {"base": seen(flow_sid)} if act is rename_flow else {}
    sandbox.edit_flow(flow_sid, friendly_name="Theirs")

    results = run_concurrently(*[lambda: act(flow_sid, change_id=change_id, **more)] * 8)

    kinds = [type(result) for result in results]
    assert (kinds.count(Conflict), kinds.count(AlreadyRecorded)) == (1, 7)
    assert own_stages() == [("outcome", "conflict")]
    assert received_writes(sandbox) == []
    assert_chain_intact(1)


def test_create_with_an_id_used_by_another_kind_of_change(sandbox, flow_sid):
    change_id = uuid.uuid4()
    switch_flow(flow_sid, change_id=change_id)

    with pytest.raises(AlreadyRecorded):
        create_flow(change_id=change_id)

    assert len(received_writes(sandbox)) == 1


def test_outcome_that_comes_after_it_was_reconciled_is_recorded(sandbox, flow_sid):
    """The process was suspended for longer than a reconciliation takes."""
    change_id = uuid.uuid4()
    sandbox.inject(Fault(FaultKind.HANG, method="POST"))
    change = BackgroundCall(lambda: rename_flow(flow_sid, change_id=change_id))
    assert sandbox.wait_until_held()
    append_attempt(flow_sid, stage="reconciled", result="not_applied", change_id=change_id)

    sandbox.release()

    assert change.outcome().event.result == "unknown"
    assert [stage for stage, _ in own_stages()] == ["attempt", "reconciled", "outcome"]
    assert_chain_intact(3)


def test_edit_of_another_field_between_our_reading_and_our_writing_is_found(
    sandbox, flow_sid, after_reading
):
    after_reading(lambda: sandbox.edit_flow(flow_sid, integration_retry_count=1))

    change = rename_flow(flow_sid)

    (event,) = drift_events()
    assert (event.target_sid, event.changed_fields) == (flow_sid, ["integration_retry_count"])
    assert event.seq > change.event.seq
    assert event.payload.before["friendly_name"] == "Plaintes Lyon"
    assert event.payload.after == seen(flow_sid)
    assert not sync_account(ACCOUNT).has_changes
    assert drift_events() == [event]


def test_edit_of_another_field_while_our_answer_is_lost_is_found(sandbox, flow_sid, after_reading):
    after_reading(lambda: sandbox.edit_flow(flow_sid, integration_retry_count=1))
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    rename_flow(flow_sid)

    (settled,) = reconcile.reconcile()

    assert (settled.result, settled.payload.before["integration_retry_count"]) == ("applied", 3)
    assert [event.changed_fields for event in drift_events()] == [["integration_retry_count"]]
    assert not sync_account(ACCOUNT).has_changes
    assert len(drift_events()) == 1


def test_integration_of_another_type_is_ours_as_a_whole(sandbox, flow_sid):
    """Fields that Twilio drops or sets for a new type are not an external edit."""
    rename_flow(
        flow_sid,
        values={"integration_type": "external", "integration_url": "https://hooks.example.com/in"},
    )

    assert "integration_flow_sid" not in seen(flow_sid)
    assert drift_events() == []


def test_deletion_between_our_reading_and_our_writing_is_found(sandbox, flow_sid, after_reading):
    after_reading(lambda: sandbox.remove_flow(flow_sid))

    assert rename_flow(flow_sid).event.result == "failed"

    (event,) = drift_events()
    assert (event.payload.before["friendly_name"], event.payload.after) == (
        "Réclamations Lyon",
        None,
    )


@pytest.mark.parametrize("act", [rename_flow, delete_flow])
def test_second_change_does_not_wait_for_the_first_ones_drift(sandbox, flow_sid, act):
    """Drift is not our change, so a base read before it was recorded is valid."""
    sandbox.edit_flow(flow_sid, integration_retry_count=1)

    assert act(flow_sid).event.result == "succeeded"

    assert len(drift_events()) == 1
