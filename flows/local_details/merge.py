"""Merge of two users' edits of the same flow's owner, tags and note."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flows.local_details.fields import LABELS, Details, sort_tags, tag_limit


@dataclass(frozen=True, slots=True)
class MergedDetails:
    """The details with both edits, and the names of the fields whose edits can't both be kept.

    `details` has the other user's value of a field in conflict.
    """

    details: Details
    conflicts: list[str]


def merge(*, base: Details, mine: Mapping[str, Any], theirs: Details) -> MergedDetails:
    """Apply an edit, which started from `base`, to the details as they are now (`theirs`).

    `mine` has the values of the edit; fields that it lacks stay. The tags that the edit added and
    removed are added and removed. They conflict only if the flow would then have too many.
    """
    edited = Details.from_values({**base.as_values(), **mine})
    values: dict[str, Any] = {}
    conflicts = []
    tags = _merge_tags(base.tags, edited.tags, theirs.tags)
    if len(tags) > tag_limit(theirs):
        conflicts.append("tags")
    else:
        values["tags"] = tags
    for name in ("owner", "note"):
        before, requested, current = (getattr(part, name) for part in (base, edited, theirs))
        if requested == before:
            continue
        if current in (before, requested):
            values[name] = requested
        else:
            conflicts.append(name)
    return MergedDetails(replace(theirs, **values), sorted(conflicts, key=list(LABELS).index))


def _merge_tags(
    base: tuple[str, ...], mine: tuple[str, ...], theirs: tuple[str, ...]
) -> tuple[str, ...]:
    added, removed = set(mine) - set(base), set(base) - set(mine)
    return sort_tags({*theirs, *added} - removed)
