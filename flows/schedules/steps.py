"""Each step of a schedule: its status and its event, in one transaction of the log."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.utils import timezone

from flows.approvals.contents import resource_of
from flows.approvals.models import ChangeRequest
from flows.audit.audit_log import Actor, LogTransaction, Payload
from flows.audit.models import AuditEvent, Result, Stage
from flows.core.time_text import utc_timestamp
from flows.redaction.redacted import redact_fields
from flows.schedules.actions import ScheduleAction
from flows.schedules.models import Schedule
from flows.schedules.schedule_status import TRANSITIONS, ScheduleStatus
from flows.schedules.timing import format_due


class StepNotAllowed(Exception):
    """The schedule has a status that doesn't allow the action."""


def find_schedule(request_id: uuid.UUID) -> Schedule | None:
    """Return the schedule of a request as it is now."""
    return Schedule.objects.select_related("request").filter(request_id=request_id).first()


def move(
    log: LogTransaction,
    schedule: Schedule,
    action: ScheduleAction,
    *,
    actor: Actor,
    message: str = "",
    comment: str = "",
    now: datetime | None = None,
    **values: Any,
) -> AuditEvent:
    """Take a step and append its event. `message` is this site's, and stays as the note.

    `comment` is the user's. Raises `StepNotAllowed`.
    """
    transition, moment = TRANSITIONS[action], now or timezone.now()
    values |= {"status": transition.target, "note": message}
    if action == ScheduleAction.START:
        values["started_at"] = moment
    values["ended_at"] = None if transition.target in _RUNNING else moment
    rows = Schedule.objects.filter(pk=schedule.pk, status__in=transition.sources)
    if not rows.update(**values):
        raise StepNotAllowed(action)
    for name, value in values.items():
        setattr(schedule, name, value)
    return append(log, schedule, action, actor=actor, message=message, comment=comment)


_RUNNING = (ScheduleStatus.WAITING, ScheduleStatus.STARTED)


def append(
    log: LogTransaction,
    schedule: Schedule,
    action: ScheduleAction,
    *,
    actor: Actor,
    message: str = "",
    comment: str = "",
) -> AuditEvent:
    """Append an event of a schedule. The page of its request lists it."""
    request: ChangeRequest = schedule.request
    details = {
        "Schedule": ScheduleStatus(schedule.status).label,
        "Time": format_due(schedule),
        "Not later than": utc_timestamp(schedule.not_later_than),
    }
    state: Mapping[str, Any] = request.before or request.requested or {}
    return log.append(
        action=action,
        stage=Stage.ACCESS,
        result=Result.SUCCEEDED,
        actor=replace(actor, request_id=str(request.pk)),
        account_sid=schedule.account_sid,
        target_sid=request.target_sid,
        reason=comment,
        payload=Payload(
            friendly_name=request.friendly_name,
            contact_identity=resource_of(request).identity_of(state),
            requested=redact_fields(details),
            message=message,
        ),
    )
