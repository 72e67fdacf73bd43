"""Calls that read flows as the dashboard knew them at a moment, and compare them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Query, Router, Schema
from pydantic import Field as SchemaField

from flows.api.access import require_scope
from flows.api.paging import (
    cursor_values,
    invalid_cursor,
    json_response,
    moment_value,
    parse_moment_value,
    sorted_page,
)
from flows.api.problems import Problem, invalid
from flows.api.schemas import Cursor, Limit, PageParameters, responses
from flows.history import export, listing
from flows.history.comparison import compare
from flows.history.known_states import states_at
from flows.history.moments import find_position, format_moment
from flows.history.pairs import SAME
from flows.history.parameters import ComparisonQuery, ListQuery, MomentInput
from flows.history.views.context import readable_accounts, scope_with

router = Router(tags=["History"])
MOMENT = "A date and time, such as 2026-11-25T14:05Z. Now by default."


class HistoryParameters(PageParameters):
    """The parameters of the flows at a moment."""

    at: Annotated[str, SchemaField(description=MOMENT)] = ""
    q: Annotated[str, SchemaField(description="Words of a name, a number, a SID.")] = ""
    state: Annotated[str, SchemaField(description="A state of the page's filter.")] = ""


class ComparisonParameters(Schema):
    """The parameters of a comparison."""

    compare: Annotated[str, SchemaField(description="moments (by default), accounts or flows.")] = (
        ""
    )
    from_: Annotated[
        str, SchemaField(alias="from", description="A date and time. A week ago by default.")
    ] = ""
    to: Annotated[str, SchemaField(description=MOMENT)] = ""
    at: Annotated[
        str, SchemaField(description="The moment at which accounts or flows are compared.")
    ] = ""
    account: Annotated[str, SchemaField(description="The account, of two moments.")] = ""
    left: Annotated[str, SchemaField(description="The SID of an account or a flow.")] = ""
    right: Annotated[str, SchemaField(description="The SID to compare it with.")] = ""
    all: Annotated[str, SchemaField(description="1 to list equal flows, too.")] = ""
    q: Annotated[
        str, SchemaField(description="Words of a name, a number, a SID. Not for two flows.")
    ] = ""
    result: Annotated[
        str,
        SchemaField(
            description="different, only_left, only_right, unclear or same. Not for two flows."
        ),
    ] = ""
    cursor: Cursor = ""
    limit: Limit = 100


class KnownFlow(Schema):
    """A flow as the dashboard knew it. If it is `uncertain`, it may have been different."""

    sid: str
    account_sid: str
    friendly_name: str
    state: str
    uncertain: bool
    recorded_at: str
    event_id: str


class KnownFlowWithFields(KnownFlow):
    fields: dict[str, Any]


class HistoryPage(Schema):
    at: str
    items: list[KnownFlowWithFields]
    next_cursor: str | None = None


class PairBody(Schema):
    """A flow on the left and its counterpart on the right, with the fields that differ."""

    result: str
    matched_by: str
    left: KnownFlow | None
    right: KnownFlow | None
    fields: dict[str, Any]


class ComparisonPage(Schema):
    """Pairs of flows. `same` is the number of equal flows that the search finds, listed or not."""

    left: str
    right: str
    same: int
    items: list[PairBody]
    next_cursor: str | None = None


@router.get("history", response=responses({200: HistoryPage}), summary="List flows at a moment")
def list_history(request: HttpRequest, parameters: Query[HistoryParameters]) -> HttpResponse:
    """List the flows as the dashboard knew them at a moment, by SID. Further pages are of the same moment."""
    api_request = require_scope(request)
    query = ListQuery.from_parameters(request.GET, readable_accounts(api_request))
    _require_no_faults(query.faults)
    _keep_moments([query.at], cursor_values(parameters.cursor, "history"))
    at = moment_value(query.at.at)
    position = find_position(query.at.at)
    flows = states_at(position, scope_with(api_request, query.account))
    selected = listing.select_flows(flows.values(), query)
    page, next_cursor = sorted_page(
        selected,
        parameters.cursor,
        parameters.limit,
        name="history",
        key=lambda flow: (at, flow.sid),
    )
    document = json.loads(export.flows_as_json(page, position))
    body = {"at": document["at"], "items": document["flows"], "next_cursor": next_cursor}
    return json_response(body)


@router.get(
    "history/comparison", response=responses({200: ComparisonPage}), summary="Compare flows"
)
def read_comparison(request: HttpRequest, parameters: Query[ComparisonParameters]) -> HttpResponse:
    """Compare two moments, two accounts at a moment, or two flows at a moment, by SID."""
    api_request = require_scope(request)
    accounts = readable_accounts(api_request)
    query = ComparisonQuery.from_parameters(request.GET, accounts)
    _require_no_faults(query.faults)
    sides = [query.left_at, query.right_at]
    _keep_moments(sides, cursor_values(parameters.cursor, "history/comparison"))
    left_at, right_at = (moment_value(side.at) for side in sides)
    if not query.is_complete:
        raise invalid({"right": ["Send both sides of the comparison as left and right."]})
    result = compare(query, api_request.scope, accounts)
    if result.missing_sids:
        sids = ", ".join(result.missing_sids)
        raise Problem(404, f"The audit log has no state of {sids}.", code="not_found")
    page, next_cursor = sorted_page(
        result.pairs,
        parameters.cursor,
        parameters.limit,
        name="history/comparison",
        key=lambda pair: (left_at, right_at, pair.states[0].sid),
    )
    titles = {"left": result.left_title, "right": result.right_title}
    document = json.loads(export.pairs_as_json(page, titles, with_equal=query.shows_all))
    items = document.pop("pairs")
    body = {**document, "same": result.counts[SAME], "items": items, "next_cursor": next_cursor}
    return json_response(body)


def _require_no_faults(faults: list[str]) -> None:
    if faults:
        raise invalid({"parameters": faults})


def _keep_moments(inputs: Sequence[MomentInput], values: Sequence[Any] | None) -> None:
    """Set the moments to those of the cursor, if there is one. Raise `Problem` for other ones.

    So pages without a moment in their parameters are of the same moment as the first.
    """
    if values is None:
        return
    if len(values) < len(inputs):
        raise invalid_cursor()
    for moment_input, value in zip(inputs, values, strict=False):
        moment = parse_moment_value(value)
        is_same = format_moment(moment_input.at) == format_moment(moment)  # as answers have it
        if (moment_input.text.strip() and not is_same) or moment > timezone.now():
            raise invalid_cursor()
        moment_input.at = moment
