"""Maintenance of `AuditEntry`, the table behind the log's list, with one row for each change.

A row is written in the transaction of the event that adds or changes it. The table is derived from
the log: `expected_entries` computes its rows, `rebuild` writes them, and entry_check.py compares
them.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter, itemgetter
from typing import Any, Final

from django.db.models import Manager, Q

from flows.audit.event_batches import iter_batches
from flows.audit.models import (
    UNIQUE_STAGES,
    AuditEntry,
    AuditEvent,
    AuditPayload,
    Result,
    Stage,
    is_change_stage,
)
from flows.audit.search_text import build_search_text
from flows.core.bulk_insert import insert_rows

# Events of sign-ins and users concern the whole site, whatever their account is.
SITE_ACTION_PREFIXES: Final = ("auth.", "people.")
INCONCLUSIVE_RESULTS: Final = (Result.PENDING, Result.UNKNOWN)
BATCH_SIZE: Final = 1000
_EVENT_FIELDS: Final = (
    "seq", "at", "change_id", "request_id", "stage", "action", "result", "actor_label",
    "account_sid", "target_sid", "reason", "remote_request_id",
)  # fmt: skip
_PAYLOAD_FIELDS: Final = ("friendly_name", "contact_identity", "before", "requested", "after")
_PAYLOAD_KEYS: Final = tuple(f"payload__{name}" for name in _PAYLOAD_FIELDS)
_ROW_FIELDS: Final = (*_EVENT_FIELDS, *_PAYLOAD_KEYS)
_get_event_values: Final = attrgetter(*_EVENT_FIELDS)
_get_payload_values: Final = attrgetter(*_PAYLOAD_FIELDS)

EventRow = Mapping[str, Any]  # an event with its payload, by the names of `_ROW_FIELDS`


def update_entry(event: AuditEvent, body: AuditPayload) -> None:
    """Add a new event to the row of its change, or as a row of its own."""
    rows = [_event_row(event, body)]
    is_first = event.stage == Stage.ATTEMPT
    if is_change_stage(event.change_id, event.stage) and not is_first:
        stages = AuditEvent.objects.filter(change_id=event.change_id, stage__in=UNIQUE_STAGES)
        rows = list(stages.order_by("seq").values(*_ROW_FIELDS))
    _upsert_entries([_entry_values(rows)])


def add_entries(pairs: Iterable[tuple[AuditEvent, AuditPayload]]) -> None:
    """Add new events that are no stages of a change."""
    _upsert_entries([_entry_values([_event_row(*pair)]) for pair in pairs])


def refresh_text(seqs: Sequence[int]) -> None:
    """Rewrite the search text of the rows of these events, after their payloads were erased."""
    for start in range(0, len(seqs), BATCH_SIZE):
        events = AuditEvent.objects.filter(seq__in=seqs[start : start + BATCH_SIZE])
        rows = list(events.order_by("seq").values(*_ROW_FIELDS))
        changes = _complete_changes(rows, AuditEvent.objects)
        entries = [AuditEntry(**_entry_values(change)) for change in changes]
        AuditEntry.objects.bulk_update(entries, ["text"], batch_size=100)


def rebuild(
    events: Manager[Any] = AuditEvent.objects, entries: Manager[Any] = AuditEntry.objects
) -> None:
    """Rewrite the whole table. A migration passes the managers of its own models."""
    entries.all().delete()
    # A migration's model may have fewer columns.
    columns = {field.attname for field in entries.model._meta.concrete_fields}
    for rows in iter_batches(events.all(), *_ROW_FIELDS, size=BATCH_SIZE):
        models = []
        for values in expected_entries(rows, events):
            existing = {name: values[name] for name in columns & values.keys()}
            models.append(entries.model(**existing))
        entries.bulk_create(models)


def expected_entries(
    rows: Sequence[EventRow], events: Manager[Any] = AuditEvent.objects
) -> list[dict[str, Any]]:
    """Return the values, by column, of the entries that start among these consecutive events."""
    if not rows:
        return []
    first, last = rows[0]["seq"], rows[-1]["seq"]
    changes = _complete_changes(rows, events)
    return [_entry_values(change) for change in changes if first <= change[0]["seq"] <= last]


def rows_between(first: int, last: int) -> list[EventRow]:
    """Return the events from the seq `first` to the seq `last`, with their payloads."""
    return list(
        AuditEvent.objects.filter(seq__gte=first, seq__lte=last)
        .order_by("seq")
        .values(*_ROW_FIELDS)
    )


def outcome_index(results: Sequence[str]) -> int:
    """Return the index of a change's current outcome: the last conclusive result, else the last."""
    for index in reversed(range(len(results))):
        if results[index] not in INCONCLUSIVE_RESULTS:
            return index
    return len(results) - 1


def find_entry(event: AuditEvent) -> AuditEntry | None:
    """Return the row of the list that an event belongs to."""
    is_entry_of_event = Q(pk=event.pk)
    if is_change_stage(event.change_id, event.stage):
        is_entry_of_event = Q(change_id=event.change_id)
    return AuditEntry.objects.filter(is_entry_of_event).select_related("start", "outcome").first()


def owning_account_sid(action: str, account_sid: str) -> str:
    """Return the account whose users may read an event, or "" if only users of all accounts may."""
    return "" if action.startswith(SITE_ACTION_PREFIXES) else account_sid


COLUMNS: Final = tuple(field.attname for field in AuditEntry._meta.concrete_fields)


def _upsert_entries(entries: Iterable[dict[str, Any]]) -> None:
    """Insert or update rows. A stray row must not prevent an event from being recorded."""
    insert_rows(AuditEntry, entries, overwrite=True)


def _change_of(row: EventRow) -> uuid.UUID | None:
    """Return the id of the change that an event is a stage of, or None."""
    is_stage = is_change_stage(row["change_id"], row["stage"])
    return row["change_id"] if is_stage else None


def _event_row(event: AuditEvent, body: AuditPayload) -> EventRow:
    """Return a saved event in the form of a row that a query gives."""
    values = (*_get_event_values(event), *_get_payload_values(body))
    return dict(zip(_ROW_FIELDS, values, strict=True))


def _entry_values(rows: Sequence[EventRow]) -> dict[str, Any]:
    """Return an entry's values by column. `rows` are all events of a change, or one other event."""
    start = rows[0]
    outcome = rows[outcome_index([row["result"] for row in rows])]
    resolvers = [row["actor_label"] for row in rows if row["stage"] == Stage.RECONCILED]
    target_sids = (row["target_sid"] for row in rows if row["target_sid"])
    return {
        "start_id": start["seq"],
        "outcome_id": outcome["seq"],
        "at": start["at"],
        "change_id": _change_of(start),
        "request_id": start["request_id"],
        "action": start["action"],
        "result": outcome["result"],
        "actor_label": start["actor_label"],
        "resolved_by": resolvers[-1] if resolvers else None,
        "account_sid": owning_account_sid(start["action"], start["account_sid"]),
        "target_sid": next(target_sids, ""),
        "text": build_search_text(rows),
    }


def _complete_changes(rows: Sequence[EventRow], events: Manager[Any]) -> list[list[EventRow]]:
    """Return the changes that these events belong to, each with all its events."""
    return _group_by_change([*rows, *_other_stages(rows, events)])


def _group_by_change(rows: Iterable[EventRow]) -> list[list[EventRow]]:
    """Group events by change, each group in the order of the log."""
    groups: dict[Any, list[EventRow]] = defaultdict(list)
    for row in sorted(rows, key=itemgetter("seq")):
        key = _change_of(row) or row["seq"]
        groups[key].append(row)
    return list(groups.values())


def _other_stages(rows: Sequence[EventRow], events: Manager[Any]) -> list[EventRow]:
    """Return the other stages of the changes that these events belong to."""
    change_ids = set(map(_change_of, rows)) - {None}
    stages = events.filter(change_id__in=change_ids, stage__in=UNIQUE_STAGES)
    other_seqs = set(stages.order_by().values_list("seq", flat=True))
    other_seqs -= {row["seq"] for row in rows}
    return list(events.filter(seq__in=sorted(other_seqs)).values(*_ROW_FIELDS))
