"""Delivery of a response to the client: complete, cut, dripped or endless.

It also has the gate at which requests are held, so that a release ends every hang at once.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from flows.twilio.sandbox.faults import Fault, FaultKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.twilio.sandbox.responses import Response

POLL_INTERVAL = 0.02  # seconds between checks whether a held client is still connected
DRIP_INTERVAL = 0.1  # seconds between bytes, unless the fault says otherwise
BLANK_CHUNK = b" " * 65_536


class Gate:
    """The place where requests are held.

    `release` lets the present requests continue, `close` also all later ones.
    """

    def __init__(self) -> None:
        self.condition = threading.Condition()
        self.releases = 0
        self.held_count = 0
        self.is_closed = False

    def release(self) -> None:
        with self.condition:
            self.releases += 1
            self.condition.notify_all()

    def close(self) -> None:
        self.is_closed = True
        self.release()

    def wait_until_held(self, count: int, timeout: float) -> bool:
        """Wait until `count` requests are held at once. Return False after `timeout` seconds."""
        with self.condition:
            return self.condition.wait_for(lambda: self.held_count >= count, timeout)


class RequestWait:
    """All waiting of one request. A release at any time after its arrival ends it."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._releases_at_start = gate.releases

    @property
    def is_over(self) -> bool:
        return self._gate.is_closed or self._gate.releases != self._releases_at_start

    def hold(self, seconds: float | None, is_cancelled: Callable[[], bool]) -> None:
        """Hold the request until a release, until `is_cancelled`, or for at most `seconds`."""
        gate = self._gate
        with gate.condition:
            gate.held_count += 1
            gate.condition.notify_all()
            try:
                self._wait(seconds, is_cancelled)
            finally:
                gate.held_count -= 1

    def pause(self, seconds: float) -> None:
        """Wait for the seconds, or until a release."""
        with self._gate.condition:
            self._wait(seconds, lambda: False)

    def _wait(self, seconds: float | None, is_cancelled: Callable[[], bool]) -> None:
        deadline = float("inf") if seconds is None else time.monotonic() + seconds
        while not self.is_over and not is_cancelled():
            seconds_left = deadline - time.monotonic()
            if seconds_left <= 0:
                return
            self._gate.condition.wait(min(POLL_INTERVAL, seconds_left))


def is_disconnected(connection: socket.socket) -> bool:
    """Return True if the client has closed its end of the connection."""
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def send_response(
    connection: socket.socket, response: Response, *, close: bool, omit_body: bool = False
) -> None:
    """Send a response without a fault. `omit_body` is for a response to HEAD."""
    head = _build_head(response, len(response.body), close=close)
    body = b"" if omit_body else response.body
    connection.sendall(head + body)


def send_faulty_response(
    connection: socket.socket, response: Response, fault: Fault, request_wait: RequestWait
) -> bool:
    """Send a response with a fault of the connection, which can't be used afterwards.

    Returns False, and sends nothing, for other faults.
    """
    send = _FAULTY_SENDERS.get(fault.kind)
    if send is None:
        return False
    interval = DRIP_INTERVAL if fault.seconds is None else fault.seconds
    send(connection, response, interval, request_wait)
    return True


def _build_head(response: Response, length: int | None, *, close: bool) -> bytes:
    """Return the status line and headers, without Content-Length if `length` is None."""
    phrase = HTTPStatus(response.status).phrase if response.status in set(HTTPStatus) else ""
    lines = [f"HTTP/1.1 {response.status} {phrase}"]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    if length is not None and response.status != HTTPStatus.NO_CONTENT:
        lines.append(f"Content-Length: {length}")
    lines.append(f"Connection: {'close' if close else 'keep-alive'}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _drip_body(
    connection: socket.socket, response: Response, interval: float, request_wait: RequestWait
) -> None:
    connection.sendall(_build_head(response, len(response.body), close=True))
    _drip(connection, response.body, interval, request_wait)


def _drip_headers(
    connection: socket.socket, response: Response, interval: float, request_wait: RequestWait
) -> None:
    _drip(connection, _build_head(response, len(response.body), close=True), interval, request_wait)
    connection.sendall(response.body)


def _drip(
    connection: socket.socket, data: bytes, interval: float, request_wait: RequestWait
) -> None:
    """Send one byte after each interval, and all the rest at once after a release."""
    for position in range(len(data)):
        connection.sendall(data[position : position + 1])
        request_wait.pause(interval)
        if request_wait.is_over:
            connection.sendall(data[position + 1 :])
            return


def _truncate(
    connection: socket.socket, response: Response, _interval: float, _request_wait: RequestWait
) -> None:
    """Send half of the body that Content-Length promises."""
    head = _build_head(_allow_body(response), len(response.body) or 100, close=True)
    connection.sendall(head + response.body[: len(response.body) // 2])


def _send_endlessly(
    connection: socket.socket, response: Response, _interval: float, request_wait: RequestWait
) -> None:
    """Send spaces until the client disconnects or the request is released."""
    connection.sendall(_build_head(_allow_body(response), None, close=True))
    connection.settimeout(POLL_INTERVAL)
    while not request_wait.is_over:
        with suppress(TimeoutError):
            connection.send(BLANK_CHUNK)


def _allow_body(response: Response) -> Response:
    """Return the response with status 200 if its own, 204, allows no body."""
    if response.status != HTTPStatus.NO_CONTENT:
        return response
    return replace(response, status=HTTPStatus.OK)


_FAULTY_SENDERS: dict[FaultKind, Callable[[socket.socket, Response, float, RequestWait], None]] = {
    FaultKind.DRIP: _drip_body,
    FaultKind.DRIP_HEADERS: _drip_headers,
    FaultKind.TRUNCATE: _truncate,
    FaultKind.HUGE: _send_endlessly,
}
