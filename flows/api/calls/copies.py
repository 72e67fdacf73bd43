"""The call that drafts the copy of flows to another account, as the page of the copy does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from ninja import Body, Query, Router, Schema
from pydantic import Field as SchemaField

from flows.accounts import twilio_accounts
from flows.accounts.permissions import scope_of
from flows.accounts.twilio_accounts import Scope
from flows.api.access import VIEW_FLOWS, require_change, require_scope
from flows.api.calls.bulk_changes import (
    PlanDetail,
    PlanItemParameters,
    created_response,
    plan_detail,
)
from flows.api.change_results import refused_response
from flows.api.paging import json_response
from flows.api.problems import clean_form, invalid
from flows.api.schemas import (
    ACCOUNT_PATTERN,
    ChangeParameters,
    FlowSid,
    StrictSchema,
    responses,
)
from flows.audit.access import Request, get_actor
from flows.availability.restrictions import OperationUnavailable
from flows.copying.draft import CopyChoices, plan_copy
from flows.copying.flow_copies import Selection, select_flows
from flows.copying.forms import CopyForm
from flows.copying.query import MAX_CHOSEN, CopyQuery
from flows.copying.sid_uses import SidUse, find_sid_uses
from flows.copying.target_objects import TargetObjects
from flows.plans.actions import PlanAction
from flows.sid_map import mappings
from flows.sid_map.mappings import Direction

router = Router(tags=["Bulk changes"])
AccountSid = Annotated[str, SchemaField(pattern=ACCOUNT_PATTERN)]


class CopyDraft(StrictSchema):
    """The flows to copy, and what they have in the target account in place of their SIDs."""

    source_account: Annotated[AccountSid, SchemaField(description="The account of the flows.")]
    target_account: Annotated[AccountSid, SchemaField(description="The account to copy to.")]
    sids: Annotated[
        list[FlowSid] | None,
        SchemaField(
            min_length=1, max_length=MAX_CHOSEN, description="null for all that can be copied."
        ),
    ] = None
    at: Annotated[
        str, SchemaField(description="Copy the flows as they were then. Now by default.")
    ] = ""
    sid_map: Annotated[
        dict[str, str | None],
        SchemaField(
            description="SIDs of the target account by those of the source account. They are "
            "stored for later copies. null removes a stored one."
        ),
    ] = {}
    urls: Annotated[
        dict[str, str],
        SchemaField(description="Webhooks of flows whose own ones contain a secret, by SID."),
    ] = {}
    turned_off: Annotated[bool, SchemaField(description="Create flows turned off.")] = True
    copy_identities: Annotated[
        bool, SchemaField(description="Replace the contact identities of existing flows.")
    ] = False


class RefusedFlow(Schema):
    """A flow that can't be copied."""

    label: str
    reason: str


class CopyPlan(PlanDetail):
    """The draft of a copy. `unchecked` are SIDs whose names haven't been read."""

    refused: list[RefusedFlow]
    unchecked: list[str]


@dataclass(frozen=True, slots=True)
class _Copy:
    """What a request copies: its flows, their SIDs with the stored map, and the form about them."""

    direction: Direction
    selection: Selection
    uses: Sequence[SidUse]
    form: CopyForm

    @property
    def counterparts(self) -> dict[str, str]:
        return self.form.counterparts

    @property
    def notes(self) -> dict[str, Any]:
        refused = [{"label": label, "reason": reason} for label, reason in self.selection.refused]
        return {"refused": refused, "unchecked": self.form.unchecked}


@router.post(
    "plans/copy",
    response=responses({200: CopyPlan, 201: CopyPlan}, is_change=True),
    summary="Copy flows to another account",
)
def copy_flows(
    request: HttpRequest, body: Body[CopyDraft], parameters: Query[ChangeParameters]
) -> HttpResponse:
    """Draft the bulk change that copies flows. Nothing is sent until it is started.

    With `dry_run=true`, neither the draft nor the map of SIDs is stored.
    """
    api_request = require_scope(request, "flows.change_flow", action=PlanAction.START)
    visible_scope = scope_of(api_request.user, VIEW_FLOWS)
    query = _build_query(body, visible_scope)
    require_change(request, "flows.change_flow", query.target, action=PlanAction.START)
    copy = _load_copy(query, body)
    draft = partial(
        plan_copy,
        copies=copy.selection.copies,
        direction=copy.direction,
        choices=_choices(copy),
        created_by=api_request.user.get_username(),
        editable_scope=api_request.scope,
        visible_scope=visible_scope,
    )
    if parameters.dry_run:
        with transaction.atomic():
            detail = plan_detail(draft(), visible_scope, PlanItemParameters(limit=1000))
            transaction.set_rollback(True)
        return json_response(detail | copy.notes)
    refusal = _store_map(api_request, copy, body.sid_map)
    return refusal or created_response(draft(), visible_scope, **copy.notes)


def _build_query(body: CopyDraft, visible_scope: Scope) -> CopyQuery:
    """Return the accounts, the moment and the flows. Raise `Problem`."""
    accounts = {each.sid: each for each in twilio_accounts.visible_accounts(visible_scope)}
    named = {"source_account": body.source_account, "target_account": body.target_account}
    errors = {
        name: ["This is not one of your accounts."]
        for name, sid in named.items()
        if sid not in accounts
    }
    if not errors and body.source_account == body.target_account:
        errors = {"target_account": ["Choose another account than that of the flows."]}
    if errors:
        raise invalid(errors)
    values = QueryDict(mutable=True)
    values.update({"left": body.source_account, "right": body.target_account, "at": body.at})
    if body.sids is None:
        values["every"] = "1"
    else:
        values.setlist("flow", body.sids)
    query = CopyQuery.from_parameters(values, accounts)
    if query.faults:
        raise invalid({"at": query.faults})
    return query


def _load_copy(query: CopyQuery, body: CopyDraft) -> _Copy:
    """Return the flows to copy, with a valid form about them. Raise `Problem`."""
    selection = select_flows(query, mappings.load_pairs(query.source, query.target))
    if not selection.copies:
        reasons = [f"{label}: {reason}" for label, reason in selection.refused[:10]]
        raise invalid({"sids": reasons or ["There is nothing to copy."]})
    objects = TargetObjects(query.target)
    uses = find_sid_uses(selection.copies, query.direction, objects)
    form = CopyForm(
        _form_data(body, uses),
        selection=selection,
        uses=uses,
        objects=objects,
        target_name=str(twilio_accounts.get_account(query.target)),
    )
    _refuse_unused_names(form, query.direction, body)
    clean_form(form, names=_input_names(form), suggestions=_suggestions(uses, body.sid_map))
    return _Copy(query.direction, selection, uses, form)


def _form_data(body: CopyDraft, uses: Sequence[SidUse]) -> dict[str, Any]:
    """Return the body as the page's form sends it. A SID without a counterpart has its stored one.

    A counterpart that the body names is confirmed.
    """
    sids = {f"sid_{use.sid}": body.sid_map.get(use.sid, use.stored) or "" for use in uses}
    urls = {f"url_{sid}": url for sid, url in body.urls.items()}
    choices = {"turned_off": body.turned_off, "copy_identities": body.copy_identities}
    return {**sids, **urls, **choices, "confirmed": True}


def _refuse_unused_names(form: CopyForm, direction: Direction, body: CopyDraft) -> None:
    """Raise `Problem` for SIDs and webhooks that no copied flow needs."""
    removable = mappings.load_map(direction)
    errors = {
        f"sid_map.{sid}": ["No flow of this copy has this SID."]
        for sid, counterpart in body.sid_map.items()
        if f"sid_{sid}" not in form.fields and (counterpart is not None or sid not in removable)
    }
    errors |= {
        f"urls.{sid}": ["No flow of this copy needs this webhook."]
        for sid in body.urls
        if f"url_{sid}" not in form.fields
    }
    if errors:
        raise invalid(errors)


def _input_names(form: CopyForm) -> dict[str, str]:
    """Return where the body has the values of the form's fields."""
    names = {use.sid: f"sid_map.{use.sid}" for use in form.uses}
    return {f"sid_{sid}": name for sid, name in names.items()} | {
        name: name.replace("url_", "urls.") for name in form.fields if name.startswith("url_")
    }


def _suggestions(uses: Sequence[SidUse], sent: Mapping[str, str | None]) -> dict[str, str]:
    """Return the counterparts that the page suggests for SIDs that the body lacks."""
    return {use.sid: use.proposed for use in uses if use.proposed and not sent.get(use.sid)}


def _choices(copy: _Copy) -> CopyChoices:
    values = copy.form.cleaned_data
    return CopyChoices(
        copy.counterparts,
        copy.form.urls,
        turned_off=values.get("turned_off", True),
        copies_identities=values.get("copy_identities", False),
    )


def _store_map(
    request: Request, copy: _Copy, sent: Mapping[str, str | None]
) -> HttpResponse | None:
    """Store the counterparts, and remove those that the body has as null. Raise `Problem`."""
    removed = {sid: "" for sid, counterpart in sent.items() if counterpart is None}
    try:
        mappings.change_map(copy.direction, removed | copy.counterparts, get_actor(request))
    except OperationUnavailable as refusal:
        return refused_response(refusal, "copy these flows")
    return None
