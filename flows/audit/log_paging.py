"""Pages of the audit log, newest entries first.

The cost of a page must not grow with the log. Each search walks one index backwards from the
start of the page. Where no index applies, only a window of the log is searched, and
`EntryPage.scanned_to` tells its end.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import connection
from django.db.models import Max, Min, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from flows.accounts import twilio_accounts
from flows.audit import audit_log
from flows.audit.models import AuditDay, AuditEntry, AuditEvent

SCAN_WINDOW: Final = 10_000  # events to search where no index applies
# Entries of one flow or one user to search, where an index gives these only.
NARROW_SCAN_WINDOW: Final = 500

# Steps from each value in an index to the next. SELECT DISTINCT would read the whole index.
# Each value is checked for the accounts on its own, because searching on to the next value of
# these accounts may take long.
_DISTINCT_SQL: Final = """
    WITH RECURSIVE walked(value) AS (
        SELECT (SELECT min({column}) FROM flows_auditentry WHERE {column} > '')
        UNION ALL
        SELECT (SELECT min({column}) FROM flows_auditentry WHERE {column} > walked.value)
        FROM walked WHERE walked.value IS NOT NULL
    )
    SELECT value FROM walked WHERE value IS NOT NULL
"""
_ACCOUNTS_CLAUSE: Final = """
    AND EXISTS (
        SELECT 1 FROM flows_auditentry AS one
        WHERE one.account_sid IN ({accounts}) AND one.{column} = walked.value
    )
"""


@dataclass(frozen=True, slots=True)
class EntryPage:
    """A page of the log's list, newest entries first.

    `first` and `newest` are the bounds of the query's days, `lowest` is the oldest seq that was
    searched. `scanned_to` is the event there, if older ones were not and the page isn't full.
    """

    entries: list[AuditEntry]
    has_older: bool
    scanned_to: AuditEvent | None = None
    first: int = 1
    lowest: int = 1
    newest: int = 0

    @property
    def events(self) -> list[AuditEvent]:
        """The event with the current outcome of each entry."""
        return [entry.outcome for entry in self.entries]


def filter_accounts(
    rows: QuerySet[Any], scope: twilio_accounts.Scope, event_field: str = ""
) -> QuerySet[Any]:
    """Filter events or entries by account, without an index.

    Rows of another model are filtered by their event, to which `event_field` leads. The indexes of
    accounts serve `newest_page`, one account at a time. Here the database would use them to read
    and sort a whole account; a COALESCE or a subquery prevents that.
    """
    if scope is None:
        return rows
    owner: Any = Coalesce("account_sid", Value(""))
    if event_field:
        owner = Subquery(AuditEvent.objects.filter(pk=OuterRef(event_field)).values("account_sid"))
    owned: QuerySet[Any] = rows.alias(owner=owner)
    return owned.filter(owner__in=sorted(scope))


def filter_unindexed(entries: QuerySet[AuditEntry], **values: str) -> QuerySet[AuditEntry]:
    """Filter entries by these column values, without their indexes.

    The other conditions of the query are more selective, which SQLite can't know.
    """
    columns = {f"own_{name}": Coalesce(name, Value("")) for name in values}
    compared: QuerySet[AuditEntry] = entries.alias(**columns)
    return compared.filter(**{f"own_{name}": value for name, value in values.items()})


def lower_bound(
    entries: QuerySet[AuditEntry], scope: twilio_accounts.Scope, *, first: int, last: int
) -> int:
    """Return the seq above which at most `NARROW_SCAN_WINDOW` entries lie, up to `last`.

    It is `first` for users who can't read any of these entries. Another bound would reveal to them
    that there are many.
    """
    in_range = entries.filter(pk__gte=first, pk__lte=last)
    seqs = in_range.order_by("-start_id").values_list("pk", flat=True)
    # One more entry than the window.
    too_old = list(seqs[NARROW_SCAN_WINDOW : NARROW_SCAN_WINDOW + 1])
    if not too_old:
        return first
    lowest: int = too_old[0] + 1
    if scope is None or filter_accounts(in_range.filter(pk__gte=lowest), scope).exists():
        return lowest
    return first


def newest_page(
    branches: Iterable[QuerySet[AuditEntry]], size: int, *, first: int, last: int, lowest: int
) -> EntryPage:
    """Return the newest entries of all branches between the seqs `first` and `last`, both included.

    An index must give each branch in the order of the log. Entries before `lowest` are not
    searched.
    """
    candidates: set[int] = set()
    for branch in branches:
        ordered = branch.filter(pk__gte=lowest, pk__lte=last).order_by("-start_id")
        candidates.update(ordered.values_list("pk", flat=True)[: size + 1])
    seqs = sorted(candidates, reverse=True)
    has_older = len(seqs) > size
    entries = AuditEntry.objects.filter(pk__in=seqs[:size]).order_by("-start_id")
    entries = entries.select_related("start", "outcome__payload")
    scanned_to = None
    if not has_older and lowest > first:
        scanned_to = AuditEvent.objects.filter(seq__gte=lowest).order_by("seq").first()
    return EntryPage(list(entries), has_older, scanned_to, first=first, lowest=lowest)


def neighbours(
    entries: QuerySet[AuditEntry], scope: twilio_accounts.Scope, seq: int
) -> tuple[AuditEntry | None, AuditEntry | None]:
    """Return the readable entries just before and just after a seq.

    Each account is searched on its own: one account may have no entry in the next million.
    """
    parts = [entries]
    if scope is not None:
        parts = [entries.filter(account_sid=sid) for sid in sorted(scope)]
    before = [part.filter(pk__lt=seq).order_by("-start_id").first() for part in parts]
    after = [part.filter(pk__gt=seq).order_by("start_id").first() for part in parts]
    return (
        max(filter(None, before), key=lambda entry: entry.pk, default=None),
        min(filter(None, after), key=lambda entry: entry.pk, default=None),
    )


def seq_range(since: datetime | None, until: datetime | None) -> tuple[int, int]:
    """Return the first and last seq that an event of this period can have.

    `until` is the first moment after it. The period counts with whole days in UTC, so the range can
    have other events. It is empty (first > last) if those days have no events.
    """
    if since is None and until is None:
        return 1, audit_log.last_seq()
    days = days_of_period(since, until)
    try:
        bounds = days.aggregate(first=Min("first", default=1), last=Max("last", default=0))
    except ValueError:  # SQLite: a value that is no number, which a verification reports
        return 1, audit_log.last_seq()
    return max(bounds["first"], 1), min(bounds["last"], audit_log.last_seq())


def days_of_period(since: datetime | None, until: datetime | None) -> QuerySet[AuditDay]:
    """Return the days in UTC that a period touches. `until` is the first moment after it."""
    days = AuditDay.objects.all()
    if since:
        days = days.filter(day__gte=since.astimezone(UTC).date())
    if until:
        days = days.filter(day__lte=(until.astimezone(UTC) - timedelta(microseconds=1)).date())
    return days


def actor_labels(scope: twilio_accounts.Scope) -> list[str]:
    """Return the sorted labels of all who started or resolved something in these accounts."""
    resolved = filter_accounts(AuditEntry.objects.filter(resolved_by__isnull=False), scope)
    resolvers = resolved.order_by().values_list("resolved_by", flat=True).distinct()
    labels = {*_distinct_values("actor_label", scope), *resolvers}
    return sorted(filter(None, labels))


def recorded_actions(scope: twilio_accounts.Scope) -> list[str]:
    """Return the logged actions of these accounts, also those without a label in this version."""
    return _distinct_values("action", scope)


def _distinct_values(column: str, scope: twilio_accounts.Scope) -> list[str]:
    """Return the values of a column. It must have an index, and one together with the account."""
    if scope == frozenset():
        return []
    sids = sorted(scope or ())
    statement = _DISTINCT_SQL
    if sids:
        statement += _ACCOUNTS_CLAUSE
    with connection.cursor() as cursor:
        cursor.execute(
            statement.format(column=column, accounts=", ".join(["%s"] * len(sids))), sids
        )
        return sorted(value for (value,) in cursor.fetchall())
