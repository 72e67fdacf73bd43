"""Text normalized for searching: without case, accents and invisible characters.

`réclam`, `RECLAM` and `reclam` have the same normalized text.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator, Sequence

# Letters that Unicode does not decompose, though users type them without their stroke.
_CHARACTER_MAP = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        "æ": "ae",
        "œ": "oe",
        "\u0131": "i",
        "\x00": None,
    }
    # Typographic dashes and apostrophes, which text processors put into names.
    | dict.fromkeys("\u2010\u2012\u2013\u2014\u2015\u2212", "-")
    | dict.fromkeys("\u2018\u2019\u02bc", "'")
)

PUNCTUATION = "-,.;:()[]{}\"'/|·•&#–"  # noqa: RUF001


def normalize_text(text: str) -> str:
    """Return the text as searches compare it."""
    if text.isascii():  # a faster way to the same result
        return " ".join(text.lower().replace("\x00", "").split())
    decomposed = unicodedata.normalize("NFKD", text).casefold().translate(_CHARACTER_MAP)
    visible_characters = [
        character
        for character in decomposed
        if unicodedata.category(character) not in {"Mn", "Cf"}  # accents and format characters
    ]
    return " ".join("".join(visible_characters).split())


def split_terms(text: str) -> list[str]:
    """Return the normalized words of a search, which match separately and in any order.

    Several words lose the punctuation around them. A single word, or a number, stays whole.
    """
    normalized = normalize_text(text)
    has_letters = any(map(str.isalpha, normalized))
    if " " not in normalized or not has_letters:
        return [normalized]
    words = [word.strip(PUNCTUATION) for word in normalized.split()]
    return list(filter(None, words))


_normalize_character = functools.lru_cache(maxsize=4096)(normalize_text)


def find_spans(text: str, term: str) -> Iterator[tuple[int, int]]:
    """Yield the (start, end) in the original text of each match of a normalized term."""
    if not term:
        return
    normalized, positions = _normalize_with_positions(text)
    span_end = 0
    for match in re.finditer(re.escape(term), normalized):
        start = positions[match.start()]
        end = _skip_accents(text, positions[match.end() - 1] + 1)
        if start >= span_end:  # one letter can become several, so two matches can overlap
            yield start, end
            span_end = end


def _skip_accents(text: str, position: int) -> int:
    """Return the position after the combining accents that follow."""
    while position < len(text) and unicodedata.category(text[position]) == "Mn":
        position += 1
    return position


@functools.lru_cache(maxsize=4096)
def _normalize_with_positions(text: str) -> tuple[str, Sequence[int]]:
    """Return the normalized text, and for each of its characters the position in the original."""
    if text.isascii() and text == " ".join(text.split()) and "\x00" not in text:
        return text.lower(), range(len(text))  # a faster way to the same result
    normalized = ""
    positions: list[int] = []
    for position, character in enumerate(text):
        part = " " if character.isspace() else _normalize_character(character)
        is_after_space = normalized[-1:] in ("", " ")
        is_repeated_space = part == " " and is_after_space
        if not is_repeated_space:
            normalized += part
            positions += [position] * len(part)
    return normalized, positions
