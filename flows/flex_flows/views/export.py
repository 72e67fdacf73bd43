"""Flows as a file: those that were chosen on the list, as CSV or as JSON that can be imported again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from flows.accounts import twilio_accounts
from flows.accounts.permissions import scope_of
from flows.audit import audit_log
from flows.audit.access import Request, get_actor, require_permission
from flows.audit.audit_log import Payload
from flows.audit.models import Result, Stage
from flows.core import database
from flows.flex_flows import snippets
from flows.mirror.models import Flow
from flows.search import flow_search
from flows.twilio.flex import flex_flow

CONTENT_TYPES: Mapping[str, str] = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
SELECTION_EMPTY = "Select at least one flow."


@require_POST
@require_permission("flows.view_flow", action="flow.export")
def flow_export(request: Request) -> HttpResponse:
    """The chosen flows, from the copy: it has no secrets. On record, since they leave the site."""
    sids = selected_sids(request)
    if not sids:
        return reject_empty_selection(request)
    form = request.POST.get("format", "csv")
    if form not in CONTENT_TYPES:
        messages.error(
            request, f"Nothing was exported: “{form[:40]}” is not a format. Choose CSV or JSON."
        )
        return redirect(list_url(request))
    flows = _selected_flows(sids, request.scope)
    try:
        audit_log.append(
            action="flow.export",
            stage=Stage.ACCESS,
            result=Result.SUCCEEDED,
            actor=get_actor(request),
            payload=Payload(requested={"format": form, "flows": len(flows)}),
        )
    except audit_log.NotRecorded:
        messages.error(request, "Nothing was exported: couldn't write to the audit log.")
        return redirect(list_url(request))
    text = snippets.as_json(flows) if form == "json" else snippets.as_csv(flows)
    response = HttpResponse(text, content_type=CONTENT_TYPES[form])
    response["Content-Disposition"] = (
        f'attachment; filename="flex-flows-{timezone.now():%Y-%m-%d}.{form}"'
    )
    return response


def _selected_flows(sids: Sequence[str], scope: twilio_accounts.Scope) -> list[dict[str, Any]]:
    """The flows of these SIDs as the mirror has them, by name."""
    rows = [
        row
        for some in database.split_batches(sids)
        for row in twilio_accounts.filter_scope(Flow.objects.filter(sid__in=some), scope).order_by(
            "name_folded", "sid"
        )
    ]
    return [row.resource for row in sorted(rows, key=lambda row: (row.name_folded, row.sid))]


def selected_sids(request: Request) -> list[str]:
    """The SIDs that were ticked, on this page of the list (`sid`) and others (`sids`), or all that its query finds:
    none if the query has a mistake."""
    data, seen = request.POST, scope_of(request.user, "flows.view_flow")
    if _selects_all(request):
        return flow_search.list_sids(_list_query(request))
    ticked = [*data.getlist("sid"), *data.get("sids", "").split()]
    sids = [sid for sid in dict.fromkeys(ticked) if flex_flow.is_sid("FO", sid)]
    if seen is None:
        return sids
    visible: set[str] = set()
    for some in database.split_batches(sids):
        known = twilio_accounts.filter_scope(Flow.objects.filter(sid__in=some), seen)
        visible |= set(known.values_list("sid", flat=True))
    return [sid for sid in sids if sid in visible]


def reject_empty_selection(request: Request) -> HttpResponse:
    """The list again, with the reason why there is nothing to act on."""
    errors = _list_query(request).errors if _selects_all(request) else ()
    sentences = " ".join(mistake.sentence for mistake in errors)
    messages.warning(request, f"Nothing was selected. {sentences}" if errors else SELECTION_EMPTY)
    return redirect(list_url(request))


def list_url(request: Request) -> str:
    """The list as it was asked for."""
    query = _list_query(request)
    return reverse("flows:list") + (query.url() if query.errors else query.url(page=query.page))


def _selects_all(request: Request) -> bool:
    return request.POST.get("all", "") == "1"


def _list_query(request: Request) -> flow_search.Query:
    scope = scope_of(request.user, "flows.view_flow")
    return flow_search.Query.from_query_string(request.POST.get("query", ""), scope)
