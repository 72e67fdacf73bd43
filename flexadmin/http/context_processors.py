"""Template context of every page: account, API host, role, theme, restrictions, `perms` and more.

On a page about one account, `perms` are the user's permissions on that account.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from django.contrib.auth.models import AnonymousUser
from django.db import Error
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject, new_method_proxy

from flexadmin.http import form_rescue
from flexadmin.keyboard.shortcuts import has_single_keys
from flexadmin.models import Profile
from flexadmin.users.display_names import display_names
from flexadmin.users.roles import get_role, get_role_on_any_account, get_scope
from flows.accounts import twilio_accounts
from flows.audit import log_paging
from flows.audit.models import OpenDrift
from flows.availability import restrictions

T = TypeVar("T")
# The operation at Twilio that each permission is for.
OPERATION_BY_PERMISSION: Final = {
    "add_flow": "create",
    "change_flow": "update",
    "delete_flow": "delete",
}
NO_DISPLAY_NAMES: dict[str, tuple[str, str]] = {}
NO_ACCOUNTS: tuple[twilio_accounts.Account, ...] = ()


class LazyNumber(SimpleLazyObject[int]):
    """A number that is computed when a page shows it.

    `pluralize` takes an object for a number only if it has these conversions.
    """

    __float__ = new_method_proxy(float)
    __int__ = new_method_proxy(int)
    __index__ = new_method_proxy(int)


class Restrictions:
    """Operations that are unavailable in the accounts, loaded once per page.

    `account` is the one that the page is about. Without it, the notices cover all accounts that the
    user can see.
    """

    def __init__(self, request: HttpRequest, account: twilio_accounts.Account | None) -> None:
        self._request = request
        self._user = request.user
        self._account = account

    @property
    def notices(self) -> list[dict[str, Any]]:
        """One notice for each account with a restriction."""
        restricted = {sid: state for sid, state in self.states.items() if state.restrictions}
        if not restricted:
            return []
        return [
            _notice(account, restricted[account.sid])
            for account in self._page_accounts()
            if account.sid in restricted
        ]

    def _page_accounts(self) -> Sequence[twilio_accounts.Account]:
        if self._account:
            return [self._account]
        return _query_or_default(lambda: _viewable_accounts(self._user), NO_ACCOUNTS)

    @cached_property
    def states(self) -> dict[str, restrictions.Availability]:
        """Availability by account. A view may have loaded it already."""
        loaded: dict[str, restrictions.Availability] | None = getattr(self._request, "states", None)
        if loaded is not None:
            return loaded
        return _query_or_default(restrictions.availability_by_account, {})

    def find(self, account_sid: str, operation: str) -> restrictions.Restriction | None:
        """Return the restriction of an operation, or None if it is available."""
        if account_sid not in _configured_sids():
            return restrictions.find_restriction(account_sid, operation)
        state = self.states.get(account_sid, restrictions.Availability())
        return state.restriction_of(operation)


def _notice(account: twilio_accounts.Account, state: restrictions.Availability) -> dict[str, Any]:
    return {
        "account_name": account.name,
        "is_read_only": state.is_read_only,
        "sentences": [restriction.sentence for restriction in state.restrictions.values()],
    }


def _configured_sids() -> list[str]:
    return [account.sid for account in twilio_accounts.all_accounts()]


@dataclass(frozen=True, slots=True)
class Permissions:
    """The `perms` of templates, as in `perms.flows.change_flow`.

    They hold for one account, or without one for any. An operation that is unavailable counts as
    not permitted, so that no page offers it.
    """

    user: Any
    account_sid: str
    unavailable: Restrictions

    def __getitem__(self, app: str) -> AppPermissions:
        return AppPermissions(app, self.user, self.account_sid, self.unavailable)

    def __iter__(self) -> Any:
        raise TypeError("permissions can't be listed; check each of them")


@dataclass(frozen=True, slots=True)
class AppPermissions:
    """The permissions of one Django app, such as `perms.flows`."""

    app: str
    user: Any
    account_sid: str
    unavailable: Restrictions

    def __getitem__(self, name: str) -> bool:
        permission = f"{self.app}.{name}"
        operation = OPERATION_BY_PERMISSION.get(name)
        if operation is None:
            return bool(self.user.has_perm(permission, self.account_sid or None))
        account_sids = [self.account_sid] if self.account_sid else _configured_sids()
        return any(self._is_available(permission, operation, sid) for sid in account_sids)

    def _is_available(self, permission: str, operation: str, account_sid: str) -> bool:
        if not self.user.has_perm(permission, account_sid):
            return False
        return not self.unavailable.find(account_sid, operation)

    def __iter__(self) -> Any:
        raise TypeError("permissions can't be listed; check each of them")


def site(request: HttpRequest) -> dict[str, object]:
    """Return the context. Values that take a query are lazy."""
    # A request that is refused early has no user.
    user = getattr(request, "user", AnonymousUser())
    account = _page_account(request, user)
    hosts = _api_hosts(account)
    context: dict[str, object] = {
        "account": account,
        "accounts": _lazy(lambda: _selectable_accounts(user), NO_ACCOUNTS),
        "api_host": ", ".join(sorted(hosts)),
        "is_twilio": all(map(_is_twilio, hosts)),
        "drift_count": LazyNumber(lambda: _query_or_default(lambda: _count_drift(request), 0)),
        "can_manage_users": _lazy(lambda: _can_manage_users(user), default=False),
        "pending_form": SimpleLazyObject(lambda: form_rescue.pending_form(request)),
        "are_single_keys_off": not has_single_keys(request),
        "role": _lazy(lambda: _role(user, account), ""),
        "display_names": _lazy(display_names, NO_DISPLAY_NAMES),
        "theme": _lazy(lambda: _theme(user), ""),
    }
    if hasattr(request, "user"):
        unavailable = Restrictions(request, account)
        page_account_sid = getattr(request, "account_sid", "")
        context["restrictions"] = unavailable
        context["perms"] = Permissions(user, page_account_sid, unavailable)
    return context


def _api_hosts(account: twilio_accounts.Account | None) -> set[str]:
    """Return the hosts of the Flex API of this account, or of all accounts without one."""
    accounts = [account] if account else twilio_accounts.all_accounts()
    return {urlsplit(one.root).hostname or "" for one in accounts}


def _is_twilio(host: str) -> bool:
    return host == "twilio.com" or host.endswith(".twilio.com")


def _page_account(request: HttpRequest, user: Any) -> twilio_accounts.Account | None:
    """Return the account that the page is about or filtered by, if the user may see it.

    Other pages are about the only account that the user, or the site, has.
    """
    page_account_sid = getattr(request, "account_sid", "")
    account_sid = page_account_sid or request.GET.get("account", "")
    viewable_accounts = _query_or_default(lambda: _viewable_accounts(user), NO_ACCOUNTS)
    for account in viewable_accounts:
        if account.sid == account_sid:
            return account
    if account_sid:  # of an account that was removed from the site, or of none
        return None
    if not user.is_authenticated:
        return twilio_accounts.only_account()
    if len(viewable_accounts) == 1 and _sees_no_other(user, viewable_accounts[0]):
        return viewable_accounts[0]
    return None


def _sees_no_other(user: Any, account: twilio_accounts.Account) -> bool:
    """Return True if the user has no role in another account either, such as a removed one."""
    scope = get_scope(user, "flows.view_flow")
    return scope is None or scope == frozenset({account.sid})


def _lazy(query: Callable[[], T], default: T) -> SimpleLazyObject[T]:
    return SimpleLazyObject(lambda: _query_or_default(query, default))


def _query_or_default(query: Callable[[], T], default: T) -> T:
    """Return the result of a query, or the default if the database fails.

    The error page for a failing database needs this context too.
    """
    try:
        return query()
    except Error:
        return default


def _selectable_accounts(user: Any) -> tuple[twilio_accounts.Account, ...]:
    """Return the accounts that the user can choose from, or () if the site has only one."""
    return NO_ACCOUNTS if twilio_accounts.only_account() else _viewable_accounts(user)


def _viewable_accounts(user: Any) -> tuple[twilio_accounts.Account, ...]:
    if not user.is_authenticated:
        return NO_ACCOUNTS
    return twilio_accounts.visible_accounts(get_scope(user, "flows.view_flow"))


def _role(user: Any, account: twilio_accounts.Account | None) -> str:
    return get_role(user, account.sid) if account else get_role_on_any_account(user)


def _theme(user: Any) -> str:
    """Return the theme that the user chose, "light" or "dark", or "" for that of the device."""
    if not user.is_authenticated:
        return ""
    theme = user.own_profile.theme
    return "" if theme == Profile.Theme.SYSTEM else str(theme)


def _count_drift(request: HttpRequest) -> int:
    """Return the number of flows with external changes that the user may see."""
    if not getattr(request, "has_drift", True):
        return 0
    scope = get_scope(request.user, "flows.view_flow")
    drifts = log_paging.filter_accounts(OpenDrift.objects.all(), scope, "event")
    return drifts.values("target_sid").distinct().count()


def _can_manage_users(user: Any) -> bool:
    return bool(user.has_perm("flexadmin.manage_people", twilio_accounts.ALL_ACCOUNTS))
