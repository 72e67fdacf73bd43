"""The sessions of a user, as their account settings list them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session

from flexadmin.signin.sessions import LAST_REQUEST_AT_KEY
from flexadmin.signin.user_agents import describe_user_agent


@dataclass(frozen=True, slots=True)
class ActiveSession:
    """A session of a user. `last_seen_at` is the time of its last request, to the minute."""

    pk: int
    device: str
    user_agent: str
    ip: str
    started_at: datetime
    last_seen_at: datetime
    is_current: bool


def list_sessions(user: User, current_key: str) -> list[ActiveSession]:
    """Return the user's sessions, the current one first and then the latest used."""
    user_sessions = UserSession.objects.purge_and_list(user)
    keys = [one.session_key for one in user_sessions]
    stored = Session.objects.in_bulk(keys)
    sessions = [
        ActiveSession(
            pk=one.pk,
            device=describe_user_agent(one.user_agent),
            user_agent=one.user_agent,
            ip=one.ip,
            started_at=one.created_at,
            last_seen_at=_last_seen_at(stored.get(one.session_key), one.created_at),
            is_current=one.session_key == current_key,
        )
        for one in user_sessions
    ]
    return sorted(sessions, key=lambda one: (one.is_current, one.last_seen_at), reverse=True)


def _last_seen_at(session: Session | None, started_at: datetime) -> datetime:
    seconds = session.get_decoded().get(LAST_REQUEST_AT_KEY) if session else None
    return datetime.fromtimestamp(seconds, UTC) if seconds else started_at
