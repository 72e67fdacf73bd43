"""Finding a person's data in text: a number in any spelling, anything else as it is written, in any case."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import unquote

MAX_DECODINGS: Final = 4  # times that an address within an address can be encoded
_NUMBER_PATTERN: Final = re.compile(r"(?:[a-z]+:)?(\+?\d[\d\s().\-/]{5,24}\d)", re.IGNORECASE)
_SEPARATORS: Final = r"[\s().\-/\u2010-\u2015]*"
_WORD_START, _WORD_END = r"(?<![^\W_])", r"(?![^\W_])"


class MentionMatcher:
    """Whether some text or JSON mentions one of the values as a word or number of its own, or (`within`) at all."""

    def __init__(self, values: Iterable[str]) -> None:
        spellings = sorted({_spelling_pattern(value) for value in values if value.strip()})
        within = "|".join(spellings) or r"(?!)"
        alone = "|".join(f"{_WORD_START}(?:00)?{one}{_WORD_END}" for one in spellings) or r"(?!)"
        self._within = re.compile(within, re.IGNORECASE)
        self._alone = re.compile(alone, re.IGNORECASE)

    def __call__(self, *said: Any) -> bool:
        return self._found(self._alone, said)

    def within(self, *said: Any) -> bool:
        return self._found(self._within, said)

    @staticmethod
    def _found(pattern: re.Pattern[str], said: Any) -> bool:
        text = unicodedata.normalize(
            "NFC", "\0".join(_iter_texts(said))
        )  # no value has a NUL in it
        for _ in range(MAX_DECODINGS + 1):
            if pattern.search(text):
                return True
            text, encoded = unquote(text), text
            if text == encoded:
                break
        return False


def _spelling_pattern(value: str) -> str:
    value = unicodedata.normalize("NFC", value.strip())
    if number := _NUMBER_PATTERN.fullmatch(value):
        return _SEPARATORS.join(re.sub(r"\D", "", number[1]))
    return re.escape(value)


def _iter_texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from _iter_texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _iter_texts(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
