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

from flows.models import ONCE, AuditDay, AuditEvent, Closure, OpenChange, OpenDrift, Result, Stage


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
            return seq, "belongs to a resolved change that is still in the table of open changes"
        if kept is None:
            return by_the_log[1], "leaves a change open that is missing from the table of open changes"
        return by_the_log[1], "leaves a change open that differs in the table of open changes"


@dataclass(slots=True)
class Days:
    """The first and the last event of each day in UTC by the log, as the database keeps them in `AuditDay`."""

    by_the_log: dict[date, tuple[int, int]] = field(default_factory=dict)

    def follow(self, row: dict[str, Any]) -> None:
        day, seq = row["at"].date(), row["seq"]
        self.by_the_log[day] = (self.by_the_log.get(day, (seq,))[0], seq)

    def fault(self, end: int) -> tuple[int, str] | None:
        """The first day that the table has otherwise than the log up to `end`, or than what was written since."""
        table = {
            day: (first, last) for day, first, last in AuditDay.objects.values_list("day", "first", "last")
        }
        # Read after the table, so that it has every event that the table can know of.
        since: dict[date, list[int]] = {}
        for seq, at in AuditEvent.objects.filter(seq__gt=end).order_by("seq").values_list("seq", "at"):
            since.setdefault(at.date(), []).append(seq)
        faults: list[tuple[int, str]] = []
        for day in {*table, *self.by_the_log}:
            first, last = self.by_the_log.get(day, (None, None))
            later = since.get(day, [])
            firsts, lasts = [first] if first else later[:1], [last, *later] if last else later
            faults += _faults_of_a_day(table.get(day), firsts, lasts)
        return min(faults, default=None)


def _faults_of_a_day(
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
class OpenDrifts:
    """The external changes that nobody has dealt with by the log, as `audit.append` keeps them in the inbox's table.
    An ordinary change may settle some of those of its flow or leave them: these can't be told from the log alone."""

    found: dict[uuid.UUID, tuple[int, str]] = field(default_factory=dict)  # event: its seq and its flow
    by_the_log: dict[int, str] = field(default_factory=dict)
    may_be_settled: set[int] = field(default_factory=set)
    erased: set[int] = field(default_factory=set)  # before or after what refers to them

    def follow(self, row: dict[str, Any]) -> None:
        if row["action"] == "flow.drift" and row["stage"] == Stage.OBSERVED:
            self.found[row["event_id"]] = (row["seq"], row["target_sid"])
            self.by_the_log[row["seq"]] = row["target_sid"]
            if row["payload__erased_at"] is not None:
                self.erased.add(row["seq"])
        elif row["refers_to"] in self.found and row["result"] in (Result.SUCCEEDED, Result.APPLIED):
            self._settle(row)

    def _settle(self, row: dict[str, Any]) -> None:
        seq, sid = self.found[row["refers_to"]]
        if seq not in self.by_the_log:
            return
        of_flow = [other for other, flow in self.by_the_log.items() if flow == sid]
        if row["stage"] in ONCE or seq in self.erased:
            self.may_be_settled.update(of_flow)
            return
        for other in of_flow:
            if other <= seq:
                del self.by_the_log[other]

    def fault(self, end: int) -> tuple[int, str] | None:
        """The first external change that the inbox has otherwise than the log up to `end`."""
        table = dict(OpenDrift.objects.values_list("event_id", "target_sid"))
        later = AuditEvent.objects.filter(seq__gt=end)  # read after the table, as for open changes
        moved = set(later.values_list("target_sid", flat=True))
        referred = later.filter(refers_to__isnull=False).values_list("refers_to", flat=True)
        moved |= {self.found[event][1] for event in referred if event in self.found}
        faults = []
        for seq in {*table, *self.by_the_log}:
            expected, kept = self.by_the_log.get(seq), table.get(seq)
            if seq > end or {expected, kept} & moved or (seq in self.erased and kept is None):
                continue
            if kept is None and seq not in self.may_be_settled:
                faults.append((seq, "needs a decision, but is missing from the external changes"))
            elif expected is None:
                faults.append((seq, "needs no decision, but is still in the external changes"))
            elif kept not in (None, expected):
                faults.append((seq, "is in the external changes under another flow"))
        return min(faults, default=None)


@dataclass(slots=True)
class ReadOnlyAccounts:
    """The accounts (or the whole site, "") that somebody made read-only by the log, as the table of closures has them."""

    by_the_log: dict[str, tuple[int, bool]] = field(
        default_factory=dict
    )  # account: the event, read-only or not

    def follow(self, row: dict[str, Any]) -> None:
        if row["action"] in ("account.close", "account.reopen") and row["result"] == Result.SUCCEEDED:
            self.by_the_log[row["account_sid"]] = (row["seq"], row["action"] == "account.close")

    def fault(self, end: int) -> tuple[int, str] | None:
        """The first account that the table has otherwise than the log up to `end`."""
        table = set(Closure.objects.filter(kind="change").values_list("account_sid", flat=True))
        later = AuditEvent.objects.filter(seq__gt=end, action__in=("account.close", "account.reopen"))
        moved = set(later.values_list("account_sid", flat=True))
        faults = []
        for account_sid in {*table, *self.by_the_log} - moved:
            seq, is_read_only = self.by_the_log.get(account_sid, (end, False))
            whose = f"account {account_sid}" if account_sid else "the site"
            if is_read_only and account_sid not in table:
                faults.append((seq, f"made {whose} read-only, but {whose} is writable"))
            elif not is_read_only and account_sid in table:
                faults.append(
                    (
                        seq,
                        f"or an earlier one left {whose} writable, but {whose} is read-only",
                    )
                )
        return min(faults, default=None)
