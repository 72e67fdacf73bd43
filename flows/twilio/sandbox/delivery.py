"""The bytes of an answer on their way to the client, whole or as a fault has them: cut, dripped, endless.

It also owns the gate at which requests are held, so that a hang ends at once when it is released.
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

POLL_INTERVAL = 0.02  # seconds between looks whether a held client is still there
DRIP_INTERVAL = 0.1  # seconds between bytes, if the fault does not say
BLANK_CHUNK = b" " * 65_536


class Gate:
    """Where requests wait. `release` lets go every request that has come, `close` those to come too."""

    def __init__(self) -> None:
        self.condition = threading.Condition()
        self.releases = 0
        self.held = 0
        self.closed = False

    def release(self) -> None:
        with self.condition:
            self.releases += 1
            self.condition.notify_all()

    def close(self) -> None:
        self.closed = True
        self.release()

    def wait_until_held(self, count: int, timeout: float) -> bool:
        """Wait until so many requests are held here at once."""
        with self.condition:
            return self.condition.wait_for(lambda: self.held >= count, timeout)


class RequestWait:
    """One request's stay: a release at any time after its arrival ends all of its waiting."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._releases_at_start = gate.releases

    @property
    def over(self) -> bool:
        return self._gate.closed or self._gate.releases != self._releases_at_start

    def hold(self, seconds: float | None, gone: Callable[[], bool]) -> None:
        """Keep the request until it is released, its client is gone or the seconds are over."""
        gate = self._gate
        with gate.condition:
            gate.held += 1
            gate.condition.notify_all()
            try:
                self._wait(seconds, gone)
            finally:
                gate.held -= 1

    def pause(self, seconds: float) -> None:
        with self._gate.condition:
            self._wait(seconds, lambda: False)

    def _wait(self, seconds: float | None, gone: Callable[[], bool]) -> None:
        deadline = float("inf") if seconds is None else time.monotonic() + seconds
        while not self.over and not gone():
            left = deadline - time.monotonic()
            if left <= 0:
                return
            self._gate.condition.wait(min(POLL_INTERVAL, left))


def is_disconnected(connection: socket.socket) -> bool:
    """Whether the client has closed its end."""
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def send_response(
    connection: socket.socket, answer: Response, *, close: bool, omit_body: bool = False
) -> None:
    """The answer in good order. `omit_body` leaves the body out: the request was a HEAD."""
    connection.sendall(
        _build_head(answer, len(answer.body), close=close) + (b"" if omit_body else answer.body)
    )


def send_faulty_response(
    connection: socket.socket, answer: Response, fault: Fault, visit: RequestWait
) -> bool:
    """The answer as the fault has it; the connection can't be used afterwards. False if the fault is
    none of the connection's, and nothing was sent."""
    way = _FAULTY_SENDERS.get(fault.kind)
    if way is None:
        return False
    way(connection, answer, DRIP_INTERVAL if fault.seconds is None else fault.seconds, visit)
    return True


def _build_head(answer: Response, length: int | None, *, close: bool) -> bytes:
    phrase = HTTPStatus(answer.status).phrase if answer.status in set(HTTPStatus) else ""
    lines = [f"HTTP/1.1 {answer.status} {phrase}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    if length is not None and answer.status != HTTPStatus.NO_CONTENT:
        lines.append(f"Content-Length: {length}")
    lines.append(f"Connection: {'close' if close else 'keep-alive'}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _drip_body(
    connection: socket.socket, answer: Response, seconds: float, visit: RequestWait
) -> None:
    connection.sendall(_build_head(answer, len(answer.body), close=True))
    _drip(connection, answer.body, seconds, visit)


def _drip_headers(
    connection: socket.socket, answer: Response, seconds: float, visit: RequestWait
) -> None:
    _drip(connection, _build_head(answer, len(answer.body), close=True), seconds, visit)
    connection.sendall(answer.body)


def _drip(connection: socket.socket, data: bytes, seconds: float, visit: RequestWait) -> None:
    """Byte by byte; what is left goes out at once when it is released."""
    for at in range(len(data)):
        connection.sendall(data[at : at + 1])
        visit.pause(seconds)
        if visit.over:
            connection.sendall(data[at + 1 :])
            return


def _truncate(
    connection: socket.socket, answer: Response, _seconds: float, _visit: RequestWait
) -> None:
    if not answer.body:  # a 204 could not promise a body
        answer = replace(answer, status=HTTPStatus.OK)
    head = _build_head(answer, len(answer.body) or 100, close=True)
    connection.sendall(head + answer.body[: len(answer.body) // 2])


def _send_endlessly(
    connection: socket.socket, answer: Response, _seconds: float, visit: RequestWait
) -> None:
    """White space that never turns into JSON, until the client or the sandbox has enough."""
    status = HTTPStatus.OK if answer.status == HTTPStatus.NO_CONTENT else answer.status
    connection.sendall(_build_head(replace(answer, status=status), None, close=True))
    connection.settimeout(POLL_INTERVAL)
    while not visit.over:
        with suppress(TimeoutError):
            connection.send(BLANK_CHUNK)


_FAULTY_SENDERS: dict[FaultKind, Callable[[socket.socket, Response, float, RequestWait], None]] = {
    FaultKind.DRIP: _drip_body,
    FaultKind.DRIP_HEADERS: _drip_headers,
    FaultKind.TRUNCATE: _truncate,
    FaultKind.HUGE: _send_endlessly,
}
