"""A receiver of notifications: a real HTTP server on this machine that records what it was posted."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Delivery:
    """One post as the receiver got it, and its answer."""

    headers: Mapping[str, str]
    body: bytes
    status: int

    @property
    def message_id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def payload(self) -> dict[str, Any]:
        return dict(json.loads(self.body))


class Receiver:
    """A server whose answer a test can change. `choose_status` answers by the payload.

    `hold` keeps each answer back until it is set, as a slow server does.
    """

    def __init__(self, port: int = 0) -> None:
        self.status = 200
        self.headers: dict[str, str] = {}
        self.choose_status: Callable[[dict[str, Any]], int] | None = None
        self.hold = threading.Event()
        self.hold.set()
        self.deliveries: list[Delivery] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/hooks/secret-path"

    @property
    def accepted(self) -> list[Delivery]:
        return [one for one in self.deliveries if one.status < 300]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.hold.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                choose = receiver.choose_status
                status = choose(json.loads(body)) if choose else receiver.status
                receiver.deliveries.append(Delivery(dict(self.headers), body, status))
                receiver.hold.wait()
                try:
                    self.send_response(status)
                    for name, value in receiver.headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    pass  # the client has given up

            def log_message(self, *_args: Any) -> None: ...

        return Handler
