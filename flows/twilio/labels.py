"""What things are called on the pages: the same word for the same thing everywhere. Field labels and help
are in the schema table; sentences about failures in views/problems.py.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from flows.twilio.flex import flex_flow

CHOICE_LABELS: Final = {
    "web": "Web chat", "sms": "SMS", "facebook": "Facebook Messenger", "whatsapp": "WhatsApp", "line": "LINE",
    "custom": "Custom", "studio": "Studio Flow", "external": "External webhook", "task": "TaskRouter task",
}  # fmt: skip

UNREADABLE_LABEL: Final = "Unexpected value"


class PlaceholderText(str):
    """Words of ours in the place of a value, such as that nobody knows it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class UnreadableValue:
    """A value that is none of its field's kind, as it came."""

    value: Any


def field_label(name: str) -> str:
    """A field's label; a field that nobody knows yet is called by its name."""
    return flex_flow.FIELDS_BY_NAME[name].label if name in flex_flow.FIELDS_BY_NAME else name


def display_value(name: str, value: Any) -> Any:
    """A field's value in words: an enum's own, a boolean or a number that came as text as one, anything else as it is.
    What can't be read is never taken for something: `NotUnderstood`."""
    if isinstance(value, PlaceholderText):
        return value
    if not flex_flow.is_readable(name, value):
        return UnreadableValue(value)
    kind = flex_flow.FIELDS_BY_NAME[name].kind if name in flex_flow.FIELDS_BY_NAME else ""
    if kind not in ("enum", "boolean", "integer"):
        return value
    meant = flex_flow.normalize_value(name, value)
    return CHOICE_LABELS.get(meant, meant) if kind == "enum" else meant


def value_to_text(value: Any) -> str:
    """A value as text; a list or an object as JSON."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
