"""A TCP server whose responses a test writes itself, and the calls of a client to it."""

import contextlib
import json
import socket
import ssl
import threading

import pytest

from tests.patience import HANG_TIMEOUT

UNKNOWN_SID = "FO" + "0" * 32
NEW = {"friendly_name": "Lyon", "chat_service_sid": "IS" + "1" * 32, "channel_type": "web"}
# Seconds: the deadline of a call that is going to miss it. Its request arrives before, however busy
# the machine is.
SHORT = 1.0

OPERATIONS = {
    "list": lambda client, sid: list(client.list()),
    "fetch": lambda client, sid: client.fetch(sid),
    "create": lambda client, sid: client.create(NEW),
    "update": lambda client, sid: client.update(sid, {"friendly_name": "Plaintes"}),
    "delete": lambda client, sid: client.delete(sid),
}
METHODS = {"list": "GET", "fetch": "GET", "create": "POST", "update": "POST", "delete": "DELETE"}
every_operation = pytest.mark.parametrize("operation", OPERATIONS)


class RawServer:
    """A TCP server that calls `serve(connection, number)` for each connection, from number 1."""

    def __init__(self, serve, context=None):
        self.serve, self.context = serve, context
        self.connections = []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.threads = [threading.Thread(target=self.accept, daemon=True)]
        self.threads[0].start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listening.accept()
                self.connections.append(connection)
                thread = threading.Thread(
                    target=self.handle, args=(connection, len(self.connections)), daemon=True
                )
                self.threads.append(thread)
                thread.start()

    def handle(self, connection, number):
        with contextlib.suppress(OSError, ssl.SSLError):
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            with connection:
                self.serve(connection, number)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        for thread in self.threads:
            thread.join(HANG_TIMEOUT)
        assert not any(thread.is_alive() for thread in self.threads)


def read_request(connection):
    """Return a request with headers and body, or nothing if the client has disconnected."""
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = connection.recv(65_536)
        if not chunk:
            return b""
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(
        (
            int(line[15:])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        ),
        0,
    )
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


def http_response(payload, *, status="200 OK"):
    body = json.dumps(payload).encode()
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), len(body), body)


NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"
