"""How long a session lasts, and what a user has to do before anything else. A session ends after a time without a
request, and after a time whatever happens. A changed password ends it at the next request, as Django has it; so does
`end_all`, for good. A sign-in that still waits for its second factor ends with the sessions."""

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
SEEN_AT_KEY: Final = "seen_at"
MUST_CHANGE_KEY: Final = "must_change_password"
EPOCH_KEY: Final = "epoch"
REQUEST_EPOCH_ATTRIBUTE: Final = "_held_epoch"
PENDING_LOGIN_KEY: Final = "pending_sign_in"
TOUCH_INTERVAL: Final = 60  # seconds: not every request is worth a write

# What stays open to those who have something to do first.
PASSWORD_STEP_VIEWS: Final = {"logout", "password-change"}
FACTOR_STEP_VIEWS: Final = {
    "logout",
    "me",
    "account_reauthenticate",
    "mfa_activate_totp",
    "mfa_add_webauthn",
}


def start_session(request: HttpRequest, user: Any, **_signal: Any) -> None:
    session = request.session
    session[STARTED_AT_KEY] = session[SEEN_AT_KEY] = time.time()
    held = getattr(request, REQUEST_EPOCH_ATTRIBUTE, None)
    session[EPOCH_KEY] = get_epoch(user) if held is None else held
    session.pop(PENDING_LOGIN_KEY, None)
    session.set_expiry(None)  # that of a visitor on the way to single sign-on is over
    if OneTimePassword.objects.filter(person_id=user.pk).exists():
        session[MUST_CHANGE_KEY] = True


user_logged_in.connect(start_session, dispatch_uid="flexadmin.sessions")


def remember_epoch(request: HttpRequest, user: Any) -> None:
    """Note the number of the sessions that may begin now: what ends them after this ends this one too."""
    setattr(request, REQUEST_EPOCH_ATTRIBUTE, get_epoch(user))


def get_epoch(user: Any) -> int:
    """Number of times that all sessions of this user were ended."""
    return (
        SessionEpoch.objects.filter(person_id=user.pk).values_list("number", flat=True).first() or 0
    )


def end_all(user: Any, *, but: str = "") -> int:
    """End every session and pending sign-in of a user for good; the session with that key may stay, if it takes over
    the number that is returned."""
    SessionEpoch.objects.get_or_create(person_id=user.pk)
    SessionEpoch.objects.filter(person_id=user.pk).update(number=F("number") + 1)
    for session in UserSession.objects.filter(user_id=user.pk).exclude(session_key=but):
        session.end()
    return get_epoch(user)


def remember_pending_login(request: HttpRequest, user: Any) -> None:
    """Note what a sign-in rests on, until its second factor is there: the password, and that nothing ended it."""
    request.session[PENDING_LOGIN_KEY] = _fingerprint(user)


def is_pending_login_invalid(request: HttpRequest, user: Any) -> bool:
    """Tell whether the password was changed, or all sessions were ended, since the sign-in began."""
    pending = str(request.session.get(PENDING_LOGIN_KEY, ""))
    return not constant_time_compare(pending, _fingerprint(user))


def end_if_expired(request: HttpRequest) -> None:
    """Makes nobody of whoever has been away, or here, for too long, or was signed out; else notes that they were here."""
    session, now = request.session, time.time()
    if session.get(EPOCH_KEY, 0) != getattr(request.user, "session_epoch", 0):
        _end_session(request)
        return
    if STARTED_AT_KEY not in session:  # from before sessions ended
        session[STARTED_AT_KEY] = session[SEEN_AT_KEY] = now
    idle, whole = settings.SESSION_IDLE_MINUTES * 60, settings.SESSION_HOURS * 3600
    if now - session[SEEN_AT_KEY] >= idle or now - session[STARTED_AT_KEY] >= whole:
        _end_session(request)
    elif now - session[SEEN_AT_KEY] >= min(TOUCH_INTERVAL, idle / 4):
        session[SEEN_AT_KEY] = now
        try:
            session.save()
        except (
            Error,
            UpdateError,
        ):  # Django says the same of one that is gone and one that can't be written
            if not _may_exist(session):  # ended elsewhere, since it was read
                _end_session(request)
        session.modified = False  # pages are read also while the database can't be written


def required_step(request: HttpRequest, view_name: str) -> str:
    """The view that this person has to pass through before the one they asked for; the empty string if none."""
    session: SessionBase = request.session
    if session.get(MUST_CHANGE_KEY):
        return "" if view_name in PASSWORD_STEP_VIEWS else "password-change"
    if (
        settings.SECOND_FACTOR_REQUIRED
        and view_name not in FACTOR_STEP_VIEWS
        and not is_mfa_enabled(request.user)
    ):
        return "me"
    return ""


def _fingerprint(user: Any) -> str:
    return salted_hmac(
        "flexadmin.pending", f"{user.pk} {user.password} {get_epoch(user)}"
    ).hexdigest()


def _end_session(request: HttpRequest) -> None:
    request.user = AnonymousUser()
    with suppress(Error):
        request.session.flush()


def _may_exist(session: SessionBase) -> bool:
    try:
        return session.exists(session.session_key or "")
    except Error:
        return True
