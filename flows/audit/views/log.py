"""The list of the audit log, with its filters, which an export shares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET

from flows.accounts import twilio_accounts
from flows.accounts.permissions import has_permission_everywhere
from flows.audit import (
    action_registry,
    bulk_changes,
    day_counts,
    log_filter_checks,
    log_list,
    log_paging,
    log_presets,
)
from flows.audit.access import Request, require_permission
from flows.audit.actions import AuditAction
from flows.audit.log_entries import SITE_ACTION_PREFIXES
from flows.audit.log_list import fetch_page as fetch_page
from flows.audit.log_list import matching_events as matching_events
from flows.audit.log_list import readable_events as readable_events
from flows.audit.log_paging import EntryPage
from flows.audit.log_query import LogQuery as LogQuery
from flows.audit.models import AuditEntry, AuditEvent
from flows.audit.views.histogram import Histogram
from flows.core import local_days
from flows.core.safe_text import short

CHIP_LABELS: Final = {
    "q": "Search",
    "actor": "User",
    "action": "Action",
    "result": "Result",
    "sid": "Flow",
    "account": "Account",
    "from_date": "From",
    "to_date": "To",
    "plan": "Bulk change",
}
SCAN_LABELS: Final = {
    "log": "events",
    "flow": "changes of this flow",
    "user": "entries of this user",
}
Choice = tuple[str, str]


@require_GET
@require_permission("flows.view_auditevent", action=AuditAction.VIEW)
def event_list(request: Request) -> HttpResponse:
    """Show a page of the log, or only its results for a request of htmx."""
    query = LogQuery.from_parameters(request.GET)
    username = request.user.get_username()
    actor_labels = log_paging.actor_labels(request.scope)
    # "Mine" is a valid filter before the first change, too.
    valid_labels = [*actor_labels, username]
    faults = {
        **query.faults,
        **log_filter_checks.unknown_values(query, request.scope, valid_labels),
    }
    page = EntryPage([], has_older=False) if faults else fetch_page(query, request.scope)
    accounts = twilio_accounts.marked_accounts(request.scope)
    _annotate_entries(page.entries, accounts, request.user)
    context = {
        "events": page.events,
        "days": _group_by_day(page.events),
        "histogram": None if faults else _build_histogram(query, request.scope, page),
        "query": query,
        "faults": faults.values(),
        "hosts": query.terms.hosts,
        "choices": _filter_choices(query, actor_labels, request.scope, accounts),
        "chips": filter_chips(query, request.scope),
        "clear_url": reverse("audit:list"),
        "can_erase": has_permission_everywhere(request.user, "flows.erase_auditevent"),
        "presets": log_presets.build_presets(query, username, local_days.today()),
        "scanned_to": page.scanned_to,
        "scanned": _scan_description(query.scan_scope),
        **_page_urls(query, page),
    }
    is_fragment = request.htmx and not request.htmx.history_restore_request
    template = "audit/_results.html" if is_fragment else "audit/list.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _build_histogram(
    query: LogQuery, scope: twilio_accounts.Scope, page: EntryPage
) -> Histogram | None:
    """Return the chart above a page's rows, or None if there is nothing to draw."""
    days = day_counts.count_days(query, scope, page)
    return Histogram(query, days) if days else None


def _group_by_day(events: Iterable[AuditEvent]) -> list[tuple[date, list[AuditEvent]]]:
    """Return the events of a page by the day, in the user's time zone, of each change's start."""
    days = groupby(events, key=lambda event: local_days.day_of(event.entry.start.at))
    return [(day, list(events_of_day)) for day, events_of_day in days]


def _page_urls(query: LogQuery, page: EntryPage) -> dict[str, str | None]:
    """Return the URLs of the other pages and searches that this page leads to, or None."""
    names = ("older_url", "continue_url", "whole_url", "newest_url")
    urls: dict[str, str | None] = dict.fromkeys(names)
    if page.has_older:
        urls["older_url"] = query.url(before=page.entries[-1].pk, whole=query.whole)
    if page.scanned_to:
        urls["continue_url"] = query.url(before=page.scanned_to.seq)
        urls["whole_url"] = query.url(before=query.before, whole="1")
    if query.before:
        urls["newest_url"] = query.url()
    return urls


def filter_chips(
    query: LogQuery, scope: twilio_accounts.Scope, *, omitted: Iterable[str] = ()
) -> list[dict[str, str]]:
    """Return a label and the URL without the filter, for each active filter, valid or not.

    `omitted` are the names of filters that the page shows in another way.
    """
    labels = _value_labels(query, scope)
    chips = []
    for name, label in CHIP_LABELS.items():
        value = getattr(query, name)
        if value and name not in omitted:
            text = f"{label}: {labels.get(value, value)}"
            if name in ("from_date", "to_date") and str(query.zone) != "UTC":
                text += f" ({query.zone})"
            chips.append({"label": text, "remove_url": query.url(**{name: ""})})
    filter_parameters = {"from", "to", *CHIP_LABELS}
    for name, message in query.faults.items():
        if name not in filter_parameters:
            chips.append({"label": message, "remove_url": query.url()})
    return chips


def _value_labels(query: LogQuery, scope: twilio_accounts.Scope) -> dict[str, str]:
    """Return the labels of actions, results, accounts, the query's flow and bulk change by value."""
    labels = action_registry.infinitives() | action_registry.RESULT_FILTER_LABELS
    labels |= {account.sid: str(account) for account in twilio_accounts.visible_accounts(scope)}
    return labels | _flow_names(query, scope) | _plan_titles(query)


def _flow_names(query: LogQuery, scope: twilio_accounts.Scope) -> dict[str, str]:
    """Return the query's flow with its last name in the log, by SID. It is empty without one."""
    sid = query.valid_value("sid")
    if not sid:
        return {}
    events = log_paging.filter_accounts(AuditEvent.objects.filter(target_sid=sid), scope)
    named = events.filter(payload__friendly_name__gt="").select_related("payload")
    event = named.order_by("-seq").first()
    return {sid: f"{event.payload.friendly_name} · {short(sid)}"} if event else {}


def _plan_titles(query: LogQuery) -> dict[str, str]:
    """Return the title of the query's bulk change by its id. It is empty without one."""
    plan_id = query.valid_value("plan")
    if not plan_id:
        return {}
    plan = bulk_changes.implementation().get(plan_id)
    if plan is None:
        return {}
    return {plan_id: plan.title}


def _annotate_entries(
    entries: Sequence[AuditEntry],
    accounts: Mapping[str, twilio_accounts.Account],
    user: Any,
) -> None:
    """Set `account` and `needs_decision` on the outcomes, for the rows of the list."""
    for entry in entries:
        entry.outcome.account = accounts.get(entry.account_sid)  # type: ignore[attr-defined]
    log_list.mark_pending_decisions(entries, user)


def _scan_description(scan_scope: str) -> str:
    """Return the number and kind of the entries that were searched, such as "10,000 events"."""
    if not scan_scope:
        return ""
    size = log_paging.SCAN_WINDOW if scan_scope == "log" else log_paging.NARROW_SCAN_WINDOW
    return f"{size:,} {SCAN_LABELS[scan_scope]}"


def _is_site_choice(choice: Choice) -> bool:
    action, _ = choice
    return action.startswith(SITE_ACTION_PREFIXES)


def _filter_choices(
    query: LogQuery,
    actor_labels: Iterable[str],
    scope: twilio_accounts.Scope,
    accounts: Mapping[str, twilio_accounts.Account],
) -> dict[str, list[Choice]]:
    """Return the options of each filter. They always include the query's own value."""
    options: dict[str, list[Choice]] = {
        "actor": [(name, name) for name in actor_labels],
        "action": _action_choices(scope),
        "result": list(action_registry.RESULT_FILTER_LABELS.items()),
        "account": [(account.sid, str(account)) for account in accounts.values()],
    }
    return {
        name: _include_current_value(choices, getattr(query, name))
        for name, choices in options.items()
    }


def _action_choices(scope: twilio_accounts.Scope) -> list[Choice]:
    """Return the registered actions, and the logged ones that this version has no label for.

    Among the registered ones, those of sign-ins and users come last.
    """
    labels = action_registry.infinitives()
    registered = sorted(labels.items(), key=_is_site_choice)
    unregistered = [value for value in log_paging.recorded_actions(scope) if value not in labels]
    return registered + [(value, value) for value in unregistered]


def _include_current_value(choices: list[Choice], value: str) -> list[Choice]:
    """Add the query's own value to the choices of a filter, if it has any choices."""
    if not value or not choices or value in dict(choices):
        return choices
    return [*choices, (value, value)]
