"""Start and stop of bulk changes."""

import pytest
from django.utils import timezone

from flows.audit.audit_log import NotRecorded
from flows.audit.models import AuditEvent
from flows.plans import execution, start_and_stop
from flows.plans.actions import PlanAction
from flows.plans.models import Plan
from tests.faults.acting import (
    SECRET_URL,
    applied_writes,
    clock_ahead,
    dump_tables,
    locked_log,
    received_writes,
)
from tests.flows.plans.running import (
    OTHER_LEASE,
    make_plan,
    run_to_end,
    run_worker,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_start_is_logged_before_anything_is_sent(sandbox, operator_actor):
    plan = make_plan(sandbox)

    start_and_stop.start(plan=plan, reason="because", actor=operator_actor)

    event = AuditEvent.objects.get(action=PlanAction.START)
    assert (event.actor_label, str(event.request_id), event.payload.requested["flows"]) == (
        "operator",
        str(plan.pk),
        3,
    )
    assert received_writes(sandbox) == []


def test_start_that_cannot_be_recorded_sends_nothing(sandbox, operator_actor):
    plan = make_plan(sandbox)

    with locked_log(), pytest.raises(NotRecorded):
        start_and_stop.start(plan=plan, reason="", actor=operator_actor)
    run_worker()

    assert received_writes(sandbox) == []
    assert Plan.objects.get().status == "draft"


def test_plan_is_started_once(sandbox, operator_actor):
    plan = make_plan(sandbox)

    assert start_and_stop.start(plan=plan, reason="", actor=operator_actor)
    assert not start_and_stop.start(plan=plan, reason="", actor=operator_actor)
    run_worker()
    assert not start_and_stop.start(plan=plan, reason="", actor=operator_actor)

    assert len(applied_writes(sandbox)) == 3


def test_stopped_plan_can_be_resumed(sandbox, operator_actor):
    plan = make_plan(sandbox, count=2)
    start_and_stop.start(plan=plan, reason="", actor=operator_actor)
    assert start_and_stop.stop(plan=plan, actor=operator_actor)
    run_worker()
    assert received_writes(sandbox) == []

    assert run_to_end(plan, operator_actor) == ["made", "made"]


def test_stop_leaves_the_remaining_changes_planned(sandbox, operator_actor, monkeypatch):
    plan = make_plan(sandbox, count=5)
    make_change = execution.make_change

    def stop_at_the_second(change, **options):
        result = make_change(change, **options)
        if change.position == 1:
            assert start_and_stop.stop(plan=Plan.objects.get(), actor=operator_actor)
        return result

    monkeypatch.setattr(execution, "make_change", stop_at_the_second)
    states = run_to_end(plan, operator_actor)

    assert states == ["made"] * 2 + ["planned"] * 3
    assert (plan.status, plan.stop_reason) == ("stopped", "Stopped.")
    assert AuditEvent.objects.filter(action=PlanAction.STOP, request_id=plan.pk).count() == 1


def test_stop_without_a_worker_ends_the_plan(sandbox, operator_actor):
    plan = make_plan(sandbox, count=1)
    start_and_stop.start(plan=plan, reason="", actor=operator_actor)
    Plan.objects.update(lease_id=OTHER_LEASE, heartbeat_at=timezone.now())
    assert start_and_stop.stop(plan=plan, actor=operator_actor)
    assert plan.status == "stopping"
    assert not start_and_stop.stop(plan=plan, actor=operator_actor)

    with clock_ahead(minutes=3):
        assert start_and_stop.stop(plan=plan, actor=operator_actor)

    assert plan.status == "stopped"


def test_reason_is_taken_from_the_start(sandbox, operator_actor):
    plan = make_plan(sandbox, count=1)
    Plan.objects.update(reason="the draft's")

    run_to_end(plan, operator_actor, reason="")

    assert {event.reason for event in AuditEvent.objects.filter(request_id=plan.pk)} == {""}


def test_secret_in_the_reason_is_masked(sandbox, operator_actor):
    plan = make_plan(sandbox, count=1)

    run_to_end(plan, operator_actor, reason=f"see {SECRET_URL}")

    assert "canary" not in dump_tables()


def test_plan_whose_worker_died_can_be_started_again(sandbox, operator_actor):
    plan = make_plan(sandbox, count=1)
    start_and_stop.start(plan=plan, reason="", actor=operator_actor)
    Plan.objects.update(lease_id=OTHER_LEASE, heartbeat_at=timezone.now())
    assert not start_and_stop.start(plan=plan, reason="", actor=operator_actor)

    with clock_ahead(minutes=3):
        assert start_and_stop.start(plan=plan, reason="", actor=operator_actor)

    assert (plan.status, plan.lease_id) == ("running", None)


def test_stop_is_not_lost_while_a_worker_takes_the_plan(sandbox, operator_actor, monkeypatch):
    plan = make_plan(sandbox)
    start_and_stop.start(plan=plan, reason="", actor=operator_actor)
    change_status = start_and_stop.change_status

    def take_lease_first(plans, event, **values):
        lease = {"lease_id": OTHER_LEASE, "heartbeat_at": timezone.now()}
        Plan.objects.filter(pk=plan.pk).update(**lease)
        change_status(plans, event, **values)

    monkeypatch.setattr(start_and_stop, "change_status", take_lease_first)

    assert start_and_stop.stop(plan=plan, actor=operator_actor)
    assert Plan.objects.get().status == "stopping"
    assert AuditEvent.objects.filter(action=PlanAction.STOP).count() == 1
