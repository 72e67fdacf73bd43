"""Interpretation of Twilio's HTTP responses: the JSON of a success, or an error to raise.

Nothing here uses the network. The client does that.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import mktime_tz, parsedate_tz
from typing import Any, Final

from flows.twilio import json_bodies
from flows.twilio.errors import ErrorDetails, OutcomeUnknown, RequestRefused
from flows.twilio.paging import PageCursor, Pagination
from flows.twilio.resource import Resource, Snapshot
from flows.twilio.sids import is_sid

# The success statuses in Twilio's reference. A create or an update may answer with either of two.
SUCCESS_STATUSES: Final[Mapping[str, frozenset[int]]] = {
    "list": frozenset({200}),
    "fetch": frozenset({200}),
    "create": frozenset({200, 201}),
    "update": frozenset({200, 201}),
    "archive": frozenset({200, 201}),
    "delete": frozenset({204}),
}
REQUEST_TIMEOUT: Final = 408  # leaves open whether the request arrived
MIN_TWILIO_CODE: Final = 10_000  # a gateway's code is mostly the HTTP status
_SECONDS: Final = re.compile(r"[0-9]+\.?[0-9]*|\.[0-9]+")
MAX_RETRY_AFTER: Final = 86_400.0  # seconds; longer than any deadline


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """A successful response: the object as Twilio returned it (empty after a delete).

    `request_id` is the identifier that Twilio's support asks for.
    """

    snapshot: Snapshot
    status: int
    request_id: str


@dataclass(frozen=True, slots=True)
class ObjectPage:
    """A page of a list: its objects, the positions of other pages, and what could not be read."""

    objects: list[Snapshot]
    next_page: PageCursor | None
    previous_page: PageCursor | None
    unreadable: list[Any]


def parse_response(
    operation: str, status: int, headers: Mapping[str, str], body: bytes, request_id: str
) -> dict[str, Any]:
    """Return the JSON of a success, or raise `RequestRefused` or `OutcomeUnknown`."""
    payload = _parse_payload(body)
    if not 200 <= status < 300:
        raise _parse_error(status, headers, payload or {}, request_id)
    if status not in SUCCESS_STATUSES[operation]:
        raise OutcomeUnknown(
            f"Twilio answered with status {status}, which does not confirm it",
            status=status,
            request_id=request_id,
        )
    if payload is None:
        raise OutcomeUnknown(
            "Twilio's response could not be read", status=status, request_id=request_id
        )
    return payload


def _parse_payload(body: bytes) -> dict[str, Any] | None:
    """Return the JSON object of a body, {} for an empty body, or None for any other body."""
    if not body:
        return {}
    try:
        payload = json_bodies.parse_json(body)
    except (ValueError, RecursionError):
        return None
    return payload if isinstance(payload, dict) else None


def _parse_error(
    status: int, headers: Mapping[str, str], error: Mapping[str, Any], request_id: str
) -> RequestRefused | OutcomeUnknown:
    """Return the exception for a response with an error status."""
    details = ErrorDetails(
        code=_parse_code(error.get("code")),
        message=_first_text(error, "message", "detail", "title")[:1000],
        more_info=_first_text(error, "more_info", "type")[:300],
        retry_after=parse_retry_after(headers),
    )
    if _is_refusal(status, error):
        return RequestRefused(
            status=status,
            request_id=request_id,
            code=details.code,
            message=details.message,
            more_info=details.more_info,
            retry_after=details.retry_after,
        )
    return OutcomeUnknown(
        f"Twilio answered with status {status}",
        status=status,
        request_id=request_id,
        details=details,
    )


def _is_refusal(status: int, error: Mapping[str, Any]) -> bool:
    """Return True if a response proves that nothing was changed."""
    if status in RequestRefused.REFUSAL_STATUSES:
        return True
    is_client_error = 400 <= status < 500 and status != REQUEST_TIMEOUT
    return is_client_error and _is_twilio_error(error, status)


def _is_twilio_error(error: Mapping[str, Any], status: int) -> bool:
    """Return True for Twilio's envelope or an RFC 9457 problem, False for a gateway's JSON."""
    code = _parse_code(error.get("code"))
    if code is not None and code >= MIN_TWILIO_CODE:
        return True
    repeats_status = _parse_code(error.get("status")) == status
    if _has_text(error, "message"):
        # Twilio's envelope has `code` even where it is null.
        has_envelope = not error.keys().isdisjoint({"code", "more_info"})
        return repeats_status and has_envelope
    is_problem = _has_text(error, "title", "detail")
    return is_problem and (repeats_status or _has_text(error, "type"))


def _has_text(error: Mapping[str, Any], *names: str) -> bool:
    """Return True if at least one of these members is a text."""
    return any(isinstance(error.get(name), str) for name in names)


def _first_text(error: Mapping[str, Any], *names: str) -> str:
    """Return the first of these members that is not empty, as text, or ""."""
    for name in names:
        if error.get(name):
            return str(error[name])
    return ""


def extract_object(
    resource: Resource, response: ApiResponse, sid: str | None = None, parent_sid: str = ""
) -> Snapshot:
    """Return the object that a response consists of. `sid` is the object that was requested.

    Raises `OutcomeUnknown` also if it belongs to another object than `parent_sid`.
    """
    snapshot = parse_object(resource, response.snapshot, response, sid)
    if resource.parent_sid_of(snapshot) not in ("", parent_sid):
        description = f"Twilio's response is about a {resource.title} of another object"
        raise unexpected_response(description, response)
    return snapshot


def extract_object_with_key(resource: Resource, response: ApiResponse, key: str) -> Snapshot:
    """Return the object that a response consists of, which was requested by its key.

    Raises `OutcomeUnknown` if it has another key. The case of letters can be Twilio's own.
    """
    snapshot = extract_object(resource, response)
    if resource.key_of(snapshot).casefold() != key.casefold():
        raise unexpected_response(f"Twilio's response is about another {resource.title}", response)
    return snapshot


def parse_object(
    resource: Resource, body: Any, response: ApiResponse, sid: str | None = None
) -> Snapshot:
    """Return an object of a response as a snapshot.

    Raises `OutcomeUnknown` if it is not one of this resource, or not the one with this SID.
    """
    if isinstance(body, dict) and not resource.has_sid and sid is not None:
        body = {resource.sid_field: sid, **body}
    if not isinstance(body, dict) or not resource.is_sid(body.get(resource.sid_field)):
        raise unexpected_response(f"Twilio's response is not a {resource.title}", response)
    if sid is not None and body[resource.sid_field] != sid:
        raise unexpected_response(f"Twilio's response is about another {resource.title}", response)
    return resource.decode({name: json_bodies.limit_depth(value) for name, value in body.items()})


def parse_page(resource: Resource, response: ApiResponse, pagination: Pagination) -> ObjectPage:
    """Return the objects of a page and its links. What is not an object is kept as it is."""
    objects: list[Snapshot] = []
    unreadable: list[Any] = []
    for body in response.snapshot[resource.list_key]:
        try:
            objects.append(parse_object(resource, body, response))
        except OutcomeUnknown:
            unreadable.append(json_bodies.limit_depth(body))
    style = resource.api_style
    links = style.links_of(response.snapshot) or {}
    next_page, previous_page = (
        pagination.find_cursor(links.get(key)) for key in (style.next_key, style.previous_key)
    )
    return ObjectPage(objects, next_page, previous_page, unreadable)


def extract_written_object(
    resource: Resource,
    response: ApiResponse,
    account_sid: str,
    sid: str | None = None,
    parent_sid: str = "",
) -> Snapshot:
    """Return the object in the response to a create or an update.

    Raises `OutcomeUnknown` if the response names another account or another parent.
    """
    snapshot = extract_object(resource, response, sid, parent_sid)
    owner = snapshot.get("account_sid")
    has_sids = is_sid("AC", owner) and is_sid("AC", account_sid)
    if has_sids and owner != account_sid:
        description = f"Twilio's response is about a {resource.title} of another account"
        raise unexpected_response(description, response)
    return snapshot


def unexpected_response(description: str, response: ApiResponse) -> OutcomeUnknown:
    """Return the error for a success whose content is not the requested one."""
    return OutcomeUnknown(description, status=response.status, request_id=response.request_id)


def _parse_code(value: Any) -> int | None:
    """Return a code or status of an error body as a number, also if it came as text."""
    if isinstance(value, str):
        digits = value.strip()
        return int(digits) if re.fullmatch(r"[0-9]{1,9}", digits) else None
    is_integer = type(value) is int  # a boolean is an instance of int
    return value if is_integer and abs(value) < 2**31 else None


def parse_retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that `Retry-After` asks for, or None.

    The header holds a number or an HTTP date. A date is compared with the response's own `Date`,
    so that a wrong local clock does not matter.
    """
    text = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(text):
        return min(float(text[:20]), MAX_RETRY_AFTER)
    retry_time = _parse_http_date(text)
    if retry_time is None:
        return None
    response_time = _parse_http_date(headers.get("Date", ""))
    if response_time is None:
        response_time = time.time()
    return min(max(0.0, retry_time - response_time), MAX_RETRY_AFTER)


def _parse_http_date(date: str) -> float | None:
    """Return an HTTP date as seconds since 1970, or None.

    HTTP has three forms, all in GMT: IMF-fixdate, RFC 850 and asctime.
    """
    try:
        parts = parsedate_tz(date)
        return float(mktime_tz(parts)) if parts else None
    except (ValueError, OverflowError):
        return None
