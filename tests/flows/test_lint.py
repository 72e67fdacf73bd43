"""What looks wrong about a flow: each rule with flows that break it and flows that don't."""

import pytest

from flows import words
from flows.flexapi import schema
from flows.lint import warnings
from tests.data import EXAMPLES, FACTS, INTEGRATION_TYPES, required_by, taken_by

UNTYPED = "No integration type is set, so messages may go nowhere."
IDENTITIES = {"sms": "+14155550123", "whatsapp": "whatsapp:+14155550123", "facebook": "messenger:1234567"}


def flow(kind="studio", channel="sms", **fields):
    """A flow that nothing is wrong with."""
    values = {name: EXAMPLES[name] for name in taken_by(kind)}
    identity = IDENTITIES.get(channel)
    return values | {"integration_type": kind, "channel_type": channel, "contact_identity": identity} | fields


@pytest.mark.parametrize("kind", INTEGRATION_TYPES)
@pytest.mark.parametrize("channel", FACTS["channel_types"])
def test_nothing_is_wrong_with_a_whole_flow(kind, channel):
    assert warnings(flow(kind, channel)) == []


@pytest.mark.parametrize("kind", INTEGRATION_TYPES)
@pytest.mark.parametrize("empty", [None, ""])
def test_each_field_that_the_type_needs_is_missed(kind, empty):
    for name in required_by(kind):
        assert warnings(flow(kind, **{name: empty})) == [
            f"{schema.BY_NAME[name].label} is missing. Messages can't be handled without it."
        ]


@pytest.mark.parametrize("kind", INTEGRATION_TYPES)
def test_everything_missing_is_said_at_once_the_gravest_first(kind):
    bare = {"integration_type": kind, "channel_type": "sms"}

    found = warnings(bare)

    assert len(found) == len(required_by(kind)) + 1
    assert all("is missing" in warning for warning in found[:-1])
    assert found[-1].startswith("No contact identity is set")


@pytest.mark.parametrize("kind", INTEGRATION_TYPES)
def test_what_another_type_needs_is_not_missed(kind):
    foreign = {name: None for name in EXAMPLES if name not in taken_by(kind)}

    assert warnings(flow(kind) | foreign) == []


@pytest.mark.parametrize("unset", [None, ""])
def test_no_integration_type(unset):
    bare = flow("external", integration_type=unset)

    assert warnings(bare | {"integration_url": None}) == [UNTYPED]
    assert warnings(bare) == [f"{UNTYPED} Twilio's default is Studio, so the webhook may not be called."]


@pytest.mark.parametrize("unset", [None, ""])
def test_no_integration_type_where_twilios_default_has_its_flow(unset):
    assert warnings(flow("studio", integration_type=unset)) == [
        "No integration type is set. Twilio uses Studio by default."
    ]


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("enabled", "maybe", "maybe"),
        ("integration_retry_count", [3], "[3]"),
        ("integration_type", {"a": 1}, '{"a": 1}'),
    ],
)
def test_value_that_cannot_be_read(name, value, shown):
    found = warnings(flow("studio") | {name: value})

    assert found[0] == f"{schema.BY_NAME[name].label} has an unexpected value: “{shown}”."


@pytest.mark.parametrize("name", ["friendly_name", "contact_identity"])
def test_characters_that_nobody_sees_are_named(name):
    found = warnings(flow("studio", "web") | {name: "a\u200bb\ufeff"})

    assert found == [f"{schema.BY_NAME[name].label} contains invisible characters: U+200B, U+FEFF."]


def test_fragment_of_a_webhook():
    assert warnings(flow("external", integration_url="https://h.example/in#top")) == [
        "The part of the webhook URL after # is never sent."
    ]


@pytest.mark.parametrize(
    "snapshot", [flow(integration_type="bot"), flow(channel_type="telepathy", contact_identity=None)]
)
def test_what_nobody_knows_yet_is_not_judged(snapshot):
    assert warnings(snapshot) == []


def test_an_empty_snapshot():
    assert len(warnings({})) == 1


@pytest.mark.parametrize("odd", [["sms"], {"sms": 1}, 7, True])
def test_values_of_another_shape_are_no_crash(odd):
    for name in ("channel_type", "integration_type", "contact_identity", "integration_url"):
        assert isinstance(warnings(flow("external") | {name: odd}), list)


@pytest.mark.parametrize("channel", IDENTITIES)
@pytest.mark.parametrize("unset", [None, ""])
def test_no_contact_identity_where_the_channel_needs_one(channel, unset):
    (found,) = warnings(flow(channel=channel, contact_identity=unset))

    assert found.startswith(f"No contact identity is set. {words.ENUMS[channel]} needs ")


@pytest.mark.parametrize("channel", ["web", "line", "custom"])
@pytest.mark.parametrize("identity", [None, "", "instagram", "+14155550123", "whatever it is"])
def test_channels_that_have_no_format(channel, identity):
    assert warnings(flow(channel=channel, contact_identity=identity)) == []


@pytest.mark.parametrize(
    ("channel", "identity"),
    [
        ("sms", "+14155550123"), ("sms", "+3531234567"), ("sms", "+" + "1" * 15), ("sms", "12345"), ("sms", "89890"), ("sms", "ACME Corp"),
        ("whatsapp", "whatsapp:+14155550123"), ("facebook", "messenger:110255501234567"), ("facebook", "messenger:page.name"),
    ],
)  # fmt: skip
def test_identities_in_use(channel, identity):
    assert warnings(flow(channel=channel, contact_identity=identity)) == []


@pytest.mark.parametrize(
    ("channel", "identity"),
    [
        ("sms", "whatsapp:+14155550123"), ("sms", "+1 415 555 0123"), ("sms", "+0415555012"), ("sms", "+" + "1" * 16), ("sms", "ab"),
        ("sms", "twelve chars"), ("sms", "+14155550123\n"), ("sms", "+1٤١٥٥٥٥٠١٢٣"), ("sms", "messenger:1"),
        ("whatsapp", "+14155550123"), ("whatsapp", "whatsapp:14155550123"), ("whatsapp", "WhatsApp:+14155550123"), ("whatsapp", "whatsapp:+1"),
        ("whatsapp", "whatsapp:+1٤١٥٥٥٥٠١٢٣"), ("facebook", "1234567"), ("facebook", "messenger:"), ("facebook", "messenger: 1"),
    ],
    ids=ascii,
)  # fmt: skip
def test_identities_of_another_format(channel, identity):
    (found,) = warnings(flow(channel=channel, contact_identity=identity))

    assert found.startswith(f"The contact identity doesn't look like {words.ENUMS[channel]}. Expected ")


@pytest.mark.parametrize("url", ["http://h.example/", "HTTP://h.example/", "http:h.example"])
def test_a_webhook_that_is_not_encrypted(url):
    assert warnings(flow("external", integration_url=url)) == [
        "The webhook is not encrypted. Use https:// instead of http://."
    ]


def test_an_address_left_over_from_another_type_is_not_judged():
    assert warnings(flow("studio", integration_url="http://h.example/")) == []


@pytest.mark.parametrize("url", ["https://h.example/?next=http://a", "https:h.example", "httpx:"])
def test_other_addresses_are_not_judged(url):
    assert warnings(flow("external", integration_url=url)) == []
