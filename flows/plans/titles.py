"""Titles of bulk changes: verb, number of flows, and the accounts if the site has several."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from flows.accounts import twilio_accounts
from flows.plans.items import nonzero_counts
from flows.plans.models import PlannedChange

VERB_BY_ACTION: Final = {
    "flow.update": "change",
    "flow.create": "create",
    "flow.delete": "delete",
    "flow.details": "change",
}
_RETRY_PREFIX: Final = re.compile(r"Retry [0-9,]+ of: ")


def format_count(number: int, noun: str = "flow") -> str:
    plural_ending = "" if number == 1 else "s"
    return f"{number:,} {noun}{plural_ending}"


def format_accounts(account_sids: Iterable[str]) -> str:
    """Return the end of a sentence, such as " in production", or "" if the site has one account."""
    names = sorted(map(account_name, set(account_sids) - {""}))
    if twilio_accounts.only_account() or not names:
        return ""
    if len(names) > 2:
        return f" in {len(names)} accounts"
    return f" in {' and '.join(names)}"


def account_name(sid: str) -> str:
    """Return the name of an account, or the SID of one that was removed from the site."""
    return str(twilio_accounts.account_or_removed(sid))


def title_of_change(sentence: str, planned: Sequence[PlannedChange]) -> str:
    """Return the title of one action for many flows.

    `sentence` has a placeholder for them, as in "Turn off {flows}".
    """
    included = included_changes(planned)
    flows = format_count(len(included or planned)) + _accounts_of(included)
    return sentence.format(flows=flows)


def title_of_import(planned: Sequence[PlannedChange], subject: str = "Import") -> str:
    """Return the title of a bulk change that comes from a file, such as "Import: create 1 flow"."""
    included = included_changes(planned)
    if not included:
        return f"{subject}: nothing to change"
    counts = Counter(change.action for change in included)
    parts = [
        f"{VERB_BY_ACTION[action]} {format_count(number)}"
        for action, number in nonzero_counts(counts, VERB_BY_ACTION)
    ]
    return f"{subject}: {', '.join(parts)}{_accounts_of(included)}"


def title_of_copy(planned: Sequence[PlannedChange], target_sid: str) -> str:
    """Return the title of a copy to an account.

    All who may see that account see the title, so it doesn't name the account on the other side.
    """
    flows = format_count(len(included_changes(planned)) or len(planned))
    return f"Copy of {flows} to {account_name(target_sid)}"


def title_of_retry(title: str, flows: int) -> str:
    return f"Retry {flows:,} of: {_RETRY_PREFIX.sub('', title, count=1)}"


def included_changes(planned: Sequence[PlannedChange]) -> list[PlannedChange]:
    return [change for change in planned if not change.skip_reason]


def _accounts_of(changes: Sequence[PlannedChange]) -> str:
    return format_accounts(change.account_sid for change in changes)
