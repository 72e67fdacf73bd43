"""The files of the history's pages. That they leave the site is logged first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from flows.audit import audit_log
from flows.audit.access import Request, get_actor, require_permission
from flows.audit.audit_log import Payload
from flows.audit.models import Result, Stage
from flows.audit.views.downloads import as_attachment
from flows.flex_flows.actions import FlowPageAction
from flows.history import export, listing
from flows.history.comparison import compare
from flows.history.known_states import states_at
from flows.history.moments import find_position, format_moment
from flows.history.parameters import ComparisonQuery, ListQuery
from flows.history.views import context
from flows.redaction.redacted import redact_fields

_OWN_INPUTS = ("csrfmiddlewaretoken", "format")


@require_POST
@require_permission("flows.view_flow", action=FlowPageAction.EXPORT)
def history_export(request: Request) -> HttpResponseBase:
    """Return the flows at a moment as a file."""
    query = ListQuery.from_parameters(request.POST, context.readable_accounts(request))
    page_url = _page_url(request, "flows:history")
    file_format = request.POST.get("format", "csv")
    if query.faults or file_format not in export.CONTENT_TYPES:
        return _refuse(request, page_url)
    position = find_position(query.at.at)
    flows = states_at(position, context.scope_with(request, query.account))
    selected = listing.select_flows(flows.values(), query)
    write = export.flows_as_csv if file_format == "csv" else export.flows_as_json
    is_filtered = bool(query.q or query.state)
    details = {"at": position.parameter, "flows": len(selected), "filtered": is_filtered}
    return _send(
        request,
        details,
        lambda: write(selected, position),
        f"flex-flows-{_stamp(position.at)}{_suffix(is_filtered)}",
        page_url,
    )


@require_POST
@require_permission("flows.view_flow", action=FlowPageAction.EXPORT)
def history_compare_export(request: Request) -> HttpResponseBase:
    """Return a comparison as a file."""
    accounts = context.readable_accounts(request)
    query = ComparisonQuery.from_parameters(request.POST, accounts)
    page_url = _page_url(request, "flows:history-compare")
    file_format = request.POST.get("format", "csv")
    if not query.is_complete or file_format not in export.CONTENT_TYPES:
        return _refuse(request, page_url)
    result = compare(query, request.scope, accounts)
    sides = {"left": result.left_title, "right": result.right_title}
    if query.kind != "moments":
        sides["at"] = result.left.parameter
    write = export.pairs_as_csv if file_format == "csv" else export.pairs_as_json
    details = {
        "compare": query.kind,
        "from": result.left.parameter,
        "at": result.right.parameter,
        "flows": len(result.pairs),
        "filtered": query.is_filtered,
    }
    return _send(
        request,
        details,
        lambda: write(result.pairs, sides, with_equal=query.shows_all),
        f"flex-flows-comparison-{_stamp(result.right.at)}{_suffix(query.is_filtered)}",
        page_url,
    )


def _send(
    request: Request, details: dict[str, Any], write: Callable[[], str], name: str, page_url: str
) -> HttpResponseBase:
    """Log the export, then return the file. Nothing leaves the site if the log can't be written."""
    file_format = request.POST.get("format", "csv")
    try:
        audit_log.append(
            action=FlowPageAction.EXPORT,
            stage=Stage.ACCESS,
            result=Result.SUCCEEDED,
            actor=get_actor(request),
            payload=Payload(requested=redact_fields({"format": file_format, **details})),
        )
    except audit_log.NotRecorded:
        messages.error(request, "Nothing was exported: couldn't write to the audit log.")
        return redirect(page_url)
    response = HttpResponse(write(), content_type=export.CONTENT_TYPES[file_format])
    return as_attachment(response, f"{name}.{file_format}")


def _refuse(request: Request, page_url: str) -> HttpResponse:
    """Redirect to the page, which shows the faults."""
    messages.error(request, "Nothing was exported. Check the filters and choose CSV or JSON.")
    return redirect(page_url)


def _page_url(request: Request, name: str) -> str:
    """Return the address of the page that the form is on."""
    parameters: QueryDict = request.POST.copy()
    for own in _OWN_INPUTS:
        parameters.pop(own, None)
    return f"{reverse(name)}?{parameters.urlencode()}"


def _suffix(is_filtered: bool) -> str:
    return "-filtered" if is_filtered else ""


def _stamp(moment: Any) -> str:
    """Return a moment for the name of a file."""
    return format_moment(moment).replace(":", "")
