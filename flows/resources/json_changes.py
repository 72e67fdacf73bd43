"""The parts of JSON objects that a change affects, for its review."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from flows.twilio.resource import Resource

MAX_PARTS: Final = 50  # of one object; beyond that, the whole object is shown


class ChangedPart(NamedTuple):
    """A part of a field with its values. `name` is the field's, or the path of a part of it."""

    name: str
    label: str
    before: Any
    after: Any


def changed_parts(resource: Resource, name: str, before: Any, after: Any) -> list[ChangedPart]:
    """Return each changed part of a field: the whole field unless both values are objects."""
    label = resource.label_of(name)
    is_object = resource.field(name).kind == "json"
    if is_object and isinstance(before, Mapping) and isinstance(after, Mapping):
        parts = list(_walk(before, after, ""))
        if 0 < len(parts) <= MAX_PARTS:
            return [
                ChangedPart(f"{name}.{path}", f"{label}: {path}", old, new)
                for path, old, new in parts
            ]
    return [ChangedPart(name, label, before, after)]


def _walk(
    before: Mapping[str, Any], after: Mapping[str, Any], prefix: str
) -> Iterator[tuple[str, Any, Any]]:
    """Yield the path of each part that differs, with its values. A missing part is None."""
    for key in {**before, **after}:
        old, new = before.get(key), after.get(key)
        path = f"{prefix}{key}"
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _walk(old, new, f"{path}.")
        elif old != new or (key in before) != (key in after):
            yield path, old, new
