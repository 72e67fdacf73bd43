"""How long a session lasts, and what somebody has to do before anything else. A session ends after a time without a
request, and after a time whatever happens; a changed password and a deactivation end it at the next request, as
Django has it."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any, Final

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.db import Error
from django.http import HttpRequest

from flexadmin.models import OneTimePassword

BEGAN: Final = "began_at"  # seconds since 1970
SEEN: Final = "seen_at"
MUST_CHANGE: Final = "must_change_password"
TOUCHED_EVERY: Final = 60  # seconds: not every request is worth a write

# What stays open to those who have something to do first.
FOR_THE_PASSWORD: Final = {"logout", "password-change"}
FOR_THE_FACTOR: Final = {"logout", "me", "account_reauthenticate", "mfa_activate_totp", "mfa_add_webauthn"}


def begin(request: HttpRequest, user: Any, **_signal: Any) -> None:
    request.session[BEGAN] = request.session[SEEN] = time.time()
    if OneTimePassword.objects.filter(person_id=user.pk).exists():
        request.session[MUST_CHANGE] = True


user_logged_in.connect(begin, dispatch_uid="flexadmin.sessions")


def end_if_over(request: HttpRequest) -> None:
    """Makes nobody of whoever has been away, or here, for too long; else notes that they were here."""
    session, now = request.session, time.time()
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


def _end(request: HttpRequest) -> None:
    request.user = AnonymousUser()
    with suppress(Error):
        request.session.flush()


def _is_kept(session: SessionBase) -> bool:
    try:
        return session.exists(session.session_key or "")
    except Error:
        return True
