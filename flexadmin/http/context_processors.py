"""What every page's frame shows: the account, whether the other end is Twilio or the sandbox, the role, and how many
flows were changed elsewhere. On a page about one account, `perms` are what the person may do there."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from django.db import Error
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject, new_method_proxy

from flexadmin.http import form_rescue
from flexadmin.users.roles import get_role, get_scope
from flows.accounts import twilio_accounts
from flows.audit import log_paging
from flows.audit.models import OpenDrift
from flows.availability import restrictions

T = TypeVar("T")
OPERATION_BY_PERMISSION: Final = {
    "add_flow": "create",
    "change_flow": "update",
    "delete_flow": "delete",
}  # what each takes at Twilio
NO_ACCOUNTS: tuple[twilio_accounts.Account, ...] = ()


class LazyNumber(SimpleLazyObject[int]):
    """A number that is looked up where a page shows it. It is a number to `pluralize` too, which asks for a float and
    takes any other object for one of whatever it counts."""

    __float__ = new_method_proxy(float)
    __int__ = new_method_proxy(int)
    __index__ = new_method_proxy(int)


class Restrictions:
    """What can't be done in which account, asked for once a page. `about`: the one that the page is about, if it is
    about one; else it tells of all that the person sees."""

    def __init__(self, request: HttpRequest, about: twilio_accounts.Account | None) -> None:
        self._request, self._user, self._about = request, request.user, about

    @property
    def notices(self) -> list[dict[str, Any]]:
        """Account by account, what to say of it."""
        if not any(state.restrictions for state in self.states.values()):
            return []
        here = (
            (self._about,)
            if self._about
            else _query_or_default(lambda: _viewable_accounts(self._user), NO_ACCOUNTS)
        )
        states = [
            (account, self.states[account.sid]) for account in here if account.sid in self.states
        ]
        return [
            {
                "whose": account.name,
                "is_read_only": state.is_read_only,
                "sentences": [why.sentence for why in state.restrictions.values()],
            }
            for account, state in states
            if state.restrictions
        ]

    @cached_property
    def states(self) -> dict[str, restrictions.Availability]:
        known: dict[str, restrictions.Availability] | None = getattr(self._request, "states", None)
        return (
            _query_or_default(restrictions.availability_by_account, {}) if known is None else known
        )

    def why(self, account_sid: str, kind: str) -> restrictions.Restriction | None:
        if any(account.sid == account_sid for account in twilio_accounts.all_accounts()):
            state = self.states.get(account_sid)
            return state.why(kind) if state else None
        return _query_or_default(lambda: restrictions.find_restriction(account_sid, kind), None)


class Permissions:
    """`perms` of a template, `perms.flows.change_flow`: on one account, or, without one, on any. What nobody can do
    there just now (closures.py) counts as not permitted: no page offers what can't work."""

    def __init__(self, user: Any, account_sid: str, closed: "Restrictions", app: str = "") -> None:
        self._user, self._account_sid, self._closed, self._app = user, account_sid, closed, app

    def __getitem__(self, name: str) -> "Permissions | bool":
        if not self._app:
            return Permissions(self._user, self._account_sid, self._closed, name)
        kind = OPERATION_BY_PERMISSION.get(name, "")
        if not kind:
            return bool(self._user.has_perm(f"{self._app}.{name}", self._account_sid or None))
        about = (
            [self._account_sid]
            if self._account_sid
            else [account.sid for account in twilio_accounts.all_accounts()]
        )
        return any(
            self._user.has_perm(f"{self._app}.{name}", sid) and not self._closed.why(sid, kind)
            for sid in about
        )

    def __iter__(self) -> Any:
        raise TypeError("permissions are asked for one by one")


def site(request: HttpRequest) -> dict[str, object]:
    user = getattr(request, "user", None)
    about = getattr(request, "account_sid", "")
    named = about or request.GET.get("account", "")
    account = next(
        (
            one
            for one in _query_or_default(lambda: _viewable_accounts(user), NO_ACCOUNTS)
            if one.sid == named
        ),
        None,
    )
    if (
        account is None and not about
    ):  # a page about a flow of an account that the site has no more is of none
        account = twilio_accounts.only_account()
    hosts = {
        urlsplit(one.root).hostname or ""
        for one in ([account] if account else twilio_accounts.all_accounts())
    }
    known: dict[str, object] = {
        "account": account,
        "accounts": SimpleLazyObject(
            lambda: _query_or_default(lambda: _selectable_accounts(user), NO_ACCOUNTS)
        ),
        "api_host": ", ".join(sorted(hosts)),
        "is_twilio": all(host == "twilio.com" or host.endswith(".twilio.com") for host in hosts),
        "drift_count": LazyNumber(lambda: _query_or_default(lambda: _count_drift(user), 0)),
        "can_manage_users": SimpleLazyObject(
            lambda: _query_or_default(lambda: _can_manage_users(user), False)
        ),
        "pending_form": SimpleLazyObject(lambda: form_rescue.pending_form(request)),
        "role": SimpleLazyObject(
            lambda: (
                _query_or_default(lambda: get_role(user, account.sid if account else ""), "")
                if user
                else ""
            )
        ),
    }
    if user is not None:
        known["closed"] = closed = Restrictions(request, account)
        known["perms"] = Permissions(user, getattr(request, "account_sid", ""), closed)
    return known


def _query_or_default(look: Callable[[], T], otherwise: T) -> T:
    """The page that tells of the database's trouble has this frame too."""
    try:
        return look()
    except Error:
        return otherwise


def _selectable_accounts(user: Any) -> tuple[twilio_accounts.Account, ...]:
    """The accounts that the person can choose between; none where there is nothing to choose."""
    return NO_ACCOUNTS if twilio_accounts.only_account() else _viewable_accounts(user)


def _viewable_accounts(user: Any) -> tuple[twilio_accounts.Account, ...]:
    if user is None or not user.is_authenticated:
        return NO_ACCOUNTS
    return twilio_accounts.visible_accounts(get_scope(user, "flows.view_flow"))


def _count_drift(user: Any) -> int:
    scope = get_scope(user, "flows.view_flow")
    waiting = log_paging.filter_accounts(OpenDrift.objects.all(), scope, "event")
    return waiting.values("target_sid").distinct().count()


def _can_manage_users(user: Any) -> bool:
    return bool(
        user
        and user.is_authenticated
        and user.has_perm("flexadmin.manage_people", twilio_accounts.ALL_ACCOUNTS)
    )
