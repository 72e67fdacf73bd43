"""The marks on the words of a search."""

from flows.core import safe_text
from flows.core.search_marks import mark_search_words, mark_target


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


def test_short_sid_is_marked_if_the_search_has_more_of_it():
    sid = "FW" + "a" * 28 + "f339"

    assert mark_target("IVR · FWaaaa…f339", sid, sid) == "IVR · <mark>FWaaaa…f339</mark>"
    assert mark_target("IVR · FWaaaa…f339", "f339", sid) == "IVR · FWaaaa…<mark>f339</mark>"
    assert mark_target("IVR · FWaaaa…f339", "ivr", sid) == "<mark>IVR</mark> · FWaaaa…f339"
