"""A deadline for a whole HTTP call.

`requests` and urllib3 apply a timeout to each read, so a response that drips in byte by byte
outlasts any timeout. Here a timer shuts the socket down at the deadline. A call also records
whether a connection was made. That distinguishes `NotSent` from `OutcomeUnknown`.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Final, Self

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

# Seconds. A firewall drops idle connections without telling either side, and a request on such a
# connection would wait until its deadline.
MAX_IDLE_SECONDS: Final = 45.0

_current_call: ContextVar[Call | None] = ContextVar("_current_call", default=None)


class Call:
    """One HTTP call with a deadline in `time.monotonic()` seconds.

    Use it as a context manager around the request.
    """

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.has_tried_to_connect = False
        self.has_connected = False
        self.on_reused_connection = False  # a connection that served an earlier request
        self.is_late = False
        self.sock: socket.socket | None = None
        self._timer = threading.Timer(max(0.0, deadline - time.monotonic()), self.cut)
        self._timer.daemon = True

    @property
    def is_unsent(self) -> bool:
        """True if certainly nothing was sent, because the connection failed."""
        return self.has_tried_to_connect and not self.has_connected

    def __enter__(self) -> Self:
        self._token = _current_call.set(self)
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        _current_call.reset(self._token)

    def cut(self) -> None:
        """Mark the call as late and shut its socket down."""
        self.is_late = True
        if self.sock is not None:
            with contextlib.suppress(OSError):
                # Also under TLS the plain socket's shutdown, which doesn't wait for the other side.
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)


class _DeadlineConnection:
    """A connection that reports to the current `Call` and gives it the socket."""

    sock: Any
    close: Any
    # Monotonic seconds of the last request on this socket, None before the first.
    last_request_time: float | None = None

    @property
    def is_connected(self) -> bool:
        """True if the pool can use this connection again."""
        if not super().is_connected:  # type: ignore[misc]
            return False
        if self.last_request_time is None:
            return True
        return time.monotonic() - self.last_request_time <= MAX_IDLE_SECONDS

    def connect(self) -> None:
        """Connect, and tell the current call about it. Raise TimeoutError after its deadline."""
        self.last_request_time = None
        call = _current_call.get()
        if call is None:
            super().connect()  # type: ignore[misc]
            return
        call.has_tried_to_connect = True
        super().connect()  # type: ignore[misc]
        # No timeout of a socket covers the look-up of the host name.
        if time.monotonic() >= call.deadline:
            self.close()
            raise TimeoutError("connected too late to send")
        call.has_connected = True

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send a request, and give the current call the socket, so that it can cut it."""
        call = _current_call.get()
        if call is not None:
            has_open_socket = self.sock is not None
            call.on_reused_connection = has_open_socket and self.last_request_time is not None
        super().request(*args, **kwargs)  # type: ignore[misc]
        self.last_request_time = time.monotonic()
        if call is not None:
            call.sock = self.sock
            if call.is_late:
                call.cut()


class DeadlineHTTPConnection(_DeadlineConnection, HTTPConnection):
    """A connection over plain HTTP."""


class DeadlineHTTPSConnection(_DeadlineConnection, HTTPSConnection):
    """A connection over TLS."""


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = DeadlineHTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = DeadlineHTTPSConnection


_POOL_CLASSES = {"http": _HTTPPool, "https": _HTTPSPool}


class DeadlineAdapter(HTTPAdapter):
    """A `requests` adapter whose connections obey the current `Call`, also through a proxy."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOL_CLASSES

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOL_CLASSES
        return manager
