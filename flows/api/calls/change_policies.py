"""Calls that read and set the policies of accounts, as the pages under /requests/policies/ do."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Literal

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Body, Header, Path, Router, Schema
from pydantic import Field as SchemaField

from flows.accounts import twilio_accounts
from flows.api.access import require_change, require_scope
from flows.api.paging import json_response
from flows.api.problems import clean_form
from flows.api.replays import find_replay, get_sender
from flows.api.schemas import ACCOUNT_PATTERN, CreationHeaders, Reason, StrictSchema, responses
from flows.approvals import policies, validity
from flows.approvals.actions import PolicyAction
from flows.approvals.approvers import find_shortage
from flows.approvals.change_kinds import ChangeKind
from flows.approvals.forms import PolicyForm
from flows.approvals.models import ChangeRequest
from flows.approvals.terms import MAX_APPROVALS, ApproverPermission, Terms, load_terms
from flows.approvals.views.policies import SET_PERMISSION
from flows.audit import audit_log
from flows.plans.drafts import MAX_FLOWS

router = Router(tags=["Change requests"])
AccountSid = Annotated[str, SchemaField(pattern=ACCOUNT_PATTERN, description="The account's SID.")]
Day = Annotated[int, SchemaField(ge=0, le=6, description="0 is Monday.")]
TIME_PATTERN = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"


class PolicyHours(StrictSchema):
    """The hours in which changes are sent."""

    days: Annotated[list[Day], SchemaField(min_length=1)]
    opens_at: Annotated[str, SchemaField(pattern=TIME_PATTERN)]
    closes_at: Annotated[str, SchemaField(pattern=TIME_PATTERN)]
    time_zone: str


class PolicyTerms(StrictSchema):
    """The terms of a policy. Without a field, the policy doesn't ask for it."""

    requires_reason: bool = False
    kinds: Annotated[
        list[Literal[tuple(ChangeKind.values)]],  # type: ignore[valid-type]
        SchemaField(description="The changes that need approval."),
    ] = []
    bulk_limit: Annotated[
        int | None,
        SchemaField(ge=1, le=MAX_FLOWS, description="Bulk changes of more flows need approval."),
    ] = None
    approvals_required: Annotated[int, SchemaField(ge=1, le=MAX_APPROVALS)] = 1
    approver_permission: Literal[tuple(ApproverPermission.values)] = "flows.change_flow"  # type: ignore[valid-type]
    hours: Annotated[
        PolicyHours | None, SchemaField(description="null to send changes at any time.")
    ] = None


class PolicyEdit(PolicyTerms):
    """The terms to set. They replace all earlier ones."""

    reason: Reason


class PolicyBody(PolicyTerms):
    """The policy of an account. `shortage` says why it has too few approvers, or is empty."""

    account_sid: str
    shortage: str


class PolicyPage(Schema):
    items: list[PolicyBody]
    next_cursor: str | None = None


@router.get("policies", response=responses({200: PolicyPage}), summary="List policies")
def list_policies(request: HttpRequest) -> HttpResponse:
    """List the policies of the accounts that the token may see."""
    accounts = twilio_accounts.visible_accounts(require_scope(request).scope)
    items = [_policy_body(account.sid, load_terms(account.sid)) for account in accounts]
    return json_response({"items": items, "next_cursor": None})


@router.put(
    "policies/{account_sid}",
    response=responses({200: PolicyBody}, is_change=True),
    summary="Set a policy",
)
def set_policy(
    request: HttpRequest,
    account_sid: Path[AccountSid],
    body: Body[PolicyEdit],
    headers: Header[CreationHeaders],
) -> HttpResponse:
    """Set the policy of an account. Approvals that a stricter policy doesn't accept are void then."""
    accounts = twilio_accounts.visible_accounts(require_scope(request).scope)
    if account_sid not in [account.sid for account in accounts]:
        raise Http404("There is no such account.")
    api_request = require_change(request, SET_PERMISSION, account_sid, action=PolicyAction.SET)
    change_id = headers.idempotency_key or uuid.uuid4()
    if find_replay(request, change_id, PolicyAction.SET, changed_account=account_sid) is not None:
        return _replayed_response(account_sid)
    form = PolicyForm(_form_data(body, change_id), terms=load_terms(account_sid))
    reason = clean_form(form)["reason"]
    try:
        policies.set_policy(
            account_sid=account_sid,
            terms=form.terms,
            reason=reason,
            actor=get_sender(api_request),
            change_id=change_id,
        )
    except audit_log.AlreadyRecorded:  # the same request, or another one, came in the meantime
        find_replay(request, change_id, PolicyAction.SET, changed_account=account_sid)
        return _replayed_response(account_sid)
    validity.review_requests(ChangeRequest.objects.filter(account_sid=account_sid))
    return json_response(_policy_body(account_sid, load_terms(account_sid)))


def _replayed_response(account_sid: str) -> HttpResponse:
    response = json_response(_policy_body(account_sid, load_terms(account_sid)))
    response["Idempotency-Replayed"] = "true"
    return response


def _form_data(body: PolicyEdit, change_id: uuid.UUID) -> dict[str, Any]:
    """Return the body as the page's form sends it."""
    hours = body.hours.dict() if body.hours else {"time_zone": "UTC"}
    return {**body.dict(exclude={"hours"}), **hours, "change_id": change_id}


def _policy_body(account_sid: str, terms: Terms) -> dict[str, Any]:
    hours = terms.hours
    return {
        "account_sid": account_sid,
        "requires_reason": terms.requires_reason,
        "kinds": terms.kinds,
        "bulk_limit": terms.bulk_limit,
        "approvals_required": terms.approvals_required,
        "approver_permission": terms.approver_permission,
        "hours": hours
        and {
            "days": hours.days,
            "opens_at": f"{hours.opens_at:%H:%M}",
            "closes_at": f"{hours.closes_at:%H:%M}",
            "time_zone": hours.time_zone,
        },
        "shortage": find_shortage(account_sid, terms),
    }
