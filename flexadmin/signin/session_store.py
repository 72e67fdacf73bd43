"""Sessions in the database, as Django's own, read with a prepared query."""

from __future__ import annotations

from typing import Final

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from flows.core.prepared_queries import PreparedQuery

_SESSION_QUERY: Final = PreparedQuery(lambda: Session.objects.filter(session_key=""))


class SessionStore(db.SessionStore):
    """The session of a request."""

    def _get_session_from_db(self) -> Session | None:
        """Return the session, or None if there is none with this key or if it has expired."""
        for session in _SESSION_QUERY.run(self.session_key):
            if session.expire_date > timezone.now():
                return session
        self._session_key = None
        return None
