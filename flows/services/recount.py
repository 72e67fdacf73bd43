"""What is kept beside the log and follows from it, counted anew by a walk of the log: the tables of open changes and of
days. Pages rely on them, so where one says otherwise than the log, that is a finding.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flows.models import ONCE, AuditDay, AuditEvent, OpenChange, Result, Stage


@dataclass(slots=True)
class OpenChanges:
    """The changes that are open by the log: attempt, latest event, action and flow of each, as `audit.append` keeps
    them in their table."""

    by_the_log: dict[uuid.UUID, tuple[int, int, str, str]] = field(default_factory=dict)

    def follow(self, row: dict[str, Any]) -> None:
        change_id, stage = row["change_id"], row["stage"]
        if change_id is None or stage not in ONCE:
            return
        if stage == Stage.ATTEMPT:
            self.by_the_log[change_id] = (row["seq"], row["seq"], row["action"], row["target_sid"])
        elif row["result"] != Result.UNKNOWN:
            self.by_the_log.pop(change_id, None)
        elif change_id in self.by_the_log:
            attempt, _, action, sid = self.by_the_log[change_id]
            self.by_the_log[change_id] = (attempt, row["seq"], action, sid)

    def fault(self, end: int) -> tuple[int, str] | None:
        """Where the table says otherwise than the log up to `end`."""
        rows = OpenChange.objects.values_list("change_id", "attempt_id", "latest_id", "action", "target_sid")
        table = {change_id: tuple(said) for change_id, *said in rows}
        differing = {key for key in {*table, *self.by_the_log} if table.get(key) != self.by_the_log.get(key)}
        # Read after the table: whoever wrote there since the walk began committed an event of that change with it.
        later = AuditEvent.objects.filter(seq__gt=end, change_id__isnull=False)
        if differing:
            differing -= set(later.values_list("change_id", flat=True))
        faults = [self._fault_of(self.by_the_log.get(key), table.get(key)) for key in differing]
        return min(faults, default=None)

    @staticmethod
    def _fault_of(by_the_log: tuple[Any, ...] | None, kept: tuple[Any, ...] | None) -> tuple[int, str]:
        if by_the_log is None:
            seq = kept[1] if kept else 0
            return seq, "is of a change that is settled, and the table of open changes still has it"
        if kept is None:
            return by_the_log[1], "leaves a change open, and the table of open changes does not have it"
        return by_the_log[1], "leaves a change open, and the table of open changes has it otherwise"


@dataclass(slots=True)
class Days:
    """The first and the last event of each day in UTC by the log, as the database keeps them in `AuditDay`."""

    by_the_log: dict[date, tuple[int, int]] = field(default_factory=dict)

    def follow(self, row: dict[str, Any]) -> None:
        day, seq = row["at"].date(), row["seq"]
        self.by_the_log[day] = (self.by_the_log.get(day, (seq,))[0], seq)

    def fault(self, end: int) -> tuple[int, str] | None:
        """Where the table says otherwise than the log up to `end`. What came since only moves a day's last event on."""
        table = {
            day: (first, last) for day, first, last in AuditDay.objects.values_list("day", "first", "last")
        }
        faults = []
        for day, (first, last) in self.by_the_log.items():
            kept = table.pop(day, None)
            if kept is None:
                faults.append((first, "is the first of a day that the table of days does not have"))
            elif kept[0] != first:
                faults.append((first, "is the first of its day, and the table of days has another"))
            elif kept[1] != last and kept[1] <= end:
                faults.append((last, "is the last of its day, and the table of days has another"))
        for kept_first, _ in table.values():
            if kept_first <= end:
                faults.append((kept_first, "is in the table of days under a day that it is not of"))
        return min(faults, default=None)
