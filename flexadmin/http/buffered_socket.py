"""A client's socket that never blocks: what the client doesn't take at once waits in a file."""

from __future__ import annotations

import selectors
import socket
import sys
from tempfile import SpooledTemporaryFile
from typing import IO, Final

SEND_SECONDS: Final = 60  # for a client to take a response

# Sizes in bytes.
CHUNK_SIZE: Final = 64 * 1024
# The part of a response that is kept in memory. The rest goes to a file.
MAX_MEMORY_BYTES: Final = 1024 * 1024
# The unsent part of a response. Beyond it, the thread does wait for the client.
MAX_UNSENT_BYTES: Final = 1024 * 1024 * 1024


class BufferedSocket:
    """A client's socket that never blocks.

    It buffers data that the client doesn't take yet, and reads only data that has arrived. It is
    used by one thread at a time.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._chunk = memoryview(b"")  # the data to send next
        self._buffer: IO[bytes] | None = None  # the data to send after the chunk
        self._read_position = self._write_position = 0

    @property
    def unsent(self) -> int:
        """Return the number of bytes that the client has not taken yet."""
        return len(self._chunk) + self._write_position - self._read_position

    def receive(self) -> bytes | None:
        """Return the next bytes, b"" if the client has closed, or None if nothing has arrived."""
        try:
            return self._sock.recv(CHUNK_SIZE)
        except (BlockingIOError, InterruptedError):
            return None

    def recv(self, size: int) -> bytes:
        """Read for a thread. Raises `TimeoutError` if nothing has arrived.

        A thread has the whole request already, so that it never needs more.
        """
        try:
            return self._sock.recv(size)
        except BlockingIOError:
            raise TimeoutError("a thread doesn't wait for a client") from None

    def sendall(self, data: bytes) -> None:
        """Send data, and buffer the part that the client doesn't take now."""
        if self.flush():
            sent_bytes = self._send(memoryview(data))
            data = data[sent_bytes:]
        if not data:
            return
        while self.unsent > MAX_UNSENT_BYTES:
            self._wait_until_writable()
            self.flush()
        self._buffer_data(data)

    def send(self, data: bytes) -> int:
        self.sendall(data)
        return len(data)

    def sendfile(self, file: IO[bytes], offset: int = 0, count: int | None = None) -> int:
        """Send `count` bytes of a file, or all of it, and return the number of bytes.

        gunicorn sends static files with this method of a socket.
        """
        file.seek(offset)
        remaining_bytes = sys.maxsize if count is None else count
        sent_bytes = 0
        while data := file.read(min(CHUNK_SIZE, remaining_bytes - sent_bytes)):
            self.sendall(data)
            sent_bytes += len(data)
        return sent_bytes

    def flush(self) -> bool:
        """Send as much as the client takes now. Return True if nothing remains to be sent."""
        while self.unsent:
            if not self._chunk:
                self._chunk = memoryview(self._next_chunk())
            sent_bytes = self._send(self._chunk)
            if not sent_bytes:
                return False
            self._chunk = self._chunk[sent_bytes:]
        return True

    def fileno(self) -> int:
        return self._sock.fileno()

    def shutdown(self, direction: int) -> None:
        self._sock.shutdown(direction)

    def close(self) -> None:
        if self._buffer:
            self._buffer.close()
        self._sock.close()

    def setblocking(self, _flag: bool) -> None:
        """Do nothing: gunicorn would make the socket block."""

    def settimeout(self, _seconds: float | None) -> None:
        """Do nothing."""

    def gettimeout(self) -> float:
        return 0.0

    def _send(self, data: memoryview) -> int:
        try:
            return self._sock.send(data)
        except (BlockingIOError, InterruptedError):
            return 0

    def _buffer_data(self, data: bytes) -> None:
        if self._buffer is None:
            # Closed by `close` or when all of it is sent.
            self._buffer = SpooledTemporaryFile(max_size=MAX_MEMORY_BYTES)  # noqa: SIM115
        self._buffer.seek(self._write_position)
        self._write_position += self._buffer.write(data)

    def _next_chunk(self) -> bytes:
        assert self._buffer is not None  # noqa: S101 - mypy
        self._buffer.seek(self._read_position)
        chunk = self._buffer.read(CHUNK_SIZE)
        self._read_position += len(chunk)
        if self._read_position == self._write_position:
            self._buffer.close()
            self._buffer, self._read_position, self._write_position = None, 0, 0
        return chunk

    def _wait_until_writable(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._sock, selectors.EVENT_WRITE)
            if not selector.select(SEND_SECONDS):
                raise TimeoutError("the client stopped reading")
