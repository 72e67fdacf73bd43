"""Whose flow it is, and the client for it: with that account's credentials, as the settings have them."""

from __future__ import annotations

from django.conf import settings
from django.dispatch import Signal

from flows import accounts
from flows.flexapi.client import FlexClient
from flows.flexapi.errors import NeverSent
from flows.models import AuditEvent, Flow
from flows.services import rates

READ_DEADLINE = 4.0  # seconds a page waits for Twilio before it shows the copy
FORM_DEADLINE = 6.0  # of a form that changes a flow; it begins with the flow as it is
WRITE_DEADLINE = 15.0
# Seconds that a page waits for its turn within Twilio's rates. Changes wait as long as they may, so that
# their turn comes at most so much later however many people look at pages.
PAGE_PATIENCE = 1.0

# After each call: verb, result (a word of `FlexClient`'s) and seconds, for whoever counts them.
called = Signal()


def flex_client(account_sid: str, *, deadline: float = WRITE_DEADLINE) -> FlexClient:
    """A client of that account, over the connections that the thread keeps. Without credentials for it,
    `NeverSent`."""
    if not account_sid:
        raise NeverSent("the account of this flow is unknown, so Twilio was not asked")
    try:
        account = accounts.get(account_sid)
    except accounts.NotConfigured:
        raise NeverSent(f"this site has no credentials for the account {account_sid}") from None
    return FlexClient(
        base_url=account.root,
        account_sid=account.sid,
        auth=account.auth,
        deadline=deadline,
        patience=PAGE_PATIENCE if deadline <= READ_DEADLINE else deadline,
        rate_limits=settings.FLEX_RATE_LIMITS,
        rates=rates.SHARED,
        observe=_tell,
    )


def account_of(sid: str) -> str:
    """The account that a flow belongs to: as the copy has it, else the log, else the site's only one. Empty
    for a flow that neither knows on a site with several accounts: nothing guesses there (lookup.py asks)."""
    owner = Flow.objects.filter(pk=sid).values_list("account_sid", flat=True).first()
    told = AuditEvent.objects.filter(target_sid=sid).exclude(account_sid="")
    if owner := owner or told.values_list("account_sid", flat=True).first():
        return owner
    only = accounts.sole()
    return only.sid if only else ""


def _tell(verb: str, result: str, seconds: float) -> None:
    # A change goes on whatever they do.
    called.send_robust(FlexClient, verb=verb, result=result, seconds=seconds)
