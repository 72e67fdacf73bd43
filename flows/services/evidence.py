"""The log as evidence: walks the chain and names the first event that is not as it was sealed, signs the
chain's head, and exports the log. It only reads; what is written is audit.py's.
"""

from __future__ import annotations

import csv
import hmac
import io
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.utils import timezone

from flows.models import AuditEvent, ChainHead
from flows.services import audit

PAYLOAD: Final = ("friendly_name", "contact_identity", "before", "requested", "after", "message")
EXPORTED: Final = (*audit.SEALED, "hash", *PAYLOAD)
BATCH: Final = 1000
_ROW: Final = (*audit.SEALED, "hash", *(f"payload__{name}" for name in ("salt", *PAYLOAD)))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a walk of the chain found. `bad_seq` is None when all is well; `fault` is a sentence."""

    events: int
    bad_seq: int | None = None
    fault: str = ""
    seconds: float = 0.0


def verify(*, head: dict[str, Any] | None = None) -> Verdict:
    """Walks the whole chain in one pass, with flat memory. With a `head` that was signed earlier and kept
    elsewhere, it also finds a tail that was cut off and a chain that was written anew."""
    started = time.monotonic()
    count, bad, fault = _walk(head)
    return Verdict(count, bad, fault, time.monotonic() - started)


def signed_head() -> dict[str, Any]:
    """The chain's end as it is now, to be kept where this site's people can't write."""
    row = ChainHead.objects.filter(name=audit.HEAD).first()
    seq, last = (row.seq, row.hash) if row else (0, audit.GENESIS)
    said = {"seq": seq, "hash": last, "at": timezone.now().isoformat(timespec="microseconds")}
    return {**said, "signature": _signature(said)}


def is_ours(head: dict[str, Any]) -> bool:
    """Whether a signed head is one of this site's and as it was signed."""
    said = {name: head.get(name) for name in ("seq", "hash", "at")}
    return isinstance(head.get("seq"), int) and hmac.compare_digest(
        str(head.get("signature", "")).encode(), _signature(said).encode()
    )


def exported(*, after: int = 0, through: int | None = None) -> Iterator[dict[str, Any]]:
    """The log's events in order, one dict each, payload included. It begins behind `after` and ends at
    `through` (the log's end at the start): resuming by seq leaves no gap and repeats nothing."""
    last = audit.last_seq() if through is None else through
    while after < last:
        names = (*audit.SEALED, "hash", *(f"payload__{name}" for name in PAYLOAD))
        rows = AuditEvent.objects.filter(seq__gt=after, seq__lte=last).order_by("seq").values_list(*names)
        batch = [dict(zip(EXPORTED, row, strict=True)) for row in rows[:BATCH]]
        if not batch:
            return
        yield from batch
        after = batch[-1]["seq"]


def ndjson(events: Iterator[dict[str, Any]]) -> Iterator[str]:
    """One event a line, in the chain's own spelling."""
    for event in events:
        yield audit.canonical(event).decode() + "\n"


def csv_lines(events: Iterator[dict[str, Any]]) -> Iterator[str]:
    """A header and one event a line. A cell that a spreadsheet would take for a formula is made harmless."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(EXPORTED)
    for event in events:
        yield _emptied(buffer)
        writer.writerow([_cell(event[name]) for name in EXPORTED])
    yield _emptied(buffer)


def _walk(head: dict[str, Any] | None) -> tuple[int, int | None, str]:
    # The head is read first: what is appended during the walk is the next one's business.
    kept = ChainHead.objects.filter(name=audit.HEAD).first()
    end, end_hash = (kept.seq, kept.hash) if kept else (0, audit.GENESIS)
    count, previous = 0, audit.GENESIS
    rows = AuditEvent.objects.order_by("seq").values_list(*_ROW)
    for row in rows.filter(seq__lte=end).iterator(chunk_size=2000):
        event = dict(zip(_ROW, row, strict=True))
        if event["seq"] != count + 1:
            return count, count + 1, "is missing"
        if fault := _fault_of(event, previous):
            return count, event["seq"], fault
        count, previous = count + 1, event["hash"]
        if head and head["seq"] == count and head["hash"] != previous:
            return count, count, "is not the one that was at the head when it was signed"
    if head and head["seq"] > count:
        return count, count + 1, "is missing: it was there when the head was signed"
    if (end, end_hash) != (count, previous):
        return count, count + 1, "is missing: the chain's head knows of it"
    # In this order: an event and its head are committed together, so the head is never behind.
    newest = AuditEvent.objects.order_by("-seq").values_list("seq", flat=True).first() or 0
    if newest > audit.last_seq():
        return count, audit.last_seq() + 1, "stands behind the chain's head"
    return count, None, ""


def _fault_of(event: dict[str, Any], previous: str) -> str:
    if event["previous_hash"] != previous:
        return "does not follow on the one before it"
    if audit.sealed({name: event[name] for name in audit.SEALED}) != event["hash"]:
        return "is not as it was sealed"
    if event["payload__salt"] is None:
        return "has lost its payload"
    body = {name: event[f"payload__{name}"] for name in ("salt", *PAYLOAD)}
    if audit.sealed(body) != event["payload_hash"]:
        return "has a payload that is not as it was sealed"
    return ""


def _signature(said: dict[str, Any]) -> str:
    return hmac.new(settings.AUDIT_KEY.encode(), b"head:" + audit.canonical(said), "sha256").hexdigest()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False, sort_keys=True)
    text = value.isoformat(timespec="microseconds") if isinstance(value, datetime) else str(value)
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _emptied(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
