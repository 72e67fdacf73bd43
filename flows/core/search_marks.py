"""The marks on the words of a search in the texts that it finds."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.safestring import SafeString

from flows.core.matching import is_part_of_sid
from flows.core.normalization import find_spans, normalize_text, split_terms
from flows.core.safe_text import short, visible


def mark_search_words(value: object, query: str) -> SafeString:
    """Return the text as `visible` does, with the words of a search marked."""
    return _mark_words(str(value), split_terms(query))


def mark_target(value: str, query: str, sid: str) -> SafeString:
    """Return the text of a target as `mark_search_words` does.

    The text has the SID in its short form. All of that is marked if a word of the search is more of
    the SID than it shows.
    """
    text = normalize_text(value)
    words = split_terms(query)
    hidden = any(word not in text and is_part_of_sid(sid.lower(), word) for word in words)
    return _mark_words(value, [*words, normalize_text(short(sid))] if hidden else words)


def _mark_words(text: str, words: Iterable[str]) -> SafeString:
    spans: list[tuple[int, int]] = []
    for word in words:
        spans += find_spans(text, word)
    parts: list[str] = []
    marked_to = 0
    for start, end in sorted(spans):
        if start < marked_to:  # overlaps the previous word
            continue
        parts += [visible(text[marked_to:start]), "<mark>", visible(text[start:end]), "</mark>"]
        marked_to = end
    return SafeString("".join([*parts, visible(text[marked_to:])]))
