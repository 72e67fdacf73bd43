"""Reading the audit log a page at a time, newest first, so that a page's cost does not hang on the log's length: each
search walks one index backwards from where the page begins. What no index answers is looked for in a stretch of the
log alone, and `Found.scanned_to` says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.db import connection
from django.db.models import Max, Min, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from flows.accounts import twilio_accounts
from flows.audit import audit_log
from flows.audit.models import AuditDay, AuditEntry, AuditEvent

SCAN_WINDOW: Final = 10_000  # events that are looked at where no index answers
NARROW_SCAN_WINDOW: Final = (
    500  # events of a flow, or of a person, that are looked at where an index has these alone
)

# The values in an index one by one: each is the first after the one before. Counting them all reads the whole index.
# Which of them are of some accounts is asked of each by itself: whoever walks on until one is may walk long.
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
        SELECT 1 FROM flows_auditentry AS one WHERE one.account_sid IN ({accounts}) AND one.{column} = walked.value
    )
"""


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Some entries of the log's list, newest first; whether there are older ones. `scanned_to`: the oldest event that was
    searched, where still older ones were not."""

    entries: list[AuditEntry]
    has_older: bool
    scanned_to: AuditEvent | None = None

    @property
    def events(self) -> list[AuditEvent]:
        """The event with the present outcome of each."""
        return [entry.outcome for entry in self.entries]


def filter_accounts(
    rows: QuerySet[Any], scope: twilio_accounts.Scope, event: str = ""
) -> QuerySet[Any]:
    """Those events or entries that are of the accounts of the scope, found by whatever else they are asked for; or those
    rows whose event is, by the name of the field that leads to it.

    The log's indexes of accounts are for `newest`, an account at a time. Here the database would take them to read,
    and sort, all that the log has of an account; what stands in a COALESCE or a query of its own is in no index."""
    if scope is None:
        return rows
    owner: Any = Coalesce("account_sid", Value(""))
    if event:
        owner = Subquery(AuditEvent.objects.filter(pk=OuterRef(event)).values("account_sid"))
    owned: QuerySet[Any] = rows.alias(owner=owner)
    return owned.filter(owner__in=sorted(scope))


def filter_unindexed(entries: QuerySet[AuditEntry], **wanted: str) -> QuerySet[AuditEntry]:
    """Those entries that have these values too, found by whatever else they are asked for: there are fewer of that, and
    SQLite can't know."""
    compared: QuerySet[AuditEntry] = entries.alias(
        **{f"own_{name}": Coalesce(name, Value("")) for name in wanted}
    )
    return compared.filter(**{f"own_{name}": value for name, value in wanted.items()})


def lower_bound(
    entries: QuerySet[AuditEntry], scope: twilio_accounts.Scope, *, first: int, last: int
) -> int:
    """The place from which on there are at most `OF_ONE` of these entries up to `last`. Who may read none of those is not
    told that there are so many."""
    ours = entries.filter(pk__gte=first, pk__lte=last)
    beyond = ours.order_by("-start_id").values_list("pk", flat=True)[
        NARROW_SCAN_WINDOW : NARROW_SCAN_WINDOW + 1
    ]
    lowest = next((seq + 1 for seq in beyond), first)
    if scope is None or lowest == first:
        return lowest
    return lowest if filter_accounts(ours.filter(pk__gte=lowest), scope).exists() else first


def newest_page(
    branches: Iterable[QuerySet[AuditEntry]], size: int, *, first: int, last: int, lowest: int
) -> EntryPage:
    """The newest entries from `first` to `last` (places, both included) that are in one of the branches. Each branch
    must be one that an index gives in the order of places. Those before `lowest` are not looked at."""
    places: set[int] = set()
    for branch in branches:
        ordered = branch.filter(pk__gte=lowest, pk__lte=last).order_by("-start_id")
        places.update(ordered.values_list("pk", flat=True)[: size + 1])
    wanted = sorted(places, reverse=True)[: size + 1]
    entries = AuditEntry.objects.filter(pk__in=wanted[:size]).select_related(
        "start", "outcome__payload"
    )
    found, has_older = list(entries.order_by("-start_id")), len(wanted) > size
    scanned_to = None
    if not has_older and lowest > first:
        scanned_to = AuditEvent.objects.filter(seq__gte=lowest).order_by("seq").first()
    return EntryPage(found, has_older, scanned_to)


def neighbours(
    entries: QuerySet[AuditEntry], scope: twilio_accounts.Scope, place: int
) -> tuple[AuditEntry | None, AuditEntry | None]:
    """Of these entries in the accounts of the scope, the last before a place and the first after it, each account's own
    first: somebody's only account may have nothing in the next million."""
    parts = (
        [entries] if scope is None else [entries.filter(account_sid=sid) for sid in sorted(scope)]
    )
    before = [part.filter(pk__lt=place).order_by("-start_id").first() for part in parts]
    after = [part.filter(pk__gt=place).order_by("start_id").first() for part in parts]
    return (
        max(filter(None, before), key=lambda entry: entry.pk, default=None),
        min(filter(None, after), key=lambda entry: entry.pk, default=None),
    )


def seq_range(since: date | None, until: date | None) -> tuple[int, int]:
    """The first and the last place that an event of these days (in UTC, both included) can have; an empty stretch if
    there is none."""
    if since is None and until is None:
        return 1, audit_log.last_seq()
    days = AuditDay.objects.all()
    if since:
        days = days.filter(day__gte=since)
    if until:
        days = days.filter(day__lte=until)
    try:
        found = days.aggregate(first=Min("first"), last=Max("last"))
    except ValueError:  # SQLite: a row that is no number, which a verification names
        return 1, audit_log.last_seq()
    return max(found["first"] or 1, 1), min(found["last"] or 0, audit_log.last_seq())


def actor_labels(scope: twilio_accounts.Scope) -> list[str]:
    """Everybody who is on record with something in these accounts, by name; also who resolved somebody else's change."""
    resolvers = filter_accounts(AuditEntry.objects.filter(resolved_by__isnull=False), scope)
    found = {
        *_distinct_values("actor_label", scope),
        *resolvers.order_by().values_list("resolved_by", flat=True).distinct(),
    }
    return sorted(filter(None, found))


def recorded_actions(scope: twilio_accounts.Scope) -> list[str]:
    """The actions that are on record in these accounts, also those that this version has no words for."""
    return _distinct_values("action", scope)


def _distinct_values(column: str, scope: twilio_accounts.Scope) -> list[str]:
    """The values of a column that has an index, and one beside the account."""
    if scope is not None and not scope:
        return []
    sids = sorted(scope or ())
    statement = _DISTINCT_SQL + (_ACCOUNTS_CLAUSE if sids else "")
    with connection.cursor() as cursor:
        cursor.execute(
            statement.format(column=column, accounts=", ".join(["%s"] * len(sids))), sids
        )
        return sorted(value for (value,) in cursor.fetchall())
