"""The steps of a schedule that users take: schedule a change, set another time, cancel."""

from __future__ import annotations

import uuid
from typing import Final

from django.utils import timezone

from flows.approvals import requests, validity
from flows.approvals.models import ChangeRequest
from flows.approvals.request_status import RequestStatus
from flows.approvals.requests import ContentChanged
from flows.approvals.transitions import load
from flows.audit import audit_log
from flows.audit.audit_log import Actor, LogTransaction
from flows.changes.change_guard import ProposedChange
from flows.schedules.actions import ScheduleAction
from flows.schedules.models import Schedule
from flows.schedules.returning import build_return
from flows.schedules.schedule_status import ScheduleStatus
from flows.schedules.steps import StepNotAllowed, append, find_schedule, move
from flows.schedules.timing import Timing

SCHEDULABLE: Final = (RequestStatus.IN_REVIEW, RequestStatus.APPROVED)


class WrongOrder(Exception):
    """A return would start before its first change. The message is for users."""


def schedule_change(
    change: ProposedChange, timing: Timing, return_timing: Timing | None = None
) -> ChangeRequest:
    """Make a change request with a schedule, and with a `return_timing` also those of its return.

    Return the first request. The second submission of a form returns what the first made. Raises
    `FormReused`, `NoReturn`, `SecretInRequest` or `NotRecorded`.
    """
    return_change = build_return(change) if return_timing else None
    with audit_log.transaction() as log:
        request = requests.submit_in(log, change)
        if find_schedule(request.pk) is not None:
            return request
        schedule = _create(log, request, timing, change.actor)
        if return_change is not None and return_timing is not None:
            return_request = requests.submit_in(log, return_change)
            _create(log, return_request, return_timing, change.actor, return_of=schedule)
    return validity.review(request.pk)  # the form may have been open while someone changed it


def set_time(request_id: uuid.UUID, *, content_hash: str, timing: Timing, actor: Actor) -> Schedule:
    """Schedule a change request, or set another time. The change is then made with this user's rights.

    Raises `ContentChanged` if the request is not the one that the page showed, `StepNotAllowed`,
    `WrongOrder` or `NotRecorded`.
    """
    with audit_log.transaction() as log:
        request, schedule = load(request_id), find_schedule(request_id)
        if request.status not in SCHEDULABLE:
            raise StepNotAllowed(ScheduleAction.SET)
        if request.content_hash != content_hash:
            raise ContentChanged
        if schedule is None:
            return _create(log, request, timing, actor)
        _check_order(schedule, timing)
        schedule.due_at, schedule.not_later_than = timing.due_at, timing.not_later_than
        schedule.time_zone = timing.time_zone
        move(
            log,
            schedule,
            ScheduleAction.SET,
            actor=actor,
            due_at=timing.due_at,
            not_later_than=timing.not_later_than,
            time_zone=timing.time_zone,
            content_hash=request.content_hash,
            created_by_id=actor.id,
            created_by_label=actor.label[:150],
            set_at=timezone.now(),
            started_at=None,
        )
    return schedule


def cancel(request_id: uuid.UUID, *, actor: Actor, comment: str = "") -> None:
    """Cancel the schedule of a request, and that of its return. The requests stay open.

    Raises `StepNotAllowed` or `NotRecorded`.
    """
    with audit_log.transaction() as log:
        schedule = find_schedule(request_id)
        if schedule is None:
            raise StepNotAllowed(ScheduleAction.CANCEL)
        move(log, schedule, ScheduleAction.CANCEL, actor=actor, comment=comment)
        cancel_return(log, schedule, actor, "The schedule of the first change was cancelled.")


def cancel_return(log: LogTransaction, schedule: Schedule, actor: Actor, message: str) -> None:
    """Cancel the schedule of a change's return, if it has one that is still to come."""
    return_schedule = find_return(schedule)
    if return_schedule is None:
        return
    if return_schedule.status in (ScheduleStatus.WAITING, ScheduleStatus.SUSPENDED):
        move(log, return_schedule, ScheduleAction.CANCEL, actor=actor, message=message)


def find_return(schedule: Schedule) -> Schedule | None:
    """Return the schedule of a change's return, or None."""
    return Schedule.objects.select_related("request").filter(return_of=schedule).first()


def _create(
    log: LogTransaction,
    request: ChangeRequest,
    timing: Timing,
    actor: Actor,
    *,
    return_of: Schedule | None = None,
) -> Schedule:
    schedule = Schedule.objects.create(
        request=request,
        account_sid=request.account_sid,
        due_at=timing.due_at,
        not_later_than=timing.not_later_than,
        time_zone=timing.time_zone,
        content_hash=request.content_hash,
        return_of=return_of,
        created_by_id=actor.id,
        created_by_label=actor.label[:150],
        set_at=timezone.now(),
    )
    append(log, schedule, ScheduleAction.SET, actor=actor)
    return schedule


def _check_order(schedule: Schedule, timing: Timing) -> None:
    """Raise `WrongOrder` unless a change comes before its return, its whole window included."""
    earlier, later = schedule.return_of, find_return(schedule)
    waiting = ScheduleStatus.WAITING
    if earlier and earlier.status == waiting and timing.due_at <= earlier.not_later_than:
        raise WrongOrder("Choose a time after the first change and the minutes it may be late.")
    if later and later.status == waiting and later.due_at <= timing.not_later_than:
        raise WrongOrder("Choose a time before the return, the minutes it may be late included.")
