"""The export of selected flows, as CSV or as JSON that can be imported again."""

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
from flows.flex_flows.actions import FlowPageAction
from flows.mirror.models import Flow
from flows.search import flow_search
from flows.twilio.flex.flex_flow import FLEX_FLOW

CONTENT_TYPES: Mapping[str, str] = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
SELECTION_EMPTY = "Select at least one flow."


@require_POST
@require_permission("flows.view_flow", action=FlowPageAction.EXPORT)
def flow_export(request: Request) -> HttpResponse:
    """Return the selected flows as a file, and log that they leave the site.

    They come from the mirror, which has no secrets.
    """
    sids = selected_sids(request)
    if not sids:
        return reject_empty_selection(request)
    file_format = request.POST.get("format", "csv")
    if file_format not in CONTENT_TYPES:
        messages.error(
            request,
            f"Nothing was exported: “{file_format[:40]}” is not a format. Choose CSV or JSON.",
        )
        return redirect(list_url(request))
    flows = _selected_flows(sids, request.scope)
    try:
        audit_log.append(
            action=FlowPageAction.EXPORT,
            stage=Stage.ACCESS,
            result=Result.SUCCEEDED,
            actor=get_actor(request),
            payload=Payload(requested={"format": file_format, "flows": len(flows)}),
        )
    except audit_log.NotRecorded:  # back to the list, which keeps its search
        messages.error(request, "Nothing was exported: couldn't write to the audit log.")
        return redirect(list_url(request))
    text = (
        snippets.as_json(FLEX_FLOW, flows)
        if file_format == "json"
        else snippets.as_csv(FLEX_FLOW, flows)
    )
    file_name = f"flex-flows-{timezone.now():%Y-%m-%d}.{file_format}"
    response = HttpResponse(text, content_type=CONTENT_TYPES[file_format])
    response["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return response


def _selected_flows(sids: Sequence[str], scope: twilio_accounts.Scope) -> list[dict[str, Any]]:
    """Return these flows from the mirror, sorted by name."""
    rows: list[Flow] = []
    for batch in database.split_batches(sids):
        rows += twilio_accounts.filter_scope(Flow.objects.filter(sid__in=batch), scope)
    return [row.resource for row in sorted(rows, key=lambda row: (row.name_folded, row.sid))]


def selected_sids(request: Request) -> list[str]:
    """Return the SIDs of the selected flows that the user may see.

    They are ticked on this page of the list (`sid`) or on others (`sids`), or all that the list's
    query finds. A query with an error finds none.
    """
    if _selects_all(request):
        return flow_search.list_sids(_list_query(request))
    ticked = [*request.POST.getlist("sid"), *request.POST.get("sids", "").split()]
    sids = [sid for sid in dict.fromkeys(ticked) if FLEX_FLOW.is_sid(sid)]
    scope = scope_of(request.user, "flows.view_flow")
    if scope is None:
        return sids
    visible_sids: set[str] = set()
    for batch in database.split_batches(sids):
        visible_flows = twilio_accounts.filter_scope(Flow.objects.filter(sid__in=batch), scope)
        visible_sids |= set(visible_flows.values_list("sid", flat=True))
    return [sid for sid in sids if sid in visible_sids]


def reject_empty_selection(request: Request) -> HttpResponse:
    """Redirect to the list, with the reason why nothing is selected."""
    errors = _list_query(request).errors if _selects_all(request) else ()
    sentences = " ".join(error.sentence for error in errors)
    messages.warning(request, f"Nothing was selected. {sentences}" if errors else SELECTION_EMPTY)
    return redirect(list_url(request))


def list_url(request: Request) -> str:
    """Return the address of the list from which the user came."""
    query = _list_query(request)
    return reverse("flows:list") + (query.url() if query.errors else query.url(page=query.page))


def _selects_all(request: Request) -> bool:
    return request.POST.get("all", "") == "1"


def _list_query(request: Request) -> flow_search.Query:
    scope = scope_of(request.user, "flows.view_flow")
    return flow_search.Query.from_query_string(request.POST.get("query", ""), scope)
