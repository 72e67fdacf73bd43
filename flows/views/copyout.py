"""Flows as a file: those that were chosen on the list, as CSV or as JSON that can be imported again."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

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
NOBODY = "No flow is selected. Tick some in the list, or all that match."


@require_POST
@permitted("flows.view_flow", action="flow.export")
def flows_out(request: Request) -> HttpResponse:
    """The chosen flows, from the copy: it has no secrets. On record, since they leave the site."""
    sids = chosen(request)
    if not sids:
        return nobody(request)
    form = request.POST.get("format", "")
    form = form if form in FORMATS else "csv"
    flows = [
        flow.resource
        for flow in accounts.within(Flow.objects.filter(sid__in=sids), request.scope).order_by(
            "name_folded", "sid"
        )
    ]
    try:
        audit.append(
            action="flow.export",
            stage=Stage.ACCESS,
            result=Result.SUCCEEDED,
            actor=actor_of(request),
            payload=Payload(requested={"format": form, "flows": len(flows)}),
        )
    except audit.NotRecorded:
        messages.error(request, "Not copied out: the audit log can't be written just now.")
        return redirect(back_to_list(request))
    text = copying.as_json(flows) if form == "json" else copying.as_csv(flows)
    response = HttpResponse(text, content_type=FORMATS[form])
    response["Content-Disposition"] = f'attachment; filename="flex-flows-{timezone.now():%Y-%m-%d}.{form}"'
    return response


def chosen(request: Request) -> list[str]:
    """The SIDs that were ticked, on this page of the list (`sid`) and others (`sids`), or all that its query finds."""
    data, seen = request.POST, scope_of(request.user, "flows.view_flow")
    if data.get("all"):
        return search.sids_of(search.Query.of(dict(parse_qsl(data.get("query", ""))), seen))
    ticked = [*data.getlist("sid"), *data.get("sids", "").split()]
    sids = [sid for sid in dict.fromkeys(ticked) if schema.is_sid("FO", sid)]
    sids = sids[: planning.MOST * len(accounts.every())]
    if seen is None:
        return sids
    known = accounts.within(Flow.objects.filter(sid__in=sids), seen)
    visible = set(known.values_list("sid", flat=True))
    return [sid for sid in sids if sid in visible]


def nobody(request: Request) -> HttpResponse:
    messages.warning(request, NOBODY)
    return redirect(back_to_list(request))


def back_to_list(request: Request) -> str:
    """The list as it was asked for."""
    query = search.Query.of(dict(parse_qsl(request.POST.get("query", ""))))
    return reverse("flows:list") + query.url(page=query.page)
