"""Text from Twilio or a user made safe to show in HTML.

It is escaped, isolated from the direction of the text around it, and its invisible characters are
written out.
"""

from __future__ import annotations

import re
from html import escape
from typing import Final

from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from flows.core import invisible
from flows.core.normalization import find_spans, split_terms

_WEB_ADDRESS: Final = re.compile(
    r"(https?://[A-Za-z0-9.-]+(?::[0-9]+)?(?:[/?#][!-~]*[/!-~])?(?<![.,;:!?)'\"]))"
)
_HIDDEN_CHARACTER: Final = '<span class="hidden-character">⟨U+{}⟩</span>'


def visible(value: object) -> SafeString:
    """The text, escaped, invisible characters written out as ⟨U+202E⟩."""
    text = str(value)
    is_plain = invisible.is_plain(text)
    if is_plain and type(text) is str:  # nearly always, and hundreds of times a page
        return SafeString(escape(text))
    hidden = [] if is_plain else [p for p in range(len(text)) if invisible.is_invisible(text, p)]
    if not hidden:
        return conditional_escape(text)
    ends = zip([0, *(place + 1 for place in hidden)], [*hidden, len(text)], strict=True)
    runs = [conditional_escape(text[start:end]) for start, end in ends]
    marks = [format_html(_HIDDEN_CHARACTER, f"{ord(text[place]):04X}") for place in hidden]
    return format_html_join("", "{}{}", zip(runs, [*marks, ""], strict=True))


def visible_lines(value: object) -> SafeString:
    """The same for a text of several lines, which stay lines."""
    return format_html_join("\n", "{}", ((visible(line),) for line in str(value).split("\n")))


def linked(value: object) -> SafeString:
    """The text, made visible, with a web address in it as a link. A change's reason often names a ticket."""
    parts = _WEB_ADDRESS.split(str(value))
    return format_html_join(
        "",
        "{}",
        (
            (
                format_html(
                    '<a href="{}" rel="noopener noreferrer nofollow">{}</a>', part, visible(part)
                ),
            )
            if place % 2
            else (visible(part),)
            for place, part in enumerate(parts)
        ),
    )


def marked(value: object, query: str) -> SafeString:
    """The text, made visible, with what was searched for marked in it."""
    text, parts, done = str(value), [], 0
    for start, end in sorted(
        place for word in split_terms(query) for place in find_spans(text, word)
    ):
        if start < done:  # one word within another
            continue
        parts += [visible(text[done:start]), "<mark>", visible(text[start:end]), "</mark>"]
        done = end
    return SafeString("".join([*parts, visible(text[done:])]))


def short(sid: object) -> str:
    """A SID, or any long id, with its middle left out."""
    text = str(sid or "")
    return f"{text[:6]}…{text[-4:]}" if len(text) > 14 else text


def allow_breaks(text: SafeString) -> SafeString:
    """Where a narrow cell may break what `visible` made: behind the colon of an identity."""
    return mark_safe(text.replace(":", ":<wbr>"))  # noqa: S308 - `visible` has escaped it
