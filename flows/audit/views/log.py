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
from flows.audit.access import Request, permitted
from flows.audit.log_list import matching as matching
from flows.audit.log_list import page_of as page_of
from flows.audit.log_list import readable as readable
from flows.audit.log_paging import Found
from flows.audit.log_query import LogQuery as LogQuery
from flows.audit.models import AuditEntry

CHIPS: Final = {
    "q": "Search", "actor": "User", "action": "Action", "result": "Result", "sid": "Flow", "account": "Account",
    "from_date": "From", "to_date": "To", "plan": "Bulk change",
}  # fmt: skip
SCANNED: Final = {"log": "events", "flow": "changes of this flow", "person": "entries of this user"}
Choice = tuple[str, str]


@require_GET
@permitted("flows.view_auditevent", action="audit.view")
def event_list(request: Request) -> HttpResponse:
    query = LogQuery.of(request.GET)
    people = log_paging.people(request.scope)
    faults = {**query.faults, **log_list.unknown_values(query, request.scope, people)}
    found = Found([], has_older=False) if faults else page_of(query, request.scope)
    here = twilio_accounts.of_scope(request.scope)
    named = {account.sid: account for account in here} if len(here) > 1 else {}
    _decorate(found.entries, named, scope_of(request.user, "flows.change_flow"))
    looked_to = found.looked_to
    context = {
        "events": found.events,
        "query": query,
        "faults": faults.values(),
        "hosts": query.terms.hosts,
        "choices": _choices(query, people, request.scope, named),
        "chips": chips_of(query, request.scope),
        "clear_url": reverse("audit:list"),
        "older_url": query.url(before=found.entries[-1].pk, whole=query.whole) if found.has_older else None,
        "looked_to": looked_to,
        "scanned": _scanned(query.scanned),
        "further_url": query.url(before=looked_to.seq) if looked_to else None,
        "whole_url": query.url(before=query.before, whole="1") if looked_to else None,
        "newest_url": query.url() if query.before else None,
    }
    is_fragment = request.htmx and not request.htmx.history_restore_request
    response = render(request, "audit/_results.html" if is_fragment else "audit/list.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def chips_of(query: LogQuery, scope: twilio_accounts.Scope) -> list[dict[str, str]]:
    """The filters in force, also those that can't be understood, each with its way out."""
    labels = {value: tried for value, (_, tried) in actions.ACTIONS.items()} | actions.RESULT_FILTERS
    labels |= {account.sid: str(account) for account in twilio_accounts.of_scope(scope)}
    if query.plan and "plan" not in query.faults:
        plan = bulk_changes.known().get(query.plan)
        labels[query.plan] = plan.title if plan else query.plan
    chips = [
        {"label": f"{label}: {labels.get(value, value)}", "remove_url": query.url(**{name: ""})}
        for name, label in CHIPS.items()
        if (value := getattr(query, name))
    ]
    named = {"from", "to", *CHIPS}
    others = [sentence for name, sentence in query.faults.items() if name not in named]
    return [*chips, *({"label": sentence, "remove_url": query.url()} for sentence in others)]


def _decorate(
    entries: Sequence[AuditEntry],
    named: Mapping[str, twilio_accounts.Account],
    may_change: twilio_accounts.Scope,
) -> None:
    """Put the account and a decision that waits onto the outcomes that the rows show."""
    for entry in entries:
        entry.outcome.account = named.get(entry.account_sid)  # type: ignore[attr-defined]
    log_list.mark_decisions(entries, may_change)


def _scanned(what: str) -> str:
    """Say how much was searched entry by entry."""
    most = log_paging.STRETCH if what == "log" else log_paging.OF_ONE
    return f"{most:,} {SCANNED[what]}" if what else ""


def _choices(
    query: LogQuery,
    people: Iterable[str],
    scope: twilio_accounts.Scope,
    named: Mapping[str, twilio_accounts.Account],
) -> dict[str, list[Choice]]:
    """The options of the filters. A value that is in force stays one of them, whatever it is."""
    unnamed = [action for action in log_paging.actions(scope) if action not in actions.ACTIONS]
    options: dict[str, list[Choice]] = {
        "actor": [(name, name) for name in people],
        "action": [(value, tried) for value, (_, tried) in actions.ACTIONS.items()],
        "result": list(actions.RESULT_FILTERS.items()),
        "account": [(account.sid, str(account)) for account in named.values()],
    }
    options["action"] += [(action, action) for action in unnamed]
    return {name: _with_value(choices, getattr(query, name)) for name, choices in options.items()}


def _with_value(choices: list[Choice], value: str) -> list[Choice]:
    is_offered: Any = not value or not choices or value in dict(choices)
    return choices if is_offered else [*choices, (value, value)]
