"""The sandbox's responses, and the error that becomes a response in Twilio's envelope.

`delivery` sends them to the client.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from flows.twilio.pickling import PicklableError

JSON_CONTENT_TYPE = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Response:
    """A complete HTTP response. Delivery adds Content-Length and Connection."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class ApiError(PicklableError):
    """A refusal of the API: HTTP status, Twilio's error code, a message that names the cause.

    `headers` have underscores for hyphens: `Retry_After` is the header `Retry-After`.
    """

    def __init__(self, status: int, code: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers


def request_id_header() -> dict[str, str]:
    """Return a new request ID as a header. Twilio's support asks for it."""
    return {"Twilio-Request-Id": f"RQ{uuid.uuid4().hex}"}


def json_response(status: int, payload: Any, headers: dict[str, str] | None = None) -> Response:
    """Return a response with a JSON body. `headers` add to the usual ones or replace them."""
    body = json.dumps(payload, separators=(",", ":")).encode()
    default_headers = {"Content-Type": JSON_CONTENT_TYPE, **request_id_header()}
    return Response(status, body, default_headers | (headers or {}))


def no_content_response() -> Response:
    return Response(HTTPStatus.NO_CONTENT, b"", request_id_header())


def error_response(error: ApiError) -> Response:
    """Return an error in Twilio's envelope."""
    payload = {
        "code": error.code,
        "message": error.message,
        "more_info": f"https://www.twilio.com/docs/errors/{error.code}",
        "status": error.status,
    }
    headers = {name.replace("_", "-"): value for name, value in error.headers.items()}
    return json_response(error.status, payload, headers)
