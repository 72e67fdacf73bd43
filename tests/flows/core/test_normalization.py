"""Normalization makes texts equal that users take for the same."""

import sys

import pytest

from flows.core.normalization import find_spans, normalize_text


@pytest.mark.parametrize(
    ("text", "normalized"),
    [
        ("Réclamations – Lyon (SMS)", "reclamations - lyon (sms)"),
        ("RE\u0301CLAM", "reclam"),  # with a combining accent
        ("STRASSE Straße", "strasse strasse"),
        ("Łódź Kraków Gdańsk", "lodz krakow gdansk"),
        ("Ålesund Ørsted Æble Œuvre", "alesund orsted aeble oeuvre"),
        ("Đorđe Ħal Þór Ð ð", "dorde hal þor d d"),
        ("İSTANBUL ıstanbul", "istanbul istanbul"),
        ("São Paulo Curitiba A Coruña", "sao paulo curitiba a coruna"),
        ("ΣΊΣΥΦΟΣ σίσυφος", "σισυφοσ σισυφοσ"),
        ("Ёлка Й", "елка и"),
        ("ﬁnance ½ ™ ＡＢＣ１２ ①", "finance 1⁄2 tm abc12 1"),
        ("東京 お問い合わせ", "東京 お問い合わせ"),
        ("l’été d‘hiver ʼt 'n", "l'ete d'hiver 't 'n"),
        ("a‐b‑c‒d–e—f―g−h-i", "a-b-c-d-e-f-g-h-i"),
        ("ze\u200bro wi\u00addth \u202eesrever\u202c \ufeffbom", "zero width esrever bom"),
        ("  two \u00a0 \t\r\n\u2003 words\u3000", "two words"),
        ("nul\x00nul", "nulnul"),
        ("+33 1 99 00 01 23", "+33 1 99 00 01 23"),
        ("100%_\\ '\" <b>", "100%_\\ '\" <b>"),
        ("", ""),
        ("\u200b\u0301", ""),
    ],
    ids=ascii,
)
def test_text_is_normalized(text, normalized):
    assert normalize_text(text) == normalized


def test_normalizing_again_changes_no_letter():
    letters = map(chr, range(sys.maxunicode + 1))

    assert [
        letter
        for letter in letters
        if normalize_text(normalize_text(letter)) != normalize_text(letter)
    ] == []


def test_case_makes_no_difference_in_any_letter():
    letters = [chr(code) for code in range(sys.maxunicode + 1)]

    assert [
        letter for letter in letters if normalize_text(letter) != normalize_text(letter.upper())
    ] == []


def test_part_of_a_name_is_found_in_the_name():
    assert normalize_text("Réclam") in normalize_text("LES RÉCLAMATIONS")
    assert normalize_text("lyon (sms") in normalize_text("Réclamations – Lyon (SMS)")


@pytest.mark.parametrize(
    ("text", "query", "expected"),
    [
        ("Réclamations – Lyon", "reclam", ["Réclam"]),
        ("Re\u0301clamations", "RÉCL", ["Re\u0301cl"]),
        ("Łódź łódź", "lodz", ["Łódź", "łódź"]),
        ("Œuvre Straße", "oeuv", ["Œuv"]),
        ("Straße", "strass", ["Straß"]),
        ("two \u00a0 words", "two words", ["two \u00a0 words"]),
        ("  lead", "lead", ["lead"]),
        ("two  words", "two words", ["two  words"]),
        ("nul\x00l SMS", "null sms", ["nul\x00l SMS"]),
        ("Support SMS", "sms", ["SMS"]),
        ("zero\u200bwidth", "zerow", ["zero\u200bw"]),
        ("aaa", "aa", ["aa"]),
        ("Oﬃce…", "f", ["ﬃ"]),
        ("Wait…", ".", ["…"]),
        ("Lyon", "x", []),
        ("Lyon", "", []),
    ],
    ids=ascii,
)
def test_spans_are_positions_in_the_original_text(text, query, expected):
    assert [text[start:end] for start, end in find_spans(text, normalize_text(query))] == expected
