"""The log's list: the entries that a query asks for, a page at a time, and the events that an export of them
has.

A page's cost must not hang on the log's length, so a query is cut into branches that an index gives in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Final

from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from flows.accounts import twilio_accounts
from flows.accounts.clients import ATTEMPT_TIMEOUT
from flows.audit import actions, bulk_changes, log_paging
from flows.audit.log_entries import INCONCLUSIVE_RESULTS, SITE_ACTION_PREFIXES
from flows.audit.log_paging import EntryPage
from flows.audit.log_query import OPEN_RESULTS, RESOLVED_LATER, LogQuery
from flows.audit.models import AuditEntry, AuditEvent, OpenChange, Result
from flows.core import matching as terms

PAGE_SIZE: Final = 50
_VALUE_LABELS: Final = {
    "action": "action",
    "actor": "user in the log",
    "sid": "flow in the log",
    "account": "account",
    "plan": "bulk change",
}
# Left out unless asked for, or they would bury all else: first syncs, and sign-ins without a fault.
HIDDEN_BY_DEFAULT: Final = Q(action="flow.baseline") | Q(
    action__in=("auth.login", "auth.logout"), result=Result.SUCCEEDED
)


def fetch_page(query: LogQuery, scope: twilio_accounts.Scope) -> EntryPage:
    """Return a page of the entries that the query asks for; nothing if it can't be understood."""
    if query.faults:
        return EntryPage([], has_older=False)
    first, last = log_paging.seq_range(_parse_date(query.from_date), _parse_date(query.to_date))
    last = min(last, query.before - 1) if query.before else last
    lowest, entries = first, AuditEntry.objects.all()
    match query.scanned:
        case "log":
            lowest = max(first, last - log_paging.SCAN_WINDOW + 1)
        case "flow":
            of_flow = entries.filter(target_sid__in=query.flow_sids)
            lowest = log_paging.lower_bound(of_flow, scope, first=first, last=last)
        case "person" if scope is None:  # to sign in is of no account
            of_person = entries.filter(actor_label=query.actor)
            lowest = log_paging.lower_bound(of_person, scope, first=first, last=last)
    return log_paging.newest_page(
        _indexed_branches(query, scope), PAGE_SIZE, first=first, last=last, lowest=lowest
    )


def matching_events(query: LogQuery, scope: twilio_accounts.Scope) -> QuerySet[AuditEvent]:
    """Return the event with the present outcome of each entry that the query asks for, whatever the page.

    What is open by now stays as it is by now: an export reads on while changes end, and tells of that the
    next time.
    """
    if query.faults:
        return AuditEvent.objects.none()
    entries = log_paging.filter_accounts(_apply_filters(query), scope)
    if query.account:
        entries = entries.filter(account_sid=query.account)
    if query.plan:
        entries = entries.filter(Q(request_id=query.plan) | _plan_condition(query.plan))
    if query.actor:
        entries = entries.filter(Q(actor_label=query.actor) | Q(resolved_by=query.actor))
    if query.from_date or query.to_date:
        first, last = log_paging.seq_range(_parse_date(query.from_date), _parse_date(query.to_date))
        entries = entries.filter(pk__gte=first, pk__lte=last)
    if query.before:
        entries = entries.filter(pk__lt=query.before)
    still_open = list(OpenChange.objects.values_list("attempt", flat=True))
    outcomes = list(entries.filter(pk__in=still_open).values_list("outcome_id", flat=True))
    # Of one entry at a time: PostgreSQL would gather those of the whole log for each piece of an export.
    entry = Subquery(entries.filter(outcome_id=OuterRef("seq")).values("pk")[:1])
    return AuditEvent.objects.alias(place=entry).filter(
        Q(seq__in=outcomes) | Q(place__isnull=False)
    )


def readable_events(scope: twilio_accounts.Scope) -> QuerySet[AuditEvent]:
    """Return the events that users of these accounts may read. Sign-ins and users are for those of every
    account."""
    events = AuditEvent.objects.all()
    for beginning in () if scope is None else SITE_ACTION_PREFIXES:
        events = events.exclude(action__startswith=beginning)
    return log_paging.filter_accounts(events, scope)


def neighbours(
    entry: AuditEntry | None, scope: twilio_accounts.Scope
) -> tuple[AuditEvent | None, AuditEvent | None]:
    """Return the present outcomes of the entries before and after one in the list, first syncs left out."""
    if entry is None:
        return None, None
    shown = AuditEntry.objects.exclude(action="flow.baseline").select_related("outcome__payload")
    before, after = log_paging.neighbours(shown, scope, entry.pk)
    return before.outcome if before else None, after.outcome if after else None


def unknown_values(
    query: LogQuery, scope: twilio_accounts.Scope, people: Iterable[str]
) -> dict[str, str]:
    """Return, by parameter, which values of a query stand nowhere in what the user may read. `people` are
    those who stand in it."""
    entries = log_paging.filter_accounts(AuditEntry.objects.all(), scope)
    is_known: dict[str, Callable[[], bool]] = {
        "action": lambda: (
            query.action in actions.ACTION_LABELS
            or query.action in log_paging.recorded_actions(scope)
        ),
        "actor": lambda: query.actor in people,
        "sid": lambda: entries.filter(target_sid=query.sid).exists(),
        "account": lambda: _account_exists(query.account, scope),
        "plan": lambda: _plan_exists(query.plan, entries),
    }
    return {
        name: f"No such {_VALUE_LABELS[name]}: {getattr(query, name)}"
        for name, known in is_known.items()
        if getattr(query, name) and name not in query.faults and not known()
    }


def mark_pending_decisions(entries: Sequence[AuditEntry], scope: twilio_accounts.Scope) -> None:
    """Mark the outcomes that wait for the decision of a user who may change the flows of these accounts."""
    waiting = OpenChange.objects.exclude(puzzle="").values_list("attempt", flat=True)
    unknown = {entry.pk for entry in entries if entry.result in INCONCLUSIVE_RESULTS}
    waits = set(waiting.filter(attempt__in=unknown)) if unknown else set()
    for entry in entries:
        can_decide = scope is None or entry.account_sid in scope
        entry.outcome.needs_decision = can_decide and entry.pk in waits  # type: ignore[attr-defined]


def _account_exists(sid: str, scope: twilio_accounts.Scope) -> bool:
    if scope is not None:
        return sid in scope
    is_configured = any(account.sid == sid for account in twilio_accounts.all_accounts())
    return is_configured or AuditEntry.objects.filter(account_sid=sid).exists()


def _plan_exists(plan: str, entries: QuerySet[AuditEntry]) -> bool:
    return bulk_changes.known().get(plan) is not None or entries.filter(request_id=plan).exists()


def _indexed_branches(query: LogQuery, scope: twilio_accounts.Scope) -> list[QuerySet[AuditEntry]]:
    """Cut a query up so that an index has each part in the order of the log: an `IN` or an `OR` would have
    all of it sorted first."""
    parts = _split_by_account(_apply_filters(query), query, scope)
    if query.plan:
        parts = _split_by_condition(parts, Q(request_id=query.plan), _plan_condition(query.plan))
    if not query.actor:
        return parts
    if _is_selective(query):
        return [_filter_actor_unindexed(part, query.actor) for part in parts]
    return _split_by_condition(parts, Q(actor_label=query.actor), Q(resolved_by=query.actor))


def _split_by_account(
    entries: QuerySet[AuditEntry], query: LogQuery, scope: twilio_accounts.Scope
) -> list[QuerySet[AuditEntry]]:
    sids = frozenset({query.account}) if query.account else scope
    if query.account and scope is not None:
        sids = scope & {query.account}
    if sids is None:
        return [entries]
    if _is_selective(query):  # the flow's or the plan's, not the accounts'
        return [log_paging.filter_accounts(entries, sids)]
    return [entries.filter(account_sid=sid) for sid in sorted(sids)]


def _split_by_condition(
    parts: list[QuerySet[AuditEntry]], *conditions: Q
) -> list[QuerySet[AuditEntry]]:
    return [part.filter(condition) for part in parts for condition in conditions]


def _is_selective(query: LogQuery) -> bool:
    """True if the query names something that is rarer than an account, a user, an action or a result."""
    return query.is_narrow or bool(query.flow_sids)


def _filter_actor_unindexed(entries: QuerySet[AuditEntry], actor: str) -> QuerySet[AuditEntry]:
    compared = entries.alias(
        own_actor=Coalesce("actor_label", Value("")),
        own_resolver=Coalesce("resolved_by", Value("")),
    )
    return compared.filter(Q(own_actor=actor) | Q(own_resolver=actor))


def _plan_condition(plan: str) -> Q:
    return Q(change_id__in=bulk_changes.known().change_ids(plan))


def _apply_filters(query: LogQuery) -> QuerySet[AuditEntry]:
    """Apply every filter but those that `_branches` cuts the query by: accounts, actor, bulk change and
    place."""
    entries = AuditEntry.objects.all()
    if not query.action:
        entries = entries.exclude(HIDDEN_BY_DEFAULT)
    entries = _filter_result(entries, query.result, is_unindexed=_is_selective(query))
    if query.action:
        is_unindexed = _is_selective(query)
        entries = (
            log_paging.filter_unindexed(entries, action=query.action)
            if is_unindexed
            else entries.filter(action=query.action)
        )
    for sid in sorted(query.flow_sids):
        entries = (
            log_paging.filter_unindexed(entries, target_sid=sid)
            if query.is_narrow
            else entries.filter(target_sid=sid)
        )
    if query.from_date:
        entries = entries.filter(at__gte=_start_of_day(query.from_date))
    if query.to_date:
        end = datetime.combine(date.fromisoformat(query.to_date), time.max, UTC)
        entries = entries.filter(at__lte=end)
    return _filter_terms(entries, query)


def _filter_result(
    entries: QuerySet[AuditEntry], result: str, *, is_unindexed: bool
) -> QuerySet[AuditEntry]:
    if result in OPEN_RESULTS:
        return entries.filter(pk__in=list(_open_attempts(result)))  # few, however long the log
    if result == RESOLVED_LATER:
        return entries.filter(resolved_by__isnull=False)
    if not result:
        return entries
    return (
        log_paging.filter_unindexed(entries, result=result)
        if is_unindexed
        else entries.filter(result=result)
    )


def _open_attempts(result: str) -> QuerySet[OpenChange, Any]:
    """The attempts of open changes: without an outcome, with an unknown one, or all. An attempt that is
    older than any call takes has an unknown outcome too."""
    changes = OpenChange.objects.values_list("attempt", flat=True)
    if result == Result.PENDING:
        return changes.filter(latest=F("attempt"))
    if result == Result.UNKNOWN:
        died = Q(attempt__at__lt=timezone.now() - ATTEMPT_TIMEOUT)
        return changes.filter(Q(latest__result=Result.UNKNOWN) | died)
    return changes


def _filter_terms(entries: QuerySet[AuditEntry], query: LogQuery) -> QuerySet[AuditEntry]:
    asked = query.terms
    for one in asked.ids:
        entries = entries.filter(pk__in=_entry_seqs_by_id(one))
    for start, end in asked.short_sids:
        entries = entries.filter(text__contains=start).filter(text__contains=end)
    return (
        entries.filter(terms.text_filter(asked.text, name="text", identity="text"))
        if asked.text
        else entries
    )


def _entry_seqs_by_id(one: str) -> list[int]:
    """The places of the entries that an id of an event, a change or a request belongs to."""
    is_it = Q(remote_request_id=one)
    if not one.upper().startswith("RQ"):
        is_it = Q(event_id=one) | Q(change_id=one) | Q(request_id=one)
    found = list(AuditEvent.objects.filter(is_it).values_list("seq", "change_id"))
    changes = AuditEntry.objects.filter(change_id__in={change for _, change in found if change})
    return [*(seq for seq, _ in found), *changes.values_list("pk", flat=True)]


def _parse_date(day: str) -> date | None:
    return date.fromisoformat(day) if day else None


def _start_of_day(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time.min, UTC)
