"""JSON as users type it and as Twilio keeps it: strict parsing, comparison and merging of objects."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

MAX_DEPTH: Final = 50  # nested lists and objects that a user may enter
MISSING: Final = object()  # stands for a key that an object doesn't have


class InvalidJson(ValueError):
    """A JSON text that would not arrive as it was typed. The message continues "X …"."""


def parse_strictly(text: str) -> Any:
    """Return the value of a JSON text, or raise `InvalidJson`."""
    try:
        value = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_build_object)
        json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise InvalidJson(
            f"is not valid JSON: {error.msg} in line {error.lineno}, column {error.colno}."
        ) from None
    except UnicodeEncodeError:
        raise InvalidJson("has half of a character, such as \\ud800. Remove it.") from None
    except InvalidJson:
        raise
    except (ValueError, RecursionError):
        raise InvalidJson("has a number that is too long, or is nested too deeply.") from None
    _check_parts(value)
    return value


def is_same_json(first: Any, second: Any) -> bool:
    """Return True if two values are the same JSON. Unlike in Python, 1 is not true."""
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(
            is_same_json(first[key], second[key]) for key in first
        )
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(is_same_json, first, second))
    is_same_kind = isinstance(first, bool) == isinstance(second, bool)
    return bool(is_same_kind and first == second)


@dataclass(slots=True)
class ObjectMerge:
    """The result of a merge: their object with my changes. Of `conflicts`, mine were taken."""

    value: dict[str, Any]
    conflicts: list[str] = field(default_factory=list)  # paths, such as "theme.isLight"


def merge_objects(
    base: Mapping[str, Any], theirs: Mapping[str, Any], mine: Mapping[str, Any]
) -> ObjectMerge:
    """Return their object with what I changed, added or removed, at any depth."""
    result = ObjectMerge(dict(theirs))
    for key in {**base, **mine}:
        old, their_value, my_value = (one.get(key, MISSING) for one in (base, theirs, mine))
        if is_same_json(my_value, old) or is_same_json(my_value, their_value):
            continue
        if all(isinstance(value, dict) for value in (old, their_value, my_value)):
            inner = merge_objects(old, their_value, my_value)
            result.value[key] = inner.value
            result.conflicts += [f"{key}.{path}" for path in inner.conflicts]
            continue
        if not is_same_json(their_value, old):
            result.conflicts.append(key)
        if my_value is MISSING:
            result.value.pop(key, None)
        else:
            result.value[key] = my_value
    return result


def part_at(value: Any, path: str) -> Any:
    """Return the part of an object at a path of `ObjectMerge`, or None if it has none."""
    if isinstance(value, Mapping) and path in value:
        return value[path]
    key, _, rest = path.partition(".")
    while isinstance(value, Mapping) and rest:
        if key in value:
            return part_at(value[key], rest)
        next_key, _, rest = rest.partition(".")
        key = f"{key}.{next_key}"
    return None


def _refuse_constant(text: str) -> Any:
    raise InvalidJson(f"has {text}, which is not JSON.")


def _build_object(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    built: dict[str, Any] = {}
    for key, value in pairs:
        if key in built:
            raise InvalidJson(f"has “{key[:80]}” twice in one object.")
        built[key] = value
    return built


def _check_parts(value: Any) -> None:
    """Raise `InvalidJson` for a number beyond range, and for too many levels."""
    level = [value]
    for _ in range(MAX_DEPTH):
        parts: list[Any] = []
        for one in level:
            if isinstance(one, float) and not math.isfinite(one):
                raise InvalidJson("has a number beyond range.")
            if isinstance(one, dict):
                parts += one.values()
            elif isinstance(one, list):
                parts += one
        if not parts:
            return
        level = parts
    raise InvalidJson(f"is nested too deeply. At most {MAX_DEPTH} levels are possible.")
