"""The content of a requested bulk change: its rows, frozen when the request is submitted.

Each row keeps the hash of its content, and the request the hash of all rows. So one row can be checked
when it is sent without reading the others.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from django.db.models import QuerySet

from flows.approvals.change_kinds import ChangeKind, kinds_of
from flows.approvals.models import ChangeRequest
from flows.changes.change_guard import ProposedChange
from flows.core.database import BATCH_SIZE, split_batches
from flows.local_details.actions import LocalDetailsAction
from flows.mirror.models import Flow
from flows.plans.access import EFFECTIVE_CHANGES
from flows.plans.models import Plan, PlannedChange
from flows.plans.titles import format_count
from flows.redaction.redacted import Redacted, redact_fields, redact_snapshot
from flows.twilio.flex.flex_flow import FLEX_FLOW

# The keys of the summary that a request of a bulk change has in `requested`.
FLOWS: Final = "Flows"
SIZE: Final = "Size"
KINDS: Final = "Kinds"
ROWS: Final = "Rows"
_MAX_LABELS: Final = 5


def operation_of(row: PlannedChange) -> str:
    return row.action.removeprefix("flow.")


def requested_rows(plan: Plan) -> QuerySet[PlannedChange]:
    """Return the rows that the plan's change request has, in their order."""
    return plan.changes.exclude(content_hash="").order_by("position")


def freeze(plan: Plan) -> Redacted:
    """Keep the hash of each remaining row of a plan, and return the summary of its request."""
    rows = list(plan.remaining_changes.order_by("position"))
    for row in rows:
        row.content_hash = hash_row(row)
    PlannedChange.objects.bulk_update(rows, ["content_hash"], batch_size=BATCH_SIZE)
    kinds: set[ChangeKind] = set()
    for row in rows:
        kinds |= row_kinds(row)
    summary = {
        FLOWS: len(rows),
        SIZE: _sent_rows(plan).count(),
        KINDS: sorted(kinds),
        ROWS: _join(row.content_hash for row in rows),
    }
    return redact_fields(summary)


def hash_row(row: PlannedChange) -> str:
    """Return the SHA-256 of all that is sent for a row, and of the state that it was planned for."""
    content = [
        str(row.change_id),
        row.action,
        row.account_sid,
        row.target_sid,
        row.before,
        row.requested,
        str(row.refers_to or ""),
    ]
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def row_kinds(row: PlannedChange) -> set[ChangeKind]:
    """Return the kinds of a row's change. An owner or tags are changed here only."""
    if row.action == LocalDetailsAction.CHANGE:
        return set()
    before = None if operation_of(row) == "create" else row.before
    return kinds_of(FLEX_FLOW, operation_of(row), before, row.requested)


def _summary(request: ChangeRequest) -> Mapping[str, Any]:
    return request.requested or {}


def summary_kinds(request: ChangeRequest) -> set[ChangeKind]:
    return {ChangeKind(kind) for kind in _summary(request).get(KINDS, [])}


def bulk_size(request: ChangeRequest) -> int:
    """Return the number of flows for a policy's limit: all of a bulk change, also if it was begun."""
    return int(_summary(request).get(SIZE, 0)) if request.plan_id else 1


def count_flows(request: ChangeRequest) -> int:
    """Return the number of flows that a request changes."""
    return int(_summary(request).get(FLOWS, 0)) if request.plan_id else 1


def find_row(change_id: uuid.UUID) -> PlannedChange | None:
    """Return the row of a bulk change that a change is, or None."""
    return PlannedChange.objects.filter(change_id=change_id).select_related("plan").first()


def is_larger(plan: Plan, limit: int | None) -> bool:
    """Return True if a plan sends changes of more flows than the limit, which bounds the cost."""
    if limit is None:
        return False
    return len(_sent_rows(plan).values_list("pk")[: limit + 1]) > limit


def _sent_rows(plan: Plan) -> QuerySet[PlannedChange]:
    rows = plan.changes.filter(EFFECTIVE_CHANGES).exclude(action=LocalDetailsAction.CHANGE)
    return rows.order_by()


def are_rows_intact(request: ChangeRequest) -> bool:
    """Return False if a row is not the one that was submitted, as after an erasure."""
    if request.plan is None:
        return True
    return _are_intact(request, list(requested_rows(request.plan)))


def _are_intact(request: ChangeRequest, rows: list[PlannedChange]) -> bool:
    expected = _summary(request).get(ROWS)
    return _join(row.content_hash for row in rows) == expected and all(map(is_row_intact, rows))


def is_row_intact(row: PlannedChange) -> bool:
    return row.content_hash == hash_row(row)


def _join(hashes: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def is_row_exactly(request: ChangeRequest, row: PlannedChange, change: ProposedChange) -> bool:
    """Return True if a change is the row that was requested, on the state that it was planned for.

    A value that Twilio has already need not be sent again.
    """
    is_same = (
        is_row_intact(row)
        and change.resource is FLEX_FLOW
        and change.operation == operation_of(row)
        and change.account_sid == row.account_sid
        and (change.operation == "create" or change.sid == row.target_sid)
        and change.refers_to == row.refers_to
        and change.reason == request.reason
    )
    if not is_same:
        return False
    before = redact_snapshot(change.before or {})
    if change.requested is None:
        return not FLEX_FLOW.differing_fields(row.before, before, _base_names(row))
    values = redact_snapshot(change.requested)
    afterwards = {**before, **values} if change.operation == "update" else values
    if values.keys() - row.requested.keys():
        return False
    if FLEX_FLOW.differing_fields(row.requested, afterwards, row.requested):
        return False
    return change.operation == "create" or not FLEX_FLOW.differing_fields(
        row.before, before, values
    )


def _base_names(row: PlannedChange) -> set[str]:
    """Return the fields that must be as planned: those that change, of a deletion all."""
    names = {*row.before} if operation_of(row) == "delete" else {*row.requested}
    return names - set(FLEX_FLOW.names_set_by_twilio)


def describe_outside_change(request: ChangeRequest) -> str:
    """Return why the rows are no longer those that were requested, or "" if they are."""
    rows = list(requested_rows(request.plan)) if request.plan else []
    if not _are_intact(request, rows):
        return "The bulk change is not the one that was requested."
    changed = [names for names in _changed_names(rows) if names]
    if not changed:
        return ""
    labels = sorted({FLEX_FLOW.label_of(name) for names in changed for name in names})
    flows = format_count(len(changed))
    return (
        f"Someone else changed {', '.join(labels[:_MAX_LABELS])} of {flows} since the request was "
        "submitted."
    )


def _changed_names(rows: list[PlannedChange]) -> Iterator[list[str]]:
    """Yield the fields of each row that differ from its base in the mirror."""
    compared = [row for row in rows if operation_of(row) in ("update", "delete")]
    copies = _load_copies(row.target_sid for row in compared)
    for row in compared:
        if row.target_sid in copies:
            yield FLEX_FLOW.differing_fields(row.before, copies[row.target_sid], _base_names(row))


def _load_copies(sids: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    copies: dict[str, Mapping[str, Any]] = {}
    for batch in split_batches(list(dict.fromkeys(sids))):
        copies.update(Flow.objects.filter(sid__in=batch).values_list("sid", "resource"))
    return copies
