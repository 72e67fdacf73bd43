"""The list of flows at a moment, and one flow at a moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from flows.accounts import twilio_accounts
from flows.accounts.permissions import has_permission
from flows.audit.access import Request, require_permission
from flows.audit.models import AuditEvent
from flows.history import listing, open_changes
from flows.history.known_states import EXISTS, KnownState, states_at
from flows.history.moments import (
    LogPosition,
    find_position,
    format_moment,
    second_after,
)
from flows.history.parameters import STATE_CHOICES, ListQuery, ParameterReader
from flows.history.views import context
from flows.mirror.stale_reads import STATE_EVENTS
from flows.names.named_sids import name_sids
from flows.twilio.flex.flex_flow import FLEX_FLOW

PAGE_SIZE: Final = 100


@require_GET
@require_permission("flows.view_flow", action="flow.view")
def history_list(request: Request) -> HttpResponse:
    """Show the flows as the dashboard knew them at a moment, by name."""
    accounts = context.readable_accounts(request)
    query = ListQuery.from_parameters(request.GET, accounts)
    position = find_position(query.at.at)
    scope = context.scope_with(request, query.account)
    flows = {} if query.faults else states_at(position, scope)
    selected = listing.select_flows(flows.values(), query)
    page = Paginator(selected, PAGE_SIZE).get_page(query.page)
    at = position.parameter
    page_context = {
        **context.moment_context(position),
        **context.page_urls(request, page),
        "query": query,
        "faults": query.faults,
        "page": page,
        "rows": context.build_rows(list(page), position, request.scope),
        "counts": listing.count_states(flows.values()),
        "is_filtered": bool(query.q or query.state),
        "creations": _open_creations(position, scope) if not query.faults else [],
        "accounts": list(accounts.values()) if len(accounts) > 1 else [],
        "marks_accounts": bool(twilio_accounts.marked_accounts(request.scope)),
        "choices": {
            "state": list(STATE_CHOICES.items()),
            "account": [(sid, str(account)) for sid, account in accounts.items()]
            if len(accounts) > 1
            else [],
        },
        "compare_url": f"{reverse('flows:history-compare')}?{urlencode({'from': at})}",
    }
    return render(request, "history/list.html", page_context)


@require_GET
@require_permission("flows.view_flow", action="flow.view")
def history_flow(request: Request, sid: str) -> HttpResponse:
    """Show a flow as the dashboard knew it at a moment, with the events before and after."""
    reader = ParameterReader(request.GET, {})
    moment = reader.moment("at")
    position = find_position(moment.at)
    flow = None if reader.faults else states_at(position, request.scope, [sid]).get(sid)
    rows = context.build_rows([flow] if flow else [], position, request.scope)
    page_context = {
        **context.moment_context(position),
        "sid": sid,
        "moment": moment,
        "faults": reader.faults,
        "flow": flow,
        "row": rows[0] if rows else None,
        "fields": _field_rows(flow) if flow and flow.kind == EXISTS else [],
        "restore_url": _restore_url(request, flow),
        "compare_url": _compare_url(request, flow, position),
        **_neighbour_urls(sid, position),
    }
    return render(request, "history/flow.html", page_context)


def _open_creations(
    position: LogPosition, scope: twilio_accounts.Scope
) -> list[open_changes.OpenThen]:
    """Return the creations that may have made a flow that the dashboard did not know."""
    by_account = open_changes.creations_open_at(position, scope)
    return [change for changes in by_account.values() for change in changes]


def _field_rows(flow: KnownState) -> list[dict[str, Any]]:
    """Return the known fields that have a value, then the others that Twilio sent."""
    values: Mapping[str, Any] = flow.values
    rows = [
        {"field": field, "value": values[field.name]}
        for field in FLEX_FLOW.fields
        if values.get(field.name) not in (None, "")
    ]
    name_sids(((flow.account_sid, row) for row in rows), ["value"])
    return rows


def _restore_url(request: Request, flow: KnownState | None) -> str:
    """Return the address of the form that restores this version, or "" if there is none.

    It is the form for a new flow if the flow was deleted since then.
    """
    if flow is None or flow.kind != EXISTS:
        return ""
    permission = "flows.change_flow"
    current_position = LogPosition(timezone.now(), _last_seq())
    latest = states_at(current_position, request.scope, [flow.sid]).get(flow.sid)
    if latest is None or latest.event_id == flow.event_id:
        return ""
    url = reverse("flows:edit", args=[flow.sid])
    if latest.kind != EXISTS:
        permission, url = "flows.add_flow", reverse("flows:new")
    if not has_permission(request.user, permission, flow.account_sid):
        return ""
    return f"{url}?{urlencode({'restore': str(flow.event_id), 'state': 'after'})}"


def _last_seq() -> int:
    return AuditEvent.objects.order_by("-seq").values_list("seq", flat=True).first() or 0


def _compare_url(request: Request, flow: KnownState | None, position: LogPosition) -> str:
    """Return the address of the comparison of the flow's account at the moment with now."""
    if flow is None:
        return ""
    parameters = {"from": position.parameter}
    if flow.account_sid in context.readable_accounts(request):
        parameters["account"] = flow.account_sid
    return f"{reverse('flows:history-compare')}?{urlencode(parameters)}"


def _neighbour_urls(sid: str, position: LogPosition) -> dict[str, str]:
    """Return the addresses of the flow before the state that the page shows, and after the next.

    Each is the moment of the event that recorded that state.
    """
    events = AuditEvent.objects.filter(STATE_EVENTS, target_sid=sid)
    earlier = events.filter(seq__lte=position.seq).order_by("-seq")[1:2]
    later = events.filter(seq__gt=position.seq).order_by("seq")[:1]
    urls = {}
    for name, rows in (("earlier_url", earlier), ("later_url", later)):
        moments = list(rows.values_list("at", flat=True))
        urls[name] = (
            f"?{urlencode({'at': format_moment(second_after(moments[0]))})}" if moments else ""
        )
    return urls
