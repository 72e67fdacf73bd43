"""Warnings about settings of a flow that Twilio accepts but that look wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flows.checks.contact_identity import identity_warning
from flows.checks.field_warnings import find_missing_values, find_unreadable_values
from flows.core import invisible
from flows.twilio.flex.flex_flow import FLEX_FLOW


def find_warnings(snapshot: Mapping[str, Any]) -> list[str]:
    """Return the warnings about a flow as sentences, the most serious first."""
    kind = FLEX_FLOW.variant_of(snapshot) or None
    return [
        *find_unreadable_values(FLEX_FLOW, snapshot),
        *find_missing_values(FLEX_FLOW, snapshot),
        *_check_type(snapshot, kind),
        *_check_identity(snapshot),
        *_check_invisible_characters(snapshot),
        *_check_webhook(snapshot, kind),
    ]


def _check_type(snapshot: Mapping[str, Any], kind: str | None) -> list[str]:
    if not FLEX_FLOW.is_readable("integration_type", snapshot.get("integration_type")):
        return []  # a warning about an unexpected value says so
    if kind is None:
        warning = "No integration type is set, so messages may go nowhere."
        if not _is_unset(snapshot, "integration_url"):
            warning += " Twilio's default is Studio, so the webhook may not be called."
        return [warning]
    if _is_unset(snapshot, "integration_type"):
        return ["No integration type is set. Twilio uses Studio by default."]
    return []


def _is_unset(snapshot: Mapping[str, Any], name: str) -> bool:
    return FLEX_FLOW.normalize_value(name, snapshot.get(name)) is None


def _check_invisible_characters(snapshot: Mapping[str, Any]) -> Iterator[str]:
    """Warn about invisible characters, which make two names look alike or change a number."""
    for name in ("friendly_name", "contact_identity"):
        value = snapshot.get(name)
        text = value if isinstance(value, str) else ""
        characters = [char for char in invisible.find_invisible(text) if not char.isspace()]
        if characters:
            label = FLEX_FLOW.by_name[name].label
            code_points = invisible.format_code_points(characters)
            yield f"{label} contains invisible characters: {code_points}."


def _check_webhook(snapshot: Mapping[str, Any], kind: str | None) -> Iterator[str]:
    url = snapshot.get("integration_url")
    if kind != "external" or not isinstance(url, str):
        return
    if url.lower().startswith("http:"):
        yield "The webhook is not encrypted. Use https:// instead of http://."
    if "#" in url:
        yield "The part of the webhook URL after # is never sent."


def _check_identity(snapshot: Mapping[str, Any]) -> list[str]:
    channel, identity = snapshot.get("channel_type"), snapshot.get("contact_identity")
    warning = identity_warning(channel, str(identity or "")) if isinstance(channel, str) else ""
    return [warning] if warning else []
