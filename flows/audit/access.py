"""Permission checks of views, and the actor behind a request. Denied changes are logged."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from typing import Any, NoReturn, Protocol
from urllib.parse import SplitResult, urlsplit

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django_htmx.middleware import HtmxDetails

from flows.accounts import twilio_accounts
from flows.accounts.permissions import (
    has_permission,
    has_permission_anywhere,
    role_of,
    role_on_any_account,
    scope_of,
)
from flows.audit import audit_log, log_entries
from flows.audit.audit_log import Actor, Payload
from flows.audit.models import AuditEvent, Result, Stage
from flows.twilio.resource import Snapshot


class Request(HttpRequest):
    """A request as views receive it: signed in, and with htmx's headers parsed."""

    htmx: HtmxDetails
    user: User
    account_sid: str  # account of the page's flow or event; "" for none or several
    parent_sid: str  # the object that the object of a page of the Flex API belongs to, or ""
    states: dict[str, Any]  # `availability.restrictions.State` by account, once the view loads it
    scope: twilio_accounts.Scope  # accounts where the user has the page's permission
    has_drift: bool  # False if a view has found that no flow has external changes
    readings: dict[str, Snapshot]  # flows that this request has read from Twilio, by SID


View = Callable[..., HttpResponseBase]


def get_actor(request: HttpRequest) -> Actor:
    """Return the request's user, with their role in the request's account, for the audit log."""
    user = request.user
    account_sid = getattr(request, "account_sid", "")
    role = role_of(user, account_sid) if account_sid else role_on_any_account(user)
    return Actor(
        id=str(user.pk or ""),
        label=user.get_username(),
        role=role,
        source_ip=request.META.get("REMOTE_ADDR", ""),
        user_agent=request.headers.get("User-Agent", ""),
        request_id=request.META.get("REQUEST_ID"),
        token_key=getattr(request, "token_key", ""),
    )


def current_page_url(request: Request) -> SplitResult:
    """Return the URL of the page that htmx sent the request from.

    It is empty if the header, which anyone can set, holds no valid URL.
    """
    try:
        return urlsplit(request.htmx.current_url or "")
    except ValueError:
        return urlsplit("")


class Target(Protocol):
    """A kind of object that a URL parameter identifies, such as a flow by its SID."""

    def accounts(
        self, request: Request, value: str, permission: str, /
    ) -> list[str] | HttpResponseBase:
        """Return the SIDs of the object's accounts, or a page that explains why it is unavailable.

        The list is empty if the object does not exist.
        """

    def describe(self, value: str, /) -> Payload:
        """Return the payload of a logged refusal."""


class EventTarget:
    """An event of the audit log. One without an account is for users of all accounts."""

    def accounts(self, _request: Request, value: str, _permission: str) -> list[str]:
        events = AuditEvent.objects.filter(event_id=value).values_list("action", "account_sid")
        event = events.first()
        if event is None:
            return []
        return [log_entries.owning_account_sid(*event) or twilio_accounts.ALL_ACCOUNTS]

    def describe(self, _value: str) -> Payload:
        return Payload()


_targets: dict[str, Target] = {"event_id": EventTarget()}


def register_target(parameter: str, target: Target) -> None:
    """Let `require_permission` find the accounts of objects with this URL parameter."""
    _targets[parameter] = target


def require_permission(
    permission: str, *, action: str, everywhere: bool = False
) -> Callable[[View], View]:
    """Admit users who have the permission on each account of the URL's object.

    A URL without an object takes the permission on any account. With `everywhere`, the permission
    on all accounts is needed. A denied change is logged as `action` with the result "denied".
    """

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def checked_view(request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
            request.account_sid, request.readings = "", {}
            request.scope = scope_of(request.user, permission)
            accounts: list[str] | HttpResponseBase = [twilio_accounts.ALL_ACCOUNTS]
            if not everywhere:
                accounts = _target_accounts(request, kwargs, permission)
            if isinstance(accounts, HttpResponseBase):
                return accounts
            request.account_sid = _only_account_sid(accounts)
            if not _is_permitted(request.user, permission, accounts):
                deny(request, action, kwargs)
            return view(request, *args, **kwargs)

        return checked_view

    return decorate


def readable_event(event_id: str, request: Request) -> AuditEvent | None:
    """Return the event with this id, or None if the user can't read its account."""
    try:
        event = AuditEvent.objects.select_related("payload").get(event_id=uuid.UUID(event_id))
    except (ValueError, AuditEvent.DoesNotExist):
        return None
    account_sid = event.account_sid or twilio_accounts.ALL_ACCOUNTS
    return event if has_permission(request.user, "flows.view_flow", account_sid) else None


def record_denial(request: Request, action: str, kwargs: dict[str, Any]) -> None:
    """Log that the user was denied this action."""
    named = _find_target(kwargs)
    if named is None:
        payload = Payload()
    else:
        target, value = named
        payload = target.describe(value)
    audit_log.append(
        action=action,
        stage=Stage.ACCESS,
        result=Result.DENIED,
        actor=get_actor(request),
        account_sid=request.account_sid or None,
        target_sid=str(kwargs.get("sid", "")),
        reason=request.POST.get("reason", ""),
        payload=payload,
    )


def _only_account_sid(accounts: list[str]) -> str:
    """Return the SID of the only account, or "" for none, several, or an object of all accounts."""
    if len(accounts) != 1 or accounts[0] == twilio_accounts.ALL_ACCOUNTS:
        return ""
    return accounts[0]


def deny(request: Request, action: str, kwargs: dict[str, Any]) -> NoReturn:
    """Raise `PermissionDenied`. A denied change is logged before."""
    if request.method != "GET":
        record_denial(request, action, kwargs)
    request.account_sid = ""  # the error page must not reveal the account
    raise PermissionDenied


def _is_permitted(user: User, permission: str, account_sids: list[str]) -> bool:
    """Return True if the user has the permission on each account, or on any without accounts."""
    if not account_sids:
        return has_permission_anywhere(user, permission)
    return all(has_permission(user, permission, sid) for sid in account_sids)


def _target_accounts(
    request: Request, kwargs: dict[str, Any], permission: str
) -> list[str] | HttpResponseBase:
    """Return the accounts of the URL's object, or an empty list if it has no such object."""
    named = _find_target(kwargs)
    if named is None:
        return []
    target, value = named
    return target.accounts(request, value, permission)


def _find_target(kwargs: dict[str, Any]) -> tuple[Target, str] | None:
    """Return the kind of object that the URL names and its value, or None without an object."""
    for name, target in _targets.items():
        if kwargs.get(name):
            return target, str(kwargs[name])
    return None
