"""What every view does with a request: who asks, and whether they may. A refusal goes on record."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import SplitResult, urlsplit

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django_htmx.middleware import HtmxDetails

from flows.accounts import twilio_accounts
from flows.accounts.permissions import has_permission, has_permission_on_each, role_of, scope_of
from flows.audit import audit_log, log_entries
from flows.audit.audit_log import Actor, Payload
from flows.audit.models import AuditEvent, Result, Stage
from flows.twilio.flex.flex_flow import Snapshot


class Request(HttpRequest):
    """A request as it reaches a view here: signed in, and with htmx's headers read."""

    htmx: HtmxDetails
    user: User
    account_sid: (
        str  # of what it is about: a flow, an event; empty where it is about none, or several
    )
    states: dict[
        str, Any
    ]  # `availability.restrictions.State`: what is closed of each account, where the view has asked for it
    scope: twilio_accounts.Scope  # the accounts where the person may do what the page is for
    readings: dict[str, Snapshot]  # flows by SID that this request has read from Twilio already


View = Callable[..., HttpResponseBase]


def get_actor(request: HttpRequest) -> Actor:
    """The person and the place behind a request, as the audit log keeps them: with the role that they have where
    they act."""
    user = request.user
    return Actor(
        id=str(user.pk or ""),
        label=user.get_username(),
        role=role_of(user, getattr(request, "account_sid", "")),
        source_ip=request.META.get("REMOTE_ADDR", ""),
        user_agent=request.headers.get("User-Agent", ""),
        request_id=request.META.get("REQUEST_ID"),
    )


def current_page_url(request: Request) -> SplitResult:
    """The address of the page that htmx sent the request from; an empty one if the header, which comes from outside,
    has no address in it."""
    try:
        return urlsplit(request.htmx.current_url or "")
    except ValueError:
        return urlsplit("")


class Target(Protocol):
    """Something that an address names by one of its parameters, such as a flow by its SID."""

    def accounts(
        self, request: Request, value: str, permission: str, /
    ) -> list[str] | HttpResponseBase:
        """Return the SIDs of its accounts; nothing if it is unknown, or the page that says why."""

    def describe(self, value: str, /) -> Payload:
        """Return what a recorded refusal says about it."""


class EventTarget:
    """An event of the audit log. One of no single account is for users of every account."""

    def accounts(self, _request: Request, value: str, _permission: str) -> list[str]:
        events = AuditEvent.objects.filter(event_id=value).values_list("action", "account_sid")
        event = events.first()
        return (
            [log_entries.owning_account_sid(*event) or twilio_accounts.ALL_ACCOUNTS]
            if event
            else []
        )

    def describe(self, _value: str) -> Payload:
        return Payload()


_targets: dict[str, Target] = {"event_id": EventTarget()}


def register_target(parameter: str, target: Target) -> None:
    """Let `permitted` find the accounts of what addresses name by this parameter."""
    _targets[parameter] = target


def require_permission(
    permission: str, *, action: str, everywhere: bool = False
) -> Callable[[View], View]:
    """Let in users who have the permission on each account that the address is about.

    An address that is about no account takes the permission on any account; with `everywhere` the
    page is about every account. A refused change is recorded as `action`, with the result "denied".
    """

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
            request.account_sid, request.readings = "", {}
            request.scope = scope_of(request.user, permission)
            about = (
                [twilio_accounts.ALL_ACCOUNTS]
                if everywhere
                else _target_accounts(request, kwargs, permission)
            )
            if isinstance(about, HttpResponseBase):
                return about
            request.account_sid = (
                about[0] if len(about) == 1 and about[0] != twilio_accounts.ALL_ACCOUNTS else ""
            )
            if not has_permission_on_each(request.user, permission, about):
                if request.method != "GET":
                    record_denial(request, action, kwargs)
                request.account_sid = ""  # the page that says no tells nothing of it
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def readable_event(event_id: str, request: Request) -> AuditEvent | None:
    """Return the event of this id; None if there is none, or the user may not read of its account."""
    try:
        event = AuditEvent.objects.select_related("payload").get(event_id=uuid.UUID(event_id))
    except (ValueError, AuditEvent.DoesNotExist):
        return None
    return event if has_permission(request.user, "flows.view_flow", event.account_sid) else None


def record_denial(request: Request, action: str, kwargs: dict[str, Any]) -> None:
    """Record that the user may not do this."""
    named = ((target, str(kwargs[name])) for name, target in _targets.items() if kwargs.get(name))
    target, value = next(named, (None, ""))
    audit_log.append(
        action=action,
        stage=Stage.ACCESS,
        result=Result.DENIED,
        actor=get_actor(request),
        account_sid=request.account_sid or None,
        target_sid=str(kwargs.get("sid", "")),
        reason=request.POST.get("reason", ""),
        payload=target.describe(value) if target else Payload(),
    )


def _target_accounts(
    request: Request, kwargs: dict[str, Any], permission: str
) -> list[str] | HttpResponseBase:
    """Return the accounts of what the address names; none where it names nothing that is known."""
    for name, target in _targets.items():
        if kwargs.get(name):
            return target.accounts(request, str(kwargs[name]), permission)
    return []
