"""Ready-made filters of the log's page, which combine with the other filters.

A preset fills in plain dates. So a link in a ticket shows the same days tomorrow.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from flows.audit.log_query import LogQuery

_PERIODS: Final = (("Today", 1), ("Last 7 days", 7), ("Last 30 days", 30))  # days, with today


@dataclass(frozen=True, slots=True)
class Preset:
    """A link to the query with this preset. `is_active` is True if the query has its filters."""

    label: str
    url: str
    is_active: bool


def build_presets(query: LogQuery, username: str, today: date) -> list[Preset]:
    """Return the presets of a user's page. `today` is a day in the user's time zone."""
    mine = _build_preset(query, "Mine", {"actor": username})
    return [*build_periods(query, today), mine]


def build_periods(query: LogQuery, today: date) -> list[Preset]:
    """Return the presets of days. `today` is a day in the user's time zone."""
    presets = []
    for label, length in _PERIODS:
        since = today - timedelta(days=length - 1)
        period = {"from_date": since.isoformat(), "to_date": today.isoformat()}
        presets.append(_build_preset(query, label, period))
    last_day = today.replace(day=1) - timedelta(days=1)
    last_month = {
        "from_date": last_day.replace(day=1).isoformat(),
        "to_date": last_day.isoformat(),
    }
    return [*presets, _build_preset(query, "Last month", last_month)]


def _build_preset(query: LogQuery, label: str, filters: dict[str, str]) -> Preset:
    is_active = all(getattr(query, name) == value for name, value in filters.items())
    return Preset(label, query.url(**filters), is_active)
