"""How text is folded for searching: no case, no accents, no invisible marks. `réclam`, `RECLAM` and
`reclam` fold to the same."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterator

# Letters that Unicode does not take apart, though people type them without their stroke.
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
    # Dashes and apostrophes as a keyboard has them: names are often written by a text processor.
    | dict.fromkeys("\u2010\u2012\u2013\u2014\u2015\u2212", "-")
    | dict.fromkeys("\u2018\u2019\u02bc", "'")
)

PUNCTUATION = "-,.;:()[]{}\"'/|·•&#–"  # noqa: RUF001


def normalize_text(text: str) -> str:
    """The text as it is compared when people search."""
    if text.isascii():  # the same, sooner
        return " ".join(text.lower().replace("\x00", "").split())
    apart = unicodedata.normalize("NFKD", text).casefold().translate(_CHARACTER_MAP)
    kept = "".join(
        character for character in apart if unicodedata.category(character) not in {"Mn", "Cf"}
    )
    return " ".join(kept.split())


def split_terms(text: str) -> list[str]:
    """The words of a search, folded: each is looked for by itself, in any order. Of several, the signs around them are
    left out; a word alone, or a number, is looked for as it stands."""
    folded = normalize_text(text)
    if " " not in folded or not any(letter.isalpha() for letter in folded):
        return [folded]
    return [word for part in folded.split() if (word := part.strip(PUNCTUATION))] or [folded]


_normalize_character = functools.lru_cache(maxsize=4096)(
    normalize_text
)  # of single letters, which are few


def find_spans(text: str, wanted: str) -> Iterator[tuple[int, int]]:
    """Where in a text the folded text that is wanted stands: (start, end) in the text as it is."""
    folded, origin = "", []
    for place, character in enumerate(text):
        part = " " if character.isspace() else _normalize_character(character)
        if part == " " and (not folded or folded.endswith(" ")):
            continue
        folded += part
        origin += [place] * len(part)
    start, done = (folded.find(wanted) if wanted else -1), 0
    while start >= 0:
        end = start + len(wanted)
        last = origin[end - 1] + 1
        while last < len(text) and unicodedata.category(text[last]) == "Mn":  # an accent of its own
            last += 1
        if origin[start] >= done:  # one letter can fold to several
            yield origin[start], last
            done = last
        start = folded.find(wanted, end)
