"""Freshness of the mirror: the last comparison with Twilio, and its result.

A page that shows mirrored flows also shows how fresh they are (templates/_freshness.html).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from flows.accounts.twilio_accounts import Account
from flows.mirror.models import SyncState

NEVER, FAILED, PARTIAL, CHECKED = "never", "failed", "partial", "checked"
_SEVERITY_ORDER: Final = (FAILED, NEVER, PARTIAL, CHECKED)
_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Freshness:
    """The last comparison with Twilio.

    `account` is set on pages about several accounts.
    """

    sync: SyncState
    account: Account | None = None

    @property
    def state(self) -> str:
        """Return never, failed, partial (some flows could not be checked) or checked."""
        if self.sync.failed_at:
            return FAILED
        if not self.sync.synced_at:
            return NEVER
        if self.sync.has_gap:
            return PARTIAL
        return CHECKED

    @property
    def without_account(self) -> Freshness:
        """The same for a place that names the account already."""
        return Freshness(self.sync)

    @property
    def is_up_to_date(self) -> bool:
        return self.state == CHECKED


def load_freshness(accounts: Iterable[Account]) -> list[Freshness]:
    """Return the freshness of each of these accounts, the worst first."""
    all_accounts = list(accounts)
    states = SyncState.objects.in_bulk([account.sid for account in all_accounts])
    return sort_freshness(all_accounts, states)


def sort_freshness(accounts: Iterable[Account], states: Mapping[str, SyncState]) -> list[Freshness]:
    """Return the freshness of each of these accounts from their syncs by SID, the worst first."""
    freshness = []
    for account in accounts:
        state = states.get(account.sid) or SyncState(account_sid=account.sid)
        freshness.append(Freshness(state, account))
    return sorted(freshness, key=_severity)


def select_worst(freshness: Sequence[Freshness]) -> Freshness:
    """Return the worst of the results of `load_freshness`, with its account if there are several.

    Without any, return the freshness of an account that was never synced.
    """
    if not freshness:
        return Freshness(SyncState())
    worst = freshness[0]
    is_only_one = len(freshness) == 1
    return Freshness(worst.sync) if is_only_one else worst


def describe_missing(sync: SyncState) -> str:
    """Return a sentence on the flows that Twilio's list lacks, or an empty string."""
    if sync.missing:
        return _describe_checks(sync)
    if sync.left_out:
        return _describe_left_out(sync.left_out)
    return ""


def _describe_checks(sync: SyncState) -> str:
    """Return the progress of fetching the missing flows one by one."""
    flows = "1 flow that is" if sync.missing == 1 else f"{sync.missing} flows that are"
    text = f"Checking {flows} missing from Twilio's list: {sync.missing_checked} checked."
    if not sync.check_error:
        return text
    return f"{text} Checking stopped: {sync.check_error.rstrip('.')}."


def _describe_left_out(count: int) -> str:
    if count == 1:
        return "1 flow is missing from Twilio's list, but still exists there."
    return f"{count} flows are missing from Twilio's list, but still exist there."


def _severity(freshness: Freshness) -> tuple[int, datetime]:
    return _SEVERITY_ORDER.index(freshness.state), freshness.sync.synced_at or _EARLIEST
