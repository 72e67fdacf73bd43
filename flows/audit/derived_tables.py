"""What is kept beside the log and follows from it, counted anew by a walk of the log: open changes, days, the inbox of
external changes, and read-only accounts. Pages rely on them, so where a table says otherwise than the log, that is a
finding.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flows.audit.models import (
    UNIQUE_STAGES,
    AuditDay,
    AuditEvent,
    OpenChange,
    OpenDrift,
    Result,
    Stage,
)


@dataclass(slots=True)
class OpenChangeCheck:
    """The changes that are open by the log: attempt, latest event, action and flow of each, as `audit.append` keeps
    them in their table."""

    expected_rows: dict[uuid.UUID, tuple[int, int, str, str]] = field(default_factory=dict)

    def follow(self, row: dict[str, Any]) -> None:
        change_id, stage = row["change_id"], row["stage"]
        if change_id is None or stage not in UNIQUE_STAGES:
            return
        if stage == Stage.ATTEMPT:
            self.expected_rows[change_id] = (
                row["seq"],
                row["seq"],
                row["action"],
                row["target_sid"],
            )
        elif row["result"] != Result.UNKNOWN:
            self.expected_rows.pop(change_id, None)
        elif change_id in self.expected_rows:
            attempt, _, action, sid = self.expected_rows[change_id]
            self.expected_rows[change_id] = (attempt, row["seq"], action, sid)

    def fault(self, end: int) -> tuple[int, str] | None:
        """Where the table says otherwise than the log up to `end`."""
        rows = OpenChange.objects.values_list(
            "change_id", "attempt_id", "latest_id", "action", "target_sid"
        )
        table = {change_id: tuple(said) for change_id, *said in rows}
        differing = {
            key
            for key in {*table, *self.expected_rows}
            if table.get(key) != self.expected_rows.get(key)
        }
        # Read after the table: whoever wrote there since the walk began committed an event of that change with it.
        later = AuditEvent.objects.filter(seq__gt=end, change_id__isnull=False)
        if differing:
            differing -= set(later.values_list("change_id", flat=True))
        faults = [
            self._describe_violation(self.expected_rows.get(key), table.get(key))
            for key in differing
        ]
        return min(faults, default=None)

    @staticmethod
    def _describe_violation(
        expected_rows: tuple[Any, ...] | None, kept: tuple[Any, ...] | None
    ) -> tuple[int, str]:
        if expected_rows is None:
            seq = kept[1] if kept else 0
            return seq, "belongs to a resolved change that is still in the table of open changes"
        if kept is None:
            return expected_rows[
                1
            ], "leaves a change open that is missing from the table of open changes"
        return expected_rows[1], "leaves a change open that differs in the table of open changes"


@dataclass(slots=True)
class DayIndexCheck:
    """The first and the last event of each day in UTC by the log, as the database keeps them in `AuditDay`."""

    expected_rows: dict[date, tuple[int, int]] = field(default_factory=dict)

    def follow(self, row: dict[str, Any]) -> None:
        day, seq = row["at"].date(), row["seq"]
        self.expected_rows[day] = (self.expected_rows.get(day, (seq,))[0], seq)

    def fault(self, end: int) -> tuple[int, str] | None:
        """The first day that the table has otherwise than the log up to `end`, or than what was written since."""
        table = {
            day: (first, last)
            for day, first, last in AuditDay.objects.values_list("day", "first", "last")
        }
        # Read after the table, so that it has every event that the table can know of.
        since: dict[date, list[int]] = {}
        for seq, at in (
            AuditEvent.objects.filter(seq__gt=end).order_by("seq").values_list("seq", "at")
        ):
            since.setdefault(at.date(), []).append(seq)
        faults: list[tuple[int, str]] = []
        for day in {*table, *self.expected_rows}:
            first, last = self.expected_rows.get(day, (None, None))
            later = since.get(day, [])
            firsts, lasts = [first] if first else later[:1], [last, *later] if last else later
            faults += _day_violations(table.get(day), firsts, lasts)
        return min(faults, default=None)


def _day_violations(
    kept: tuple[int, int] | None, firsts: list[int], lasts: list[int]
) -> Iterator[tuple[int, str]]:
    """The faults of a day's row that may have these first and last events; no event, and there may be no row."""
    if kept is None:
        if firsts:
            yield firsts[0], "is the first of a day that is missing from the day index"
    elif not firsts:
        yield kept[0], "is in the day index under the wrong day"
    elif kept[0] not in firsts:
        yield firsts[0], "is the first of its day, but the day index has another"
    elif kept[1] not in lasts:
        yield lasts[0], "is the last of its day, but the day index has another"


@dataclass(slots=True)
class OpenDriftCheck:
    """The external changes that nobody has dealt with by the log, as `audit.append` keeps them in the inbox's table.
    An ordinary change may settle some of those of its flow or leave them: these can't be told from the log alone."""

    found: dict[uuid.UUID, tuple[int, str]] = field(
        default_factory=dict
    )  # event: its seq and its flow
    expected_rows: dict[int, str] = field(default_factory=dict)
    ambiguous_seqs: set[int] = field(default_factory=set)
    erased: set[int] = field(default_factory=set)  # before or after what refers to them

    def follow(self, row: dict[str, Any]) -> None:
        if row["action"] == "flow.drift" and row["stage"] == Stage.OBSERVED:
            self.found[row["event_id"]] = (row["seq"], row["target_sid"])
            self.expected_rows[row["seq"]] = row["target_sid"]
            if row["payload__erased_at"] is not None:
                self.erased.add(row["seq"])
        elif row["refers_to"] in self.found and row["result"] in (Result.SUCCEEDED, Result.APPLIED):
            self._settle(row)

    def _settle(self, row: dict[str, Any]) -> None:
        seq, sid = self.found[row["refers_to"]]
        if seq not in self.expected_rows:
            return
        of_flow = [other for other, flow in self.expected_rows.items() if flow == sid]
        if row["stage"] in UNIQUE_STAGES or seq in self.erased:
            self.ambiguous_seqs.update(of_flow)
            return
        for other in of_flow:
            if other <= seq:
                del self.expected_rows[other]

    def fault(self, end: int) -> tuple[int, str] | None:
        """The first external change that the inbox has otherwise than the log up to `end`."""
        table = dict(OpenDrift.objects.values_list("event_id", "target_sid"))
        later = AuditEvent.objects.filter(seq__gt=end)  # read after the table, as for open changes
        moved = set(later.values_list("target_sid", flat=True))
        referred = later.filter(refers_to__isnull=False).values_list("refers_to", flat=True)
        moved |= {self.found[event][1] for event in referred if event in self.found}
        faults = []
        for seq in {*table, *self.expected_rows}:
            expected, kept = self.expected_rows.get(seq), table.get(seq)
            if seq > end or {expected, kept} & moved or (seq in self.erased and kept is None):
                continue
            if kept is None and seq not in self.ambiguous_seqs:
                faults.append((seq, "needs a decision, but is missing from the external changes"))
            elif expected is None:
                faults.append((seq, "needs no decision, but is still in the external changes"))
            elif kept not in (None, expected):
                faults.append((seq, "is in the external changes under another flow"))
        return min(faults, default=None)
