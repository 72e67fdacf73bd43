"""Keeps the table behind the log's list: one `AuditEntry` for each change, in the transaction of the event
that moves it.

The table follows from the log. `derived` says what it must hold; `rebuild` writes that, verification compares
it (log_recount.py).
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from django.db.models import Manager, Q

from flows.audit.models import UNIQUE_STAGES, AuditEntry, AuditEvent, AuditPayload, Result, Stage
from flows.audit.search_text import build_search_text

# Sign-ins and users concern the whole site, whatever account stands in the event.
SITE_ACTION_PREFIXES: Final = ("auth.", "people.")
INCONCLUSIVE_RESULTS: Final = (Result.PENDING, Result.UNKNOWN)
BATCH_SIZE: Final = 1000
_EVENT_FIELDS: Final = (
    "seq", "at", "change_id", "request_id", "stage", "action", "result", "actor_label", "account_sid", "target_sid",
    "reason", "remote_request_id",
)  # fmt: skip
_PAYLOAD_FIELDS: Final = ("friendly_name", "contact_identity", "before", "requested", "after")
_ROW_FIELDS: Final = (*_EVENT_FIELDS, *(f"payload__{name}" for name in _PAYLOAD_FIELDS))

EventRow = Mapping[str, Any]  # an event with its payload, by the names of `_ROW`


def update_entry(event: AuditEvent, body: AuditPayload) -> None:
    """Add an event that was just appended: as a row of its own, or to the row of its change."""
    if not _is_change_stage(event.change_id, event.stage) or event.stage == Stage.ATTEMPT:
        _upsert_entries([_entry_values([_event_row(event, body)])])
        return
    stages = AuditEvent.objects.filter(change_id=event.change_id, stage__in=UNIQUE_STAGES)
    _upsert_entries([_entry_values(list(stages.order_by("seq").values(*_ROW_FIELDS)))])


def add_entries(pairs: Iterable[tuple[AuditEvent, AuditPayload]]) -> None:
    """Add many events that are no stages of a change."""
    _upsert_entries([_entry_values([_event_row(*pair)]) for pair in pairs])


def refresh_text(seqs: Sequence[int]) -> None:
    """Write the text of the rows of these events anew, after their payloads were erased."""
    for start in range(0, len(seqs), BATCH_SIZE):
        events = AuditEvent.objects.filter(seq__in=seqs[start : start + BATCH_SIZE])
        rows = list(events.order_by("seq").values(*_ROW_FIELDS))
        changes = _group_by_change([*rows, *_other_stages(rows, AuditEvent.objects)])
        entries = [AuditEntry(**_entry_values(change)) for change in changes]
        AuditEntry.objects.bulk_update(entries, ["text"], batch_size=100)


def rebuild(
    events: Manager[Any] = AuditEvent.objects, entries: Manager[Any] = AuditEntry.objects
) -> None:
    """Write the whole table anew. A migration passes its own models' managers."""
    entries.all().delete()
    columns = {
        field.attname for field in entries.model._meta.concrete_fields
    }  # a migration's may be fewer
    for rows in _iter_batches(events):
        held = expected_entries(rows, events)
        entries.bulk_create(
            entries.model(**{name: value for name, value in one.items() if name in columns})
            for one in held
        )


def expected_entries(
    rows: Sequence[EventRow], events: Manager[Any] = AuditEvent.objects
) -> list[dict[str, Any]]:
    """Return what the log says that the entries which start among these consecutive events hold, by
    column."""
    if not rows:
        return []
    first, last = rows[0]["seq"], rows[-1]["seq"]
    changes = _group_by_change([*rows, *_other_stages(rows, events)])
    return [_entry_values(change) for change in changes if first <= change[0]["seq"] <= last]


def rows_between(first: int, last: int) -> list[EventRow]:
    """Return the events from one place to another, payloads included."""
    return list(
        AuditEvent.objects.filter(seq__gte=first, seq__lte=last)
        .order_by("seq")
        .values(*_ROW_FIELDS)
    )


def outcome_index(results: Sequence[str]) -> int:
    """Return which of a change's results is its present outcome: the last conclusive one, else the last."""
    conclusive = [
        place for place, result in enumerate(results) if result not in INCONCLUSIVE_RESULTS
    ]
    return conclusive[-1] if conclusive else len(results) - 1


def find_entry(event: AuditEvent) -> AuditEntry | None:
    """Return the row of the list that an event belongs to."""
    is_its_change = (
        Q(change_id=event.change_id)
        if _is_change_stage(event.change_id, event.stage)
        else Q(pk=event.pk)
    )
    return AuditEntry.objects.filter(is_its_change).select_related("start", "outcome").first()


def owning_account_sid(action: str, account_sid: str) -> str:
    """Return the account whose users may read an event; "" if only those of every account may."""
    return "" if action.startswith(SITE_ACTION_PREFIXES) else account_sid


COLUMNS: Final = tuple(field.attname for field in AuditEntry._meta.concrete_fields)


def _upsert_entries(entries: Iterable[dict[str, Any]]) -> None:
    """Insert or update: no row that strayed here may keep an event from being recorded."""
    AuditEntry.objects.bulk_create(
        [AuditEntry(**held) for held in entries],
        batch_size=500,
        update_conflicts=True,
        unique_fields=["start"],
        update_fields=[
            field.name for field in AuditEntry._meta.concrete_fields if not field.primary_key
        ],
    )


def _is_change_stage(change_id: uuid.UUID | None, stage: str) -> bool:
    """Tell a stage of a change from an event that stands alone."""
    return change_id is not None and stage in UNIQUE_STAGES


def _event_row(event: AuditEvent, body: AuditPayload) -> EventRow:
    said = {name: getattr(event, name) for name in _EVENT_FIELDS}
    return said | {f"payload__{name}": getattr(body, name) for name in _PAYLOAD_FIELDS}


def _entry_values(rows: Sequence[EventRow]) -> dict[str, Any]:
    """Return what an entry holds, by column: of a change from all of its events, or of an event that
    stands alone."""
    start = rows[0]
    outcome = rows[outcome_index([row["result"] for row in rows])]
    resolved = next((row for row in reversed(rows) if row["stage"] == Stage.RECONCILED), None)
    return {
        "start_id": start["seq"],
        "outcome_id": outcome["seq"],
        "at": start["at"],
        "change_id": start["change_id"]
        if _is_change_stage(start["change_id"], start["stage"])
        else None,
        "request_id": start["request_id"],
        "action": start["action"],
        "result": outcome["result"],
        "actor_label": start["actor_label"],
        "resolved_by": resolved["actor_label"] if resolved else None,
        "account_sid": owning_account_sid(start["action"], start["account_sid"]),
        "target_sid": next(filter(None, (row["target_sid"] for row in rows)), ""),
        "text": build_search_text(rows),
    }


def _group_by_change(rows: Iterable[EventRow]) -> list[list[EventRow]]:
    """Group events by change, each group in the order of the log."""
    groups: dict[Any, list[EventRow]] = defaultdict(list)
    for row in rows:
        is_stage = _is_change_stage(row["change_id"], row["stage"])
        groups[row["change_id"] if is_stage else row["seq"]].append(row)
    for group in groups.values():
        group.sort(key=lambda row: row["seq"])
    return list(groups.values())


def _other_stages(rows: Sequence[EventRow], events: Manager[Any]) -> list[EventRow]:
    """Return the stages of these events' changes that are not among them."""
    seqs = {row["seq"] for row in rows}
    change_ids = {
        row["change_id"] for row in rows if _is_change_stage(row["change_id"], row["stage"])
    }
    stages = events.filter(change_id__in=change_ids, stage__in=UNIQUE_STAGES)
    others = [pk for pk in stages.order_by().values_list("seq", flat=True) if pk not in seqs]
    return list(events.filter(seq__in=others).values(*_ROW_FIELDS)) if others else []


def _iter_batches(events: Manager[Any]) -> Iterator[list[EventRow]]:
    after = 0
    while True:
        rows: list[EventRow] = list(
            events.filter(seq__gt=after).order_by("seq").values(*_ROW_FIELDS)[:BATCH_SIZE]
        )
        if not rows:
            return
        yield rows
        after = rows[-1]["seq"]
