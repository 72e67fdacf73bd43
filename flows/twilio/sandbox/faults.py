"""Faults on request: their kinds, the requests that they match, and false or failing responses.

A fault applies to the next requests that match it, `times` times. Faults of the connection itself
(hangs, drips, cuts) are only named here. `handler` and `delivery` carry them out.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flows.twilio.api_styles import API_OF_2010, CURRENT_API
from flows.twilio.sandbox.injections import InjectionQueue, injection_from_json
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
OTHER_DIGITS = "0bad" * 8
OTHER_SID = f"FO{OTHER_DIGITS}"
UNREACHABLE_URL = "http://127.0.0.1:1/"
OTHER_HOST = "flex-api.example"

_SID = re.compile(r"[A-Z]{2}[0-9a-fA-F]{32}")


class FaultKind(StrEnum):
    """The kind of a fault. "Applied": the request is carried out first, if the rules allow it."""

    REFUSE = "refuse"  # not applied; `status` and `code` in Twilio's envelope
    TOO_MANY = "too_many"  # not applied; 429 with Retry-After
    SERVER_ERROR = "server_error"  # not applied; 5xx
    APPLY_THEN_SERVER_ERROR = "apply_then_server_error"
    DROP = "drop"  # not applied; the connection closes
    APPLY_THEN_DROP = "apply_then_drop"
    HANG = "hang"  # not applied; held until released or the client disconnects, then closed
    APPLY_THEN_HANG = "apply_then_hang"
    LATE_APPLY = "late_apply"  # held until released or for `seconds`, then applied in any case
    DRIP = "drip"  # applied; the body byte by byte, `seconds` apart
    DRIP_HEADERS = "drip_headers"  # applied; the headers byte by byte
    TRUNCATE = "truncate"  # applied; half of the promised body
    HTML = "html"  # not applied; a proxy's 502 page
    HTML_OK = "html_ok"  # applied; 200 with HTML
    GARBAGE = "garbage"  # applied; 200 with bytes that are not JSON
    WRONG_SID = "wrong_sid"  # applied; the body is another flow's
    REDIRECT = "redirect"  # not applied; 307 to an unreachable address
    HUGE = "huge"  # applied; an endless body
    EMPTY = "empty"  # applied; `status` (default 200) and no body
    PROBLEM = "problem"  # not applied; an RFC 9457 problem
    LEAVE_HOST = "leave_host"  # lists only; the next page is on another host
    PAGE_LOOP = "page_loop"  # lists only; the next page is this one


LIST_FAULTS = frozenset({FaultKind.LEAVE_HOST, FaultKind.PAGE_LOOP})


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault for the requests that match it.

    `path` is a glob for the request's path, with or without /v1 (`/FlexFlows/*`). `times` is the
    number of requests, None for all until it is cleared. An unknown kind raises ValueError.
    """

    kind: FaultKind
    method: str | None = None
    path: str | None = None
    times: int | None = 1
    status: int | None = None
    code: int | None = None
    message: str | None = None  # of a refusal; by default the text for its code
    retry_after: float | str | None = None  # seconds or an HTTP date; 1 by default in too_many
    # Between two bytes of a drip (default 0.1), or the longest hang (default endless).
    seconds: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", FaultKind(self.kind))

    @classmethod
    def from_json(cls, payload: Any) -> Fault:
        """Return a fault from the control endpoint's JSON. Raise ValueError if it is invalid."""
        return injection_from_json(cls, payload)

    def status_or(self, default: int) -> int:
        """Return the status of the fault's response, by default this one."""
        return self.status or default

    def matches(self, method: str, path: str) -> bool:
        """Return True if this fault applies to a request."""
        if self.method is not None and self.method.upper() != method:
            return False
        is_listing = method == "GET" and is_list_path(path)
        if self.kind in LIST_FAULTS and not is_listing:
            return False
        return matches_path(self.path, path)


def is_list_path(path: str) -> bool:
    """Return True for the path of a collection, such as /v1/FlexFlows."""
    last_segment = path.rpartition("/")[2].removesuffix(API_OF_2010.suffix)
    return not _SID.fullmatch(last_segment)


def matches_path(pattern: str | None, path: str) -> bool:
    """Return True if a glob matches a path with or without the API's root. None matches any."""
    if pattern is None:
        return True
    return fnmatchcase(path, pattern) or fnmatchcase(path.removeprefix(API_ROOT), pattern)


class FaultQueue(InjectionQueue[Fault]):
    """The faults that wait for a request."""

    def take(self, method: str, path: str) -> Fault | None:
        """Return the fault for this request, or None."""
        return self.take_matching(lambda fault: fault.matches(method, path))


def replace_response(fault: Fault) -> Response | None:
    """Return the response that a fault gives instead of applying the request, or None."""
    build = _REPLACEMENTS.get(fault.kind)
    return build(fault) if build else None


def alter_response(fault: Fault, response: Response) -> Response:
    """Return the response with a fault, after the request was applied."""
    alter = _ALTERATIONS.get(fault.kind)
    return alter(fault, response) if alter else response


_ERROR_MESSAGES: Mapping[int, str] = {
    20001: "Invalid parameter",
    20003: "Authentication Error - invalid username",
    20005: "Account not active",
    20403: "Forbidden",
    20404: "The requested resource was not found",
    20409: "The resource was changed by another request",
    20429: "Too Many Requests",
    20500: "An internal server error has occurred",
    20503: "Service Unavailable",
}


def _fault_response(
    fault: Fault, status: int, code: int, retry_after: float | str | None = None
) -> Response:
    """Return a refusal. The fault's own status, code and Retry-After come before the defaults."""
    code = fault.code or code
    if fault.retry_after is not None:
        retry_after = fault.retry_after
    headers = {} if retry_after is None else {"Retry_After": str(retry_after)}
    message = fault.message or _ERROR_MESSAGES.get(code, "Refused on request")
    return error_response(ApiError(fault.status_or(status), code, message, **headers))


def _server_error_response(fault: Fault) -> Response:
    return _fault_response(fault, HTTPStatus.INTERNAL_SERVER_ERROR, 20500)


def _html_response(status: int, title: str) -> Response:
    body = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n"
        f"<body><h1>{title}</h1></body>\r\n</html>\r\n"
    )
    # Without a Twilio-Request-Id, because it stands for a proxy's own page.
    return Response(status, body.encode(), {"Content-Type": "text/html"})


def _redirect_response(fault: Fault) -> Response:
    return Response(
        fault.status_or(HTTPStatus.TEMPORARY_REDIRECT),
        b"",
        {"Location": UNREACHABLE_URL, **request_id_header()},
    )


def _problem_response(fault: Fault) -> Response:
    status = fault.status_or(HTTPStatus.BAD_REQUEST)
    code = fault.code or 20001
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
        fault.status_or(HTTPStatus.BAD_GATEWAY), "502 Bad Gateway"
    ),
    FaultKind.REDIRECT: _redirect_response,
    FaultKind.PROBLEM: _problem_response,
}


def _replace_body(response: Response, body: bytes) -> Response:
    return Response(HTTPStatus.OK, body, response.headers)


def _replace_sid(_fault: Fault, response: Response) -> Response:
    """Return an object's response with the SID of another object."""
    payload = json.loads(response.body or b"{}")
    if "sid" not in payload:  # a list, a deletion or an error
        return response
    return json_response(response.status, payload | {"sid": payload["sid"][:2] + OTHER_DIGITS})


def _replace_next_page(fault: Fault, response: Response) -> Response:
    """Return a page of a list with a link to another host, or to the page itself.

    An error has no links and stays as it is.
    """
    payload = json.loads(response.body)
    for style in (CURRENT_API, API_OF_2010):
        links = style.links_of(payload)
        if links is not None and style.next_key in links:
            address = links[style.address_key]
            is_loop = fault.kind is FaultKind.PAGE_LOOP
            links[style.next_key] = address if is_loop else _at_other_host(address)
    return json_response(response.status, payload)


def _at_other_host(address: str) -> str:
    """Return an address, which can be relative, at another host."""
    return urlsplit(address)._replace(scheme="http", netloc=OTHER_HOST).geturl()


_ALTERATIONS: Mapping[FaultKind, Callable[[Fault, Response], Response]] = {
    FaultKind.APPLY_THEN_SERVER_ERROR: lambda fault, _: _server_error_response(fault),
    FaultKind.HTML_OK: lambda _fault, _response: _html_response(HTTPStatus.OK, "Welcome"),
    FaultKind.GARBAGE: lambda _, response: _replace_body(response, b'\x00\xff{"sid": "FO'),
    FaultKind.EMPTY: lambda fault, response: Response(
        fault.status_or(HTTPStatus.OK), b"", response.headers
    ),
    FaultKind.WRONG_SID: _replace_sid,
    FaultKind.LEAVE_HOST: _replace_next_page,
    FaultKind.PAGE_LOOP: _replace_next_page,
}
