"""Redaction of sentences, JSON and values that a database can't store."""

import json
import re

import pytest

from flows.redaction.masking import (
    MAX_DEPTH,
    has_mask,
    redact,
    redact_note,
    redact_quotes,
    replace_unstorable,
)
from tests.flows.redaction.canary import CANARY, MASK


@pytest.mark.parametrize(
    "name",
    [
        "token", "accessToken", "x-token", "api_key", "APIKey", "X-Amz-Signature", "auth", "Authorization", "password", "pwd", "pw",
        "client_secret", "credentials", "code", "PHPSESSID", "jwt", "bearer", "pin", "otp", "hmac", "cookie", "csrf",
        "hash", "digest", "mac", "ticket", "tok", "sec", "cred", "access", "private", "nonce", "k", "p", "h", "t",
    ],
)  # fmt: skip
def test_secret_parameter_is_masked_in_a_reason(name):
    reason = f"see https://h.example/in?{name}=open&lang=en"

    assert re.fullmatch(rf"see https://h\.example/in\?{name}={MASK}&lang=en", redact_note(reason))


@pytest.mark.parametrize(
    "link",
    [
        "https://jira.example/browse/OPS-1234", "https://t.example/4711", "https://github.example/acme/flows/issues/17",
        "https://t.example/view?id=1234&q=open", "https://wiki.example/display/OPS/How+we+route", "https://t.example/INC0012345",
        "https://t.example/in?keyboard=open&author=omar&zip_code=4711",
    ],
)  # fmt: skip
def test_link_to_a_ticket_is_unchanged_in_a_reason(link):
    for sentence in (f"See {link}.", f"({link})", link, f"{link}, and {link}"):
        assert redact_note(sentence) == sentence


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Bearer c4n4ry-abc", "Bearer *"), ("it sent bearer c4n4ry", "it sent bearer *"),
        ("Authorization: Basic dTpjNG40cnk=", "Authorization: Basic *"), ("authorization=c4n4ry", "authorization=*"),
        ("the password is c4n4ry", "the password is *"), ("Password: c4n4ry, please", "Password: *, please"),
        ("API key: c4n4ry", "API key: *"), ("auth token 0123456789abcdef0123456789abcdef", "auth token *"),
        ("SK0123456789abcdef0123456789abcdef", "*"), ("key=c4n4ry", "key=*"), ("api_key=c4n4ry x", "api_key=* x"),
        ('{"token": "c4n4ry", "a": 1}', '{"token": "*", "a": 1}'), ("{'api_key': 'c4n4ry'}", "{'api_key': '*'}"),
        (r'{"a": "{\"token\": \"c4n4ry\"}"}', r'{"a": "{\"token\": \"*\"}"}'),
        ("xoxb-1234567890-c4n4ry", "*"), ("whsec_c4n4ryc4n4ry", "*"), ("moved to u:c4n4ry@h.example/x", "moved to *@h.example/x"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("mask", [redact, redact_note])
def test_credentials_are_masked_in_a_sentence(mask, text, expected):
    redacted = mask(text)

    assert re.fullmatch(re.escape(expected).replace(r"\*", MASK), redacted), redacted
    assert mask(redacted) == redacted
    assert CANARY not in redacted


@pytest.mark.parametrize(
    "text",
    [
        "Why? because", "Is it on?", "Key: Sales", "code: 45212", "Basic support line", "Digest of the week", "whatsapp:+14155550123",
        "messenger:1234", "sip:alice@h.example", "a@b.example", "Holidays: closed on Monday", "://", "??", "a://", "and/or a//b",
        "FO0123456789abcdef0123456789abcdef", "AC0123456789abcdef0123456789abcdef", "Réclamations – Lyon", "a => b", "", " ",
        "Invalid parameter FriendlyName: at most 256 characters, not 300", "2026-01-01T00:00:00Z", "Token ring", "x = 1",
    ],
)  # fmt: skip
@pytest.mark.parametrize("mask", [redact, redact_note])
def test_text_without_a_secret_is_unchanged(mask, text):
    assert mask(text) == text
    assert not has_mask(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "was https://u:c4n4ry@a.example/, is https://v:c4n4ry@b.example/.",
            "was https://*@a.example/, is https://*@b.example/.",
        ),
        ("'https://h.example/?key=c4n4ry' is not valid", "'https://h.example/?key=*' is not valid"),
        (
            '{"url": "https://h.example/?key=c4n4ry", "a": 1}',
            '{"url": "https://h.example/?key=*", "a": 1}',
        ),
        (
            "is 'https://h.example/hook?label=Sales desk&token=c4n4ry' ok",
            "is 'https://h.example/hook?label=Sales desk&token=*' ok",
        ),
        ("is https://flex bot:c4n4ry@h.example/in ok", "is https://flex *@h.example/in ok"),
        ("<https://h.example/?key=c4n4ry>; rel=next", "<https://h.example/?key=*>; rel=next"),
        ("(https://u:c4n4ry@h.example)", "(https://*@h.example)"),
        (
            "see https://h.example:8080. Or https://h.example: no",
            "see https://h.example:8080. Or https://h.example: no",
        ),
        ("line\nhttps://u:c4n4ry@h.example/\nline", "line\nhttps://*@h.example/\nline"),
        (
            "'https://user:c4n4ry' is not an http or https address",
            "'https://*' is not an http or https address",
        ),
    ],
)
def test_urls_are_masked_in_a_sentence(text, expected):
    redacted = redact(text)

    assert re.fullmatch(re.escape(expected).replace(r"\*", MASK), redacted, re.DOTALL), redacted
    assert redact(redacted) == redacted


def test_quoted_value_is_masked_completely():
    url = "https://h.example/my hook/c4n4ry"

    redacted = redact_quotes(
        f"Invalid parameter Integration.Url: {url} is no address", {"integration_url": url}, None
    )

    assert CANARY not in redacted
    assert redacted.endswith(" is no address")


def test_json_is_masked_at_every_depth():
    value = {
        "integration_url": "https://u:c4n4ry@h.example/",
        "list": ["https://h.example/?key=c4n4ry", {"deep": [["https://h.example/?sig=c4n4ry"]]}],
        "number": 7, "float": 0.5, "yes": True, "none": None, "text": "as it is",
    }  # fmt: skip

    redacted = redact(value)

    assert CANARY not in str(redacted)
    assert str(redacted).count("masked-") == 3
    assert {name: redacted[name] for name in ("number", "float", "yes", "none", "text")} == {
        name: value[name] for name in ("number", "float", "yes", "none", "text")
    }
    assert redacted["yes"] is True
    assert redact(redacted) == redacted
    assert "c4n4ry" in value["integration_url"]  # the original is unchanged


def test_secret_in_a_tuple_is_masked():
    secret = "https://ada:open-sesame@example.com/hook"

    redacted = redact(
        {
            "friendly_name": "Sales",
            "notes": (secret, ("again", secret)),
            "password": ("open-sesame",),
        }
    )

    assert "open-sesame" not in str(redacted)


@pytest.mark.parametrize(
    "value",
    [
        {"token": "c4n4ry"}, {"integration_auth": {"user": "c4n4ry", "n": ["c4n4ry"]}}, {"a": [{"Password": ["c4n4ry"]}]},
        {"fallback_url": "c4n4ry"}, {"callback_uri": "https://h.example/c4n4ry"}, {"a": {"https://u:c4n4ry@h.example/": 1}},
        {"friendly_name": {"secret": "c4n4ry"}}, {"integration_url": ["https://h.example/c4n4ry", {"x": "c4n4ry"}]},
        {"signing": "c4n4ry"}, {"note": '{"token": "c4n4ry"}'}, {"note": "c4n4ry0123456789abcdefghij"}, {"headers": "Bearer c4n4ry"},
        {"url": "https://h.example/c4n4ry"}, {"contact_identity": "https://h.example/in?token=c4n4ry"},
    ],
    ids=json.dumps,
)  # fmt: skip
def test_secret_in_an_unknown_field_is_masked(value):
    flow = {"sid": "FO1", **value}

    redacted = redact(flow)

    assert CANARY not in str(redacted)
    assert "masked-" in str(redacted)
    assert redact(redacted) == redacted


def test_details_of_this_sites_events_are_unchanged():
    details = {
        "single sign-on": "https://id.example/realms/6f1c2a 7f3a",
        "sessions": 3,
        "password": "changed",
        "key": "passkey",
    }

    assert redact(details) == details
    assert has_mask(redact({"filters": "q=https://u:c4n4ry@h.example/"})["filters"])


def test_only_a_number_under_a_secret_name_is_masked():
    redacted = redact(
        {
            "pin": 1234,
            "retries": 3,
            "requires_auth": True,
            "enabled": True,
            "integration_timeout": 86400,
        }
    )

    assert has_mask(redacted["pin"])
    assert redacted | {"pin": 0} == {
        "pin": 0,
        "retries": 3,
        "requires_auth": True,
        "enabled": True,
        "integration_timeout": 86400,
    }


# Depth


def nested(depth, innermost="c4n4ry"):
    value = innermost
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 600, 5000])
@pytest.mark.parametrize(
    "process", [redact, replace_unstorable, lambda value: redact(replace_unstorable(value))]
)
def test_deeply_nested_part_gets_a_placeholder(process, depth):
    processed = process({"unknown": nested(depth)})

    assert re.search(rf"nested too deeply: not shown \({MASK}\)", str(processed))
    assert CANARY not in str(processed)
    assert process(processed) == processed


def test_placeholder_of_a_deeply_nested_part_shows_a_change():
    assert redact(nested(600, "one")) != redact(nested(600, "two"))
    assert redact(nested(600, "one")) == redact(nested(600, "one"))


# Values that databases can't store


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a\x00b", "a\u2400b"), ("half\ud83d", "half\ufffd"), ("\ude00half", "\ufffdhalf"), ("whole 😀", "whole 😀"),
        ("\ud83d\ude00", "😀"), (1.0, 1), (1.5, 1.5), (float("nan"), "nan"), (float("-inf"), "-inf"), (True, True), (None, None), (7, 7),
        (["\x00", ("\x00",)], ["\u2400", ["\u2400"]]), ({"\x00": {"a": "\x00"}}, {"\u2400": {"a": "\u2400"}}),
    ],
    ids=ascii,
)  # fmt: skip
def test_unstorable_value_is_replaced(value, expected):
    assert replace_unstorable(value) == expected
    assert type(replace_unstorable(value)) is type(expected)
    assert replace_unstorable(replace_unstorable(value)) == expected
