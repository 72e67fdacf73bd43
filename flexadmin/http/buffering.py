"""A threaded gunicorn worker whose threads never wait for a client.

A thread gets a request once all of it has arrived. The part of a response that the client doesn't
take at once goes to a temporary file, and the thread is free again. The worker's event loop does
all the waiting, with a deadline for each connection. So a few slow connections can't block the
other clients, even without a proxy in front of gunicorn.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final

from django.conf import settings
from gunicorn import util
from gunicorn.http.body import LengthReader
from gunicorn.http.errors import NoMoreData
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader
from gunicorn.workers.gthread import TConn, ThreadWorker

from flexadmin.http.buffered_socket import SEND_SECONDS, BufferedSocket

# Time limits of a client, in seconds. SEND_SECONDS is the one to take a response.
HEADER_SECONDS: Final = 10  # to send the headers, from their first byte on
BODY_SECONDS: Final = 60  # to send the body
STOP_SECONDS: Final = 5  # to send the rest of a request while the site shuts down
LINGER_SECONDS: Final = 2  # to close the connection after the last response
MIN_SEND_RATE: Final = 4096  # bytes per second; a long response gets more time

# Sizes in bytes.
MAX_HEADER_BYTES: Final = 64 * 1024
# All requests of a worker that are not finished yet.
MAX_RECEIVED_BYTES: Final = 64 * 1024 * 1024


class Connection(TConn):  # type: ignore[misc]  # gunicorn has no types
    """A client's connection, with the part of its next request that has arrived."""

    sock: BufferedSocket

    def __init__(self, cfg: Any, sock: socket.socket, client: Any, server: Any) -> None:
        super().__init__(cfg, BufferedSocket(sock), client, server)
        self.received = bytearray()
        self.counted_bytes = 0  # this connection's part of the worker's total
        self.length: int | None = None  # the request's bytes; None until its headers have arrived
        self.is_whole = False  # True if `length` includes the body
        self.expects_continue = False
        self.is_kept_alive = False
        self.response: Future[Any] | None = None
        self.stage: Callable[[Connection], None] | None = None  # the next step of the event loop
        self.deadline = 0.0

    def expect_request(self) -> None:
        """Start with the next request. Its first bytes may have arrived with the previous one."""
        self.length, self.is_whole, self.expects_continue = None, False, False
        if self.parser:
            self.received += self.parser.unreader.take_buffered()

    def measure(self) -> None:
        """Set the length of the request with gunicorn's parser, if its headers have arrived.

        A request that the parser refuses, or whose body is chunked or too large, goes to a thread
        as it is.
        """
        if self.length is not None or b"\r\n\r\n" not in self.received:
            return
        unreader = IterUnreader([bytes(self.received)])
        try:
            request = Request(self.cfg, unreader, self.client)
        except NoMoreData:
            return
        except Exception:  # noqa: BLE001 - the thread's parser raises it again, and answers
            self.length = 0
            return
        self.length = len(self.received) - len(unreader.take_buffered())
        self.expects_continue = request._expected_100_continue
        body = request.body.reader
        has_length = isinstance(body, LengthReader)
        if has_length and body.length <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            self.is_whole = True
            self.length += body.length

    def init(self) -> None:
        """Pass the data that has arrived to the parser, in a thread."""
        super().init()
        self.parser.unreader.unread(bytes(self.received))
        self.received = bytearray()


class BufferingWorker(ThreadWorker):  # type: ignore[misc]
    """A worker whose event loop does all the waiting for clients.

    With gunicorn's own TLS (`--certfile`) it behaves like gunicorn's threaded worker: TLS is
    expected to end at a proxy in front.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._waiting: set[Connection] = set()
        self._received_bytes = 0  # of all connections
        self._checked_at = 0.0
        self._stopped_at = float("inf")

    def accept(self, listener: socket.socket) -> None:
        if self.cfg.is_ssl:
            super().accept(listener)
            return
        try:
            sock, client = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        self.nr_conns += 1
        self.enqueue_req(Connection(self.cfg, sock, client, listener.getsockname()))

    def enqueue_req(self, conn: Any) -> None:
        """Wait until the next request has arrived, then give it to a thread."""
        if not isinstance(conn, Connection):
            super().enqueue_req(conn)
            return
        conn.expect_request()
        self._count(conn, len(conn.received))
        self._wait(conn, self._receive, selectors.EVENT_READ, self.cfg.keepalive)
        if conn.received:
            conn.deadline = time.monotonic() + HEADER_SECONDS
            self._advance(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        if isinstance(conn, Connection):
            req._expected_100_continue = False  # the event loop has answered it
            if not conn.is_whole:
                req.force_close()
        return super().handle_request(req, conn)

    def finish_request(self, conn: Any, fs: Future[Any]) -> None:
        """Send the rest of the response. Then wait for the next request, or close."""
        if not isinstance(conn, Connection):
            super().finish_request(conn, fs)
            return
        conn.response = fs
        conn.is_kept_alive = not fs.cancelled() and fs.exception() is None and bool(fs.result())
        self._send(conn)

    def murder_pending(self) -> None:
        """End the connections that are over their deadline.

        gunicorn calls this after each round of events.
        """
        super().murder_pending()
        current_time = time.monotonic()
        if not self.alive:
            self._stopped_at = min(self._stopped_at, current_time)
        if current_time < self._checked_at + 1:
            return
        self._checked_at = current_time
        overdue = [conn for conn in self._waiting if self._is_overdue(conn, current_time)]
        for conn in overdue:
            self._end_overdue(conn)

    def _is_overdue(self, conn: Connection, current_time: float) -> bool:
        is_cut_off = conn.stage == self._receive and current_time > self._stopped_at + STOP_SECONDS
        return is_cut_off or current_time >= conn.deadline

    def _end_overdue(self, conn: Connection) -> None:
        """Close the connection, with a response if its request has begun to arrive."""
        has_partial_request = conn.stage == self._receive and bool(conn.received)
        if not has_partial_request:
            self._drop(conn)
            return
        self.log.info("A request from %s did not arrive in time.", _client_address(conn))
        self._refuse(conn, 408, "Request Timeout", "The request did not arrive in time.")

    def _receive(self, conn: Connection) -> None:
        data = _read(conn)
        if data is None:
            return
        if not data:
            self._drop(conn)
            return
        if not conn.received:
            conn.deadline = time.monotonic() + HEADER_SECONDS
        conn.received += data
        self._count(conn, len(data))
        self._advance(conn)

    def _advance(self, conn: Connection) -> None:
        """Give the request to a thread, keep waiting for the rest, or refuse it."""
        had_length = conn.length is not None
        conn.measure()
        if conn.length is None:
            self._limit_headers(conn)
        elif len(conn.received) >= conn.length:
            self._stop_waiting(conn)
            conn.data_ready = True
            super().enqueue_req(conn)
        elif self._received_bytes > MAX_RECEIVED_BYTES:
            self._refuse(
                conn, 503, "Service Unavailable", "Too much is being sent at once. Try again."
            )
        elif not had_length:
            conn.deadline = time.monotonic() + BODY_SECONDS
            if conn.expects_continue:
                conn.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _limit_headers(self, conn: Connection) -> None:
        if len(conn.received) > MAX_HEADER_BYTES:
            self._refuse(conn, 431, "Request Header Fields Too Large", "The headers are too long.")

    def _refuse(self, conn: Connection, status: int, reason: str, message: str) -> None:
        self._stop_waiting(conn)
        conn.is_kept_alive = False
        try:
            util.write_error(conn.sock, status, reason, message)
        except OSError:
            self._drop(conn)
        else:
            self._send(conn)

    def _send(self, conn: Connection) -> None:
        try:
            is_sent = conn.sock.flush()
        except OSError:
            self._drop(conn)
            return
        if is_sent:
            self._end_response(conn)
        elif conn not in self._waiting:
            seconds = SEND_SECONDS + conn.sock.unsent / MIN_SEND_RATE
            self._wait(conn, self._send, selectors.EVENT_WRITE, seconds)

    def _end_response(self, conn: Connection) -> None:
        """Wait for the next request of a connection that is kept alive, or close it."""
        self._stop_waiting(conn)
        self._count(conn, -conn.counted_bytes)
        if conn.is_kept_alive:
            super().finish_request(conn, conn.response)
        else:
            self._close_gracefully(conn)

    def _close_gracefully(self, conn: Connection) -> None:
        """Close for writing, and give the client a moment to read the response.

        An immediate close could discard data that the client hasn't read yet.
        """
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(conn)
        else:
            self._wait(conn, self._await_end, selectors.EVENT_READ, LINGER_SECONDS)

    def _await_end(self, conn: Connection) -> None:
        if _read(conn) == b"":
            self._drop(conn)

    def _wait(
        self, conn: Connection, stage: Callable[[Connection], None], event: int, seconds: float
    ) -> None:
        conn.stage, conn.deadline = stage, time.monotonic() + seconds
        self.poller.register(conn.sock, event, lambda _sock: stage(conn))
        self._waiting.add(conn)

    def _stop_waiting(self, conn: Connection) -> None:
        if conn in self._waiting:
            self._waiting.discard(conn)
            self.poller.unregister(conn.sock)

    def _drop(self, conn: Connection) -> None:
        self._stop_waiting(conn)
        self._count(conn, -conn.counted_bytes)
        self.nr_conns -= 1
        conn.sock.close()

    def _count(self, conn: Connection, received_bytes: int) -> None:
        conn.counted_bytes += received_bytes
        self._received_bytes += received_bytes


def _read(conn: Connection) -> bytes | None:
    """Return the same as `BufferedSocket.receive`. A broken connection counts as closed."""
    try:
        return conn.sock.receive()
    except OSError:
        return b""


def _client_address(conn: Connection) -> str:
    return str(conn.client[0]) if isinstance(conn.client, tuple) else "the proxy's socket"
