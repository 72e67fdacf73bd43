"""Verification of the read-only accounts against the audit log."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flows.audit.models import AuditEvent, Result
from flows.availability.actions import AvailabilityAction
from flows.availability.models import Closure
from flows.availability.restrictions import READ_ONLY


@dataclass(slots=True)
class ReadOnlyCheck:
    """A comparison of the log's read-only accounts with the table of closures.

    `expected_rows` maps an account SID ("" for the site) to the seq of the latest event that
    changed it, and to True if that event made it read-only.
    """

    expected_rows: dict[str, tuple[int, bool]] = field(default_factory=dict)

    def follow(self, row: dict[str, Any]) -> None:
        """Take one event of the log into account."""
        is_about_mode = row["action"] in (
            AvailabilityAction.SET_READ_ONLY,
            AvailabilityAction.LIFT_READ_ONLY,
        )
        if is_about_mode and row["result"] == Result.SUCCEEDED:
            is_read_only = row["action"] == AvailabilityAction.SET_READ_ONLY
            self.expected_rows[row["account_sid"]] = (row["seq"], is_read_only)

    def fault(self, end: int) -> tuple[int, str] | None:
        """Return the first event that the table contradicts and a description, or None.

        Accounts that changed after the event `end` are omitted.
        """
        closures = Closure.objects.filter(kind=READ_ONLY)
        read_only_sids = set(closures.values_list("account_sid", flat=True))
        later_events = AuditEvent.objects.filter(
            seq__gt=end,
            action__in=(AvailabilityAction.SET_READ_ONLY, AvailabilityAction.LIFT_READ_ONLY),
        )
        changed_later = set(later_events.values_list("account_sid", flat=True))
        faults = []
        for account_sid in {*read_only_sids, *self.expected_rows} - changed_later:
            seq, is_read_only = self.expected_rows.get(account_sid, (end, False))
            scope = f"account {account_sid}" if account_sid else "the site"
            if is_read_only and account_sid not in read_only_sids:
                faults.append((seq, f"made {scope} read-only, but {scope} is writable"))
            elif not is_read_only and account_sid in read_only_sids:
                text = f"or an earlier one left {scope} writable, but {scope} is read-only"
                faults.append((seq, text))
        return min(faults, default=None)
