"""Mentions of an identity: a number in any spelling, other values as they are written."""

import pytest

from flows.erasure.mentions import MentionMatcher

NUMBER = "+33199000123"
SPELLINGS = [
    "+33199000123", "33199000123", "whatsapp:+33199000123", "0033199000123", "+33 1 99 00 01 23",
    "+33 (1) 99.00.01-23", "+33\u00a0199\u00a0000\u00a0123", "call +33199000123, please", "%2B33199000123",
    "https://x.example/?to=%252B33199000123&a=1", "+33199000123\n", "x\n+33199000123",
]  # fmt: skip
OTHERS = [
    "+331990001234",
    "+133199000123",
    "+3319900012",
    "FO33199000123abc",
    "+33199000 or 123",
    "",
    "3.3",
]


@pytest.mark.parametrize("text", SPELLINGS, ids=ascii)
@pytest.mark.parametrize("value", [NUMBER, "whatsapp:" + NUMBER, "+33 199 000 123", "33199000123"])
def test_number_is_found_in_any_spelling(value, text):
    assert MentionMatcher([value]).has_word(text)


@pytest.mark.parametrize("text", [
    "+44 (0)20 7946 0000", "+44(0)2079460000", "+44 (020) 7946 0000", "+44 020 7946 0000",
    "0044 (0)20 7946 0000", "+44 20 7946 0000", "https://x.example/?to=%2B44%20(0)20%207946%200000",
], ids=ascii)  # fmt: skip
@pytest.mark.parametrize(
    "value", ["+442079460000", "442079460000", "+44 (0)20 7946 0000", "00442079460000"]
)
def test_number_is_found_with_and_without_its_trunk_zero(value, text):
    assert MentionMatcher([value]).has_word(text)


@pytest.mark.parametrize(
    "value",
    [
        "+54111512345678", "+378979006", "+78495123456 7", "+55015 11 91234-5678", "+7 8 495 123-45-67",
        "+44 (0)20 7946 0000", "0044 20 7946 0000", "whatsapp:+5491123456789", "+1 (415) 555-1234",
    ],
)  # fmt: skip
def test_number_is_found_as_it_is_written(value):
    """The library turns some of these into numbers with other digits."""
    matcher = MentionMatcher([value])

    assert matcher.has_word(f"from {value} today")
    assert matcher.has_substring(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("+393012345678", "+39 (0)30 12345678"),  # Italian numbers keep their zero
        ("+442079460000", "+440 (0)20 7946 0000"),
        ("+442079460000", "+44 (00)20 7946 0000"),
        ("+442079460000", "+44 20 (0)7946 0000"),
    ],
)
def test_zero_that_makes_another_number_is_not_ignored(value, text):
    assert not MentionMatcher([value]).has_word(text)


@pytest.mark.parametrize("text", OTHERS, ids=ascii)
def test_other_number_is_not_found(text):
    assert not MentionMatcher([NUMBER]).has_word(text)


@pytest.mark.parametrize("text", ["+331990001234", "+133199000123", "FO33199000123abc"])
def test_longer_number_contains_it(text):
    assert MentionMatcher([NUMBER]).has_substring(text)


@pytest.mark.parametrize("text", [
    "José Ünal", "a José Ünal b", "jose\u0301 u\u0308nal", "JOSÉ ÜNAL", "(José Ünal)", "x_José Ünal_y",
    "https://x.example/Jos%C3%A9%20%C3%9Cnal",
], ids=ascii)  # fmt: skip
def test_name_is_found_in_any_case_and_composition(text):
    assert MentionMatcher(["José Ünal"]).has_word(text)


@pytest.mark.parametrize(
    "text", ["José Ünals", "MariJosé Ünal", "Jose Unal", "José", "José  Ünal"], ids=ascii
)
def test_other_name_is_not_found(text):
    assert not MentionMatcher(["José Ünal"]).has_word(text)


@pytest.mark.parametrize("value", ["a.b", "x+y", "(", "a|b", "[a]", "\\d"])
def test_value_is_not_a_pattern(value):
    assert MentionMatcher([value]).has_word(f"<{value}>")
    assert not MentionMatcher([value]).has_word("axb 7")


@pytest.mark.parametrize("content", [
    {"a": {"b": ["x", "canary"]}},
    {"canary": None},
    [1, ["canary"]],
    ("", None, True, "canary"),
], ids=["value", "key", "list", "among empty values"])  # fmt: skip
def test_mention_is_found_deep_in_json(content):
    assert MentionMatcher(["canary"]).has_word("", content)


def test_number_in_json_is_found():
    assert MentionMatcher([NUMBER]).has_word({"to": 33199000123})


def test_separate_texts_are_not_joined():
    assert not MentionMatcher([NUMBER]).has_substring(["+33199", "000123"])


@pytest.mark.parametrize("values", [[], [""], ["  "]])
def test_empty_value_is_never_found(values):
    assert not MentionMatcher(values).has_word("anything", "")
    assert not MentionMatcher(values).has_substring("anything", "")
