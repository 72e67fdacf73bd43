"""Masks: what they reveal, what they replace, and how long that takes.

A mask shows only that a secret changed. Values that an earlier version redacted stay equal.
"""

import random
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flows.redaction import credentials, first_rules, text_masking, words
from flows.redaction.fingerprint import Masker
from flows.redaction.masking import (
    find_masks,
    has_mask,
    redact,
    redact_field,
    redact_note,
    unmask,
)
from tests.flows.redaction.canary import MASK


def mask_with_first_rules(text):
    return first_rules.mask_text(text, Masker())


HOSTS = st.builds(
    "{}{}{}".format,
    st.sampled_from(["https://", "http://", "//", "HTTPS:\\\\", "", "https:", " https://"]),
    st.sampled_from(["", "u:p4ss@", "u@", "a b:c@", "u:p/w@", "u:", "@"]),
    st.sampled_from(["h.example", "h.example:8443", "localhost", "h", "[::1]", ""]),
)
URL_PARTS = [
    "/", "?", "&", ";", "#", "in", "T0A", "token=", "team=", "care", "x9=", "%3Fkey%3Dq1", "=", " ",
    "https://v:w@i.example/", "\\", "masked-0a1b2c",
]  # fmt: skip
SENTENCE_PARTS = [
    "'", '"', '\\"', "<", ">", ",", ".", ")", "\n", "%25", "Bearer ", "Authorization: ", "password: ",
    "secret ", "is ", '"token": ', "abc1", "user:pw@", "mailto:", "SK" + "0a1b2c3d" * 4, "masked-0a1b2",
]  # fmt: skip


def texts_of(parts):
    return st.lists(st.sampled_from(parts), max_size=9).map("".join)


URLS = st.builds("{}{}".format, HOSTS, texts_of(URL_PARTS))
TEXTS = st.builds("{}{}".format, HOSTS | st.just(""), texts_of(URL_PARTS + SENTENCE_PARTS))
MASKS = {
    "text": redact,
    "sentence": redact_note,
    "URL": lambda text: redact_field("integration_url", text),
    "name": lambda text: redact_field("friendly_name", text),
    "detail of an event": lambda text: redact({"filter": text})["filter"],
}
# Long random texts of fields that no resource has are masked as a whole, unless the first rules
# masked a part of them. So these can differ from what was recorded then, but masking ends.
ALL_MASKS = {**MASKS, "unknown field": lambda text: redact_field("of_tomorrow", text)}


@given(URLS | TEXTS, st.sampled_from(sorted(MASKS)))
@example("h.exampleteam=%3Fkey%3Dq1https://v:w@i.example/token=/", "text")
@example("http://h<Authorization: ", "sentence")
@example("sk_live_1234abcd://the new flow", "name")
@example("https://token=?T0A&:https://h.exampleu:p@", "URL")
@example("https://https://h.exampletoken=?&@;", "URL")
@example(" https://@[::1]x9=x9=?token= incare ", "URL")
def test_value_masked_by_the_first_rules_is_redacted_to_the_same_value(text, kind):
    mask = MASKS[kind]
    redacted = mask(text)

    assert mask(mask_with_first_rules(text)) == redacted
    assert mask(redacted) == redacted
    assert mask_with_first_rules(redacted) == redacted


@given(URLS | TEXTS)
def test_unmask_restores_every_url(url):
    for masked in (redact(url), redact_field("integration_url", url), mask_with_first_rules(url)):
        if not find_masks(url):
            assert unmask(masked, url) == url


@given(st.text(max_size=60) | TEXTS)
def test_redacting_again_changes_nothing(text):
    for mask in ALL_MASKS.values():
        assert mask(mask(text)) == mask(text)
    for flow in ({text: text}, {"sid": text, text: text}):
        assert redact(redact(flow)) == redact(flow)


@pytest.mark.parametrize(
    "text",
    [
        "cred=a1", "Bearer abcdef", "Basic abc123", "Digest abc123", "Authorization, abc",
        "Password: abc", "paſsword: abc", "pwd: abc", "SECRET: abc", "private key: abc",
        "credential: abc", "BASİC abc123", "CREDENTİAL: abc123", "AUTHORİZATION: s3cr3tv",
        "authorızation: abcdef", "Token: abc", "to\u212aen: abc", "'hash' : 'abc'", '"hash": 12',
        "xoxb-1234abcd", f"ghp_{'a' * 16}", f"github_pat_{'a' * 16}", "sk_live_1234abcd",
        "whsec_1234abcd", "AKIA1234ABCD5678", "eyJ1234abcd.abcd", f"flexapi_123abc.{'a' * 16}",
        f"SK{'0a' * 16}", "0a" * 16, "0A" * 16,
    ],
)  # fmt: skip
def test_each_kind_of_credential_is_masked_alone(text):
    """Each has only one of the signs that the fast check looks for."""
    assert has_mask(redact_note(f"It is {text}"))


@given(st.text(max_size=60) | TEXTS)
def test_fast_checks_miss_no_secret(text):
    redacted = [mask(text) for mask in MASKS.values()]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(credentials, "may_have_credentials", lambda text: True)
        patched.setattr(text_masking, "is_plain", lambda text: False)
        assert [mask(text) for mask in MASKS.values()] == redacted


def test_url_with_mixed_slashes_is_masked_in_a_sentence():
    assert has_mask(redact("see https:/\\h.example/in/T0A9x8s7d6zzz9"))


def mask_of(url):
    return re.search(MASK, redact_field("integration_url", url)).group()


def test_mask_depends_on_the_secret_and_not_on_its_position():
    masks = [
        mask_of(url)
        for url in (
            "https://abc@h.example/",
            "http://abc@other.example:80/x?y=z",
            "https://h.example/?token=abc",
            "https://h.example/?team=b&apikey=abc&lang=en",
            "https://h.example/?anything=abc",
            "https://h.example/in/?token=abc",
        )
    ]

    assert len(set(masks)) == 1
    assert mask_of("https://h.example/?token=abd") not in masks
    assert mask_of("https://h.example/?token=Abc") not in masks


def test_mask_depends_on_the_sites_key(settings):
    mask = mask_of("https://h.example/?token=abc")
    settings.AUDIT_KEY = "another key altogether, of 32 characters"

    assert mask_of("https://h.example/?token=abc") != mask


def test_mask_is_not_masked_again():
    assert mask_of("https://h.example/?token=masked-0a1b2c") == "masked-0a1b2c"
    assert mask_of("https://h.example/?token=masked-0a1b2cd") != "masked-0a1b2c"
    assert mask_of("https://h.example/?token=xmasked-0a1b2c") != "masked-0a1b2c"


@pytest.mark.parametrize(
    "value",
    [
        "masked-0a1b2c",
        "https://masked-0a1b2c@h.example/",
        "https://h.example/?token=masked-0a1b2c&a=1",
        ["masked-0a1b2c"],
        {"auth": [{"token": "masked-0a1b2c"}]},
    ],
)
def test_mask_is_recognised(value):
    assert has_mask(value)


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        "",
        "masked-",
        "masked-0a1b2",
        "masked-0a1b2cd",
        "masked-0A1B2C",
        ["masked-"],
        {"a": 1},
    ],
)
def test_other_value_is_not_a_mask(value):
    assert not has_mask(value)


@pytest.mark.parametrize("url", [
    "https://user:s3cret@hooks.example.com/in?token=abc&team=care",
    "https://hooks.example.com/in?key=a&key=b&x=1&sig=c",
    "https://hooks.example.com/?next=https%3A%2F%2Fa%3Ab%40c.example%2F%3Ftoken%3Dx",
])  # fmt: skip
def test_unmask_restores_the_secrets(url):
    assert redact(url) != url

    assert unmask(redact(url), url) == url


def test_unmask_keeps_edits_of_the_url():
    redacted = redact("https://old.example.com/in?token=abc").replace("old.", "new.")

    assert (
        unmask(redacted, "https://old.example.com/in?token=abc")
        == "https://new.example.com/in?token=abc"
    )


@pytest.mark.parametrize("origin", ["https://old.example.com/in?token=other", "", None, "plain"])
def test_mask_of_another_secret_stays(origin):
    redacted = redact("https://old.example.com/in?token=abc")

    assert unmask(redacted, origin) == redacted
    assert has_mask(unmask(redacted, origin))


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "://",
        "?a=",
        "https://a:",
        "@",
        "&key=",
        "%25",
        "https://a:b@",
        "?a=%25",
        "/a=%25",
        "lang-",
        "'",
        ";a=",
        '"a": ',
        "password ",
        "a:b@",
        "//a.",
        '\\"',
        "Bearer ",
        "0a",
    ],
)
def test_long_text_is_masked_in_linear_time(unit):
    """Decoding the rest of a text for each of its parts would take too long."""
    for text in (
        "https://" + unit * 20_000,
        "in a sentence " + unit * 20_000,
        unit * 20_000 + " a@b",
    ):
        assert isinstance(redact(text), str)
        assert isinstance(redact_note(text), str)
        assert isinstance(redact_field("integration_url", text), str)


@pytest.mark.parametrize("length", [8, 12, 20])
def test_few_random_texts_pass_for_words(length):
    generator = random.Random(7)
    texts = [
        "".join(generator.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=length))
        for _ in range(3000)
    ]

    assert sum(map(words.is_plain, texts)) < 20


def test_text_that_the_rules_would_change_forever_is_masked_as_a_whole(monkeypatch):
    monkeypatch.setattr(
        credentials, "mask_credentials_in_text", lambda text, masker: f"{text} s3cr3t"
    )

    redacted = redact("token=abc")

    assert re.fullmatch(MASK, redacted)
