"""Making the changes whose time has come, each once, with the rights of the user who scheduled it.

The start is one transaction: the status of the schedule, that of the request, and both events. A
worker that dies before it leaves a schedule that waits. After it, the log tells whether something was
sent: the request ends by its rules (`validity.settle`), and the schedule follows it.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone

from flows.accounts.permissions import active_user, role_of
from flows.approvals import applying, validity
from flows.approvals.models import ChangeRequest
from flows.approvals.request_status import RequestStatus
from flows.approvals.requests import ContentChanged, NotPermitted
from flows.approvals.transitions import SYSTEM, TransitionNotAllowed
from flows.audit import audit_log
from flows.audit.audit_log import Actor, LogTransaction, NotRecorded
from flows.audit.models import APPLIED_RESULTS, Result, Stage
from flows.core.database import close_lost_connection
from flows.core.time_text import utc_timestamp
from flows.schedules.actions import ScheduleAction
from flows.schedules.models import Schedule
from flows.schedules.schedule_status import ScheduleStatus
from flows.schedules.steps import find_schedule, move

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]
SETTLE_DELAY: Final = timedelta(seconds=30)  # a change that was started before is looked at


class NotDue(Exception):
    """Another worker has started the schedule, or it has another time now."""


class WindowPassed(Exception):
    """It is later than the schedule allows."""


def run_due(clock: Clock = timezone.now) -> None:
    """Make the changes that are due, and end those whose worker has died.

    An error of one is logged, and doesn't hold up the others.
    """
    due = Schedule.objects.filter(status=ScheduleStatus.WAITING, due_at__lte=clock())
    for request_id in list(due.order_by("due_at").values_list("request_id", flat=True)):
        _run_safely(run, request_id, clock)
    started = Schedule.objects.filter(
        status=ScheduleStatus.STARTED, started_at__lte=clock() - SETTLE_DELAY
    )
    for request_id in list(started.values_list("request_id", flat=True)):
        _run_safely(settle, request_id, clock)


def run(request_id: uuid.UUID, clock: Clock = timezone.now) -> None:
    """Make the change of a schedule that is due, or suspend it with the reason.

    Nothing happens if it isn't due, or if another worker has it.
    """
    schedule = find_schedule(request_id)
    if schedule is None or not _is_due(schedule, clock()):
        return
    user = active_user(schedule.created_by_id)
    reason = _find_obstacle(schedule, user, clock()) or _apply(schedule, user, clock)
    if reason:
        _suspend(schedule, reason)


def settle(request_id: uuid.UUID, _clock: Clock = timezone.now) -> None:
    """End a started schedule if the log has the outcome, or if nothing was sent for too long."""
    request = ChangeRequest.objects.get(pk=request_id)
    event = audit_log.latest_event(request.change_id)
    if event is not None and (event.stage == Stage.ATTEMPT or event.result == Result.UNKNOWN):
        return  # reconciliation finds its outcome
    validity.review(request_id)


def _is_due(schedule: Schedule, now: datetime) -> bool:
    return schedule.status == ScheduleStatus.WAITING and schedule.due_at <= now


def _find_obstacle(schedule: Schedule, user: Any, now: datetime) -> str:
    """Return why the change can't even be tried, or ""."""
    if now > schedule.not_later_than:
        return _describe_window(schedule)
    if user is None:
        return f"{schedule.created_by_label}, who scheduled it, can no longer sign in."
    if not applying.may_apply(user, schedule.request):
        return f"The role of {schedule.created_by_label}, who scheduled it, can't make this change."
    earlier = schedule.return_of
    if earlier is not None and earlier.request.status != RequestStatus.DONE:
        status = RequestStatus(earlier.request.status).label.lower()
        return f"The first change is not done. Its request is {status}."
    if earlier is not None and not _was_sent(earlier.request):
        return (
            "The first change sent nothing, because Twilio had its values already. Check if they are "
            "to stay. If not, apply this request."
        )
    return ""


def _was_sent(request: ChangeRequest) -> bool:
    """Return False if a request is done because someone else had set its values."""
    if request.plan is not None:
        return True
    event = audit_log.latest_event(request.change_id)
    return event is not None and event.result in APPLIED_RESULTS


def _apply(schedule: Schedule, user: Any, clock: Clock) -> str:
    """Send the change. Return why it didn't start, or "".

    What happens after the start is recorded with the request, and the schedule follows it.
    """
    actor = Actor(
        id=schedule.created_by_id,
        label=schedule.created_by_label,
        role=role_of(user, schedule.account_sid),
    )

    def claim(log: LogTransaction) -> None:
        current, now = find_schedule(schedule.request_id), clock()
        if current is None or current.set_at != schedule.set_at or not _is_due(current, now):
            raise NotDue
        if now > current.not_later_than:
            raise WindowPassed
        move(log, current, ScheduleAction.START, actor=actor, now=now)

    try:
        applying.apply(
            schedule.request_id,
            content_hash=schedule.content_hash,
            user=user,
            actor=actor,
            before_start=claim,
        )
    except NotDue:
        return ""
    except WindowPassed:
        return _describe_window(schedule)
    except ContentChanged:
        return "The change request is not as it was when it was scheduled."
    except NotPermitted as refusal:
        return str(refusal)
    except TransitionNotAllowed:
        return _describe_status(schedule.request_id)
    return ""


def _suspend(schedule: Schedule, reason: str) -> None:
    """Suspend a schedule that still waits for the same time."""
    with audit_log.transaction() as log:
        current = find_schedule(schedule.request_id)
        if current is None or current.status != ScheduleStatus.WAITING:
            return
        if current.set_at == schedule.set_at:
            move(log, current, ScheduleAction.SUSPEND, actor=SYSTEM, message=reason)


def _describe_window(schedule: Schedule) -> str:
    return (
        f"It was not started by {utc_timestamp(schedule.not_later_than)}, the latest time allowed. "
        "Nothing was sent."
    )


def _describe_status(request_id: uuid.UUID) -> str:
    request = ChangeRequest.objects.get(pk=request_id)
    if request.status == RequestStatus.IN_REVIEW:
        return "The change request has too few valid approvals."
    return f"The change request is {request.get_status_display().lower()}."


def _run_safely(
    step: Callable[[uuid.UUID, Clock], None], request_id: uuid.UUID, clock: Clock
) -> None:
    try:
        step(request_id, clock)
    except NotRecorded:
        close_lost_connection()
        logger.error("the audit log can't be written: a scheduled change waits for the next look")
    except Exception as error:  # noqa: BLE001 - the others are due all the same
        close_lost_connection()
        # Only the type: a database's message can quote the row.
        logger.error("a scheduled change failed: %s", type(error).__name__)
