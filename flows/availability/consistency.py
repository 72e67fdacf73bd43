"""Verification of the read-only accounts against the audit log."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from flows.audit.models import AuditEvent, Result
from flows.availability.actions import AvailabilityAction
from flows.availability.models import Closure
from flows.availability.restrictions import READ_ONLY

_MODE_ACTIONS: Final = (AvailabilityAction.SET_READ_ONLY, AvailabilityAction.LIFT_READ_ONLY)


@dataclass(slots=True)
class ReadOnlyCheck:
    """A comparison of the log's read-only accounts with the table of closures.

    `expected_rows` maps an account SID ("" for the site) to the seq of the latest event that
    changed it, and to True if that event made it read-only.
    """

    expected_rows: dict[str, tuple[int, bool]] = field(default_factory=dict)

    def follow(self, row: dict[str, Any]) -> None:
        """Take one event of the log into account."""
        if row["action"] in _MODE_ACTIONS and row["result"] == Result.SUCCEEDED:
            is_read_only = row["action"] == AvailabilityAction.SET_READ_ONLY
            self.expected_rows[row["account_sid"]] = (row["seq"], is_read_only)

    def fault(self, end: int) -> tuple[int, str] | None:
        """Return the first event that the table contradicts and a description, or None.

        Accounts that changed after the event `end` are omitted.
        """
        closures = Closure.objects.filter(kind=READ_ONLY)
        read_only_sids = set(closures.values_list("account_sid", flat=True))
        later_events = AuditEvent.objects.filter(seq__gt=end, action__in=_MODE_ACTIONS)
        changed_later = set(later_events.values_list("account_sid", flat=True))
        faults = []
        for account_sid in {*read_only_sids, *self.expected_rows} - changed_later:
            seq, is_expected = self.expected_rows.get(account_sid, (end, False))
            is_read_only = account_sid in read_only_sids
            if is_read_only != is_expected:
                faults.append((seq, _describe_fault(account_sid, is_read_only=is_read_only)))
        return min(faults, default=None)


def _describe_fault(account_sid: str, *, is_read_only: bool) -> str:
    """Return the end of a sentence about the event that the table contradicts."""
    scope = f"account {account_sid}" if account_sid else "the site"
    if is_read_only:
        return f"or an earlier one left {scope} writable, but {scope} is read-only"
    return f"made {scope} read-only, but {scope} is writable"
