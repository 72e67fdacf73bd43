"""The schedules as change requests see them (`flows.approvals.request_schedules`).

A schedule follows its request in the transaction of each step: a request that is suspended suspends
its schedule, and one that has ended ends it.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final

from flows.approvals.actions import RequestAction
from flows.approvals.models import ChangeRequest
from flows.approvals.request_status import RequestStatus
from flows.approvals.transitions import SYSTEM
from flows.approvals.validity import REQUEST_LIFETIME
from flows.audit.audit_log import Actor, LogTransaction
from flows.schedules.actions import ScheduleAction
from flows.schedules.models import Schedule
from flows.schedules.schedule_status import ScheduleStatus
from flows.schedules.services import cancel_return, find_return
from flows.schedules.steps import find_schedule, move

_STARTS: Final = (RequestAction.APPLY, RequestAction.BREAK_GLASS)
_NOT_MADE: Final = (RequestAction.RETURN, RequestAction.SUSPEND, RequestAction.FAIL)
_ENDS: Final = {
    RequestStatus.REJECTED: "The change request was rejected.",
    RequestStatus.CANCELLED: "The change request was cancelled.",
    RequestStatus.EXPIRED: "The change request has expired.",
}
_EDITED: Final = (
    "The change request was edited after it was scheduled. Check it, then set the time again."
)

_FIRST_EDITED: Final = (
    "The first change was edited, so this return no longer fits it. Cancel this request, and edit the "
    "flow again for another return."
)


class ScheduleLink:
    """Implementation of the interface in flows/approvals/request_schedules.py."""

    def is_kept_open(self, request: ChangeRequest, now: datetime) -> bool:
        """Return True until the schedule has ended, and for some time after a suspension."""
        schedule = find_schedule(request.pk)
        if schedule is None:
            return False
        if schedule.status == ScheduleStatus.SUSPENDED and schedule.ended_at:
            return now - schedule.ended_at <= REQUEST_LIFETIME
        return schedule.status in (ScheduleStatus.WAITING, ScheduleStatus.STARTED)

    def earlier_request(self, request: ChangeRequest) -> ChangeRequest | None:
        """Return the request of the first change if this one is its return, or None."""
        schedule = find_schedule(request.pk)
        if schedule is None or schedule.return_of is None:
            return None
        return schedule.return_of.request

    def paired_ids(self, request: ChangeRequest) -> Collection[uuid.UUID]:
        """Return the request of the first change, or of the return."""
        schedule = find_schedule(request.pk)
        if schedule is None:
            return []
        pair = [schedule.return_of, find_return(schedule)]
        return [each.request_id for each in pair if each is not None]

    def waiting_ids(self) -> Iterable[uuid.UUID]:
        """Return the requests that wait for their time, and so for no user."""
        waiting = Schedule.objects.filter(status=ScheduleStatus.WAITING)
        return waiting.values_list("request_id", flat=True)

    def after_step(
        self,
        log: LogTransaction,
        request: ChangeRequest,
        action: RequestAction,
        actor: Actor,
        message: str,
    ) -> None:
        """Update the schedule in the transaction of the step. `request` has its new status."""
        schedule = find_schedule(request.pk)
        if schedule is None:
            return
        if schedule.status == ScheduleStatus.STARTED:
            _follow_started(log, schedule, action, message)
        elif schedule.status == ScheduleStatus.WAITING and action == RequestAction.SUSPEND:
            move(log, schedule, ScheduleAction.SUSPEND, actor=SYSTEM, message=message)
        elif schedule.status == ScheduleStatus.WAITING and action == RequestAction.REVISE:
            move(log, schedule, ScheduleAction.SUSPEND, actor=SYSTEM, message=_EDITED)
            cancel_return(log, schedule, SYSTEM, _FIRST_EDITED)
        elif schedule.status == ScheduleStatus.WAITING and action in _STARTS:
            message = f"{actor.label} applied the change before its time."
            move(log, schedule, ScheduleAction.START, actor=actor, message=message)
        elif schedule.status in (ScheduleStatus.WAITING, ScheduleStatus.SUSPENDED):
            _follow_end(log, schedule, RequestStatus(request.status), action, actor)


def _follow_started(
    log: LogTransaction, schedule: Schedule, action: RequestAction, message: str
) -> None:
    if action == RequestAction.FINISH:
        move(log, schedule, ScheduleAction.FINISH, actor=SYSTEM, message=message)
    elif action in _NOT_MADE:
        move(log, schedule, ScheduleAction.SUSPEND, actor=SYSTEM, message=message)


def _follow_end(
    log: LogTransaction,
    schedule: Schedule,
    status: RequestStatus,
    action: RequestAction,
    actor: Actor,
) -> None:
    """Cancel a schedule whose request has ended, or was applied by a user."""
    if action in _STARTS:
        message = f"The change was applied by {actor.label}, outside its schedule."
        move(log, schedule, ScheduleAction.CANCEL, actor=actor, message=message)
    elif status in _ENDS:
        message = _ENDS[status]
        move(log, schedule, ScheduleAction.CANCEL, actor=actor, message=message)
        cancel_return(log, schedule, actor, f"The first change ended. {message}")
