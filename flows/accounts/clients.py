"""Twilio clients with the credentials and deadlines of one account.

Each thread keeps its clients, one for each account and deadline, and their connections stay open.
"""

from __future__ import annotations

import threading
from datetime import timedelta

from django.conf import settings
from django.dispatch import Signal

from flows.accounts import shared_rates, twilio_accounts
from flows.accounts.twilio_accounts import Account
from flows.twilio.client import ResourceClient
from flows.twilio.errors import NotSent
from flows.twilio.resource import Resource

READ_DEADLINE = 4.0  # seconds that a page waits for Twilio before it shows the mirror
FORM_DEADLINE = 6.0  # seconds that a form waits for the current flow that it starts from
WRITE_DEADLINE = 15.0  # seconds
# Longer than any call may take: a pending attempt that is older belongs to a process that died.
ATTEMPT_TIMEOUT = timedelta(seconds=4 * WRITE_DEADLINE)
# Seconds that a page waits for its turn within Twilio's rate limits. Changes wait until their
# deadline, so page views can delay a change by at most this much.
PAGE_PATIENCE = 1.0

# Sent after each call with its verb, its result as `ResourceClient` names it, and its seconds.
call_finished = Signal()


class _ThreadClients(threading.local):
    """The clients of the current thread, and the settings that they were made from."""

    def __init__(self) -> None:
        self.settings: tuple[object, ...] = ()
        self.by_key: dict[tuple[str, str, float], ResourceClient] = {}


_thread = _ThreadClients()


def resource_client(
    resource: Resource, account_sid: str, *, deadline: float = WRITE_DEADLINE
) -> ResourceClient:
    """Return the thread's client for a resource of the account.

    Its calls have this deadline in seconds.

    Raises `NotSent` if the account is unknown or the site has no credentials for it.
    """
    account = _find_account(account_sid)
    current_settings = (
        settings.FLEX_ACCOUNTS,
        settings.FLEX_API_URL,
        settings.TWILIO_API_URL,
        settings.FLEX_RATE_LIMITS,
    )
    if _thread.settings != current_settings:
        close_clients()
        _thread.settings = current_settings
    key = (resource.name, account_sid, deadline)
    if key not in _thread.by_key:
        _thread.by_key[key] = _create_client(resource, account, deadline)
    return _thread.by_key[key]


def close_clients() -> None:
    """Close the current thread's clients and their connections. The next call opens others."""
    for client in _thread.by_key.values():
        client.close()
    _thread.by_key.clear()


def _find_account(account_sid: str) -> Account:
    if not account_sid:
        raise NotSent("the account of this flow is unknown, so Twilio was not asked")
    try:
        return twilio_accounts.get_account(account_sid)
    except twilio_accounts.AccountNotConfigured:
        raise NotSent(f"this site has no credentials for the account {account_sid}") from None


def _create_client(resource: Resource, account: Account, deadline: float) -> ResourceClient:
    return ResourceClient(
        resource,
        base_url=account.root_of(resource),
        account_sid=account.sid,
        auth=account.auth,
        headers=account.headers_of(resource),
        deadline=deadline,
        patience=PAGE_PATIENCE if deadline <= READ_DEADLINE else deadline,
        rate_limits=settings.FLEX_RATE_LIMITS,
        rates=shared_rates.SHARED_RATE_LIMITER,
        observe=_send_call_finished,
    )


def _send_call_finished(verb: str, result: str, seconds: float) -> None:
    # Robust, because an error in a receiver must not stop a change.
    call_finished.send_robust(ResourceClient, verb=verb, result=result, seconds=seconds)
