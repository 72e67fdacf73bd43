"""Reading the audit log a page at a time, newest first, so that a page's cost does not hang on the log's length: each
search walks one index backwards from where the page begins. What no index answers is looked for in a stretch of the
log alone, and `Found.looked_to` says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.db import connection
from django.db.models import Max, Min, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from flows import accounts
from flows.models import AuditDay, AuditEvent
from flows.services import audit

STRETCH: Final = 10_000  # events that are looked at where no index answers
OF_ONE: Final = 500  # events of a flow, or of a person, that are looked at where an index has these alone

# The names in an index one by one: each is the first after the one before. Counting them all reads the whole index.
_ACTED: Final = """
    WITH RECURSIVE acted(label) AS (
        SELECT (SELECT min(actor_label) FROM flows_auditevent WHERE {where} actor_label > '')
        UNION ALL
        SELECT (SELECT min(actor_label) FROM flows_auditevent WHERE {where} actor_label > acted.label)
        FROM acted WHERE acted.label IS NOT NULL
    )
    SELECT label FROM acted WHERE label IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Found:
    """Some events, newest first; whether there are older ones. `looked_to`: the oldest event that was looked at, where
    still older ones were not."""

    events: list[AuditEvent]
    has_older: bool
    looked_to: AuditEvent | None = None


def of_accounts(rows: QuerySet[Any], scope: accounts.Scope, event: str = "") -> QuerySet[Any]:
    """Those events that are of the accounts of the scope, found by whatever else they are asked for; or those rows whose
    event is, by the name of the field that leads to it.

    The log's indexes of accounts are for `newest`, an account at a time. Here the database would take them to read,
    and sort, all that the log has of an account; what stands in a COALESCE or a query of its own is in no index."""
    if scope is None:
        return rows
    owner: Any = Coalesce("account_sid", Value(""))
    if event:
        owner = Subquery(AuditEvent.objects.filter(pk=OuterRef(event)).values("account_sid"))
    owned: QuerySet[Any] = rows.alias(owner=owner)
    return owned.filter(owner__in=sorted(scope))


def aside(events: QuerySet[AuditEvent], **wanted: str) -> QuerySet[AuditEvent]:
    """Those events that have these values too, found by whatever else they are asked for: there are fewer of that, and
    SQLite can't know."""
    compared: QuerySet[AuditEvent] = events.alias(
        **{f"own_{name}": Coalesce(name, Value("")) for name in wanted}
    )
    return compared.filter(**{f"own_{name}": value for name, value in wanted.items()})


def reach(events: QuerySet[AuditEvent], scope: accounts.Scope, *, first: int, last: int) -> int:
    """The place from which on there are at most `OF_ONE` of these events up to `last`. Who may read none of those is not
    told that there are so many."""
    ours = events.filter(seq__gte=first, seq__lte=last)
    beyond = ours.order_by("-seq").values_list("seq", flat=True)[OF_ONE : OF_ONE + 1]
    lowest = next((seq + 1 for seq in beyond), first)
    if scope is None or lowest == first:
        return lowest
    return lowest if of_accounts(ours.filter(seq__gte=lowest), scope).exists() else first


def newest(
    branches: Iterable[QuerySet[AuditEvent]], size: int, *, first: int, last: int, lowest: int
) -> Found:
    """The newest events from `first` to `last` (places, both included) that are in one of the branches. Each branch
    must be one that an index gives in the order of `seq`. Those before `lowest` are not looked at."""
    seqs: set[int] = set()
    for branch in branches:
        ordered = branch.filter(seq__gte=lowest, seq__lte=last).order_by("-seq")
        seqs.update(ordered.values_list("seq", flat=True)[: size + 1])
    wanted = sorted(seqs, reverse=True)[: size + 1]
    events = AuditEvent.objects.filter(seq__in=wanted[:size]).select_related("payload").order_by("-seq")
    found, has_older = list(events), len(wanted) > size
    looked_to = None
    if not has_older and lowest > first:
        looked_to = AuditEvent.objects.filter(seq__gte=lowest).order_by("seq").first()
    return Found(found, has_older, looked_to)


def beside(
    events: QuerySet[AuditEvent], scope: accounts.Scope, seq: int
) -> tuple[AuditEvent | None, AuditEvent | None]:
    """Of these events in the accounts of the scope, the last before a place and the first after it, each account's own
    first: somebody's only account may have nothing in the next million."""
    parts = [events] if scope is None else [events.filter(account_sid=sid) for sid in sorted(scope)]
    before = [part.filter(seq__lt=seq).order_by("-seq").first() for part in parts]
    after = [part.filter(seq__gt=seq).order_by("seq").first() for part in parts]
    return (
        max(filter(None, before), key=lambda event: event.seq, default=None),
        min(filter(None, after), key=lambda event: event.seq, default=None),
    )


def places(since: date | None, until: date | None) -> tuple[int, int]:
    """The first and the last place that an event of these days (in UTC, both included) can have; an empty stretch if
    there is none."""
    if since is None and until is None:
        return 1, audit.last_seq()
    days = AuditDay.objects.all()
    if since:
        days = days.filter(day__gte=since)
    if until:
        days = days.filter(day__lte=until)
    try:
        found = days.aggregate(first=Min("first"), last=Max("last"))
    except ValueError:  # SQLite: a row that is no number, which a verification names
        return 1, audit.last_seq()
    return max(found["first"] or 1, 1), min(found["last"] or 0, audit.last_seq())


def people(scope: accounts.Scope) -> list[str]:
    """Everybody who is on record with something in these accounts, by name."""
    if scope is None:
        return _acted("", [])
    found = {name for sid in scope for name in _acted("account_sid = %s AND", [sid])}
    return sorted(found)


def _acted(where: str, values: Sequence[str]) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(_ACTED.format(where=where), [*values, *values])
        return [label for (label,) in cursor.fetchall()]
