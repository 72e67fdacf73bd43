"""The first contact with an account's Flex API. Until it has answered once, a failure says more of this
site's settings than of Twilio: an address that is wrong refuses everything, as a product would that has
ended.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from flows.accounts import twilio_accounts
from flows.accounts.twilio_accounts import Account
from flows.availability import restrictions
from flows.mirror.models import Flow, SyncState
from flows.twilio.errors import ConnectionFailed, FlexError, OutcomeUnknown, RequestRefused

# Kinds of call that can be made while no flow is known.
FIRST_CALLS: Final = frozenset({"list", "create", "fetch"})
UNAUTHORIZED: Final = 401
NOT_FOUND: Final = 404


def is_misconfigured(account_sid: str, kind: str, error: FlexError) -> bool:
    """Tell whether the site's settings are a likelier cause of this failure than Twilio."""
    return (
        kind in FIRST_CALLS
        and not _has_responded(account_sid)
        and (_is_foreign_response(error) or _is_connection_failure(error))
    )


def record_response(account_sid: str, kind: str, error: FlexError | None) -> None:
    """Update what Twilio refuses of the account, by its answer to one call.

    A refusal counts only if the site's settings are not a likelier cause of it.
    """
    restrictions.record_response(
        account_sid,
        kind,
        error,
        is_misaddressed=lambda: error is not None and is_misconfigured(account_sid, kind, error),
    )


def explain_failure(account_sid: str, error: FlexError) -> str:
    """Say which setting looks wrong, without a full stop at the end. Empty where the account has answered
    before, or where the failure has another cause."""
    try:
        account = twilio_accounts.get_account(account_sid)
    except twilio_accounts.AccountNotConfigured:
        return ""
    if _has_responded(account_sid):
        return ""
    setting = _variable_name(account, "FLEX_API_URL") if account.api_url else "FLEX_API_URL"
    if error.status == UNAUTHORIZED:
        keys = (
            "TWILIO_AUTH_TOKEN"
            if account.auth[0] == account.sid
            else "TWILIO_API_KEY and TWILIO_API_SECRET"
        )
        keys = " and ".join(_variable_name(account, key) for key in keys.split(" and "))
        whose = f"{_format_root(account)} does not accept this site's credentials ({_describe_error(error)})"
        return f"{whose}. Check {keys}" + ("" if error.code else f", and {setting}")
    if _is_connection_failure(error):
        host = urlsplit(account.root).netloc.rpartition("@")[2]
        return f"Couldn't connect to {host}. Check {setting}, and that this server can reach it"
    if error.status == NOT_FOUND and error.code is not None:
        there = f"Twilio has no Flex Flows at {_format_root(account)} ({_describe_error(error)}). Check {setting}"
        return f"{there}. If it is right, Programmable Chat for Flex has ended for this account"
    if _is_foreign_response(error):
        return f"{_format_root(account)} is not Twilio's Flex API ({_describe_error(error)}). Check {setting}"
    return ""


def _has_responded(account_sid: str) -> bool:
    """Tell whether the account was ever synced, or a flow of its read or made."""
    synced = SyncState.objects.filter(account_sid=account_sid, synced_at__isnull=False)
    return synced.exists() or Flow.objects.filter(account_sid=account_sid).exists()


def _is_foreign_response(error: FlexError) -> bool:
    """Tell whether an answer is not one of the Flex API's: no refusal in Twilio's words, and no failure of
    a server. A 404 is none in Twilio's words either: its hosts give it for each address that is not
    there."""
    if isinstance(error, RequestRefused):
        return error.status == NOT_FOUND or (
            error.code is None and error.status in (UNAUTHORIZED, 403)
        )
    is_answer = isinstance(error, OutcomeUnknown) and error.status is not None
    return is_answer and error.code is None and error.status is not None and error.status < 500


def _is_connection_failure(error: FlexError) -> bool:
    return isinstance(error, ConnectionFailed)


def _describe_error(error: FlexError) -> str:
    return f"status {error.status}" + (f", code {error.code}" if error.code else "")


def _format_root(account: Account) -> str:
    """The root as it is configured, without a user name or a query."""
    root = urlsplit(account.root)
    return f"{root.scheme}://{root.netloc.rpartition('@')[2]}{root.path}"


def _variable_name(account: Account, variable: str) -> str:
    """The name of an account's variable in the environment."""
    return f"{variable}__{account.name.upper().replace('-', '_')}" if account.name else variable
