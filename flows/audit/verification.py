"""The log as evidence: walks the chain and names the first event that is not as it was sealed, holds the table of
open changes against it, and signs the chain's head. Each verification is an event itself. Exports are export.py's.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from flows.audit import audit_log, consistency
from flows.audit.audit_log import Actor, NotRecorded, Payload
from flows.audit.chain import (
    GENESIS,
    HASHED_FIELDS,
    OPTIONAL_HASHED_FIELDS,
    OPTIONAL_PAYLOAD_FIELDS,
    PAYLOAD_FIELDS,
    audit_keys,
    event_hash,
    event_hash_of_row,
    payload_hash,
    payload_hash_of_row,
)
from flows.audit.derived_tables import DayIndexCheck, OpenChangeCheck, OpenDriftCheck
from flows.audit.entry_check import LogEntryCheck
from flows.audit.models import AuditEvent, AuditPayload, ChainHead, Result, Stage
from flows.core.stored_values import MalformedValue, find_malformed_values

VERIFY_ACTION: Final = "audit.verify"
ERASE_ACTION: Final = "audit.erase"
BATCH_SIZE: Final = 1000
_SALTED_PAYLOAD_FIELDS: Final = ("salt", *PAYLOAD_FIELDS, *OPTIONAL_PAYLOAD_FIELDS)
_ROW_FIELDS: Final = (
    *HASHED_FIELDS,
    *OPTIONAL_HASHED_FIELDS,
    "hash",
    *(f"payload__{name}" for name in (*_SALTED_PAYLOAD_FIELDS, "erased_at")),
)


@dataclass(frozen=True, slots=True)
class VerificationResult:
    """What a walk of the chain up to the event `through` found: so many `events` from the first on are as they
    were written. `bad_seq` is the first event that something is the matter with, as `fault` says; None if there is no such
    event. `table_faults` are sentences about the database around the log: tables that pages rely on, and triggers."""

    events: int
    through: int
    bad_seq: int | None = None
    fault: str = ""
    seconds: float = 0.0
    table_faults: tuple[str, ...] = ()

    @property
    def is_intact(self) -> bool:
        return self.bad_seq is None and not self.table_faults

    def __str__(self) -> str:
        return " ".join([self._chain_summary(), *self.table_faults])

    def _chain_summary(self) -> str:
        if self.bad_seq is None:
            return self._as_written()
        said = f"Event {self.bad_seq} {self.fault}."
        if self.events == 0:
            return said
        return f"{said} {self._as_written(' before it verified' if self.events < self.bad_seq else ' in the chain verified')}"

    def _as_written(self, which: str = " verified, chain intact") -> str:
        if self.events == 1:
            return f"1 event{which}."
        return f"{self.events} events{which}."


@dataclass(frozen=True, slots=True)
class VerificationRecord:
    """A verification on record. `said` is what it found; `since` counts the events that came after its end."""

    event: AuditEvent
    said: dict[str, Any]
    since: int
    is_intact: bool

    @property
    def has_no_violations(self) -> bool:
        return self.said.get("bad_seq") is None and not self.said.get("table_faults")


def verify(*, head: dict[str, Any] | None = None) -> VerificationResult:
    """Walks the whole chain in one pass, with flat memory. With a `head` that was signed earlier and kept
    elsewhere, it also finds a tail that was cut off and a chain that was written anew."""
    started = time.monotonic()
    # The head is read first: what is appended during the walk is the next one's business.
    kept = ChainHead.objects.filter(name=audit_log.CHAIN_NAME).first()
    end, end_hash = (kept.seq, kept.hash) if kept else (0, GENESIS)
    odd = find_malformed_values()
    walk = _ChainVerifier()
    found = None if _has_invalid_seq(odd) else _first_violation(walk, end, end_hash, head)
    bad, fault = found or _first_invalid_value(odd) or (None, "")
    table_faults = tuple(dict.fromkeys([*map(str, odd), *consistency.violations()]))
    return VerificationResult(walk.count, end, bad, fault, time.monotonic() - started, table_faults)


def verify_and_record(
    *, actor: Actor, head: dict[str, Any] | None = None
) -> tuple[VerificationResult, AuditEvent | None]:
    """The same, and the event that tells of it: None if that could not be recorded."""
    verdict = verify(head=head)
    said: dict[str, Any] = {
        "through": verdict.through,
        "events": verdict.events,
        "bad_seq": verdict.bad_seq,
        "fault": verdict.fault,
        "head": head is not None,
    }
    if verdict.table_faults:
        said["table_faults"] = list(verdict.table_faults)
    try:
        event = audit_log.append(
            action=VERIFY_ACTION,
            stage=Stage.ACCESS,
            result=Result.SUCCEEDED if verdict.is_intact else Result.FAILED,
            actor=actor,
            reason=str(verdict),
            payload=Payload(after=said),
        )
    except NotRecorded:
        return verdict, None
    return verdict, event


def last_verification() -> VerificationRecord | None:
    """The last one on record, by command or page. Not `is_intact`: the record of it was tampered with."""
    told = AuditEvent.objects.filter(
        action=VERIFY_ACTION, result__in=(Result.SUCCEEDED, Result.FAILED)
    )
    event = told.select_related("payload").order_by("-seq").first()
    if event is None:
        return None
    body = getattr(event, "payload", None) or AuditPayload()
    is_intact = any(
        event_hash(event, key) == event.hash and payload_hash(body, key) == event.payload_hash
        for key in audit_keys()
    )
    said = body.after if is_intact and body.after else {}
    since = audit_log.last_seq() - said.get("through", 0) - 1  # without the record of it
    return VerificationRecord(event, said, max(0, since), is_intact)


def _first_violation(
    walk: _ChainVerifier, end: int, end_hash: str, head: dict[str, Any] | None
) -> tuple[int, str] | None:
    """The first fault of the chain, or else of the tables that follow from it. None, too, where a value can't be read:
    then it is odd."""
    try:
        of_the_chain = walk.to(end, end_hash, head) or _event_beyond_head()
        if of_the_chain:
            return of_the_chain
        return next(filter(None, (recount.fault(end) for recount in walk.recounts)), None)
    except (ValueError, TypeError):
        if connection.vendor != "sqlite":
            raise
        return None


def _has_invalid_seq(odd: list[MalformedValue]) -> bool:
    """Return True if a place in the log is no number, so that "before" and "after" mean nothing."""
    numbers = {("flows_auditevent", "seq"), ("flows_chainhead", "seq")}
    return any((value.table, value.column) in numbers for value in odd)


def _first_invalid_value(odd: list[MalformedValue]) -> tuple[int, str] | None:
    """The first event with a value that reads the same and is found by no query."""
    of_events = [
        value for value in odd if value.table == "flows_auditevent" and isinstance(value.key, int)
    ]
    if not of_events:
        return None
    first = min(of_events, key=lambda value: int(value.key))
    return int(first.key), f"has an invalid value in {first.column}"


class _ChainVerifier:
    """One pass over the chain. It keeps how far it came, the last seal and its key, and what the tables beside the log
    should have by then. A key that was replaced seals nothing any more: whoever has it can't add to what came later, nor change what came before.
    """

    def __init__(self) -> None:
        self.count, self.previous = 0, GENESIS
        self.keys = audit_keys()  # those that may come, the next one first
        self.erasures = _ErasureIndex()
        self.recounts: tuple[consistency.DerivedTable, ...] = (
            OpenChangeCheck(),
            DayIndexCheck(),
            OpenDriftCheck(),
            LogEntryCheck(),
            *consistency.derived_tables(),
        )

    def to(self, end: int, end_hash: str, head: dict[str, Any] | None) -> tuple[int, str] | None:
        stray = (
            AuditEvent.objects.filter(seq__lt=1)
            .order_by("seq")
            .values_list("seq", flat=True)
            .first()
        )
        if stray is not None:
            return stray, "comes before the first event of the chain"
        for row in _iter_rows(end):
            if row["seq"] != self.count + 1:
                return self.count + 1, "is missing"
            if fault := self._describe_violation(row):
                return row["seq"], fault
            if head and head["seq"] == row["seq"] and head["hash"] != row["hash"]:
                return row["seq"], "does not match the signed checkpoint"
            self.count, self.previous = row["seq"], row["hash"]
            for recount in self.recounts:
                recount.follow(row)
        if head and head["seq"] > self.count:
            return self.count + 1, "is missing, but the signed checkpoint includes it"
        if (end, end_hash) != (self.count, self.previous):
            return self.count + 1, "is missing, but the end of the chain refers to it"
        return None

    def _describe_violation(self, row: dict[str, Any]) -> str:
        if row["previous_hash"] != self.previous:
            return "does not link to the event before it"
        key = _find_event_key(row)
        if key is None:
            return "does not match its hash"
        if key not in self.keys:
            return "is hashed with a key that was replaced earlier"
        self.keys = self.keys[self.keys.index(key) :]
        if row["payload__salt"] is None:
            return "has no payload"
        if row["payload__erased_at"] is None:
            return (
                ""
                if _has_matching_payload(row, key)
                else "has a payload that does not match its hash"
            )
        if any(row[f"payload__{name}"] not in ("", None) for name in _SALTED_PAYLOAD_FIELDS):
            return "has a payload that is marked as erased but is not empty"
        if not self.erasures.covers(row["seq"]):
            return "has an empty payload, but no erasure of it is logged"
        return ""


class _ErasureIndex:
    """Which payloads were erased, by the events that say so: each later than what it erased, and as it was sealed.
    They are read when the first erased payload comes, and once more where a new one may have come meanwhile."""

    def __init__(self) -> None:
        self._read = 0
        self._said: list[tuple[int, list[int], list[int]]] = []

    def covers(self, seq: int) -> bool:
        if self._name(seq):
            return True
        self._load_new_events()
        return self._name(seq)

    def _name(self, seq: int) -> bool:
        for eraser, firsts, lasts in self._said:
            place = bisect_right(firsts, seq) - 1
            if eraser > seq and place >= 0 and seq <= lasts[place]:
                return True
        return False

    def _load_new_events(self) -> None:
        events = AuditEvent.objects.filter(
            action=ERASE_ACTION, result=Result.SUCCEEDED, seq__gt=self._read
        )
        for row in events.order_by("seq").values(*_ROW_FIELDS):
            self._read = row["seq"]
            key = _find_event_key(row)
            if key is not None and _has_matching_payload(row, key):
                ranges = row["payload__requested"]["events"]
                self._said.append(
                    (row["seq"], [first for first, _ in ranges], [last for _, last in ranges])
                )


def _iter_rows(end: int) -> Iterator[dict[str, Any]]:
    """The chain's rows in order, a page at a time: a statement that stays open would hold up the database's own
    tidying, and on PostgreSQL it would first copy everything."""
    after = 0
    while True:
        events = AuditEvent.objects.filter(seq__gt=after, seq__lte=end).order_by("seq")
        page = list(events.values(*_ROW_FIELDS)[:BATCH_SIZE])
        yield from page
        if len(page) < BATCH_SIZE:
            return
        after = page[-1]["seq"]


def _event_beyond_head() -> tuple[int, str] | None:
    # In this order: an event and its head are committed together, so the head is never behind.
    newest = AuditEvent.objects.order_by("-seq").values_list("seq", flat=True).first() or 0
    last = audit_log.last_seq()
    if newest <= last:
        return None
    beyond = AuditEvent.objects.filter(seq__gt=last).order_by("seq").values_list("seq", flat=True)
    return beyond[0], "comes after the end of the chain"


def _find_event_key(row: dict[str, Any]) -> str | None:
    """The key that an event is sealed with."""
    return next(
        (key for key in reversed(audit_keys()) if event_hash_of_row(row, key) == row["hash"]), None
    )


def _has_matching_payload(row: dict[str, Any], key: str) -> bool:
    return bool(
        row["payload_hash"]
        == payload_hash_of_row(
            {name: row[f"payload__{name}"] for name in _SALTED_PAYLOAD_FIELDS}, key
        )
    )
