"""A webhook's handler: a real HTTP server on this machine that records what was posted to it."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl

from flows.outbound_http.addresses import parse_networks

LOOPBACK = parse_networks(["127.0.0.1/32"])


@dataclass(frozen=True, slots=True)
class Post:
    """One request as the handler received it."""

    method: str
    path: str
    headers: Mapping[str, str]
    form: dict[str, str]


class Receiver:
    """A handler at an address of this machine, which gives each request the same answer.

    `echo` answers with the request instead, as debugging handlers do.
    """

    def __init__(
        self,
        *,
        status: int = 200,
        body: bytes = b"OK",
        headers: Mapping[str, str] | None = None,
        echo: bool = False,
        address: str = "127.0.0.1",
        port: int = 0,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.status, self.body, self.headers, self.echo = status, body, dict(headers or {}), echo
        self.posts: list[Post] = []
        self._server = ThreadingHTTPServer((address, port), self._handler())
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self.url = f"http://{address}:{self.port}/in"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = dict(parse_qsl(raw, keep_blank_values=True))
                receiver.posts.append(Post(self.command, self.path, self.headers, form))
                body = receiver.body
                if receiver.echo:
                    body = f"{self.path}\n{self.headers}\n{raw}".encode()
                self.send_response(receiver.status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args: Any) -> None: ...

        return Handler
