"""Schedules of changes, and a clock that a test moves."""

import uuid
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from flows.approvals.models import ChangeRequest
from flows.audit.models import AuditEvent
from flows.changes.change_guard import ProposedChange
from flows.mirror.models import Flow
from flows.schedules import running, services
from flows.schedules.models import Schedule
from flows.schedules.timing import Timing
from flows.twilio.flex.flex_flow import FLEX_FLOW
from tests import ACCOUNT
from tests.flows.approvals.acting import actor_of

HOUR = timedelta(hours=1)


class Clock:
    """The time as the workers see it."""

    def __init__(self) -> None:
        self.now = timezone.now()

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **delta: float) -> None:
        self.now += timedelta(**delta)


def proposed(user: User, sid: str, operation: str = "update", **values) -> ProposedChange:
    return ProposedChange(
        resource=FLEX_FLOW,
        operation=operation,
        account_sid=ACCOUNT,
        sid=sid,
        parent_sid="",
        before=Flow.objects.get(sid=sid).resource,
        requested=values or None,
        reason="Christmas holidays",
        actor=actor_of(user),
        change_id=uuid.uuid4(),
    )


def due_in(clock: Clock, hours: float, window: int = 15) -> Timing:
    return Timing(due_at=clock.now + hours * HOUR, window=window, time_zone="Europe/Berlin")


def schedule_switch(user: User, sid: str, clock: Clock, *, return_after: float = 0) -> Schedule:
    """Schedule to turn a flow off in one hour, and on again some hours after now."""
    return_timing = due_in(clock, return_after) if return_after else None
    change = proposed(user, sid, enabled=False)
    request = services.schedule_change(change, due_in(clock, 1), return_timing)
    return Schedule.objects.get(request=request)


def set_time(schedule: Schedule, user: User, timing: Timing) -> Schedule:
    request = ChangeRequest.objects.get(pk=schedule.request_id)
    return services.set_time(
        request.pk, content_hash=request.content_hash, timing=timing, actor=actor_of(user)
    )


def return_of(schedule: Schedule) -> Schedule:
    return Schedule.objects.get(return_of=schedule)


def current(schedule: Schedule) -> Schedule:
    return Schedule.objects.select_related("request").get(pk=schedule.pk)


def run_at(clock: Clock, **delta: float) -> None:
    """Let a worker look at the schedules after this time."""
    clock.advance(**delta)
    running.run_due(clock)


def steps_of(schedule: Schedule) -> list[str]:
    """Return the actions of the schedule's and its request's events, in their order."""
    events = AuditEvent.objects.filter(request_id=schedule.request_id).order_by("seq")
    return [f"{event.action} {event.stage}".removesuffix(" access") for event in events]
