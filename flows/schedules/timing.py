"""Times of a schedule as a user enters them: a wall-clock time in a time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from flows.core import time_text
from flows.schedules.models import Schedule

DEFAULT_WINDOW: Final = 15  # minutes


class TimeNotUsable(ValueError):
    """The time doesn't exist in its zone, or comes twice. The message is a sentence for users."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """A due time in UTC, how many minutes later the change may still start, and the named zone."""

    due_at: datetime
    window: int = DEFAULT_WINDOW
    time_zone: str = "UTC"

    @property
    def not_later_than(self) -> datetime:
        return self.due_at + timedelta(minutes=self.window)


def to_utc(local: datetime, time_zone: str) -> datetime:
    """Return a wall-clock time of a zone in UTC. Raises `TimeNotUsable`."""
    zone = ZoneInfo(time_zone)
    earlier = local.replace(tzinfo=zone, fold=0)
    later = local.replace(tzinfo=zone, fold=1)
    moment = earlier.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None, fold=0) != local:
        raise TimeNotUsable(
            f"This time doesn't exist in {time_zone}: the clocks go forward over it. "
            "Choose another time."
        )
    if earlier.utcoffset() != later.utcoffset():
        raise TimeNotUsable(
            f"This time comes twice in {time_zone}: the clocks go back over it. "
            "Choose a time outside that hour."
        )
    return moment


def format_due(schedule: Schedule) -> str:
    """Return the due time in the zone it was chosen in, such as "24 Dec 2026, 18:00 CET"."""
    text = time_text.timestamp(schedule.due_at, ZoneInfo(schedule.time_zone))
    return f"{text} ({schedule.time_zone})"
