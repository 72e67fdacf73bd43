"""Reading the audit log: the list with its filters, which an export shares. One event is in event.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET

from flows.accounts import twilio_accounts
from flows.accounts.permissions import scope_of
from flows.audit import actions, bulk_changes, log_list, log_paging
from flows.audit.access import Request, require_permission
from flows.audit.log_list import fetch_page as fetch_page
from flows.audit.log_list import matching_events as matching_events
from flows.audit.log_list import readable_events as readable_events
from flows.audit.log_paging import EntryPage
from flows.audit.log_query import LogQuery as LogQuery
from flows.audit.models import AuditEntry

CHIP_LABELS: Final = {
    "q": "Search", "actor": "User", "action": "Action", "result": "Result", "sid": "Flow", "account": "Account",
    "from_date": "From", "to_date": "To", "plan": "Bulk change",
}  # fmt: skip
SCAN_LABELS: Final = {
    "log": "events",
    "flow": "changes of this flow",
    "person": "entries of this user",
}
Choice = tuple[str, str]


@require_GET
@require_permission("flows.view_auditevent", action="audit.view")
def event_list(request: Request) -> HttpResponse:
    query = LogQuery.of(request.GET)
    people = log_paging.actor_labels(request.scope)
    faults = {**query.faults, **log_list.unknown_values(query, request.scope, people)}
    found = EntryPage([], has_older=False) if faults else fetch_page(query, request.scope)
    here = twilio_accounts.visible_accounts(request.scope)
    named = {account.sid: account for account in here} if len(here) > 1 else {}
    _annotate_entries(found.entries, named, scope_of(request.user, "flows.change_flow"))
    scanned_to = found.scanned_to
    context = {
        "events": found.events,
        "query": query,
        "faults": faults.values(),
        "hosts": query.terms.hosts,
        "choices": _filter_choices(query, people, request.scope, named),
        "chips": filter_chips(query, request.scope),
        "clear_url": reverse("audit:list"),
        "older_url": query.url(before=found.entries[-1].pk, whole=query.whole)
        if found.has_older
        else None,
        "scanned_to": scanned_to,
        "scanned": _scan_description(query.scanned),
        "continue_url": query.url(before=scanned_to.seq) if scanned_to else None,
        "whole_url": query.url(before=query.before, whole="1") if scanned_to else None,
        "newest_url": query.url() if query.before else None,
    }
    is_fragment = request.htmx and not request.htmx.history_restore_request
    response = render(request, "audit/_results.html" if is_fragment else "audit/list.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def filter_chips(query: LogQuery, scope: twilio_accounts.Scope) -> list[dict[str, str]]:
    """The filters in force, also those that can't be understood, each with its way out."""
    labels = {
        value: tried for value, (_, tried) in actions.ACTION_LABELS.items()
    } | actions.RESULT_FILTER_LABELS
    labels |= {account.sid: str(account) for account in twilio_accounts.visible_accounts(scope)}
    if query.plan and "plan" not in query.faults:
        plan = bulk_changes.known().get(query.plan)
        labels[query.plan] = plan.title if plan else query.plan
    chips = [
        {"label": f"{label}: {labels.get(value, value)}", "remove_url": query.url(**{name: ""})}
        for name, label in CHIP_LABELS.items()
        if (value := getattr(query, name))
    ]
    named = {"from", "to", *CHIP_LABELS}
    others = [sentence for name, sentence in query.faults.items() if name not in named]
    return [*chips, *({"label": sentence, "remove_url": query.url()} for sentence in others)]


def _annotate_entries(
    entries: Sequence[AuditEntry],
    named: Mapping[str, twilio_accounts.Account],
    may_change: twilio_accounts.Scope,
) -> None:
    """Put the account and a decision that waits onto the outcomes that the rows show."""
    for entry in entries:
        entry.outcome.account = named.get(entry.account_sid)  # type: ignore[attr-defined]
    log_list.mark_pending_decisions(entries, may_change)


def _scan_description(what: str) -> str:
    """Say how much was searched entry by entry."""
    most = log_paging.SCAN_WINDOW if what == "log" else log_paging.NARROW_SCAN_WINDOW
    return f"{most:,} {SCAN_LABELS[what]}" if what else ""


def _filter_choices(
    query: LogQuery,
    people: Iterable[str],
    scope: twilio_accounts.Scope,
    named: Mapping[str, twilio_accounts.Account],
) -> dict[str, list[Choice]]:
    """The options of the filters. A value that is in force stays one of them, whatever it is."""
    unnamed = [
        action
        for action in log_paging.recorded_actions(scope)
        if action not in actions.ACTION_LABELS
    ]
    options: dict[str, list[Choice]] = {
        "actor": [(name, name) for name in people],
        "action": [(value, tried) for value, (_, tried) in actions.ACTION_LABELS.items()],
        "result": list(actions.RESULT_FILTER_LABELS.items()),
        "account": [(account.sid, str(account)) for account in named.values()],
    }
    options["action"] += [(action, action) for action in unnamed]
    return {
        name: _include_current_value(choices, getattr(query, name))
        for name, choices in options.items()
    }


def _include_current_value(choices: list[Choice], value: str) -> list[Choice]:
    is_offered: Any = not value or not choices or value in dict(choices)
    return choices if is_offered else [*choices, (value, value)]
