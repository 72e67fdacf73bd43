"""The marks on the words of a search."""

from flows.core import safe_text
from flows.core.search_marks import mark_search_words


def test_search_words_are_marked_in_escaped_text():
    html = mark_search_words("<b>Réclam\u202e</b> & reclam", "RECLAM")

    assert html == (
        "&lt;b&gt;<mark>Réclam</mark>"
        + safe_text.visible("\u202e")
        + "&lt;/b&gt; &amp; <mark>reclam</mark>"
    )
    assert mark_search_words("Lyon", "") == "Lyon"


def test_each_search_word_is_marked():
    assert mark_search_words("Rechnungen – Hamburg", "hamburg rech") == (
        "<mark>Rech</mark>nungen – <mark>Hamburg</mark>"
    )
