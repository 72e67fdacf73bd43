"""Sending an approved request: it starts, its change goes through the write protocol, and it ends."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

from django.utils import timezone

from flows.accounts.permissions import has_permission, resource_permission
from flows.approvals import bulk_requests
from flows.approvals.actions import RequestAction
from flows.approvals.bulk_contents import are_rows_intact
from flows.approvals.contents import is_intact, resource_of
from flows.approvals.models import ChangeRequest
from flows.approvals.request_status import RequestStatus
from flows.approvals.requests import ContentChanged, NotPermitted
from flows.approvals.terms import load_terms
from flows.approvals.transitions import SYSTEM, load, move
from flows.approvals.validity import return_request, review, settle
from flows.audit import audit_log
from flows.audit.audit_log import Actor, AlreadyRecorded, LogTransaction
from flows.availability.restrictions import OperationUnavailable
from flows.changes import operations
from flows.changes.in_flight import ConcurrentChange
from flows.plans import access
from flows.twilio.flex.flex_flow import FLEX_FLOW

BYPASS_PERMISSION: Final = "flows.bypass_policy"
_FLOW_PERMISSIONS: Final = {
    "create": "flows.add_flow",
    "update": "flows.change_flow",
    "delete": "flows.delete_flow",
}
_CONCURRENT: Final = "Another change of the same object was in progress, or had just been sent."


def may_apply(user: Any, request: ChangeRequest) -> bool:
    """Return True if the user's role can make the requested change, or all of a bulk change."""
    if request.plan is not None:
        return not access.missing_permission(request.plan, user)
    return has_permission(user, _permission_of(request), request.account_sid)


def _permission_of(request: ChangeRequest) -> str:
    resource = resource_of(request)
    if resource is FLEX_FLOW:
        return _FLOW_PERMISSIONS[request.operation]
    return resource_permission(resource, "change")


def apply(
    request_id: uuid.UUID,
    *,
    content_hash: str,
    user: Any,
    actor: Actor,
    bypass_reason: str = "",
    before_start: Callable[[LogTransaction], None] | None = None,
) -> ChangeRequest:
    """Send the change of an approved request, and return the request as it is afterwards.

    A bulk change is started; its request ends with it. With a `bypass_reason` it is sent without
    approval, and at any hour: break glass. `before_start` is called in the transaction in which the
    request starts, and can raise an error to prevent it. Raises `NotPermitted`, `ContentChanged`,
    `TransitionNotAllowed` or `NotRecorded` if it didn't start.
    """
    request = review(request_id)
    start = partial(_start, request_id, content_hash, user, actor, bypass_reason, before_start)
    if request.plan is not None:
        return bulk_requests.start(request, request.plan, actor, start)
    with audit_log.transaction() as log:
        request = start(log)
    message, is_set = "", False
    try:
        _send(request, replace(actor, request_id=str(request.pk)))
    except operations.NothingToChange:
        is_set = True
    except ConcurrentChange:
        message = _CONCURRENT
    except OperationUnavailable as refusal:
        message = refusal.restriction.sentence
    except (
        operations.Conflict,
        operations.FlowUnreadable,
        operations.OutcomeNotRecorded,
        AlreadyRecorded,
    ):
        pass  # the log has what `settle` needs
    return _end(request_id, message, is_set=is_set)


def _start(
    request_id: uuid.UUID,
    content_hash: str,
    user: Any,
    actor: Actor,
    bypass_reason: str,
    before_start: Callable[[LogTransaction], None] | None,
    log: LogTransaction,
) -> ChangeRequest:
    request = load(request_id)
    if request.content_hash != content_hash or not is_intact(request):
        raise ContentChanged
    if not are_rows_intact(request):
        raise ContentChanged
    if not may_apply(user, request):
        raise NotPermitted("Your role can't make this change.")
    action = RequestAction.APPLY
    if bypass_reason:
        action = RequestAction.BREAK_GLASS
        if not has_permission(user, BYPASS_PERMISSION, request.account_sid):
            raise NotPermitted("Your role can't apply requests without approval.")
    elif not load_terms(request.account_sid).is_open():
        hours = load_terms(request.account_sid).hours
        raise NotPermitted(f"Changes of this account are sent {hours} only.")
    if before_start is not None:
        before_start(log)
    move(
        log,
        request,
        action,
        actor=actor,
        status=RequestStatus.IN_PROGRESS,
        comment=bypass_reason,
        started_at=timezone.now(),
        is_without_approval=bool(bypass_reason),
        note="",
    )
    return request


def _send(request: ChangeRequest, actor: Actor) -> None:
    resource = resource_of(request)
    common: dict[str, Any] = {
        "reason": request.reason,
        "actor": actor,
        "change_id": request.change_id,
        "account_sid": request.account_sid,
        "parent_sid": request.parent_sid,
        "refers_to": request.refers_to,
    }
    if request.operation == "create":
        operations.create(resource, values=request.requested or {}, **common)
        return
    common |= {"sid": request.target_sid, "base": request.before or {}}
    if request.operation == "update":
        operations.update(resource, values=request.requested or {}, **common)
    elif request.operation == "archive":
        operations.archive(resource, **common)
    else:
        operations.delete(resource, **common)


def _end(request_id: uuid.UUID, message: str, *, is_set: bool) -> ChangeRequest:
    with audit_log.transaction() as log:
        request, now = load(request_id), timezone.now()
        if request.status != RequestStatus.IN_PROGRESS:
            return request
        if is_set:
            note = "Twilio had these values already. Nothing was sent."
            move(
                log,
                request,
                RequestAction.FINISH,
                actor=SYSTEM,
                status=RequestStatus.DONE,
                message=note,
                note=note,
            )
        elif message:
            return_request(log, request, message, now)
        else:
            settle(log, request, now)
    return request
