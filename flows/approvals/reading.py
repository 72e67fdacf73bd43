"""Change requests as pages show them: lists for a user, conflicts, differences and the future state."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.utils import timezone

from flows.accounts import twilio_accounts
from flows.accounts.twilio_accounts import Scope
from flows.approvals.approvers import can_approve
from flows.approvals.bulk_contents import count_flows, requested_rows
from flows.approvals.contents import resource_of
from flows.approvals.models import ChangePolicy, ChangeRequest
from flows.approvals.request_schedules import schedules
from flows.approvals.request_status import OPEN, RequestStatus
from flows.approvals.terms import Terms
from flows.audit.models import AuditEvent, Stage
from flows.checks.finding_groups import changes_context
from flows.checks.finding_preview import preview_findings
from flows.checks.planned_flows import planned_sid
from flows.migration.models import FlowMigration
from flows.names.named_sids import name_sids
from flows.plans.titles import format_count
from flows.routing import answer_words
from flows.routing.load_planned import load_planned
from flows.twilio import labels
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.resource import Resource

MAX_LISTED: Final = 200
UNAPPROVED_SHOWN: Final = timedelta(days=7)  # on the overview
STATUS_SHAPES: Final = {
    RequestStatus.IN_REVIEW: "busy",
    RequestStatus.APPROVED: "on",
    RequestStatus.IN_PROGRESS: "busy",
    RequestStatus.SUSPENDED: "doubt",
    RequestStatus.DONE: "good",
    RequestStatus.FAILED: "bad",
    RequestStatus.REJECTED: "stop",
    RequestStatus.CANCELLED: "none",
    RequestStatus.EXPIRED: "none",
}
OPERATION_LABELS: Final = {
    "create": "Create",
    "update": "Change",
    "archive": "Archive",
    "delete": "Delete",
}


class Listing(enum.StrEnum):
    """The lists of requests. The values appear in addresses."""

    WAITING = "waiting"  # for this user
    OPEN = "open"
    ENDED = "ended"


LISTING_LABELS: Final = {
    Listing.WAITING: "Waiting for me",
    Listing.OPEN: "All open",
    Listing.ENDED: "Ended",
}


def visible_requests(scope: Scope) -> QuerySet[ChangeRequest]:
    return twilio_accounts.filter_scope(ChangeRequest.objects.all(), scope)


def waiting_for(user: Any, scope: Scope) -> QuerySet[ChangeRequest]:
    """Return what the user can do something about: others' requests to approve, and own ones.

    Own requests wait for their requester once they are approved, without a schedule, or suspended.
    """
    user_id = str(user.pk)
    own = Q(requester_id=user_id, status__in=(RequestStatus.APPROVED, RequestStatus.SUSPENDED))
    own &= ~Q(pk__in=schedules().waiting_ids())
    approved = ChangeRequest.objects.filter(
        approvals__user_id=user_id, approvals__voided_at=None
    ).values("pk")
    to_approve = Q(status=RequestStatus.IN_REVIEW, account_sid__in=_approved_accounts(user))
    to_approve &= ~Q(requester_id=user_id) & ~Q(pk__in=approved)
    return visible_requests(scope).filter(own | to_approve)


def recently_without_approval(scope: Scope) -> QuerySet[ChangeRequest]:
    """Return the requests that were applied by break glass in the last days."""
    since = timezone.now() - UNAPPROVED_SHOWN
    return visible_requests(scope).filter(is_without_approval=True, started_at__gte=since)


def recent_unapproved_rollbacks(scope: Scope) -> QuerySet[FlowMigration]:
    """Return the migrations of which a rollback started without approval in the last days."""
    since = timezone.now() - UNAPPROVED_SHOWN
    migrations = FlowMigration.objects.filter(unapproved_rollback_at__gte=since)
    return twilio_accounts.filter_scope(migrations, scope)


def _approved_accounts(user: Any) -> list[str]:
    """Return the SIDs of the accounts whose changes the user can approve."""
    return [
        policy.account_sid
        for policy in ChangePolicy.objects.all()
        if can_approve(user, policy.account_sid, Terms.of_policy(policy))
    ]


def list_requests(user: Any, scope: Scope, listing: Listing) -> QuerySet[ChangeRequest]:
    """Return the requests of a list, the latest first."""
    if listing == Listing.WAITING:
        return waiting_for(user, scope)
    requests = visible_requests(scope)
    if listing == Listing.OPEN:
        return requests.filter(status__in=OPEN)
    return requests.exclude(status__in=OPEN)


def describe(request: ChangeRequest) -> str:
    """Return the requested change in a few words, such as "Change Task timeout" or "Turn off flow"."""
    if request.plan_id:
        return f"Bulk change of {format_count(count_flows(request))}"
    resource = resource_of(request)
    verb = OPERATION_LABELS[request.operation]
    if request.operation != "update":
        return f"{verb} {resource.noun}"
    requested: Mapping[str, Any] = request.requested or {}
    if requested.keys() == {"enabled"}:
        is_on = resource.normalize_value("enabled", requested["enabled"])
        return f"Turn {'on' if is_on else 'off'} {resource.noun}"
    names = [resource.label_of(name) for name in requested]
    return f"{verb} {', '.join(names)}" if names else f"{verb} {resource.noun}"


def find_conflicts(request: ChangeRequest) -> list[ChangeRequest]:
    """Return the other open requests about the same fields of the object, or the same identity."""
    others = ChangeRequest.objects.filter(
        status__in=OPEN, account_sid=request.account_sid, resource=request.resource
    ).exclude(pk__in=[request.pk, *schedules().paired_ids(request)])
    own = _claims_of(request)
    return [other for other in others if not own.isdisjoint(_claims_of(other))]


def _claims_of(request: ChangeRequest) -> set[tuple[str, str]]:
    """Return what a request claims: each field of each object, and each identity."""
    resource = resource_of(request)
    if request.plan is None:
        return set(_claims(resource, request.target_sid, request.requested))
    rows = requested_rows(request.plan).values_list("action", "target_sid", "requested")
    claims: set[tuple[str, str]] = set()
    for action, sid, requested in rows:
        claims.update(_claims(resource, sid, None if action == "flow.delete" else requested))
    return claims


def _claims(
    resource: Resource, sid: str, requested: Mapping[str, Any] | None
) -> Iterator[tuple[str, str]]:
    """Yield the claims of one change. A deletion claims all fields."""
    identity = resource.identity_of(requested or {})
    if identity:
        yield "", identity
    if sid:
        names = [field.name for field in resource.fields] if requested is None else requested
        yield from ((sid, name) for name in names)


def build_rows(request: ChangeRequest) -> list[dict[str, Any]]:
    """Return a row for each field: its label, the value that was there, and the requested one."""
    resource = resource_of(request)
    before: Mapping[str, Any] = request.before or {}
    requested: Mapping[str, Any] = request.requested or {}
    if request.requested is None:
        names: Iterable[str] = [field.name for field in resource.fields if field.name in before]
    else:
        names = request.requested
    rows = [
        {
            "label": resource.label_of(name),
            "now": labels.display_value(resource, name, before.get(name)),
            "new": labels.display_value(resource, name, requested.get(name)),
        }
        for name in names
    ]
    name_sids(((request.account_sid, row) for row in rows), ["now", "new"])
    return rows


def preview(request: ChangeRequest) -> dict[str, Any]:
    """Return what the change would do to findings, and to who gets messages. Flows only."""
    if resource_of(request) is not FLEX_FLOW or request.status not in OPEN:
        return {"has_finding_changes": False}
    planned = {request.target_sid or planned_sid(): request.requested}
    changes = preview_findings(request.account_sid, planned)
    account = twilio_accounts.account_or_removed(request.account_sid)
    paths = load_planned(account, planned).find_changes()
    return {
        "has_finding_changes": True,
        **changes_context(
            changes.worse,
            changes.better,
            [request.account_sid],
            is_incomplete=changes.is_incomplete,
        ),
        **answer_words.changes_context(paths),
    }


def load_timeline(request: ChangeRequest) -> list[AuditEvent]:
    """Return the events of a request and of its change, the latest first.

    An attempt whose outcome is known is not among them.
    """
    rows = AuditEvent.objects.filter(request_id=request.pk).select_related("payload")
    events = list(rows.order_by("-seq")[:MAX_LISTED])
    settled = {
        event.change_id for event in events if event.stage not in (Stage.ATTEMPT, Stage.ACCESS)
    }
    return [
        event for event in events if event.stage != Stage.ATTEMPT or event.change_id not in settled
    ]
