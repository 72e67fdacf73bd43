"""Checks of the audit package's derived tables: open changes, the day index and open drift.

Each check replays the log, computes the rows that its table should have, and compares them. Pages
rely on these tables, so a difference is a violation.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from flows.audit.actions import DriftAction
from flows.audit.consistency import Violation, describe_difference, differing_keys
from flows.audit.models import (
    APPLIED_RESULTS,
    UNIQUE_STAGES,
    AuditDay,
    AuditEvent,
    OpenChange,
    OpenDrift,
    Result,
    Stage,
    is_change_stage,
)


class OpenChangeRow(NamedTuple):
    """A row of the table of open changes, without its change_id."""

    attempt_seq: int
    latest_seq: int
    action: str
    target_sid: str


@dataclass(slots=True)
class OpenChangeCheck:
    """Comparison of the table of open changes with the log."""

    expected_rows: dict[uuid.UUID, OpenChangeRow] = field(default_factory=dict)

    def follow(self, row: dict[str, Any]) -> None:
        """Take the next event of the log."""
        change_id, stage, seq = row["change_id"], row["stage"], row["seq"]
        if not is_change_stage(change_id, stage):
            return
        if stage == Stage.ATTEMPT:
            attempt = OpenChangeRow(seq, seq, row["action"], row["target_sid"])
            self.expected_rows[change_id] = attempt
            return
        previous = self.expected_rows.pop(change_id, None)
        if previous and row["result"] == Result.UNKNOWN:
            self.expected_rows[change_id] = previous._replace(latest_seq=seq)

    def fault(self, end: int) -> Violation | None:
        """Return the first violation up to the event `end`, or None."""
        rows = OpenChange.objects.values_list(
            "change_id", "attempt_id", "latest_id", "action", "target_sid"
        )
        table = {change_id: OpenChangeRow._make(values) for change_id, *values in rows}
        differing_ids = differing_keys(self.expected_rows, table)
        if differing_ids:
            # A change that was written since the replay has a later event. It is read after the
            # table, because event and row are committed together.
            later = AuditEvent.objects.filter(seq__gt=end, change_id__isnull=False)
            differing_ids -= set(later.values_list("change_id", flat=True))
        violations = [self._describe_difference(change_id, table) for change_id in differing_ids]
        return min(violations, default=None)

    def _describe_difference(
        self, change_id: uuid.UUID, table: dict[uuid.UUID, OpenChangeRow]
    ) -> Violation:
        """Return the violation of a change whose row in the table is not the expected one."""
        expected, stored = self.expected_rows.get(change_id), table.get(change_id)
        description = describe_difference(
            expected,
            stored,
            missing="leaves a change open that is missing from the table of open changes",
            unexpected="belongs to a resolved change that is still in the table of open changes",
            different="leaves a change open that differs in the table of open changes",
        )
        row = expected or table[change_id]
        return row.latest_seq, description


@dataclass(slots=True)
class DayIndexCheck:
    """Comparison of `AuditDay` with the log: the first and last event of each day in UTC."""

    expected_rows: dict[date, tuple[int, int]] = field(default_factory=dict)

    def follow(self, row: dict[str, Any]) -> None:
        """Take the next event of the log."""
        day, seq = row["at"].date(), row["seq"]
        first, _ = self.expected_rows.get(day, (seq, seq))
        self.expected_rows[day] = (first, seq)

    def fault(self, end: int) -> Violation | None:
        """Return the first violation, or None.

        Events after `end` may or may not be in the table yet, so both are accepted.
        """
        rows = AuditDay.objects.values_list("day", "first", "last")
        table = {day: (first, last) for day, first, last in rows}
        # Read after the table, so that it has all events of the table.
        later_by_day = _later_seqs_by_day(end)
        violations: list[Violation] = []
        for day in {*table, *self.expected_rows}:
            firsts, lasts = self._accepted_ends(day, later_by_day.get(day, []))
            violations += _day_violations(table.get(day), firsts, lasts)
        return min(violations, default=None)

    def _accepted_ends(self, day: date, later: list[int]) -> tuple[list[int], list[int]]:
        """Return the first and the last events that a day's row may have.

        `later` are the day's events after the replay. Both lists are empty for a day without
        events, which must have no row.
        """
        if day not in self.expected_rows:
            return later[:1], later
        first, last = self.expected_rows[day]
        return [first], [last, *later]


def _later_seqs_by_day(end: int) -> dict[date, list[int]]:
    """Return the seqs of the events after `end`, by day."""
    events = AuditEvent.objects.filter(seq__gt=end).order_by("seq")
    seqs: dict[date, list[int]] = {}
    for seq, at in events.values_list("seq", "at"):
        seqs.setdefault(at.date(), []).append(seq)
    return seqs


def _day_violations(
    stored: tuple[int, int] | None, firsts: list[int], lasts: list[int]
) -> Iterator[Violation]:
    """Yield the violations of a day's row, given the first and last events that it may have."""
    if stored is None:
        yield firsts[0], "is the first of a day that is missing from the day index"
    elif not firsts:
        yield stored[0], "is in the day index under the wrong day"
    elif stored[0] not in firsts:
        yield firsts[0], "is the first of its day, but the day index has another"
    elif stored[1] not in lasts:
        yield lasts[0], "is the last of its day, but the day index has another"


class _DriftEvent(NamedTuple):
    """An event that records drift of a flow."""

    seq: int
    target_sid: str


@dataclass(slots=True)
class OpenDriftCheck:
    """Comparison of the inbox of external changes with the log.

    A change may revert some of its flow's drift and leave the rest, and an erasure deletes rows.
    The log alone does not tell which, so a row and no row are both accepted for the events in
    `ambiguous_seqs`.
    """

    drift: dict[uuid.UUID, _DriftEvent] = field(default_factory=dict)  # by event_id
    open_seqs: dict[str, set[int]] = field(default_factory=dict)  # by SID
    ambiguous_seqs: set[int] = field(default_factory=set)
    erased_seqs: set[int] = field(default_factory=set)

    def follow(self, row: dict[str, Any]) -> None:
        """Take the next event of the log."""
        if row["action"] == DriftAction.DRIFT and row["stage"] == Stage.OBSERVED:
            self._add(row)
        elif row["refers_to"] in self.drift and row["result"] in APPLIED_RESULTS:
            self._resolve(row)

    def _add(self, row: dict[str, Any]) -> None:
        """Take an event that records drift."""
        seq, sid = row["seq"], row["target_sid"]
        self.drift[row["event_id"]] = _DriftEvent(seq, sid)
        self.open_seqs.setdefault(sid, set()).add(seq)
        if row["payload__erased_at"] is not None:
            self.erased_seqs.add(seq)
            self.ambiguous_seqs.add(seq)

    def _resolve(self, row: dict[str, Any]) -> None:
        """Take an event that accepts or reverts drift."""
        seq, sid = self.drift[row["refers_to"]]
        flow_seqs = self.open_seqs[sid]
        if seq not in flow_seqs:
            return
        # An erasure may come before or after the event, so its effect is ambiguous, too.
        if row["stage"] in UNIQUE_STAGES or seq in self.erased_seqs:
            self.ambiguous_seqs.update(flow_seqs)
        else:
            self.open_seqs[sid] = {other for other in flow_seqs if other > seq}

    def _expected_rows(self) -> dict[int, str]:
        """Return the SID of each event that needs a decision, by its seq."""
        expected_rows: dict[int, str] = {}
        for sid, seqs in self.open_seqs.items():
            expected_rows |= dict.fromkeys(seqs, sid)
        return expected_rows

    def fault(self, end: int) -> Violation | None:
        """Return the first violation up to the event `end`, or None."""
        rows = OpenDrift.objects.filter(event__lte=end).values_list("event_id", "target_sid")
        table = dict(rows)
        changed_sids = self._sids_changed_after(end)  # read after the table, as for open changes
        expected_rows = self._expected_rows()
        for seq in sorted(differing_keys(expected_rows, table)):
            expected, stored = expected_rows.get(seq), table.get(seq)
            has_changed_since = not changed_sids.isdisjoint((expected, stored))
            may_be_missing = stored is None and seq in self.ambiguous_seqs
            if has_changed_since or may_be_missing:
                continue
            return seq, describe_difference(
                expected,
                stored,
                missing="needs a decision, but is missing from the external changes",
                unexpected="needs no decision, but is still in the external changes",
                different="is in the external changes under another flow",
            )
        return None

    def _sids_changed_after(self, end: int) -> set[str]:
        """Return the SIDs of the flows whose drift the events after `end` may have changed."""
        events = AuditEvent.objects.filter(seq__gt=end)
        sids = set(events.values_list("target_sid", flat=True))
        referring = events.filter(refers_to__isnull=False)
        resolved_ids = self.drift.keys() & set(referring.values_list("refers_to", flat=True))
        return sids | {self.drift[event_id].target_sid for event_id in resolved_ids}
