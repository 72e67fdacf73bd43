"""Texts of field values, the same on every page.

A field's label, help text and the labels of its choices are in its resource.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from flows.twilio.cleaning import to_text
from flows.twilio.resource import Resource

UNREADABLE_LABEL: Final = "Unexpected value"


class PlaceholderText(str):
    """A text shown in place of a value, for example because the value is unknown."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class UnreadableValue:
    """A value that does not fit its field's kind, as Twilio sent it."""

    value: Any


def display_value(resource: Resource, name: str, value: Any) -> Any:
    """Return a field's value as pages show it.

    Several choices become their labels. A value with a label becomes the label. A boolean or number that came as text becomes one. An
    unreadable value becomes an `UnreadableValue`. Any other value stays as it is.
    """
    if isinstance(value, PlaceholderText):
        return value
    if not resource.is_readable(name, value):
        return UnreadableValue(value)
    field = resource.field(name)
    if field.kind == "choices":
        chosen = resource.normalize_value(name, value) or []
        return ", ".join(field.choices.get(one, one) for one in chosen)
    if not field.has_parsed_kind:
        return value
    normalized = resource.normalize_value(name, value)
    return field.choices.get(to_text(normalized), normalized)


def value_to_text(value: Any) -> str:
    """Return a value as text, a list or an object as JSON."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
