"""The burn-down: how many flows still had to be moved after each day or week, as a chart and a table.

It begins with the first migration. A rollback empties a migration's times, so a flow that was rolled
back counts as never switched over.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from flows.core import charts, local_days, time_text
from flows.migration.models import FlowMigration

CHART_NAME: Final = "burn-down"
SERIES: Final = {"none": "To move", "doubt": "Switched over", "good": "Done"}
MAX_DAYS: Final = 31  # a longer time is counted by the week
MAX_WEEKS: Final = 104


class Lifetimes:
    """When flows were created and deleted at Twilio, as far as that is known.

    A flow of which the creation isn't known counts from the beginning.
    """

    def __init__(self, flows: Iterable[tuple[datetime | None, datetime | None]]) -> None:
        pairs = list(flows)
        self._ageless = sum(created_at is None for created_at, _ in pairs)
        self._created = sorted(created_at for created_at, _ in pairs if created_at)
        self._deleted = sorted(gone_at for _, gone_at in pairs if gone_at)

    def count_at(self, moment: datetime) -> int:
        """Return the number of flows that existed at a moment."""
        created = bisect_left(self._created, moment)
        return self._ageless + created - bisect_left(self._deleted, moment)


@dataclass(frozen=True, slots=True)
class Count:
    """The flows at the end of a day: those still to be moved, those switched over, those done."""

    day: date
    remaining: int
    switched: int
    done: int

    @property
    def values(self) -> tuple[int, int, int]:
        return self.remaining, self.switched, self.done

    @property
    def url(self) -> str:
        """The page of the flows as they were at the end of the day."""
        parameters = urlencode({"at": f"{self.day.isoformat()}T23:59:59"})
        return f"{reverse('flows:history')}?{parameters}"


@dataclass(frozen=True, slots=True)
class BurnDown:
    """The counts of the days or weeks since the first migration, the earliest first."""

    counts: Sequence[Count]
    is_weekly: bool

    @property
    def newest_first(self) -> list[Count]:
        return list(reversed(self.counts))

    @property
    def legend(self) -> list[tuple[SafeString, str]]:
        """The pattern and the label of each series."""
        return [(charts.swatch(CHART_NAME, key), label) for key, label in SERIES.items()]

    @property
    def picture(self) -> SafeString:
        bars = [charts.Bar(_describe(count), count.url, count.values) for count in self.counts]
        return charts.stacked_bars(CHART_NAME, list(SERIES), bars)


def count_remaining(
    flows: Lifetimes,
    migrations: Sequence[FlowMigration],
    last: date,
    gone_times: Mapping[str, datetime] | None = None,
) -> BurnDown:
    """Return the counts from the first of the migrations to a day. There is at least one.

    `gone_times` are the times at which flows were found to be deleted, by SID.
    """
    done_times = [_done_at(each, gone_times or {}) for each in migrations]
    first = local_days.day_of(min(each.created_at for each in migrations))
    is_weekly = (last - first).days >= MAX_DAYS
    days = _days(first, last, 7 if is_weekly else 1)
    return BurnDown([_count(day, flows, migrations, done_times) for day in days], is_weekly)


def _days(first: date, last: date, step: int) -> Iterator[date]:
    """Yield the days up to the last one, which is always among them."""
    count = min((last - first).days // step, MAX_WEEKS)
    for index in range(count, -1, -1):
        yield last - timedelta(days=index * step)


def _done_at(migration: FlowMigration, gone_times: Mapping[str, datetime]) -> datetime | None:
    """Return when a migration ended with its flow, also if that was deleted outside."""
    if migration.done_at or migration.switched_at is None:
        return migration.done_at
    gone_at = gone_times.get(migration.flow_sid)
    return max(gone_at, migration.switched_at) if gone_at else None


def _count(
    day: date,
    flows: Lifetimes,
    migrations: Sequence[FlowMigration],
    done_times: Sequence[datetime | None],
) -> Count:
    end = local_days.end_of_day(day, timezone.get_current_timezone())
    done_count = sum(_is_before(done_at, end) for done_at in done_times)
    switched = sum(
        _is_before(each.switched_at, end) and not _is_before(done_at, end)
        for each, done_at in zip(migrations, done_times, strict=True)
    )
    return Count(day, max(flows.count_at(end) - switched, 0), switched, done_count)


def _is_before(moment: datetime | None, end: datetime) -> bool:
    return moment is not None and moment < end


def _describe(count: Count) -> str:
    words = ", ".join(
        f"{value:,} {label.lower()}"
        for value, label in zip(count.values, SERIES.values(), strict=True)
    )
    return f"{time_text.day_label(count.day)}: {words}"
