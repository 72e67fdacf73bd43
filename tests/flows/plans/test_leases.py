"""Leases of bulk changes: one run at a time, and the next one after a run died."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from flows.plans import execution, items, leases, start_and_stop
from flows.plans.models import Plan
from tests.faults.acting import (
    OMAR,
    append_attempt,
    clock_ahead,
    received_writes,
)
from tests.flows.plans.running import OTHER_LEASE, make_plan, run_to_end, run_worker

pytestmark = pytest.mark.django_db(transaction=True)


def test_second_run_does_nothing_while_the_lease_is_held(sandbox, operator_actor):
    plan = make_plan(sandbox, count=1)
    start_and_stop.start(plan=plan, reason="", actor=operator_actor)
    Plan.objects.update(lease_id=OTHER_LEASE, heartbeat_at=timezone.now())

    run_worker()

    assert received_writes(sandbox) == []


def test_dead_run_is_taken_over_after_the_lease(sandbox, operator_actor):
    plan = make_plan(sandbox, count=2)
    start_and_stop.start(plan=plan, reason="", actor=operator_actor)
    assert leases.acquire_lease(plan, OTHER_LEASE)
    execution.run_plan.using(
        run_after=timezone.now() + leases.LEASE_TIMEOUT + timedelta(seconds=5)
    ).enqueue(str(plan.pk))

    run_worker()
    assert received_writes(sandbox) == []
    with clock_ahead(minutes=3):
        run_worker()

    assert [item.status for item in items.plan_items(plan)] == ["made", "made"]


def test_change_whose_worker_died_is_not_sent_again(sandbox, operator_actor):
    plan = make_plan(sandbox, count=2)
    start_and_stop.start(plan=plan, reason="", actor=operator_actor)
    first = plan.changes.first()
    append_attempt(
        first.target_sid,
        change_id=first.change_id,
        changed_fields=["enabled"],
        actor=replace(OMAR, request_id=str(plan.pk)),
    )

    run_worker()

    assert [item.status for item in items.plan_items(plan)] == ["running", "made"]
    assert len(received_writes(sandbox)) == 1


def test_run_that_lost_its_lease_ends_nothing(sandbox, operator_actor, monkeypatch):
    plan = make_plan(sandbox, count=1)
    make_change = execution.make_change

    def lose_the_lease(change, **options):
        Plan.objects.update(lease_id=OTHER_LEASE)
        return make_change(change, **options)

    monkeypatch.setattr(execution, "make_change", lose_the_lease)

    assert run_to_end(plan, operator_actor) == ["made"]
    assert (plan.status, str(plan.lease_id)) == ("running", OTHER_LEASE)


@pytest.mark.parametrize(
    ("status", "seconds", "is_leased", "is_waiting"),
    [
        ("running", 0, False, False),
        ("running", 11, False, True),
        ("stopping", 11, False, True),
        ("running", 119, True, False),
        ("running", 121, True, True),
        ("running", None, False, True),
        ("draft", None, False, False),
        ("stopped", 999, False, False),
        ("done", 999, False, False),
    ],
)
def test_active_plan_without_a_worker_is_waiting_for_one(status, seconds, is_leased, is_waiting):
    heartbeat_at = None if seconds is None else timezone.now() - timedelta(seconds=seconds)
    lease_id = OTHER_LEASE if is_leased else None

    plan = Plan(status=status, heartbeat_at=heartbeat_at, lease_id=lease_id)

    assert leases.is_waiting_for_worker(plan) is is_waiting
