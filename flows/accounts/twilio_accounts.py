"""The Twilio accounts of the site: their credentials, names and marks.

They come from the environment through the setting `FLEX_ACCOUNTS`. Most sites have one account.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings

from flows.twilio.description import FLEX_PRODUCT
from flows.twilio.resource import Resource

if TYPE_CHECKING:
    from django.db.models import QuerySet

# Colours of an account's mark on pages; the style sheet uses the same names.
COLOURS: Final = ("red", "amber", "green", "teal", "blue", "violet")
# SIDs of accounts, or None for all accounts, including those that were removed from the site.
Scope = frozenset[str] | None
# Stands for all accounts in place of a SID, including those that were removed from the site.
ALL_ACCOUNTS: Final = "*"


@dataclass(frozen=True, slots=True)
class Account:
    """One Twilio account.

    `auth` is (API key, secret) or (account SID, auth token). `name` and `colour` are set if the
    site has several accounts. `api_url` is set if it differs from the setting `FLEX_API_URL`, and
    `twilio_api_url` if it differs from `TWILIO_API_URL`. `headers` are the values of headers that
    only some resources take. `auth_token` signs tests of webhooks. It may be empty if there is an
    API key.
    """

    sid: str
    auth: tuple[str, str] = field(repr=False)
    name: str = ""
    colour: str = ""
    is_production: bool = False
    is_read_only: bool = False
    api_url: str = ""
    twilio_api_url: str = ""
    auth_token: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)

    def __str__(self) -> str:
        return self.name or self.sid

    @property
    def root(self) -> str:
        """Return the base URL of the account's Flex API."""
        return self.api_url or str(settings.FLEX_API_URL)

    def root_of(self, resource: Resource) -> str:
        """Return the base URL of the account's API that has a resource."""
        if resource.product == FLEX_PRODUCT:
            return self.root
        return resource.base_url(self.twilio_api_url or str(settings.TWILIO_API_URL))

    def headers_of(self, resource: Resource) -> dict[str, str]:
        """Return the headers that requests for a resource have in this account."""
        value = self.headers.get(resource.optional_header)
        return {resource.optional_header: value} if value else {}


class AccountNotConfigured(LookupError):
    """The site has no credentials for this account, so its stored flows can only be viewed."""


def all_accounts() -> tuple[Account, ...]:
    """Return the accounts from the settings. There is always at least one."""
    accounts: tuple[Account, ...] = settings.FLEX_ACCOUNTS
    return accounts


def get_account(sid: str) -> Account:
    """Return the account with the SID. Raises `AccountNotConfigured`."""
    for account in all_accounts():
        if account.sid == sid:
            return account
    raise AccountNotConfigured(f"no credentials for the account {sid}")


def account_label(sid: str) -> str:
    """Return the name of an account, or the SID of one that the site doesn't have."""
    names = {account.sid: str(account) for account in all_accounts()}
    return names.get(sid, sid)


def account_or_removed(sid: str) -> Account:
    """Return the account, or a stand-in without credentials if the site no longer has it."""
    try:
        return get_account(sid)
    except AccountNotConfigured:
        return Account(sid, auth=("", ""))


def only_account() -> Account | None:
    """Return the site's account if it has only one, else None."""
    accounts = all_accounts()
    return accounts[0] if len(accounts) == 1 else None


def filter_scope(rows: QuerySet[Any], scope: Scope) -> QuerySet[Any]:
    """Return the rows that belong to the accounts of the scope.

    Audit events are filtered in flows/audit/log_paging.py instead.
    """
    return rows if scope is None else rows.filter(account_sid__in=sorted(scope))


def visible_accounts(scope: Scope) -> tuple[Account, ...]:
    """Return the site's accounts that are in the scope."""
    return tuple(account for account in all_accounts() if scope is None or account.sid in scope)


def marked_accounts(scope: Scope) -> dict[str, Account]:
    """Return the accounts by SID whose marks a page shows: the visible ones if there are several."""
    accounts = visible_accounts(scope)
    return {account.sid: account for account in accounts} if len(accounts) > 1 else {}
