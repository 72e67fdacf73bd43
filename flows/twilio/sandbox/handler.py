"""HTTP: reads a request off the wire, lets a waiting fault have its way, and hands it to the API.

It also keeps track of open connections, so that stop() leaves none behind, and serves /_sandbox/, by
which other processes ask for faults and read the record.
"""

from __future__ import annotations

import json
import logging
import socket
import threading
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from flows.twilio.sandbox import delivery, responses
from flows.twilio.sandbox.api import Request, method_not_allowed_error
from flows.twilio.sandbox.consistency import Lag
from flows.twilio.sandbox.delivery import RequestWait
from flows.twilio.sandbox.faults import Fault, FaultKind, alter_response, replace_response
from flows.twilio.sandbox.responses import ApiError, Response
from flows.twilio.sandbox.rules import INVALID_PARAMETER

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from flows.twilio.sandbox.api import Api
    from flows.twilio.sandbox.delivery import Gate
    from flows.twilio.sandbox.faults import FaultQueue
    from flows.twilio.sandbox.request_log import RequestLog, RequestRecord

logger = logging.getLogger(__name__)

LOCALHOST = "127.0.0.1"
MAX_BODY_BYTES = 64 * 1024
MAX_DRAINED_BYTES = 4 * 1024 * 1024  # read and thrown away, so that the client hears the 413
MAX_PARAMETERS = 200
FORM_CONTENT_TYPE = "application/x-www-form-urlencoded"
CONTROL_PATH = "/_sandbox/"
SHUTDOWN_TIMEOUT = 5.0  # seconds that stop() gives to requests under way


class Server(ThreadingHTTPServer):
    """The listening socket, and what its handlers share."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        port: int,
        *,
        api: Api,
        faults: FaultQueue,
        gate: Gate,
        log: RequestLog,
        clock: Callable[[], datetime],
        latency: float,
    ) -> None:
        self.api, self.faults, self.gate, self.log = api, faults, gate, log
        self.clock, self.latency = clock, latency
        self.connections = 0  # that were ever made
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__((LOCALHOST, port), Handler)

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # HTTPServer's own asks the resolver for a name nobody needs
        self.server_name, self.server_port = LOCALHOST, int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._changed:
            self.connections += 1
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  # as the base class has it
        logger.exception("The sandbox failed at a request of %s", client_address)  # noqa: LOG004  # called in one

    @property
    def open_connections(self) -> int:
        with self._changed:
            return len(self._open)

    def close(self) -> None:
        """Stop listening, end every connection, and wait for the requests under way."""
        self.gate.close()
        with suppress(OSError):  # wakes the accept loop at once where the system allows it
            self.socket.shutdown(socket.SHUT_RDWR)
        self.shutdown()
        self.server_close()
        with self._changed:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._open, SHUTDOWN_TIMEOUT)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server
    connection: socket.socket

    def handle(self) -> None:
        with suppress(ConnectionError):  # the client is gone, or stop() was called
            super().handle()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
        """Nothing on standard error: the record is in the log."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """What the base class finds wrong with a request, in Twilio's envelope."""
        if code == HTTPStatus.NOT_IMPLEMENTED:  # a method that nobody has heard of
            refusal = method_not_allowed_error("GET, POST, DELETE")
        else:
            refusal = ApiError(code, INVALID_PARAMETER, message or HTTPStatus(code).phrase)
        self.close_connection = True
        delivery.send_response(self.connection, responses.error_response(refusal), close=True)

    def serve(self) -> None:
        """Any request. The base class found its method among the `do_` names below."""
        visit = RequestWait(self.server.gate)
        address = urlsplit(self.path)
        body, refusal = self._read()
        if address.path.startswith(CONTROL_PATH):
            self._send(self._control(address.path, body))
            return
        parameters: dict[str, str] = {}
        try:
            parameters = self._parameters(address.query, body)
        except ValueError as error:  # UnicodeDecodeError among them
            refusal = refusal or ApiError(
                HTTPStatus.BAD_REQUEST, INVALID_PARAMETER, f"Unreadable parameters: {error}"
            )
        method = self.command
        received = self.server.log.open(
            method=method, path=address.path, parameters=parameters, at=self.server.clock()
        )
        authorization = self.headers.get("Authorization", "")
        request = Request(method, address.path, self._origin(), authorization, parameters, refusal)
        fault = self.server.faults.take(method, address.path)
        if self.server.latency:
            visit.hold(self.server.latency, lambda: False)
        if self.server.gate.closed:  # stopped meanwhile: nothing is applied any more
            self.close_connection = True
            return
        self._exchange(request, received, fault, visit)

    do_GET = do_POST = do_DELETE = do_HEAD = do_PUT = do_PATCH = do_OPTIONS = serve

    def _exchange(
        self, request: Request, received: RequestRecord, fault: Fault | None, visit: RequestWait
    ) -> None:
        if fault is None:
            self._answer(self.server.api.respond(request, received), received)
            return
        received.fault = fault.kind.value
        answer = replace_response(fault)
        if answer is not None:
            self._answer(answer, received)
            return
        if self._drop_or_hold(request, received, fault, visit):
            self.close_connection = True
            return
        answer = alter_response(fault, self.server.api.respond(request, received))
        received.status = answer.status
        if delivery.send_faulty_response(self.connection, answer, fault, visit):
            self.close_connection = True
        else:
            self._send(answer)

    def _drop_or_hold(
        self, request: Request, received: RequestRecord, fault: Fault, visit: RequestWait
    ) -> bool:
        """Faults after which the client hears nothing. False if the fault is none of these."""
        match fault.kind:
            case FaultKind.DROP:
                pass
            case FaultKind.APPLY_THEN_DROP:
                self.server.api.respond(request, received)
            case FaultKind.HANG:
                visit.hold(fault.seconds, self._is_client_gone)
            case FaultKind.APPLY_THEN_HANG:
                self.server.api.respond(request, received)
                visit.hold(fault.seconds, self._is_client_gone)
            case FaultKind.LATE_APPLY:
                visit.hold(fault.seconds, lambda: False)
                if not self.server.gate.closed:
                    self.server.api.respond(request, received)
            case _:
                return False
        return True

    def _is_client_gone(self) -> bool:
        return delivery.is_disconnected(self.connection)

    def _answer(self, answer: Response, received: RequestRecord) -> None:
        received.status = (
            answer.status
        )  # before it goes out: whoever has the answer finds it recorded
        self._send(answer)

    def _send(self, answer: Response) -> None:
        delivery.send_response(
            self.connection, answer, close=self.close_connection, omit_body=self.command == "HEAD"
        )

    def _origin(self) -> str:
        return f"http://{self.headers.get('Host') or f'{LOCALHOST}:{self.server.server_port}'}"

    def _read(self) -> tuple[bytes, ApiError | None]:
        """The body. A connection whose body was not read to its end is closed after the answer."""
        if "Transfer-Encoding" in self.headers:
            self.close_connection = True
            return b"", ApiError(
                HTTPStatus.LENGTH_REQUIRED, INVALID_PARAMETER, "A body needs a Content-Length"
            )
        text = self.headers.get("Content-Length", "0").strip()
        if not (text.isascii() and text.isdigit()):
            self.close_connection = True
            return b"", ApiError(
                HTTPStatus.BAD_REQUEST, INVALID_PARAMETER, "Content-Length is not a number"
            )
        length = int(text)
        if length <= MAX_BODY_BYTES:
            body = self.rfile.read(length)
            if len(body) < length:
                raise ConnectionAbortedError  # the client left in the middle of its request
            return body, None
        self.close_connection = True
        left = min(length, MAX_DRAINED_BYTES)
        while left > 0 and (chunk := self.rfile.read(min(left, MAX_BODY_BYTES))):
            left -= len(chunk)
        return b"", ApiError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, INVALID_PARAMETER, "The body is too large"
        )

    def _parameters(self, query: str, body: bytes) -> dict[str, str]:
        """The form of a POST, the query of anything else. A body of another type is not seen, as at Twilio."""
        text = query
        if self.command == "POST":
            text = (
                body.decode("utf-8") if self.headers.get_content_type() == FORM_CONTENT_TYPE else ""
            )
        return dict(
            parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
        )

    def _control(self, path: str, body: bytes) -> Response:
        """What other processes may ask of the sandbox itself; not recorded, and no fault befalls it."""
        server = self.server
        try:
            match self.command, path.removeprefix(CONTROL_PATH):
                case "POST", "faults":
                    server.faults.inject(Fault.from_json(json.loads(body)))
                case "DELETE", "faults":
                    server.faults.clear()
                case "POST", "lags":
                    server.api.lags.inject(Lag.from_json(json.loads(body)))
                case "DELETE", "lags":
                    server.api.lags.clear()
                case "POST", "release":
                    server.gate.release()
                case "GET", "requests":
                    return responses.json_response(
                        HTTPStatus.OK, [one.as_json() for one in server.log.all()]
                    )
                case _:
                    return responses.json_response(
                        HTTPStatus.NOT_FOUND, {"message": "No such thing in the sandbox"}
                    )
        except (ValueError, TypeError) as error:
            return responses.json_response(HTTPStatus.BAD_REQUEST, {"message": str(error)})
        return responses.no_content_response()
