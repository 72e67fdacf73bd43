"""gunicorn's threaded worker, except that no thread ever waits for a client.

A thread gets a request when all of it has arrived. What the client doesn't take of the answer at once waits
in a temporary file, and the thread is free. All waiting for clients is done by the worker's one event loop,
with a deadline for each. So a few slow connections can't keep everybody else waiting, whatever stands in
front of gunicorn.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final

from django.conf import settings
from gunicorn import util
from gunicorn.http.body import LengthReader
from gunicorn.http.errors import NoMoreData
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader
from gunicorn.workers.gthread import TConn, ThreadWorker

# Seconds that a client has
HEAD_SECONDS: Final = 10  # for the headers, from their first byte on
BODY_SECONDS: Final = 60  # for the body
STOP_SECONDS: Final = 5  # for the rest of a request when the site is told to stop
LINGER_SECONDS: Final = 2  # to close the connection after the last answer
SEND_SECONDS: Final = 60  # for the rest of an answer, and more for a long one:
SLOWEST: Final = 4096  # bytes a second

# Bytes
PIECE: Final = 64 * 1024  # received or sent at a time
LONGEST_HEAD: Final = 64 * 1024
MOST_RECEIVED: Final = 64 * 1024 * 1024  # that a worker keeps of all requests that no thread has done yet
IN_MEMORY: Final = 1024 * 1024  # of an answer; what is more goes into a file
MOST_UNSENT: Final = 1024 * 1024 * 1024  # of an answer; only then its thread waits for the client


class BufferedSocket:
    """A client's socket that doesn't block: it keeps what the client doesn't take yet, and has nothing to
    read that isn't here already. It is used by one thread at a time."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._piece = memoryview(b"")  # is sent next
        self._rest: IO[bytes] | None = None  # is sent after it
        self._read_at = self._written_to = 0

    @property
    def unsent(self) -> int:
        """Return how many bytes the client has not taken yet."""
        return len(self._piece) + self._written_to - self._read_at

    def receive(self) -> bytes | None:
        """Return the next bytes that have arrived, b"" if the client has closed, None if there is nothing
        yet."""
        try:
            return self._sock.recv(PIECE)
        except (BlockingIOError, InterruptedError):
            return None

    def recv(self, size: int) -> bytes:
        """Read what is there, for a thread. It has the whole request already: to ask for more is a
        mistake."""
        try:
            return self._sock.recv(size)
        except BlockingIOError:
            raise TimeoutError("a thread doesn't wait for a client") from None

    def sendall(self, data: bytes) -> None:
        if self.flush():
            sent = self._send(memoryview(data))
            data = data[sent:]
        if not data:
            return
        while self.unsent > MOST_UNSENT:
            self._wait_until_writable()
            self.flush()
        self._keep(data)

    def send(self, data: bytes) -> int:
        self.sendall(data)
        return len(data)

    def flush(self) -> bool:
        """Send what the client takes now. Return whether nothing is left."""
        while self.unsent:
            if not self._piece:
                self._piece = memoryview(self._next_piece())
            sent = self._send(self._piece)
            if not sent:
                return False
            self._piece = self._piece[sent:]
        return True

    def fileno(self) -> int:
        return self._sock.fileno()

    def shutdown(self, how: int) -> None:
        self._sock.shutdown(how)

    def close(self) -> None:
        if self._rest:
            self._rest.close()
        self._sock.close()

    def setblocking(self, _flag: bool) -> None:
        """Leave it as it is: gunicorn would have it block."""

    def settimeout(self, _seconds: float | None) -> None:
        """Leave it as it is."""

    def gettimeout(self) -> float:
        return 0.0

    def _send(self, data: memoryview) -> int:
        try:
            return self._sock.send(data)
        except (BlockingIOError, InterruptedError):
            return 0

    def _keep(self, data: bytes) -> None:
        if self._rest is None:
            self._rest = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - close() closes it
        self._rest.seek(self._written_to)
        self._written_to += self._rest.write(data)

    def _next_piece(self) -> bytes:
        assert self._rest is not None  # noqa: S101 - mypy  # nosec B101
        self._rest.seek(self._read_at)
        piece = self._rest.read(PIECE)
        self._read_at += len(piece)
        if self._read_at == self._written_to:
            self._rest.close()
            self._rest, self._read_at, self._written_to = None, 0, 0
        return piece

    def _wait_until_writable(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._sock, selectors.EVENT_WRITE)
            if not selector.select(SEND_SECONDS):
                raise TimeoutError("the client stopped reading")


class Connection(TConn):  # type: ignore[misc]  # gunicorn has no types
    """A client's connection, and as much of its next request as has arrived."""

    sock: BufferedSocket

    def __init__(self, cfg: Any, sock: socket.socket, client: Any, server: Any) -> None:
        super().__init__(cfg, BufferedSocket(sock), client, server)
        self.received = bytearray()
        self.held = 0  # bytes that the worker counts as this one's
        self.length: int | None = None  # of the request, in bytes; None until its headers are here
        self.is_whole = False  # or will be, once `length` bytes are here
        self.expects_continue = False
        self.is_kept_alive = False
        self.answer: Future[Any] | None = None
        self.stage: Callable[[Connection], None] | None = None  # what the event loop does next
        self.deadline = 0.0

    def expect_request(self) -> None:
        """Begin with the next request, whose first bytes may have come with the one before."""
        self.length, self.is_whole, self.expects_continue = None, False, False
        if self.parser:
            self.received += self.parser.unreader.take_buffered()

    def measure(self) -> None:
        """Find out how long the request is, by gunicorn's own parser, if its headers are here. A request that
        the parser refuses, and one whose body nobody will read, goes to a thread as it is."""
        if self.length is not None or b"\r\n\r\n" not in self.received:
            return
        unreader = IterUnreader([bytes(self.received)])
        try:
            request = Request(self.cfg, unreader, self.client)
        except NoMoreData:
            return
        except Exception:  # noqa: BLE001 - the thread's parser says the same, and answers it
            self.length = 0
            return
        self.length = len(self.received) - len(unreader.take_buffered())
        self.expects_continue = request._expected_100_continue
        body = request.body.reader
        if isinstance(body, LengthReader) and body.length <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            self.is_whole = True
            self.length += body.length

    def init(self) -> None:
        """Give the parser what has arrived, in a thread."""
        super().init()
        self.parser.unreader.unread(bytes(self.received))
        self.received = bytearray()


class BufferingWorker(ThreadWorker):  # type: ignore[misc]
    """A worker whose threads only work. With gunicorn's own TLS (`--certfile`) it is like any other threaded
    worker: HTTPS is the business of what stands in front."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._waiting: set[Connection] = set()
        self._received = 0  # bytes, of all connections
        self._looked_at = 0.0
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
        """Wait until the next request is here, then give it to a thread."""
        if not isinstance(conn, Connection):
            super().enqueue_req(conn)
            return
        conn.expect_request()
        self._count(conn, len(conn.received))
        self._wait(conn, self._receive, selectors.EVENT_READ, self.cfg.keepalive)
        if conn.received:
            conn.deadline = time.monotonic() + HEAD_SECONDS
            self._go_on(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        if isinstance(conn, Connection):
            req._expected_100_continue = False  # it has been answered
            if not conn.is_whole:
                req.force_close()
        return super().handle_request(req, conn)

    def finish_request(self, conn: Any, fs: Future[Any]) -> None:
        """Send what the client has not taken yet. Then wait for its next request, or part."""
        if not isinstance(conn, Connection):
            super().finish_request(conn, fs)
            return
        conn.answer = fs
        conn.is_kept_alive = not fs.cancelled() and fs.exception() is None and bool(fs.result())
        self._send(conn)

    def murder_pending(self) -> None:
        """End the connections that are over their deadline; gunicorn asks for it after each round of
        events."""
        super().murder_pending()
        now = time.monotonic()
        if not self.alive:
            self._stopped_at = min(self._stopped_at, now)
        if now < self._looked_at + 1:
            return
        self._looked_at = now
        for conn in list(self._waiting):
            is_request = conn.stage == self._receive
            if conn.deadline > now and not (is_request and now > self._stopped_at + STOP_SECONDS):
                continue
            if is_request and conn.received:
                self.log.info("A request from %s did not arrive in time.", _address(conn))
                self._refuse(conn, 408, "Request Timeout", "The request did not arrive in time.")
            else:
                self._drop(conn)

    def _receive(self, conn: Connection) -> None:
        data = _read(conn)
        if data is None:
            return
        if not data:
            self._drop(conn)
            return
        if not conn.received:
            conn.deadline = time.monotonic() + HEAD_SECONDS
        conn.received += data
        self._count(conn, len(data))
        self._go_on(conn)

    def _go_on(self, conn: Connection) -> None:
        """Give the request to a thread, go on waiting for the rest, or refuse it."""
        had_length = conn.length is not None
        conn.measure()
        if conn.length is None:
            if len(conn.received) > LONGEST_HEAD:
                self._refuse(conn, 431, "Request Header Fields Too Large", "The headers are too long.")
        elif len(conn.received) >= conn.length:
            self._stop_waiting(conn)
            conn.data_ready = True
            super().enqueue_req(conn)
        elif self._received > MOST_RECEIVED:
            self._refuse(conn, 503, "Service Unavailable", "Too much is being sent at once. Try again.")
        elif not had_length:
            conn.deadline = time.monotonic() + BODY_SECONDS
            if conn.expects_continue:
                conn.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

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
        if not is_sent:
            if conn not in self._waiting:
                seconds = SEND_SECONDS + conn.sock.unsent / SLOWEST
                self._wait(conn, self._send, selectors.EVENT_WRITE, seconds)
            return
        self._stop_waiting(conn)
        self._count(conn, -conn.held)
        if conn.is_kept_alive:
            super().finish_request(conn, conn.answer)
        else:
            self._part(conn)

    def _part(self, conn: Connection) -> None:
        """Say that nothing more will come, and give the client a moment to read what did: to close at once
        would tear away an answer that it hasn't read yet."""
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
        self._count(conn, -conn.held)
        self.nr_conns -= 1
        conn.sock.close()

    def _count(self, conn: Connection, received: int) -> None:
        conn.held += received
        self._received += received


def _read(conn: Connection) -> bytes | None:
    """Return what `BufferedSocket.receive` does; a broken connection is a closed one."""
    try:
        return conn.sock.receive()
    except OSError:
        return b""


def _address(conn: Connection) -> str:
    return str(conn.client[0]) if isinstance(conn.client, tuple) else "the proxy's socket"
