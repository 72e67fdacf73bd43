"""What looks wrong about a flow though Twilio accepts it. Warnings only; the rules come from the schema table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from flows import words
from flows.flexapi import schema

# Formats in use, seen from real accounts; Twilio does not check them, so neither do we reject.
IDENTITIES: Final = {
    "sms": (r"\+[1-9][0-9]{6,14}|[A-Za-z0-9 ]{3,11}", "a number such as +14155551234"),
    "whatsapp": (r"whatsapp:\+[1-9][0-9]{6,14}", "whatsapp: and a number, such as whatsapp:+14155551234"),
    "facebook": (r"messenger:\S+", "messenger: and the page's id"),
}


def warnings(snapshot: Mapping[str, Any]) -> list[str]:
    """Sentences about one flow, the gravest first."""
    kind = snapshot.get("integration_type") or None
    found = [
        f"{entry.label} is missing: without it nothing handles the messages."
        for entry in schema.INTEGRATION_FIELDS
        if schema.is_required(entry, kind) and schema.normalised(entry.name, snapshot.get(entry.name)) is None
    ]
    if kind is None:
        found.append("No integration type is set: nothing says what handles the messages.")
    found.extend(_about_identity(snapshot))
    url = snapshot.get("integration_url")
    if kind == "external" and isinstance(url, str) and url.lower().startswith("http:"):
        found.append("The webhook is not encrypted: its address begins with http:, not https:.")
    return found


def _about_identity(snapshot: Mapping[str, Any]) -> list[str]:
    channel, identity = snapshot.get("channel_type"), snapshot.get("contact_identity")
    if not isinstance(channel, str) or channel not in IDENTITIES:
        return []
    pattern, example = IDENTITIES[channel]
    if not identity:
        return [f"No contact identity is set: {words.ENUMS[channel]} needs {example}."]
    if not re.fullmatch(pattern, str(identity)):
        return [f"The contact identity does not look like one of {words.ENUMS[channel]}: expected {example}."]
    return []
