"""Change requests as the API shows them: in lists, and one with its approvals and its schedule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from ninja import Schema

from flows.api.paging import json_response
from flows.api.problems import API_PREFIX
from flows.api.schedule_bodies import ScheduleBody, find_schedule_body
from flows.api.schemas import Difference
from flows.approvals import reading, validity
from flows.approvals.contents import resource_of
from flows.approvals.models import ChangeRequest
from flows.approvals.request_status import OPEN, WAITING, RequestStatus
from flows.approvals.terms import load_terms


class ApprovalBody(Schema):
    user: str
    approved_at: str
    void_reason: str  # empty while it counts


class ChangeRequestBody(Schema):
    """A change request. Steps name its `content_hash`: they are about exactly this content."""

    id: str
    status: RequestStatus
    summary: str
    account_sid: str
    resource: str
    operation: str
    sid: str
    friendly_name: str
    differences: list[Difference]
    reason: str
    note: str
    requester: str
    content_hash: str
    change_id: str
    created_at: str
    submitted_at: str
    started_at: str | None
    ended_at: str | None
    is_without_approval: bool


class ChangeRequestDetail(ChangeRequestBody):
    """A change request with its approvals, its schedule, and open requests that contradict it."""

    approvals_required: int
    approvals: list[ApprovalBody]
    conflicts: list[str]
    schedule: ScheduleBody | None


def request_body(change_request: ChangeRequest) -> dict[str, Any]:
    """Return a request as lists show it."""
    return {
        "id": change_request.pk,
        "status": change_request.status,
        "summary": reading.describe(change_request),
        "account_sid": change_request.account_sid,
        "resource": change_request.resource,
        "operation": change_request.operation,
        "sid": change_request.target_sid,
        "friendly_name": change_request.friendly_name,
        "differences": _differences(change_request),
        "reason": change_request.reason,
        "note": change_request.note,
        "requester": change_request.requester_label,
        "content_hash": change_request.content_hash,
        "change_id": change_request.change_id,
        "created_at": change_request.created_at,
        "submitted_at": change_request.submitted_at,
        "started_at": change_request.started_at,
        "ended_at": change_request.ended_at,
        "is_without_approval": change_request.is_without_approval,
    }


def _differences(change_request: ChangeRequest) -> list[dict[str, Any]]:
    """Return the requested values, or for a deletion the values that would be gone."""
    before: Mapping[str, Any] = change_request.before or {}
    requested: Mapping[str, Any] = change_request.requested or {}
    names = before if change_request.requested is None else requested
    return [
        {"field": name, "current": before.get(name), "new": requested.get(name)}
        for name in names
        if name in resource_of(change_request).by_name
    ]


def detail_response(change_request: ChangeRequest) -> HttpResponse:
    """Return the response with a request as it is now."""
    terms, now = load_terms(change_request.account_sid), timezone.now()
    approvals = []
    for approval in change_request.approvals.order_by("approved_at"):
        void_reason = approval.void_reason
        if not void_reason and change_request.status in WAITING:
            void_reason = validity.find_void_reason(change_request, approval, terms, now)
        approvals.append(
            {
                "user": approval.user_label,
                "approved_at": approval.approved_at,
                "void_reason": void_reason,
            }
        )
    conflicts = reading.find_conflicts(change_request) if change_request.status in OPEN else []
    body = request_body(change_request) | {
        "approvals_required": validity.required_approvals(change_request, terms),
        "approvals": approvals,
        "conflicts": [other.pk for other in conflicts],
        "schedule": find_schedule_body(change_request.pk),
    }
    status = 202 if change_request.status == RequestStatus.IN_PROGRESS else 200
    response = json_response(body, status=status)
    response["Location"] = f"{API_PREFIX}requests/{change_request.pk}"
    return response
