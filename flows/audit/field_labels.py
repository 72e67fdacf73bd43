"""Labels of fields inside the sentences about events."""

from __future__ import annotations

from flows.twilio.registry import KNOWN_FIELDS


def join_labels(names: list[str], limit: int = 3) -> str:
    """Return the labels of the first fields, and the number of the others."""
    field_labels = [inline_label(name) for name in names]
    text = ", ".join(field_labels[:limit])
    remaining = len(field_labels) - limit
    return f"{text} and {remaining} more" if remaining > 0 else text


def inline_label(name: str) -> str:
    """Return a field's label in lower case, except for acronyms and product names at its start."""
    field = KNOWN_FIELDS.get(name)
    text = field.label if field else name
    if text[1:2].isupper() or text.startswith(("Studio", "Flex", "API")):
        return text
    return text[:1].lower() + text[1:]
