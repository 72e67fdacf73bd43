"""Titles of bulk changes: the verb, the number of flows, and the accounts where there are several."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from flows.accounts import twilio_accounts
from flows.plans.models import PlannedChange

VERB_BY_ACTION: Final = {"flow.update": "change", "flow.create": "create", "flow.delete": "delete"}
_RETRY_PREFIX: Final = re.compile(r"Retry [0-9,]+ of: ")


def format_count(number: int, noun: str = "flow") -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def format_accounts(account_sids: Iterable[str]) -> str:
    """The accounts as the end of a sentence, " in production"; nothing where the site has one account."""
    if twilio_accounts.only_account():
        return ""
    known = {account.sid: str(account) for account in twilio_accounts.all_accounts()}
    names = sorted({known.get(sid, sid) for sid in account_sids if sid})
    if len(names) > 2:
        return f" in {len(names)} accounts"
    return f" in {' and '.join(names)}" if names else ""


def title_of_change(sentence: str, planned: Sequence[PlannedChange]) -> str:
    """The title of the same change of many flows; `sentence` has a place for them: "Turn off {flows}"."""
    made = [change for change in planned if not change.skipped]
    where = format_accounts(change.account_sid for change in made)
    return sentence.format(flows=format_count(len(made or planned)) + where)


def title_of_import(planned: Sequence[PlannedChange]) -> str:
    made = [change for change in planned if not change.skipped]
    number_of = Counter(change.action for change in made)
    parts = [
        f"{verb} {format_count(number_of[action])}"
        for action, verb in VERB_BY_ACTION.items()
        if number_of[action]
    ]
    where = format_accounts(change.account_sid for change in made)
    return f"Import: {', '.join(parts)}{where}" if parts else "Import: nothing to change"


def title_of_retry(title: str, flows: int) -> str:
    return f"Retry {flows:,} of: {_RETRY_PREFIX.sub('', title, count=1)}"
