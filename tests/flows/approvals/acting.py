"""Steps of users with policies and change requests, for tests."""

import uuid

from django.contrib.auth.models import User

from flexadmin.users.roles import get_site_user
from flows.accounts.permissions import role_of
from flows.approvals import applying, policies, requests
from flows.approvals.models import ChangeRequest
from flows.approvals.terms import Terms
from flows.audit.audit_log import Actor
from flows.audit.models import AuditEvent
from flows.changes import change_guard, flow_changes
from flows.mirror.models import Flow
from tests import ACCOUNT

ANY = Terms(kinds=("any",))
ADMINS_SID = Actor(id="", label="cli")


def actor_of(user: User) -> Actor:
    site_user = get_site_user(user.pk)
    return Actor(id=str(user.pk), label=user.username, role=role_of(site_user, ACCOUNT))


def set_policy(terms: Terms, actor: Actor = ADMINS_SID) -> AuditEvent | None:
    return policies.set_policy(
        account_sid=ACCOUNT,
        terms=terms,
        reason="Four eyes",
        actor=actor,
        change_id=uuid.uuid4(),
    )


def request_change(user: User, call, **values) -> ChangeRequest:
    """Make a change that its policy turns into a request, as a form does."""
    common = {"actor": actor_of(user), "change_id": uuid.uuid4(), "account_sid": ACCOUNT}
    try:
        call(**{"reason": "A reason", **common, **values})
    except change_guard.RequestRequired as required:
        return requests.submit(required.change)
    raise AssertionError("the change was sent at once")


def request_rename(user: User, sid: str, name: str = "New name") -> ChangeRequest:
    base = Flow.objects.get(sid=sid).resource
    values = {"friendly_name": name}
    return request_change(user, flow_changes.update_flow, sid=sid, base=base, values=values)


def request_switch(user: User, sid: str, *, enabled: bool = False) -> ChangeRequest:
    return request_change(user, flow_changes.set_enabled, sid=sid, enabled=enabled)


def request_deletion(user: User, sid: str) -> ChangeRequest:
    base = Flow.objects.get(sid=sid).resource
    return request_change(user, flow_changes.delete_flow, sid=sid, base=base)


def current(request: ChangeRequest) -> ChangeRequest:
    return ChangeRequest.objects.get(pk=request.pk)


def approve(request: ChangeRequest, user: User, comment: str = "") -> ChangeRequest:
    return requests.approve(
        request.pk,
        content_hash=current(request).content_hash,
        actor=actor_of(user),
        comment=comment,
    )


def apply(request: ChangeRequest, user: User, bypass_reason: str = "") -> ChangeRequest:
    return applying.apply(
        request.pk,
        content_hash=current(request).content_hash,
        user=get_site_user(user.pk),
        actor=actor_of(user),
        bypass_reason=bypass_reason,
    )


def revise(request: ChangeRequest, user: User, **values) -> ChangeRequest:
    return requests.revise(
        request.pk,
        content_hash=current(request).content_hash,
        values=values,
        reason="Another reason",
        actor=actor_of(user),
    )


def event_actions(request: ChangeRequest) -> list[str]:
    """Return the actions of a request's events in their order."""
    events = AuditEvent.objects.filter(request_id=request.pk).order_by("seq")
    return [f"{event.action} {event.stage}".removesuffix(" access") for event in events]


def writes(sandbox) -> list[str]:
    """Return the methods of the requests that change something at Twilio."""
    return [one.method for one in sandbox.requests if one.method in ("POST", "DELETE")]
