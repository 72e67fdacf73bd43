"""Secrets in web addresses: what is masked, what is left, and that a mask says only that a secret changed."""

import re

import pytest

from flows.masking import has_mask, masked, storable, unmasked

CANARY = "c4n4ry"
MASK = r"masked-[0-9a-f]{6}"


def assert_masked(value, expected):
    """`expected` has an * wherever a mask has to stand; what else it says is still there."""
    found = masked(value)
    pattern = re.escape(expected).replace(r"\*", MASK)
    assert re.fullmatch(pattern, found, re.DOTALL), found
    assert CANARY not in found
    assert masked(found) == found


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://c4n4ry@h.example/in", "https://*@h.example/in"),
        ("https://user:c4n4ry@h.example", "https://*@h.example"),
        ("https://user:c4n4ry@h.example:8443/in?a=b#c", "https://*@h.example:8443/in?a=b#c"),
        ("https://:c4n4ry@h.example/", "https://*@h.example/"),
        ("https://user:@h.example/c", "https://*@h.example/c"),
        ("https://a@b:c4n4ry@h.example/", "https://*@h.example/"),
        ("https://u:c4n4ry@[::1]:80/", "https://*@[::1]:80/"),
        ("HTTPS://u:c4n4ry@H.EXAMPLE/", "HTTPS://*@H.EXAMPLE/"),
        ("git+ssh://u:c4n4ry@h.example/", "git+ssh://*@h.example/"),
        ("https://u:c4n4ry@h.example/~me@home", "https://*@h.example/~me@home"),
        # Not as it should be written
        ("https://u:c4/c4n4ry@h.example/in", "https://*@h.example/in"),
        ("https://u:p?c4n4ry@h.example/in", "https://*@h.example/in"),
        ("https://u:p#c4n4ry@h.example/in", "https://*@h.example/in"),
        ("https://u:c4n4ry'\"<>c4n4ry@h.example/", "https://*@h.example/"),
        ("https://user:c4n4ry", "https://*"),
        ("https://user:c4n4ry/in?a=b", "https://*/in?a=b"),
        ("https://u:80c4n4ry", "https://*"),
    ],
)
def test_user_info(address, expected):
    assert_masked(address, expected)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://h.example/?token=c4n4ry", "https://h.example/?token=*"),
        ("https://h.example/?a=1&token=c4n4ry&b=2", "https://h.example/?a=1&token=*&b=2"),
        ("https://h.example/?a=1;token=c4n4ry", "https://h.example/?a=1;token=*"),
        ("https://h.example/?token=c4n4ry;c4n4ry", "https://h.example/?token=*"),
        ("https://h.example/?token=c4n4ry#c4n4ry", "https://h.example/?token=*"),
        ("https://h.example/?token=c4n4ry==&a=1", "https://h.example/?token=*&a=1"),
        ("https://h.example/?token=c4n4ry/c4n4ry?c4n4ry", "https://h.example/?token=*"),
        ("https://h.example/?token='c4n4ry'\"c4n4ry<c4n4ry>", "https://h.example/?token=*"),
        ("https://h.example/?token=c4n4ry&token=c4n4ry", "https://h.example/?token=*&token=*"),
        ("https://h.example/#access_token=c4n4ry&a=1", "https://h.example/#access_token=*&a=1"),
        ("https://h.example/#/in?token=c4n4ry", "https://h.example/#/in?token=*"),
        ("https://h.example/in;jsessionid=c4n4ry?a=1", "https://h.example/in;jsessionid=*"),
        ("https://h.example/token=c4n4ry/in", "https://h.example/token=*"),
        ("https://h.example/?to%6Ben=c4n4ry", "https://h.example/?to%6Ben=*"),
        ("https://h.example/?api%5Bkey%5D=c4n4ry", "https://h.example/?api%5Bkey%5D=*"),
        ("https://h.example/?=1&auth=c4n4ry", "https://h.example/?=1&auth=*"),
        ("https://u:c4n4ry@h.example/?key=c4n4ry", "https://*@h.example/?key=*"),
        ("h.example/in?key=c4n4ry", "h.example/in?key=*"),
        ("/in?key=c4n4ry", "/in?key=*"),
        ("  https://h.example/?key=c4n4ry\n", "  https://h.example/?key=*"),
        # An address within an address
        ("https://h.example/?next=https://b.example/?key=c4n4ry", "https://h.example/?next=https://b.example/?key=*"),
        ("https://a:c4n4ry@h.example/?next=https://b:c4n4ry@i.example/", "https://*@h.example/?next=https://*@i.example/"),
        ("https://h.example/?next=https%3A%2F%2Fb%3Ac4n4ry%40i.example%2F&a=1", "https://h.example/?next=*&a=1"),
        ("https://h.example/?next=https%3A%2F%2Fi.example%2F%3Fkey%3Dc4n4ry", "https://h.example/?next=*"),
        ("https://h.example/?n=https%3A%2F%2Fi%2F%3Fm%3Dhttps%253A%252F%252Fj%252F%253Fkey%253Dc4n4ry", "https://h.example/?n=*"),
        ("https://h.example/?next=/in%3Fkey%3Dc4n4ry", "https://h.example/?next=*"),
        ("https://h.example/?state=key%3Dc4n4ry&a=1", "https://h.example/?state=*&a=1"),
        ("https://h.example/?n=%25252525252525c4n4ry", "https://h.example/?n=*"),
    ],
)  # fmt: skip
def test_query_and_fragment(address, expected):
    assert_masked(address, expected)


@pytest.mark.parametrize(
    "name",
    [
        "token", "TOKEN", "access_token", "accessToken", "x-token", "token[]", "token2", "t.token", "tokens",
        "key", "apikey", "api_key", "apiKey", "APIKey", "X-Api-Key", "subscription-key", "sharedKey", "keys", "key1",
        "sig", "signature", "X-Amz-Signature", "sign", "hub.sig", "auth", "oauth", "authorization", "Authorization", "auth_id",
        "pass", "password", "passwd", "passphrase", "userpass", "pwd", "pw", "secret", "client_secret", "clientSecret",
        "X-Amz-Credential", "credentials", "code", "auth_code", "activationcode", "promo_code", "session", "sessionid",
        "PHPSESSID", "jwt", "bearer", "sas", "my_sas", "pin", "otp", "hmac", "psk", "cookie", "csrf",
        # Names of something harmless that are not it
        "author_token", "keyboard_key", "design_sig", "authorkey", "zip_code_token", "postcodekey", "toKen", "monkeytoken",
    ],
)  # fmt: skip
def test_names_of_secrets(name):
    assert_masked(f"https://h.example/?{name}=c4n4ry", f"https://h.example/?{name}=*")


@pytest.mark.parametrize(
    "name",
    [
        "keyboard", "keyword", "keywords", "keyboardLayout", "monkey", "turkey", "author", "authors", "authorId", "author_name",
        "authority", "zipcode", "zip_code", "zip-code", "zipCode", "postalCode", "postcode", "countryCode", "country_code", "langcode",
        "languageCode", "areacode", "statusCode", "error_code", "currencyCode", "colorcode", "design", "designer", "signal",
        "assignee", "assignment", "insight", "insights", "passage", "passenger", "compass", "bypass", "encoded", "decode",
        "unicode", "codec", "barcode", "qrcode", "lang", "queue", "department", "campaign", "spin", "shipping", "lotp", "sass",
        "format", "q", "", "utm_source",
    ],
)  # fmt: skip
def test_names_of_what_is_no_secret(name):
    address = f"https://h.example/in?{name}=open&a=1#{name}=open"

    assert masked(address) == address


@pytest.mark.parametrize(
    "value",
    [
        "https://h.example", "https://h.example:8080", "https://h.example:8080/", "https://h.example:8080/~a@b?c=d",
        "https://h.example/@me/x", "https://h.example/?mail=a@b.example", "https://[::1]:8080/@a", "https://[2001:db8::1]:8080/@a", "https://h.example:/",
        "http://127.0.0.1:8000/in?a=b&c=&d#e", "https://@h.example/", "https://h.example/?token=", "https://h.example/?token",
        "https://h.example/?token=&a=b", "https://h.example/a%20b?q=%3Cb%3E", "https://h.example/?next=https%3A%2F%2Fi.example%2F",
        "https://h.example/&&?&&=&", "whatsapp:+14155550123", "messenger:1234", "sip:alice@h.example", "a@b.example", "key=value",
        "Why? because", "Is it on?", "", " ", "://", "??", "a://", "token=abc", "Réclamations – Lyon",
    ],
)  # fmt: skip
def test_what_has_no_secret_is_left_as_it_is(value):
    assert masked(value) == value
    assert not has_mask(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "was https://u:c4n4ry@a.example/, is https://v:c4n4ry@b.example/.",
            "was https://*@a.example/, is https://*@b.example/.",
        ),
        ("'https://h.example/?key=c4n4ry' is not valid", "'https://h.example/?key=*' is not valid"),
        ('{"url": "https://h.example/?key=c4n4ry", "a": 1}', '{"url": "https://h.example/?key=*", "a": 1}'),
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
def test_addresses_in_a_sentence(text, expected):
    assert_masked(text, expected)


def test_json_is_masked_all_the_way_down():
    value = {
        "integration_url": "https://u:c4n4ry@h.example/",
        "list": ["https://h.example/?key=c4n4ry", {"deep": [["https://h.example/?sig=c4n4ry"]]}],
        "number": 7, "float": 0.5, "yes": True, "none": None, "text": "as it is",
    }  # fmt: skip

    found = masked(value)

    assert CANARY not in str(found)
    assert str(found).count("masked-") == 3
    assert {name: found[name] for name in ("number", "float", "yes", "none", "text")} == {
        name: value[name] for name in ("number", "float", "yes", "none", "text")
    }
    assert found["yes"] is True
    assert masked(found) == found
    assert "c4n4ry" in value["integration_url"]  # the original is not touched


def mask_of(address):
    return re.search(MASK, masked(address)).group()


def test_a_mask_changes_with_the_secret_and_not_with_its_place():
    one = [
        mask_of(address)
        for address in (
            "https://abc@h.example/",
            "http://abc@other.example:80/x?y=z",
            "https://h.example/?token=abc",
            "https://h.example/?a=b&apikey=abc&c=d",
            "before https://h.example/?token=abc after",
        )
    ]

    assert len(set(one)) == 1
    assert mask_of("https://h.example/?token=abd") not in one
    assert mask_of("https://h.example/?token=Abc") not in one


def test_a_mask_needs_the_sites_key(settings):
    before = mask_of("https://h.example/?token=abc")
    settings.AUDIT_KEY = "another key altogether, of 32 characters"

    assert mask_of("https://h.example/?token=abc") != before


def test_a_mask_is_as_good_as_any_other():
    assert mask_of("https://h.example/?token=masked-0a1b2c") == "masked-0a1b2c"
    assert mask_of("https://h.example/?token=masked-0a1b2cd") != "masked-0a1b2c"
    assert mask_of("https://h.example/?token=xmasked-0a1b2c") != "masked-0a1b2c"


@pytest.mark.parametrize(
    "value",
    ["masked-0a1b2c", "https://masked-0a1b2c@h.example/", "https://h.example/?token=masked-0a1b2c&a=1"],
)
def test_a_mask_is_recognised(value):
    assert has_mask(value)


@pytest.mark.parametrize(
    "value", [None, 7, "", "masked-", "masked-0a1b2", "masked-0a1b2cd", "masked-0A1B2C", ["masked-0a1b2c"]]
)
def test_what_is_no_mask(value):
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
    ],
)
def test_a_long_text_is_masked_in_one_pass(unit):
    """Decoding what is left again for each of its parts would not come back from this."""
    for text in ("https://" + unit * 20_000, "in a sentence " + unit * 20_000):
        assert isinstance(masked(text), str)


# What databases hold


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("a\x00b", "a\u2400b"), ("half\ud83d", "half\ufffd"), ("\ude00half", "\ufffdhalf"), ("whole 😀", "whole 😀"),
        ("\ud83d\ude00", "😀"), (1.0, 1), (1.5, 1.5), (float("nan"), "nan"), (float("-inf"), "-inf"), (True, True), (None, None), (7, 7),
        (["\x00", ("\x00",)], ["\u2400", ["\u2400"]]), ({"\x00": {"a": "\x00"}}, {"\u2400": {"a": "\u2400"}}),
    ],
    ids=ascii,
)  # fmt: skip
def test_what_a_database_cannot_hold_is_replaced(value, kept):
    assert storable(value) == kept
    assert type(storable(value)) is type(kept)
    assert storable(storable(value)) == kept


@pytest.mark.parametrize("address", [
    "https://user:s3cret@hooks.example.com/in?token=abc&team=care",
    "https://hooks.example.com/in?key=a&key=b&x=1&sig=c",
    "https://hooks.example.com/?next=https%3A%2F%2Fa%3Ab%40c.example%2F%3Ftoken%3Dx",
])  # fmt: skip
def test_unmasked_brings_back_what_was_masked(address):
    assert masked(address) != address

    assert unmasked(masked(address), address) == address


def test_unmasked_keeps_what_is_new_beside_the_secret():
    shown = masked("https://old.example.com/in?token=abc").replace("old.", "new.")

    assert unmasked(shown, "https://old.example.com/in?token=abc") == "https://new.example.com/in?token=abc"


@pytest.mark.parametrize("origin", ["https://old.example.com/in?token=other", "", None, "plain"])
def test_mask_of_another_secret_stays(origin):
    shown = masked("https://old.example.com/in?token=abc")

    assert unmasked(shown, origin) == shown
    assert has_mask(unmasked(shown, origin))
