"""Whose flow it is, and the client for it: with that account's credentials, as the settings have them."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.dispatch import Signal

from flows.accounts import rates, twilio_accounts
from flows.twilio.client import FlexClient
from flows.twilio.errors import NotSent

READ_DEADLINE = 4.0  # seconds a page waits for Twilio before it shows the copy
FORM_DEADLINE = 6.0  # of a form that changes a flow; it begins with the flow as it is
WRITE_DEADLINE = 15.0
# Longer than any call may take: an attempt that is older belongs to a process that died.
ATTEMPT_TIMEOUT = timedelta(seconds=4 * WRITE_DEADLINE)
# Seconds that a page waits for its turn within Twilio's rates. Changes wait as long as they may, so that
# their turn comes at most so much later however many people look at pages.
PAGE_PATIENCE = 1.0

# After each call: verb, result (a word of `FlexClient`'s) and seconds, for whoever counts them.
call_finished = Signal()


def flex_client(account_sid: str, *, deadline: float = WRITE_DEADLINE) -> FlexClient:
    """A client of that account, over the connections that the thread keeps. Without credentials for it,
    `NeverSent`."""
    if not account_sid:
        raise NotSent("the account of this flow is unknown, so Twilio was not asked")
    try:
        account = twilio_accounts.get_account(account_sid)
    except twilio_accounts.AccountNotConfigured:
        raise NotSent(f"this site has no credentials for the account {account_sid}") from None
    return FlexClient(
        base_url=account.root,
        account_sid=account.sid,
        auth=account.auth,
        deadline=deadline,
        patience=PAGE_PATIENCE if deadline <= READ_DEADLINE else deadline,
        rate_limits=settings.FLEX_RATE_LIMITS,
        rates=rates.SHARED_RATE_LIMITER,
        observe=_send_call_finished,
    )


def _send_call_finished(verb: str, result: str, seconds: float) -> None:
    # A change goes on whatever they do.
    call_finished.send_robust(FlexClient, verb=verb, result=result, seconds=seconds)
