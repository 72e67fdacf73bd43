"""The entries of the log's list that match a query, as pages, and their events for an export.

The cost of a page must not grow with the log. So a query is split into branches, each of which an
index gives in the order of the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from flows.accounts import twilio_accounts
from flows.accounts.clients import ATTEMPT_TIMEOUT
from flows.audit import action_registry, bulk_changes, log_paging
from flows.audit.actions import DriftAction
from flows.audit.log_entries import INCONCLUSIVE_RESULTS, SITE_ACTION_PREFIXES
from flows.audit.log_paging import EntryPage
from flows.audit.log_query import OPEN_RESULTS, RESOLVED_LATER, LogQuery
from flows.audit.models import AuditEntry, AuditEvent, ChainHead, OpenChange, Result
from flows.core import matching

PAGE_SIZE: Final = 50
_VALUE_LABELS: Final = {
    "action": "action",
    "actor": "user in the log",
    "sid": "flow in the log",
    "account": "account",
    "plan": "bulk change",
}
# First syncs and successful sign-ins would bury the rest. A filter by action or flow shows them.
HIDDEN_BY_DEFAULT: Final = Q(action=DriftAction.BASELINE) | Q(
    action__in=("auth.login", "auth.logout"), result=Result.SUCCEEDED
)


def fetch_page(query: LogQuery, scope: twilio_accounts.Scope) -> EntryPage:
    """Return a page of the entries that match the query. It is empty for a query with faults."""
    if query.faults:
        return EntryPage([], has_older=False)
    first, newest = _seq_range(query)
    last = min(newest, query.before - 1) if query.before else newest
    lowest = _lowest_scanned(query, scope, first, last)
    branches = indexed_branches(query, scope)
    page = log_paging.newest_page(branches, PAGE_SIZE, first=first, last=last, lowest=lowest)
    return replace(page, newest=newest)


def _lowest_scanned(query: LogQuery, scope: twilio_accounts.Scope, first: int, last: int) -> int:
    """Return the oldest seq to search for a page, `first` if an index finds its entries."""
    match query.scan_scope:
        case "log":
            return max(first, last - log_paging.SCAN_WINDOW + 1)
        case "flow":
            flow_entries = AuditEntry.objects.filter(target_sid__in=query.flow_sids)
            return log_paging.lower_bound(flow_entries, scope, first=first, last=last)
        case "user" if scope is None:  # sign-ins belong to no account
            user_entries = AuditEntry.objects.filter(actor_label=query.actor)
            return log_paging.lower_bound(user_entries, scope, first=first, last=last)
    return first


def find_newest(query: LogQuery, scope: twilio_accounts.Scope, limit: int) -> list[AuditEntry]:
    """Return the newest entries that match a search, up to `limit`.

    They are searched with one database query, or with three for the id of an event. Of a log that
    no index can search, only the newest `SCAN_WINDOW` entries are searched.
    """
    if query.faults:
        return []
    entries = log_paging.filter_accounts(_apply_filters(query), scope)
    if query.scan_scope == "log":
        newest = Subquery(ChainHead.objects.values("seq")[:1])
        entries = entries.filter(pk__gt=newest - log_paging.SCAN_WINDOW)
    newest_first = entries.order_by("-start_id").select_related("start", "outcome__payload")
    return list(newest_first[:limit])


def matching_events(query: LogQuery, scope: twilio_accounts.Scope) -> QuerySet[AuditEvent]:
    """Return the event with the current outcome of each entry that matches, on any page.

    The outcomes of open changes are those of now. An export reads on while changes end; their new
    outcomes are left to the next export.
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
    if query.has_period:
        first, last = _seq_range(query)
        entries = entries.filter(pk__gte=first, pk__lte=last)
    open_attempts = list(OpenChange.objects.values_list("attempt", flat=True))
    outcomes = list(entries.filter(pk__in=open_attempts).values_list("outcome_id", flat=True))
    # A subquery for each event: PostgreSQL would collect the whole log for each batch otherwise.
    entry = Subquery(entries.filter(outcome_id=OuterRef("seq")).values("pk")[:1])
    return AuditEvent.objects.alias(entry_seq=entry).filter(
        Q(seq__in=outcomes) | Q(entry_seq__isnull=False)
    )


def readable_events(scope: twilio_accounts.Scope) -> QuerySet[AuditEvent]:
    """Return the events that users of these accounts may read.

    Only users of all accounts may read about sign-ins and users.
    """
    events = AuditEvent.objects.all()
    if scope is None:
        return events
    for prefix in SITE_ACTION_PREFIXES:
        events = events.exclude(action__startswith=prefix)
    return log_paging.filter_accounts(events, scope)


def neighbours(
    entry: AuditEntry | None, scope: twilio_accounts.Scope
) -> tuple[AuditEvent | None, AuditEvent | None]:
    """Return the current outcomes of the entries before and after one, without first syncs."""
    if entry is None:
        return None, None
    entries = AuditEntry.objects.exclude(action=DriftAction.BASELINE).select_related(
        "outcome__payload"
    )
    before, after = log_paging.neighbours(entries, scope, entry.pk)
    return _outcome_of(before), _outcome_of(after)


def _outcome_of(entry: AuditEntry | None) -> AuditEvent | None:
    return entry.outcome if entry else None


def unknown_values(
    query: LogQuery, scope: twilio_accounts.Scope, labels: Iterable[str]
) -> dict[str, str]:
    """Return an error message, by parameter, for each value that nothing readable has.

    `labels` are those of all users in the readable part of the log.
    """
    entries = log_paging.filter_accounts(AuditEntry.objects.all(), scope)
    checks: dict[str, Callable[[], bool]] = {
        "action": lambda: _action_exists(query.action, scope),
        "actor": lambda: query.actor in labels,
        "sid": lambda: entries.filter(target_sid=query.sid).exists(),
        "account": lambda: _account_exists(query.account, scope),
        "plan": lambda: _plan_exists(query.plan, entries),
    }
    messages = {}
    for name, exists in checks.items():
        value = query.valid_value(name)
        if value and not exists():
            messages[name] = f"No such {_VALUE_LABELS[name]}: {value}"
    return messages


def mark_pending_decisions(entries: Sequence[AuditEntry], scope: twilio_accounts.Scope) -> None:
    """Set `needs_decision` on the outcomes that need a decision by a user.

    `scope` are the accounts whose flows the user may change.
    """
    undecided = _ambiguous_attempts(entries)
    for entry in entries:
        can_decide = scope is None or entry.account_sid in scope
        needs_decision = can_decide and entry.pk in undecided
        entry.outcome.needs_decision = needs_decision  # type: ignore[attr-defined]


def _ambiguous_attempts(entries: Sequence[AuditEntry]) -> set[int]:
    """Return the seqs of the entries whose change reading can't resolve."""
    unresolved = [entry.pk for entry in entries if entry.result in INCONCLUSIVE_RESULTS]
    changes = OpenChange.objects.exclude(ambiguity="").filter(attempt__in=unresolved)
    return set(changes.values_list("attempt", flat=True))


def _action_exists(action: str, scope: twilio_accounts.Scope) -> bool:
    """Return True for an action that is registered, or that the readable part of the log has."""
    if action_registry.find(action) is not None:
        return True
    return action in log_paging.recorded_actions(scope)


def _account_exists(sid: str, scope: twilio_accounts.Scope) -> bool:
    """Return True for a readable account that the site has or that the log mentions."""
    if scope is not None:
        return sid in scope
    try:
        twilio_accounts.get_account(sid)
    except twilio_accounts.AccountNotConfigured:
        return AuditEntry.objects.filter(account_sid=sid).exists()
    return True


def _plan_exists(plan: str, entries: QuerySet[AuditEntry]) -> bool:
    """Return True for a bulk change that is stored, or that one of these entries belongs to."""
    if bulk_changes.implementation().get(plan) is not None:
        return True
    return entries.filter(request_id=plan).exists()


def indexed_branches(query: LogQuery, scope: twilio_accounts.Scope) -> list[QuerySet[AuditEntry]]:
    """Split a query into parts that an index gives in the order of the log.

    An `IN` or an `OR` would make the database sort all matches first.
    """
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
    """Return one query for each account that is readable and asked for, or one for all of them."""
    sids = _requested_accounts(query, scope)
    if sids is None:
        return [entries]
    if _is_selective(query):  # the index of the flow or the plan serves, not that of the accounts
        return [log_paging.filter_accounts(entries, sids)]
    return [entries.filter(account_sid=sid) for sid in sorted(sids)]


def _requested_accounts(query: LogQuery, scope: twilio_accounts.Scope) -> twilio_accounts.Scope:
    """Return the scope, or only the account of the query if it is in the scope."""
    if not query.account:
        return scope
    requested = frozenset({query.account})
    return requested if scope is None else scope & requested


def _split_by_condition(
    parts: list[QuerySet[AuditEntry]], *conditions: Q
) -> list[QuerySet[AuditEntry]]:
    """Return each part once with each condition, so that an entry needs to meet one of them."""
    return [part.filter(condition) for part in parts for condition in conditions]


def _is_selective(query: LogQuery) -> bool:
    """Return True if a condition is more selective than account, user, action and result."""
    return query.is_narrow or bool(query.flow_sids)


def _filter_actor_unindexed(entries: QuerySet[AuditEntry], actor: str) -> QuerySet[AuditEntry]:
    """Filter entries by actor or resolver, without the indexes of these columns."""
    compared = entries.alias(
        own_actor=Coalesce("actor_label", Value("")),
        own_resolver=Coalesce("resolved_by", Value("")),
    )
    return compared.filter(Q(own_actor=actor) | Q(own_resolver=actor))


def _plan_condition(plan: str) -> Q:
    """Return the condition for the changes of a bulk change."""
    return Q(change_id__in=bulk_changes.implementation().change_ids(plan))


def _apply_filters(query: LogQuery) -> QuerySet[AuditEntry]:
    """Apply all filters except those that split the query: accounts, actor, bulk change and seq."""
    is_selective = _is_selective(query)
    entries = AuditEntry.objects.all()
    entries = _filter_result(entries, query.result, is_unindexed=is_selective)
    if query.action:
        entries = _filter_column(entries, "action", query.action, is_unindexed=is_selective)
    elif not query.flow_sids:
        entries = entries.exclude(HIDDEN_BY_DEFAULT)
    for sid in sorted(query.flow_sids):
        entries = _filter_column(entries, "target_sid", sid, is_unindexed=query.is_narrow)
    return _filter_terms(filter_days(entries, query), query)


def filter_days(rows: QuerySet[Any], query: LogQuery) -> QuerySet[Any]:
    """Filter entries or events by the query's days."""
    if query.since:
        rows = rows.filter(at__gte=query.since)
    if query.until:
        rows = rows.filter(at__lt=query.until)
    return rows


def _filter_column(
    entries: QuerySet[AuditEntry], column: str, value: str, *, is_unindexed: bool
) -> QuerySet[AuditEntry]:
    """Filter entries by a column. `is_unindexed` leaves the index to a more selective condition."""
    if is_unindexed:
        return log_paging.filter_unindexed(entries, **{column: value})
    return entries.filter(**{column: value})


def _filter_result(
    entries: QuerySet[AuditEntry], result: str, *, is_unindexed: bool
) -> QuerySet[AuditEntry]:
    """Filter entries by a result, by open changes, or by changes that were resolved later."""
    if result in OPEN_RESULTS:
        return entries.filter(pk__in=list(_open_attempts(result)))  # few, however long the log is
    if result == RESOLVED_LATER:
        return entries.filter(resolved_by__isnull=False)
    if not result:
        return entries
    return _filter_column(entries, "result", result, is_unindexed=is_unindexed)


def _open_attempts(result: str) -> QuerySet[OpenChange, Any]:
    """Return the attempts of open changes: without an outcome, with an unknown one, or all.

    The outcome of an attempt older than `ATTEMPT_TIMEOUT` is unknown, too.
    """
    changes = OpenChange.objects.values_list("attempt", flat=True)
    if result == Result.PENDING:
        return changes.filter(latest=F("attempt"))
    if result == Result.UNKNOWN:
        has_timed_out = Q(attempt__at__lt=timezone.now() - ATTEMPT_TIMEOUT)
        return changes.filter(Q(latest__result=Result.UNKNOWN) | has_timed_out)
    return changes


def _filter_terms(entries: QuerySet[AuditEntry], query: LogQuery) -> QuerySet[AuditEntry]:
    """Filter entries by the words of the search, except complete SIDs of flows."""
    terms = query.terms
    for identifier in terms.ids:
        entries = entries.filter(pk__in=_entry_seqs_by_id(identifier))
    for start, end in terms.short_sids:
        entries = entries.filter(text__contains=start).filter(text__contains=end)
    if terms.text:
        entries = entries.filter(matching.text_filter(terms.text, name="text", identity="text"))
    return entries


def _entry_seqs_by_id(identifier: str) -> list[int]:
    """Return the seqs of the entries that have the id of an event, a change or a request."""
    has_id = Q(event_id=identifier) | Q(change_id=identifier) | Q(request_id=identifier)
    if identifier.upper().startswith("RQ"):
        has_id = Q(remote_request_id=identifier)
    seqs, change_ids = [], set()
    for seq, change_id in AuditEvent.objects.filter(has_id).values_list("seq", "change_id"):
        seqs.append(seq)
        change_ids.add(change_id)
    # An event without a change is an entry of its own.
    change_ids.discard(None)
    changes = AuditEntry.objects.filter(change_id__in=change_ids)
    return [*seqs, *changes.values_list("pk", flat=True)]


def _seq_range(query: LogQuery) -> tuple[int, int]:
    """Return the first and last seq that an event of the query's days can have."""
    return log_paging.seq_range(query.since, query.until)
