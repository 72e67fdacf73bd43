"""Plugin releases: which configuration runs, and what changed between two releases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flows.mirror import live
from flows.redaction.redacted import Redacted, redact_snapshot
from flows.resources.names import MAX_NAMED
from flows.twilio.flex.plugin_configuration import CONFIGURED_PLUGIN, PLUGIN_CONFIGURATION
from flows.twilio.flex.plugin_release import PLUGIN_RELEASE
from flows.twilio.paging import FIRST_PAGE
from flows.twilio.values import parse_datetime


@dataclass(frozen=True, slots=True)
class PluginChange:
    """A plugin with its version in two releases, "" where a release doesn't have it."""

    unique_name: str
    before: str
    after: str

    @property
    def is_changed(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class ReleaseList:
    """The newest releases, the active one first. `is_complete` means that there are no others."""

    releases: list[Redacted]
    is_complete: bool

    def is_first_ever(self, sid: str) -> bool:
        """Return True if no release came before this one."""
        return self.is_complete and bool(self.releases) and self.releases[-1]["sid"] == sid


def list_releases(account_sid: str) -> ReleaseList:
    """Return the releases of an account. Raise `FlexError` if they can't be read."""
    page = live.list_page(PLUGIN_RELEASE, account_sid, FIRST_PAGE, page_size=MAX_NAMED)
    releases = [redact_snapshot(release) for release in page.objects]
    releases.sort(key=_creation_time, reverse=True)
    return ReleaseList(releases, is_complete=page.next_page is None and not page.unreadable)


def _creation_time(release: Redacted) -> datetime:
    return parse_datetime(release.get("date_created")) or datetime.min.replace(tzinfo=UTC)


def active_configuration_sid(account_sid: str) -> str:
    """Return the SID of the configuration that runs now, or "" if none was ever released."""
    releases = list_releases(account_sid).releases
    return str(releases[0].get("configuration_sid")) if releases else ""


def find_previous(releases: list[Redacted], sid: str) -> Redacted | None:
    """Return the release before another one, or None for the oldest."""
    sids = [release["sid"] for release in releases]
    if sid not in sids:
        return None
    later = releases[sids.index(sid) + 1 :]
    return later[0] if later else None


def compare(account_sid: str, before: str, after: str) -> list[PluginChange]:
    """Return the plugins of two configurations, by their SIDs, with the changed ones first.

    Without a configuration before, each plugin is new. Raise `FlexError` if Twilio can't be read.
    """
    old = _versions(account_sid, before) if before else {}
    new = _versions(account_sid, after)
    changes = [
        PluginChange(name, old.get(name, ""), new.get(name, "")) for name in sorted({*old, *new})
    ]
    return sorted(changes, key=lambda change: not change.is_changed)


def _versions(account_sid: str, configuration_sid: str) -> dict[str, str]:
    """Return the versions of a configuration's plugins by their unique names."""
    if not PLUGIN_CONFIGURATION.is_sid(configuration_sid):
        return {}
    page = live.list_page(
        CONFIGURED_PLUGIN,
        account_sid,
        FIRST_PAGE,
        page_size=MAX_NAMED,
        parent_sid=configuration_sid,
    )
    plugins: list[dict[str, Any]] = [dict(redact_snapshot(one)) for one in page.objects]
    return {str(one.get("unique_name")): str(one.get("version")) for one in plugins}
