"""Schedules as pages show them: of a request, of a flow, and the calendar of a month."""

from __future__ import annotations

import calendar
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.utils import timezone

from flows.accounts import twilio_accounts
from flows.accounts.twilio_accounts import Account, Scope
from flows.approvals.models import ChangeRequest
from flows.approvals.reading import describe
from flows.approvals.request_status import RequestStatus
from flows.core import local_days
from flows.schedules.models import PUNCTUALITY, Schedule
from flows.schedules.schedule_status import ScheduleStatus
from flows.schedules.timing import format_due

MAX_LISTED: Final = 500
SHAPES: Final = {
    ScheduleStatus.WAITING: "on",
    ScheduleStatus.STARTED: "busy",
    ScheduleStatus.DONE: "good",
    ScheduleStatus.SUSPENDED: "doubt",
    ScheduleStatus.CANCELLED: "none",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One schedule with its words."""

    schedule: Schedule
    account: Account | None = None  # if the page shows several

    @property
    def text(self) -> str:
        return describe(self.schedule.request)

    @property
    def due(self) -> str:
        return format_due(self.schedule)

    @property
    def is_of_other_zone(self) -> bool:
        """Return True if the time was chosen in another zone than the user's."""
        return self.schedule.time_zone != timezone.get_current_timezone_name()

    @property
    def shape(self) -> str:
        return "bad" if self.schedule.is_overdue else SHAPES[ScheduleStatus(self.schedule.status)]

    @property
    def status(self) -> str:
        """The status in words, also what holds it up."""
        if self.schedule.is_overdue:
            return "Overdue"
        return ScheduleStatus(self.schedule.status).label

    @property
    def lacks_approval(self) -> bool:
        is_waiting = self.schedule.status == ScheduleStatus.WAITING
        return is_waiting and self.schedule.request.status == RequestStatus.IN_REVIEW


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the month's table, and the number of its schedules that weren't cancelled."""

    day: date
    number: int
    is_in_month: bool
    is_today: bool


def visible_schedules(scope: Scope) -> QuerySet[Schedule]:
    """Return the schedules of the accounts, with their requests, in the order of their times."""
    rows = Schedule.objects.select_related("request").order_by("due_at", "pk")
    return twilio_accounts.filter_scope(rows, scope)


def needing_attention(scope: Scope) -> QuerySet[Schedule]:
    """Return the schedules that are suspended, and those that no worker has started in time."""
    overdue = Q(status=ScheduleStatus.WAITING, due_at__lt=timezone.now() - PUNCTUALITY)
    return visible_schedules(scope).filter(Q(status=ScheduleStatus.SUSPENDED) | overdue)


def upcoming_changes(flow_sid: str) -> list[Row]:
    """Return the scheduled changes of a flow, and those that are suspended, the next first."""
    statuses = (ScheduleStatus.WAITING, ScheduleStatus.STARTED, ScheduleStatus.SUSPENDED)
    rows = visible_schedules(None).filter(request__target_sid=flow_sid, status__in=statuses)
    return [Row(each) for each in rows[:MAX_LISTED]]


def find_pair(request: ChangeRequest) -> dict[str, Schedule | None]:
    """Return the schedules of the change before this return, and of this change's return."""
    schedules = Schedule.objects.select_related("request")
    own = schedules.filter(request=request).first()
    if own is None:
        return {"earlier": None, "later": None}
    return {
        "earlier": schedules.filter(return_schedule=own).first(),
        "later": schedules.filter(return_of=own).first(),
    }


def load_month(schedules: QuerySet[Schedule], first: date) -> list[Schedule]:
    """Return the schedules of a month of the user's time zone."""
    zone = timezone.get_current_timezone()
    start = local_days.start_of_day(first, zone)
    end = local_days.start_of_day(next_month(first), zone)
    return list(schedules.filter(due_at__gte=start, due_at__lt=end)[:MAX_LISTED])


def next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def previous_month(first: date) -> date:
    return (first - timedelta(days=1)).replace(day=1)


def by_day(rows: Sequence[Row]) -> list[tuple[date, list[Row]]]:
    """Return the rows by the day of the user's time zone, in the order of time."""
    days: defaultdict[date, list[Row]] = defaultdict(list)
    for row in rows:
        days[local_days.day_of(row.schedule.due_at)].append(row)
    return sorted(days.items())


def build_weeks(first: date, days: Sequence[tuple[date, list[Row]]]) -> list[list[Day]]:
    """Return the weeks of a month, Monday first."""
    numbers: dict[date, int] = {
        day: sum(row.schedule.status != ScheduleStatus.CANCELLED for row in rows)
        for day, rows in days
    }
    today = local_days.today()
    return [
        [Day(day, numbers.get(day, 0), day.month == first.month, day == today) for day in week]
        for week in calendar.Calendar().monthdatescalendar(first.year, first.month)
    ]


def rows_of(schedules: Sequence[Schedule], accounts: dict[str, Account]) -> list[Row]:
    return [Row(each, accounts.get(each.account_sid)) for each in schedules]


def request_context(request: ChangeRequest) -> dict[str, Any]:
    """Return the schedule of a request for its page, and those that are paired with it."""
    schedule = Schedule.objects.select_related("request").filter(request=request).first()
    pair = find_pair(request)
    return {
        "row": Row(schedule) if schedule else None,
        "earlier": Row(pair["earlier"]) if pair["earlier"] else None,
        "later": Row(pair["later"]) if pair["later"] else None,
    }
