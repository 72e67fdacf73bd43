"""Inputs for single values within a JSON object, beside the input for the object itself.

A form offers them for what most objects have, so that only the rest is written as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flows.twilio.cleaning import InvalidValue
from flows.twilio.fields import Field, JsonPart
from flows.twilio.json_values import InvalidJson, is_same_json, parse_strictly

_MISSING = object()


def combine(entry: Field, data: Mapping[str, Any]) -> tuple[Any, dict[str, str]]:
    """Return the object with the values of its parts, and messages for the user by field.

    A text that is no JSON object is returned as it is: the field's own rules say what is wrong.
    """
    text = str(data.get(entry.name) or "")
    try:
        value = parse_strictly(text) if text.strip() else {}
    except InvalidJson:
        return text, {}
    if not isinstance(value, dict):
        return text, {}
    errors: dict[str, str] = {}
    for part in entry.parts:
        try:
            _add(value, part, part.field.clean(data.get(part.field.name, "")))
        except InvalidValue as error:
            errors[part.field.name] = str(error)
    return value or text, errors


def _add(value: dict[str, Any], part: JsonPart, part_value: Any) -> None:
    """Put the given value in its place, or raise `InvalidValue` if another one is there.

    Raise it also if a required value is missing.
    """
    present = _value_at(value, part.path)
    if part_value in ("", None):
        if part.field.required_on_create and present is _MISSING:
            raise InvalidValue(f"{part.field.label} is missing.")
        return
    is_free = present is _MISSING and _put(value, part.path, part_value)
    if not is_free and not is_same_json(present, part_value):
        raise InvalidValue(
            f"{part.field.label} is in the JSON below too, with another value. Remove one of them."
        )


def _value_at(value: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        is_there = (isinstance(value, dict) and step in value) or (
            isinstance(value, list) and isinstance(step, int) and step < len(value)
        )
        if not is_there:
            return _MISSING
        value = value[step]
    return value


def _put(value: Any, path: tuple[str | int, ...], part_value: Any) -> bool:
    """Put a value at a path where there is none. Return False if something else is in the way."""
    step, *rest = path
    if isinstance(step, int):
        if not isinstance(value, list) or step > len(value):
            return False
        if step == len(value):
            value.append({} if rest else part_value)
    elif not isinstance(value, dict):
        return False
    elif step not in value:
        value[step] = ([] if isinstance(rest[0], int) else {}) if rest else part_value
    return _put(value[step], tuple(rest), part_value) if rest else True
