"""A bulk change that is scheduled starts at its time, once approved, and its schedule ends with it."""

import pytest

from flows.approvals import bulk_requests
from flows.approvals.models import ChangeRequest
from flows.approvals.request_status import RequestStatus
from flows.availability import restrictions
from flows.schedules.models import Schedule
from flows.schedules.schedule_status import ScheduleStatus
from flows.schedules.services import set_time
from tests.flows.approvals.acting import ANY, actor_of, approve, set_policy, writes
from tests.flows.plans.running import make_plan, run_worker, values_of
from tests.flows.schedules.scheduling import current, due_in, run_at

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def schedule(sandbox, omar, ana, clock) -> Schedule:
    """A bulk change that turns three flows off in one hour, approved."""
    plan = make_plan(sandbox)
    set_policy(ANY)
    request = bulk_requests.submit(plan.pk, reason="Holidays", actor=actor_of(omar))
    approve(request, ana)
    request = ChangeRequest.objects.get()
    return set_time(
        request.pk,
        content_hash=request.content_hash,
        timing=due_in(clock, 1),
        actor=actor_of(omar),
    )


def test_scheduled_bulk_change_is_made_once_at_its_time(sandbox, schedule, clock):
    run_worker()
    assert writes(sandbox) == []

    run_at(clock, hours=1)
    run_at(clock)
    run_worker()

    assert current(schedule).status == ScheduleStatus.DONE
    assert current(schedule).request.status == RequestStatus.DONE
    assert set(values_of(sandbox, "enabled").values()) == {False}
    assert len(writes(sandbox)) == 3


def test_scheduled_bulk_change_of_a_read_only_account_is_suspended(sandbox, schedule, clock, actor):
    restrictions.set_read_only(account_sid="", reason="Holiday", actor=actor)

    run_at(clock, hours=1)
    run_worker()

    assert current(schedule).status == ScheduleStatus.SUSPENDED
    assert writes(sandbox) == []


def test_late_worker_suspends_a_scheduled_bulk_change(sandbox, schedule, clock):
    run_at(clock, hours=1, minutes=16)
    run_worker()

    assert current(schedule).status == ScheduleStatus.SUSPENDED
    assert writes(sandbox) == []


def test_pages_show_the_scheduled_bulk_change(client_of, schedule):
    client = client_of("admin")

    assert "Bulk change of 3 flows" in client.get("/schedules/").content.decode()
    page = client.get(f"/requests/{schedule.request_id}/")
    assert "Europe/Berlin" in page.content.decode()


def test_bulk_change_without_a_policy_is_scheduled_on_its_page(sandbox, client_of, clock, omar):
    client = client_of("operator", "omar")
    plan = make_plan(sandbox)
    page = client.get(f"/flows/plans/{plan.pk}/").content.decode()
    assert 'name="schedule"' in page

    response = client.post(
        f"/flows/plans/{plan.pk}/request/", {"reason": "Holidays", "schedule": "1"}
    )

    request = ChangeRequest.objects.get()
    assert (response.status_code, response["Location"]) == (302, f"/requests/{request.pk}/")
    assert request.status == RequestStatus.APPROVED
    schedule = set_time(
        request.pk,
        content_hash=request.content_hash,
        timing=due_in(clock, 1),
        actor=actor_of(omar),
    )
    run_at(clock, hours=1)
    run_worker()
    assert current(schedule).status == ScheduleStatus.DONE
    assert len(writes(sandbox)) == 3


def test_bulk_change_without_a_policy_is_requested_only_to_schedule_it(sandbox, client_of):
    client = client_of("operator", "omar")
    plan = make_plan(sandbox)

    response = client.post(f"/flows/plans/{plan.pk}/request/", {"reason": "Holidays"})

    assert response.status_code == 409
    assert not ChangeRequest.objects.exists()
