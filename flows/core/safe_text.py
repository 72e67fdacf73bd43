"""Text from Twilio or a user made safe to show in HTML.

It is escaped, isolated from the direction of the text around it, and its invisible characters are
written out.
"""

from __future__ import annotations

import re
from html import escape
from typing import Final

from django.utils.html import conditional_escape, format_html, format_html_join, strip_tags
from django.utils.safestring import SafeString, mark_safe

from flows.core import invisible

_WEB_ADDRESS: Final = re.compile(
    r"(https?://[A-Za-z0-9.-]+(?::[0-9]+)?(?:[/?#][!-~]*[/!-~])?(?<![.,;:!?)'\"]))"
)
NOT_SET: Final = mark_safe('<span class="unset">Not set</span>')  # in place of an empty value
_HIDDEN_CHARACTER: Final = '<span class="hidden-character">⟨U+{}⟩</span>'


def visible(value: object) -> SafeString:
    """Return the text escaped, with invisible characters written out as ⟨U+202E⟩."""
    text = str(value)
    if not invisible.is_plain(text):
        return _write_out_hidden(text)
    if type(text) is str:  # the fast path of nearly every text on a page
        return SafeString(escape(text))
    return conditional_escape(text)


def visible_attribute(value: object) -> SafeString:
    """Return the text as `visible` does, without markup, for an attribute such as a title."""
    html = visible(value)
    return SafeString(strip_tags(html)) if "<" in html else html


def _write_out_hidden(text: str) -> SafeString:
    """Return a text that may have invisible characters as `visible` does."""
    parts: list[SafeString] = []
    start = 0
    for position in invisible.find_positions(text):
        parts.append(conditional_escape(text[start:position]))
        parts.append(format_html(_HIDDEN_CHARACTER, f"{ord(text[position]):04X}"))
        start = position + 1
    if not parts:
        return conditional_escape(text)
    parts.append(conditional_escape(text[start:]))
    return SafeString("".join(parts))


def visible_lines(value: object) -> SafeString:
    """Return a text of several lines as `visible` does, with its line breaks."""
    return format_html_join("\n", "{}", ((visible(line),) for line in str(value).split("\n")))


def linked(value: object) -> SafeString:
    """Return the text as `visible` does, with links, such as to the ticket in a change's reason."""
    parts: list[SafeString] = []
    for index, text in enumerate(_WEB_ADDRESS.split(str(value))):
        is_address = index % 2 == 1  # `split` puts the matches between the texts around them
        if is_address:
            link = '<a href="{}" rel="noopener noreferrer nofollow">{}</a>'
            parts.append(format_html(link, text, visible(text)))
        else:
            parts.append(visible(text))
    return SafeString("".join(parts))


def short(sid: object) -> str:
    """Return a SID, or any long id, without its middle."""
    text = str(sid or "")
    return f"{text[:6]}…{text[-4:]}" if len(text) > 14 else text


def allow_breaks(text: SafeString) -> SafeString:
    """Return text from `visible` that a narrow cell can break after each colon of an identity."""
    return mark_safe(text.replace(":", ":<wbr>"))  # noqa: S308 - `visible` has escaped it
