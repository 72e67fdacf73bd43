"""Calls that read flows. They answer from the local copy, so they work while Twilio is down."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router

from flows.api.access import require_scope, visible_flow
from flows.api.flow_bodies import build_list_body, flow_response
from flows.api.paging import decode_cursor, encode_cursor, invalid_cursor
from flows.api.problems import invalid
from flows.api.schemas import FlowBody, FlowPage, FlowParameters, FlowSid, responses
from flows.search import flow_search
from flows.twilio.flex.flex_flow import FLEX_FLOW

# Also of the calls that change flows: a path has one router.
router = Router(tags=["Flows"])
PAGING_PARAMETERS = ("cursor", "limit")


@router.get("flows", response=responses({200: FlowPage}), summary="List flows")
def list_flows(request: HttpRequest, parameters: Query[FlowParameters]) -> HttpResponse:
    """List the flows that match, in the order of their SIDs."""
    scope = require_scope(request).scope
    filters = request.GET.copy()
    for name in PAGING_PARAMETERS:
        filters.pop(name, None)
    query = flow_search.Query.of(filters, scope)
    if query.errors:
        raise invalid({error.name: [error.sentence] for error in query.errors})
    after_sid = decode_cursor(parameters.cursor)
    if after_sid and not FLEX_FLOW.is_sid(after_sid):
        raise invalid_cursor()
    rows = flow_search.find_after(query, after_sid, parameters.limit + 1)
    has_more = len(rows) > parameters.limit
    next_cursor = encode_cursor(rows[parameters.limit - 1][0]) if has_more else None
    content = build_list_body(rows[: parameters.limit], next_cursor)
    return HttpResponse(content, content_type="application/json")


@router.get("flows/{sid}", response=responses({200: FlowBody}), summary="Read a flow")
def read_flow(request: HttpRequest, sid: Path[FlowSid]) -> HttpResponse:
    """Return a flow as it was last synced. Its ETag is the version to change."""
    return flow_response(visible_flow(request, sid))
