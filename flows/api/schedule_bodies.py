"""Schedules as the API shows them, alone and as a part of their change requests."""

from __future__ import annotations

import uuid
from typing import Any

from ninja import Schema

from flows.approvals.reading import describe
from flows.schedules.models import Schedule
from flows.schedules.schedule_status import ScheduleStatus


class ScheduleBody(Schema):
    """The schedule of a change request. `note` says why it is suspended or cancelled.

    `return_of` is the change request that it takes back, null for none.
    """

    status: ScheduleStatus
    due_at: str
    not_later_than: str
    time_zone: str
    scheduled_by: str
    started_at: str | None
    ended_at: str | None
    is_overdue: bool
    note: str
    return_of: str | None


class ListedSchedule(ScheduleBody):
    """A schedule in a list, with its change request."""

    request: str
    summary: str
    account_sid: str
    sid: str
    friendly_name: str


def schedule_body(schedule: Schedule) -> dict[str, Any]:
    return {
        "status": schedule.status,
        "due_at": schedule.due_at,
        "not_later_than": schedule.not_later_than,
        "time_zone": schedule.time_zone,
        "scheduled_by": schedule.created_by_label,
        "started_at": schedule.started_at,
        "ended_at": schedule.ended_at,
        "is_overdue": schedule.is_overdue,
        "note": schedule.note,
        "return_of": schedule.return_of.request_id if schedule.return_of else None,
    }


def listed_schedule(schedule: Schedule) -> dict[str, Any]:
    request = schedule.request
    return {
        **schedule_body(schedule),
        "request": request.pk,
        "summary": describe(request),
        "account_sid": request.account_sid,
        "sid": request.target_sid,
        "friendly_name": request.friendly_name,
    }


def find_schedule_body(request_id: uuid.UUID) -> dict[str, Any] | None:
    """Return the schedule of a change request, or None."""
    rows = Schedule.objects.select_related("return_of").filter(request_id=request_id)
    return next(map(schedule_body, rows), None)
