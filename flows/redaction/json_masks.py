"""JSON that a user edited with its secrets masked: the masks become the secrets again.

A mask stands for a secret only where it was shown. In a list, entries can move.
"""

from __future__ import annotations

from typing import Any, Final

from flows.redaction.masking import find_masks, has_mask
from flows.twilio.json_values import is_same_json

_MISSING: Final = object()  # stands for a part that isn't there


def restore_parts(value: Any, masked_value: Any, original: Any) -> Any:
    """Return the value, with the original of each part that is as `masked_value`.

    `masked_value` is the original as a user saw it: with masks, and without characters that can't
    be stored, also in keys.
    """
    if is_same_json(value, masked_value):
        return original
    if all(isinstance(one, dict) for one in (value, masked_value, original)):
        return _restore_object(value, masked_value, original)
    if all(isinstance(one, list) for one in (value, masked_value, original)):
        return _restore_list(value, masked_value, original)
    return value


def has_new_mask(value: Any, masked_value: Any) -> bool:
    """Return True if JSON has a mask in another place than where it was shown."""
    return has_mask(restore_parts(value, masked_value, _without_masks(masked_value)))


def _restore_object(
    value: dict[str, Any], masked_value: dict[str, Any], original: dict[str, Any]
) -> dict[str, Any]:
    keys = (
        dict(zip(masked_value, original, strict=True)) if len(masked_value) == len(original) else {}
    )
    return {
        keys.get(key, key): restore_parts(
            part, masked_value.get(key, _MISSING), original.get(keys.get(key, key))
        )
        for key, part in value.items()
    }


def _restore_list(value: list[Any], masked_value: list[Any], original: list[Any]) -> list[Any]:
    """Return the list with its secrets, each entry by the shown one that it comes from."""
    if len(masked_value) != len(original):
        return value
    sources = _find_sources(value, masked_value)
    return [
        restore_parts(entry, masked_value[sources[position]], original[sources[position]])
        if position in sources
        else entry
        for position, entry in enumerate(value)
    ]


def _find_sources(value: list[Any], masked_value: list[Any]) -> dict[int, int]:
    """Return the position of the shown entry that each entry comes from, by its own position.

    It is an equal one, else one with the same secret, else the one in its place.
    """
    sources: dict[int, int] = {}
    free = set(range(len(masked_value)))
    for is_source in (is_same_json, _shares_mask):
        for position in set(range(len(value))) - sources.keys():
            # Its own position first, so that the order of equal entries stays.
            nearest = sorted(free, key=lambda one: (one != position, one))
            matching = (one for one in nearest if is_source(value[position], masked_value[one]))
            source = next(matching, None)
            if source is not None:
                sources[position] = source
                free.remove(source)
    in_place = free & (set(range(len(value))) - sources.keys())
    return sources | {position: position for position in in_place}


def _shares_mask(one: Any, other: Any) -> bool:
    return not _masks_in(one).isdisjoint(_masks_in(other))


def _masks_in(value: Any) -> set[str]:
    if isinstance(value, dict):
        return {mask for pair in value.items() for part in pair for mask in _masks_in(part)}
    if isinstance(value, list):
        return {mask for part in value for mask in _masks_in(part)}
    return find_masks(value)


def _without_masks(value: Any) -> Any:
    """Return JSON with another text for each key and text that has a mask."""
    if isinstance(value, dict):
        return {
            f"key {position}" if has_mask(key) else key: _without_masks(part)
            for position, (key, part) in enumerate(value.items())
        }
    if isinstance(value, list):
        return list(map(_without_masks, value))
    return "" if has_mask(value) else value
