"""Number of entries a day that match a query of the log, by result, for its chart.

One query counts at most `COUNT_LIMIT` entries with the indexes of the log's list, newest first. So
its cost doesn't grow with the log. The oldest day that was read may have more than were counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from enum import StrEnum
from typing import Any, Final

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Case, Q, QuerySet, Subquery, Value, When
from django.utils import timezone

from flows.accounts import twilio_accounts
from flows.accounts.clients import ATTEMPT_TIMEOUT
from flows.audit import log_filters, log_paging
from flows.audit.actions import DriftAction
from flows.audit.log_paging import EntryPage
from flows.audit.log_query import LogQuery
from flows.audit.models import APPLIED_RESULTS, AuditEntry, Result
from flows.core import local_days

RECENT_DAYS: Final = 30  # days of a chart without a first day
MAX_DAYS: Final = 31  # days of a chart with one: a whole month
COUNT_LIMIT: Final = 5000  # entries
# Observations, whose rows don't show the result.
_OBSERVED_ACTIONS: Final = (
    DriftAction.DRIFT,
    DriftAction.BASELINE,
    "account.field",
    "people.rights_found",
    "finding.appeared",
    "finding.cleared",
    "finding.evaluated",
)
_COUNT_SQL: Final = """
    WITH matches(seq, at, result) AS ({matches})
    SELECT {day} AS day, result, count(*) FROM {newest} GROUP BY 1, 2
"""
_NEWEST_SQL: Final = "(SELECT at, result FROM matches ORDER BY seq DESC LIMIT %s) AS newest"
_DAY_OF_EVENT_SQL: Final = """
    UNION ALL SELECT * FROM (
        SELECT {day}, NULL, 0 FROM flows_auditevent WHERE seq >= %s ORDER BY seq LIMIT 1
    ) AS oldest
"""


class ResultGroup(StrEnum):
    """Results that a chart doesn't tell apart, in the order of its segments from the bottom."""

    DONE = "done"
    OTHER = "other"  # refused, not applied, in conflict, external, in progress
    UNKNOWN = "unknown"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class DayCount:
    """The number of entries of one day by result, in the order of `ResultGroup`.

    If `is_partial` is True, the day may have more entries than were counted.
    """

    day: date
    counts: tuple[int, ...]
    is_partial: bool = False

    @property
    def total(self) -> int:
        return sum(self.counts)


def count_days(
    query: LogQuery, scope: twilio_accounts.Scope, page: EntryPage
) -> list[DayCount] | None:
    """Return the counts of the query's days, at most of the last `MAX_DAYS`, the oldest first.

    `page` is the page of the query that is shown. The list starts at the oldest day that was
    searched. It is None if fewer than two days are asked for, if nothing matches, or if only an
    older window of the log was searched.
    """
    since, until = _period(query)
    if query.faults or since >= until or (query.scan_scope and query.before):
        return None
    counts: dict[date, dict[str, int]] = defaultdict(dict)
    oldest_searched = None
    for day, group, count in _valid_rows(_fetch_counts(query, scope, page, since, until), since):
        if group is None:
            oldest_searched = day
        else:
            counts[day][group] = count
    if not counts:
        return None
    partial_day = _partial_day(counts, oldest_searched)
    return [
        DayCount(
            day,
            tuple(counts[day].get(group, 0) for group in ResultGroup),
            is_partial=day == partial_day,
        )
        for day in _days_between(max(since, partial_day or since), until)
    ]


def count_recent_days(
    scope: twilio_accounts.Scope, last_seq: int
) -> tuple[LogQuery, list[DayCount] | None]:
    """Return the query for the last 30 days of the log, and its counts as `count_days` does.

    `last_seq` is the end of the log.
    """
    today = local_days.today()
    since = today - timedelta(days=RECENT_DAYS - 1)
    zone = timezone.get_current_timezone()
    query = LogQuery(from_date=since.isoformat(), to_date=today.isoformat(), zone=zone)
    return query, count_days(query, scope, EntryPage([], has_older=False, newest=last_seq))


def _days_between(first: date, last: date) -> Iterator[date]:
    for index in range((last - first).days + 1):
        yield first + timedelta(days=index)


def _period(query: LogQuery) -> tuple[date, date]:
    """Return the first and last day of the chart, both included."""
    today = local_days.day_of(timezone.now(), query.zone)
    until = min(date.fromisoformat(query.to_date), today) if query.to_date else today
    days = MAX_DAYS if query.from_date else RECENT_DAYS
    since = max(until, date.min + timedelta(days=days)) - timedelta(days=days - 1)
    if query.from_date:
        since = max(since, date.fromisoformat(query.from_date))
    return since, until


def _partial_day(counts: dict[date, dict[str, int]], oldest_searched: date | None) -> date | None:
    """Return the oldest day of which entries were read, if not all of them were, else None."""
    total = sum(sum(groups.values()) for groups in counts.values())
    oldest_counted = min(counts) if total >= COUNT_LIMIT else None
    return max(filter(None, (oldest_counted, oldest_searched)), default=None)


def _fetch_counts(
    query: LogQuery, scope: twilio_accounts.Scope, page: EntryPage, since: date, until: date
) -> list[Sequence[Any]]:
    """Return day, group and count of the newest entries that match.

    If older ones were not searched, a row without a group has the oldest day that was.
    """
    lowest = _lowest_counted(query, page)
    statements: list[str] = []
    parameters: list[Any] = []
    for branch in log_filters.indexed_branches(query, scope):
        entries = _newest_of_days(branch, lowest, since, until, query.zone)
        try:
            sql, values = entries.query.sql_with_params()
        except EmptyResultSet:
            continue
        statements.append(f"SELECT * FROM ({sql}) AS part{len(statements)}")  # noqa: S608 - no values
        parameters += values
    if not statements:
        return []
    day, day_starts = _day_number_sql(since, until, query.zone)
    parameters += day_starts
    newest = "matches"  # of a single branch these are the newest
    if len(statements) > 1:
        newest = _NEWEST_SQL
        parameters.append(COUNT_LIMIT)
    sql = _COUNT_SQL.format(matches=" UNION ".join(statements), day=day, newest=newest)
    if lowest:
        sql += _DAY_OF_EVENT_SQL.format(day=day)
        parameters += [*day_starts, lowest]
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def _day_number_sql(since: date, until: date, zone: tzinfo) -> tuple[str, list[Any]]:
    """Return an SQL expression for the day of a time `at`, and its parameters.

    The expression is the number of days after `since`, and NULL before it.
    """
    numbers = range((until - since).days, -1, -1)
    starts = [
        connection.ops.adapt_datetimefield_value(
            local_days.start_of_day(since + timedelta(days=number), zone)
        )
        for number in numbers
    ]
    cases = " ".join(f"WHEN at >= %s THEN {number}" for number in numbers)
    return f"CASE {cases} END", starts


def _lowest_counted(query: LogQuery, page: EntryPage) -> int:
    """Return the oldest seq to count, or 0 if an index finds all entries.

    A long run of hidden entries is not read to its end. A first sync is one.
    """
    lowest = page.lowest
    can_skip_hidden = query.action or query.actor or query.flow_sids or query.is_narrow
    if not can_skip_hidden and query.result in ("", *APPLIED_RESULTS):
        lowest = max(lowest, page.newest - log_paging.SCAN_WINDOW + 1)
    return lowest if lowest > page.first else 0


def _newest_of_days(
    branch: QuerySet[AuditEntry], lowest: int, since: date, until: date, zone: tzinfo
) -> QuerySet[AuditEntry, Any]:
    """Return seq, time and group of the newest entries of these days, in the order of an index."""
    start, end = local_days.start_of_day(since, zone), local_days.end_of_day(until, zone)
    days = log_paging.days_of_period(start, end)
    if lowest:  # one more condition, and SQLite would choose a less selective index
        branch = branch.filter(pk__gte=lowest)
    entries = branch.filter(
        pk__gte=Subquery(days.order_by("first").values("first")[:1]),
        pk__lte=Subquery(days.order_by("-last").values("last")[:1]),
        at__gte=start,
        at__lt=end,
    )
    entries = entries.annotate(group=_group_of_result())
    return entries.order_by("-start_id").values_list("start_id", "at", "group")[:COUNT_LIMIT]


def _group_of_result() -> Case:
    """Return the expression for the group of an entry's result, as its row shows it."""
    has_timed_out = Q(result=Result.PENDING, at__lt=timezone.now() - ATTEMPT_TIMEOUT)
    return Case(
        When(action__in=_OBSERVED_ACTIONS, then=Value(ResultGroup.OTHER.value)),
        When(result__in=APPLIED_RESULTS, then=Value(ResultGroup.DONE.value)),
        When(result=Result.FAILED, then=Value(ResultGroup.FAILED.value)),
        When(Q(result=Result.UNKNOWN) | has_timed_out, then=Value(ResultGroup.UNKNOWN.value)),
        default=Value(ResultGroup.OTHER.value),
    )


def _valid_rows(
    rows: Sequence[Sequence[Any]], since: date
) -> Iterator[tuple[date, str | None, int]]:
    """Yield rows with their day. Those of times before `since` have none and are left out."""
    for number, group, count in rows:
        if number is not None:
            yield since + timedelta(days=number), group, count
