"""A check of the table of read-only accounts against the audit log."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flows.audit.models import AuditEvent, Result
from flows.availability.models import Closure


@dataclass(slots=True)
class ReadOnlyCheck:
    """The accounts (or the whole site, "") that somebody made read-only by the log, as the table of closures has them."""

    expected_rows: dict[str, tuple[int, bool]] = field(
        default_factory=dict
    )  # account: the event, read-only or not

    def follow(self, row: dict[str, Any]) -> None:
        if (
            row["action"] in ("account.close", "account.reopen")
            and row["result"] == Result.SUCCEEDED
        ):
            self.expected_rows[row["account_sid"]] = (row["seq"], row["action"] == "account.close")

    def fault(self, end: int) -> tuple[int, str] | None:
        """The first account that the table has otherwise than the log up to `end`."""
        table = set(Closure.objects.filter(kind="change").values_list("account_sid", flat=True))
        later = AuditEvent.objects.filter(
            seq__gt=end, action__in=("account.close", "account.reopen")
        )
        moved = set(later.values_list("account_sid", flat=True))
        faults = []
        for account_sid in {*table, *self.expected_rows} - moved:
            seq, is_read_only = self.expected_rows.get(account_sid, (end, False))
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
