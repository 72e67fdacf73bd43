"""What the page of a change request says about its approvals, and the steps that it offers."""

from __future__ import annotations

from typing import Any, Final

from django.utils import timezone
from django.utils.text import get_text_list

from flows.accounts.permissions import has_permission
from flows.approvals import applying, validity
from flows.approvals.approvers import approvers_of, can_approve, find_shortage
from flows.approvals.models import ChangeRequest
from flows.approvals.request_status import WAITING, RequestStatus
from flows.approvals.terms import Terms, load_terms
from flows.approvals.views.policies import SET_PERMISSION
from flows.audit.access import Request

MAX_NAMED: Final = 5  # approvers that the page names
CHANGE_PERMISSION: Final = "flows.change_flow"


def build_approvals(change_request: ChangeRequest) -> dict[str, Any]:
    """Return the approvals with the reasons why some don't count, and how many are needed."""
    terms, now = load_terms(change_request.account_sid), timezone.now()
    approvals = []
    for approval in change_request.approvals.order_by("approved_at"):
        reason = approval.void_reason
        if not reason and change_request.status in WAITING:
            reason = validity.find_void_reason(change_request, approval, terms, now)
        approvals.append({"approval": approval, "void_reason": reason})
    required = validity.required_approvals(change_request, terms)
    return {
        "approvals": approvals,
        "required": required,
        "valid": sum(not each["void_reason"] for each in approvals),
        "approval_phrase": terms.approval_phrase,
        "approvers": _name_approvers(change_request, terms)
        if change_request.status in WAITING
        else "",
        "hours": terms.hours if not terms.is_open() else None,
        "shortage": find_shortage(change_request.account_sid, terms) if required else "",
    }


def _name_approvers(change_request: ChangeRequest, terms: Terms) -> str:
    """Return the names of users who can approve the request, but for those who have."""
    done = set(change_request.approvals.filter(voided_at=None).values_list("user_id", flat=True))
    names = [
        user.get_username()
        for user in approvers_of(change_request.account_sid, terms)
        if str(user.pk) not in {change_request.requester_id, *done}
    ]
    more = len(names) - MAX_NAMED
    if more > 0:
        names = [*names[:MAX_NAMED], f"{more} more"]
    return str(get_text_list(names, "and"))


def offered_steps(request: Request, change_request: ChangeRequest) -> dict[str, bool]:
    """Return which steps the page offers to this user."""
    user, sid = request.user, change_request.account_sid
    is_own = change_request.requester_id == str(user.pk)
    is_waiting = change_request.status in WAITING
    is_administrator = has_permission(user, SET_PERMISSION, sid)
    may_change = applying.may_apply(user, change_request)
    has_approved = change_request.approvals.filter(voided_at=None, user_id=str(user.pk)).exists()
    is_reviewer = not is_own and can_approve(user, sid, load_terms(sid))
    is_held_up = change_request.status == RequestStatus.IN_REVIEW or (
        change_request.status == RequestStatus.APPROVED and not load_terms(sid).is_open()
    )
    return {
        "can_comment": has_permission(user, CHANGE_PERMISSION, sid),
        "can_approve": is_reviewer
        and not has_approved
        and change_request.status == RequestStatus.IN_REVIEW,
        "can_reject": is_reviewer and is_waiting,
        "can_cancel": is_waiting and (is_own or is_administrator),
        "can_edit": is_waiting and is_own and not change_request.plan_id,
        "can_apply": may_change and change_request.status == RequestStatus.APPROVED,
        "can_bypass": may_change
        and is_held_up
        and has_permission(user, applying.BYPASS_PERMISSION, sid),
    }
