"""How sure a page can be of what it says about Twilio's flows: when they were last compared, and how that went. Whatever
says that something is fine shows this beside it (templates/_freshness.html).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    """The last comparison with Twilio. `account` is the one that it is about, where a page is about several."""

    sync: SyncState
    account: Account | None = None

    @property
    def state(self) -> str:
        """Return never, failed, partial (some flows could not be checked) or checked."""
        if self.sync.failed_at:
            return FAILED
        if not self.sync.synced_at:
            return NEVER
        return PARTIAL if self.sync.missing or self.sync.left_out else CHECKED

    @property
    def is_up_to_date(self) -> bool:
        return self.state == CHECKED


def load_freshness(here: Iterable[Account]) -> list[Freshness]:
    """Return the freshness of each of these accounts, the one to worry about most first."""
    found = list(here)
    states = SyncState.objects.in_bulk([account.sid for account in found])
    all_of_them = [
        Freshness(states.get(account.sid) or SyncState(account_sid=account.sid), account)
        for account in found
    ]
    return sorted(all_of_them, key=_severity)


def select_worst(found: Sequence[Freshness]) -> Freshness:
    """Return the one to worry about most, of those that `of_accounts` gave; of none, that of a site never checked."""
    if not found:
        return Freshness(SyncState())
    return found[0] if len(found) > 1 else Freshness(found[0].sync)


def describe_missing(sync: SyncState) -> str:
    """Return a sentence on the flows that Twilio's list lacks, or nothing if it lacks none."""
    if sync.missing:
        verb = "is" if sync.missing == 1 else "are"
        text = (
            f"Checking {_pluralize_flows(sync.missing)} that {verb} missing from Twilio's list: "
            f"{sync.missing_checked} checked."
        )
        return (
            f"{text} Checking stopped: {sync.check_error.rstrip('.')}."
            if sync.check_error
            else text
        )
    if sync.left_out:
        verb, exist = ("is", "exists") if sync.left_out == 1 else ("are", "exist")
        return f"{_pluralize_flows(sync.left_out)} {verb} missing from Twilio's list, but still {exist} there."
    return ""


def _pluralize_flows(count: int) -> str:
    return "1 flow" if count == 1 else f"{count} flows"


def _severity(one: Freshness) -> tuple[int, datetime]:
    return _SEVERITY_ORDER.index(one.state), one.sync.synced_at or _EARLIEST
