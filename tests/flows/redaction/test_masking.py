"""Redaction of URLs, JSON and sentences.

A mask shows only that a secret changed. Values that an earlier version redacted stay equal.
"""

import json
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.redaction import first_rules, words
from flows.redaction.fingerprint import Masker
from flows.redaction.masking import (
    MAX_DEPTH,
    find_masks,
    has_mask,
    redact,
    redact_field,
    redact_note,
    redact_quotes,
    replace_unstorable,
    unmask,
)

CANARY = "c4n4ry"
MASK = r"masked-[0-9a-f]{6}"


def assert_masked(value, expected):
    """Check the redacted URL against `expected`, in which an * stands for a mask."""
    redacted = redact_field("integration_url", value)
    pattern = re.escape(expected).replace(r"\*", MASK)
    assert re.fullmatch(pattern, redacted, re.DOTALL), redacted
    assert CANARY not in redacted
    assert redact_field("integration_url", redacted) == redacted
    assert unmask(redacted, value) == value


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://c4n4ry@h.example/in", "https://*@h.example/in"),
        ("https://user:c4n4ry@h.example", "https://*@h.example"),
        ("https://user:c4n4ry@h.example:8443/in?lang=en#c", "https://*@h.example:8443/in?lang=*"),
        ("https://:c4n4ry@h.example/", "https://*@h.example/"),
        ("https://user:@h.example/c", "https://*@h.example/c"),
        ("https://a@b:c4n4ry@h.example/", "https://*@h.example/"),
        ("https://u:c4n4ry@[::1]:80/", "https://*@[::1]:80/"),
        ("HTTPS://u:c4n4ry@H.EXAMPLE/", "HTTPS://*@H.EXAMPLE/"),
        ("git+ssh://u:c4n4ry@h.example/", "git+ssh://*@h.example/"),
        ("https://u:c4n4ry@h.example/in/~me@home", "https://*@h.example/in/*"),
        ("https://flex bot:c4n4ry@h.example/in", "https://*@h.example/in"),
        ("//u:c4n4ry@h.example/in", "//*@h.example/in"),
        ("HTTPS:\\\\u:c4n4ry@h.example\\in", "HTTPS:\\\\*@h.example\\in"),
        ("https:u:c4n4ry@h.example/in", "https:*@h.example/in"),
        ("https:/u:c4n4ry@h.example/in", "https:/*@h.example/in"),
        ("u:c4n4ry@h.example/in", "*@h.example/in"),
        ("u:c4n4ry@localhost:8000", "*@localhost:8000"),
        ("https://ü:c4n4ry@bücher.example/in", "https://*@bücher.example/in"),
        # Malformed
        ("https://u:c4/c4n4ry@h.example/in", "https://*@h.example/in"),
        ("https://u:p?c4n4ry@h.example/in", "https://*@h.example/in"),
        ("https://u:p#c4n4ry@h.example/in", "https://*@h.example/in"),
        ("https://u:c4n4ry'\"<>c4n4ry@h.example/", "https://*@h.example/"),
        ("https://user:c4n4ry", "https://*"),
        ("https://user:c4n4ry/in?team=a", "https://*/in?team=a"),
        ("https://u:80c4n4ry", "https://*"),
    ],
)
def test_user_info_is_masked(url, expected):
    assert_masked(url, expected)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://h.example/?token=c4n4ry", "https://h.example/?token=*"),
        ("https://h.example/?team=care&token=c4n4ry&lang=en-GB", "https://h.example/?team=care&token=*&lang=en-GB"),
        ("https://h.example/?label=Sales desk&token=c4n4ry", "https://h.example/?label=Sales desk&token=*"),
        ("https://h.example/?a=1;token=c4n4ry", "https://h.example/?a=*"),
        ("https://h.example/?token=c4n4ry;c4n4ry", "https://h.example/?token=*"),
        ("https://h.example/?token=c4n4ry#c4n4ry", "https://h.example/?token=*"),
        ("https://h.example/?token=c4n4ry==&env=prod", "https://h.example/?token=*&env=prod"),
        ("https://h.example/?token=c4n4ry/c4n4ry?c4n4ry", "https://h.example/?token=*"),
        ("https://h.example/?token='c4n4ry'\"c4n4ry<c4n4ry>", "https://h.example/?token=*"),
        ("https://h.example/?token=c4n4ry&token=c4n4ry", "https://h.example/?token=*&token=*"),
        ("https://h.example/?to%6Ben=c4n4ry", "https://h.example/?*"),
        ("https://h.example/?api%5Bkey%5D=c4n4ry", "https://h.example/?api%5Bkey%5D=*"),
        ("https://u:c4n4ry@h.example/?key=c4n4ry", "https://*@h.example/?key=*"),
        ("h.example/in?key=c4n4ry", "h.example/in?key=*"),
        ("/in?key=c4n4ry", "/in?key=*"),
        ("  https://h.example/?key=c4n4ry\n", "  https://h.example/?key=*"),
        # A value stays only if it is plain and its name is a harmless one.
        ("https://h.example/?team=c4n4ry", "https://h.example/?team=*"),
        ("https://h.example/?anything=c4n4ry", "https://h.example/?anything=*"),
        ("https://h.example/?c4n4ry", "https://h.example/?*"),
        ("https://h.example/?c4n4ry=1", "https://h.example/?*"),
        ("https://h.example/?team=care&amp;token=c4n4ry", "https://h.example/?team=care&*"),
        ('https://h.example/?data={"token":"c4n4ry"}', "https://h.example/?data=*"),
        ("https://h.example/?label=%7B%22token%22%3A%22c4n4ry%22%7D", "https://h.example/?label=*"),
        # Fragments, parameters of a path, and URLs within a URL.
        ("https://h.example/in#c4n4ry", "https://h.example/in#*"),
        ("https://h.example/#access_token=c4n4ry&a=1", "https://h.example/#access_token=*&a=*"),
        ("https://h.example/in;jsessionid=c4n4ry?team=care", "https://h.example/*"),
        ("https://h.example/?next=https://b.example/?key=c4n4ry", "https://h.example/?next=*"),
        ("https://a:c4n4ry@h.example/?next=https://b:c4n4ry@i.example/", "https://*@h.example/?next=*"),
        ("https://h.example/?next=https%3A%2F%2Fb%3Ac4n4ry%40i.example%2F&team=a", "https://h.example/?next=*&team=a"),
        ("https://h.example/?event=https%3A%2F%2Fb%3Ac4n4ry%40i.example%2F", "https://h.example/?event=*"),
        ("https://h.example/?n=https%3A%2F%2Fi%2F%3Fm%3Dhttps%253A%252F%252Fj%252F%253Fkey%253Dc4n4ry", "https://h.example/?n=*"),
    ],
)  # fmt: skip
def test_query_and_fragment_are_masked(url, expected):
    assert_masked(url, expected)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://hooks.slack.example/services/T0A/B0B/c4n4ry", "https://hooks.slack.example/services/*"),
        ("https://hooks.zapier.example/hooks/catch/1234567/c4n4ry/", "https://hooks.zapier.example/hooks/catch/*"),
        ("https://discord.example/api/webhooks/123456789012345678/c4n4ry_-X", "https://discord.example/api/webhooks/*"),
        ("https://acme.webhook.office.example/webhookb2/0af1-c4n4ry@0bf2/IncomingWebhook/c4n4ry/0c", "https://acme.webhook.office.example/*"),
        ("https://h.example/flex/c4n4ry/in", "https://h.example/flex/*"),
        ("https://h.example/token/opensesame", "https://h.example/token/*"),
        ("https://h.example/in/API_KEY/opensesame", "https://h.example/in/API_KEY/*"),
        ("https://h.example/correct-horse-battery-staple", "https://h.example/*"),
        ("https://h.example/deadbeef", "https://h.example/*"),
        ("https://h.example/in%2Fc4n4ry", "https://h.example/*"),
        ("https://h.example\\in\\c4n4ry", "https://h.example\\in\\*"),
        ("https://h.example/a b/c4n4ry", "https://h.example/a b/*"),
        ("https://h.example/SK0123456789abcdef0123456789abcdef", "https://h.example/*"),
        ("c4n4ry", "*"),
        ("data:c4n4ry", "*"),
        ("javascript:c4n4ry", "*"),
        ("https://h.exa mple/in", "https://*/in"),
    ],
)  # fmt: skip
def test_path_is_masked(url, expected):
    assert_masked(url, expected)


@pytest.mark.parametrize(
    "url",
    [
        "https://h.example", "https://h.example:8080/", "http://127.0.0.1:8000/in", "https://[::1]:8443/in", "https://[2001:db8::1]/",
        "https://hooks.example.com/twilio/incoming", "https://chat.care.example/v2/inbound", "https://h.example/api/conversations/new",
        "https://h.example/flex/messages.php", "https://h.example/customer-care/IncomingWebhook", "https://bücher.example/pfad",
        "https://h.example/2010-04-01/sms", "https://h.example/Réclamations", "https://h.example/in?team=care&lang=en-GB&env=prod",
        "https://h.example/in?region=us1&retries=3&debug=true&label=", "https://@h.example/", "https://h.example/in#top",
        "https://webhooks.twilio.com/v1/Accounts/AC0123456789abcdef0123456789abcdef/Flows/FW0123456789abcdef0123456789abcdef",
        "", " ", "?", "/", "https://",
    ],
)  # fmt: skip
def test_harmless_webhook_is_unchanged(url):
    assert redact_field("integration_url", url) == url
    assert not has_mask(url)


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


def test_quoted_value_is_masked_completely():
    url = "https://h.example/my hook/c4n4ry"

    redacted = redact_quotes(
        f"Invalid parameter Integration.Url: {url} is no address", {"integration_url": url}, None
    )

    assert CANARY not in redacted
    assert redacted.endswith(" is no address")


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


# Values that earlier versions masked


def mask_with_first_rules(text):
    return first_rules.mask_text(text, Masker())


URLS = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["https://", "http://", "//", "HTTPS:\\\\", "", "https:", " https://"]),
    st.sampled_from(["", "u:p4ss@", "u@", "a b:c@", "u:p/w@", "u:", "@"]),
    st.sampled_from(["h.example", "h.example:8443", "localhost", "h", "[::1]", ""]),
    st.lists(
        st.sampled_from(
            ["/", "?", "&", ";", "#", "in", "T0A", "token=", "team=", "care", "x9=", "%3Fkey%3Dq1", "=", " ", "https://v:w@i.example/", "\\", "masked-0a1b2c"]
        ),
        max_size=9,
    ).map("".join),
)  # fmt: skip


@given(URLS)
def test_value_masked_by_the_first_rules_is_redacted_to_the_same_value(url):
    for mask in (redact, redact_note, lambda text: redact_field("integration_url", text)):
        redacted = mask(url)

        assert mask(mask_with_first_rules(url)) == redacted
        assert mask(redacted) == redacted
        assert mask_with_first_rules(redacted) == redacted


@given(URLS)
def test_unmask_restores_every_url(url):
    for masked in (redact(url), redact_field("integration_url", url), mask_with_first_rules(url)):
        if not find_masks(url):
            assert unmask(masked, url) == url


@given(st.text(max_size=60))
def test_redacting_again_changes_nothing(text):
    for mask in (redact, redact_note, lambda text: redact_field("integration_url", text)):
        assert mask(mask(text)) == mask(text)
    for flow in ({text: text}, {"sid": text, text: text}):
        assert redact(redact(flow)) == redact(flow)


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
    ],
)
def test_mask_is_recognised(value):
    assert has_mask(value)


@pytest.mark.parametrize(
    "value",
    [None, 7, "", "masked-", "masked-0a1b2", "masked-0a1b2cd", "masked-0A1B2C", ["masked-0a1b2c"]],
)
def test_other_value_is_not_a_mask(value):
    assert not has_mask(value)


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
    ],
)
def test_long_text_is_masked_in_linear_time(unit):
    """Decoding the rest of a text for each of its parts would take too long."""
    for text in ("https://" + unit * 20_000, "in a sentence " + unit * 20_000):
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
