"""Comparison of `AuditEntry`, the table behind the log's list, with the log."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import CharField, Exists, OuterRef, Q
from django.db.models.functions import Cast

from flows.audit import audit_log
from flows.audit.consistency import Violation, differing_keys
from flows.audit.log_entries import BATCH_SIZE, COLUMNS, expected_entries, rows_between
from flows.audit.models import AuditEntry, AuditEvent, ChainHead

MAX_SUSPECT_RANGES: Final = 1000  # ranges to compare again; one violation is enough
# SQLite searches these columns by their text, so their text is compared.
_COLUMNS_STORED_AS_TEXT: Final = ("at", "change_id", "request_id")
_COLUMN_LABELS: Final = {
    "outcome_id": "outcome",
    "actor_label": "actor",
    "resolved_by": "resolver",
    "text": "search text",
}

EventRow = Mapping[str, Any]
EntryRows = dict[int, tuple[Any, ...]]  # column values by seq of the start


@dataclass(slots=True)
class LogEntryCheck:
    """Comparison in one pass over the log, a batch at a time, so that memory stays flat.

    Ranges that differ are compared again at the end, while nothing can be appended.
    """

    _suspects: list[tuple[int, int]] = field(default_factory=list)
    _rows: list[EventRow] = field(default_factory=list)

    def follow(self, row: EventRow) -> None:
        """Take the next event of the log, with its payload."""
        self._rows.append(row)
        if len(self._rows) >= BATCH_SIZE:
            self._compare()

    def fault(self, end: int) -> Violation | None:
        """Return the first violation up to the event `end`, or None."""
        self._compare()
        return self._confirmed_violation() or _orphan_violation(end)

    def _confirmed_violation(self) -> Violation | None:
        """Compare the ranges that differed again, while nothing can be appended."""
        if not self._suspects:
            return None
        with transaction.atomic():
            list(ChainHead.objects.select_for_update().filter(name=audit_log.CHAIN_NAME))
            for first, last in self._suspects:
                expected = _expected_rows(rows_between(first, last))
                violation = _first_violation(expected, _stored_rows(first, last))
                if violation:
                    return violation
        return None

    def _compare(self) -> None:
        """Compare the batch that was collected, and note its range if it differs."""
        if not self._rows:
            return
        first, last = self._rows[0]["seq"], self._rows[-1]["seq"]
        is_full = len(self._suspects) >= MAX_SUSPECT_RANGES
        if not is_full and _expected_rows(self._rows) != _stored_rows(first, last):
            self._suspects.append((first, last))
        self._rows = []


def _expected_rows(rows: list[EventRow]) -> EntryRows:
    """Return the entries that must start among these events."""
    return {
        values["start_id"]: tuple(_to_stored_value(values[name]) for name in COLUMNS)
        for values in expected_entries(rows)
    }


def _stored_rows(first: int, last: int) -> EntryRows:
    """Return the entries of a range of seqs as the database stores them."""
    entries = AuditEntry.objects.filter(pk__gte=first, pk__lte=last)
    rows = entries.values_list(*map(_stored_column, COLUMNS))
    return {row[0]: row for row in rows}


def _stored_column(name: str) -> str | Cast:
    """Return a column in the form in which SQLite stores it."""
    if connection.vendor == "sqlite" and name in _COLUMNS_STORED_AS_TEXT:
        return Cast(name, CharField())
    return name


def _to_stored_value(value: Any) -> Any:
    """Convert a value to the text that SQLite stores."""
    if connection.vendor != "sqlite":
        return value
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, uuid.UUID):
        return value.hex
    return value


def _first_violation(expected_rows: EntryRows, stored_rows: EntryRows) -> Violation | None:
    """Return the first entry that is not as expected, or None."""
    differing_seqs = differing_keys(expected_rows, stored_rows)
    if not differing_seqs:
        return None
    seq = min(differing_seqs)
    return seq, _describe_difference(expected_rows.get(seq), stored_rows.get(seq))


def _describe_difference(expected: tuple[Any, ...] | None, stored: tuple[Any, ...] | None) -> str:
    """Return a description of an entry that is missing, superfluous or has a wrong column."""
    if stored is None:
        return "starts an entry that is missing from the log's list"
    if expected is None:
        return "starts no entry, but the log's list has one for it"
    return f"has a different {_label_of_difference(expected, stored)} in the log's list"


def _label_of_difference(expected: tuple[Any, ...], stored: tuple[Any, ...]) -> str:
    """Return the label of the first column in which two rows differ."""
    columns = zip(COLUMNS, expected, stored, strict=True)
    name = next(name for name, expected_value, value in columns if value != expected_value)
    return _COLUMN_LABELS.get(name, name.replace("_", " "))


def _orphan_violation(end: int) -> Violation | None:
    """Return the first entry before the log's first event or after `end` that has no event."""
    orphans = AuditEntry.objects.filter(Q(pk__lt=1) | Q(pk__gt=end))
    orphans = orphans.exclude(Exists(AuditEvent.objects.filter(seq=OuterRef("start_id"))))
    seq = orphans.order_by("start_id").values_list("pk", flat=True).first()
    return None if seq is None else (seq, "is not in the log, but the log's list has it")
