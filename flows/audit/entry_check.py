"""The table behind the log's list, compared with the log: a walk of the log says what each entry must
hold."""

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
from flows.audit.log_entries import BATCH_SIZE, COLUMNS, expected_entries, rows_between
from flows.audit.models import AuditEntry, AuditEvent, ChainHead

MAX_SUSPECT_RANGES: Final = 1000  # stretches that are read once more; one with a fault is enough
_COLUMNS_STORED_AS_TEXT: Final = (
    "at",
    "change_id",
    "request_id",
)  # SQLite searches by how these are spelt, so it is compared
_COLUMN_LABELS: Final = {
    "outcome_id": "outcome",
    "actor_label": "actor",
    "resolved_by": "resolver",
    "text": "search text",
}

EventRow = Mapping[str, Any]
EntryRows = dict[int, tuple[Any, ...]]  # what entries hold, by their places


@dataclass(slots=True)
class LogEntryCheck:
    """Compare the table with the log as a walk passes it, a stretch at a time, so that memory stays flat.
    What differs is read once more in the end, while nobody can append."""

    _suspects: list[tuple[int, int]] = field(default_factory=list)
    _rows: list[EventRow] = field(default_factory=list)

    def follow(self, row: EventRow) -> None:
        """Take the next event of the walk, with its payload."""
        self._rows.append(row)
        if len(self._rows) >= BATCH_SIZE:
            self._compare()

    def fault(self, end: int) -> tuple[int, str] | None:
        """Return the place of the first entry that differs from the log, and what differs."""
        self._compare()
        if self._suspects:
            with transaction.atomic():
                list(ChainHead.objects.select_for_update().filter(name=audit_log.CHAIN_NAME))
                for first, last in self._suspects:
                    rows = rows_between(first, last)
                    if found := _first_violation(_expected_rows(rows), _stored_rows(first, last)):
                        return found
        return _orphan_violation(end)

    def _compare(self) -> None:
        if not self._rows:
            return
        first, last = self._rows[0]["seq"], self._rows[-1]["seq"]
        is_full = len(self._suspects) >= MAX_SUSPECT_RANGES
        if not is_full and _expected_rows(self._rows) != _stored_rows(first, last):
            self._suspects.append((first, last))
        self._rows = []


def _expected_rows(rows: list[EventRow]) -> EntryRows:
    return {
        held["start_id"]: tuple(_to_stored_value(held[name]) for name in COLUMNS)
        for held in expected_entries(rows)
    }


def _stored_rows(first: int, last: int) -> EntryRows:
    spelt = _COLUMNS_STORED_AS_TEXT if connection.vendor == "sqlite" else ()
    stored = {f"stored_{name}": Cast(name, CharField()) for name in spelt}
    columns = [f"stored_{name}" if name in spelt else name for name in COLUMNS]
    entries = AuditEntry.objects.annotate(**stored).filter(pk__gte=first, pk__lte=last)
    return {row[0]: row for row in entries.values_list(*columns)}


def _to_stored_value(value: Any) -> Any:
    if connection.vendor != "sqlite":
        return value
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value.hex if isinstance(value, uuid.UUID) else value


def _first_violation(expected_rows: EntryRows, stored_rows: EntryRows) -> tuple[int, str] | None:
    for place in sorted({*expected_rows, *stored_rows}):
        expected, stored = expected_rows.get(place), stored_rows.get(place)
        if stored is None:
            return place, "starts an entry that is missing from the log's list"
        if expected is None:
            return place, "starts no entry, but the log's list has one for it"
        for name, said, held in zip(COLUMNS, expected, stored, strict=True):
            if said != held:
                word = _COLUMN_LABELS.get(name, name.replace("_", " "))
                return place, f"has a different {word} in the log's list"
    return None


def _orphan_violation(end: int) -> tuple[int, str] | None:
    """An entry outside of the log."""
    outside = AuditEntry.objects.filter(Q(pk__lt=1) | Q(pk__gt=end))
    outside = outside.exclude(Exists(AuditEvent.objects.filter(seq=OuterRef("start_id"))))
    place = outside.order_by("start_id").values_list("pk", flat=True).first()
    return None if place is None else (place, "is not in the log, but the log's list has it")
