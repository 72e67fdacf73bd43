"""Audit events of signing in and out, and of changes to the user's own account.

No sign-in succeeds unrecorded. A refused sign-in has no actor. Its event keeps the username that
was entered only if that user exists, because people sometimes enter a password there.
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
from django.http import HttpRequest

from flexadmin.signin.actions import SigninAction
from flexadmin.users.actions import UserAction
from flexadmin.users.roles import find_outside_rights, get_role_on_any_account
from flows.audit import audit_log
from flows.audit.audit_log import Actor, NotRecorded, Payload
from flows.audit.models import AuditEvent, Result, Stage
from flows.redaction.redacted import redact_fields

ANONYMOUS_LABEL: Final = "Not signed in"
MAX_USERNAME_LENGTH: Final = 150  # characters
UNKNOWN_USER_LABEL: Final = "unknown username"
FACTOR_LABELS: Final = {
    "totp": "authenticator app",
    "webauthn": "passkey",
    "recovery_codes": "recovery code",
}


def get_client_ip(request: HttpRequest) -> str:
    """Return the client's address as the server saw it, or ""."""
    return str(request.META.get("REMOTE_ADDR") or "")


def get_actor(request: HttpRequest, user: User | AnonymousUser | None = None) -> Actor:
    """Return the actor of a request; an anonymous one if `user` is None."""
    anonymous = Actor(
        id="",
        label=ANONYMOUS_LABEL,
        source_ip=get_client_ip(request),
        user_agent=request.headers.get("User-Agent", ""),
        request_id=request.META.get("REQUEST_ID"),
    )
    if user is None:
        return anonymous
    role = get_role_on_any_account(user)
    return replace(anonymous, id=str(user.pk or ""), label=user.get_username(), role=role)


def normalize_username(text: str) -> str:
    """Return an entered username in the form that is counted, looked up and recorded.

    That is Django's form (NFKC). Control characters and surrogates become U+FFFD: no username
    contains them, and databases don't store NUL.
    """
    name = text.strip()
    if len(name) <= MAX_USERNAME_LENGTH:
        name = User.normalize_username(name).strip()
    return "".join(map(_replace_control_character, name))


def _replace_control_character(character: str) -> str:
    is_invalid = unicodedata.category(character) in ("Cc", "Cs")
    return "\ufffd" if is_invalid else character


def redact_unknown_username(name: str) -> str:
    """Return the username if such a user exists, else a neutral label."""
    usernames = User.objects.filter(username=name).values_list("username", flat=True)
    return usernames.first() or UNKNOWN_USER_LABEL


def _append_event(*, perform: Callable[[], Any] = lambda: None, **event: Any) -> AuditEvent:
    """Append an access event. It concerns the site, so it names no Twilio account.

    `perform` is called in the event's transaction, and may raise to prevent the event.
    """
    with audit_log.transaction() as log:
        perform()
        return log.append(stage=Stage.ACCESS, account_sid="", **event)


def record_login(request: HttpRequest, user: User, *, check: Callable[[], None]) -> None:
    """Record a sign-in before it takes effect.

    `check` runs under the log's lock, so that sessions can't be ended between the check and the
    event. An exception that it raises prevents the sign-in. Raises `NotRecorded` if the event can't
    be written; the user must not be signed in then.
    """
    methods = [
        FACTOR_LABELS.get(str(record.get("type")), str(record["method"]))
        for record in get_authentication_records(request, user)
    ]
    details = {"by": ", then ".join(methods)}
    for kind, value in find_outside_rights(user).items():
        details[f"{kind} (no effect)"] = value

    _append_event(
        perform=check,
        action=SigninAction.LOGIN,
        result=Result.SUCCEEDED,
        actor=get_actor(request, user),
        payload=Payload(friendly_name=user.get_username(), after=redact_fields(details)),
    )


def record_denial(
    request: HttpRequest,
    name: str,
    cause: str,
    *,
    action: str = SigninAction.LOGIN,
    user: User | AnonymousUser | None = None,
) -> AuditEvent:
    """Record a refused sign-in, or another refused action of a signed-in user.

    `name` is the username that was entered, or "".
    """
    return _append_event(
        action=action,
        result=Result.DENIED,
        actor=get_actor(request, user if user and user.is_authenticated else None),
        payload=_denial_payload(name, cause),
    )


def record_lockout(
    request: HttpRequest, name: str, cause: str, *, user: User | AnonymousUser | None = None
) -> None:
    """Record that further attempts are refused for some time."""
    _append_event(
        action=SigninAction.LOCKOUT,
        result=Result.DENIED,
        actor=get_actor(request, user),
        payload=_denial_payload(name, cause),
    )


def _denial_payload(name: str, cause: str) -> Payload:
    return Payload(friendly_name=redact_unknown_username(name) if name else "", message=cause)


def record_logout(request: HttpRequest, user: User) -> None:
    """Record a sign-out. If that fails, log an error: the user must be able to sign out anyway."""
    try:
        _append_event(
            action=SigninAction.LOGOUT,
            result=Result.SUCCEEDED,
            actor=get_actor(request, user),
            payload=Payload(friendly_name=user.get_username()),
        )
    except NotRecorded:
        logging.getLogger("flows.access").error("A sign-out could not be recorded")


def create_sso_user(request: HttpRequest, name: str, subject: str, add: Callable[[], User]) -> None:
    """Create a user without a role for an identity of the provider called `name`.

    `add` creates the user in the transaction of the event. Raises `NotRecorded`; no user is created
    then.
    """
    after = {"by": "single sign-on", "subject": subject, "active": True, "role": "none"}
    with audit_log.transaction() as log:
        user = add()
        log.append(
            action=UserAction.CREATE,
            stage=Stage.ACCESS,
            result=Result.SUCCEEDED,
            actor=replace(get_actor(request), label=f"single sign-on: {name}"),
            account_sid="",
            payload=Payload(friendly_name=user.get_username(), after=redact_fields(after)),
        )


def change_own_account(
    request: HttpRequest,
    action: str,
    change: Callable[[], Any],
    *,
    before: dict[str, Any] | None = None,
    details: dict[str, Any] | None = None,
) -> AuditEvent:
    """Change the account of the signed-in user in the transaction of its event.

    `details` are recorded as the state after the change.

    Raises `NotRecorded` if the event can't be written; nothing is changed then.
    """
    user = request.user
    if not user.is_authenticated:
        raise PermissionDenied

    return _append_event(
        perform=change,
        action=action,
        result=Result.SUCCEEDED,
        actor=get_actor(request, user),
        payload=Payload(
            friendly_name=user.get_username(),
            before=redact_fields(before),
            after=redact_fields(details),
        ),
    )
