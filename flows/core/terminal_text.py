"""Text from outside on one line of a log or a terminal."""

from __future__ import annotations

import re
from typing import Final

# Whatever ends a line somewhere (also NEL, LS and PS), moves a cursor or changes colours (ESC and the other
# control characters), turns the reading direction round, or can't be encoded.
_UNSAFE_CHARACTERS: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def escape_line(text: object) -> str:
    """Return the text with every such character as Python writes it in a string, so that it stays on its line
    and can be told from what the program itself writes."""
    return _UNSAFE_CHARACTERS.sub(
        lambda found: found[0].encode("unicode_escape").decode(), str(text)
    )
