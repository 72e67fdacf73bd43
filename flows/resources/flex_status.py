"""How Flex is in each account: whether it is set up, and which plugin configuration runs."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import Any, Final

from flows.accounts import twilio_accounts
from flows.accounts.clients import READ_DEADLINE
from flows.accounts.permissions import resource_permission, scope_of
from flows.accounts.twilio_accounts import Account
from flows.audit.object_links import object_url
from flows.mirror import live
from flows.redaction.redacted import Redacted, redact_snapshot
from flows.resources import releases
from flows.twilio import labels
from flows.twilio.errors import FlexError, NotSent
from flows.twilio.flex.configuration import CONFIGURATION
from flows.twilio.flex.plugin_configuration import PLUGIN_CONFIGURATION
from flows.twilio.flex.plugin_release import PLUGIN_RELEASE
from flows.twilio.flex.provision_status import PROVISION_STATUS
from flows.twilio.resource import Resource

RECENT_SECONDS: Final = 60.0  # that a status is shown without reading again
MAX_SECONDS: Final = 8.0  # after which no further account is read
# The marks of the states: a class of `.status` in the style sheet.
_MARKS: Final = {"active": "good", "in-progress": "doubt", "failed": "bad"}


@dataclass(frozen=True, slots=True)
class ActiveRelease:
    """The plugin release that runs now, with the name of its configuration and their pages."""

    name: str
    released_at: Any
    url: str


@dataclass(frozen=True, slots=True)
class FlexStatus:
    """The state of Flex in one account. What the user may not see, or Twilio refuses, is None."""

    account: Account
    provisioning: str | None = None
    mark: str = "none"
    release: ActiveRelease | None = None
    has_releases: bool = False
    error: FlexError | None = None


class _RecentStatuses:
    """The last status of each account in this process, for as long as it is recent."""

    def __init__(self) -> None:
        self._by_account: dict[str, tuple[float, FlexStatus]] = {}

    def of_account(self, account: Account) -> FlexStatus:
        """Return the status of an account, at most a minute old. One with an error is read again."""
        read_at, status = self._by_account.get(account.sid, (-math.inf, FlexStatus(account)))
        if time.monotonic() - read_at > RECENT_SECONDS:
            status = _read_status(account)
            if status.error is None:
                self._by_account[account.sid] = time.monotonic(), status
        return status

    def clear(self) -> None:
        """Forget all, so that the next ones are read."""
        self._by_account.clear()


STATUSES: Final = _RecentStatuses()


def load_statuses(user: Any, accounts: list[Account]) -> list[FlexStatus]:
    """Return the state of Flex in each account, as far as the user may see it and as time allows."""
    ends_at = time.monotonic() + MAX_SECONDS
    statuses = []
    for account in accounts:
        if time.monotonic() > ends_at:
            error = NotSent("Twilio took too long with the other accounts")
            statuses.append(FlexStatus(account, error=error))
            continue
        status = STATUSES.of_account(account)
        if not _may_see(user, CONFIGURATION, account):
            status = replace(status, provisioning=None)
        if not _may_see(user, PLUGIN_RELEASE, account):
            status = replace(status, release=None, has_releases=False)
        statuses.append(status)
    return statuses


def _read_status(account: Account) -> FlexStatus:
    """Read both from Twilio. If one fails, the other is there nevertheless."""
    status = FlexStatus(account)
    try:
        provisioning, mark = _read_provisioning(account.sid)
        status = replace(status, provisioning=provisioning, mark=mark)
    except FlexError as error:
        status = replace(status, error=error)
    try:
        return replace(status, release=_read_active_release(account.sid), has_releases=True)
    except FlexError as error:
        return replace(status, error=error)


def _may_see(user: Any, resource: Resource, account: Account) -> bool:
    scope = scope_of(user, resource_permission(resource, "view"))
    return account in twilio_accounts.visible_accounts(scope)


def _read_provisioning(account_sid: str) -> tuple[str, str]:
    """Return the state in words and its mark."""
    resource = PROVISION_STATUS
    snapshot = live.fetch(resource, account_sid, account_sid=account_sid, deadline=READ_DEADLINE)
    status = redact_snapshot(snapshot).get("status")
    text = str(labels.display_value(resource, "status", status))
    return text, _MARKS.get(str(status), "none")


def _read_active_release(account_sid: str) -> ActiveRelease | None:
    """Return the release that runs now, or None if there was never one."""
    newest = next(iter(releases.list_releases(account_sid).releases), None)
    if newest is None:
        return None
    configuration = _read_configuration(account_sid, newest)
    return ActiveRelease(
        name=PLUGIN_CONFIGURATION.name_of(configuration),
        released_at=newest.get("date_created"),
        url=object_url(PLUGIN_RELEASE, newest["sid"], account_sid),
    )


def _read_configuration(account_sid: str, release: Redacted) -> Redacted:
    sid = str(release.get("configuration_sid"))
    if not PLUGIN_CONFIGURATION.is_sid(sid):
        return redact_snapshot({})
    snapshot = live.fetch(
        PLUGIN_CONFIGURATION, sid, account_sid=account_sid, deadline=READ_DEADLINE
    )
    return redact_snapshot(snapshot)
