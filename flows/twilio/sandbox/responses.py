"""What the sandbox says back: an answer, and the refusal that becomes one in Twilio's envelope.

How an answer's bytes reach the client, in good order or not, is the business of delivery.
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
    """A whole HTTP answer. Content-Length and Connection are added when it is delivered."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class ApiError(PicklableError):  # reads as what happened: raise Refused(404, 20404, …)
    """The API's no: an HTTP status, Twilio's error code, and a message that names the cause."""

    def __init__(self, status: int, code: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers


def request_id_header() -> dict[str, str]:
    """The header that Twilio's support asks for: a new one for each answer."""
    return {"Twilio-Request-Id": f"RQ{uuid.uuid4().hex}"}


def json_response(status: int, payload: Any, headers: dict[str, str] | None = None) -> Response:
    """An answer with a JSON body; `headers` come on top, and replace the usual ones."""
    body = json.dumps(payload, separators=(",", ":")).encode()
    return Response(
        status, body, {"Content-Type": JSON_CONTENT_TYPE, **request_id_header(), **(headers or {})}
    )


def no_content_response() -> Response:
    return Response(HTTPStatus.NO_CONTENT, b"", request_id_header())


def error_response(refusal: ApiError) -> Response:
    """Twilio's error envelope. Keyword `Retry_After` of the refusal is the header `Retry-After`."""
    payload = {
        "code": refusal.code,
        "message": refusal.message,
        "more_info": f"https://www.twilio.com/docs/errors/{refusal.code}",
        "status": refusal.status,
    }
    headers = {name.replace("_", "-"): value for name, value in refusal.headers.items()}
    return json_response(refusal.status, payload, headers)
