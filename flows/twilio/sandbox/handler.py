"""The sandbox's HTTP server: reads a request, applies an injected fault, and calls the API.

It keeps track of open connections, so that `close` leaves none behind. Under `/_sandbox/` other
processes can inject faults and read the request log.
"""

from __future__ import annotations

import json
import logging
import re
import socket
import threading
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from flows.twilio.sandbox import delivery
from flows.twilio.sandbox.api import Request, method_not_allowed_error
from flows.twilio.sandbox.consistency import Lag
from flows.twilio.sandbox.delivery import RequestWait
from flows.twilio.sandbox.faults import Fault, FaultKind, alter_response, replace_response
from flows.twilio.sandbox.responses import (
    ApiError,
    Response,
    error_response,
    json_response,
    no_content_response,
)
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
MAX_DRAINED_BYTES = 4 * 1024 * 1024  # of a body that is too large, so that the client gets the 413
MAX_PARAMETERS = 200
FORM_CONTENT_TYPE = "application/x-www-form-urlencoded"
CONTROL_PATH = "/_sandbox/"
JSON_BODY = "json"  # stands for the parameters of a request with a JSON body in the log
SHUTDOWN_TIMEOUT = 5.0  # seconds for requests in progress to end


class Server(ThreadingHTTPServer):
    """The listening socket, and everything that the handlers share."""

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
        self.connections = 0  # since the start
        self._open_sockets: set[socket.socket] = set()
        self._sockets_changed = threading.Condition()
        super().__init__((LOCALHOST, port), Handler)

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # HTTPServer's own would look up the host name
        self.server_name, self.server_port = LOCALHOST, int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._sockets_changed:
            self.connections += 1
            self._open_sockets.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._sockets_changed:
            self._open_sockets.discard(request)
            self._sockets_changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  # base class
        # The base class calls this while it handles the exception.
        logger.exception("The sandbox failed at a request of %s", client_address)  # noqa: LOG004

    @property
    def open_connections(self) -> int:
        with self._sockets_changed:
            return len(self._open_sockets)

    def close(self) -> None:
        """Stop listening, end every connection, and wait for the requests in progress."""
        self.gate.close()
        with suppress(OSError):  # wakes the accept loop at once, on systems that allow it
            self.socket.shutdown(socket.SHUT_RDWR)
        self.shutdown()
        self.server_close()
        with self._sockets_changed:
            for connection in self._open_sockets:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._sockets_changed.wait_for(lambda: not self._open_sockets, SHUTDOWN_TIMEOUT)


class Handler(BaseHTTPRequestHandler):
    """The handler of one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server
    connection: socket.socket

    def handle(self) -> None:
        with suppress(ConnectionError):  # the client has disconnected, or the server was closed
            super().handle()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
        """Write nothing to standard error. The request log has it."""

    def send_error(
        self,
        code: int,
        message: str | None = None,
        explain: str | None = None,  # noqa: ARG002
    ) -> None:
        """Send an error that the base class detects, in Twilio's envelope."""
        if code == HTTPStatus.NOT_IMPLEMENTED:  # an unknown method
            error = method_not_allowed_error("GET, POST, DELETE")
        else:
            error = ApiError(code, INVALID_PARAMETER, message or HTTPStatus(code).phrase)
        self.close_connection = True
        delivery.send_response(self.connection, error_response(error), close=True)

    def serve(self) -> None:
        """Handle a request of any method."""
        request_wait = RequestWait(self.server.gate)
        address = urlsplit(self.path)
        body, refusal = self._read_body()
        if address.path.startswith(CONTROL_PATH):
            self._send(self._control(address.path, body))
            return
        parameters: dict[str, str] = {}
        try:
            parameters = self._parse_parameters(address.query, body)
        except ValueError as error:  # includes UnicodeDecodeError
            refusal = refusal or ApiError(
                HTTPStatus.BAD_REQUEST, INVALID_PARAMETER, f"Unreadable parameters: {error}"
            )
        method = self.command
        record = self.server.log.open(
            method=method, path=address.path, parameters=parameters, at=self.server.clock()
        )
        authorization = self.headers.get("Authorization", "")
        json_text = body.decode("utf-8", "replace") if self._has_json() else None
        if json_text is not None:
            record.parameters = {JSON_BODY: json_text}
        request = Request(
            method, address.path, self._origin(), authorization, parameters, refusal, json_text
        )
        fault = self.server.faults.take(method, address.path)
        if self.server.latency:
            request_wait.hold(self.server.latency, lambda: False)
        if self.server.gate.is_closed:  # stopped during the wait, so nothing is applied
            self.close_connection = True
        elif fault is None:
            self._respond(self.server.api.respond(request, record), record)
        else:
            self._respond_with_fault(fault, request, record, request_wait)

    # The base class looks methods up by these names.
    do_GET = do_POST = do_DELETE = do_HEAD = do_PUT = do_PATCH = do_OPTIONS = serve

    def _respond_with_fault(
        self, fault: Fault, request: Request, record: RequestRecord, request_wait: RequestWait
    ) -> None:
        """Respond with a fault, which decides whether the request is applied."""
        record.fault = fault.kind.value
        replacement = replace_response(fault)
        if replacement is not None:
            self._respond(replacement, record)
            return
        if self._drop_or_hold(request, record, fault, request_wait):
            self.close_connection = True
            return
        response = alter_response(fault, self.server.api.respond(request, record))
        record.status = response.status
        if delivery.send_faulty_response(self.connection, response, fault, request_wait):
            self.close_connection = True
        else:
            self._send(response)

    def _drop_or_hold(
        self, request: Request, record: RequestRecord, fault: Fault, request_wait: RequestWait
    ) -> bool:
        """Apply a fault after which the client gets no response. Return False for other faults."""
        if fault.kind in {FaultKind.APPLY_THEN_DROP, FaultKind.APPLY_THEN_HANG}:
            self.server.api.respond(request, record)
        match fault.kind:
            case FaultKind.DROP | FaultKind.APPLY_THEN_DROP:
                pass
            case FaultKind.HANG | FaultKind.APPLY_THEN_HANG:
                request_wait.hold(fault.seconds, self._is_disconnected)
            case FaultKind.LATE_APPLY:
                request_wait.hold(fault.seconds, lambda: False)
                if not self.server.gate.is_closed:
                    self.server.api.respond(request, record)
            case _:
                return False
        return True

    def _is_disconnected(self) -> bool:
        return delivery.is_disconnected(self.connection)

    def _respond(self, response: Response, record: RequestRecord) -> None:
        # Before it is sent, so that a client with the response finds it in the log.
        record.status = response.status
        self._send(response)

    def _send(self, response: Response) -> None:
        delivery.send_response(
            self.connection,
            response,
            close=self.close_connection,
            omit_body=self.command == "HEAD",
        )

    def _origin(self) -> str:
        host = self.headers.get("Host") or f"{LOCALHOST}:{self.server.server_port}"
        return f"http://{host}"

    def _read_body(self) -> tuple[bytes, ApiError | None]:
        """Return the body, or an error.

        A connection whose body was not read completely is closed after the response.
        """
        if "Transfer-Encoding" in self.headers:
            self.close_connection = True
            return b"", ApiError(
                HTTPStatus.LENGTH_REQUIRED, INVALID_PARAMETER, "A body needs a Content-Length"
            )
        length_text = self.headers.get("Content-Length", "0").strip()
        if not re.fullmatch("[0-9]+", length_text):
            self.close_connection = True
            return b"", ApiError(
                HTTPStatus.BAD_REQUEST, INVALID_PARAMETER, "Content-Length is not a number"
            )
        length = int(length_text)
        if length > MAX_BODY_BYTES:
            self.close_connection = True
            self._drain(min(length, MAX_DRAINED_BYTES))
            return b"", ApiError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, INVALID_PARAMETER, "The body is too large"
            )
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionAbortedError  # the client disconnected during its request
        return body, None

    def _has_json(self) -> bool:
        return self.command == "POST" and self.headers.get_content_type() == "application/json"

    def _drain(self, length: int) -> None:
        """Read and discard so many bytes."""
        remaining = length
        while remaining > 0:
            chunk = self.rfile.read(min(remaining, MAX_BODY_BYTES))
            if not chunk:
                return
            remaining -= len(chunk)

    def _parse_parameters(self, query: str, body: bytes) -> dict[str, str]:
        """Return the form of a POST, or the query of another method.

        Like Twilio, ignore a body of another content type. The values of a repeated parameter are on
        lines.
        """
        text = query
        if self.command == "POST":
            is_form = self.headers.get_content_type() == FORM_CONTENT_TYPE
            text = body.decode("utf-8") if is_form else ""
        pairs = parse_qsl(
            text, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS
        )
        parameters: dict[str, str] = {}
        for name, value in pairs:
            is_repeated = name in parameters
            parameters[name] = f"{parameters[name]}\n{value}" if is_repeated else value
        return parameters

    def _control(self, path: str, body: bytes) -> Response:
        """Handle a request about the sandbox itself, without the log and without faults."""
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
                    records = [record.as_json() for record in server.log.all()]
                    return json_response(HTTPStatus.OK, records)
                case _:
                    return json_response(
                        HTTPStatus.NOT_FOUND, {"message": "No such thing in the sandbox"}
                    )
        except (ValueError, TypeError) as error:
            return json_response(HTTPStatus.BAD_REQUEST, {"message": str(error)})
        return no_content_response()
