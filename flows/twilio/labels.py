"""What things are called on the pages: the same word for the same thing everywhere. Field labels and help
are in the schema table; sentences about failures in views/problems.py.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from flows.twilio.flex import flex_flow

ENUMS: Final = {
    "web": "Web chat", "sms": "SMS", "facebook": "Facebook Messenger", "whatsapp": "WhatsApp", "line": "LINE",
    "custom": "Custom", "studio": "Studio Flow", "external": "External webhook", "task": "TaskRouter task",
}  # fmt: skip

NOT_UNDERSTOOD: Final = "Not understood"


class Said(str):
    """Words of ours in the place of a value, such as that nobody knows it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """A value that is none of its field's kind, as it came."""

    value: Any


def label(name: str) -> str:
    """A field's label; a field that nobody knows yet is called by its name."""
    return flex_flow.BY_NAME[name].label if name in flex_flow.BY_NAME else name


def shown(name: str, value: Any) -> Any:
    """A field's value in words: an enum's own, a boolean or a number that came as text as one, anything else as it is.
    What can't be read is never taken for something: `NotUnderstood`."""
    if isinstance(value, Said):
        return value
    if not flex_flow.is_understood(name, value):
        return NotUnderstood(value)
    kind = flex_flow.BY_NAME[name].kind if name in flex_flow.BY_NAME else ""
    if kind not in ("enum", "boolean", "integer"):
        return value
    meant = flex_flow.normalised(name, value)
    return ENUMS.get(meant, meant) if kind == "enum" else meant


def as_text(value: Any) -> str:
    """A value as text; a list or an object as JSON."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
