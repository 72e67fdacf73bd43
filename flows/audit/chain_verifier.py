"""Verification of the events themselves: order, hashes, payloads and erasures."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Final, NamedTuple

from flows.audit.actions import AuditAction
from flows.audit.chain import (
    GENESIS,
    HASHED_FIELDS,
    OPTIONAL_HASHED_FIELDS,
    OPTIONAL_PAYLOAD_FIELDS,
    PAYLOAD_FIELDS,
    audit_keys,
    find_event_key,
    payload_hash_of_row,
)
from flows.audit.consistency import DerivedTable, Violation
from flows.audit.event_batches import iter_batches
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

    def verify(self, end: int, end_hash: str, head: dict[str, Any] | None) -> Violation | None:
        """Return the first violation up to the event `end`, or None.

        `end_hash` is the hash that the event `end` must have. `head` is a signed checkpoint.
        """
        before_first = AuditEvent.objects.filter(seq__lt=1).order_by("seq")
        stray_seq = before_first.values_list("seq", flat=True).first()
        if stray_seq is not None:
            return stray_seq, "comes before the first event of the chain"
        checkpoint = head or {"seq": 0, "hash": GENESIS}
        events = AuditEvent.objects.filter(seq__lte=end)
        batches = iter_batches(events, *_ROW_FIELDS, size=BATCH_SIZE)
        try:
            for row in itertools.chain.from_iterable(batches):
                self._check_next(row, checkpoint)
                self._accept(row)
            self._check_end(end, end_hash, checkpoint)
        except _BrokenChain as error:
            return self.count + 1, str(error)
        return None

    def _check_next(self, row: dict[str, Any], checkpoint: dict[str, Any]) -> None:
        """Check the event that should come next. Raises `_BrokenChain`."""
        if row["seq"] != self.count + 1:
            raise _BrokenChain("is missing")
        try:
            self._check_event(row)
        except (ValueError, TypeError):  # such as NaN, which has no hash
            raise _BrokenChain("has a value that can't be read") from None
        if checkpoint["seq"] == row["seq"] and checkpoint["hash"] != row["hash"]:
            raise _BrokenChain("does not match the signed checkpoint")

    def _accept(self, row: dict[str, Any]) -> None:
        """Move on past an intact event."""
        self.count, self.previous_hash = row["seq"], row["hash"]
        for check in self.checks:
            check.follow(row)

    def _check_end(self, end: int, end_hash: str, checkpoint: dict[str, Any]) -> None:
        """Check that the log does not end too early. Raises `_BrokenChain`."""
        if checkpoint["seq"] > self.count:
            raise _BrokenChain("is missing, but the signed checkpoint includes it")
        if (end, end_hash) != (self.count, self.previous_hash):
            raise _BrokenChain("is missing, but the end of the chain refers to it")

    def _check_event(self, row: dict[str, Any]) -> None:
        """Check the link, the hash, the key and the payload of an event. Raises `_BrokenChain`."""
        if row["previous_hash"] != self.previous_hash:
            raise _BrokenChain("does not link to the event before it")
        key = find_event_key(row, row["hash"])
        if key is None:
            raise _BrokenChain("does not match its hash")
        if key not in self.keys:
            raise _BrokenChain("is hashed with a key that was replaced earlier")
        self.keys = self.keys[self.keys.index(key) :]
        if row["payload__salt"] is None:
            raise _BrokenChain("has no payload")
        if row["payload__erased_at"] is not None:
            self._check_erased_payload(row)
        elif not _has_matching_payload(row, key):
            raise _BrokenChain("has a payload that does not match its hash")

    def _check_erased_payload(self, row: dict[str, Any]) -> None:
        """Check that an erased payload is empty and its erasure logged. Raises `_BrokenChain`."""
        if not _has_empty_payload(row):
            raise _BrokenChain("has a payload that is marked as erased but is not empty")
        if not self.erasures.covers(row["seq"]):
            raise _BrokenChain("has an empty payload, but no erasure of it is logged")


class _BrokenChain(Exception):
    """An event violates the chain. The message describes it, such as "is missing"."""


class _Erasure(NamedTuple):
    """A logged erasure, with the first and the last seq of each range of events, ascending."""

    seq: int
    ranges: list[list[int]]

    def covers(self, seq: int) -> bool:
        """Return True if the erasure names this event, and comes after it."""
        index = bisect_right(self.ranges, seq, key=itemgetter(0)) - 1
        if index < 0 or self.seq <= seq:
            return False
        _, last = self.ranges[index]
        return seq <= last


class _ErasureIndex:
    """Erased events by the log's own erasure events, which come after them and have valid hashes.

    It is loaded at the first erased payload, and updated where a new erasure may have come since.
    """

    def __init__(self) -> None:
        self._loaded_seq = 0
        self._erasures: list[_Erasure] = []

    def covers(self, seq: int) -> bool:
        """Return True if a logged erasure names this event."""
        if self._is_covered(seq):
            return True
        self._load_new_events()
        return self._is_covered(seq)

    def _is_covered(self, seq: int) -> bool:
        """Return True if an erasure that is loaded names this event."""
        return any(erasure.covers(seq) for erasure in self._erasures)

    def _load_new_events(self) -> None:
        """Load the intact erasure events after the last one that was loaded."""
        events = AuditEvent.objects.filter(
            action=AuditAction.ERASE, result=Result.SUCCEEDED, seq__gt=self._loaded_seq
        )
        for row in events.order_by("seq").values(*_ROW_FIELDS):
            self._loaded_seq = row["seq"]
            key = find_event_key(row, row["hash"])
            if key is not None and _has_matching_payload(row, key):
                ranges = row["payload__requested"]["events"]
                self._erasures.append(_Erasure(row["seq"], ranges))


def _has_empty_payload(row: dict[str, Any]) -> bool:
    """Return True if an erasure has left nothing in the event's payload."""
    columns = [f"payload__{name}" for name in _SALTED_PAYLOAD_FIELDS]
    return all(row[column] in ("", None) for column in columns)


def _has_matching_payload(row: dict[str, Any], key: str) -> bool:
    """Return True if this key made the hash of the event's payload."""
    values = {name: row[f"payload__{name}"] for name in _SALTED_PAYLOAD_FIELDS}
    return bool(row["payload_hash"] == payload_hash_of_row(values, key))
