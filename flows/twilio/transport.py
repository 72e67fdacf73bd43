"""HTTP sessions to Twilio: one that a thread keeps open for its reads, and a fresh one for a write.

A kept connection saves each page a TLS handshake. A write never goes out on one: the other side could close
it just then, and nobody would know whether the request had arrived.
"""

from __future__ import annotations

import os
import threading
from http.cookiejar import DefaultCookiePolicy
from typing import Final

import requests

from flows.twilio.deadline import DeadlineAdapter

USER_AGENT: Final = "flex-flow-dashboard/0.1"


def new_session() -> requests.Session:
    """A session without cookies, whose connections obey a deadline."""
    session = requests.Session()
    session.headers["Accept"] = "application/json"
    session.headers["User-Agent"] = USER_AGENT
    # Calls of many people share it: nothing that one answer sets may go out with the next request.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = DeadlineAdapter(max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class ThreadSessions:
    """The sessions that each thread keeps, one an account. They close when the thread ends, or when the
    account is reached in another way than before."""

    def __init__(self) -> None:
        self._own = threading.local()

    def of(self, account_sid: str, way: tuple[object, ...]) -> requests.Session:
        """The session of the current thread for that account. `way` is all that a kept connection depends
        on."""
        kept: dict[str, tuple[tuple[object, ...], requests.Session]] = (
            self._own.__dict__.setdefault("kept", {})
        )
        way = (
            os.getpid(),
            *way,
        )  # a forked process shares its parent's sockets, and must not use them
        known, session = kept.get(account_sid, (None, None))
        if session is None or known != way:
            if session is not None:
                session.close()
            session = new_session()
            kept[account_sid] = (way, session)
        return session

    def close(self) -> None:
        """Close those of the current thread."""
        for _, session in self._own.__dict__.pop("kept", {}).values():
            session.close()
