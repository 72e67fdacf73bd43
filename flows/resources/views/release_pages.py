"""What the pages of plugin releases and configurations show beyond those of other resources.

A configuration says whether it runs now, and can be released. A release shows what changed since
another one, by default the one before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flows.audit.access import Request
from flows.resources import links, releases
from flows.resources.names import load_names
from flows.resources.views.offered import can
from flows.twilio.errors import FlexError
from flows.twilio.flex.plugin_configuration import PLUGIN_CONFIGURATION
from flows.twilio.flex.plugin_release import PLUGIN_RELEASE
from flows.twilio.resource import Resource


def extend(request: Request, resource: Resource, snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """Return the further context of an object's page, empty for other resources.

    What can't be read from Twilio is omitted. The context then has the error.
    """
    try:
        if resource is PLUGIN_CONFIGURATION:
            return _configuration_context(request, snapshot)
        if resource is PLUGIN_RELEASE:
            return _release_context(request, snapshot)
    except FlexError as error:
        return {"release_error": error}
    return {}


def _configuration_context(request: Request, snapshot: Mapping[str, Any]) -> dict[str, Any]:
    sid, account_sid = str(snapshot["sid"]), request.account_sid
    is_active = releases.active_configuration_sid(account_sid) == sid
    can_release = can(request, PLUGIN_RELEASE, "create") and not snapshot.get("archived")
    release_url = ""
    if can_release and not is_active:
        release_url = links.new_url(PLUGIN_RELEASE, account_sid, configuration_sid=sid)
    return {"is_active": is_active, "release_url": release_url}


def _release_context(request: Request, snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes since another release: the one in the address, or the one before."""
    account_sid = request.account_sid
    release_list = releases.list_releases(account_sid)
    all_releases = release_list.releases
    sid = str(snapshot["sid"])
    other_releases = [release for release in all_releases if release["sid"] != sid]
    requested_sid = request.GET.get("compare", "")
    compared = next((one for one in other_releases if one["sid"] == requested_sid), None)
    compared = compared or releases.find_previous(all_releases, sid)
    configuration_sid = str(snapshot.get("configuration_sid"))
    before = str(compared.get("configuration_sid")) if compared else ""
    names = load_names(PLUGIN_RELEASE, account_sid, [dict(one) for one in all_releases])
    is_active = bool(all_releases) and all_releases[0]["sid"] == sid
    return {
        "is_active": is_active,
        "release_url": "" if is_active else _release_again_url(request, configuration_sid),
        "plugin_changes": releases.compare(account_sid, before, configuration_sid),
        "is_first": release_list.is_first_ever(sid) and compared is None,
        "is_compared": compared is not None,
        "compared_sid": compared["sid"] if compared else "",
        "other_releases": [
            {
                "sid": one["sid"],
                "name": names.get(str(one.get("configuration_sid")), ""),
                "created": one.get("date_created"),
            }
            for one in other_releases
        ],
    }


def _release_again_url(request: Request, configuration_sid: str) -> str:
    """Return the address of the form that releases a configuration again, or ""."""
    if not PLUGIN_CONFIGURATION.is_sid(configuration_sid):
        return ""
    if not can(request, PLUGIN_RELEASE, "create"):
        return ""
    return links.new_url(PLUGIN_RELEASE, request.account_sid, configuration_sid=configuration_sid)
