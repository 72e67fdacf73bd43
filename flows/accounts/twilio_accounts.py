"""The Twilio accounts that the site looks after: how each is told from the others, and what it is reached with. They
stand in the settings (`FLEX_ACCOUNTS`), and come from the environment; most sites have one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings

if TYPE_CHECKING:
    from django.db.models import QuerySet

# What marks an account on the pages; static/app.css knows each by this name.
COLOURS: Final = ("red", "amber", "green", "teal", "blue", "violet")
Scope = (
    frozenset[str] | None
)  # the SIDs of some accounts; None: all, also those that the site has no more
ALL_ACCOUNTS: Final = (
    "*"  # in place of an account's SID: all of them, also those that the site has no more
)


@dataclass(frozen=True, slots=True)
class Account:
    """One account. `auth` is (API key, secret) or (account SID, auth token); a `name` and a `colour` have those that
    stand beside others; `api_url` only one that is reached elsewhere than the rest."""

    sid: str
    auth: tuple[str, str] = field(repr=False)
    name: str = ""
    colour: str = ""
    is_production: bool = False
    is_read_only: bool = False
    api_url: str = ""

    def __str__(self) -> str:
        return self.name or self.sid

    @property
    def root(self) -> str:
        """Where its Flex API is."""
        return self.api_url or str(settings.FLEX_API_URL)


class AccountNotConfigured(LookupError):
    """The site has no credentials for this account (any more): what is known of it can only be read."""


def all_accounts() -> tuple[Account, ...]:
    """The site's accounts, as they stand in the settings; never empty."""
    accounts: tuple[Account, ...] = settings.FLEX_ACCOUNTS
    return accounts


def get_account(sid: str) -> Account:
    """The account of that SID, or `NotConfigured`."""
    for account in all_accounts():
        if account.sid == sid:
            return account
    raise AccountNotConfigured(f"no credentials for the account {sid}")


def only_account() -> Account | None:
    """The site's one account, None where it has several."""
    return all_accounts()[0] if len(all_accounts()) == 1 else None


def filter_scope(rows: QuerySet[Any], scope: Scope) -> QuerySet[Any]:
    """Those rows that belong to the accounts of the scope. Events of the log have a way of their own
    (services/reading.py)."""
    return rows if scope is None else rows.filter(account_sid__in=sorted(scope))


def visible_accounts(scope: Scope) -> tuple[Account, ...]:
    """The site's accounts that are in the scope."""
    return tuple(account for account in all_accounts() if scope is None or account.sid in scope)
