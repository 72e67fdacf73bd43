"""The marks on the words of a search in the texts that it finds."""

from __future__ import annotations

from django.utils.safestring import SafeString

from flows.core.normalization import find_spans, split_terms
from flows.core.safe_text import visible


def mark_search_words(value: object, query: str) -> SafeString:
    """Return the text as `visible` does, with the words of a search marked."""
    text = str(value)
    spans: list[tuple[int, int]] = []
    for word in split_terms(query):
        spans += find_spans(text, word)
    parts: list[str] = []
    marked_to = 0
    for start, end in sorted(spans):
        if start < marked_to:  # overlaps the previous word
            continue
        parts += [visible(text[marked_to:start]), "<mark>", visible(text[start:end]), "</mark>"]
        marked_to = end
    return SafeString("".join([*parts, visible(text[marked_to:])]))
