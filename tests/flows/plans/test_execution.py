"""Runs of bulk changes: what they log, and when they end early."""

import traceback
import uuid

import pytest
from django.db import OperationalError
from django_tasks_db.models import DBTaskResult

from flows.audit import audit_log
from flows.audit.audit_log import NotRecorded
from flows.audit.models import AuditEvent
from flows.changes import flow_changes
from flows.checks.models import StoredFinding
from flows.erasure import erasure
from flows.plans import execution, leases, skip_rules, start_and_stop
from flows.plans.actions import PlanAction
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests.faults.acting import (
    SECRET_URL,
    dump_tables,
    received_writes,
)
from tests.flows.plans.running import (
    make_plan,
    run_to_end,
    run_worker,
    values_of,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_each_change_is_logged_under_the_plan(sandbox, operator_actor):
    plan = make_plan(sandbox)

    assert run_to_end(plan, operator_actor) == ["made"] * 3

    events = AuditEvent.objects.filter(request_id=plan.pk).exclude(action=PlanAction.START)
    assert events.filter(stage="outcome", result="succeeded").count() == 3
    assert {event.reason for event in events} == {"because"}
    assert {event.actor_label for event in events} == {"operator"}
    assert set(values_of(sandbox, "enabled").values()) == {False}
    assert (plan.status, plan.stop_reason) == ("done", "")


def test_run_enqueues_the_next_run(sandbox, operator_actor, monkeypatch):
    monkeypatch.setattr(execution, "CHANGES_PER_RUN", 2)
    plan = make_plan(sandbox, count=5)

    assert run_to_end(plan, operator_actor) == ["made"] * 5

    runs = DBTaskResult.objects.filter(task_path__endswith="run_plan")
    assert runs.filter(status="SUCCESSFUL").count() == 3


def test_plan_stops_when_its_user_loses_the_permission(sandbox, operator_actor, operator_user):
    plan = make_plan(sandbox, count=2)
    start_and_stop.start(plan=plan, reason="", actor=operator_actor)
    operator_user.groups.clear()

    run_worker()

    plan.refresh_from_db()
    assert (plan.status, plan.stop_reason) == (
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
    start_and_stop.start(plan=plan, reason="", actor=operator_actor)

    def refuse(_log, **_event):
        raise NotRecorded("the audit log cannot be written")

    monkeypatch.setattr(audit_log.LogTransaction, "append", refuse)
    run_worker()

    plan.refresh_from_db()
    assert plan.stop_reason == "Couldn't write to the audit log. Nothing more was sent."
    assert received_writes(sandbox) == []


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

    assert (states, plan.status) == (["skipped", "planned"], "stopped")
    assert plan.stop_reason.startswith("Internal error on one flow.")
    assert "canary" not in dump_tables()
    assert run_to_end(plan, operator_actor) == ["skipped", "made"]


@pytest.mark.parametrize("failing", ["_mark_processed", "PlanRun._end"])
def test_database_failure_after_an_internal_error_does_not_bring_its_message_along(
    sandbox, operator_actor, monkeypatch, failing
):
    """The queue stores the whole chain of errors that ended a task."""
    plan = make_plan(sandbox, count=2)
    start_and_stop.start(plan=plan, reason="", actor=operator_actor)
    lease_id = uuid.uuid4()
    leases.acquire_lease(plan, lease_id)

    def fail(error):
        def raise_error(*_args, **_kwargs):
            raise error

        return raise_error

    monkeypatch.setattr(execution, "make_change", fail(ValueError(SECRET_URL)))
    monkeypatch.setattr(f"flows.plans.execution.{failing}", fail(OperationalError("locked")))
    with pytest.raises(OperationalError) as stored:
        execution.PlanRun(plan, lease_id).run()

    assert "canary" not in "".join(traceback.format_exception(stored.value))


def test_flow_erased_during_the_run_is_not_sent(sandbox, operator_actor, monkeypatch):
    plan = make_plan(sandbox, count=2, kind="retry_count", value=2, integration_retry_count=3)
    make_change, second = execution.make_change, plan.changes.last()

    def erase_the_second(change, **options):
        result = make_change(change, **options)
        if change.pk != second.pk:
            erasure.erase(sid=second.target_sid, actor=operator_actor)
        return result

    monkeypatch.setattr(execution, "make_change", erase_the_second)

    assert run_to_end(plan, operator_actor) == ["made", "skipped"]
    assert plan.changes.last().skip_reason == skip_rules.DATA_ERASED


def test_bulk_change_makes_findings_clear(sandbox, operator_actor):
    plan = make_plan(sandbox, channel_type="web", contact_identity="store-1")
    run_worker()
    of_rule = StoredFinding.objects.filter(rule_id="two-flows-on-for-one-identity")
    sids = set(of_rule.values_list("sid", flat=True))
    assert len(sids) == 3

    assert run_to_end(plan, operator_actor) == ["made"] * 3

    assert not of_rule.exists()
    events = AuditEvent.objects.filter(
        action="finding.cleared", payload__requested__Rule="two-flows-on-for-one-identity"
    )
    assert set(events.values_list("target_sid", flat=True)) == sids
