"""HTTP sessions to Twilio: a thread's open session for reads, and a new session for each write.

An open connection saves a TLS handshake with each page. A write never uses one: the other side
could close it at that moment, and the outcome would be unknown.
"""

from __future__ import annotations

import os
import threading
from http.cookiejar import DefaultCookiePolicy
from typing import Final

import requests

from flows.twilio.deadline import Call, DeadlineAdapter
from flows.twilio.errors import ConnectionFailed, FlexError, NotSent, OutcomeUnknown

USER_AGENT: Final = "flex-flow-dashboard/0.1"
MAX_BODY_BYTES: Final = 16 * 1024 * 1024  # a page of 1,000 flows has about 1 MB
CHUNK_BYTES: Final = 512 * 1024  # other threads get a turn between two chunks

# Account SID, product and version.
_ApiKey = tuple[str, str, str]
# Everything else that an open connection depends on.
_ConnectionKey = tuple[object, ...]


def new_session() -> requests.Session:
    """Return a session without cookies, whose connections obey a deadline."""
    session = requests.Session()
    session.headers["Accept"] = "application/json"
    session.headers["User-Agent"] = USER_AGENT
    # Requests of many users share a session, so no response may add to the next request.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = DeadlineAdapter(max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class ThreadSessions:
    """The open sessions of each thread, one for each API of an account.

    A session closes when its thread ends, or when the API's URL or the credentials change.
    """

    def __init__(self) -> None:
        self._local = threading.local()

    def of(self, api: _ApiKey, connection_key: _ConnectionKey) -> requests.Session:
        """Return the current thread's session for an API.

        A session with another `connection_key` is closed and replaced.
        """
        sessions: dict[_ApiKey, tuple[_ConnectionKey, requests.Session]] = (
            self._local.__dict__.setdefault("sessions", {})
        )
        # A forked process inherits its parent's sockets and must not use them.
        process_key = (os.getpid(), *connection_key)
        session_key, session = sessions.get(api, (None, None))
        if session is not None and session_key == process_key:
            return session
        if session is not None:
            session.close()
        session = new_session()
        sessions[api] = (process_key, session)
        return session

    def close(self) -> None:
        """Close the sessions of the current thread."""
        for _, session in self._local.__dict__.pop("sessions", {}).values():
            session.close()


def connection_error(call: Call, error: Exception) -> FlexError:
    """Return the error of a call during which `requests` or the socket failed."""
    if call.is_unsent:
        return ConnectionFailed()
    if call.is_late or isinstance(error, requests.Timeout):
        return OutcomeUnknown("Twilio did not answer in time")
    if isinstance(error, requests.exceptions.InvalidJSONError):
        return NotSent("the request could not be written as JSON")
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return OutcomeUnknown("Twilio's response could not be read")
    return OutcomeUnknown("the connection to Twilio was lost", is_stale=call.on_reused_connection)


def read_body(response: requests.Response) -> bytes:
    """Return the whole body, or raise ContentDecodingError if it is too large."""
    chunks, size = [], 0
    for chunk in response.iter_content(CHUNK_BYTES):
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise requests.exceptions.ContentDecodingError("the response is too large")
        chunks.append(chunk)
    return b"".join(chunks)
