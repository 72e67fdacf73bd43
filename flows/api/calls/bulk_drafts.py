"""The call that drafts a bulk change: one action for many flows, or a desired state of flows."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Literal

from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from ninja import Body, Query
from pydantic import ConfigDict
from pydantic import Field as SchemaField

from flows.accounts import twilio_accounts
from flows.accounts.permissions import scope_of
from flows.accounts.twilio_accounts import Scope
from flows.api.access import VIEW_FLOWS, require_scope
from flows.api.calls.bulk_changes import (
    PlanDetail,
    PlanItemParameters,
    created_response,
    plan_detail,
    router,
)
from flows.api.paging import json_response
from flows.api.problems import Problem, clean_form, invalid
from flows.api.schemas import (
    ChangeParameters,
    FlowFilters,
    FlowSid,
    StrictSchema,
    responses,
)
from flows.audit.access import Request
from flows.desired_state.file_errors import InvalidFile
from flows.desired_state.flow_file import FlowFile, read_flow_file
from flows.desired_state.planning import accounts_to_read, prepare
from flows.mirror.sync import SyncBusy, sync_account
from flows.plans import drafts, titles
from flows.plans.actions import PlanAction
from flows.plans.details_drafts import DETAILS_KINDS, DetailsAction, plan_details_action
from flows.plans.drafts import BulkAction
from flows.plans.forms import BULK_ACTIONS, BulkActionForm
from flows.plans.models import Plan
from flows.search import flow_search
from flows.twilio.errors import FlexError

ACCOUNT_KEYS = ("account", "source_account")


class BulkFilter(FlowFilters):
    """The flows that the list of flows finds with these parameters."""

    model_config = ConfigDict(extra="forbid")


class ActionDraft(StrictSchema):
    """One action for many flows: those of `sids`, or those that `filter` finds."""

    kind: Literal[tuple(BULK_ACTIONS)]  # type: ignore[valid-type]
    value: Annotated[
        str | int | None, SchemaField(description="The value, if the action takes one.")
    ] = None
    sids: Annotated[list[FlowSid] | None, SchemaField(max_length=drafts.MAX_FLOWS)] = None
    filter: BulkFilter | None = None


class StateDraft(StrictSchema):
    """The desired state of flows: what a file for the command `apply` has."""

    flows: Annotated[
        list[dict[str, Any]], SchemaField(description="Each has its `sid`, or is a new flow.")
    ]
    account: Annotated[str, SchemaField(description="The account, as its SID or name.")] = ""
    source_account: Annotated[
        str, SchemaField(description="The account whose SIDs the flows have.")
    ] = ""
    prune: Annotated[
        bool, SchemaField(description="Delete the account's flows that are not in the list.")
    ] = False


@router.post(
    "plans",
    response=responses({200: PlanDetail, 201: PlanDetail}, is_change=True),
    summary="Draft a bulk change",
)
def create_plan(
    request: HttpRequest,
    body: Body[ActionDraft | StateDraft],
    parameters: Query[ChangeParameters],
) -> HttpResponse:
    """Draft a bulk change. Nothing is sent until it is started.

    With `dry_run=true`, the draft is returned and not stored.
    """
    api_request = require_scope(request, "flows.change_flow", action=PlanAction.START)
    visible_scope = scope_of(api_request.user, VIEW_FLOWS)
    if isinstance(body, ActionDraft):
        draft = _prepare_action(api_request, body, visible_scope)
    else:
        draft = _prepare_state(api_request, body, visible_scope)
    with transaction.atomic():
        plan = draft()
        if not parameters.dry_run:
            return created_response(plan, visible_scope)
        detail = plan_detail(plan, visible_scope, PlanItemParameters(limit=1000))
        transaction.set_rollback(True)
    return json_response(detail)


def _prepare_action(
    request: Request, body: ActionDraft, visible_scope: Scope
) -> Callable[[], Plan]:
    """Return the function that drafts the action. Raise `Problem`."""
    sids = _selected_sids(body, visible_scope)
    value = "" if body.value is None else str(body.value)
    form = BulkActionForm({"kind": body.kind, "value": value}, kind=body.kind)
    if value and "value" not in form.fields:
        raise invalid({"value": ["This action takes no value."]})
    values = clean_form(form)
    common: dict[str, Any] = {
        "sids": sids,
        "created_by": request.user.get_username(),
        "editable_scope": request.scope,
    }
    if body.kind in DETAILS_KINDS:
        details_action = DetailsAction(body.kind, values["value"])
        return partial(plan_details_action, action=details_action, **common)
    action = BulkAction(body.kind, values.get("value"))
    return partial(drafts.plan_bulk_action, action=action, **common)


def _selected_sids(body: ActionDraft, visible_scope: Scope) -> Sequence[str]:
    """Return the SIDs of the flows to change. Raise `Problem`."""
    if (body.sids is None) == (body.filter is None):
        raise invalid({"sids": ["Send either sids or a filter."]})
    if body.filter is not None:
        return _filtered_sids(body.filter, visible_scope)
    sids = list(dict.fromkeys(body.sids or ()))
    unknown = sids and sorted(set(sids) - drafts.flows_by_sid(sids, visible_scope).keys())
    if unknown:
        raise invalid({"sids": [f"There is no flow {sid}." for sid in unknown[:10]]})
    if not sids:
        raise invalid({"sids": ["Send at least one SID."]})
    return sids


def _filtered_sids(bulk_filter: BulkFilter, visible_scope: Scope) -> Sequence[str]:
    filters = QueryDict(mutable=True)
    filters.update({name: value for name, value in bulk_filter.dict().items() if value})
    query = flow_search.Query.of(filters, visible_scope)
    if query.errors:
        raise invalid({error.name: [error.sentence] for error in query.errors})
    sids = flow_search.list_sids(query)
    if not sids:
        raise invalid({"filter": ["No flow matches."]})
    if len(sids) > drafts.MAX_FLOWS:
        raise invalid({"filter": [f"A bulk change can have {drafts.MAX_FLOWS:,} flows at most."]})
    return sids


def _prepare_state(request: Request, body: StateDraft, visible_scope: Scope) -> Callable[[], Plan]:
    """Return the function that drafts the changes to the desired state. Raise `Problem`."""
    content = body.dict(include={"flows", *ACCOUNT_KEYS}, exclude_defaults=True)
    _check_accounts({"flows": body.flows, **content}, visible_scope)
    try:
        flow_file = read_flow_file(json.dumps(content))
        _read_flows(flow_file, visible_scope)
        preparation = prepare(
            flow_file,
            prune=body.prune,
            editable_scope=request.scope,
            visible_scope=visible_scope,
        )
    except InvalidFile as file_errors:
        errors: dict[str, list[str]] = {}
        for error in file_errors.errors:
            errors.setdefault(error.place.path or "flows", []).append(error.message)
        raise invalid(errors) from None
    return partial(
        drafts.save_draft,
        titles.title_of_import(preparation.changes, "Desired state"),
        preparation.changes,
        created_by=request.user.get_username(),
    )


def _check_accounts(content: Mapping[str, Any], visible_scope: Scope) -> None:
    """Raise `Problem` for an account that the token may not see: errors would tell about it."""
    accounts = twilio_accounts.visible_accounts(visible_scope)
    account_names = {name for account in accounts for name in (account.sid, account.name)}
    named = {key: content.get(key) for key in ACCOUNT_KEYS}
    for position, flow in enumerate(content["flows"]):
        named[f"flows[{position}].account_sid"] = flow.get("account_sid")
    errors = {
        place: ["This is not one of your accounts."]
        for place, name in named.items()
        if name and not (isinstance(name, str) and name in account_names)
    }
    if errors:
        raise invalid(errors)


def _read_flows(flow_file: FlowFile, visible_scope: Scope) -> None:
    """Sync the accounts of the flows, so that no flow is created twice. Raise `Problem`."""
    for account in accounts_to_read(flow_file):
        if visible_scope is not None and account.sid not in visible_scope:
            continue
        try:
            sync_account(account.sid)
        except SyncBusy:
            detail = "A sync is in progress. Nothing was changed. Try again later."
            raise Problem(409, detail, code="sync_in_progress") from None
        except FlexError as error:
            detail = f"Couldn't read the flows from Twilio: {error}. Nothing was changed."
            raise Problem(502, detail, code="unreadable") from None
