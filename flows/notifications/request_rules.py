"""Who is told about change requests and policies, by rule and without a subscription of their own.

The messages are e-mails of an automatic subscription, which each user gets with their first one. So
they have the same outbox, attempts and guarantees as all others.
"""

from __future__ import annotations

import enum
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from flows.accounts import permissions
from flows.approvals.actions import PolicyAction, RequestAction
from flows.approvals.approvers import approvers_of
from flows.approvals.models import ChangeRequest
from flows.approvals.request_status import RequestStatus
from flows.approvals.terms import ApproverPermission, load_terms
from flows.audit.models import AuditEvent, Result
from flows.migration.actions import MigrationAction
from flows.migration.progress import WITHOUT_APPROVAL
from flows.notifications.models import Channel, Subscription

NAME: Final = "Change requests"
VIEW: Final = "flows.view_flow"


class Audience(enum.Enum):
    """The users that a rule is about."""

    APPROVERS = "all who can approve it"
    REVIEWERS = "all who can approve it, while it waits for them"
    REQUESTER = "the requester"
    AFFECTED = "all who can make changes"


RULES: Final[Mapping[str, Audience]] = {
    RequestAction.BREAK_GLASS: Audience.APPROVERS,
    RequestAction.SUBMIT: Audience.REVIEWERS,
    RequestAction.REVISE: Audience.REVIEWERS,
    RequestAction.APPROVE: Audience.REQUESTER,
    RequestAction.VOID: Audience.REQUESTER,
    RequestAction.REJECT: Audience.REQUESTER,
    RequestAction.SUSPEND: Audience.REQUESTER,
    RequestAction.EXPIRE: Audience.REQUESTER,
    RequestAction.FAIL: Audience.REQUESTER,
    RequestAction.COMMENT: Audience.REQUESTER,
    "schedule.suspend": Audience.REQUESTER,
}
# Events without a change request.
ACCOUNT_RULES: Final[Mapping[str, Audience]] = {
    PolicyAction.SET: Audience.AFFECTED,
    MigrationAction.ROLL_BACK: Audience.APPROVERS,  # if the policy required an approval then
}


def find_recipients(events: Iterable[AuditEvent]) -> list[tuple[Any, AuditEvent]]:
    """Return the users to tell, each with an event. They have an address, and didn't do it themselves."""
    ruled = [
        event
        for event in events
        if event.action in (*RULES, *ACCOUNT_RULES) and event.result == Result.SUCCEEDED
    ]
    request_ids = {event.request_id for event in ruled if event.action in RULES}
    requests = ChangeRequest.objects.in_bulk(request_ids - {None})
    return [
        (user, event)
        for event in ruled
        for user in _audience(event, requests)
        if user.email and str(user.pk) != event.actor_id and can_see(user, event)
    ]


def _audience(
    event: AuditEvent, requests: Mapping[uuid.UUID | None, ChangeRequest]
) -> Iterator[Any]:
    if event.action in ACCOUNT_RULES:
        return _account_audience(event)
    request = requests.get(event.request_id)
    return iter(()) if request is None else _request_audience(event, request)


def _account_audience(event: AuditEvent) -> Iterator[Any]:
    terms = load_terms(event.account_sid)
    if ACCOUNT_RULES[event.action] == Audience.AFFECTED:
        terms = replace(terms, approver_permission=ApproverPermission.CHANGE)
    elif not _is_without_approval(event):
        return
    yield from approvers_of(event.account_sid, terms)


def _is_without_approval(event: AuditEvent) -> bool:
    payload = event.stored_payload
    return payload is not None and WITHOUT_APPROVAL.items() <= payload.requested_values.items()


def _request_audience(event: AuditEvent, request: ChangeRequest) -> Iterator[Any]:
    audience = RULES[event.action]
    if audience == Audience.REQUESTER:
        requester = permissions.active_user(request.requester_id)
        if requester is not None:
            yield requester
    elif audience == Audience.APPROVERS or request.status == RequestStatus.IN_REVIEW:
        yield from approvers_of(request.account_sid, load_terms(request.account_sid))


def can_see(user: Any | None, event: AuditEvent) -> bool:
    """Return True if the user may see what the event is about. None is a deactivated user."""
    return user is not None and permissions.has_permission(user, VIEW, event.account_sid)


def subscription_of(user: Any) -> Subscription:
    """Return the automatic subscription of a user."""
    subscription, _is_new = Subscription.objects.get_or_create(
        owner_id=user.pk,
        is_automatic=True,
        defaults={"name": NAME, "channel": Channel.OWN_EMAIL, "start_seq": 0},
    )
    return subscription
