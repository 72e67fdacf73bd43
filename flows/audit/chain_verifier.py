"""Verification of the events themselves: order, hashes, payloads and erasures."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any, Final

from flows.audit.chain import (
    GENESIS,
    HASHED_FIELDS,
    OPTIONAL_HASHED_FIELDS,
    OPTIONAL_PAYLOAD_FIELDS,
    PAYLOAD_FIELDS,
    audit_keys,
    event_hash_of_row,
    payload_hash_of_row,
)
from flows.audit.consistency import DerivedTable
from flows.audit.log_actions import AuditAction
from flows.audit.models import AuditEvent, Result

BATCH_SIZE: Final = 1000
_SALTED_PAYLOAD_FIELDS: Final = ("salt", *PAYLOAD_FIELDS, *OPTIONAL_PAYLOAD_FIELDS)
_ROW_FIELDS: Final = (
    *HASHED_FIELDS,
    *OPTIONAL_HASHED_FIELDS,
    "hash",
    *(f"payload__{name}" for name in (*_SALTED_PAYLOAD_FIELDS, "erased_at")),
)


class ChainVerifier:
    """One pass over the chain, which also feeds the checks of derived tables.

    Keys may only be replaced by later ones. So nobody with an old key can add to the later part of
    the chain, or change the earlier part unnoticed.
    """

    def __init__(self, checks: Sequence[DerivedTable] = ()) -> None:
        self.checks = checks
        self.count = 0  # events verified so far
        self.previous_hash = GENESIS
        self.keys = audit_keys()  # keys that may still occur, oldest first
        self.erasures = _ErasureIndex()

    def verify(
        self, end: int, end_hash: str, head: dict[str, Any] | None
    ) -> tuple[int, str] | None:
        """Return the seq and a description of the first violation up to `end`, or None.

        `end_hash` is the hash that the event `end` must have. `head` is a signed checkpoint.
        """
        before_first = AuditEvent.objects.filter(seq__lt=1).order_by("seq")
        stray_seq = before_first.values_list("seq", flat=True).first()
        if stray_seq is not None:
            return stray_seq, "comes before the first event of the chain"
        checkpoint = head or {"seq": 0, "hash": GENESIS}
        for row in _iter_rows(end):
            fault = self._check_next(row, checkpoint)
            if fault:
                return self.count + 1, fault
            self._accept(row)
        fault = self._describe_missing_end(end, end_hash, checkpoint)
        return (self.count + 1, fault) if fault else None

    def _check_next(self, row: dict[str, Any], checkpoint: dict[str, Any]) -> str:
        """Return the violation of the event that should come next, or ""."""
        if row["seq"] != self.count + 1:
            return "is missing"
        fault = self._describe_violation(row)
        if not fault and checkpoint["seq"] == row["seq"] and checkpoint["hash"] != row["hash"]:
            return "does not match the signed checkpoint"
        return fault

    def _accept(self, row: dict[str, Any]) -> None:
        """Move on past an intact event."""
        self.count, self.previous_hash = row["seq"], row["hash"]
        for check in self.checks:
            check.follow(row)

    def _describe_missing_end(self, end: int, end_hash: str, checkpoint: dict[str, Any]) -> str:
        """Return the violation of a log that ends too early, or ""."""
        if checkpoint["seq"] > self.count:
            return "is missing, but the signed checkpoint includes it"
        if (end, end_hash) != (self.count, self.previous_hash):
            return "is missing, but the end of the chain refers to it"
        return ""

    def _describe_violation(self, row: dict[str, Any]) -> str:
        """Return the violation of an event, or "" if it is intact."""
        if row["previous_hash"] != self.previous_hash:
            return "does not link to the event before it"
        key = _find_event_key(row)
        if key is None:
            return "does not match its hash"
        if key not in self.keys:
            return "is hashed with a key that was replaced earlier"
        self.keys = self.keys[self.keys.index(key) :]
        return self._describe_payload_violation(row, key)

    def _describe_payload_violation(self, row: dict[str, Any], key: str) -> str:
        if row["payload__salt"] is None:
            return "has no payload"
        if row["payload__erased_at"] is None:
            is_valid = _has_matching_payload(row, key)
            return "" if is_valid else "has a payload that does not match its hash"
        if any(row[f"payload__{name}"] not in ("", None) for name in _SALTED_PAYLOAD_FIELDS):
            return "has a payload that is marked as erased but is not empty"
        if not self.erasures.covers(row["seq"]):
            return "has an empty payload, but no erasure of it is logged"
        return ""


class _ErasureIndex:
    """Erased events by the log's own erasure events, which come after them and have valid hashes.

    It is loaded at the first erased payload, and updated where a new erasure may have come since.
    """

    def __init__(self) -> None:
        self._loaded_seq = 0
        # Seq of the erasure, and the first and last seqs of its ranges, ascending.
        self._erasures: list[tuple[int, list[int], list[int]]] = []

    def covers(self, seq: int) -> bool:
        """Return True if a logged erasure names this event."""
        if self._find(seq):
            return True
        self._load_new_events()
        return self._find(seq)

    def _find(self, seq: int) -> bool:
        for erasure_seq, firsts, lasts in self._erasures:
            index = bisect_right(firsts, seq) - 1
            if erasure_seq > seq and index >= 0 and seq <= lasts[index]:
                return True
        return False

    def _load_new_events(self) -> None:
        """Load the intact erasure events after the last one that was loaded."""
        events = AuditEvent.objects.filter(
            action=AuditAction.ERASE, result=Result.SUCCEEDED, seq__gt=self._loaded_seq
        )
        for row in events.order_by("seq").values(*_ROW_FIELDS):
            self._loaded_seq = row["seq"]
            key = _find_event_key(row)
            if key is not None and _has_matching_payload(row, key):
                ranges = row["payload__requested"]["events"]
                firsts = [first for first, _ in ranges]
                lasts = [last for _, last in ranges]
                self._erasures.append((row["seq"], firsts, lasts))


def _iter_rows(end: int) -> Iterator[dict[str, Any]]:
    """Yield the chain's rows in order.

    They are read in batches. One long statement would block the database's vacuuming, and
    PostgreSQL would copy the whole result first.
    """
    after = 0
    while True:
        events = AuditEvent.objects.filter(seq__gt=after, seq__lte=end).order_by("seq")
        batch = list(events.values(*_ROW_FIELDS)[:BATCH_SIZE])
        yield from batch
        if len(batch) < BATCH_SIZE:
            return
        after = batch[-1]["seq"]


def _find_event_key(row: dict[str, Any]) -> str | None:
    """Return the key of an event's hash, or None if no key matches."""
    for key in reversed(audit_keys()):
        if event_hash_of_row(row, key) == row["hash"]:
            return key
    return None


def _has_matching_payload(row: dict[str, Any], key: str) -> bool:
    values = {name: row[f"payload__{name}"] for name in _SALTED_PAYLOAD_FIELDS}
    return bool(row["payload_hash"] == payload_hash_of_row(values, key))
