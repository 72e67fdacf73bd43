"""The first contact with an account's Flex API.

Until the API has answered once, a failure is more likely to come from this site's settings than
from Twilio. A wrong address refuses every request, just like a product that Twilio has ended.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from flows.accounts import twilio_accounts
from flows.accounts.twilio_accounts import Account
from flows.availability import restrictions
from flows.mirror.models import Flow, SyncState
from flows.twilio.errors import ConnectionFailed, FlexError, OutcomeUnknown, RequestRefused

# Operations that are possible before any flow has been synced.
FIRST_CALLS: Final = frozenset({"list", "create", "fetch"})


def is_misconfigured(account_sid: str, kind: str, error: FlexError) -> bool:
    """Return True if the site's settings are a likelier cause of this failure than Twilio."""
    if kind not in FIRST_CALLS or _has_responded(account_sid):
        return False
    return isinstance(error, ConnectionFailed) or _is_foreign_response(error)


def record_response(account_sid: str, kind: str, error: FlexError | None) -> None:
    """Update the availability of an operation from Twilio's response.

    A refusal counts only if the site's settings are not a likelier cause of it.
    """
    restrictions.record_response(
        account_sid,
        kind,
        error,
        is_misaddressed=lambda: error is not None and is_misconfigured(account_sid, kind, error),
    )


def explain_failure(account_sid: str, error: FlexError) -> str:
    """Return the likely mistake in the settings, without a full stop at the end.

    Return an empty string if the account has answered before, or if the cause is another one.
    """
    try:
        account = twilio_accounts.get_account(account_sid)
    except twilio_accounts.AccountNotConfigured:
        return ""
    if _has_responded(account_sid):
        return ""
    url_setting = _url_variable(account)
    if isinstance(error, ConnectionFailed):
        return (
            f"Couldn't connect to {_host(account)}. "
            f"Check {url_setting}, and that this server can reach it"
        )
    root = _format_root(account)
    status = restrictions.describe_status(error.status, error.code)
    if error.status == HTTPStatus.UNAUTHORIZED:
        settings = _credential_variables(account)
        if not error.code:
            settings += f", and {url_setting}"
        return f"{root} does not accept this site's credentials ({status}). Check {settings}"
    if error.status == HTTPStatus.NOT_FOUND and error.code is not None:
        return (
            f"Twilio has no Flex Flows at {root} ({status}). Check {url_setting}. "
            "If it is right, Programmable Chat for Flex has ended for this account"
        )
    if _is_foreign_response(error):
        return f"{root} is not Twilio's Flex API ({status}). Check {url_setting}"
    return ""


def _url_variable(account: Account) -> str:
    if account.api_url:
        return _variable_name(account, "FLEX_API_URL")
    return "FLEX_API_URL"


def _credential_variables(account: Account) -> str:
    if account.auth[0] == account.sid:
        return _variable_name(account, "TWILIO_AUTH_TOKEN")
    key = _variable_name(account, "TWILIO_API_KEY")
    secret = _variable_name(account, "TWILIO_API_SECRET")
    return f"{key} and {secret}"


def _has_responded(account_sid: str) -> bool:
    """Return True if the account was ever synced, or one of its flows read or created."""
    synced = SyncState.objects.filter(account_sid=account_sid, synced_at__isnull=False)
    return synced.exists() or Flow.objects.filter(account_sid=account_sid).exists()


def _is_foreign_response(error: FlexError) -> bool:
    """Return True for a response that does not come from the Flex API, nor from a failing server.

    A 404 counts even with Twilio's code: Twilio's hosts return it for every wrong path.
    """
    if isinstance(error, RequestRefused) and error.status == HTTPStatus.NOT_FOUND:
        return True
    if error.code is not None or error.status is None:
        return False
    if isinstance(error, RequestRefused):
        return error.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
    is_unreadable = isinstance(error, OutcomeUnknown)
    return is_unreadable and error.status < HTTPStatus.INTERNAL_SERVER_ERROR


def _host(account: Account) -> str:
    """Return the host and port of the configured API root, without a user name."""
    return urlsplit(account.root).netloc.rpartition("@")[2]


def _format_root(account: Account) -> str:
    """Return the configured API root without a user name or a query."""
    root = urlsplit(account.root)
    return f"{root.scheme}://{_host(account)}{root.path}"


def _variable_name(account: Account, variable: str) -> str:
    """Return the name of an account's environment variable."""
    if not account.name:
        return variable
    suffix = account.name.upper().replace("-", "_")
    return f"{variable}__{suffix}"
