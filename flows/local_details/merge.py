"""Merge of two users' edits of the same flow's owner, tags and note."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flows.local_details.fields import Details, sort_tags


@dataclass(frozen=True, slots=True)
class MergedDetails:
    """The details with both edits, and the names of the fields that both changed.

    `details` has the other user's value of a field in conflict.
    """

    details: Details
    conflicts: list[str]


def merge(*, base: Details, mine: Mapping[str, Any], theirs: Details) -> MergedDetails:
    """Apply an edit, which started from `base`, to the details as they are now (`theirs`).

    `mine` has the values of the edit; fields that it lacks stay. Tags never conflict: those that
    the edit added and removed are added and removed.
    """
    edited = Details.from_values({**base.as_values(), **mine})
    values: dict[str, Any] = {"tags": _merge_tags(base.tags, edited.tags, theirs.tags)}
    conflicts = []
    for name in ("owner", "note"):
        before, wanted, current = (getattr(part, name) for part in (base, edited, theirs))
        if wanted == before:
            continue
        if current in (before, wanted):
            values[name] = wanted
        else:
            conflicts.append(name)
    return MergedDetails(replace(theirs, **values), conflicts)


def _merge_tags(
    base: tuple[str, ...], mine: tuple[str, ...], theirs: tuple[str, ...]
) -> tuple[str, ...]:
    added, removed = set(mine) - set(base), set(base) - set(mine)
    return sort_tags({*theirs, *added} - removed)
