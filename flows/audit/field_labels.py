"""Labels of a flow's fields inside the sentences about events."""

from __future__ import annotations

from flows.twilio.flex.flex_flow import FLEX_FLOW


def join_labels(names: list[str], limit: int = 3) -> str:
    """Return the labels of the first fields, and the number of the others."""
    field_labels = [inline_label(name) for name in names]
    text = ", ".join(field_labels[:limit])
    remaining = len(field_labels) - limit
    return f"{text} and {remaining} more" if remaining > 0 else text


def inline_label(name: str) -> str:
    """Return a field's label in lower case, except for acronyms and product names at its start."""
    text = FLEX_FLOW.label_of(name)
    if text[1:2].isupper() or text.startswith(("Studio", "Flex", "API")):
        return text
    return text[:1].lower() + text[1:]
