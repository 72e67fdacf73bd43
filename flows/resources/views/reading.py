"""The pages that show the Flex API: what there is, the list of a resource, and one object.

Everything is read from Twilio as the page is shown. Nothing is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from flows.accounts import twilio_accounts
from flows.accounts.clients import READ_DEADLINE
from flows.accounts.permissions import resource_permission, scope_of
from flows.audit import log_paging
from flows.audit.access import Request, require_permission
from flows.audit.models import AuditEvent
from flows.changes import failure_messages, in_flight
from flows.changes.problem import Problem
from flows.core.normalization import normalize_text
from flows.mirror import flow_reads, live
from flows.redaction.redacted import redact_snapshot
from flows.resources import children, displayed, links, refusals, usage
from flows.resources.access import require_resource_permission
from flows.resources.list_filter import ListFilter
from flows.resources.names import load_names
from flows.resources.views import release_pages
from flows.resources.views.offered import can
from flows.twilio.errors import FlexError
from flows.twilio.flex.channel import CHANNEL
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.flex_resources import FLEX_RESOURCES
from flows.twilio.paging import FIRST_PAGE, PageCursor, parse_cursor
from flows.twilio.resource import Resource, Snapshot

HISTORY_LENGTH: Final = 20  # events
MAX_QUERY_LENGTH: Final = 256  # characters of a search
FLEX_FLOW_FIELD: Final = "flex_flow_sid"  # of the resources that belong to a flow


@require_GET
@require_permission("flows.view_flow", action="flow.view")
def resource_overview(request: Request) -> HttpResponse:
    """Show the resources of the Flex API, those last that Twilio refuses to list."""
    accounts = twilio_accounts.visible_accounts(request.scope)
    refused = refusals.load_refusals(account.sid for account in accounts)
    available, unavailable = [], []
    for resource in FLEX_RESOURCES:
        visible_scope = scope_of(request.user, resource_permission(resource, "view"))
        visible = twilio_accounts.visible_accounts(visible_scope)
        if not visible:
            continue
        entry = {"resource": resource, "url": links.list_url(resource, "")}
        reasons = [refused.get((account.sid, resource.name)) for account in visible]
        if all(reasons):
            reason = refusals.explain_status(reasons[0].status if reasons[0] else None)
            unavailable.append({**entry, "reason": reason})
        else:
            available.append(entry)
    context = {"available": available, "unavailable": unavailable}
    return render(request, "resources/overview.html", context)


@require_GET
@require_resource_permission("view")
def resource_list(request: Request, resource: Resource) -> HttpResponse:
    """Show one of Twilio's pages of a resource, and search within it."""
    account_sid = request.account_sid
    query = request.GET.get("q", "")[:MAX_QUERY_LENGTH].replace("\x00", "")
    flow_sid = _flow_filter(request, resource)
    list_filter = ListFilter.from_query(resource, request.GET.dict())
    rows: list[displayed.Row] = []
    problem: Problem | None = None
    context: dict[str, Any] = {}
    try:
        if flow_sid:
            snapshots, context = _read_of_flow(resource, account_sid, flow_sid)
        else:
            snapshots, context = _read_page(request, resource, query, list_filter)
    except FlexError as error:
        is_plain = not flow_sid and not list_filter.value
        if _page_cursor(request) == FIRST_PAGE and is_plain:  # a later one may be outdated
            refusals.record_listing(resource, account_sid, error)
        problem = _explain_list_error(resource, error)
    else:
        refusals.record_listing(resource, account_sid, None)
        rows = displayed.build_rows(resource, account_sid, snapshots)
    words = normalize_text(query).split()
    context |= {
        "resource": resource,
        "rows": [row for row in rows if row.matches(words)],
        "total": len(rows),
        "name_label": resource.label_of(resource.name_field)
        if any(row.title for row in rows)
        else "",
        "columns": [
            resource.field(name) for name in resource.list_columns if name != resource.name_field
        ],
        "q": query,
        "filter": list_filter,
        "filter_choices": list_filter.choices(account_sid),
        "problem": problem,
        "read_at": timezone.now(),
        "is_first_page": not request.GET.get("token"),
        "list_url": links.list_url(resource, account_sid),
        "new_url": links.new_url(resource, account_sid) if can(request, resource, "create") else "",
        "account_choices": account_choices(request, resource),
    }
    status = 200 if problem is None or refusals_only(problem) else 502
    return render(request, "resources/list.html", context, status=status)


@require_GET
@require_resource_permission("view")
def resource_detail(request: Request, resource: Resource, sid: str) -> HttpResponse:
    """Show an object as Twilio has it now. Of a deleted one, the log's events are left."""
    account_sid = request.account_sid
    history = _latest_events(request, sid)
    snapshot, context = _read_object(request, resource, sid, has_history=bool(history))
    open_change = in_flight.open_changes_by_flow([sid]).get(sid)
    is_changeable = snapshot is not None and open_change is None
    context |= {
        "resource": resource,
        "sid": sid,
        "account_choices": account_choices(request, resource) if resource.is_singleton else [],
        "read_at": timezone.now(),
        "open_change": open_change,
        "history": history,
        "log_url": f"{reverse('audit:list')}?{urlencode({'sid': sid})}",
        "list_url": links.list_url(resource, account_sid, parent_sid=request.parent_sid),
        **_action_urls(request, resource, sid, snapshot if is_changeable else None),
    }
    if snapshot is not None:
        context |= children.read_children(request, resource, sid)
        context |= release_pages.extend(request, resource, snapshot)
    # A page that asks for itself again keeps what it shows.
    status = 502 if request.htmx and snapshot is None else 200
    return render(request, "resources/detail.html", context, status=status)


def _read_object(
    request: Request, resource: Resource, sid: str, *, has_history: bool
) -> tuple[Snapshot | None, dict[str, Any]]:
    """Return an object, or None if it can't be read, and the context with its state and fields.

    Raises `Http404` for an object that Twilio doesn't have and the log doesn't know.
    """
    account_sid = request.account_sid
    try:
        snapshot = live.fetch(
            resource,
            sid,
            account_sid=account_sid,
            parent_sid=request.parent_sid,
            deadline=READ_DEADLINE,
        )
    except FlexError as error:
        is_gone = flow_reads.is_not_found(error) and not resource.is_singleton
        if is_gone and not has_history:
            raise Http404(f"Twilio has no such {resource.title}") from error
        return None, {
            "state": "gone" if is_gone else "unreadable",
            "sections": _sections(resource, []),
            "cells": [],
            "problem": None if is_gone else _explain_read_error(resource, account_sid, error),
        }
    if resource.is_singleton:
        refusals.record_listing(resource, account_sid, None)
    redacted = redact_snapshot(snapshot)
    cells = displayed.build_cells(resource, account_sid, redacted)
    return snapshot, {
        "state": "live",
        "sections": _sections(resource, cells),
        "cells": cells,
        "problem": None,
        "name": resource.name_of(redacted),
        "unknown_fields": displayed.unknown_fields(resource, redacted),
    }


def _read_page(
    request: Request, resource: Resource, query: str, list_filter: ListFilter
) -> tuple[list[Snapshot], dict[str, Any]]:
    """Return the objects of the page in the address, and the context with the way to others."""
    account_sid = request.account_sid
    page = live.list_page(
        resource, account_sid, _page_cursor(request), filters=list_filter.twilio_parameters
    )
    parameters = {**list_filter.page_parameters, "q": query}
    return page.objects, {
        "next_url": _page_url(resource, account_sid, page.next_page, parameters),
        "previous_url": _page_url(resource, account_sid, page.previous_page, parameters),
        "unreadable": [redact_snapshot({"entry": one})["entry"] for one in page.unreadable],
    }


def _read_of_flow(
    resource: Resource, account_sid: str, flow_sid: str
) -> tuple[list[Snapshot], dict[str, Any]]:
    """Return the first conversations of a flow, and the context with all that were counted."""
    counted = usage.list_conversations(resource, account_sid, flow_sid)
    return counted.listed, {"flow": _flow_link(account_sid, flow_sid), "usage": counted}


def _flow_filter(request: Request, resource: Resource) -> str:
    """Return the flow whose conversations are asked for, or ""."""
    flow_sid = request.GET.get("flow", "")
    return flow_sid if FLEX_FLOW_FIELD in resource.by_name and FLEX_FLOW.is_sid(flow_sid) else ""


def _flow_link(account_sid: str, flow_sid: str) -> displayed.Cell:
    """Return the flow with its name and its page."""
    names = load_names(CHANNEL, account_sid, [{FLEX_FLOW_FIELD: flow_sid}])
    return displayed.build_cell(CHANNEL, account_sid, FLEX_FLOW_FIELD, flow_sid, names)


def _sections(
    resource: Resource, cells: Sequence[displayed.Cell]
) -> list[tuple[str, list[displayed.Cell]]]:
    """Return the fields under their headings, those without one last."""
    by_name = {cell.field.name: cell for cell in cells}
    sections = []
    for title, names in resource.sections:
        sections.append((title, [by_name.pop(name) for name in names if name in by_name]))
    rest = list(by_name.values())
    if rest:
        sections.append(("Other settings" if sections else "Fields", rest))
    return sections


def refusals_only(problem: Problem) -> bool:
    """Return True if Twilio refuses the whole resource, which is no failure of this request."""
    return problem.status in refusals.REFUSAL_STATUSES


def _action_url(request: Request, resource: Resource, sid: str, operation: str) -> str:
    """Return the address of an operation's form, or "" if the user can't do it."""
    if not can(request, resource, operation):
        return ""
    return links.form_url(
        resource, sid, request.account_sid, operation, parent_sid=request.parent_sid
    )


def _action_urls(
    request: Request, resource: Resource, sid: str, snapshot: Snapshot | None
) -> dict[str, str]:
    """Return the addresses of the forms for an object, "" for each that the user can't open.

    `snapshot` is None for an object that can't be changed at present.
    """
    urls = {"edit_url": "", "delete_url": "", "archive_url": ""}
    if snapshot is None or resource.is_final(snapshot):
        return urls
    urls["edit_url"] = _action_url(request, resource, sid, "update")
    urls["delete_url"] = _action_url(request, resource, sid, "delete")
    if not resource.is_same_value("archived", snapshot.get("archived"), True):
        urls["archive_url"] = _action_url(request, resource, sid, "archive")
    return urls


def _page_cursor(request: Request) -> PageCursor:
    """Return the position in the address. A malformed one is the first page."""
    number, token = request.GET.get("page", ""), request.GET.get("token", "")
    return parse_cursor(number, token) or FIRST_PAGE


def _page_url(
    resource: Resource, account_sid: str, cursor: PageCursor | None, parameters: Mapping[str, str]
) -> str | None:
    """Return the address of another page, or None if there is none.

    `parameters` are the search and the filter, which stay.
    """
    if cursor is None:
        return None
    parameters = {"page": cursor.number, "token": cursor.token, **parameters}
    given_values = {name: value for name, value in parameters.items() if value}
    return links.list_url(resource, account_sid, **given_values)


def _explain_list_error(resource: Resource, error: FlexError) -> Problem:
    """Return the message for a list that could not be read."""
    if refusals.is_refusal(error):
        return Problem(
            title=f"{resource.plural}: not available in this account",
            text=f"Twilio refused to show this: {refusals.explain_status(error.status)}.",
            advice="Ask an administrator to check the account in the Twilio Console. "
            "This page asks Twilio again each time.",
            status=error.status,
            code=error.code,
            request_id=error.request_id,
            level="warning",
        )
    return failure_messages.list_failed(error, resource)


def _explain_read_error(resource: Resource, account_sid: str, error: FlexError) -> Problem:
    """Return the message for an object that could not be read.

    Twilio's refusal of a singleton is noted as that of a list.
    """
    if resource.is_singleton and refusals.is_refusal(error):
        refusals.record_listing(resource, account_sid, error)
        return _explain_list_error(resource, error)
    fallback = "Nothing of it is stored here, so there is nothing to show."
    return failure_messages.read_failed(error, fallback=fallback, resource=resource)


def account_choices(request: Request, resource: Resource) -> list[dict[str, Any]]:
    """Return the accounts that the user may see, each with its page, or none if it is only one."""
    accounts = twilio_accounts.visible_accounts(request.scope)
    if len(accounts) == 1:
        return []
    return [
        {
            "account": account,
            "url": links.list_url(resource, account.sid),
            "is_current": account.sid == request.account_sid,
        }
        for account in accounts
    ]


def _latest_events(request: Request, sid: str) -> list[AuditEvent]:
    """Return the latest events of an object that the user may read, each change once."""
    events = AuditEvent.objects.filter(entry__isnull=False, target_sid=sid)
    readable = log_paging.filter_accounts(events, request.scope)
    readable = readable.filter(account_sid=request.account_sid)
    latest = readable.select_related("payload", "entry__start").order_by("-seq")[:HISTORY_LENGTH]
    # An address can name another parent than the object has.
    return [event for event in latest if event.parent_sid in ("", request.parent_sid)]
