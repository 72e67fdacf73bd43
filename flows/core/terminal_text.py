"""Text from outside made safe for one line of a log or a terminal."""

from __future__ import annotations

import re
from typing import Final

# Characters that end a line (also NEL, LS and PS), control the terminal (ESC and other control
# characters), change the reading direction, or can't be encoded.
_UNSAFE_CHARACTERS: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def escape_line(text: object) -> str:
    r"""Return the text on one line, with unsafe characters written as Python escapes such as \n."""
    return _UNSAFE_CHARACTERS.sub(
        lambda match: match[0].encode("unicode_escape").decode(), str(text)
    )
