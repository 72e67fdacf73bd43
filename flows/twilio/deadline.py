"""A deadline that holds for a whole HTTP call. `requests` and urllib3 time each read anew, so that an
answer dripping in byte by byte outlasts any timeout; here a watchdog shuts the socket when time is up.

It also knows whether a connection was ever made, which is what separates "never sent" from "unknown".
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

# Seconds after which a kept connection is not used again. A firewall forgets one that is idle without
# telling either side, and the next request on it would wait for its deadline in vain.
MAX_IDLE_SECONDS: Final = 45.0

_current_call: ContextVar[Call | None] = ContextVar("_current", default=None)


class Call:
    """One call under a deadline (`time.monotonic()` seconds). Use as a context manager around it."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.connecting = False  # our connection class was asked to connect
        self.connected = False
        self.on_reused_connection = False  # one that served a request before
        self.is_late = False
        self.sock: socket.socket | None = None
        self._timer = threading.Timer(max(0.0, deadline - time.monotonic()), self._cut)
        self._timer.daemon = True

    @property
    def is_unsent(self) -> bool:
        """Whether it is certain that nothing left: a connection was tried and none was made."""
        return self.connecting and not self.connected

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

    def _cut(self) -> None:
        self.is_late = True
        if self.sock is not None:
            with contextlib.suppress(OSError):
                # The plain socket's own shutdown, under TLS too: nothing may wait for the other side.
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)


class _DeadlineConnection:
    """A connection that tells the current call when it is made, and gives it its socket."""

    sock: Any
    close: Any
    sent_at: float | None = None  # when the last request went out on this socket

    @property
    def is_connected(self) -> bool:
        """Tell the pool whether this connection can be used again."""
        is_idle_too_long = (
            self.sent_at is not None and time.monotonic() - self.sent_at > MAX_IDLE_SECONDS
        )
        return bool(super().is_connected) and not is_idle_too_long  # type: ignore[misc]

    def connect(self) -> None:
        self.sent_at = None
        call = _current_call.get()
        if call is not None:
            call.connecting = True
        super().connect()  # type: ignore[misc]
        if call is not None:
            if (
                time.monotonic() >= call.deadline
            ):  # looking up the name is under no timeout of a socket's
                self.close()
                raise TimeoutError("connected too late to send")
            call.connected = True

    def request(self, *args: Any, **kwargs: Any) -> None:
        call = _current_call.get()
        if call is not None:
            call.on_reused_connection = self.sock is not None and self.sent_at is not None
        super().request(*args, **kwargs)  # type: ignore[misc]
        self.sent_at = time.monotonic()
        if call is not None:
            call.sock = self.sock
            if call.is_late:
                call._cut()


class _DeadlineHTTPConnection(_DeadlineConnection, HTTPConnection):
    pass


class _DeadlineHTTPSConnection(_DeadlineConnection, HTTPSConnection):
    pass


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _DeadlineHTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _DeadlineHTTPSConnection


_POOL_CLASSES = {"http": _HTTPPool, "https": _HTTPSPool}


class DeadlineAdapter(HTTPAdapter):
    """A `requests` adapter whose connections obey the current `Call`, through a proxy too."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOL_CLASSES

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOL_CLASSES
        return manager
