"""Characters that nobody sees: zero-width spaces, marks of direction, byte-order marks, letters that are
blank.

They come with what people paste. Pages write them out as ⟨U+200B⟩; forms and searches leave them out or name
them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

_ZERO_WIDTH_JOINERS: Final = "\u200c\u200d"
BLANK_LETTERS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_INVISIBLE_CATEGORIES: Final = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_DIRECTION_OVERRIDES: Final = (
    "\u202d\u202e"  # turn the letters behind them round: the name is another one without
)
_ESCAPED_CHARACTER: Final = re.compile(r"⟨U\+(0?[0-9A-F]{4,5})⟩")


def is_invisible(text: str, place: int) -> bool:
    """Tell whether a character of a text is one that nobody sees there."""
    character = text[place]
    if character in BLANK_LETTERS:
        return True
    if character in _ZERO_WIDTH_JOINERS and 0 < place < len(text) - 1:
        # Emoji and several scripts need joiners; between Latin, Greek or Cyrillic letters they only hide.
        return not (text[place - 1] > "\u0590" and text[place + 1] > "\u0590")
    return unicodedata.category(character) in _INVISIBLE_CATEGORIES


def is_plain(text: str) -> bool:
    """Tell at once that a text has no such character. False says nothing."""
    return text.isprintable() and BLANK_LETTERS.isdisjoint(text)


def find_invisible(text: str) -> Iterator[str]:
    """Yield the characters of a text that nobody sees."""
    if not is_plain(text):
        yield from (text[place] for place in range(len(text)) if is_invisible(text, place))


def strip_invisible(text: str) -> str:
    """The text without such characters, and with plain spaces for those that only look like one."""
    if is_plain(text):
        return text
    places = range(len(text))
    kept = (
        text[place] for place in places if text[place].isspace() or not is_invisible(text, place)
    )
    return "".join(
        " " if character.isspace() and character not in "\r\n\t" else character
        for character in kept
    )


def trim_invisible(text: str) -> str:
    """The text without white space and such characters at its ends. Within it, all stays, and so does a
    control character: it is no accident of pasting."""
    start, end = 0, len(text)
    while start < end and _is_blank(text, start):
        start += 1
    while end > start and _is_blank(text, end - 1):
        end -= 1
    return text[start:end]


def _is_blank(text: str, place: int) -> bool:
    is_control = unicodedata.category(text[place]) == "Cc"
    return text[place].isspace() or (is_invisible(text, place) and not is_control)


def visible_text(text: str) -> str:
    """Return what a reader of a page sees of a text, for comparing: one spelling of each letter, one space,
    nothing hidden.

    Somebody may copy what a page writes out for a hidden character, or leave it out: both are the same. Only
    what turns letters round has to be there, as itself or as it is written out."""
    shown = _ESCAPED_CHARACTER.sub(
        lambda mark: chr(int(mark[1], 16)), unicodedata.normalize("NFC", text)
    )
    kept = (
        character
        for place, character in enumerate(shown)
        if character.isspace()
        or character in _DIRECTION_OVERRIDES
        or not is_invisible(shown, place)
    )
    return " ".join("".join(kept).split())


def format_code_points(characters: Iterable[str]) -> str:
    """The code points of some characters, each once: "U+200B, U+FEFF"."""
    return ", ".join(dict.fromkeys(f"U+{ord(character):04X}" for character in characters))
