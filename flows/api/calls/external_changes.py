"""Calls that read external changes, accept them, and draft the bulk change that reverts them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from ninja import Body, Query, Router, Schema
from pydantic import Field as SchemaField

from flows.accounts.permissions import has_permission, scope_of
from flows.api.access import VIEW_FLOWS, chosen_accounts, require_scope
from flows.api.calls.bulk_changes import PlanDetail, created_response
from flows.api.paging import json_response, sorted_page
from flows.api.problems import Problem
from flows.api.schemas import Difference, PageParameters, Reason, StrictSchema, responses
from flows.audit.access import Request, get_actor, record_denial
from flows.external_changes import inbox, reverting
from flows.external_changes.inbox import CHANGED, CREATED, DELETED, ExternalChange
from flows.mirror import drift
from flows.plans.access import only_account_sid
from flows.redaction.redacted import redact_fields

router = Router(tags=["External changes"])
KINDS: Final = {CHANGED: "changed", CREATED: "created", DELETED: "deleted"}
MAX_EVENTS: Final = 10_000


class ExternalChangeBody(Schema):
    event_id: str
    kind: Literal["changed", "created", "deleted"]
    account_sid: str
    sid: str
    friendly_name: str
    at: str
    differences: list[Difference]


class ExternalChangePage(Schema):
    items: list[ExternalChangeBody]
    next_cursor: str | None = None


class ExternalChangeChoice(StrictSchema):
    """External changes to accept or revert."""

    event_ids: Annotated[
        list[str],
        SchemaField(
            min_length=1,
            max_length=MAX_EVENTS,
            description="The “event_id” of each external change as you read it.",
        ),
    ]
    reason: Reason = ""


class Acceptance(Schema):
    """The result of accepting external changes. Someone else may have resolved some before."""

    accepted: int
    already_resolved: int


@router.get(
    "external-changes",
    response=responses({200: ExternalChangePage}),
    summary="List external changes",
)
def list_external_changes(request: HttpRequest, parameters: Query[PageParameters]) -> HttpResponse:
    """List changes made outside this dashboard that no one has accepted or reverted, the latest first."""
    accounts = chosen_accounts(parameters.account, require_scope(request).scope)
    scope = frozenset(account.sid for account in accounts)
    pending = [ExternalChange(events) for events in drift.load_inbox(scope)]
    page, next_cursor = sorted_page(
        pending,
        parameters.cursor,
        parameters.limit,
        name="external-changes",
        key=lambda change: (-change.last.seq,),
    )
    items = [_external_change_body(change) for change in page]
    return json_response({"items": items, "next_cursor": next_cursor})


@router.post(
    "external-changes/accept",
    response=responses({200: Acceptance}, is_change=True),
    summary="Accept external changes",
)
def accept_external_changes(request: HttpRequest, body: Body[ExternalChangeChoice]) -> HttpResponse:
    """Accept external changes, all or none. The flows stay as they are at Twilio."""
    api_request, changes = _load_changes(request, body, action="flow.accept")
    inbox.accept_all(changes, reason=body.reason, actor=get_actor(api_request))
    resolved = len(set(body.event_ids)) - len(changes)
    return json_response({"accepted": len(changes), "already_resolved": resolved})


@router.post(
    "external-changes/revert",
    response=responses({201: PlanDetail}, is_change=True),
    summary="Draft the revert of external changes",
)
def revert_external_changes(request: HttpRequest, body: Body[ExternalChangeChoice]) -> HttpResponse:
    """Draft the bulk change that restores the values from before. Nothing is sent until its start."""
    api_request, changes = _load_changes(request, body, action="plan.start")
    plan = reverting.plan_revert(
        changes=changes,
        created_by=api_request.user.get_username(),
        reason=body.reason,
        scope=api_request.scope,
    )
    return created_response(plan, scope_of(api_request.user, VIEW_FLOWS))


def _load_changes(
    request: HttpRequest, body: ExternalChangeChoice, *, action: str
) -> tuple[Request, Sequence[ExternalChange]]:
    """Return the request and the external changes that the token may see, and may resolve.

    Raise `Problem`, or `PermissionDenied`, which is logged as a denial of the action.
    """
    api_request = require_scope(request, "flows.change_flow", action=action)
    visible_scope = scope_of(api_request.user, VIEW_FLOWS)
    changes = [
        change
        for change in inbox.load_pending(_parse_ids(body.event_ids))
        if visible_scope is None or change.last.account_sid in visible_scope
    ]
    if not changes:
        detail = "Someone else has resolved them already, or there are no such external changes."
        raise Problem(409, detail, code="already_resolved")
    account_sids = sorted({change.last.account_sid for change in changes})
    api_request.account_sid = only_account_sid(account_sids)
    if not all(has_permission(api_request.user, "flows.change_flow", sid) for sid in account_sids):
        record_denial(api_request, action, {})
        raise PermissionDenied
    return api_request, changes


def _parse_ids(texts: Sequence[str]) -> list[uuid.UUID]:
    """Return the ids. Anything else is left to the count of those that are resolved."""
    ids = []
    for text in dict.fromkeys(texts):
        try:
            ids.append(uuid.UUID(text))
        except ValueError:
            continue
    return ids


def _external_change_body(change: ExternalChange) -> dict[str, Any]:
    event = change.last
    differences = [
        {"field": name, **redact_fields({"current": before, "new": after})}
        for name, (before, after) in change.values.items()
    ]
    return {
        "event_id": event.event_id,
        "kind": KINDS[change.kind],
        "account_sid": event.account_sid,
        "sid": event.target_sid,
        "friendly_name": event.payload.friendly_name,
        "at": event.at,
        "differences": differences,
    }
