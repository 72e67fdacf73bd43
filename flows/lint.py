"""What looks wrong about a flow though Twilio accepts it. Warnings only; the rules come from the schema table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from flows import invisible, words
from flows.flexapi import schema

# Formats in use, seen from real accounts; Twilio does not check them, so neither do we reject.
IDENTITIES: Final = {
    "sms": (r"\+[1-9][0-9]{6,14}|[A-Za-z0-9 ]{3,11}", "a number such as +14155551234"),
    "whatsapp": (
        r"whatsapp:\+[1-9][0-9]{6,14}",
        "whatsapp: followed by a number, such as whatsapp:+14155551234",
    ),
    "facebook": (r"messenger:\S+", "messenger: followed by the page ID"),
}


def warnings(snapshot: Mapping[str, Any]) -> list[str]:
    """Sentences about one flow, the gravest first."""
    kind = schema.handler_type(snapshot) or None
    found = [
        f"{entry.label} has an unexpected value: “{words.as_text(snapshot[entry.name])[:80]}”."
        for entry in schema.WRITABLE
        if not schema.is_understood(entry.name, snapshot.get(entry.name))
    ]
    found += [
        f"{entry.label} is missing. Messages can't be handled without it."
        for entry in schema.INTEGRATION_FIELDS
        if schema.is_required(entry, kind) and schema.normalised(entry.name, snapshot.get(entry.name)) is None
    ]
    found.extend(_about_type(snapshot, kind))
    found.extend(_about_identity(snapshot))
    found.extend(_about_hidden(snapshot))
    url = snapshot.get("integration_url")
    if kind == "external" and isinstance(url, str):
        found.extend(_about_webhook(url))
    return found


def _about_type(snapshot: Mapping[str, Any], kind: str | None) -> list[str]:
    if not schema.is_understood("integration_type", snapshot.get("integration_type")):
        return []  # that is said already
    if kind is None:
        also = " Twilio's default is Studio, so the webhook may not be called."
        has_webhook = schema.normalised("integration_url", snapshot.get("integration_url")) is not None
        bare = "No integration type is set, so messages may go nowhere."
        return [bare + (also if has_webhook else "")]
    if schema.normalised("integration_type", snapshot.get("integration_type")) is None:
        return ["No integration type is set. Twilio uses Studio by default."]
    return []


def _about_hidden(snapshot: Mapping[str, Any]) -> list[str]:
    """Characters that nobody sees: they make two names look alike, and a number another one."""
    found = []
    for name in ("friendly_name", "contact_identity"):
        value = snapshot.get(name)
        text = value if isinstance(value, str) else ""
        if codes := invisible.names_of(one for one in invisible.hidden_in(text) if not one.isspace()):
            found.append(f"{schema.BY_NAME[name].label} contains invisible characters: {codes}.")
    return found


def _about_webhook(url: str) -> list[str]:
    found = []
    if url.lower().startswith("http:"):
        found.append("The webhook is not encrypted. Use https:// instead of http://.")
    if "#" in url:
        found.append("The part of the webhook URL after # is never sent.")
    return found


def _about_identity(snapshot: Mapping[str, Any]) -> list[str]:
    channel, identity = snapshot.get("channel_type"), snapshot.get("contact_identity")
    if not isinstance(channel, str) or channel not in IDENTITIES:
        return []
    pattern, example = IDENTITIES[channel]
    if not identity:
        return [f"No contact identity is set. {words.ENUMS[channel]} needs {example}."]
    if not re.fullmatch(pattern, str(identity)):
        return [f"The contact identity doesn't look like {words.ENUMS[channel]}. Expected {example}."]
    return []
