"""The status of a plan: each event in each status, and events at the same time."""

import pytest
from django.utils import timezone

from flows.plans import consistency
from flows.plans.models import Plan
from flows.plans.status import PlanEvent, PlanStatus, TransitionNotAllowed, change_status
from tests.flows.plans.running import OTHER_LEASE

pytestmark = pytest.mark.django_db
# Written down apart from the product's table. What is not here is refused.
ALLOWED = {
    ("draft", "start"): "running",
    ("stopped", "start"): "running",
    ("running", "restart"): "running",
    ("stopping", "restart"): "running",
    ("running", "request stop"): "stopping",
    ("running", "stop"): "stopped",
    ("stopping", "stop"): "stopped",
    ("running", "finish"): "done",
    ("stopping", "finish"): "done",
}
EVENTS_TO = {
    "draft": [],
    "running": ["start"],
    "stopping": ["start", "request stop"],
    "stopped": ["start", "stop"],
    "done": ["start", "finish"],
}


def make_plan(status):
    """Create a plan and bring it to a status as a site does."""
    Plan.objects.create(title="Turn off 3 flows", created_at=timezone.now())
    for event in EVENTS_TO[status]:
        change_status(Plan.objects.all(), PlanEvent(event))


@pytest.mark.parametrize("status", PlanStatus.values)
@pytest.mark.parametrize("event", [str(event) for event in PlanEvent])
def test_event_in_a_status(status, event):
    make_plan(status)
    before = Plan.objects.values().get()

    if (status, event) in ALLOWED:
        change_status(Plan.objects.all(), PlanEvent(event))
        assert Plan.objects.get().status == ALLOWED[status, event]
    else:
        with pytest.raises(TransitionNotAllowed):
            change_status(Plan.objects.all(), PlanEvent(event))
        assert Plan.objects.values().get() == before
    assert list(consistency.statuses()) == []


def test_every_transition_is_walked():
    assert {status for status, _ in ALLOWED} | {"done"} == set(PlanStatus.values)
    assert {event for _, event in ALLOWED} == set(map(str, PlanEvent))


def test_second_of_two_events_at_the_same_time_is_refused():
    """Both read the plan while it was a draft. The database decides."""
    make_plan("draft")
    first, second = Plan.objects.all(), Plan.objects.all()

    change_status(first, PlanEvent.START)

    with pytest.raises(TransitionNotAllowed):
        change_status(second, PlanEvent.START)


def test_condition_of_the_query_counts():
    make_plan("running")

    with pytest.raises(TransitionNotAllowed):
        change_status(Plan.objects.filter(lease_id=OTHER_LEASE), PlanEvent.FINISH)

    assert Plan.objects.get().status == "running"


def test_restart_clears_what_the_stop_has_set():
    make_plan("stopped")
    Plan.objects.update(stop_reason="Stopped.")

    change_status(Plan.objects.all(), PlanEvent.START)

    plan = Plan.objects.get()
    assert (plan.ended_at, plan.stop_requested_at, plan.stop_reason) == (None, None, "")


@pytest.mark.parametrize("status", PlanStatus.values)
@pytest.mark.parametrize("wrong_status", [*PlanStatus.values, "paused"])
def test_status_that_differs_from_the_times_is_reported(status, wrong_status):
    make_plan(status)
    Plan.objects.update(status=wrong_status)

    has_same_times = {status, wrong_status} <= {"stopped", "done"} or status == wrong_status
    assert bool(list(consistency.statuses())) != has_same_times
