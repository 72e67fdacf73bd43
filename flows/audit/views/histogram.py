"""The chart above the log's rows: events a day by result, and its figures as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.urls import reverse
from django.utils.safestring import SafeString

from flows.audit.day_counts import DayCount, ResultGroup
from flows.audit.log_query import LogQuery
from flows.core import charts, time_text

_CHART_NAME: Final = "days"
_LABELS: Final = {
    ResultGroup.DONE: "Done",
    ResultGroup.OTHER: "Other",
    ResultGroup.UNKNOWN: "Unknown outcome",
    ResultGroup.FAILED: "Failed",
}
_PATTERNS: Final = {
    ResultGroup.DONE: "good",
    ResultGroup.OTHER: "none",
    ResultGroup.UNKNOWN: "doubt",
    ResultGroup.FAILED: "bad",
}


@dataclass(frozen=True, slots=True)
class HistogramRow:
    """A day of the table. `cells` are its counts by result, in the order of the columns."""

    day: DayCount
    url: str

    @property
    def cells(self) -> list[str]:
        return [format_count(count, self.day) for count in self.day.counts]

    @property
    def total(self) -> str:
        return format_count(self.day.total, self.day)


class Histogram:
    """The chart of a query's days, for the template."""

    def __init__(self, query: LogQuery, days: Sequence[DayCount]) -> None:
        self.days = days
        self._query = query

    @property
    def partial_day(self) -> DayCount | None:
        """The oldest day, if not all of its events were counted."""
        return self.days[0] if self.days[0].is_partial else None

    @property
    def period(self) -> str:
        """The first and last day, with the year."""
        first, last = self.days[0].day, self.days[-1].day
        if first == last:
            return f"{last.day} {last:%b %Y}"
        year = "" if first.year == last.year else f" {first:%Y}"
        return f"{first.day} {first:%b}{year} – {last.day} {last:%b %Y}"  # noqa: RUF001

    @property
    def highest(self) -> str:
        """The highest number of events of one day."""
        day = max(self.days, key=lambda day: day.total)
        return format_count(day.total, day)

    @property
    def legend(self) -> list[tuple[SafeString, str]]:
        """The pattern and the label of each result."""
        return [
            (charts.swatch(_CHART_NAME, _PATTERNS[group]), _LABELS[group]) for group in ResultGroup
        ]

    @property
    def picture(self) -> SafeString:
        bars = [charts.Bar(_describe(day), self._url(day), day.counts) for day in self.days]
        return charts.stacked_bars(_CHART_NAME, list(_PATTERNS.values()), bars)

    @property
    def rows(self) -> list[HistogramRow]:
        """The days that have events, the newest first."""
        return [HistogramRow(day, self._url(day)) for day in reversed(self.days) if day.total]

    def _url(self, day: DayCount) -> str:
        text = day.day.isoformat()
        return reverse("audit:list") + self._query.url(from_date=text, to_date=text)


def format_count(count: int, day: DayCount) -> str:
    """Return a count for the table, such as "1,024", or "1,024+" for a partial day."""
    return f"{count:,}+" if day.is_partial else f"{count:,}"


def _describe(day: DayCount) -> str:
    """Return a day's counts for a tooltip, such as "Thu 26 Nov 2026: 12 events (10 done, …)"."""
    label = time_text.day_label(day.day)
    if not day.total:
        return f"{label}: no events"
    counts = [
        f"{format_count(count, day)} {_LABELS[group].lower()}"
        for group, count in zip(ResultGroup, day.counts, strict=True)
        if count
    ]
    noun = "event" if day.total == 1 and not day.is_partial else "events"
    return f"{label}: {format_count(day.total, day)} {noun} ({', '.join(counts)})"
