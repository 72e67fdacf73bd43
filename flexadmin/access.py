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

from flexadmin import typed
from flexadmin.roles import outside_rights_of, role_of
from flows.models import AuditEvent, Result, Stage
from flows.services import audit
from flows.services.audit import Actor, NotRecorded, Payload

LOGIN: Final = "auth.login"
LOGOUT: Final = "auth.logout"
LOCKOUT: Final = "auth.lockout"
PASSWORD: Final = "auth.password_change"  # noqa: S105 - an action's name
NOBODY: Final = "Not signed in"
LONGEST: Final = 150  # characters that a name can have
MASKED: Final = "unknown username"
FACTORS: Final = {"totp": "authenticator app", "webauthn": "passkey", "recovery_codes": "recovery code"}


def address_of(request: HttpRequest) -> str:
    """The client's address, as the server saw it."""
    return str(request.META.get("REMOTE_ADDR") or "")


def actor_of(request: HttpRequest, user: User | AnonymousUser | None = None) -> Actor:
    """Who a request comes from; nobody, if `user` is None."""
    return Actor(
        id=str(user.pk or "") if user else "",
        label=user.get_username() if user else NOBODY,
        role=role_of(user) if user else "",
        source_ip=address_of(request),
        user_agent=request.headers.get("User-Agent", ""),
        request_id=request.META.get("REQUEST_ID"),
    )


def name_of(typed: str) -> str:
    """What was typed as a name, in the one spelling that is counted, looked up and put on record: Django's own (NFKC).
    What no database holds (NUL) and no name has (other control characters) becomes U+FFFD, which no name has either."""
    name = typed.strip()
    if len(name) <= LONGEST:
        name = User.normalize_username(name).strip()
    return "".join("\ufffd" if unicodedata.category(one) in ("Cc", "Cs") else one for one in name)


def claimed(name: str) -> str:
    """The name that somebody gave, if there is such a person; else words that tell nothing of what was typed."""
    return User.objects.filter(username=name).values_list("username", flat=True).first() or MASKED


def _append(**event: Any) -> AuditEvent:
    """Who gets in is about the whole site, and so about no account, also where there is one alone."""
    return audit.append(stage=Stage.ACCESS, account_sid="", **event)


def signed_in(request: HttpRequest, user: User, *, check: Callable[[], None]) -> None:
    """Record a sign-in before it counts. `NotRecorded`: it must not. `check` is called while nobody else
    can append, so that nothing that ends sessions comes between; what it raises ends the sign-in."""
    how = [
        FACTORS.get(str(record.get("type")), str(record["method"]))
        for record in get_authentication_records(request, user)
    ]
    ignored = outside_rights_of(user)
    said = {"by": ", then ".join(how)} | {f"{name} (no effect)": value for name, value in ignored.items()}

    def checked() -> Payload:
        check()
        return Payload(friendly_name=user.get_username(), after=said)

    _append(action=LOGIN, result=Result.SUCCEEDED, actor=actor_of(request, user), payload=checked)


def denied(
    request: HttpRequest, name: str, why: str, *, action: str = LOGIN, by: User | AnonymousUser | None = None
) -> AuditEvent:
    """Puts a refused sign-in on record; or what else was refused, by somebody who is signed in."""
    return _append(
        action=action,
        result=Result.DENIED,
        actor=actor_of(request, by if by and by.is_authenticated else None),
        payload=Payload(friendly_name=claimed(name) if name else "", message=why),
    )


def locked_out(request: HttpRequest, name: str, why: str, *, by: User | AnonymousUser | None = None) -> None:
    _append(
        action=LOCKOUT,
        result=Result.DENIED,
        actor=actor_of(request, by),
        payload=Payload(friendly_name=claimed(name) if name else "", message=why),
    )


def signed_out(request: HttpRequest, user: User) -> None:
    """Puts a sign-out on record; what can't be is left to the server's log, for nobody is kept in."""
    try:
        _append(
            action=LOGOUT,
            result=Result.SUCCEEDED,
            actor=actor_of(request, user),
            payload=Payload(friendly_name=user.get_username()),
        )
    except NotRecorded:
        logging.getLogger("flows.access").error("A sign-out could not be recorded")


def came_by_single_sign_on(request: HttpRequest, name: str, subject: str, add: Callable[[], User]) -> None:
    """Adds somebody whom the provider of that name knows, without a role: they stand or fall with their record."""

    def added() -> Payload:
        after = {"by": "single sign-on", "subject": subject, "active": True, "role": "none"}
        return Payload(friendly_name=add().get_username(), after=after)

    _append(
        action="people.create",
        result=Result.SUCCEEDED,
        actor=replace(actor_of(request), label=f"single sign-on: {name}"),
        payload=added,
    )


def done(
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

    return _append(
        action=action,
        result=Result.SUCCEEDED,
        actor=actor_of(request, user),
        payload=changed,
    )


def not_recorded(request: HttpRequest) -> HttpResponse:
    """The page for what was refused because it could not be put on record, with what had been typed before."""
    answer = render(request, "registration/not_recorded.html", {"typed": typed.sent(request)}, status=503)
    answer["Retry-After"] = "10"
    return answer
