"""HTML without the white space that shows nothing: a template may be laid out in another way and say the same."""

from __future__ import annotations

import re


def squeezed(html: str) -> str:
    """Return the HTML with one space between words, and none next to a tag or before the end of one."""
    one_line = re.sub(r"\s+", " ", html)
    return re.sub(r" ?(<[^>]*?) ?(>) ?", r"\1\2", one_line)
