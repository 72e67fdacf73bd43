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

BEGAN: Final = "began_at"  # seconds since 1970
SEEN: Final = "seen_at"
MUST_CHANGE: Final = "must_change_password"
EPOCH: Final = "epoch"
HELD_EPOCH: Final = "_held_epoch"
PENDING: Final = "pending_sign_in"
TOUCHED_EVERY: Final = 60  # seconds: not every request is worth a write

# What stays open to those who have something to do first.
FOR_THE_PASSWORD: Final = {"logout", "password-change"}
FOR_THE_FACTOR: Final = {"logout", "me", "account_reauthenticate", "mfa_activate_totp", "mfa_add_webauthn"}


def begin(request: HttpRequest, user: Any, **_signal: Any) -> None:
    session = request.session
    session[BEGAN] = session[SEEN] = time.time()
    held = getattr(request, HELD_EPOCH, None)
    session[EPOCH] = epoch_of(user) if held is None else held
    session.pop(PENDING, None)
    session.set_expiry(None)  # that of a visitor on the way to single sign-on is over
    if OneTimePassword.objects.filter(person_id=user.pk).exists():
        session[MUST_CHANGE] = True


user_logged_in.connect(begin, dispatch_uid="flexadmin.sessions")


def hold_epoch(request: HttpRequest, user: Any) -> None:
    """Note the number of the sessions that may begin now: what ends them after this ends this one too."""
    setattr(request, HELD_EPOCH, epoch_of(user))


def epoch_of(user: Any) -> int:
    """Number of times that all sessions of this user were ended."""
    return SessionEpoch.objects.filter(person_id=user.pk).values_list("number", flat=True).first() or 0


def end_all(user: Any, *, but: str = "") -> int:
    """End every session and pending sign-in of a user for good; the session with that key may stay, if it takes over
    the number that is returned."""
    SessionEpoch.objects.get_or_create(person_id=user.pk)
    SessionEpoch.objects.filter(person_id=user.pk).update(number=F("number") + 1)
    for session in UserSession.objects.filter(user_id=user.pk).exclude(session_key=but):
        session.end()
    return epoch_of(user)


def hold_pending(request: HttpRequest, user: Any) -> None:
    """Note what a sign-in rests on, until its second factor is there: the password, and that nothing ended it."""
    request.session[PENDING] = _fingerprint(user)


def is_pending_over(request: HttpRequest, user: Any) -> bool:
    """Tell whether the password was changed, or all sessions were ended, since the sign-in began."""
    pending = str(request.session.get(PENDING, ""))
    return not constant_time_compare(pending, _fingerprint(user))


def end_if_over(request: HttpRequest) -> None:
    """Makes nobody of whoever has been away, or here, for too long, or was signed out; else notes that they were here."""
    session, now = request.session, time.time()
    if session.get(EPOCH, 0) != getattr(request.user, "session_epoch", 0):
        _end(request)
        return
    if BEGAN not in session:  # from before sessions ended
        session[BEGAN] = session[SEEN] = now
    idle, whole = settings.SESSION_IDLE_MINUTES * 60, settings.SESSION_HOURS * 3600
    if now - session[SEEN] >= idle or now - session[BEGAN] >= whole:
        _end(request)
    elif now - session[SEEN] >= min(TOUCHED_EVERY, idle / 4):
        session[SEEN] = now
        try:
            session.save()
        except (Error, UpdateError):  # Django says the same of one that is gone and one that can't be written
            if not _is_kept(session):  # ended elsewhere, since it was read
                _end(request)
        session.modified = False  # pages are read also while the database can't be written


def duty(request: HttpRequest, view_name: str) -> str:
    """The view that this person has to pass through before the one they asked for; the empty string if none."""
    session: SessionBase = request.session
    if session.get(MUST_CHANGE):
        return "" if view_name in FOR_THE_PASSWORD else "password-change"
    if (
        settings.SECOND_FACTOR_REQUIRED
        and view_name not in FOR_THE_FACTOR
        and not is_mfa_enabled(request.user)
    ):
        return "me"
    return ""


def _fingerprint(user: Any) -> str:
    return salted_hmac("flexadmin.pending", f"{user.pk} {user.password} {epoch_of(user)}").hexdigest()


def _end(request: HttpRequest) -> None:
    request.user = AnonymousUser()
    with suppress(Error):
        request.session.flush()


def _is_kept(session: SessionBase) -> bool:
    try:
        return session.exists(session.session_key or "")
    except Error:
        return True
