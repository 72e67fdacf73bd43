"""Parsers for field values in other forms than the documented one.

Examples are a boolean sent as text, a number in quotes, or a date in another format.
A parser returns the value, or `UNREADABLE` where it is not clear. Nothing is guessed:
"maybe" is neither true nor false.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final


class _Unreadable:
    """The type of `UNREADABLE`, which stands for a value that can't be read."""


UNREADABLE: Final = _Unreadable()
_BOOLEAN_WORDS: Final = dict.fromkeys(("true", "1", "yes", "on"), True) | dict.fromkeys(
    ("false", "0", "no", "off"), False
)
_INTEGER_PATTERN: Final = re.compile(r"([+-]?[0-9]{1,18})(?:\.0+)?")


def parse_boolean(value: Any) -> Any:
    """Return True or False, also for a text such as "true" and for 1 and 0."""
    if isinstance(value, str):
        return _BOOLEAN_WORDS.get(value.strip().lower(), UNREADABLE)
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    return UNREADABLE


def parse_integer(value: Any) -> Any:
    """Return a whole number, also for its digits as text and for 3.0."""
    if type(value) is int:  # a boolean is an instance of int
        return value
    if isinstance(value, str):
        match = _INTEGER_PATTERN.fullmatch(value.strip())
        return int(match[1]) if match else UNREADABLE
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return UNREADABLE


def parse_choice(value: Any, choices: Collection[str]) -> Any:
    """Return one of the choices, whatever its case, or any other text unchanged.

    Another text can be a choice that Twilio has added.
    """
    if not isinstance(value, str):
        return UNREADABLE
    lowercase = value.strip().lower()
    return lowercase if lowercase in choices else value


def parse_choices(value: Any, choices: Collection[str]) -> Any:
    """Return a list of choices in their own order, other texts last.

    A text has one on each line or commas between.
    """
    texts = parse_sids(value)
    if texts is UNREADABLE:
        return UNREADABLE
    by_lowercase = {choice.lower(): choice for choice in choices}
    parsed = {by_lowercase.get(text.strip().lower(), text) for text in texts}
    return [*(one for one in choices if one in parsed), *sorted(parsed.difference(choices))]


def parse_text(value: Any) -> Any:
    """Return a text, or a number as text."""
    if isinstance(value, str):
        return value
    return str(value) if is_number(value) else UNREADABLE


def is_number(value: Any) -> bool:
    """Return True for a number. In Python, a boolean is one."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def parse_datetime(value: Any) -> datetime | None:
    """Return a date and time in UTC, or None.

    The text is ISO 8601 or RFC 2822, which Twilio's API of 2010 uses. A fraction and an offset are
    optional. Without an offset the time is in UTC.
    """
    if not isinstance(value, str):
        return None
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            return _to_utc(parse(value.strip()))
        except (ValueError, OverflowError, TypeError):
            continue
    return None


def _to_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC)


def parse_sids(value: Any) -> Any:
    """Return a list of texts, also for a text with one on each line or commas between."""
    if isinstance(value, str):
        return split_sids(value)
    is_list = isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
    return list(value) if is_list else UNREADABLE


def split_sids(text: str) -> list[str]:
    """Return the parts of a text between white space and commas."""
    return re.split(r"[\s,]+", text.strip()) if text.strip() else []


def parse_object(value: Any) -> Any:
    """Return a JSON object, also from its text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return UNREADABLE
    return value if isinstance(value, dict) else UNREADABLE


def parse_objects(value: Any) -> Any:
    """Return a list of JSON objects, also from its text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return UNREADABLE
    is_list = isinstance(value, list) and all(isinstance(item, dict) for item in value)
    return value if is_list else UNREADABLE


PARSERS: Final[dict[str, Callable[[Any], Any]]] = {
    "boolean": parse_boolean,
    "integer": parse_integer,
    "datetime": lambda value: parse_datetime(value) or UNREADABLE,
    "unknown": lambda value: value,
    "text": parse_text,
    "sids": parse_sids,
    "json": parse_object,
    "json_list": parse_objects,
    "sid": parse_text,
    "url": parse_text,
}
