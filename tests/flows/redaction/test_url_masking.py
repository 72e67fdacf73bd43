"""Redaction of webhook URLs: user info, path, query and fragment."""

import re

import pytest

from flows.redaction.masking import (
    has_mask,
    redact_field,
    unmask,
)
from tests.flows.redaction.canary import CANARY, MASK


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
