"""Search for personal data in text and JSON.

A phone number is found in any spelling that has its country code. Other values are found as they
are written, in any case.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import unquote

from flows.core.phone_numbers import to_e164

MAX_DECODINGS: Final = 4  # levels of percent-encoding, for URLs within URLs
MAX_COUNTRY_CODE_LENGTH: Final = 3
_NUMBER_PATTERN: Final = re.compile(r"(?:[a-z]+:)?(\+?\d[\d\s().\-/]{5,24}\d)", re.IGNORECASE)
_SEPARATORS: Final = r"[\s().\-/\u2010-\u2015]*"
_WORD_START, _WORD_END = r"(?<![^\W_])", r"(?![^\W_])"
_NO_MATCH: Final = r"(?!)"


class MentionMatcher:
    """A search for any of some values in text or JSON. Empty values are omitted."""

    def __init__(self, values: Iterable[str]) -> None:
        stripped_values = filter(None, map(str.strip, values))
        spellings = set(map(_spelling_pattern, stripped_values))
        any_spelling = "|".join(sorted(spellings)) or _NO_MATCH
        word = f"{_WORD_START}(?:00)?(?:{any_spelling}){_WORD_END}"
        self._word_pattern = re.compile(word, re.IGNORECASE)
        self._substring_pattern = re.compile(any_spelling, re.IGNORECASE)

    def has_word(self, *contents: Any) -> bool:
        """Return True if the contents have one of the values as a word or number of its own."""
        return self._is_found(self._word_pattern, contents)

    def has_substring(self, *contents: Any) -> bool:
        """Return True if the contents have one of the values, also within a longer word."""
        return self._is_found(self._substring_pattern, contents)

    @staticmethod
    def _is_found(pattern: re.Pattern[str], contents: tuple[Any, ...]) -> bool:
        # Joined with NUL, which no value contains, so that no match spans two texts.
        joined_texts = "\0".join(_iter_texts(contents))
        text = unicodedata.normalize("NFC", joined_texts)
        return any(pattern.search(decoded) for decoded in _iter_decodings(text))


def _iter_decodings(text: str) -> Iterator[str]:
    """Yield the text, and then the text with each further level of percent-encoding removed."""
    for _ in range(MAX_DECODINGS + 1):
        yield text
        encoded = text
        text = unquote(encoded)
        if text == encoded:
            return


def _spelling_pattern(value: str) -> str:
    """Return a regular expression for all spellings of a value."""
    value = unicodedata.normalize("NFC", value)
    number = _NUMBER_PATTERN.fullmatch(value)
    if number is None:
        return re.escape(value)
    written_digits = re.sub(r"\D", "", number[1])
    # The library's form can have other digits, without a prefix or with an area code that goes
    # without saying. The number as it was written must be found, too.
    international_digits = to_e164(value).removeprefix("+") or written_digits
    return "|".join(map(_number_pattern, sorted({written_digits, international_digits})))


def _number_pattern(digits: str) -> str:
    """Return a regular expression for a number, also with the trunk zero that it may have."""
    code_length = _length_before_trunk_zero(digits)
    if not code_length:
        return _SEPARATORS.join(digits)
    country_code = _SEPARATORS.join(digits[:code_length])
    national_number = _SEPARATORS.join(digits[code_length:])
    return f"{country_code}{_SEPARATORS}(?:0{_SEPARATORS})?{national_number}"


def _length_before_trunk_zero(digits: str) -> int:
    """Return the length of the country code if a zero can follow it, as in +44 (0)20, else 0.

    Such a zero is dialled within the country only. Italian numbers, for example, have none: their
    zero is part of the number.
    """
    for length in range(1, MAX_COUNTRY_CODE_LENGTH + 1):
        with_trunk_zero = f"+{digits[:length]}0{digits[length:]}"
        if to_e164(with_trunk_zero) == f"+{digits}":
            return length
    return 0


def _iter_texts(value: Any) -> Iterator[str]:
    """Yield the keys and values of JSON as texts."""
    if isinstance(value, dict):
        value = list(value.items())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _iter_texts(item)
    elif not isinstance(value, bool | None):
        yield str(value)
