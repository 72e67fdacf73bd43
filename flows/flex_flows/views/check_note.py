"""How old the findings are that the list filters by, and what they say nothing of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flows.accounts.twilio_accounts import Account
from flows.checks.checking import RULES_BY_ID
from flows.checks.finding_counts import CheckState
from flows.search.finding_filter import ANY


@dataclass(frozen=True, slots=True)
class CheckNote:
    """The note above a list that is filtered by check.

    `checked_at` is the oldest of the accounts' last checks, or None if there is none.
    """

    checked_at: datetime | None
    sentences: list[str]


def build_check_note(
    check: str, accounts: Sequence[Account], states: Mapping[str, CheckState]
) -> CheckNote:
    """Return the note about a filter by check in these accounts."""
    times = [states[account.sid].checked_at for account in accounts if account.sid in states]
    sentences: list[str] = []
    for account in accounts:
        place = f"{account}: " if len(accounts) > 1 else ""
        state = states.get(account.sid)
        sentences += [f"{place}{sentence}" for sentence in _describe(check, state)]
    return CheckNote(min(filter(None, times), default=None), sentences)


def _describe(check: str, state: CheckState | None) -> Iterator[str]:
    """Yield what the filter can't tell about an account."""
    if state is None:
        yield "The flows have not been checked yet. Findings are stored after the next sync."
        return
    if state.failed_at is not None:
        yield "The last check failed. The error has been logged, and the next sync tries again."
    unmet = [rule_id for rule_id in state.unmet_rules if check in (ANY, rule_id)]
    if len(unmet) == 1 and unmet[0] in RULES_BY_ID:
        yield f"“{RULES_BY_ID[unmet[0]].title}” was not checked."
    elif unmet:
        yield f"{len(unmet)} checks couldn't be made."
    flows = max(
        (n for rule_id, n in state.outdated_flows.items() if check in (ANY, rule_id)), default=0
    )
    if flows:
        verb = "1 flow was" if flows == 1 else f"{flows:,} flows were"
        yield f"{verb} changed after the names and numbers were read, and can't be judged yet."
