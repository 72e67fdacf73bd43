"""The first contact with an account's Flex API. Until it has answered once, a failure says more of this
site's settings than of Twilio: an address that is wrong refuses everything, as a product would that has
ended.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from flows import accounts
from flows.accounts import Account
from flows.flexapi.errors import FlexError, NoConnection, Refused, Unknown
from flows.models import Flow, SyncState

# Kinds of call that can be made while no flow is known.
KINDS: Final = frozenset({"list", "create", "fetch"})
UNAUTHORIZED: Final = 401
NOT_FOUND: Final = 404


def is_misaddressed(account_sid: str, kind: str, error: FlexError) -> bool:
    """Tell whether the site's settings are a likelier cause of this failure than Twilio."""
    return (
        kind in KINDS and not _has_answered(account_sid) and (_speaks_otherwise(error) or _is_nobody(error))
    )


def explain(account_sid: str, error: FlexError) -> str:
    """Say which setting looks wrong, without a full stop at the end. Empty where the account has answered
    before, or where the failure has another cause."""
    try:
        account = accounts.get(account_sid)
    except accounts.NotConfigured:
        return ""
    if _has_answered(account_sid):
        return ""
    setting = _called(account, "FLEX_API_URL") if account.api_url else "FLEX_API_URL"
    if error.status == UNAUTHORIZED:
        keys = (
            "TWILIO_AUTH_TOKEN" if account.auth[0] == account.sid else "TWILIO_API_KEY and TWILIO_API_SECRET"
        )
        keys = " and ".join(_called(account, key) for key in keys.split(" and "))
        whose = f"{_address(account)} does not accept this site's credentials ({_said(error)})"
        return f"{whose}. Check {keys}" + ("" if error.code else f", and {setting}")
    if _is_nobody(error):
        host = urlsplit(account.root).netloc.rpartition("@")[2]
        return f"Couldn't connect to {host}. Check {setting}, and that this server can reach it"
    if error.status == NOT_FOUND and error.code is not None:
        there = f"Twilio has no Flex Flows at {_address(account)} ({_said(error)}). Check {setting}"
        return f"{there}. If it is right, Programmable Chat for Flex has ended for this account"
    if _speaks_otherwise(error):
        return f"{_address(account)} is not Twilio's Flex API ({_said(error)}). Check {setting}"
    return ""


def _has_answered(account_sid: str) -> bool:
    """Tell whether the account was ever synced, or a flow of its read or made."""
    synced = SyncState.objects.filter(account_sid=account_sid, synced_at__isnull=False)
    return synced.exists() or Flow.objects.filter(account_sid=account_sid).exists()


def _speaks_otherwise(error: FlexError) -> bool:
    """Tell whether an answer is not one of the Flex API's: no refusal in Twilio's words, and no failure of
    a server. A 404 is none in Twilio's words either: its hosts give it for each address that is not
    there."""
    if isinstance(error, Refused):
        return error.status == NOT_FOUND or (error.code is None and error.status in (UNAUTHORIZED, 403))
    is_answer = isinstance(error, Unknown) and error.status is not None
    return is_answer and error.code is None and error.status is not None and error.status < 500


def _is_nobody(error: FlexError) -> bool:
    return isinstance(error, NoConnection)


def _said(error: FlexError) -> str:
    return f"status {error.status}" + (f", code {error.code}" if error.code else "")


def _address(account: Account) -> str:
    """The root as it is configured, without a user name or a query."""
    root = urlsplit(account.root)
    return f"{root.scheme}://{root.netloc.rpartition('@')[2]}{root.path}"


def _called(account: Account, variable: str) -> str:
    """The name of an account's variable in the environment."""
    return f"{variable}__{account.name.upper().replace('-', '_')}" if account.name else variable
