"""The log as evidence: walks the chain and names the first event that is not as it was sealed, holds the table of
open changes against it, and signs the chain's head. Each verification is an event itself. Exports are export.py's.
"""

from __future__ import annotations

import hmac
import json
import time
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.db import connection
from django.utils import timezone

from flows.models import AuditEvent, AuditPayload, ChainHead, Result, Stage
from flows.services import audit, consistency
from flows.services.audit import Actor, NotRecorded, Payload
from flows.services.log_recount import Entries
from flows.services.recount import Days, OpenChanges, OpenDrifts, ReadOnlyAccounts
from flows.services.seal import (
    GENESIS,
    PAYLOAD,
    PAYLOAD_IF_SET,
    SEALED,
    SEALED_IF_SET,
    canonical,
    event_hash,
    keys,
    payload_hash,
    sealed_payload,
    sealed_row,
)
from flows.services.stored_values import OddValue, odd_values

VERIFY: Final = "audit.verify"
ERASE: Final = "audit.erase"
BATCH: Final = 1000
LONGEST_HEAD: Final = 2000  # characters; one has some 250
_BODY: Final = ("salt", *PAYLOAD, *PAYLOAD_IF_SET)
_ROW: Final = (*SEALED, *SEALED_IF_SET, "hash", *(f"payload__{name}" for name in (*_BODY, "erased_at")))


@dataclass(frozen=True, slots=True)
class Verdict:
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
        return " ".join([self._of_the_chain(), *self.table_faults])

    def _of_the_chain(self) -> str:
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
class Verification:
    """A verification on record. `said` is what it found; `since` counts the events that came after its end."""

    event: AuditEvent
    said: dict[str, Any]
    since: int
    is_intact: bool

    @property
    def found_nothing_wrong(self) -> bool:
        return self.said.get("bad_seq") is None and not self.said.get("table_faults")


def verify(*, head: dict[str, Any] | None = None) -> Verdict:
    """Walks the whole chain in one pass, with flat memory. With a `head` that was signed earlier and kept
    elsewhere, it also finds a tail that was cut off and a chain that was written anew."""
    started = time.monotonic()
    # The head is read first: what is appended during the walk is the next one's business.
    kept = ChainHead.objects.filter(name=audit.HEAD).first()
    end, end_hash = (kept.seq, kept.hash) if kept else (0, GENESIS)
    odd = odd_values()
    walk = _Walk()
    found = None if _has_odd_numbers(odd) else _first_fault(walk, end, end_hash, head)
    bad, fault = found or _fault_of_spelling(odd) or (None, "")
    table_faults = tuple(dict.fromkeys([*map(str, odd), *consistency.violations()]))
    return Verdict(walk.count, end, bad, fault, time.monotonic() - started, table_faults)


def verify_on_record(
    *, actor: Actor, head: dict[str, Any] | None = None
) -> tuple[Verdict, AuditEvent | None]:
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
        event = audit.append(
            action=VERIFY,
            stage=Stage.ACCESS,
            result=Result.SUCCEEDED if verdict.is_intact else Result.FAILED,
            actor=actor,
            reason=str(verdict),
            payload=Payload(after=said),
        )
    except NotRecorded:
        return verdict, None
    return verdict, event


def last_verification() -> Verification | None:
    """The last one on record, by command or page. Not `is_intact`: the record of it was tampered with."""
    told = AuditEvent.objects.filter(action=VERIFY, result__in=(Result.SUCCEEDED, Result.FAILED))
    event = told.select_related("payload").order_by("-seq").first()
    if event is None:
        return None
    body = getattr(event, "payload", None) or AuditPayload()
    is_intact = any(
        event_hash(event, key) == event.hash and payload_hash(body, key) == event.payload_hash
        for key in keys()
    )
    said = body.after if is_intact and body.after else {}
    since = audit.last_seq() - said.get("through", 0) - 1  # without the record of it
    return Verification(event, said, max(0, since), is_intact)


def signed_head() -> dict[str, Any]:
    """The chain's end as it is now, to be kept where this site's people can't write."""
    row = ChainHead.objects.filter(name=audit.HEAD).first()
    seq, last = (row.seq, row.hash) if row else (0, GENESIS)
    said = {"seq": seq, "hash": last, "at": timezone.now().isoformat(timespec="microseconds")}
    return {**said, "signature": _signature(said, settings.AUDIT_KEY)}


def read_head(text: str) -> dict[str, Any] | None:
    """A signed head as it was kept; None if it is not one of this site's, or not as it was signed."""
    try:
        head = json.loads(text) if len(text) <= LONGEST_HEAD else None
        return head if isinstance(head, dict) and is_ours(head) else None
    except (ValueError, RecursionError):
        return None


def is_ours(head: dict[str, Any]) -> bool:
    """Whether a signed head is one of this site's and as it was signed."""
    said = {name: head.get(name) for name in ("seq", "hash", "at")}
    signature = str(head.get("signature", "")).encode()
    return isinstance(head.get("seq"), int) and any(
        hmac.compare_digest(signature, _signature(said, key).encode()) for key in keys()
    )


def _first_fault(walk: _Walk, end: int, end_hash: str, head: dict[str, Any] | None) -> tuple[int, str] | None:
    """The first fault of the chain, or else of the tables that follow from it. None, too, where a value can't be read:
    then it is odd."""
    try:
        of_the_chain = walk.to(end, end_hash, head) or _beyond_the_head()
        if of_the_chain:
            return of_the_chain
        return next(filter(None, (recount.fault(end) for recount in walk.recounts)), None)
    except (ValueError, TypeError):
        if connection.vendor != "sqlite":
            raise
        return None


def _has_odd_numbers(odd: list[OddValue]) -> bool:
    """Return True if a place in the log is no number, so that "before" and "after" mean nothing."""
    numbers = {("flows_auditevent", "seq"), ("flows_chainhead", "seq")}
    return any((value.table, value.column) in numbers for value in odd)


def _fault_of_spelling(odd: list[OddValue]) -> tuple[int, str] | None:
    """The first event with a value that reads the same and is found by no query."""
    of_events = [value for value in odd if value.table == "flows_auditevent" and isinstance(value.key, int)]
    if not of_events:
        return None
    first = min(of_events, key=lambda value: int(value.key))
    return int(first.key), f"has an invalid value in {first.column}"


class _Walk:
    """One pass over the chain. It keeps how far it came, the last seal and its key, and what the tables beside the log
    should have by then. A key that was replaced seals nothing any more: whoever has it can't add to what came later, nor change what came before.
    """

    def __init__(self) -> None:
        self.count, self.previous = 0, GENESIS
        self.keys = keys()  # those that may come, the next one first
        self.erasures = _Erasures()
        self.recounts = (OpenChanges(), Days(), OpenDrifts(), ReadOnlyAccounts(), Entries())

    def to(self, end: int, end_hash: str, head: dict[str, Any] | None) -> tuple[int, str] | None:
        stray = AuditEvent.objects.filter(seq__lt=1).order_by("seq").values_list("seq", flat=True).first()
        if stray is not None:
            return stray, "comes before the first event of the chain"
        for row in _rows(end):
            if row["seq"] != self.count + 1:
                return self.count + 1, "is missing"
            if fault := self._fault_of(row):
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

    def _fault_of(self, row: dict[str, Any]) -> str:
        if row["previous_hash"] != self.previous:
            return "does not link to the event before it"
        key = _key_of(row)
        if key is None:
            return "does not match its hash"
        if key not in self.keys:
            return "is hashed with a key that was replaced earlier"
        self.keys = self.keys[self.keys.index(key) :]
        if row["payload__salt"] is None:
            return "has no payload"
        if row["payload__erased_at"] is None:
            return "" if _has_its_payload(row, key) else "has a payload that does not match its hash"
        if any(row[f"payload__{name}"] not in ("", None) for name in _BODY):
            return "has a payload that is marked as erased but is not empty"
        if not self.erasures.tell_of(row["seq"]):
            return "has an empty payload, but no erasure of it is logged"
        return ""


class _Erasures:
    """Which payloads were erased, by the events that say so: each later than what it erased, and as it was sealed.
    They are read when the first erased payload comes, and once more where a new one may have come meanwhile."""

    def __init__(self) -> None:
        self._read = 0
        self._said: list[tuple[int, list[int], list[int]]] = []

    def tell_of(self, seq: int) -> bool:
        if self._name(seq):
            return True
        self._read_on()
        return self._name(seq)

    def _name(self, seq: int) -> bool:
        for eraser, firsts, lasts in self._said:
            place = bisect_right(firsts, seq) - 1
            if eraser > seq and place >= 0 and seq <= lasts[place]:
                return True
        return False

    def _read_on(self) -> None:
        events = AuditEvent.objects.filter(action=ERASE, result=Result.SUCCEEDED, seq__gt=self._read)
        for row in events.order_by("seq").values(*_ROW):
            self._read = row["seq"]
            key = _key_of(row)
            if key is not None and _has_its_payload(row, key):
                ranges = row["payload__requested"]["events"]
                self._said.append((row["seq"], [first for first, _ in ranges], [last for _, last in ranges]))


def _rows(end: int) -> Iterator[dict[str, Any]]:
    """The chain's rows in order, a page at a time: a statement that stays open would hold up the database's own
    tidying, and on PostgreSQL it would first copy everything."""
    after = 0
    while True:
        events = AuditEvent.objects.filter(seq__gt=after, seq__lte=end).order_by("seq")
        page = list(events.values(*_ROW)[:BATCH])
        yield from page
        if len(page) < BATCH:
            return
        after = page[-1]["seq"]


def _beyond_the_head() -> tuple[int, str] | None:
    # In this order: an event and its head are committed together, so the head is never behind.
    newest = AuditEvent.objects.order_by("-seq").values_list("seq", flat=True).first() or 0
    last = audit.last_seq()
    if newest <= last:
        return None
    beyond = AuditEvent.objects.filter(seq__gt=last).order_by("seq").values_list("seq", flat=True)
    return beyond[0], "comes after the end of the chain"


def _key_of(row: dict[str, Any]) -> str | None:
    """The key that an event is sealed with."""
    return next((key for key in reversed(keys()) if sealed_row(row, key) == row["hash"]), None)


def _has_its_payload(row: dict[str, Any], key: str) -> bool:
    return bool(row["payload_hash"] == sealed_payload({name: row[f"payload__{name}"] for name in _BODY}, key))


def _signature(said: dict[str, Any], key: str) -> str:
    return hmac.new(key.encode(), b"head:" + canonical(said), "sha256").hexdigest()
