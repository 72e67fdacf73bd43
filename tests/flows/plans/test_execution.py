"""Runs of bulk changes: each change is made at most once, by one run at a time."""

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
def operator_actor(operator):
    return Actor(id=str(operator.pk), label="operator", role="operator", source_ip="192.0.2.7")


def make_plan(sandbox, count=3, kind="disable", value=None, **fields):
    for number in range(count):
        sandbox.add_flow(friendly_name=f"Flow {number:03}", **{"enabled": True, **fields})
    mirror.sync(ACCOUNT)
    return drafts.plan_bulk_action(
        action=BulkAction(kind, value),
        sids=Flow.objects.order_by("name_folded").values_list("sid", flat=True),
        created_by="omar",
    )


def run_worker():
    """Run the worker until no task is ready."""
    call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)
    assert not DBTaskResult.objects.filter(status="FAILED").exists(), DBTaskResult.objects.get(
        status="FAILED"
    ).traceback


def run_to_end(plan, operator_actor, reason="because"):
    assert execution.start(plan=plan, reason=reason, actor=operator_actor)
    run_worker()
    plan.refresh_from_db()
    return [item.state for item in execution.plan_items(plan)]


def values_of(sandbox, name):
    return {sid: from_response(flow).get(name) for sid, flow in sandbox.flows.items()}


def test_each_change_is_logged_under_the_plan(sandbox, operator_actor):
    plan = make_plan(sandbox)

    assert run_to_end(plan, operator_actor) == ["made"] * 3

    events = AuditEvent.objects.filter(request_id=plan.pk).exclude(action=execution.START_ACTION)
    assert events.filter(stage="outcome", result="succeeded").count() == 3
    assert {event.reason for event in events} == {"because"}
    assert {event.actor_label for event in events} == {"operator"}
    assert set(values_of(sandbox, "enabled").values()) == {False}
    assert (plan.state, plan.stop_reason) == ("done", "")


def test_start_is_logged_before_anything_is_sent(sandbox, operator_actor):
    plan = make_plan(sandbox)

    execution.start(plan=plan, reason="because", actor=operator_actor)

    event = AuditEvent.objects.get(action=execution.START_ACTION)
    assert (event.actor_label, str(event.request_id), event.payload.requested["flows"]) == (
        "operator",
        str(plan.pk),
        3,
    )
    assert received_writes(sandbox) == []


def test_start_that_cannot_be_recorded_sends_nothing(sandbox, operator_actor):
    plan = make_plan(sandbox)

    with locked_log(), pytest.raises(NotRecorded):
        execution.start(plan=plan, reason="", actor=operator_actor)
    run_worker()

    assert received_writes(sandbox) == []
    assert Plan.objects.get().state == "draft"


def test_plan_is_started_once(sandbox, operator_actor):
    plan = make_plan(sandbox)

    assert execution.start(plan=plan, reason="", actor=operator_actor)
    assert not execution.start(plan=plan, reason="", actor=operator_actor)
    run_worker()
    assert not execution.start(plan=plan, reason="", actor=operator_actor)

    assert len(applied_writes(sandbox)) == 3


def test_flow_changed_since_the_draft_is_a_conflict(sandbox, operator_actor):
    plan = make_plan(sandbox, kind="retry_count", value=2, integration_retry_count=3)
    changed_sid = plan.changes.first().target_sid
    sandbox.edit_flow(changed_sid, integration_retry_count=0)

    assert sorted(run_to_end(plan, operator_actor)) == ["conflict", "made", "made"]

    assert values_of(sandbox, "integration_retry_count")[changed_sid] == 0


def test_flow_that_already_has_the_value_is_skipped(sandbox, operator_actor):
    plan = make_plan(sandbox, count=1)
    sandbox.edit_flow(plan.changes.get().target_sid, enabled=False)

    assert run_to_end(plan, operator_actor) == ["skipped"]

    assert plan.changes.get().skip_reason == "Already set when its turn came."


def test_flow_with_another_change_in_progress_is_skipped(sandbox, operator_actor):
    plan = make_plan(sandbox, count=1)
    execution.start(plan=plan, reason="", actor=operator_actor)
    append_attempt(plan.changes.get().target_sid)

    run_worker()

    assert plan.changes.get().skip_reason.startswith("Another change to this flow")
    assert received_writes(sandbox) == []


def test_stop_leaves_the_remaining_changes_planned(sandbox, operator_actor, monkeypatch):
    plan = make_plan(sandbox, count=5)
    make = execution._PlanRun.make_change

    def stop_at_the_second(run, change):
        make(run, change)
        if change.position == 1:
            assert execution.stop(plan=Plan.objects.get(), actor=operator_actor)

    monkeypatch.setattr(execution._PlanRun, "make_change", stop_at_the_second)
    states = run_to_end(plan, operator_actor)

    assert states == ["made"] * 2 + ["planned"] * 3
    assert (plan.state, plan.stop_reason) == ("stopped", "Stopped.")
    assert AuditEvent.objects.filter(action=execution.STOP_ACTION, request_id=plan.pk).count() == 1


def test_stopped_plan_can_be_resumed(sandbox, operator_actor):
    plan = make_plan(sandbox, count=2)
    execution.start(plan=plan, reason="", actor=operator_actor)
    assert execution.stop(plan=plan, actor=operator_actor)
    run_worker()
    assert received_writes(sandbox) == []

    assert run_to_end(plan, operator_actor) == ["made", "made"]


def test_run_enqueues_the_next_run(sandbox, operator_actor, monkeypatch):
    monkeypatch.setattr(execution, "CHANGES_PER_RUN", 2)
    plan = make_plan(sandbox, count=5)

    assert run_to_end(plan, operator_actor) == ["made"] * 5

    assert DBTaskResult.objects.filter(status="SUCCESSFUL").count() == 3


def test_second_run_does_nothing_while_the_lease_is_held(sandbox, operator_actor):
    plan = make_plan(sandbox, count=1)
    execution.start(plan=plan, reason="", actor=operator_actor)
    Plan.objects.update(
        lease_id="12345678-1234-4234-8234-123456789012", heartbeat_at=timezone.now()
    )

    run_worker()

    assert received_writes(sandbox) == []


def test_dead_run_is_taken_over_after_the_lease(sandbox, operator_actor):
    plan = make_plan(sandbox, count=2)
    execution.start(plan=plan, reason="", actor=operator_actor)
    lease_id = "12345678-1234-4234-8234-123456789012"
    assert execution._acquire_lease(plan, lease_id)
    execution.run_plan.using(
        run_after=timezone.now() + execution.LEASE_TIMEOUT + timedelta(seconds=5)
    ).enqueue(str(plan.pk))

    run_worker()
    assert received_writes(sandbox) == []
    with clock_ahead(minutes=3):
        run_worker()

    assert [item.state for item in execution.plan_items(plan)] == ["made", "made"]


def test_change_whose_worker_died_is_not_sent_again(sandbox, operator_actor):
    plan = make_plan(sandbox, count=2)
    execution.start(plan=plan, reason="", actor=operator_actor)
    first = plan.changes.first()
    append_attempt(first.target_sid, change_id=first.change_id, changed_fields=["enabled"])

    run_worker()

    assert [item.state for item in execution.plan_items(plan)] == ["running", "made"]
    assert len(received_writes(sandbox)) == 1


def test_plan_stops_when_its_user_loses_the_permission(sandbox, operator_actor, operator):
    plan = make_plan(sandbox, count=2)
    execution.start(plan=plan, reason="", actor=operator_actor)
    operator.groups.clear()

    run_worker()

    plan.refresh_from_db()
    assert (plan.state, plan.stop_reason) == (
        "stopped",
        "operator no longer has permission to make these changes.",
    )
    assert received_writes(sandbox) == []


def test_plan_stops_when_twilio_does_not_answer(sandbox, operator_actor):
    plan = make_plan(sandbox, count=execution.MAX_CONSECUTIVE_FAILURES + 2)
    sandbox.inject(Fault(kind=FaultKind.SERVER_ERROR, method="GET", times=None))

    states = run_to_end(plan, operator_actor)

    assert states == ["failed"] * execution.MAX_CONSECUTIVE_FAILURES + ["planned"] * 2
    assert plan.stop_reason == "Twilio refused or did not answer for 5 flows in a row."


def test_plan_stops_when_the_log_cannot_be_written(sandbox, operator_actor, monkeypatch):
    plan = make_plan(sandbox, count=2)
    execution.start(plan=plan, reason="", actor=operator_actor)

    def refuse(**_event):
        raise NotRecorded("the audit log cannot be written")

    monkeypatch.setattr(flow_changes.audit_log, "append", refuse)
    run_worker()

    plan.refresh_from_db()
    assert plan.stop_reason == "Couldn't write to the audit log. Nothing more was sent."
    assert received_writes(sandbox) == []


def test_rollback_restores_the_exact_values(sandbox, operator_actor):
    plan = make_plan(sandbox, kind="webhook_host", value="new.example.com:8443", integration_type="external",
                  integration_url=SECRET_URL)  # fmt: skip
    before = values_of(sandbox, "integration_url")

    assert run_to_end(plan, operator_actor) == ["made"] * 3
    assert all(
        "new.example.com:8443" in url and "canary" in url
        for url in values_of(sandbox, "integration_url").values()
    )
    rollback = follow_ups.plan_rollback(plan=plan, created_by="omar")
    assert run_to_end(rollback, operator_actor) == ["made"] * 3

    assert values_of(sandbox, "integration_url") == before
    assert "canary" not in dump_tables()
    assert rollback.rollback_of == plan
    rolled_back = AuditEvent.objects.filter(request_id=rollback.pk, stage="outcome").values_list(
        "refers_to", flat=True
    )
    applied = AuditEvent.objects.filter(request_id=plan.pk, stage="outcome").values_list(
        "event_id", flat=True
    )
    assert set(rolled_back) == set(applied)


def test_rollback_of_a_deletion_creates_the_flow_again(sandbox, operator_actor):
    plan = make_plan(sandbox, count=2, kind="delete")
    before = [from_response(flow)["friendly_name"] for flow in sandbox.flows.values()]

    run_to_end(plan, operator_actor)
    assert sandbox.flows == {}
    run_to_end(follow_ups.plan_rollback(plan=plan, created_by="omar"), operator_actor)

    assert sorted(
        from_response(flow)["friendly_name"] for flow in sandbox.flows.values()
    ) == sorted(before)


def test_rollback_of_a_creation_deletes_the_flow(sandbox, operator_actor):
    sid = sandbox.add_flow()
    values = from_response(sandbox.flows[sid])
    entry = ImportEntry(
        values={
            name: values[name] for name in ("friendly_name", "chat_service_sid", "channel_type")
        }
    )
    plan = import_draft.plan_import(entries=[entry], created_by="omar")

    assert run_to_end(plan, operator_actor) == ["made"]
    assert len(sandbox.flows) == 2
    assert run_to_end(follow_ups.plan_rollback(plan=plan, created_by="omar"), operator_actor) == [
        "made"
    ]

    assert len(sandbox.flows) == 1


def test_rollback_skips_an_unknown_outcome(sandbox, operator_actor):
    plan = make_plan(sandbox, count=1)
    sandbox.inject(Fault(kind=FaultKind.APPLY_THEN_DROP, method="POST"))
    assert run_to_end(plan, operator_actor) == ["unknown"]

    rollback = follow_ups.plan_rollback(plan=plan, created_by="omar")

    assert rollback.changes.get().skip_reason.startswith("Unknown outcome")
    reconcile.reconcile()
    assert [item.state for item in execution.plan_items(plan)] == ["made"]
    assert follow_ups.plan_rollback(plan=plan, created_by="omar").changes.get().requested == {
        "enabled": True
    }


def test_rollback_skips_a_field_that_had_no_value(sandbox, operator_actor):
    plan = make_plan(sandbox, count=1, kind="retry_count", value=2, integration_retry_count=None)
    assert run_to_end(plan, operator_actor) == ["made"]

    change = follow_ups.plan_rollback(plan=plan, created_by="omar").changes.get()

    assert (
        change.skip_reason
        == "Had no retry count before, but Twilio may not allow clearing it. Change it manually."
    )


def test_retry_has_the_failed_changes(sandbox, operator_actor):
    plan = make_plan(sandbox, count=3)
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
    assert sorted(run_to_end(plan, operator_actor)) == ["failed", "made", "made"]

    retry = follow_ups.plan_retry(plan=plan, created_by="omar")

    assert [change.target_sid for change in retry.changes.all()] == [refused]
    assert run_to_end(retry, operator_actor) == ["made"]


def test_plan_stops_when_twilio_refuses_everything(sandbox, operator_actor):
    plan = make_plan(sandbox, count=execution.MAX_CONSECUTIVE_FAILURES + 2)
    sandbox.inject(Fault(kind=FaultKind.REFUSE, status=401, code=20003, times=None))

    states = run_to_end(plan, operator_actor)

    assert states == ["failed"] * execution.MAX_CONSECUTIVE_FAILURES + ["planned"] * 2


def test_internal_error_stops_the_plan_and_is_not_retried(sandbox, operator_actor, monkeypatch):
    plan = make_plan(sandbox, count=2)
    update = flow_changes.update_flow

    def fail_at_the_first(*, sid, **options):
        if sid == plan.changes.first().target_sid:
            raise ValueError(SECRET_URL)
        return update(sid=sid, **options)

    monkeypatch.setattr(flow_changes, "update_flow", fail_at_the_first)
    states = run_to_end(plan, operator_actor)

    assert (states, plan.state) == (["skipped", "planned"], "stopped")
    assert plan.stop_reason.startswith("Internal error on one flow.")
    assert "canary" not in dump_tables()
    assert run_to_end(plan, operator_actor) == ["skipped", "made"]


def test_retry_leaves_out_changes_that_were_not_started(sandbox, operator_actor):
    entries = [
        ImportEntry(values={**NEW_FLOW, "friendly_name": f"New {number}"}) for number in range(2)
    ]
    plan = import_draft.plan_import(entries=entries, created_by="omar")
    execution.start(plan=plan, reason="", actor=operator_actor)
    execution.stop(plan=plan, actor=operator_actor)

    assert not follow_ups.plan_retry(plan=plan, created_by="omar").changes.exists()


def test_failed_creation_with_two_retries_is_made_once(sandbox, operator_actor):
    plan = import_draft.plan_import(entries=[ImportEntry(values=NEW_FLOW)], created_by="omar")
    sandbox.inject(Fault(kind=FaultKind.REFUSE, method="POST", status=400, code=20001))
    assert run_to_end(plan, operator_actor) == ["failed"]
    first_retry, second_retry = (
        follow_ups.plan_retry(plan=plan, created_by="omar") for _ in range(2)
    )

    assert [run_to_end(first_retry, operator_actor), run_to_end(second_retry, operator_actor)] == [
        ["made"],
        ["skipped"],
    ]

    assert len(sandbox.flows) == 1


def test_change_is_rolled_back_only_once(sandbox, operator_actor):
    plan = make_plan(sandbox, count=1, kind="delete", enabled=False)
    run_to_end(plan, operator_actor)
    first, second = (follow_ups.plan_rollback(plan=plan, created_by="omar") for _ in range(2))

    assert [run_to_end(first, operator_actor), run_to_end(second, operator_actor)] == [
        ["made"],
        ["skipped"],
    ]

    assert len(sandbox.flows) == 1
    assert (
        follow_ups.plan_rollback(plan=plan, created_by="omar").changes.get().skip_reason
        == execution.ALREADY_ROLLED_BACK
    )


def test_flow_erased_during_the_run_is_not_sent(sandbox, operator_actor, monkeypatch):
    plan = make_plan(sandbox, count=2, kind="retry_count", value=2, integration_retry_count=3)
    make, second = execution._PlanRun.make_change, plan.changes.last()

    def erase_the_second(run, change):
        skip_reason = make(run, change)
        if change.pk != second.pk:
            erasure.erase(sid=second.target_sid, actor=operator_actor)
        return skip_reason

    monkeypatch.setattr(execution._PlanRun, "make_change", erase_the_second)

    assert run_to_end(plan, operator_actor) == ["made", "skipped"]
    assert plan.changes.last().skip_reason == execution.DATA_ERASED


def test_secret_in_the_reason_is_masked(sandbox, operator_actor):
    plan = make_plan(sandbox, count=1)

    run_to_end(plan, operator_actor, reason=f"see {SECRET_URL}")

    assert "canary" not in dump_tables()


def test_reason_is_taken_from_the_start(sandbox, operator_actor):
    plan = make_plan(sandbox, count=1)
    Plan.objects.update(reason="somebody else's")

    run_to_end(plan, operator_actor, reason="")

    assert {event.reason for event in AuditEvent.objects.filter(request_id=plan.pk)} == {""}


def test_flow_changed_since_the_draft_is_not_deleted(sandbox, operator_actor):
    plan = make_plan(sandbox, count=1, kind="delete")
    sandbox.edit_flow(plan.changes.get().target_sid, contact_identity="+15550199")

    assert run_to_end(plan, operator_actor) == ["conflict"]

    assert len(sandbox.flows) == 1


def test_stop_without_a_worker_ends_the_plan(sandbox, operator_actor):
    plan = make_plan(sandbox, count=1)
    execution.start(plan=plan, reason="", actor=operator_actor)
    Plan.objects.update(
        lease_id="12345678-1234-4234-8234-123456789012", heartbeat_at=timezone.now()
    )
    assert execution.stop(plan=plan, actor=operator_actor)
    assert plan.state == "stopping"
    assert not execution.stop(plan=plan, actor=operator_actor)

    with clock_ahead(minutes=3):
        assert execution.stop(plan=plan, actor=operator_actor)

    assert plan.state == "stopped"
