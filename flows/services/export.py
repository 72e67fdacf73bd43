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

from flows.cells import BYTE_ORDER_MARK, cell
from flows.masking import masked, masked_note
from flows.models import AuditEvent, Result, Stage
from flows.services import audit
from flows.services.audit import Actor, Payload
from flows.services.seal import PAYLOAD, PAYLOAD_IF_SET, SEALED, SEALED_IF_SET, canonical

ACTION: Final = "audit.export"
FORMATS: Final = ("ndjson", "csv")
EXPORTED: Final = (*SEALED, *SEALED_IF_SET, "hash", *PAYLOAD, "erased_at", *PAYLOAD_IF_SET)
BATCH: Final = 500
_COLUMNS: Final = (
    *SEALED, *SEALED_IF_SET, "hash", *(f"payload__{name}" for name in (*PAYLOAD, "erased_at", *PAYLOAD_IF_SET)),
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
            batch = [dict(zip(EXPORTED, row, strict=True)) for row in found.values_list(*_COLUMNS)[:BATCH]]
            yield from map(_masked, batch)
            if len(batch) < BATCH:
                return
            after = batch[-1]["seq"]

    def lines(self, rows: Iterable[dict[str, Any]] | None = None) -> Iterator[str]:
        """The file's text, an event at a time. `rows` are its own, perhaps watched on their way."""
        return (_ndjson if self.form == "ndjson" else _csv)(self.rows() if rows is None else rows)


def begin(
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
        through = audit.last_seq() + 1
        by = None if filters is None else dict(filters)
        return Payload(requested={"format": form, "filters": by, "after": after, "through": through})

    event = audit.append(
        action=ACTION,
        stage=Stage.ACCESS,
        result=Result.SUCCEEDED,
        actor=actor,
        reason=f"{form}, {'all events' if filters is None else 'filtered events'} after {after}",
        payload=asked,
    )
    return Export(form, chosen[0], after, event.seq)


def _masked(row: dict[str, Any]) -> dict[str, Any]:
    """By the rules of today, as pages show it: an older version may have recorded what they mask."""
    bodies = {name: masked(row[name]) for name in (*PAYLOAD, *PAYLOAD_IF_SET)}
    return row | bodies | {"reason": masked_note(row["reason"])}


def _ndjson(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """One event a line, in the chain's own spelling."""
    for row in rows:
        yield canonical(row).decode() + "\n"


def _csv(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """A header and one event a line. A cell that a spreadsheet would take for a formula is made harmless."""
    buffer = io.StringIO()
    buffer.write(BYTE_ORDER_MARK)
    writer = csv.writer(buffer)
    writer.writerow(EXPORTED)
    for row in rows:
        yield _emptied(buffer)
        writer.writerow([cell(row[name]) for name in EXPORTED])
    yield _emptied(buffer)


def _emptied(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
