"""Which approvals of a request still count, and the events of those that no longer do.

`review_requests` looks at all waiting requests after each sync, each change of a policy or a role, and
every few minutes (sweep.py).
The guard asks `count_valid` again when a change is sent, so nothing depends on a review that is late.
"""

from __future__ import annotations

import logging
import uuid
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import QuerySet
from django.utils import timezone

from flows.approvals import bulk_contents, bulk_results
from flows.approvals.actions import RequestAction
from flows.approvals.approvers import is_approver
from flows.approvals.bulk_contents import bulk_size
from flows.approvals.contents import (
    changed_fields,
    current_copy,
    is_intact,
    request_kinds,
    resource_of,
)
from flows.approvals.models import Approval, ChangeRequest
from flows.approvals.request_schedules import schedules
from flows.approvals.request_status import OPEN, WAITING, RequestStatus
from flows.approvals.terms import Terms, load_terms
from flows.approvals.transitions import SYSTEM, load, move, void_approvals
from flows.approvals.unchanged_requests import find_unchanged
from flows.audit import audit_log
from flows.audit.audit_log import LogTransaction
from flows.audit.models import APPLIED_RESULTS, AuditEvent, Result, Stage
from flows.core.database import close_lost_connection

logger = logging.getLogger(__name__)

APPROVAL_LIFETIME: Final = timedelta(days=14)
REQUEST_LIFETIME: Final = timedelta(days=30)
START_TIMEOUT: Final = timedelta(minutes=10)  # a start without an attempt after it has died


def find_void_reason(
    request: ChangeRequest, approval: Approval, terms: Terms, now: datetime
) -> str:
    """Return why an approval no longer counts, or ""."""
    if approval.content_hash != request.content_hash or not is_intact(request):
        return "The content of the request has changed."
    if approval.user_id == request.requester_id:
        return "It was given by the requester."
    if now - approval.approved_at > APPROVAL_LIFETIME:
        return f"It is older than {APPROVAL_LIFETIME.days} days."
    if terms.is_stricter_than(approval.terms):
        return "The policy has become stricter."
    if not is_approver(approval.user_id, request.account_sid, terms):
        return f"{approval.user_label} can no longer approve changes of this account."
    return ""


def count_valid(request: ChangeRequest, terms: Terms, now: datetime) -> int:
    """Return the number of approvals that count."""
    approvals = request.approvals.filter(voided_at=None)
    return sum(not find_void_reason(request, approval, terms, now) for approval in approvals)


def required_approvals(request: ChangeRequest, terms: Terms) -> int:
    return terms.required_for(request_kinds(request), bulk_size(request))


def review_requests(requests: QuerySet[ChangeRequest]) -> None:
    """Void approvals that no longer count, and suspend, expire or end requests, with their events."""
    open_ids = list(requests.filter(status__in=OPEN).values_list("pk", flat=True))
    if not open_ids:
        return  # as after most changes
    unchanged = find_unchanged(requests, timezone.now() - REQUEST_LIFETIME)
    for request_id in open_ids:
        if request_id not in unchanged:
            review(request_id)


def review(request_id: uuid.UUID) -> ChangeRequest:
    """Review one request and return it as it is then. The log is locked only if something is due."""
    request = load(request_id)
    now = timezone.now()
    if not _is_due(request, now):
        return request
    with audit_log.transaction() as log:
        request = load(request_id)
        if request.status == RequestStatus.IN_PROGRESS:
            settle(log, request, now)
        elif request.status in WAITING:
            _review_waiting(log, request, now)
    return request


def _is_due(request: ChangeRequest, now: datetime) -> bool:
    """Return True if a review would find something to do."""
    if request.status == RequestStatus.IN_PROGRESS:
        return request.plan is None or bulk_results.has_ended(request.plan)
    if request.status not in WAITING:
        return False
    return bool(
        _is_expired(request, now)
        or _invalid_approvals(request, now)
        or (request.status != RequestStatus.SUSPENDED and _outside_change(request))
        or _due_status(request, now) != request.status
    )


def _review_waiting(log: LogTransaction, request: ChangeRequest, now: datetime) -> None:
    if _is_expired(request, now):
        message = f"No decision in {REQUEST_LIFETIME.days} days."
        move(
            log,
            request,
            RequestAction.EXPIRE,
            actor=SYSTEM,
            status=RequestStatus.EXPIRED,
            message=message,
            note=message,
        )
        return
    for approval, reason in _invalid_approvals(request, now):
        void_approvals(log, request, reason, actor=SYSTEM, approvals=[approval])
    if request.status != RequestStatus.SUSPENDED:
        reason = _outside_change(request)
        if reason:
            suspend(log, request, reason)
            return
    status = _due_status(request, now)
    if status != request.status:
        message = "The policy needs more approvals now."
        if status == RequestStatus.APPROVED:
            message = "The policy needs no more approvals."
        move(log, request, RequestAction.REEVALUATE, actor=SYSTEM, status=status, message=message)


def suspend(log: LogTransaction, request: ChangeRequest, reason: str) -> None:
    """Void all approvals and suspend the request until someone edits or cancels it."""
    # First, because only a waiting request has approvals to void.
    move(
        log,
        request,
        RequestAction.SUSPEND,
        actor=SYSTEM,
        status=RequestStatus.SUSPENDED,
        message=reason,
        note=reason,
    )
    void_approvals(log, request, reason, actor=SYSTEM)


def describe_outside_change(request: ChangeRequest, names: list[str]) -> str:
    labels = ", ".join(resource_of(request).label_of(name) for name in names[:5])
    return f"Someone else changed {labels} since the request was submitted."


def _invalid_approvals(request: ChangeRequest, now: datetime) -> list[tuple[Approval, str]]:
    approvals = list(request.approvals.filter(voided_at=None))
    terms = load_terms(request.account_sid) if approvals else Terms()
    pairs = [(each, find_void_reason(request, each, terms, now)) for each in approvals]
    return [(approval, reason) for approval, reason in pairs if reason]


def _is_expired(request: ChangeRequest, now: datetime) -> bool:
    is_old = now - request.submitted_at > REQUEST_LIFETIME
    return is_old and not schedules().is_kept_open(request, now)


def _outside_change(request: ChangeRequest) -> str:
    """Return why the object, or one of a bulk change, is no longer as it was requested, or ""."""
    if request.plan_id:
        return bulk_contents.describe_outside_change(request)
    names = _outside_changes(request)
    return describe_outside_change(request, names) if names else ""


def _outside_changes(request: ChangeRequest) -> list[str]:
    """Return the requested fields that someone else changed, as far as this site knows.

    The return of another request has the state after that one as its base. Until that one is done,
    the state before it is expected too.
    """
    current = current_copy(request)
    names = changed_fields(request, current)
    earlier = schedules().earlier_request(request) if names else None
    if earlier is None or earlier.status == RequestStatus.DONE:
        return names
    also_expected = changed_fields(request, current, base=earlier.before)
    return [name for name in names if name in also_expected]


def _due_status(request: ChangeRequest, now: datetime) -> RequestStatus:
    """Return the status that a waiting request has by its approvals and the policy."""
    if request.status == RequestStatus.SUSPENDED:
        return RequestStatus.SUSPENDED
    return reviewed_status(request, load_terms(request.account_sid), now)


def reviewed_status(request: ChangeRequest, terms: Terms, now: datetime) -> RequestStatus:
    """Return "approved" if enough approvals count, else "in review"."""
    is_approved = count_valid(request, terms, now) >= required_approvals(request, terms)
    return RequestStatus.APPROVED if is_approved else RequestStatus.IN_REVIEW


def settle(log: LogTransaction, request: ChangeRequest, now: datetime) -> None:
    """End a request in progress if the log has the outcome of its change, or its start has died."""
    if request.plan is not None:
        bulk_results.settle(log, request, request.plan)
        return
    event = audit_log.latest_event(request.change_id)
    if event is None:
        started_at = request.started_at or request.created_at
        if now - started_at > START_TIMEOUT:
            message = "The start was interrupted before anything was sent."
            return_request(log, request, message, now)
        return
    if event.stage == Stage.ATTEMPT or event.result == Result.UNKNOWN:
        return  # reconciliation finds its outcome
    if event.result in APPLIED_RESULTS:
        move(log, request, RequestAction.FINISH, actor=SYSTEM, status=RequestStatus.DONE, note="")
        return
    if event.result == Result.CONFLICT:
        suspend(log, request, message_of(event) or "Twilio has other values now.")
        return
    message = message_of(event) or "The change was not applied."
    is_sent = AuditEvent.objects.filter(change_id=request.change_id, stage=Stage.ATTEMPT).exists()
    if not is_sent:  # such as a read that failed
        return_request(log, request, message, now)
        return
    move(
        log,
        request,
        RequestAction.FAIL,
        actor=SYSTEM,
        status=RequestStatus.FAILED,
        message=message,
        note=message,
    )


def return_request(
    log: LogTransaction, request: ChangeRequest, message: str, now: datetime
) -> None:
    """Put a request back that was not sent. Its change gets a new id, for another try."""
    terms = load_terms(request.account_sid)
    move(
        log,
        request,
        RequestAction.RETURN,
        actor=SYSTEM,
        status=reviewed_status(request, terms, now),
        message=message,
        note=message,
        change_id=uuid.uuid4(),
        started_at=None,
        is_without_approval=False,
    )


def message_of(event: AuditEvent) -> str:
    payload = event.stored_payload
    return payload.message if payload else ""


def review_requests_of(approver_id: str) -> None:
    """Review the requests that a user has approved. An error is logged: a sync reviews again."""
    approved = Approval.objects.filter(user_id=approver_id, voided_at=None).values("request")
    review_safely(ChangeRequest.objects.filter(pk__in=approved))


def on_account_updated(*, account_sid: str, **_signal: Any) -> None:
    """Receiver: review the account's requests. An error is logged: the next sync reviews again."""
    review_safely(ChangeRequest.objects.filter(account_sid=account_sid))


def on_plan_ended(*, plan_id: uuid.UUID, **_signal: Any) -> None:
    """Receiver: end the request of a bulk change that has ended."""
    review_safely(ChangeRequest.objects.filter(plan=plan_id))


def review_safely(requests: QuerySet[ChangeRequest]) -> None:
    """Review these requests, and log an error instead of raising it."""
    try:
        review_requests(requests)
    except Exception as error:  # noqa: BLE001 - what was synced is synced all the same
        close_lost_connection()
        logger.error("change requests could not be reviewed: %s", type(error).__name__)
