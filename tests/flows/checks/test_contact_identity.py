"""Warnings about the contact identity, and the numbers that they suggest."""

import pytest

from flows.checks.contact_identity import to_identity
from flows.checks.flow_rules import find_warnings
from flows.twilio.flex.flex_flow import CHANNEL_TYPES
from tests.flows.checks.complete_flows import IDENTITIES, flow


@pytest.mark.parametrize("channel", IDENTITIES)
@pytest.mark.parametrize("unset", [None, ""])
def test_missing_identity_has_a_warning_if_the_channel_needs_one(channel, unset):
    (warning,) = find_warnings(flow(channel=channel, contact_identity=unset))

    assert warning.startswith(f"No contact identity is set. {CHANNEL_TYPES[channel]} needs ")


@pytest.mark.parametrize("channel", ["web", "line", "custom"])
@pytest.mark.parametrize("identity", [None, "", "instagram", "+14155550123", "whatever it is"])
def test_channel_without_a_format_accepts_any_identity(channel, identity):
    assert find_warnings(flow(channel=channel, contact_identity=identity)) == []


@pytest.mark.parametrize(
    ("channel", "identity"),
    [
        ("sms", "+14155550123"), ("sms", "+3531234567"), ("sms", "+447700900123"), ("sms", "12345"), ("sms", "89890"), ("sms", "ACME Corp"),
        ("whatsapp", "whatsapp:+5215512345678"),
        ("whatsapp", "whatsapp:+14155550123"), ("facebook", "messenger:110255501234567"), ("facebook", "messenger:page.name"),
    ],
)  # fmt: skip
def test_usual_identity_has_no_warning(channel, identity):
    assert find_warnings(flow(channel=channel, contact_identity=identity)) == []


@pytest.mark.parametrize(
    ("channel", "identity"),
    [
        ("sms", "whatsapp:+14155550123"), ("sms", "+1 415 555 0123"), ("sms", "+0415555012"), ("sms", "+" + "1" * 16), ("sms", "ab"),
        ("sms", "twelve chars"), ("sms", "4155550123"), ("sms", "14155550123"), ("sms", "+14155550123\n"), ("sms", "+1٤١٥٥٥٥٠١٢٣"), ("sms", "messenger:1"),
        ("whatsapp", "+14155550123"), ("whatsapp", "whatsapp:14155550123"), ("whatsapp", "WhatsApp:+14155550123"), ("whatsapp", "whatsapp:+1"),
        ("whatsapp", "whatsapp:+1٤١٥٥٥٥٠١٢٣"), ("facebook", "1234567"), ("facebook", "messenger:"), ("facebook", "messenger: 1"),
    ],
    ids=ascii,
)  # fmt: skip
def test_identity_in_another_format_has_a_warning(channel, identity):
    (warning,) = find_warnings(flow(channel=channel, contact_identity=identity))

    assert warning.startswith(
        f"The contact identity doesn't look like {CHANNEL_TYPES[channel]}. Expected "
    )


@pytest.mark.parametrize(
    "identity", ["+" + "1" * 15, "+3361234567", "+336123456789", "+9991234567", "+15550123"]
)
@pytest.mark.parametrize(("channel", "prefix"), [("sms", ""), ("whatsapp", "whatsapp:")])
def test_number_that_no_country_has_gets_a_warning(channel, prefix, identity):
    assert find_warnings(flow(channel=channel, contact_identity=prefix + identity)) == [
        "No country has this phone number. Check its country code and its number of digits."
    ]


SUGGESTIONS = [
    ("sms", "+33 6 12 34 56 78", "+33612345678"),
    ("sms", "0033612345678", "+33612345678"),
    ("sms", "tel:+33-6-12-34-56-78", "+33612345678"),
    ("sms", "+33 (0)6 12 34 56 78", "+33612345678"),
    ("sms", "+330612345678", "+33612345678"),
    ("sms", "+39 (0)6 698 12345", "+390669812345"),
    ("sms", "+1٤١٥٥٥٥٠١٢٣", "+14155550123"),
    ("sms", "\u202a+1\xa0415\xa0555\u20110123\u202c", "+14155550123"),
    ("whatsapp", "+14155550123", "whatsapp:+14155550123"),
    ("whatsapp", "WhatsApp: +1 (415) 555-0123", "whatsapp:+14155550123"),
]


@pytest.mark.parametrize(("channel", "identity", "suggestion"), SUGGESTIONS, ids=ascii)
def test_number_in_another_spelling_has_a_suggestion(channel, identity, suggestion):
    warnings = find_warnings(flow(channel=channel, contact_identity=identity))

    assert warnings[0].endswith(f" Did you mean {suggestion}?")
    assert find_warnings(flow(channel=channel, contact_identity=suggestion)) == []


@pytest.mark.parametrize(
    ("channel", "text"),
    [
        ("sms", "4155550123"), ("sms", "0612345678"), ("sms", "12345"), ("sms", "ACME Corp"), ("sms", "whatsapp:+14155550123"),
        ("sms", "call +14155550123"), ("sms", "+3361234567"), ("sms", ""), ("whatsapp", "messenger:+14155550123"),
        ("facebook", "messenger:110255501234567"), ("custom", "+1 415 555 0123"), ("telepathy", "+1 415 555 0123"),
    ],
)  # fmt: skip
def test_other_text_is_no_number(channel, text):
    assert to_identity(channel, text) == ""
