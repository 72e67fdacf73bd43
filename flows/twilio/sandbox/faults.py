"""Faults on request: what can go wrong, which request it befalls, and the answers that lie or fail.

A fault is taken by the first request that it fits, as often as it was asked for. Faults of the
connection itself (hangs, drips, cuts) are only named here; delivery carries them out.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, fields
from enum import StrEnum
from fnmatch import fnmatchcase
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flows.twilio.sandbox.responses import (
    ApiError,
    Response,
    error_response,
    json_response,
    request_id_header,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

API_ROOT = "/v1"
LIST_PATH = f"{API_ROOT}/FlexFlows"
OTHER_SID = "FO" + "0bad" * 8
UNREACHABLE_URL = "http://127.0.0.1:1/"
OTHER_HOST = "http://flex-api.example"


class FaultKind(StrEnum):
    """What goes wrong. "Applied" says that the request is carried out first, if the contract allows it."""

    REFUSE = "refuse"  # not applied; `status` and `code` in Twilio's envelope
    TOO_MANY = "too_many"  # not applied; 429 with Retry-After
    SERVER_ERROR = "server_error"  # not applied; 5xx
    APPLY_THEN_SERVER_ERROR = "apply_then_server_error"
    DROP = "drop"  # not applied; the connection closes
    APPLY_THEN_DROP = "apply_then_drop"
    HANG = "hang"  # not applied; held until released or the client is gone, then closed
    APPLY_THEN_HANG = "apply_then_hang"
    LATE_APPLY = "late_apply"  # held until released or for `seconds`, then applied, client or not
    DRIP = "drip"  # applied; the body byte by byte, `seconds` apart
    DRIP_HEADERS = "drip_headers"  # applied; the headers byte by byte
    TRUNCATE = "truncate"  # applied; half of the body that Content-Length promises
    HTML = "html"  # not applied; a proxy's 502
    HTML_OK = "html_ok"  # applied; 200 with HTML
    GARBAGE = "garbage"  # applied; 200 with bytes that are not JSON
    WRONG_SID = "wrong_sid"  # applied; the body is another flow's
    REDIRECT = "redirect"  # not applied; 307 elsewhere
    HUGE = "huge"  # applied; a body without an end
    EMPTY = "empty"  # applied; `status`, 200 without one, and nothing
    PROBLEM = "problem"  # not applied; an error as RFC 9457 writes it
    LEAVE_HOST = "leave_host"  # lists only; the next page is on another host
    PAGE_LOOP = "page_loop"  # lists only; the next page is this one


LIST_FAULTS = frozenset({FaultKind.LEAVE_HOST, FaultKind.PAGE_LOOP})


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `path` is a glob on the request's path, with or without /v1 (`/FlexFlows/*`);
    `times` None is until cleared. A bad value is a ValueError."""

    kind: FaultKind
    method: str | None = None
    path: str | None = None
    times: int | None = 1
    status: int | None = None
    code: int | None = None
    message: str | None = None  # a refusal's words, if not those that go with its code
    retry_after: float | str | None = None  # seconds or an HTTP date; too_many has 1 without it
    seconds: float | None = None  # between bytes of a drip (0.1); at most, in a hang (for ever)

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", FaultKind(self.kind))

    @classmethod
    def from_json(cls, payload: Any) -> Fault:
        if not isinstance(payload, dict) or not payload.keys() <= {
            field.name for field in fields(cls)
        }:
            raise ValueError("A fault is an object with no other fields than Fault's own")
        if "kind" not in payload:
            raise ValueError("A fault needs a kind")
        return cls(**payload)

    def fits(self, method: str, path: str) -> bool:
        """Whether a request is one that this fault befalls."""
        if self.method is not None and self.method.upper() != method:
            return False
        if self.kind in LIST_FAULTS and (method, path) != ("GET", LIST_PATH):
            return False
        below = path.removeprefix(API_ROOT)
        return self.path is None or fnmatchcase(path, self.path) or fnmatchcase(below, self.path)


class FaultQueue:
    """Those that wait for a request, first come first served."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[tuple[Fault, int | None]] = []

    def inject(self, fault: Fault) -> None:
        with self._lock:
            self._waiting.append((fault, fault.times))

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that befalls this request, used up by one."""
        with self._lock:
            for at, (fault, left) in enumerate(self._waiting):
                if fault.fits(method, path):
                    if left is not None and left <= 1:
                        del self._waiting[at]
                    elif left is not None:
                        self._waiting[at] = (fault, left - 1)
                    return fault
            return None


def replace_response(fault: Fault) -> Response | None:
    """The answer that a fault gives instead of carrying the request out; None if it does not."""
    make = _REPLACEMENTS.get(fault.kind)
    return make(fault) if make else None


def alter_response(fault: Fault, answer: Response) -> Response:
    """What becomes of the true answer when the request was carried out."""
    make = _ALTERATIONS.get(fault.kind)
    return make(fault, answer) if make else answer


_ERROR_MESSAGES: Mapping[int, str] = {
    20001: "Invalid parameter",
    20003: "Authentication Error - invalid username",
    20005: "Account not active",
    20404: "The requested resource was not found",
    20409: "The resource was changed by another request",
    20429: "Too Many Requests",
    20500: "An internal server error has occurred",
    20503: "Service Unavailable",
}


def _fault_response(
    fault: Fault, status: int, code: int, retry_after: float | str | None = None
) -> Response:
    status, code = fault.status or status, fault.code or code
    after = fault.retry_after if fault.retry_after is not None else retry_after
    headers = {} if after is None else {"Retry_After": str(after)}
    message = fault.message or _ERROR_MESSAGES.get(code, "Refused on request")
    return error_response(ApiError(status, code, message, **headers))


def _server_error_response(fault: Fault) -> Response:
    return _fault_response(fault, HTTPStatus.INTERNAL_SERVER_ERROR, 20500)


def _html_response(status: int, title: str) -> Response:
    # No Twilio-Request-Id: this is a proxy's own page.
    body = f"<html>\r\n<head><title>{title}</title></head>\r\n<body><h1>{title}</h1></body>\r\n</html>\r\n"
    return Response(status, body.encode(), {"Content-Type": "text/html"})


def _redirect_response(fault: Fault) -> Response:
    return Response(
        fault.status or HTTPStatus.TEMPORARY_REDIRECT,
        b"",
        {"Location": UNREACHABLE_URL, **request_id_header()},
    )


def _problem_response(fault: Fault) -> Response:
    status, code = fault.status or HTTPStatus.BAD_REQUEST, fault.code or 20001
    detail = _ERROR_MESSAGES.get(code, "Refused on request")
    payload = {
        "type": f"https://www.twilio.com/docs/errors/{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "errors": [{"detail": detail, "pointer": "#/FriendlyName"}],
    }
    return json_response(status, payload, {"Content-Type": "application/problem+json"})


_REPLACEMENTS: Mapping[FaultKind, Callable[[Fault], Response]] = {
    FaultKind.REFUSE: lambda fault: _fault_response(fault, HTTPStatus.BAD_REQUEST, 20001),
    FaultKind.TOO_MANY: lambda fault: _fault_response(
        fault, HTTPStatus.TOO_MANY_REQUESTS, 20429, 1
    ),
    FaultKind.SERVER_ERROR: _server_error_response,
    FaultKind.HTML: lambda fault: _html_response(
        fault.status or HTTPStatus.BAD_GATEWAY, "502 Bad Gateway"
    ),
    FaultKind.REDIRECT: _redirect_response,
    FaultKind.PROBLEM: _problem_response,
}


def _replace_body(answer: Response, body: bytes) -> Response:
    return Response(HTTPStatus.OK, body, answer.headers)


def _replace_sid(_fault: Fault, answer: Response) -> Response:
    payload = json.loads(answer.body or b"{}")
    if "sid" not in payload:  # a list, a deletion, an error: nothing to mistake
        return answer
    return json_response(answer.status, payload | {"sid": OTHER_SID})


def _replace_next_page(fault: Fault, answer: Response) -> Response:
    payload = json.loads(answer.body)
    if "meta" not in payload:  # an error
        return answer
    here: str = payload["meta"]["url"]
    elsewhere = OTHER_HOST + here[here.index(LIST_PATH) :]
    payload["meta"]["next_page_url"] = here if fault.kind is FaultKind.PAGE_LOOP else elsewhere
    return json_response(answer.status, payload)


_ALTERATIONS: Mapping[FaultKind, Callable[[Fault, Response], Response]] = {
    FaultKind.APPLY_THEN_SERVER_ERROR: lambda fault, _: _server_error_response(fault),
    FaultKind.HTML_OK: lambda _fault, _answer: _html_response(HTTPStatus.OK, "Welcome"),
    FaultKind.GARBAGE: lambda _, answer: _replace_body(answer, b'\x00\xff{"sid": "FO'),
    FaultKind.EMPTY: lambda fault, answer: Response(
        fault.status or HTTPStatus.OK, b"", answer.headers
    ),
    FaultKind.WRONG_SID: _replace_sid,
    FaultKind.LEAVE_HOST: _replace_next_page,
    FaultKind.PAGE_LOOP: _replace_next_page,
}
