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

from flexadmin.roles import scope_of
from flows import accounts, copying, search
from flows.flexapi import schema
from flows.models import Flow, Result, Stage
from flows.services import audit, planning
from flows.services.audit import Payload
from flows.views.requests import Request, actor_of, permitted

FORMATS: Mapping[str, str] = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
NOTHING_SELECTED = "Select at least one flow."


@require_POST
@permitted("flows.view_flow", action="flow.export")
def flows_out(request: Request) -> HttpResponse:
    """The chosen flows, from the copy: it has no secrets. On record, since they leave the site."""
    sids = chosen(request)
    if not sids:
        return nothing_selected(request)
    form = request.POST.get("format", "csv")
    if form not in FORMATS:
        messages.error(request, f"Nothing was exported: “{form[:40]}” is not a format. Choose CSV or JSON.")
        return redirect(back_to_list(request))
    flows = _flows(sids, request.scope)
    try:
        audit.append(
            action="flow.export",
            stage=Stage.ACCESS,
            result=Result.SUCCEEDED,
            actor=actor_of(request),
            payload=Payload(requested={"format": form, "flows": len(flows)}),
        )
    except audit.NotRecorded:
        messages.error(request, "Nothing was exported: couldn't write to the audit log.")
        return redirect(back_to_list(request))
    text = copying.as_json(flows) if form == "json" else copying.as_csv(flows)
    response = HttpResponse(text, content_type=FORMATS[form])
    response["Content-Disposition"] = f'attachment; filename="flex-flows-{timezone.now():%Y-%m-%d}.{form}"'
    return response


def _flows(sids: Sequence[str], scope: accounts.Scope) -> list[dict[str, Any]]:
    """The flows of these SIDs as the mirror has them, by name."""
    rows = [
        row
        for some in planning.batches(sids)
        for row in accounts.within(Flow.objects.filter(sid__in=some), scope).order_by("name_folded", "sid")
    ]
    return [row.resource for row in sorted(rows, key=lambda row: (row.name_folded, row.sid))]


def chosen(request: Request) -> list[str]:
    """The SIDs that were ticked, on this page of the list (`sid`) and others (`sids`), or all that its query finds:
    none if the query has a mistake."""
    data, seen = request.POST, scope_of(request.user, "flows.view_flow")
    if _is_all(request):
        return search.sids_of(_query_of(request))
    ticked = [*data.getlist("sid"), *data.get("sids", "").split()]
    sids = [sid for sid in dict.fromkeys(ticked) if schema.is_sid("FO", sid)]
    if seen is None:
        return sids
    visible: set[str] = set()
    for some in planning.batches(sids):
        known = accounts.within(Flow.objects.filter(sid__in=some), seen)
        visible |= set(known.values_list("sid", flat=True))
    return [sid for sid in sids if sid in visible]


def nothing_selected(request: Request) -> HttpResponse:
    """The list again, with the reason why there is nothing to act on."""
    mistakes = _query_of(request).mistakes if _is_all(request) else ()
    sentences = " ".join(mistake.sentence for mistake in mistakes)
    messages.warning(request, f"Nothing was selected. {sentences}" if mistakes else NOTHING_SELECTED)
    return redirect(back_to_list(request))


def back_to_list(request: Request) -> str:
    """The list as it was asked for."""
    query = _query_of(request)
    return reverse("flows:list") + (query.url() if query.mistakes else query.url(page=query.page))


def _is_all(request: Request) -> bool:
    return request.POST.get("all", "") == "1"


def _query_of(request: Request) -> search.Query:
    scope = scope_of(request.user, "flows.view_flow")
    return search.Query.of_text(request.POST.get("query", ""), scope)
