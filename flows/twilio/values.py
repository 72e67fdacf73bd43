"""Values as Twilio sends them, read by kind: a boolean that came as text, a number in quotes, a date of
another form.

Each function returns the value that is meant, or `NOT_READ` where nobody can tell. Nothing is ever guessed:
"maybe" is neither true nor false.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final


class _Unreadable:
    """Stands for a value that can't be read."""


UNREADABLE: Final = _Unreadable()
_TRUE_WORDS: Final = frozenset(("true", "1", "yes", "on"))
_FALSE_WORDS: Final = frozenset(("false", "0", "no", "off"))
_INTEGER_PATTERN: Final = re.compile(r"([+-]?[0-9]{1,18})(?:\.0+)?")


def parse_boolean(value: Any) -> Any:
    """True or False, also from a text such as "true" and from 1 and 0."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    text = value.strip().lower() if isinstance(value, str) else ""
    return True if text in _TRUE_WORDS else False if text in _FALSE_WORDS else UNREADABLE


def parse_integer(value: Any) -> Any:
    """A whole number, also from its digits as text and from 3.0."""
    if isinstance(value, bool):
        return UNREADABLE
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else UNREADABLE
    digits = _INTEGER_PATTERN.fullmatch(value.strip()) if isinstance(value, str) else None
    return int(digits[1]) if digits else UNREADABLE


def parse_choice(value: Any, choices: tuple[str, ...]) -> Any:
    """One of the choices in any case, or another text as it is: Twilio may have a choice that is new."""
    if not isinstance(value, str):
        return UNREADABLE
    folded = value.strip().lower()
    return folded if folded in choices else value


def parse_text(value: Any) -> Any:
    """A text; a number as its digits."""
    if isinstance(value, str):
        return value
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else UNREADABLE


def parse_datetime(value: Any) -> datetime | None:
    """A date and time in UTC, or None: ISO 8601 with or without fraction and offset (without one, UTC), or
    RFC 2822 as in Twilio's API of 2010."""
    if not isinstance(value, str):
        return None
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            at = read(value.strip())
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError, TypeError):
            continue
    return None


PARSERS: Final[dict[str, Callable[[Any], Any]]] = {
    "boolean": parse_boolean,
    "integer": parse_integer,
    "datetime": lambda value: parse_datetime(value) or UNREADABLE,
    "text": parse_text,
    "sid": parse_text,
    "url": parse_text,
}
