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

from flows.models import AuditEntry, AuditEvent, ChainHead
from flows.services import audit
from flows.services.log_entries import BATCH, COLUMNS, derived, rows_between

MOST_SUSPECTS: Final = 1000  # stretches that are read once more; one with a fault is enough
_SPELT: Final = ("at", "change_id", "request_id")  # SQLite searches by how these are spelt, so it is compared
_WORDS: Final = {
    "outcome_id": "outcome",
    "actor_label": "actor",
    "resolved_by": "resolver",
    "text": "search text",
}

Row = Mapping[str, Any]
Held = dict[int, tuple[Any, ...]]  # what entries hold, by their places


@dataclass(slots=True)
class Entries:
    """Compare the table with the log as a walk passes it, a stretch at a time, so that memory stays flat.
    What differs is read once more in the end, while nobody can append."""

    _suspects: list[tuple[int, int]] = field(default_factory=list)
    _rows: list[Row] = field(default_factory=list)

    def follow(self, row: Row) -> None:
        """Take the next event of the walk, with its payload."""
        self._rows.append(row)
        if len(self._rows) >= BATCH:
            self._compare()

    def fault(self, end: int) -> tuple[int, str] | None:
        """Return the place of the first entry that differs from the log, and what differs."""
        self._compare()
        if self._suspects:
            with transaction.atomic():
                list(ChainHead.objects.select_for_update().filter(name=audit.HEAD))
                for first, last in self._suspects:
                    rows = rows_between(first, last)
                    if found := _fault(_by_the_log(rows), _by_the_table(first, last)):
                        return found
        return _stray(end)

    def _compare(self) -> None:
        if not self._rows:
            return
        first, last = self._rows[0]["seq"], self._rows[-1]["seq"]
        is_full = len(self._suspects) >= MOST_SUSPECTS
        if not is_full and _by_the_log(self._rows) != _by_the_table(first, last):
            self._suspects.append((first, last))
        self._rows = []


def _by_the_log(rows: list[Row]) -> Held:
    return {held["start_id"]: tuple(_as_stored(held[name]) for name in COLUMNS) for held in derived(rows)}


def _by_the_table(first: int, last: int) -> Held:
    spelt = _SPELT if connection.vendor == "sqlite" else ()
    stored = {f"stored_{name}": Cast(name, CharField()) for name in spelt}
    columns = [f"stored_{name}" if name in spelt else name for name in COLUMNS]
    entries = AuditEntry.objects.annotate(**stored).filter(pk__gte=first, pk__lte=last)
    return {row[0]: row for row in entries.values_list(*columns)}


def _as_stored(value: Any) -> Any:
    if connection.vendor != "sqlite":
        return value
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value.hex if isinstance(value, uuid.UUID) else value


def _fault(by_the_log: Held, by_the_table: Held) -> tuple[int, str] | None:
    for place in sorted({*by_the_log, *by_the_table}):
        expected, stored = by_the_log.get(place), by_the_table.get(place)
        if stored is None:
            return place, "starts an entry that is missing from the log's list"
        if expected is None:
            return place, "starts no entry, but the log's list has one for it"
        for name, said, held in zip(COLUMNS, expected, stored, strict=True):
            if said != held:
                word = _WORDS.get(name, name.replace("_", " "))
                return place, f"has a different {word} in the log's list"
    return None


def _stray(end: int) -> tuple[int, str] | None:
    """An entry outside of the log."""
    outside = AuditEntry.objects.filter(Q(pk__lt=1) | Q(pk__gt=end))
    outside = outside.exclude(Exists(AuditEvent.objects.filter(seq=OuterRef("start_id"))))
    place = outside.order_by("start_id").values_list("pk", flat=True).first()
    return None if place is None else (place, "is not in the log, but the log's list has it")
