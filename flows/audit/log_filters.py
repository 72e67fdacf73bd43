"""The conditions of a query of the log, and its parts that an index gives in the order of the log."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from flows.accounts import twilio_accounts
from flows.accounts.clients import ATTEMPT_TIMEOUT
from flows.audit import bulk_changes, log_paging
from flows.audit.actions import DriftAction
from flows.audit.log_query import OPEN_RESULTS, RESOLVED_LATER, LogQuery
from flows.audit.models import AuditEntry, AuditEvent, OpenChange, Result
from flows.core import matching

# First syncs and successful sign-ins would bury the rest. A filter by action or flow shows them.
HIDDEN_BY_DEFAULT: Final = Q(action=DriftAction.BASELINE) | Q(
    action__in=("auth.login", "auth.logout"), result=Result.SUCCEEDED
)


def indexed_branches(query: LogQuery, scope: twilio_accounts.Scope) -> list[QuerySet[AuditEntry]]:
    """Split a query into parts that an index gives in the order of the log.

    An `IN` or an `OR` would make the database sort all matches first.
    """
    parts = _split_by_account(filter_entries(query), query, scope)
    if query.plan:
        parts = _split_by_condition(parts, Q(request_id=query.plan), plan_condition(query.plan))
    if not query.actor:
        return parts
    if _is_selective(query):
        return [_filter_actor_unindexed(part, query.actor) for part in parts]
    return _split_by_condition(parts, Q(actor_label=query.actor), Q(resolved_by=query.actor))


def filter_entries(query: LogQuery) -> QuerySet[AuditEntry]:
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


def plan_condition(plan: str) -> Q:
    """Return the condition for the changes of a bulk change."""
    return Q(change_id__in=bulk_changes.implementation().change_ids(plan))


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
