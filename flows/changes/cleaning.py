"""Validation of the values of a change, the same for a form, an import and a script."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flows.redaction.json_masks import has_new_mask
from flows.redaction.masking import replace_unstorable
from flows.twilio.resource import Cleaned, Resource


def clean(
    resource: Resource, values: Mapping[str, Any], *, current: Mapping[str, Any] | None = None
) -> Cleaned:
    """Validate the values of a new object, or those of an edit of `current`.

    To `Resource.clean` this adds what depends on how values are stored and shown: a value with
    characters that no database stores is the current one if it was shown so, and a mask in a
    secret's place is refused. Within JSON, a mask can stay where it was shown: it stands for the
    secret that is there.
    """
    current_as_shown = None if current is None else replace_unstorable(dict(current))
    cleaned = resource.clean(values, current=current_as_shown)
    for name in cleaned.unchanged:
        cleaned.values[name] = (current or {})[name]
    for name in cleaned.values.keys() - cleaned.unchanged:
        if has_new_mask(cleaned.values[name], (current or {}).get(name)):
            label = resource.label_of(name)
            cleaned.errors[name] = f"{label} contains a masked secret. Enter the secret itself."
    return cleaned
