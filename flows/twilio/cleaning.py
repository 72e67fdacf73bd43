"""Validation of one field's value, as a person typed it or a file has it.

A value is text, or what JSON has in its place. The result is a value to send to Twilio. Messages
name the field, because the summary of errors shows them too.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from flows.core import invisible
from flows.twilio import webhook_urls
from flows.twilio.json_values import InvalidJson, parse_strictly
from flows.twilio.values import UNREADABLE, parse_objects, split_sids

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.twilio.fields import Field

_BOOLEANS: Final = {"": None, "true": True, "false": False}
_WHOLE_NUMBER: Final = re.compile(r"-?[0-9]{1,20}")


class InvalidValue(ValueError):
    """A value that a field can't have. The message is for the user."""


def clean_value(field: Field, value: Any, *, required: bool = False) -> Any:
    """Return a field's value for Twilio, or raise `InvalidValue`.

    An empty value is "" or None, as the field's kind has it.
    """
    text = to_text(value)
    if "\x00" in text:
        raise InvalidValue(f"{field.label} contains a control character (U+0000). Remove it.")
    cleaned = _CLEANERS[field.kind](field, text)
    if required and cleaned in ("", None, []):
        raise InvalidValue(f"{field.label} is missing.")
    return cleaned


def to_text(value: Any) -> str:
    """Return a value as a form or Twilio's parameters have it.

    A list has its items on lines, an object is JSON.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "\n".join(map(to_text, value))
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _clean_text(field: Field, text: str) -> str:
    cleaned = _visible(field, text)
    if not field.is_free_text:
        cleaned = _without_invisible(cleaned)
    return _short_enough(field, cleaned)


def _clean_sid(field: Field, text: str) -> str:
    cleaned = _clean_text(field, text)
    if cleaned and not re.fullmatch(field.pattern, cleaned):
        raise InvalidValue(
            f"{field.label} must start with {field.sid_prefix}, "
            "followed by 32 characters from 0-9 and a-f."
        )
    return cleaned


def _clean_sids(field: Field, text: str) -> list[str]:
    sids = split_sids(_without_invisible(text))
    for sid in sids:
        if not re.fullmatch(field.pattern, sid):
            raise InvalidValue(
                f"{field.label}: “{sid[:80]}” is not a SID that starts with {field.sid_prefix}, "
                "followed by 32 characters from 0-9 and a-f."
            )
    return list(dict.fromkeys(sids))


def _clean_json(field: Field, text: str) -> Any:
    """Return a JSON object, or None for no text."""
    value = _parse_json(field, text)
    if value is not None and not isinstance(value, dict):
        raise InvalidValue(f'{field.label} must be a JSON object, such as {{"name": "Ana"}}.')
    return value


def _clean_json_list(field: Field, text: str) -> Any:
    """Return a list of JSON objects, or None for no text."""
    value = _parse_json(field, text)
    if value is not None and parse_objects(value) is UNREADABLE:
        raise InvalidValue(f"{field.label} must be a JSON list of objects, such as [{{…}}, {{…}}].")
    return value


def _parse_json(field: Field, text: str) -> Any:
    """Return the value of a JSON text, None for no text or for null."""
    cleaned = _short_enough(field, _visible(field, text))
    if not cleaned:
        return None
    try:
        return parse_strictly(cleaned)
    except InvalidJson as error:
        raise InvalidValue(f"{field.label} {error}") from None


def _clean_choice(field: Field, text: str) -> str:
    if text and text not in (field.settable_choices or field.choices):
        raise InvalidValue(f"{field.label} must be one of the choices.")
    return text


def _clean_choices(field: Field, text: str) -> list[str]:
    chosen = field.parse(_without_invisible(text))
    for choice in chosen:
        if choice not in field.choices:
            raise InvalidValue(f"{field.label}: “{choice[:80]}” is not one of the choices.")
    return list(chosen)


def _clean_boolean(field: Field, text: str) -> bool | None:
    if text not in _BOOLEANS:
        raise InvalidValue(f"{field.label} must be one of the choices.")
    return _BOOLEANS[text]


def _clean_integer(field: Field, text: str) -> int | None:
    visible = invisible.strip_invisible(text)
    if not visible:
        return None
    digits = visible.strip()
    if not _WHOLE_NUMBER.fullmatch(digits):
        raise InvalidValue(f"{field.label} must be a whole number, such as {field.default}.")
    number = int(digits)
    if field.is_too_small(number):
        raise InvalidValue(f"{field.label} must be {field.minimum} or more.")
    if field.is_too_large(number):
        raise InvalidValue(f"{field.label} must be {field.maximum} or less.")
    return number


def _clean_url(field: Field, text: str) -> str:
    """Return an http or https address as entered. Only Twilio resolves its host."""
    cleaned = invisible.trim_invisible(_visible(field, text))
    if not cleaned:
        return ""
    problem = webhook_urls.find_url_problem(cleaned)
    if problem is not None:
        raise InvalidValue(f"{field.label} {problem.sentence}")
    codes = invisible.format_code_points(invisible.find_invisible(cleaned))
    if codes:
        raise InvalidValue(f"{field.label} contains an invisible character ({codes}). Remove it.")
    return _short_enough(field, cleaned)


def _visible(field: Field, text: str) -> str:
    """Return the text without white space at its ends.

    Raise `InvalidValue` if it has characters and none of them is visible.
    """
    stripped = text.strip()
    if stripped and not invisible.visible_text(stripped):
        raise InvalidValue(f"{field.label} contains only invisible characters.")
    return stripped


def _without_invisible(text: str) -> str:
    """Return a text without the invisible characters that come with pasting."""
    return invisible.trim_invisible(invisible.strip_invisible(text))


def _short_enough(field: Field, text: str) -> str:
    """Return the text, or raise `InvalidValue` if it is too long."""
    if field.is_too_long(text):
        raise InvalidValue(f"{field.label} can have at most {field.max_length} characters.")
    return text


_CLEANERS: Final[dict[str, Callable[[Field, str], Any]]] = {
    "text": _clean_text,
    "sid": _clean_sid,
    "sids": _clean_sids,
    "json": _clean_json,
    "json_list": _clean_json_list,
    "enum": _clean_choice,
    "choices": _clean_choices,
    "boolean": _clean_boolean,
    "integer": _clean_integer,
    "url": _clean_url,
}
