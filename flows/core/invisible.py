"""Invisible characters, such as zero-width spaces, direction marks and blank letters.

They come with pasted text. Pages write them out as ⟨U+200B⟩. Forms and searches remove them or name
them in an error.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

_ZERO_WIDTH_JOINERS: Final = "\u200c\u200d"
BLANK_LETTERS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_INVISIBLE_CATEGORIES: Final = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
# They reverse the letters that follow, so a name without them reads differently.
_DIRECTION_OVERRIDES: Final = "\u202d\u202e"
_UNUSUAL_SPACE: Final = re.compile(r"[^\S\r\n\t]")
_ESCAPED_CHARACTER: Final = re.compile(r"⟨U\+(0?[0-9A-F]{4,5})⟩")


def is_invisible(text: str, position: int) -> bool:
    """Return True if the character at this position is invisible and has no purpose there."""
    character = text[position]
    if character in BLANK_LETTERS:
        return True
    if character in _ZERO_WIDTH_JOINERS and 0 < position < len(text) - 1:
        # Emoji and several scripts need joiners. Latin, Greek and Cyrillic, below U+0590, don't.
        lowest_neighbour = min(text[position - 1], text[position + 1])
        return lowest_neighbour <= "\u0590"
    return unicodedata.category(character) in _INVISIBLE_CATEGORIES


def is_plain(text: str) -> bool:
    """Return True if a text has no invisible characters, or False if it may have some."""
    return text.isprintable() and BLANK_LETTERS.isdisjoint(text)


def find_positions(text: str) -> list[int]:
    """Return the positions of the invisible characters of a text."""
    if is_plain(text):
        return []
    return [position for position in range(len(text)) if is_invisible(text, position)]


def find_invisible(text: str) -> list[str]:
    """Return the invisible characters of a text."""
    return [text[position] for position in find_positions(text)]


def strip_invisible(text: str) -> str:
    """Return the text without invisible characters and with a plain space for each other space."""
    if is_plain(text):
        return text
    return _UNUSUAL_SPACE.sub(" ", _without_invisible(text))


def _without_invisible(text: str, kept_characters: str = "") -> str:
    """Return the text without invisible characters. White space and `kept_characters` stay."""
    characters = list(text)
    for position in find_positions(text):
        is_kept = text[position].isspace() or text[position] in kept_characters
        if not is_kept:
            characters[position] = ""
    return "".join(characters)


def trim_invisible(text: str) -> str:
    """Return the text without white space and invisible characters at its ends.

    Control characters stay, because they don't come from pasting by accident.
    """
    start, end = 0, len(text)
    while start < end and _is_blank(text, start):
        start += 1
    while end > start and _is_blank(text, end - 1):
        end -= 1
    return text[start:end]


def _is_blank(text: str, position: int) -> bool:
    if text[position].isspace():
        return True
    is_control = unicodedata.category(text[position]) == "Cc"
    return is_invisible(text, position) and not is_control


def visible_text(text: str) -> str:
    """Return a text in a form for comparing it with what a user read on a page and typed.

    Letters are composed, spaces are single, and invisible characters are removed. A character that
    a page writes out as ⟨U+200B⟩ is treated as the character itself. Direction overrides stay.
    """
    composed = unicodedata.normalize("NFC", text)
    unescaped = _ESCAPED_CHARACTER.sub(lambda match: chr(int(match[1], 16)), composed)
    visible = _without_invisible(unescaped, kept_characters=_DIRECTION_OVERRIDES)
    return " ".join(visible.split())


def format_code_points(characters: Iterable[str]) -> str:
    """Return the code points of characters, each once, such as "U+200B, U+FEFF"."""
    return ", ".join(dict.fromkeys(f"U+{ord(character):04X}" for character in characters))
