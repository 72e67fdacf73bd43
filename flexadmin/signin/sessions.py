"""Lifetime of sessions, and the steps that a user must complete before anything else.

A session expires after some time without a request, and after a maximum time in any case. A new
password ends it at the next request, and so does `end_all`. Sign-ins that still wait for their
second factor end together with the sessions.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any, Final

from allauth.mfa.utils import is_mfa_enabled
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.db import Error
from django.db.models import F
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare, salted_hmac

from flexadmin.models import OneTimePassword, SessionEpoch

STARTED_AT_KEY: Final = "began_at"  # seconds since 1970
LAST_REQUEST_AT_KEY: Final = "seen_at"
MUST_CHANGE_KEY: Final = "must_change_password"
EPOCH_KEY: Final = "epoch"
REQUEST_EPOCH_ATTRIBUTE: Final = "_sign_in_epoch"
PENDING_LOGIN_KEY: Final = "pending_sign_in"
TOUCH_INTERVAL: Final = 60  # seconds between writes of the time of the last request

# Views that stay available to a user who has a step to complete first.
PASSWORD_STEP_VIEWS: Final = {"logout", "password-change"}
FACTOR_STEP_VIEWS: Final = {
    "logout",
    "me",
    "account_reauthenticate",
    "mfa_activate_totp",
    "mfa_add_webauthn",
}


def start_session(request: HttpRequest, user: Any, **_signal: Any) -> None:
    """Initialize the session of a user who has just signed in."""
    session = request.session
    session[STARTED_AT_KEY] = session[LAST_REQUEST_AT_KEY] = time.time()
    epoch = getattr(request, REQUEST_EPOCH_ATTRIBUTE, None)
    session[EPOCH_KEY] = get_epoch(user) if epoch is None else epoch
    session.pop(PENDING_LOGIN_KEY, None)
    session.set_expiry(None)  # replaces the short expiry of an SSO start
    if OneTimePassword.objects.filter(person_id=user.pk).exists():
        session[MUST_CHANGE_KEY] = True


user_logged_in.connect(start_session, dispatch_uid="flexadmin.sessions")


def remember_epoch(request: HttpRequest, user: Any) -> None:
    """Keep the current epoch for the session of this sign-in.

    If all sessions are ended after this call, the new one ends as well.
    """
    setattr(request, REQUEST_EPOCH_ATTRIBUTE, get_epoch(user))


def get_epoch(user: Any) -> int:
    """Return the number of times that all sessions of this user were ended."""
    numbers = SessionEpoch.objects.filter(person_id=user.pk).values_list("number", flat=True)
    return numbers.first() or 0


def end_all(user: Any, *, except_key: str = "") -> int:
    """End every session and pending sign-in of a user; return their new epoch.

    The session with `except_key` stays valid if the caller stores the new epoch in it.
    """
    SessionEpoch.objects.get_or_create(person_id=user.pk)
    SessionEpoch.objects.filter(person_id=user.pk).update(number=F("number") + 1)
    for session in UserSession.objects.filter(user_id=user.pk).exclude(session_key=except_key):
        session.end()
    return get_epoch(user)


def remember_pending_login(request: HttpRequest, user: Any) -> None:
    """Keep a fingerprint of the password and the epoch until the second factor is checked."""
    request.session[PENDING_LOGIN_KEY] = _fingerprint(user)


def is_pending_login_invalid(request: HttpRequest, user: Any) -> bool:
    """Tell whether the password changed or all sessions were ended since the sign-in began."""
    pending = str(request.session.get(PENDING_LOGIN_KEY, ""))
    return not constant_time_compare(pending, _fingerprint(user))


def end_if_expired(request: HttpRequest) -> None:
    """Sign the user out if their session has expired or was ended; else note the request's time."""
    session, current_time = request.session, time.time()
    if session.get(EPOCH_KEY, 0) != getattr(request.user, "session_epoch", 0):
        _end_session(request)
        return
    if STARTED_AT_KEY not in session:  # started before sessions had a lifetime
        session[STARTED_AT_KEY] = session[LAST_REQUEST_AT_KEY] = current_time
    max_idle = settings.SESSION_IDLE_MINUTES * 60
    max_age = settings.SESSION_HOURS * 3600
    idle = current_time - session[LAST_REQUEST_AT_KEY]
    age = current_time - session[STARTED_AT_KEY]
    if idle >= max_idle or age >= max_age:
        _end_session(request)
    elif idle >= min(TOUCH_INTERVAL, max_idle / 4):
        session[LAST_REQUEST_AT_KEY] = current_time
        _save_if_possible(request)


def _save_if_possible(request: HttpRequest) -> None:
    """Save the session. Pages must also work while the database can't be written."""
    session = request.session
    try:
        session.save()
    except (Error, UpdateError):
        # The same errors mean a failed write and a session that was ended elsewhere.
        if not _may_exist(session):
            _end_session(request)
    session.modified = False


def required_step(request: HttpRequest, view_name: str) -> str:
    """Return the view that the user must complete before the requested one, or ""."""
    session: SessionBase = request.session
    if session.get(MUST_CHANGE_KEY):
        return "" if view_name in PASSWORD_STEP_VIEWS else "password-change"
    if not settings.SECOND_FACTOR_REQUIRED or view_name in FACTOR_STEP_VIEWS:
        return ""
    return "" if is_mfa_enabled(request.user) else "me"


def _fingerprint(user: Any) -> str:
    value = f"{user.pk} {user.password} {get_epoch(user)}"
    return salted_hmac("flexadmin.pending", value).hexdigest()


def _end_session(request: HttpRequest) -> None:
    request.user = AnonymousUser()
    with suppress(Error):
        request.session.flush()


def _may_exist(session: SessionBase) -> bool:
    """Tell whether the session exists; True if the database can't tell."""
    try:
        return session.exists(session.session_key or "")
    except Error:
        return True
