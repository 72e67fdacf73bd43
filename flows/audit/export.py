"""The log as a file: NDJSON or CSV, in the order of the chain, from one `seq` to another. An export is on record
before its first line is given; its own record is the last event that it can hold.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import QuerySet

from flows.audit import audit_log
from flows.audit.audit_log import Actor, Payload
from flows.audit.chain import (
    HASHED_FIELDS,
    OPTIONAL_HASHED_FIELDS,
    OPTIONAL_PAYLOAD_FIELDS,
    PAYLOAD_FIELDS,
    canonical_json,
)
from flows.audit.models import AuditEvent, Result, Stage
from flows.core.csv_cells import BYTE_ORDER_MARK, to_csv_cell
from flows.redaction.masking import redact, redact_note

EXPORT_ACTION: Final = "audit.export"
FORMATS: Final = ("ndjson", "csv")
EXPORT_FIELDS: Final = (
    *HASHED_FIELDS,
    *OPTIONAL_HASHED_FIELDS,
    "hash",
    *PAYLOAD_FIELDS,
    "erased_at",
    *OPTIONAL_PAYLOAD_FIELDS,
)
BATCH_SIZE: Final = 500
_QUERY_COLUMNS: Final = (
    *HASHED_FIELDS, *OPTIONAL_HASHED_FIELDS, "hash", *(f"payload__{name}" for name in (*PAYLOAD_FIELDS, "erased_at", *OPTIONAL_PAYLOAD_FIELDS)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Export:
    """An export that is on record: those of `events` that come after `after`, up to `through`. What is appended
    later is left to the next one, which goes on after `through`."""

    form: str
    events: QuerySet[AuditEvent]
    after: int
    through: int

    def rows(self) -> Iterator[dict[str, Any]]:
        """The events in order, one dict each, payload included, with flat memory."""
        after = self.after
        while True:
            found = self.events.filter(seq__gt=after, seq__lte=self.through).order_by("seq")
            batch = [
                dict(zip(EXPORT_FIELDS, row, strict=True))
                for row in found.values_list(*_QUERY_COLUMNS)[:BATCH_SIZE]
            ]
            yield from map(_mask_row, batch)
            if len(batch) < BATCH_SIZE:
                return
            after = batch[-1]["seq"]

    def lines(self, rows: Iterable[dict[str, Any]] | None = None) -> Iterator[str]:
        """The file's text, an event at a time. `rows` are its own, perhaps watched on their way."""
        return (_ndjson_lines if self.form == "ndjson" else _csv_lines)(
            self.rows() if rows is None else rows
        )


def start_export(
    *,
    form: str,
    actor: Actor,
    after: int = 0,
    filters: Mapping[str, str | int] | None = None,
    events: Callable[[], QuerySet[AuditEvent]] = AuditEvent.objects.all,
) -> Export:
    """Puts an export on record and gives it. `events` is asked while nobody can append, so that what is open counts
    as of this export's own event; `filters` say what they are chosen by, None for all. What can't be recorded raises
    `NotRecorded`, and nothing is exported."""
    chosen: list[QuerySet[AuditEvent]] = []

    def asked() -> Payload:
        chosen.append(events())
        through = audit_log.last_seq() + 1
        by = None if filters is None else dict(filters)
        return Payload(
            requested={"format": form, "filters": by, "after": after, "through": through}
        )

    event = audit_log.append(
        action=EXPORT_ACTION,
        stage=Stage.ACCESS,
        result=Result.SUCCEEDED,
        actor=actor,
        reason=f"{form}, {'all events' if filters is None else 'filtered events'} after {after}",
        payload=asked,
    )
    return Export(form, chosen[0], after, event.seq)


def _mask_row(row: dict[str, Any]) -> dict[str, Any]:
    """By the rules of today, as pages show it: an older version may have recorded what they mask."""
    bodies = {name: redact(row[name]) for name in (*PAYLOAD_FIELDS, *OPTIONAL_PAYLOAD_FIELDS)}
    return row | bodies | {"reason": redact_note(row["reason"])}


def _ndjson_lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """One event a line, in the chain's own spelling."""
    for row in rows:
        yield canonical_json(row).decode() + "\n"


def _csv_lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """A header and one event a line. A cell that a spreadsheet would take for a formula is made harmless."""
    buffer = io.StringIO()
    buffer.write(BYTE_ORDER_MARK)
    writer = csv.writer(buffer)
    writer.writerow(EXPORT_FIELDS)
    for row in rows:
        yield _drain(buffer)
        writer.writerow([to_csv_cell(row[name]) for name in EXPORT_FIELDS])
    yield _drain(buffer)


def _drain(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
