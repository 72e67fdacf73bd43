"""Calls that read bulk changes and take their steps, as the pages under /flows/plans/ do."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Body, Query, Router, Schema
from pydantic import Field as SchemaField

from flows.accounts.twilio_accounts import Scope
from flows.api.access import chosen_accounts, require_scope
from flows.api.change_results import requested_response
from flows.api.paging import json_response, query_page, sorted_page
from flows.api.problems import API_PREFIX, Problem, clean_form, invalid
from flows.api.schemas import (
    Cursor,
    Difference,
    Limit,
    PageParameters,
    Reason,
    Requested,
    StrictSchema,
    responses,
)
from flows.audit import access as audit_access
from flows.audit.access import Request, get_actor, record_denial
from flows.audit.models import AuditEvent
from flows.availability.restrictions import OperationUnavailable
from flows.changes import change_guard
from flows.plans import access, drafts, follow_ups, start_and_stop
from flows.plans.actions import PlanAction
from flows.plans.failure_text import failure_message
from flows.plans.forms import PlanStartForm
from flows.plans.items import ItemStatus, PlanItem, count_statuses, plan_items, with_status
from flows.plans.models import Plan
from flows.plans.status import ACTIVE_STATUSES, ENDED_STATUSES, PlanStatus
from flows.plans.views.plan_page import count_deletions

# Also of the call that drafts bulk changes: a path has one router.
router = Router(tags=["Bulk changes"])
# Other words than the values of `ItemStatus`, which are older.
ITEM_STATUSES: Final = {ItemStatus.APPLIED: "applied"}


class PlanBody(Schema):
    """A bulk change. `flows` is the number of flows that it changes."""

    id: str
    title: str
    status: PlanStatus
    flows: int
    created_at: str
    created_by: str
    reason: str


class PlanItemBody(Schema):
    """The change of one flow. `message` says why it was skipped or not applied."""

    change_id: str
    action: str
    account_sid: str
    sid: str
    friendly_name: str
    status: str
    differences: list[Difference]
    message: str


class PlanDetail(PlanBody):
    """A bulk change with its changes, and their number by status."""

    started_at: str | None
    ended_at: str | None
    stop_reason: str
    rollback_of: str | None
    counts: dict[str, int]
    items: list[PlanItemBody]
    next_cursor: str | None = None


class PlanPage(Schema):
    items: list[PlanBody]
    next_cursor: str | None = None


class PlanItemParameters(Schema):
    """The parameters of a bulk change's list of changes."""

    cursor: Cursor = ""
    limit: Limit = 100
    status: Annotated[
        str, SchemaField(description="The status of the changes to list, such as “failed”.")
    ] = ""


class PlanStart(StrictSchema):
    """The start of a bulk change."""

    reason: Reason = ""
    confirm: Annotated[
        int | None,
        SchemaField(description="The number of flows to delete. Required if there are any."),
    ] = None


@router.get("plans", response=responses({200: PlanPage}), summary="List bulk changes")
def list_plans(request: HttpRequest, parameters: Query[PageParameters]) -> HttpResponse:
    """List bulk changes, the latest first. With `account`, those that change flows of it."""
    api_request = require_scope(request)
    plans = access.visible_plans(api_request.user, api_request.scope)
    if parameters.account:
        chosen_accounts(parameters.account, api_request.scope)
        plans = access.filter_by_account(plans, parameters.account)
    latest = plans.order_by("-created_at", "-pk")
    page, next_cursor = query_page(latest, parameters.cursor, parameters.limit, name="plans")
    return json_response({"items": list(map(_plan_body, page)), "next_cursor": next_cursor})


@router.get(
    "plans/{uuid:plan_id}", response=responses({200: PlanDetail}), summary="Read a bulk change"
)
def read_plan(
    request: HttpRequest, plan_id: uuid.UUID, parameters: Query[PlanItemParameters]
) -> HttpResponse:
    """Return a bulk change with its changes, which come by cursor."""
    api_request = require_scope(request)
    plan = _visible_plan(api_request, plan_id)
    return json_response(plan_detail(plan, api_request.scope, parameters))


@router.post(
    "plans/{uuid:plan_id}/start",
    response=responses({200: PlanDetail, 202: PlanDetail | Requested}, is_change=True),
    summary="Start or resume a bulk change",
)
def start_plan(request: HttpRequest, plan_id: uuid.UUID, body: Body[PlanStart]) -> HttpResponse:
    """Start a draft, or resume one that was stopped. A second start changes nothing.

    Read it again until its status is no longer `running` or `stopping`. If a policy takes a change
    request for it, the request is made instead, and its address is in `Location`.
    """
    api_request, plan = _permitted_plan(request, plan_id, "can_act", PlanAction.START)
    if access.missing_permission(plan, api_request.user):
        audit_access.deny(api_request, PlanAction.START, {})
    if plan.status in (*ACTIVE_STATUSES, PlanStatus.DONE):
        return _plan_response(api_request, plan)
    confirm = "" if body.confirm is None else str(body.confirm)
    form = PlanStartForm(
        {"reason": body.reason or plan.reason, "confirm": confirm},
        deletes=count_deletions(plan),
    )
    reason = clean_form(form)["reason"]
    reason_error = change_guard.missing_reason(access.account_sids_of_plan(plan.pk), reason)
    if reason_error:
        raise invalid({"reason": [reason_error]})
    restriction = access.find_restriction(plan)
    if restriction:
        raise _refused(api_request, restriction)
    decision = access.judge(plan)
    if decision.refusal:
        return _request_start(api_request, plan, decision, reason)
    start_and_stop.start(plan=plan, reason=reason, actor=get_actor(api_request))
    plan.refresh_from_db()
    return _plan_response(api_request, plan)


def _request_start(
    request: Request, plan: Plan, decision: change_guard.BulkDecision, reason: str
) -> HttpResponse:
    """Return the response with the plan's change request, made now unless it has one."""
    page = decision.request_url if decision.is_request_open else ""
    if not page and not decision.can_request:
        raise _refused(request, decision.refusal)
    actor = get_actor(request)
    try:
        page = page or change_guard.guard().submit_bulk(plan.pk, reason=reason, actor=actor)
    except OperationUnavailable as refusal:  # it was started in the meantime
        raise _refused(request, refusal.restriction.sentence) from refusal
    return requested_response(decision.refusal, page)


def _refused(request: Request, sentence: str) -> Problem:
    record_denial(request, PlanAction.START, {})
    return Problem(403, f"{sentence} Nothing was sent.", code="unavailable")


@router.post(
    "plans/{uuid:plan_id}/stop",
    response=responses({200: PlanDetail, 202: PlanDetail}, is_change=True),
    summary="Stop a bulk change",
)
def stop_plan(request: HttpRequest, plan_id: uuid.UUID) -> HttpResponse:
    """Let the current change finish and start no other."""
    api_request, plan = _permitted_plan(request, plan_id, "can_act", PlanAction.STOP)
    if not start_and_stop.stop(plan=plan, actor=get_actor(api_request)):
        raise Problem(409, "This bulk change is not in progress.", code="wrong_status")
    plan.refresh_from_db()
    return _plan_response(api_request, plan)


@router.post(
    "plans/{uuid:plan_id}/retry",
    response=responses({201: PlanDetail}, is_change=True),
    summary="Draft the retry of a bulk change",
)
def retry_plan(request: HttpRequest, plan_id: uuid.UUID) -> HttpResponse:
    """Draft a bulk change of what failed."""
    return _create_follow_up(request, plan_id, follow_ups.plan_retry, "There is nothing to retry.")


@router.post(
    "plans/{uuid:plan_id}/rollback",
    response=responses({201: PlanDetail}, is_change=True),
    summary="Draft the rollback of a bulk change",
)
def roll_back_plan(request: HttpRequest, plan_id: uuid.UUID) -> HttpResponse:
    """Draft a bulk change that restores the former values."""
    return _create_follow_up(
        request, plan_id, follow_ups.plan_rollback, "There is nothing to roll back."
    )


@router.delete(
    "plans/{uuid:plan_id}",
    response=responses({204: None}, is_change=True),
    summary="Discard a draft",
)
def discard_plan(request: HttpRequest, plan_id: uuid.UUID) -> HttpResponse:
    """Discard a bulk change that was never started."""
    _, plan = _permitted_plan(request, plan_id, "can_discard", PlanAction.START)
    if not drafts.discard_draft(plan=plan):
        raise Problem(409, "Only a draft can be discarded.", code="wrong_status")
    return HttpResponse(status=204)


def plan_detail(plan: Plan, scope: Scope, parameters: PlanItemParameters) -> dict[str, Any]:
    """Return a plan with a page of its changes, those in accounts of the scope."""
    items = _visible_items(plan, scope)
    chosen = items
    if parameters.status:
        chosen = with_status(items, _find_status(parameters.status))
    page, next_cursor = sorted_page(
        chosen,
        parameters.cursor,
        parameters.limit,
        name=f"plans/{plan.pk}",
        key=lambda item: (item.change.position,),
    )
    counts = count_statuses(items)
    plan.flows = sum(not item.change.skip_reason for item in items)  # type: ignore[attr-defined]
    return _plan_body(plan) | {
        "started_at": plan.started_at,
        "ended_at": plan.ended_at,
        "stop_reason": plan.stop_reason,
        "rollback_of": plan.rollback_of_id,
        "counts": {_status_word(status): number for status, number in counts.items()},
        "items": _item_bodies(page),
        "next_cursor": next_cursor,
    }


def created_response(plan: Plan, scope: Scope, **members: Any) -> HttpResponse:
    """Return a new draft with its address, and with further members."""
    body = plan_detail(plan, scope, PlanItemParameters()) | members
    response = json_response(body, status=201)
    response["Location"] = f"{API_PREFIX}plans/{plan.pk}"
    return response


def _plan_response(request: Request, plan: Plan) -> HttpResponse:
    """Return a plan. 202 means that its changes are still made."""
    body = plan_detail(plan, request.scope, PlanItemParameters())
    response = json_response(body, status=202 if plan.status in ACTIVE_STATUSES else 200)
    response["Location"] = f"{API_PREFIX}plans/{plan.pk}"
    return response


def _create_follow_up(
    request: HttpRequest, plan_id: uuid.UUID, draft: Callable[..., Plan], empty_message: str
) -> HttpResponse:
    api_request, plan = _permitted_plan(request, plan_id, "can_act", PlanAction.START)
    if plan.status not in ENDED_STATUSES:
        raise Problem(409, "This bulk change has not finished yet.", code="wrong_status")
    follow_up = draft(plan=plan, created_by=api_request.user.get_username())
    if not follow_up.changes.exists():
        drafts.discard_draft(plan=follow_up)
        raise Problem(409, empty_message, code="nothing_to_change")
    return created_response(follow_up, api_request.scope)


def _visible_plan(request: Request, plan_id: uuid.UUID) -> Plan:
    plan = access.visible_plans(request.user, request.scope).filter(pk=plan_id).first()
    if plan is None:
        raise Http404("There is no such bulk change.")
    return plan


def _permitted_plan(
    request: HttpRequest, plan_id: uuid.UUID, permission: str, action: PlanAction
) -> tuple[Request, Plan]:
    """Return the request and the plan. `permission` is a field of `PlanPermissions`.

    Raise `Http404`, or `PermissionDenied`, which is logged.
    """
    api_request = require_scope(request)
    plan = _visible_plan(api_request, plan_id)
    account_sids = access.account_sids_of_plan(plan_id)
    api_request.account_sid = access.only_account_sid(account_sids)
    permissions = access.permissions_on_plan(api_request.user, plan, account_sids)
    if not getattr(permissions, permission):
        audit_access.deny(api_request, action, {})
    return api_request, plan


def _visible_items(plan: Plan, scope: Scope) -> list[PlanItem]:
    items = plan_items(plan)
    if scope is None:
        return items
    return [item for item in items if item.change.account_sid in {"", *scope}]


def _status_word(status: ItemStatus) -> str:
    return ITEM_STATUSES.get(status, status.value)


def _find_status(word: str) -> ItemStatus:
    """Return the status that a parameter names. Raise `Problem`."""
    for status in ItemStatus:
        if _status_word(status) == word:
            return status
    words = ", ".join(map(_status_word, ItemStatus))
    raise invalid({"status": [f"Choose one of {words}."]})


def _plan_body(plan: Plan) -> dict[str, Any]:
    return {
        "id": plan.pk,
        "title": plan.title,
        "status": plan.status,
        "flows": plan.flows,  # type: ignore[attr-defined]  # annotated by visible_plans
        "created_at": plan.created_at,
        "created_by": plan.created_by,
        "reason": plan.reason,
    }


def _item_bodies(items: Sequence[PlanItem]) -> list[dict[str, Any]]:
    seqs = [item.event.pk for item in items if item.event]
    events = AuditEvent.objects.select_related("payload").in_bulk(seqs)
    return [_item_body(item, events.get(item.event.pk) if item.event else None) for item in items]


def _item_body(item: PlanItem, event: AuditEvent | None) -> dict[str, Any]:
    change = item.change
    message = change.skip_reason
    if event is not None and item.status != ItemStatus.APPLIED:
        message = failure_message(event)
    return {
        "change_id": change.change_id,
        "action": change.action,
        "account_sid": change.account_sid,
        "sid": change.target_sid or (event.target_sid if event else ""),
        "friendly_name": change.friendly_name,
        "status": _status_word(item.status),
        "differences": [
            {"field": name, "current": change.before.get(name), "new": new}
            for name, new in change.requested.items()
        ],
        "message": message,
    }
