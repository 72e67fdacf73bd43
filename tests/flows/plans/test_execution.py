"""Carrying out: each planned change is a change like any other, made at most once, by one turn at a time."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from flows.audit.audit_log import Actor, NotRecorded
from flows.audit.models import AuditEvent
from flows.changes import flow_changes, reconcile
from flows.erasure import erasure
from flows.mirror import mirror
from flows.mirror.models import Flow
from flows.plans import drafts, execution, follow_ups, import_draft
from flows.plans.drafts import BulkAction
from flows.plans.import_draft import ImportEntry
from flows.plans.models import Plan
from flows.twilio.flex.flex_flow import from_response
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import (
    SECRET_URL,
    append_attempt,
    applied_writes,
    clock_ahead,
    dump_tables,
    locked_log,
    received_writes,
)

pytestmark = pytest.mark.django_db(transaction=True)


NEW_FLOW = {
    "friendly_name": "New",
    "chat_service_sid": "IS" + "2" * 32,
    "channel_type": "web",
    "integration_type": "studio",
    "integration_flow_sid": "FW" + "3" * 32,
}


@pytest.fixture
def operator(person):
    return person("operator")


@pytest.fixture
def me(operator):
    return Actor(id=str(operator.pk), label="operator", role="operator", source_ip="192.0.2.7")


def a_plan(sandbox, count=3, kind="disable", value=None, **fields):
    for number in range(count):
        sandbox.add_flow(friendly_name=f"Flow {number:03}", **{"enabled": True, **fields})
    mirror.sync(ACCOUNT)
    return drafts.plan_bulk_action(
        ask=BulkAction(kind, value),
        sids=Flow.objects.order_by("name_folded").values_list("sid", flat=True),
        made_by="omar",
    )


def work():
    """What a worker does until nothing is ready."""
    call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)
    assert not DBTaskResult.objects.filter(status="FAILED").exists(), DBTaskResult.objects.get(
        status="FAILED"
    ).traceback


def carried_out(plan, me, reason="because"):
    assert execution.start(plan=plan, reason=reason, actor=me)
    work()
    plan.refresh_from_db()
    return [fate.state for fate in execution.plan_items(plan)]


def values_of(sandbox, name):
    return {sid: from_response(flow).get(name) for sid, flow in sandbox.flows.items()}


def test_each_change_is_on_record_under_the_plan(sandbox, me):
    plan = a_plan(sandbox)

    assert carried_out(plan, me) == ["made"] * 3

    events = AuditEvent.objects.filter(request_id=plan.pk).exclude(action=execution.START_ACTION)
    assert events.filter(stage="outcome", result="succeeded").count() == 3
    assert {event.reason for event in events} == {"because"}
    assert {event.actor_label for event in events} == {"operator"}
    assert set(values_of(sandbox, "enabled").values()) == {False}
    assert (plan.state, plan.ended_because) == ("done", "")


def test_start_is_on_record_before_anything_is_sent(sandbox, me):
    plan = a_plan(sandbox)

    execution.start(plan=plan, reason="because", actor=me)

    event = AuditEvent.objects.get(action=execution.START_ACTION)
    assert (event.actor_label, str(event.request_id), event.payload.requested["flows"]) == (
        "operator",
        str(plan.pk),
        3,
    )
    assert received_writes(sandbox) == []


def test_start_that_cannot_be_recorded_sends_nothing(sandbox, me):
    plan = a_plan(sandbox)

    with locked_log(), pytest.raises(NotRecorded):
        execution.start(plan=plan, reason="", actor=me)
    work()

    assert received_writes(sandbox) == []
    assert Plan.objects.get().state == "draft"


def test_plan_is_started_once(sandbox, me):
    plan = a_plan(sandbox)

    assert execution.start(plan=plan, reason="", actor=me)
    assert not execution.start(plan=plan, reason="", actor=me)
    work()
    assert not execution.start(plan=plan, reason="", actor=me)

    assert len(applied_writes(sandbox)) == 3


def test_flow_that_was_changed_meanwhile_is_left_alone(sandbox, me):
    plan = a_plan(sandbox, kind="retry_count", value=2, integration_retry_count=3)
    touched = plan.changes.first().target_sid
    sandbox.edit_flow(touched, integration_retry_count=0)

    assert sorted(carried_out(plan, me)) == ["conflict", "made", "made"]

    assert values_of(sandbox, "integration_retry_count")[touched] == 0


def test_flow_that_is_as_asked_for_meanwhile_is_skipped(sandbox, me):
    plan = a_plan(sandbox, count=1)
    sandbox.edit_flow(plan.changes.get().target_sid, enabled=False)

    assert carried_out(plan, me) == ["skipped"]

    assert plan.changes.get().skipped == "Already set when its turn came."


def test_flow_with_another_change_under_way_is_skipped(sandbox, me):
    plan = a_plan(sandbox, count=1)
    execution.start(plan=plan, reason="", actor=me)
    append_attempt(plan.changes.get().target_sid)

    work()

    assert plan.changes.get().skipped.startswith("Another change to this flow")
    assert received_writes(sandbox) == []


def test_stop_leaves_the_rest_and_it_can_be_gone_on_with(sandbox, me, monkeypatch):
    plan = a_plan(sandbox, count=5)
    make = execution._PlanRun.make_change

    def stop_at_the_second(turn, change):
        make(turn, change)
        if change.place == 1:
            assert execution.stop(plan=Plan.objects.get(), actor=me)

    monkeypatch.setattr(execution._PlanRun, "make_change", stop_at_the_second)
    states = carried_out(plan, me)

    assert states == ["made"] * 2 + ["planned"] * 3
    assert (plan.state, plan.ended_because) == ("stopped", "Stopped.")
    assert AuditEvent.objects.filter(action=execution.STOP_ACTION, request_id=plan.pk).count() == 1


def test_stopped_plan_goes_on(sandbox, me):
    plan = a_plan(sandbox, count=2)
    execution.start(plan=plan, reason="", actor=me)
    assert execution.stop(plan=plan, actor=me)
    work()
    assert received_writes(sandbox) == []

    assert carried_out(plan, me) == ["made", "made"]


def test_turn_hands_on_to_the_next(sandbox, me, monkeypatch):
    monkeypatch.setattr(execution, "CHANGES_PER_RUN", 2)
    plan = a_plan(sandbox, count=5)

    assert carried_out(plan, me) == ["made"] * 5

    assert DBTaskResult.objects.filter(status="SUCCESSFUL").count() == 3


def test_second_turn_keeps_away_while_one_is_alive(sandbox, me):
    plan = a_plan(sandbox, count=1)
    execution.start(plan=plan, reason="", actor=me)
    Plan.objects.update(runner="12345678-1234-4234-8234-123456789012", alive_at=timezone.now())

    work()

    assert received_writes(sandbox) == []


def test_dead_turn_is_taken_over_later(sandbox, me):
    plan = a_plan(sandbox, count=2)
    execution.start(plan=plan, reason="", actor=me)
    turn = "12345678-1234-4234-8234-123456789012"
    assert execution._acquire_lease(plan, turn)
    execution.run_plan.using(
        run_after=timezone.now() + execution.LEASE_TIMEOUT + timedelta(seconds=5)
    ).enqueue(str(plan.pk))

    work()
    assert received_writes(sandbox) == []
    with clock_ahead(minutes=3):
        work()

    assert [fate.state for fate in execution.plan_items(plan)] == ["made", "made"]


def test_change_whose_worker_died_is_not_sent_again(sandbox, me):
    plan = a_plan(sandbox, count=2)
    execution.start(plan=plan, reason="", actor=me)
    first = plan.changes.first()
    append_attempt(first.target_sid, change_id=first.change_id, changed_fields=["enabled"])

    work()

    assert [fate.state for fate in execution.plan_items(plan)] == ["running", "made"]
    assert len(received_writes(sandbox)) == 1


def test_person_who_may_not_any_more_ends_the_plan(sandbox, me, operator):
    plan = a_plan(sandbox, count=2)
    execution.start(plan=plan, reason="", actor=me)
    operator.groups.clear()

    work()

    plan.refresh_from_db()
    assert (plan.state, plan.ended_because) == (
        "stopped",
        "operator no longer has permission to make these changes.",
    )
    assert received_writes(sandbox) == []


def test_twilio_that_does_not_answer_ends_the_plan(sandbox, me):
    plan = a_plan(sandbox, count=execution.MAX_CONSECUTIVE_FAILURES + 2)
    sandbox.inject(Fault(kind=FaultKind.SERVER_ERROR, method="GET", times=None))

    states = carried_out(plan, me)

    assert states == ["failed"] * execution.MAX_CONSECUTIVE_FAILURES + ["planned"] * 2
    assert plan.ended_because == "Twilio refused or did not answer for 5 flows in a row."


def test_log_that_cannot_be_written_ends_the_plan(sandbox, me, monkeypatch):
    plan = a_plan(sandbox, count=2)
    execution.start(plan=plan, reason="", actor=me)

    def refuse(**_said):
        raise NotRecorded("the audit log cannot be written")

    monkeypatch.setattr(flow_changes.audit_log, "append", refuse)
    work()

    plan.refresh_from_db()
    assert plan.ended_because == "Couldn't write to the audit log. Nothing more was sent."
    assert received_writes(sandbox) == []


def test_way_back_is_exact_for_every_kind(sandbox, me):
    plan = a_plan(sandbox, kind="webhook_host", value="new.example.com:8443", integration_type="external",
                  integration_url=SECRET_URL)  # fmt: skip
    before = values_of(sandbox, "integration_url")

    assert carried_out(plan, me) == ["made"] * 3
    assert all(
        "new.example.com:8443" in url and "canary" in url
        for url in values_of(sandbox, "integration_url").values()
    )
    back = follow_ups.plan_rollback(plan=plan, made_by="omar")
    assert carried_out(back, me) == ["made"] * 3

    assert values_of(sandbox, "integration_url") == before
    assert "canary" not in dump_tables()
    assert back.undoes == plan
    undone = AuditEvent.objects.filter(request_id=back.pk, stage="outcome").values_list(
        "refers_to", flat=True
    )
    made = AuditEvent.objects.filter(request_id=plan.pk, stage="outcome").values_list(
        "event_id", flat=True
    )
    assert set(undone) == set(made)


def test_way_back_of_a_deletion_makes_the_flow_anew(sandbox, me):
    plan = a_plan(sandbox, count=2, kind="delete")
    before = [from_response(flow)["friendly_name"] for flow in sandbox.flows.values()]

    carried_out(plan, me)
    assert sandbox.flows == {}
    carried_out(follow_ups.plan_rollback(plan=plan, made_by="omar"), me)

    assert sorted(
        from_response(flow)["friendly_name"] for flow in sandbox.flows.values()
    ) == sorted(before)


def test_way_back_of_a_creation_deletes_it(sandbox, me):
    sid = sandbox.add_flow()
    values = from_response(sandbox.flows[sid])
    entry = ImportEntry(
        values={
            name: values[name] for name in ("friendly_name", "chat_service_sid", "channel_type")
        }
    )
    plan = import_draft.plan_import(entries=[entry], made_by="omar")

    assert carried_out(plan, me) == ["made"]
    assert len(sandbox.flows) == 2
    assert carried_out(follow_ups.plan_rollback(plan=plan, made_by="omar"), me) == ["made"]

    assert len(sandbox.flows) == 1


def test_way_back_leaves_out_what_is_not_known(sandbox, me):
    plan = a_plan(sandbox, count=1)
    sandbox.inject(Fault(kind=FaultKind.APPLY_THEN_DROP, method="POST"))
    assert carried_out(plan, me) == ["unknown"]

    back = follow_ups.plan_rollback(plan=plan, made_by="omar")

    assert back.changes.get().skipped.startswith("Unknown outcome")
    reconcile.reconcile()
    assert [fate.state for fate in execution.plan_items(plan)] == ["made"]
    assert follow_ups.plan_rollback(plan=plan, made_by="omar").changes.get().asked == {
        "enabled": True
    }


def test_field_that_was_not_set_before_is_left_to_a_person(sandbox, me):
    plan = a_plan(sandbox, count=1, kind="retry_count", value=2, integration_retry_count=None)
    assert carried_out(plan, me) == ["made"]

    change = follow_ups.plan_rollback(plan=plan, made_by="omar").changes.get()

    assert (
        change.skipped
        == "Had no retry count before, but Twilio may not allow clearing it. Change it manually."
    )


def test_rest_is_what_was_not_made(sandbox, me):
    plan = a_plan(sandbox, count=3)
    refused = plan.changes.first().target_sid
    sandbox.inject(
        Fault(
            kind=FaultKind.REFUSE,
            method="POST",
            path=f"/FlexFlows/{refused}",
            status=400,
            code=20001,
        )
    )
    assert sorted(carried_out(plan, me)) == ["failed", "made", "made"]

    rest = follow_ups.plan_retry(plan=plan, made_by="omar")

    assert [change.target_sid for change in rest.changes.all()] == [refused]
    assert carried_out(rest, me) == ["made"]


def test_refusal_of_everything_ends_the_plan(sandbox, me):
    plan = a_plan(sandbox, count=execution.MAX_CONSECUTIVE_FAILURES + 2)
    sandbox.inject(Fault(kind=FaultKind.REFUSE, status=401, code=20003, times=None))

    states = carried_out(plan, me)

    assert states == ["failed"] * execution.MAX_CONSECUTIVE_FAILURES + ["planned"] * 2


def test_error_of_our_own_ends_the_plan_and_is_not_met_again(sandbox, me, monkeypatch):
    plan = a_plan(sandbox, count=2)
    update = flow_changes.update_flow

    def fail_at_the_first(*, sid, **said):
        if sid == plan.changes.first().target_sid:
            raise ValueError(SECRET_URL)
        return update(sid=sid, **said)

    monkeypatch.setattr(flow_changes, "update_flow", fail_at_the_first)
    states = carried_out(plan, me)

    assert (states, plan.state) == (["skipped", "planned"], "stopped")
    assert plan.ended_because.startswith("Internal error on one flow.")
    assert "canary" not in dump_tables()
    assert carried_out(plan, me) == ["skipped", "made"]


def test_rest_leaves_what_was_not_begun_to_the_plan_itself(sandbox, me):
    entries = [
        ImportEntry(values={**NEW_FLOW, "friendly_name": f"New {number}"}) for number in range(2)
    ]
    plan = import_draft.plan_import(entries=entries, made_by="omar")
    execution.start(plan=plan, reason="", actor=me)
    execution.stop(plan=plan, actor=me)

    assert not follow_ups.plan_retry(plan=plan, made_by="omar").changes.exists()


def test_failed_creation_that_is_tried_twice_is_made_once(sandbox, me):
    plan = import_draft.plan_import(entries=[ImportEntry(values=NEW_FLOW)], made_by="omar")
    sandbox.inject(Fault(kind=FaultKind.REFUSE, method="POST", status=400, code=20001))
    assert carried_out(plan, me) == ["failed"]
    again, once_more = (follow_ups.plan_retry(plan=plan, made_by="omar") for _ in range(2))

    assert [carried_out(again, me), carried_out(once_more, me)] == [["made"], ["skipped"]]

    assert len(sandbox.flows) == 1


def test_what_is_undone_is_not_undone_again(sandbox, me):
    plan = a_plan(sandbox, count=1, kind="delete", enabled=False)
    carried_out(plan, me)
    first, second = (follow_ups.plan_rollback(plan=plan, made_by="omar") for _ in range(2))

    assert [carried_out(first, me), carried_out(second, me)] == [["made"], ["skipped"]]

    assert len(sandbox.flows) == 1
    assert (
        follow_ups.plan_rollback(plan=plan, made_by="omar").changes.get().skipped
        == execution.ALREADY_ROLLED_BACK
    )


def test_flow_that_is_erased_meanwhile_is_not_sent(sandbox, me, monkeypatch):
    plan = a_plan(sandbox, count=2, kind="retry_count", value=2, integration_retry_count=3)
    make, second = execution._PlanRun.make_change, plan.changes.last()

    def erase_the_second(turn, change):
        why = make(turn, change)
        if change.pk != second.pk:
            erasure.erase(sid=second.target_sid, actor=me)
        return why

    monkeypatch.setattr(execution._PlanRun, "make_change", erase_the_second)

    assert carried_out(plan, me) == ["made", "skipped"]
    assert plan.changes.last().skipped == execution.DATA_ERASED


def test_secret_in_the_reason_is_masked(sandbox, me):
    plan = a_plan(sandbox, count=1)

    carried_out(plan, me, reason=f"see {SECRET_URL}")

    assert "canary" not in dump_tables()


def test_reason_is_the_one_of_the_start(sandbox, me):
    plan = a_plan(sandbox, count=1)
    Plan.objects.update(reason="somebody else's")

    carried_out(plan, me, reason="")

    assert {event.reason for event in AuditEvent.objects.filter(request_id=plan.pk)} == {""}


def test_flow_that_was_touched_is_not_deleted(sandbox, me):
    plan = a_plan(sandbox, count=1, kind="delete")
    sandbox.edit_flow(plan.changes.get().target_sid, contact_identity="+15550199")

    assert carried_out(plan, me) == ["conflict"]

    assert len(sandbox.flows) == 1


def test_stop_without_a_worker_ends_it_however_often(sandbox, me):
    plan = a_plan(sandbox, count=1)
    execution.start(plan=plan, reason="", actor=me)
    Plan.objects.update(runner="12345678-1234-4234-8234-123456789012", alive_at=timezone.now())
    assert execution.stop(plan=plan, actor=me)
    assert plan.state == "stopping"
    assert not execution.stop(plan=plan, actor=me)

    with clock_ahead(minutes=3):
        assert execution.stop(plan=plan, actor=me)

    assert plan.state == "stopped"
