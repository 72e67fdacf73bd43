"""Warnings about settings of a flow that Twilio accepts but that look wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flows.checks.contact_identity import find_identity_warnings
from flows.checks.field_warnings import (
    find_missing_values,
    find_unreadable_values,
    is_unset,
)
from flows.checks.target_warnings import NO_NAMES, NamesBySid, find_target_warnings
from flows.core import invisible
from flows.twilio.flex.flex_flow import FLEX_FLOW


def find_warnings(snapshot: Mapping[str, Any], names: NamesBySid = NO_NAMES) -> list[str]:
    """Return the warnings about a flow as sentences, the most serious first.

    `names` are those of what it points to, by SID.
    """
    return [
        *find_target_warnings(snapshot, names),
        *find_unreadable_values(FLEX_FLOW, snapshot),
        *find_missing_values(FLEX_FLOW, snapshot),
        *_check_type(snapshot),
        *_check_identity(snapshot),
        *_check_invisible_characters(snapshot),
        *_check_webhook(snapshot),
    ]


def _check_type(snapshot: Mapping[str, Any]) -> Iterator[str]:
    """Warn about a flow without an integration type. An unexpected type has its own warning."""
    if not is_unset(FLEX_FLOW, snapshot, "integration_type"):
        return
    if FLEX_FLOW.variant_of(snapshot):
        yield "No integration type is set. Twilio uses Studio by default."
        return
    warning = "No integration type is set, so messages may go nowhere."
    if not is_unset(FLEX_FLOW, snapshot, "integration_url"):
        warning += " Twilio's default is Studio, so the webhook may not be called."
    yield warning


def _check_identity(snapshot: Mapping[str, Any]) -> Iterator[str]:
    """Warn about an identity that doesn't fit its channel, if the channel can be read."""
    channel = _text_of(snapshot, "channel_type")
    identity = FLEX_FLOW.identity_of(snapshot)
    yield from find_identity_warnings(channel, identity)


def _check_invisible_characters(snapshot: Mapping[str, Any]) -> Iterator[str]:
    """Warn about invisible characters, which make two names look alike or change a number."""
    for name in ("friendly_name", "contact_identity"):
        characters = _invisible_characters(_text_of(snapshot, name))
        if characters:
            label = FLEX_FLOW.label_of(name)
            code_points = invisible.format_code_points(characters)
            yield f"{label} contains invisible characters: {code_points}."


def _invisible_characters(text: str) -> list[str]:
    """Return the invisible characters of a text, without white space."""
    characters = invisible.find_invisible(text)
    return [character for character in characters if not character.isspace()]


def _check_webhook(snapshot: Mapping[str, Any]) -> Iterator[str]:
    """Warn about a webhook URL without encryption or with a part that is never sent."""
    if FLEX_FLOW.variant_of(snapshot) != "external":
        return
    url = _text_of(snapshot, "integration_url")
    if url.lower().startswith("http:"):
        yield "The webhook is not encrypted. Use https:// instead of http://."
    if "#" in url:
        yield "The part of the webhook URL after # is never sent."


def _text_of(snapshot: Mapping[str, Any], name: str) -> str:
    """Return the value of a field, or "" if it is not a text."""
    value = snapshot.get(name)
    return value if isinstance(value, str) else ""
