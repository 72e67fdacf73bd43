"""Requests of bulk changes: their submission, and the start of the bulk change."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from typing import Final

from django.utils import timezone

from flows.approvals import bulk_contents
from flows.approvals.actions import RequestAction
from flows.approvals.contents import hash_content
from flows.approvals.models import ChangeRequest
from flows.approvals.request_status import RequestStatus
from flows.approvals.requests import NotPermitted
from flows.approvals.terms import load_terms
from flows.approvals.transitions import TransitionNotAllowed, append, load
from flows.approvals.validity import required_approvals
from flows.audit import audit_log
from flows.audit.audit_log import Actor, LogTransaction
from flows.availability.restrictions import OperationUnavailable, Restriction
from flows.changes.change_guard import POLICY
from flows.plans import access, start_and_stop
from flows.plans.models import Plan
from flows.plans.status import PlanStatus
from flows.redaction.masking import redact_note, replace_unstorable
from flows.redaction.redacted import Redacted
from flows.twilio.flex.flex_flow import FLEX_FLOW

OPERATION: Final = "bulk"
ONE_ACCOUNT: Final = "A change request is about one account: select flows of one account only."


def submit(plan_id: uuid.UUID, *, reason: str, actor: Actor) -> ChangeRequest:
    """Store the request of a bulk change, or return the one that it has.

    Its rows are those that remain, and stay as they are. Raises `OperationUnavailable` or `NotRecorded`.
    """
    plan = Plan.objects.get(pk=plan_id)
    account_sid = _only_account(access.account_sids_of_plan(plan.pk))
    earlier = ChangeRequest.objects.filter(plan=plan).first()
    if earlier is not None:
        return earlier
    request = _build(plan, account_sid, bulk_contents.freeze(plan), reason, actor)
    with audit_log.transaction() as log:
        earlier = ChangeRequest.objects.filter(plan=plan).first()
        if earlier is not None:
            return earlier
        if plan.status not in (PlanStatus.DRAFT, PlanStatus.STOPPED):
            raise _refusal("This bulk change was already started.")
        if not required_approvals(request, load_terms(account_sid)):
            request.status = RequestStatus.APPROVED
        Plan.objects.filter(pk=plan.pk).update(reason=request.reason)
        request.save(force_insert=True)
        append(log, request, RequestAction.SUBMIT, actor=actor, comment=request.reason)
    return request


def _build(
    plan: Plan, account_sid: str, summary: Redacted, reason: str, actor: Actor
) -> ChangeRequest:
    now = timezone.now()
    request = ChangeRequest(
        status=RequestStatus.IN_REVIEW,
        account_sid=account_sid,
        resource=FLEX_FLOW.name,
        operation=OPERATION,
        friendly_name=plan.title,
        requested=summary,
        plan=plan,
        reason=redact_note(replace_unstorable(reason))[:200],
        requester_id=actor.id,
        requester_label=actor.label[:150],
        form_id=plan.pk,
        created_at=now,
        submitted_at=now,
    )
    request.content_hash = hash_content(request)
    return request


def _only_account(account_sids: Iterable[str]) -> str:
    """Return the account of a bulk change. Raises `OperationUnavailable` if it has several."""
    sids = list(account_sids)
    if len(sids) != 1:
        raise _refusal(ONE_ACCOUNT)
    return sids[0]


def _refusal(sentence: str) -> OperationUnavailable:
    return OperationUnavailable(Restriction(POLICY, sentence))


def start(
    request: ChangeRequest,
    plan: Plan,
    actor: Actor,
    move_to_progress: Callable[[LogTransaction], object],
) -> ChangeRequest:
    """Start the bulk change of a request, and return the request as it is then.

    `move_to_progress` takes the log of the transaction that starts it. Raises `NotPermitted`,
    `TransitionNotAllowed`, or the errors of `move_to_progress`.
    """
    restriction = access.find_restriction(plan)
    if restriction:
        raise NotPermitted(restriction)
    is_started = start_and_stop.start(
        plan=plan,
        reason=request.reason,
        actor=actor,
        before_start=move_to_progress,
        is_requested=True,
    )
    if not is_started:
        raise TransitionNotAllowed(RequestAction.APPLY)
    return load(request.pk)
