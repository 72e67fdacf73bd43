"""What an HTTP answer of Twilio's says: the JSON of a success, or the error that it is. It reads nothing from
the network; that is the client's.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import mktime_tz, parsedate_tz
from typing import Any, Final

from flows.flexapi import bodies, schema
from flows.flexapi.errors import Details, Refused, Unknown
from flows.flexapi.schema import Snapshot

# The statuses that Twilio's reference gives for a success. A create or an update may answer with either.
CONFIRMED: Final[Mapping[str, frozenset[int]]] = {
    "list": frozenset({200}),
    "fetch": frozenset({200}),
    "create": frozenset({200, 201}),
    "update": frozenset({200, 201}),
    "delete": frozenset({204}),
}
REQUEST_TIMEOUT: Final = 408  # says nothing of what arrived before
SMALLEST_CODE: Final = 10_000  # Twilio's own; a gateway's are mostly the HTTP status again
LONGEST_PAUSE: Final = 86_400.0  # seconds; beyond any deadline


@dataclass(frozen=True, slots=True)
class Answer:
    """Twilio's yes: the flow as it then was (empty after a delete), and what its support asks for."""

    snapshot: Snapshot
    status: int
    request_id: str


def read(
    operation: str, status: int, headers: Mapping[str, str], body: bytes, request_id: str
) -> dict[str, Any]:
    """Return the JSON of a success; raise anything else as the error that it is."""
    try:
        answer = bodies.parse(body) if body else {}
    except (ValueError, RecursionError):
        answer = None
    if 200 <= status < 300:
        if status not in CONFIRMED[operation]:
            why = f"Twilio answered with status {status}, which does not confirm it"
            raise Unknown(why, status=status, request_id=request_id)
        if not isinstance(answer, dict):
            raise Unknown("Twilio's response could not be read", status=status, request_id=request_id)
        return answer
    error = answer if isinstance(answer, dict) else {}
    is_twilios = _is_error_of_twilio(error, status)
    details = Details(
        code=_integer(error.get("code")),
        message=_first_text(error, "message", "detail", "title")[:1000],
        more_info=_first_text(error, "more_info", "type")[:300],
        retry_after=pause_in(headers),
    )
    is_refusal = 400 <= status < 500 and status != REQUEST_TIMEOUT and is_twilios
    if is_refusal or status in Refused.AT_THE_DOOR:
        raise Refused(
            status=status,
            request_id=request_id,
            code=details.code,
            message=details.message,
            more_info=details.more_info,
            retry_after=details.retry_after,
        )
    why = f"Twilio answered with status {status}"
    raise Unknown(why, status=status, request_id=request_id, details=details)


def _is_error_of_twilio(error: Mapping[str, Any], status: int) -> bool:
    """Tell an error in Twilio's envelope, or as RFC 9457 writes it, from a gateway's JSON."""
    if (_integer(error.get("code")) or 0) >= SMALLEST_CODE:
        return True
    says_status = _integer(error.get("status")) == status
    if isinstance(error.get("message"), str):  # the envelope has all four; a code that is none is null
        return says_status and ("code" in error or "more_info" in error)
    has_title = isinstance(error.get("title"), str) or isinstance(error.get("detail"), str)
    return has_title and (says_status or isinstance(error.get("type"), str))


def _first_text(error: Mapping[str, Any], *names: str) -> str:
    return next((str(error[name]) for name in names if error.get(name)), "")


def flow_in(answer: Answer, sid: str | None = None) -> Snapshot:
    return flow_of(answer.snapshot, answer, sid)


def flow_of(resource: Any, answer: Answer, sid: str | None = None) -> Snapshot:
    """A flow that is the answer, or a part of it."""
    if not isinstance(resource, dict) or not schema.is_sid("FO", resource.get("sid")):
        raise unlike("Twilio's response is not a Flex Flow", answer)
    if sid is not None and resource["sid"] != sid:
        raise unlike("Twilio's response is about another Flex Flow", answer)
    return schema.from_response({name: bodies.bounded(value) for name, value in resource.items()})


def written_flow(answer: Answer, account_sid: str, sid: str | None = None) -> Snapshot:
    """The flow that a create or an update answers with, of our own account if it names one."""
    flow = flow_in(answer, sid)
    owner = flow.get("account_sid")
    if schema.is_sid("AC", owner) and schema.is_sid("AC", account_sid) and owner != account_sid:
        raise unlike("Twilio's response is about a Flex Flow of another account", answer)
    return flow


def unlike(why: str, answer: Answer) -> Unknown:
    """A success that is not what was asked for."""
    return Unknown(why, status=answer.status, request_id=answer.request_id)


def _integer(value: Any) -> int | None:
    """A code of Twilio's, also as text."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value.strip()):
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31 else None


def pause_in(headers: Mapping[str, str]) -> float | None:
    """The seconds that `Retry-After` asks for, given as a number or as one of HTTP's three dates; None
    without it.

    A date counts from the answer's own `Date`, so that a clock of ours that is wrong does not matter."""
    text = (headers.get("Retry-After") or "").strip()
    if not text:
        return None
    if text.isascii() and text.replace(".", "", 1).isdecimal():
        return min(float(text[:20]), LONGEST_PAUSE)
    until, sent = _seconds_of(text), _seconds_of(headers.get("Date") or "")
    if until is None:
        return None
    return min(max(0.0, until - (time.time() if sent is None else sent)), LONGEST_PAUSE)


def _seconds_of(date: str) -> float | None:
    """The seconds since 1970 of an IMF-fixdate, a date as RFC 850 writes it, or asctime's, which are all in
    GMT."""
    try:
        parts = parsedate_tz(date)
        return float(mktime_tz(parts)) if parts else None
    except (ValueError, OverflowError):
        return None
