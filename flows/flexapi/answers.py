"""What an HTTP answer of Twilio's says: the JSON of a success, or the error that it is. It reads nothing from
the network; that is the client's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flows.flexapi import bodies, schema
from flows.flexapi.errors import Refused, Unknown
from flows.flexapi.schema import Snapshot


@dataclass(frozen=True, slots=True)
class Answer:
    """Twilio's yes: the flow as it then was (empty after a delete), and what its support asks for."""

    snapshot: Snapshot
    status: int
    request_id: str


def read(status: int, headers: Mapping[str, str], body: bytes, request_id: str) -> dict[str, Any]:
    """The JSON of a success; anything else as the error that it is."""
    try:
        answer = bodies.parse(body) if body else {}
    except (ValueError, RecursionError):
        answer = None
    if 200 <= status < 300:
        if not isinstance(answer, dict):
            raise Unknown("Twilio's answer could not be read", status=status, request_id=request_id)
        return answer
    details = answer if isinstance(answer, dict) else {}
    if status in Refused.STATUSES:
        raise Refused(
            status=status,
            code=_integer(details.get("code")),
            message=str(details.get("message") or details.get("detail") or details.get("title") or "")[:1000],
            more_info=str(details.get("more_info") or details.get("type") or "")[:300],
            request_id=request_id,
            retry_after=_seconds(headers.get("Retry-After")),
        )
    raise Unknown(f"Twilio answered with status {status}", status=status, request_id=request_id)


def flow_in(answer: Answer, sid: str | None = None) -> Snapshot:
    return flow_of(answer.snapshot, answer, sid)


def flow_of(resource: Any, answer: Answer, sid: str | None = None) -> Snapshot:
    """A flow that is the answer, or a part of it."""
    if not isinstance(resource, dict) or not schema.is_sid("FO", resource.get("sid")):
        raise unlike("Twilio's answer is not a Flex Flow", answer)
    if sid is not None and resource["sid"] != sid:
        raise unlike("Twilio's answer is about another Flex Flow", answer)
    return schema.from_response({name: bodies.bounded(value) for name, value in resource.items()})


def unlike(why: str, answer: Answer) -> Unknown:
    """A success that is not what was asked for."""
    return Unknown(why, status=answer.status, request_id=answer.request_id)


def _integer(value: Any) -> int | None:
    """A code of Twilio's, also as text."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value.strip()):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31 else None


def _seconds(value: str | None) -> float | None:
    """Retry-After in seconds; a date, which Twilio does not send, counts as not given."""
    return float(value) if value and value.isdecimal() and len(value) < 6 else None
