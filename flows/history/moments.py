"""Moments that a user can ask about, and the place in the log that each of them is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db.models import Max
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from flows.audit.models import AuditDay, AuditEvent
from flows.core import local_days

# A date, with a time or without, with a zone or without.
_MOMENT_PATTERN: Final = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)?)?", re.ASCII
)
DEFAULT_SPAN: Final = timedelta(days=7)  # of a comparison of two moments
_LONGEST_SHOWN: Final = 40  # characters of an input that an error message repeats


class InvalidMoment(ValueError):
    """A text is no moment of the past. The message tells the user why."""


@dataclass(frozen=True, slots=True)
class LogPosition:
    """A moment, and the last event that the log had then.

    The log up to `seq` is what the dashboard knew. `seq` is 0 before the first event. The order of
    the events counts, not their times, because clocks may go back.
    """

    at: datetime
    seq: int

    @property
    def parameter(self) -> str:
        """The moment as a URL parameter, such as 2026-11-20T13:05:00Z."""
        return format_moment(self.at)


def parse_moment(text: str) -> datetime:
    """Parse a moment in the user's time zone, unless it names another. Raises `InvalidMoment`.

    A date alone is the beginning of that day.
    """
    shortened_text = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
    text = text.strip().replace(" ", "T", 1)
    if _MOMENT_PATTERN.fullmatch(text) is None:
        raise InvalidMoment(f"Not a date and time: {shortened_text} (write it as 2026-11-25 14:05)")
    try:
        moment = _to_utc(text if "T" in text else f"{text}T00:00")
    except (ValueError, OverflowError):
        raise InvalidMoment(f"There is no such date or time: {shortened_text}") from None
    if moment > timezone.now():
        raise InvalidMoment(f"{shortened_text} is in the future (choose a time in the past)")
    return moment


def _to_utc(text: str) -> datetime:
    """Return a date and time in UTC. Raises ValueError for a time that the clocks skipped."""
    moment = parse_datetime(text)
    if moment is None:
        raise ValueError(text)
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    zone = timezone.get_current_timezone()
    in_utc = moment.replace(tzinfo=zone).astimezone(UTC)
    if in_utc.astimezone(zone).replace(tzinfo=None) != moment:
        raise ValueError(text)
    return in_utc


def format_moment(moment: datetime) -> str:
    """Return a moment as a URL parameter in UTC, to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def second_after(moment: datetime) -> datetime:
    """Return the first whole second that is not before a moment, so that links include its event."""
    whole = moment.replace(microsecond=0)
    return whole if whole == moment else whole + timedelta(seconds=1)


def input_value(moment: datetime) -> str:
    """Return a moment for an input of the type datetime-local, in the user's time zone."""
    return f"{local_days.local_time(moment):%Y-%m-%dT%H:%M:%S}"


def find_position(moment: datetime) -> LogPosition:
    """Return the place of a moment in the log.

    The index of days bounds the search to the events of one day.
    """
    day = moment.astimezone(UTC).date()
    earlier_seq = AuditDay.objects.filter(day__lt=day).aggregate(last=Max("last"))["last"]
    return LogPosition(moment, max(earlier_seq or 0, _last_seq_of_day(moment)))


def _last_seq_of_day(moment: datetime) -> int:
    """Return the last event of the moment's day that is not later than the moment, or 0."""
    day = AuditDay.objects.filter(day=moment.astimezone(UTC).date()).first()
    if day is None:
        return 0
    events = AuditEvent.objects.filter(seq__range=(day.first, day.last), at__lte=moment)
    return events.order_by("-seq").values_list("seq", flat=True).first() or 0


def log_start() -> datetime | None:
    """Return the time of the log's first event, or None if it has none."""
    return AuditEvent.objects.order_by("seq").values_list("at", flat=True).first()


def default_start() -> datetime:
    """Return where a comparison begins unless the user says: a week ago, or with a younger log."""
    now, start = timezone.now(), log_start()
    first = min(second_after(start), now) if start else now
    return max(first, now - DEFAULT_SPAN)
