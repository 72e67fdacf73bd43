"""What goes on record of signing in and out. Nobody gets in unrecorded; the claimed name of a refused sign-in is
what the event is about, never who did it, and is kept only if there is such a person: people type passwords there.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from allauth.account.internal.flows.login import get_authentication_records
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from flexadmin.http import form_rescue
from flexadmin.users.roles import find_outside_rights, get_role
from flows.audit import audit_log
from flows.audit.audit_log import Actor, NotRecorded, Payload
from flows.audit.models import AuditEvent, Result, Stage

LOGIN: Final = "auth.login"
LOGOUT: Final = "auth.logout"
LOCKOUT: Final = "auth.lockout"
PASSWORD_CHANGE: Final = "auth.password_change"  # noqa: S105 - an action's name
ANONYMOUS_LABEL: Final = "Not signed in"
MAX_USERNAME_LENGTH: Final = 150  # characters that a name can have
UNKNOWN_USER_LABEL: Final = "unknown username"
FACTOR_LABELS: Final = {
    "totp": "authenticator app",
    "webauthn": "passkey",
    "recovery_codes": "recovery code",
}


def get_client_ip(request: HttpRequest) -> str:
    """The client's address, as the server saw it."""
    return str(request.META.get("REMOTE_ADDR") or "")


def get_actor(request: HttpRequest, user: User | AnonymousUser | None = None) -> Actor:
    """Who a request comes from; nobody, if `user` is None."""
    return Actor(
        id=str(user.pk or "") if user else "",
        label=user.get_username() if user else ANONYMOUS_LABEL,
        role=get_role(user) if user else "",
        source_ip=get_client_ip(request),
        user_agent=request.headers.get("User-Agent", ""),
        request_id=request.META.get("REQUEST_ID"),
    )


def normalize_username(typed: str) -> str:
    """What was typed as a name, in the one spelling that is counted, looked up and put on record: Django's own (NFKC).
    What no database holds (NUL) and no name has (other control characters) becomes U+FFFD, which no name has either."""
    name = typed.strip()
    if len(name) <= MAX_USERNAME_LENGTH:
        name = User.normalize_username(name).strip()
    return "".join("\ufffd" if unicodedata.category(one) in ("Cc", "Cs") else one for one in name)


def redact_unknown_username(name: str) -> str:
    """The name that somebody gave, if there is such a person; else words that tell nothing of what was typed."""
    return (
        User.objects.filter(username=name).values_list("username", flat=True).first()
        or UNKNOWN_USER_LABEL
    )


def _append_event(**event: Any) -> AuditEvent:
    """Who gets in is about the whole site, and so about no account, also where there is one alone."""
    return audit_log.append(stage=Stage.ACCESS, account_sid="", **event)


def record_login(request: HttpRequest, user: User, *, check: Callable[[], None]) -> None:
    """Record a sign-in before it counts. `NotRecorded`: it must not. `check` is called while nobody else
    can append, so that nothing that ends sessions comes between; what it raises ends the sign-in."""
    how = [
        FACTOR_LABELS.get(str(record.get("type")), str(record["method"]))
        for record in get_authentication_records(request, user)
    ]
    ignored = find_outside_rights(user)
    said = {"by": ", then ".join(how)} | {
        f"{name} (no effect)": value for name, value in ignored.items()
    }

    def checked() -> Payload:
        check()
        return Payload(friendly_name=user.get_username(), after=said)

    _append_event(
        action=LOGIN, result=Result.SUCCEEDED, actor=get_actor(request, user), payload=checked
    )


def record_denial(
    request: HttpRequest,
    name: str,
    why: str,
    *,
    action: str = LOGIN,
    by: User | AnonymousUser | None = None,
) -> AuditEvent:
    """Puts a refused sign-in on record; or what else was refused, by somebody who is signed in."""
    return _append_event(
        action=action,
        result=Result.DENIED,
        actor=get_actor(request, by if by and by.is_authenticated else None),
        payload=Payload(friendly_name=redact_unknown_username(name) if name else "", message=why),
    )


def record_lockout(
    request: HttpRequest, name: str, why: str, *, by: User | AnonymousUser | None = None
) -> None:
    _append_event(
        action=LOCKOUT,
        result=Result.DENIED,
        actor=get_actor(request, by),
        payload=Payload(friendly_name=redact_unknown_username(name) if name else "", message=why),
    )


def record_logout(request: HttpRequest, user: User) -> None:
    """Puts a sign-out on record; what can't be is left to the server's log, for nobody is kept in."""
    try:
        _append_event(
            action=LOGOUT,
            result=Result.SUCCEEDED,
            actor=get_actor(request, user),
            payload=Payload(friendly_name=user.get_username()),
        )
    except NotRecorded:
        logging.getLogger("flows.access").error("A sign-out could not be recorded")


def create_sso_user(request: HttpRequest, name: str, subject: str, add: Callable[[], User]) -> None:
    """Adds somebody whom the provider of that name knows, without a role: they stand or fall with their record."""

    def added() -> Payload:
        after = {"by": "single sign-on", "subject": subject, "active": True, "role": "none"}
        return Payload(friendly_name=add().get_username(), after=after)

    _append_event(
        action="people.create",
        result=Result.SUCCEEDED,
        actor=replace(get_actor(request), label=f"single sign-on: {name}"),
        payload=added,
    )


def change_own_account(
    request: HttpRequest,
    action: str,
    change: Callable[[], Any],
    *,
    said: dict[str, Any] | None = None,
) -> AuditEvent:
    """Does something to the own account of whoever is signed in: it stands or falls with its record. `NotRecorded`:
    nothing was done."""
    user = request.user
    if not user.is_authenticated:
        raise PermissionDenied

    def changed() -> Payload:
        change()
        return Payload(friendly_name=user.get_username(), after=said)

    return _append_event(
        action=action,
        result=Result.SUCCEEDED,
        actor=get_actor(request, user),
        payload=changed,
    )


def not_recorded_response(request: HttpRequest) -> HttpResponse:
    """The page for what was refused because it could not be put on record, with what had been typed before."""
    answer = render(
        request,
        "registration/not_recorded.html",
        {"typed": form_rescue.pending_form(request)},
        status=503,
    )
    answer["Retry-After"] = "10"
    return answer
