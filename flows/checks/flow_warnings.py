"""What looks wrong about a flow though Twilio accepts it. Warnings only; the rules come from the schema table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from flows.core import invisible
from flows.twilio import labels
from flows.twilio.flex import flex_flow

# Formats in use, seen from real accounts; Twilio does not check them, so neither do we reject.
IDENTITY_FORMATS: Final = {
    "sms": (r"\+[1-9][0-9]{6,14}|[A-Za-z0-9 ]{3,11}", "a number such as +14155551234"),
    "whatsapp": (
        r"whatsapp:\+[1-9][0-9]{6,14}",
        "whatsapp: followed by a number, such as whatsapp:+14155551234",
    ),
    "facebook": (r"messenger:\S+", "messenger: followed by the page ID"),
}


def find_warnings(snapshot: Mapping[str, Any]) -> list[str]:
    """Sentences about one flow, the gravest first."""
    kind = flex_flow.handler_type(snapshot) or None
    found = [
        f"{entry.label} has an unexpected value: “{labels.value_to_text(snapshot[entry.name])[:80]}”."
        for entry in flex_flow.WRITABLE_FIELDS
        if not flex_flow.is_readable(entry.name, snapshot.get(entry.name))
    ]
    found += [
        f"{entry.label} is missing. Messages can't be handled without it."
        for entry in flex_flow.INTEGRATION_FIELDS
        if flex_flow.is_required(entry, kind)
        and flex_flow.normalize_value(entry.name, snapshot.get(entry.name)) is None
    ]
    found.extend(_check_type(snapshot, kind))
    found.extend(_check_identity(snapshot))
    found.extend(_check_hidden_characters(snapshot))
    url = snapshot.get("integration_url")
    if kind == "external" and isinstance(url, str):
        found.extend(_check_webhook(url))
    return found


def _check_type(snapshot: Mapping[str, Any], kind: str | None) -> list[str]:
    if not flex_flow.is_readable("integration_type", snapshot.get("integration_type")):
        return []  # that is said already
    if kind is None:
        also = " Twilio's default is Studio, so the webhook may not be called."
        has_webhook = (
            flex_flow.normalize_value("integration_url", snapshot.get("integration_url"))
            is not None
        )
        bare = "No integration type is set, so messages may go nowhere."
        return [bare + (also if has_webhook else "")]
    if flex_flow.normalize_value("integration_type", snapshot.get("integration_type")) is None:
        return ["No integration type is set. Twilio uses Studio by default."]
    return []


def _check_hidden_characters(snapshot: Mapping[str, Any]) -> list[str]:
    """Characters that nobody sees: they make two names look alike, and a number another one."""
    found = []
    for name in ("friendly_name", "contact_identity"):
        value = snapshot.get(name)
        text = value if isinstance(value, str) else ""
        if codes := invisible.format_code_points(
            one for one in invisible.find_invisible(text) if not one.isspace()
        ):
            found.append(
                f"{flex_flow.FIELDS_BY_NAME[name].label} contains invisible characters: {codes}."
            )
    return found


def _check_webhook(url: str) -> list[str]:
    found = []
    if url.lower().startswith("http:"):
        found.append("The webhook is not encrypted. Use https:// instead of http://.")
    if "#" in url:
        found.append("The part of the webhook URL after # is never sent.")
    return found


def _check_identity(snapshot: Mapping[str, Any]) -> list[str]:
    channel, identity = snapshot.get("channel_type"), snapshot.get("contact_identity")
    if not isinstance(channel, str) or channel not in IDENTITY_FORMATS:
        return []
    pattern, example = IDENTITY_FORMATS[channel]
    if not identity:
        return [f"No contact identity is set. {labels.CHOICE_LABELS[channel]} needs {example}."]
    if not re.fullmatch(pattern, str(identity)):
        return [
            f"The contact identity doesn't look like {labels.CHOICE_LABELS[channel]}. Expected {example}."
        ]
    return []
