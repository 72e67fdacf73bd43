"""The steps of a change request that users take. Each is one event of the audit log.

The functions raise `TransitionNotAllowed`, `NotPermitted`, `ContentChanged` or `NotRecorded`. Nothing
is changed then.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from flows.approvals.actions import RequestAction
from flows.approvals.approvers import is_approver
from flows.approvals.bulk_contents import are_rows_intact
from flows.approvals.contents import hash_content, is_intact, resource_of
from flows.approvals.models import Approval, ChangeRequest
from flows.approvals.request_status import RequestStatus
from flows.approvals.terms import load_terms
from flows.approvals.transitions import append, load, move, void_approvals
from flows.approvals.validity import find_void_reason, required_approvals, reviewed_status
from flows.audit import audit_log, keyed_requests
from flows.audit.audit_log import Actor, LogTransaction
from flows.changes.change_guard import ProposedChange, SecretInRequest
from flows.changes.operations import NothingToChange
from flows.mirror import live
from flows.redaction.json_masks import restore_parts
from flows.redaction.masking import has_mask, redact_note, replace_unstorable, unmask
from flows.redaction.redacted import redact_snapshot
from flows.twilio.pickling import PicklableError
from flows.twilio.resource import Resource


class NotPermitted(Exception):
    """The user may not take this step. The message is a sentence for users."""


class FormReused(PicklableError):
    """The form made another request before. `is_own` is True if its user and its object are the same."""

    def __init__(self, request: ChangeRequest, is_own: bool) -> None:
        super().__init__("this form made another change request")
        self.request, self.is_own = request, is_own


class ContentChanged(Exception):
    """The request was edited since the page was opened."""


def submit(change: ProposedChange) -> ChangeRequest:
    """Store a change as a request, or return the one that the same form made before.

    Raises `FormReused` if that has other values, `SecretInRequest` or `NotRecorded`.
    """
    with audit_log.transaction() as log:
        return submit_in(log, change)


def submit_in(log: LogTransaction, change: ProposedChange) -> ChangeRequest:
    """Do what `submit` does, in a transaction of the log."""
    _refuse_new_secrets(change.resource, change.requested, change.before)
    earlier = ChangeRequest.objects.filter(form_id=change.change_id).first()
    if earlier is not None:
        _refuse_other_content(earlier, change)
        return earlier
    state = change.before or change.requested or {}
    now = timezone.now()
    request = ChangeRequest(
        status=RequestStatus.IN_REVIEW,
        account_sid=change.account_sid,
        resource=change.resource.name,
        operation=change.operation,
        target_sid=change.sid,
        parent_sid=change.parent_sid,
        friendly_name=str(redact_note(replace_unstorable(change.resource.name_of(state)))),
        before=redact_snapshot(change.before),
        requested=redact_snapshot(change.requested),
        reason=redact_note(replace_unstorable(change.reason))[:200],
        refers_to=change.refers_to,
        requester_id=change.actor.id,
        requester_label=change.actor.label[:150],
        form_id=change.change_id,
        created_at=now,
        submitted_at=now,
    )
    request.content_hash = hash_content(request)
    if not required_approvals(request, load_terms(request.account_sid)):
        request.status = RequestStatus.APPROVED
    request.save(force_insert=True)
    append(log, request, RequestAction.SUBMIT, actor=change.actor, comment=request.reason)
    keyed_requests.remember(request.form_id, change.actor.request_digest)
    return request


def _refuse_other_content(earlier: ChangeRequest, change: ProposedChange) -> None:
    """Raise `FormReused` unless the request is the one that this change would make."""
    is_own = (
        earlier.requester_id == change.actor.id
        and earlier.account_sid == change.account_sid
        and earlier.resource == change.resource.name
        and earlier.operation == change.operation
        and earlier.target_sid == change.sid
    )
    if not is_own or earlier.requested != redact_snapshot(change.requested):
        raise FormReused(earlier, is_own)


def approve(
    request_id: uuid.UUID, *, content_hash: str, actor: Actor, comment: str = ""
) -> ChangeRequest:
    """Approve the content with this hash. With enough approvals the request is approved."""
    with audit_log.transaction() as log:
        request = load(request_id)
        _check_content(request, content_hash)
        _check_reviewer(request, actor)
        terms, now = load_terms(request.account_sid), timezone.now()
        _void_own_earlier(log, request, actor)
        Approval.objects.create(
            request=request,
            user_id=actor.id,
            user_label=actor.label[:150],
            content_hash=request.content_hash,
            terms=terms.for_approvals,
            approved_at=now,
        )
        move(
            log,
            request,
            RequestAction.APPROVE,
            actor=actor,
            status=reviewed_status(request, terms, now),
            comment=comment,
        )
    return request


def reject(request_id: uuid.UUID, *, content_hash: str, actor: Actor, comment: str) -> None:
    """Reject the content with this hash. The request and the reason stay."""
    with audit_log.transaction() as log:
        request = load(request_id)
        _check_content(request, content_hash)
        _check_reviewer(request, actor)
        move(
            log,
            request,
            RequestAction.REJECT,
            actor=actor,
            status=RequestStatus.REJECTED,
            comment=comment,
            note=comment,
        )


def cancel(
    request_id: uuid.UUID, *, actor: Actor, comment: str = "", is_administrator: bool = False
) -> None:
    """Cancel an own request, as an administrator any, before it starts."""
    with audit_log.transaction() as log:
        request = load(request_id)
        if request.requester_id != actor.id and not is_administrator:
            raise NotPermitted("Only the requester and administrators can cancel this request.")
        move(
            log,
            request,
            RequestAction.CANCEL,
            actor=actor,
            status=RequestStatus.CANCELLED,
            comment=comment,
            note=comment,
        )


def comment_on(request_id: uuid.UUID, *, actor: Actor, comment: str) -> None:
    """Add a comment. It is part of the audit log."""
    with audit_log.transaction() as log:
        move(log, load(request_id), RequestAction.COMMENT, actor=actor, comment=comment)


def revise(
    request_id: uuid.UUID,
    *,
    content_hash: str,
    values: Mapping[str, Any],
    reason: str,
    actor: Actor,
) -> ChangeRequest:
    """Replace the values and the reason of an own request, on the object as Twilio has it now.

    All approvals are void then. Raises `NothingToChange`, `SecretInRequest`, or a `FlexError` if the
    object can't be read.
    """
    request = load(request_id)
    if request.plan_id:
        raise NotPermitted("A bulk change can't be edited. Cancel its request and create it again.")
    resource = resource_of(request)
    theirs = _read_object(request)
    requested = _differing_values(request, resource, theirs, values)
    _refuse_new_secrets(resource, requested, theirs)
    with audit_log.transaction() as log:
        request = load(request_id)
        _check_content(request, content_hash)
        if request.requester_id != actor.id:
            raise NotPermitted("Only the requester can edit this request.")
        request.before, request.requested = redact_snapshot(theirs), redact_snapshot(requested)
        request.reason = redact_note(replace_unstorable(reason))[:200]
        void_approvals(log, request, "The request was edited.", actor=actor)
        content: dict[str, Any] = {
            "before": request.before,
            "requested": request.requested,
            "reason": request.reason,
            "content_hash": hash_content(request),
            "submitted_at": timezone.now(),
            "change_id": uuid.uuid4(),
            "note": "",
        }
        is_free = not required_approvals(request, load_terms(request.account_sid))
        move(
            log,
            request,
            RequestAction.REVISE,
            actor=actor,
            status=RequestStatus.APPROVED if is_free else RequestStatus.IN_REVIEW,
            comment=request.reason,
            **content,
        )
    return request


def _read_object(request: ChangeRequest) -> dict[str, Any] | None:
    """Return the object as Twilio has it now, unmasked, or None for a creation."""
    if request.operation == "create":
        return None
    return live.fetch(
        resource_of(request),
        request.target_sid,
        account_sid=request.account_sid,
        parent_sid=request.parent_sid,
    )


def _differing_values(
    request: ChangeRequest,
    resource: Resource,
    theirs: Mapping[str, Any] | None,
    values: Mapping[str, Any],
) -> dict[str, Any] | None:
    """Return the values to request, None for a deletion. Raise `NothingToChange` without any."""
    if request.requested is None:
        return None
    if theirs is None:
        return {
            name: value
            for name, value in values.items()
            if resource.normalize_value(name, value) is not None
        }
    restored = {name: _restore(value, theirs.get(name)) for name, value in values.items()}
    names = resource.differing_fields(theirs, restored, restored)
    if not names:
        raise NothingToChange
    return {name: restored[name] for name in names}


def _check_content(request: ChangeRequest, content_hash: str) -> None:
    if request.content_hash != content_hash or not is_intact(request):
        raise ContentChanged
    if not are_rows_intact(request):
        raise ContentChanged


def _check_reviewer(request: ChangeRequest, actor: Actor) -> None:
    """Raise `NotPermitted` unless the user can approve this request, which is someone else's."""
    if request.requester_id == actor.id:
        raise NotPermitted("You can't approve or reject your own request.")
    if not is_approver(actor.id, request.account_sid, load_terms(request.account_sid)):
        raise NotPermitted("You can't approve changes of this account.")


def _void_own_earlier(log: LogTransaction, request: ChangeRequest, actor: Actor) -> None:
    """Void an earlier approval of the same user that no longer counts, before there is a new one."""
    terms, now = load_terms(request.account_sid), timezone.now()
    for approval in request.approvals.filter(voided_at=None, user_id=actor.id):
        reason = find_void_reason(request, approval, terms, now)
        if not reason:
            raise NotPermitted("You have approved this request already.")
        void_approvals(log, request, reason, actor=actor, approvals=[approval])


def _refuse_new_secrets(
    resource: Resource, requested: Mapping[str, Any] | None, before: Mapping[str, Any] | None
) -> None:
    """Raise `SecretInRequest` for a secret that the object at Twilio doesn't have.

    Requests store masks only. When the change is sent, they stand for the object's own secrets.
    """
    names = [
        name
        for name, value in (requested or {}).items()
        if _is_new_secret(name, value, (before or {}).get(name))
    ]
    if names:
        raise SecretInRequest(", ".join(resource.label_of(name) for name in names))


def _is_new_secret(name: str, value: Any, current: Any) -> bool:
    masked = redact_snapshot({name: value})[name]
    if not has_mask(masked):
        return False
    return bool(_restore(masked, current) != value)


def _restore(value: Any, current: Any) -> Any:
    """Return a value with the object's own secrets in place of their masks."""
    if isinstance(value, dict | list):
        return restore_parts(value, redact_snapshot({"value": current})["value"], current)
    return unmask(value, current)
