"""The entries of the log's list that match a query, as pages, and their events for an export.

The cost of a page must not grow with the log: log_filters.py splits a query into branches, each of
which an index gives in the order of the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from django.db.models import OuterRef, Q, QuerySet, Subquery

from flows.accounts import twilio_accounts
from flows.accounts.permissions import can_decide
from flows.audit import log_filters, log_paging
from flows.audit.actions import DriftAction
from flows.audit.log_entries import INCONCLUSIVE_RESULTS, SITE_ACTION_PREFIXES
from flows.audit.log_filters import filter_entries, plan_condition
from flows.audit.log_paging import EntryPage
from flows.audit.log_query import LogQuery
from flows.audit.models import AuditEntry, AuditEvent, ChainHead, OpenChange
from flows.twilio.registry import resource_of_action

PAGE_SIZE: Final = 50


def fetch_page(query: LogQuery, scope: twilio_accounts.Scope) -> EntryPage:
    """Return a page of the entries that match the query. It is empty for a query with faults."""
    if query.faults:
        return EntryPage([], has_older=False)
    first, newest = _seq_range(query)
    last = min(newest, query.before - 1) if query.before else newest
    lowest = _lowest_scanned(query, scope, first, last)
    branches = log_filters.indexed_branches(query, scope)
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
    entries = log_paging.filter_accounts(filter_entries(query), scope)
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
    entries = log_paging.filter_accounts(filter_entries(query), scope)
    if query.account:
        entries = entries.filter(account_sid=query.account)
    if query.plan:
        entries = entries.filter(Q(request_id=query.plan) | plan_condition(query.plan))
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


def mark_pending_decisions(entries: Sequence[AuditEntry], user: Any) -> None:
    """Set `needs_decision` on the outcomes that need a decision by this user."""
    undecided = _ambiguous_attempts(entries)
    for entry in entries:
        needs_decision = entry.pk in undecided and can_decide(
            user, resource_of_action(entry.action), entry.account_sid
        )
        entry.outcome.needs_decision = needs_decision  # type: ignore[attr-defined]


def _ambiguous_attempts(entries: Sequence[AuditEntry]) -> set[int]:
    """Return the seqs of the entries whose change reading can't resolve."""
    unresolved = [entry.pk for entry in entries if entry.result in INCONCLUSIVE_RESULTS]
    changes = OpenChange.objects.exclude(ambiguity="").filter(attempt__in=unresolved)
    return set(changes.values_list("attempt", flat=True))


def _seq_range(query: LogQuery) -> tuple[int, int]:
    """Return the first and last seq that an event of the query's days can have."""
    return log_paging.seq_range(query.since, query.until)
