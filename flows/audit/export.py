"""Exports of the log as NDJSON or CSV, in the order of the chain.

An export is logged before its first line is written. Its own event is the last one it can contain.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import QuerySet

from flows.audit import audit_log
from flows.audit.actions import CHANGES, EVERY_EVENT, AuditAction
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
from flows.redaction.redacted import redact_fields

FORMATS: Final = ("ndjson", "csv")
BATCH_SIZE: Final = 500
_PAYLOAD_COLUMNS: Final = (*PAYLOAD_FIELDS, "erased_at", *OPTIONAL_PAYLOAD_FIELDS)
_QUERY_COLUMNS: Final = (
    *HASHED_FIELDS,
    *OPTIONAL_HASHED_FIELDS,
    "hash",
    *(f"payload__{name}" for name in _PAYLOAD_COLUMNS),
)
# In the order of `_QUERY_COLUMNS`.
EXPORT_FIELDS: Final = (*HASHED_FIELDS, *OPTIONAL_HASHED_FIELDS, "hash", *_PAYLOAD_COLUMNS)


@dataclass(frozen=True, slots=True)
class Export:
    """A logged export of those `events` that come after the seq `after`, up to the seq `through`.

    The next export continues after `through`.
    """

    form: str
    events: QuerySet[AuditEvent]
    after: int
    through: int

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield one dict for each event in order, with its payload. Memory stays flat."""
        after = self.after
        while True:
            events = self.events.filter(seq__gt=after, seq__lte=self.through).order_by("seq")
            rows = events.values_list(*_QUERY_COLUMNS)[:BATCH_SIZE]
            batch = [dict(zip(EXPORT_FIELDS, row, strict=True)) for row in rows]
            yield from map(_mask_row, batch)
            if len(batch) < BATCH_SIZE:
                return
            after = batch[-1]["seq"]

    def lines(self, rows: Iterable[dict[str, Any]] | None = None) -> Iterator[str]:
        """Return the file's text, one event at a time.

        `rows` are the export's own rows, which a caller may wrap to count them.
        """
        exported_rows = self.rows() if rows is None else rows
        is_json = self.form == "ndjson"
        return _ndjson_lines(exported_rows) if is_json else _csv_lines(exported_rows)


def start_export(
    *,
    form: str,
    actor: Actor,
    after: int = 0,
    has_every_event: bool = True,
    filters: Mapping[str, str | int] | None = None,
    events: Callable[[], QuerySet[AuditEvent]] = AuditEvent.objects.all,
    reason: str = "",
) -> Export:
    """Log an export and return it. Raises `NotRecorded`; then nothing may be exported.

    `events` is called while nothing can be appended, so that filters by open changes hold at the
    export's own event. `filters` are logged; None means the whole log. `has_every_event` is False
    for one line per change.
    """
    with audit_log.transaction() as log:
        selection = events()
        requested = {
            "format": form,
            "content": EVERY_EVENT if has_every_event else CHANGES,
            "filters": None if filters is None else dict(filters),
            "after": after,
            "through": log.last_seq + 1,
        }
        event = log.append(
            action=AuditAction.EXPORT,
            stage=Stage.ACCESS,
            result=Result.SUCCEEDED,
            actor=actor,
            reason=reason,
            payload=Payload(requested=redact_fields(requested)),
        )
    return Export(form, selection, after, event.seq)


def _mask_row(row: dict[str, Any]) -> dict[str, Any]:
    """Mask a row by today's rules, as pages do. An older version may have masked less."""
    bodies = {name: redact(row[name]) for name in (*PAYLOAD_FIELDS, *OPTIONAL_PAYLOAD_FIELDS)}
    return row | bodies | {"reason": redact_note(row["reason"])}


def _ndjson_lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield one event a line, as canonical JSON."""
    for row in rows:
        yield canonical_json(row).decode() + "\n"


def _csv_lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield a header, then one event a line. Cells that look like formulas are escaped."""
    buffer = io.StringIO()
    buffer.write(BYTE_ORDER_MARK)
    writer = csv.writer(buffer)
    writer.writerow(EXPORT_FIELDS)
    for row in rows:
        yield _drain(buffer)
        writer.writerow([to_csv_cell(row[name]) for name in EXPORT_FIELDS])
    yield _drain(buffer)


def _drain(buffer: io.StringIO) -> str:
    """Return the text of a buffer and empty it."""
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
