"""Finding the account of a flow that neither the mirror nor the log knows, by asking Twilio in each account."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final

from flows import accounts
from flows.accounts import Account
from flows.flexapi.errors import FlexError
from flows.flexapi.schema import Snapshot
from flows.services import closures, mirror
from flows.services.twilio import READ_DEADLINE

LONGEST: Final = 10.0  # seconds that a page waits for all accounts together


@dataclass(frozen=True, slots=True)
class Lookup:
    """The account that has a flow, and the flow as it was read there. Without one, no account that was asked
    has it; `unasked`: the accounts that could not be asked, each with the reason."""

    account: Account | None = None
    snapshot: Snapshot | None = None
    asked: list[Account] = field(default_factory=list)
    unasked: list[tuple[Account, str]] = field(default_factory=list)


def find(sid: str, *, scope: accounts.Scope) -> Lookup:
    """Ask each account of the scope for the flow, once, until one has it. What is found is taken over."""
    until = time.monotonic() + LONGEST
    asked: list[Account] = []
    unasked: list[tuple[Account, str]] = []
    for account in accounts.of_scope(scope):
        reason = _reason_not_to_ask(account, until)
        if not reason:
            try:
                deadline = min(READ_DEADLINE, until - time.monotonic())
                snapshot = mirror.fetch(sid, account_sid=account.sid, deadline=deadline)
            except FlexError as error:
                reason = "" if _has_no_such_flow(account, error) else _sentence(str(error))
            else:
                return Lookup(account, snapshot, [*asked, account], unasked)
        if reason:
            unasked.append((account, reason))
        else:
            asked.append(account)
    return Lookup(asked=asked, unasked=unasked)


def _reason_not_to_ask(account: Account, until: float) -> str:
    if why := closures.state_of(account.sid).why("fetch"):
        return why.sentence
    return "" if time.monotonic() < until else "There was no time left to check it."


def _has_no_such_flow(account: Account, error: FlexError) -> bool:
    """Where Twilio does not even list any more, a flow's 404 says nothing about the flow."""
    return mirror.is_gone(error) and closures.state_of(account.sid).why("list") is None


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
