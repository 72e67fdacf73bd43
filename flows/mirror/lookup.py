"""Finding the account of a flow that neither the mirror nor the log knows, by asking Twilio in each account."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final

from flows.accounts import twilio_accounts
from flows.accounts.clients import READ_DEADLINE
from flows.accounts.twilio_accounts import Account
from flows.availability import restrictions
from flows.mirror import mirror
from flows.twilio.errors import FlexError
from flows.twilio.flex.flex_flow import Snapshot

LOOKUP_TIMEOUT: Final = 10.0  # seconds that a page waits for all accounts together


@dataclass(frozen=True, slots=True)
class LookupResult:
    """The account that has a flow, and the flow as it was read there. Without one, no account that was asked
    has it; `unasked`: the accounts that could not be asked, each with the reason."""

    account: Account | None = None
    snapshot: Snapshot | None = None
    asked: list[Account] = field(default_factory=list)
    unasked: list[tuple[Account, str]] = field(default_factory=list)


def find_flow(sid: str, *, scope: twilio_accounts.Scope) -> LookupResult:
    """Ask each account of the scope for the flow, once, until one has it. What is found is taken over."""
    until = time.monotonic() + LOOKUP_TIMEOUT
    asked: list[Account] = []
    unasked: list[tuple[Account, str]] = []
    for account in twilio_accounts.visible_accounts(scope):
        reason = _skip_reason(account, until)
        if not reason:
            try:
                deadline = min(READ_DEADLINE, until - time.monotonic())
                snapshot = mirror.fetch(sid, account_sid=account.sid, deadline=deadline)
            except FlexError as error:
                reason = "" if _has_no_such_flow(account, error) else _as_sentence(str(error))
            else:
                return LookupResult(account, snapshot, [*asked, account], unasked)
        if reason:
            unasked.append((account, reason))
        else:
            asked.append(account)
    return LookupResult(asked=asked, unasked=unasked)


def _skip_reason(account: Account, until: float) -> str:
    if why := restrictions.account_availability(account.sid).why("fetch"):
        return why.sentence
    return "" if time.monotonic() < until else "There was no time left to check it."


def _has_no_such_flow(account: Account, error: FlexError) -> bool:
    """Where Twilio does not even list any more, a flow's 404 says nothing about the flow."""
    return (
        mirror.is_not_found(error)
        and restrictions.account_availability(account.sid).why("list") is None
    )


def _as_sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
