"""An erasure of personal data reaches the schedule: its reason is erased, and nothing is sent."""

import pytest

from flows.erasure import erasure
from flows.schedules.models import Schedule
from flows.schedules.schedule_status import ScheduleStatus
from tests.flows.approvals.acting import writes
from tests.flows.schedules.scheduling import current, run_at

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_change_whose_content_was_erased_is_suspended(sandbox, schedule, flow_sid, actor, clock):
    erasure.erase(actor=actor, sid=flow_sid)

    run_at(clock, hours=1)

    suspended = current(schedule)
    assert suspended.status == ScheduleStatus.SUSPENDED
    assert suspended.note == "The change request is not as it was when it was scheduled."
    assert writes(sandbox) == []


def test_a_reason_that_names_the_identity_is_erased(schedule, actor):
    Schedule.objects.update(note="+33199000123 is in use by another flow.")

    erasure.erase(actor=actor, identity="+33199000123")

    assert current(schedule).note == ""
