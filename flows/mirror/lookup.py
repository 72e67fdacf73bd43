"""Search of Twilio for a flow that neither the mirror nor the log has, account by account."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final

from django.utils.text import capfirst

from flows.accounts import twilio_accounts
from flows.accounts.twilio_accounts import Account
from flows.availability import restrictions
from flows.mirror import flow_reads, mirror
from flows.twilio.errors import FlexError
from flows.twilio.resource import Snapshot

LOOKUP_TIMEOUT: Final = 10.0  # seconds after which no other account is searched


@dataclass(frozen=True, slots=True)
class FoundFlow:
    """A flow as it was read from its account."""

    account_sid: str
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class LookupResult:
    """Result of a search: the flow, or the accounts that don't have it.

    `unsearched_accounts` are those that could not be searched, each with the reason.
    """

    flow: FoundFlow | None = None
    searched_accounts: list[Account] = field(default_factory=list)
    unsearched_accounts: list[tuple[Account, str]] = field(default_factory=list)


def find_flow(sid: str, *, scope: twilio_accounts.Scope) -> LookupResult:
    """Fetch the flow from each account of the scope until one has it, and mirror it."""
    deadline = time.monotonic() + LOOKUP_TIMEOUT
    searched: list[Account] = []
    unsearched: list[tuple[Account, str]] = []
    for account in twilio_accounts.visible_accounts(scope):
        skip_reason = _skip_reason(account, deadline)
        if skip_reason:
            unsearched.append((account, skip_reason))
            continue
        try:
            snapshot = mirror.fetch(sid, account_sid=account.sid)
        except FlexError as error:
            if _has_no_such_flow(account, error):
                searched.append(account)
            else:
                unsearched.append((account, f"{capfirst(str(error))}."))
        else:
            flow = FoundFlow(account.sid, snapshot)
            return LookupResult(flow, [*searched, account], unsearched)
    return LookupResult(searched_accounts=searched, unsearched_accounts=unsearched)


def _skip_reason(account: Account, deadline: float) -> str:
    restriction = restrictions.account_availability(account.sid).restriction_of("fetch")
    if restriction:
        return restriction.sentence
    return "" if time.monotonic() < deadline else "There was no time left to check it."


def _has_no_such_flow(account: Account, error: FlexError) -> bool:
    """Return True for a 404, unless Twilio refuses to list flows: then a 404 proves nothing."""
    if not flow_reads.is_not_found(error):
        return False
    return restrictions.account_availability(account.sid).restriction_of("list") is None
