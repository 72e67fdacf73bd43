"""Each step of a change request: its status and its event, in one transaction of the log."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from django.utils import timezone

from flows.approvals.actions import RequestAction
from flows.approvals.bulk_contents import count_flows
from flows.approvals.contents import resource_of
from flows.approvals.models import Approval, ChangeRequest
from flows.approvals.request_schedules import schedules
from flows.approvals.request_status import ENDED, TRANSITIONS, RequestStatus
from flows.audit.audit_log import Actor, LogTransaction, Payload
from flows.audit.models import AuditEvent, Result, Stage
from flows.plans.titles import format_count
from flows.redaction.redacted import redact_fields

# The actor of a step that no user takes, such as an expiry.
SYSTEM: Final = Actor(id="", label="")
_WITH_CONTENT: Final = (RequestAction.SUBMIT, RequestAction.REVISE)


class TransitionNotAllowed(Exception):
    """The request has a status that doesn't allow the action."""


def load(request_id: uuid.UUID) -> ChangeRequest:
    """Return the request as it is now, for a transaction that holds the log's lock."""
    return ChangeRequest.objects.get(pk=request_id)


def move(
    log: LogTransaction,
    request: ChangeRequest,
    action: RequestAction,
    *,
    actor: Actor,
    status: RequestStatus | None = None,
    comment: str = "",
    message: str = "",
    **values: Any,
) -> AuditEvent:
    """Take a step and append its event. Without a `status` the request keeps its own.

    `comment` is the user's, `message` this site's. `values` are other fields to set. Raises
    `TransitionNotAllowed`.
    """
    transition = TRANSITIONS[action]
    target = RequestStatus(status or request.status)
    if target not in transition.targets:
        raise TransitionNotAllowed(action)
    if target in ENDED and request.status not in ENDED:
        values["ended_at"] = timezone.now()
    rows = ChangeRequest.objects.filter(pk=request.pk, status__in=transition.sources)
    if not rows.update(status=target, **values):
        raise TransitionNotAllowed(action)
    for name, value in {"status": target, **values}.items():
        setattr(request, name, value)
    event = append(log, request, action, actor=actor, comment=comment, message=message)
    schedules().after_step(log, request, action, actor, message or comment)
    return event


def append(
    log: LogTransaction,
    request: ChangeRequest,
    action: RequestAction,
    *,
    actor: Actor,
    comment: str = "",
    message: str = "",
) -> AuditEvent:
    """Append an event of a request. Those about its content have the values."""
    resource = resource_of(request)
    state: Mapping[str, Any] = request.before or request.requested or {}
    values = {"Status": RequestStatus(request.status).label, "Content": request.content_hash[:16]}
    if request.plan_id:
        values["Bulk change"] = format_count(count_flows(request))
    details = redact_fields(values)
    has_content = action in _WITH_CONTENT and not request.plan_id
    return log.append(
        action=action,
        stage=Stage.ACCESS,
        result=Result.SUCCEEDED,
        actor=replace(actor, request_id=str(request.pk)),
        account_sid=request.account_sid,
        target_sid=request.target_sid,
        changed_fields=sorted(request.requested or {}) if has_content else [],
        reason=comment,
        payload=Payload(
            friendly_name=request.friendly_name,
            contact_identity=resource.identity_of(state),
            before=request.before if has_content else None,
            requested=request.requested if has_content else details,
            message=message,
        ),
    )


def void_approvals(
    log: LogTransaction,
    request: ChangeRequest,
    reason: str,
    *,
    actor: Actor,
    approvals: list[Approval] | None = None,
) -> None:
    """Void these approvals of a request, or all, each with an event. It is then in review again."""
    rows = request.approvals.filter(voided_at=None)
    for approval in list(rows) if approvals is None else approvals:
        rows.filter(pk=approval.pk).update(voided_at=timezone.now(), void_reason=reason[:200])
        is_approved = request.status == RequestStatus.APPROVED
        move(
            log,
            request,
            RequestAction.VOID,
            actor=actor,
            status=RequestStatus.IN_REVIEW if is_approved else None,
            message=f"The approval of {approval.user_label} is void. {reason}",
        )
