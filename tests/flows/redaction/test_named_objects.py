"""Redaction of the objects that are read for their names."""

import pytest

from flows.redaction.redacted import redact_fields, redact_snapshot
from flows.twilio.named_resources import NAMED_RESOURCES
from flows.twilio.registry import KNOWN_FIELDS, MIRRORED_FIELDS, is_object_url

every_resource = pytest.mark.parametrize("resource", NAMED_RESOURCES, ids=lambda one: one.name)


EXAMPLES = {
    "account_sid": "AC" + "1a" * 16,
    "workspace_sid": "WS" + "1a" * 16,
    "friendly_name": "Support IVR: Lyon & München (v2)",
    "unique_name": "sms-priority-2024Q3x7",
    "status": "published",
    "revision": 17,
    "phone_number": "+14155550100",
    "sender_id": "whatsapp:+14155550100",
    "date_updated": "Wed, 25 Nov 2026 10:00:00 +0000",
}


@every_resource
def test_names_are_not_masked(resource):
    body = {"sid": resource.sid_prefix + "1a" * 16}
    body |= {name: EXAMPLES[name] for name in resource.by_name if name != "sid"}

    assert redact_fields(resource.decode(body)) == body


@every_resource
def test_fields_are_known(resource):
    assert resource.by_name.keys() <= KNOWN_FIELDS.keys()
    assert not [name for name in resource.by_name if name.endswith("url")]


@every_resource
def test_secret_in_a_name_is_masked(resource):
    name = resource.name_field
    redacted = redact_fields({"sid": "x", name: "Bot https://x:made-up-secret@bots.example/in"})

    assert "made-up-secret" not in redacted[name]


def test_address_like_that_of_a_named_object_is_masked_as_before():
    """A webhook can look so, and its masks are in recorded states."""
    assert not is_object_url("https://hooks.example.com/v1/Services/MG" + "1a" * 16)


@pytest.mark.parametrize("name", sorted(KNOWN_FIELDS.keys() - MIRRORED_FIELDS.keys()))
def test_name_of_a_field_hides_no_secret_within_an_object(name):
    secret = "9fQ2xLr7VbT0mKzP4wYc8JdN1sHgE6uA3iXoR5kZvBq"

    redacted = redact_snapshot({"attributes": {"vapid": {name: secret}}, "name": "Plain"})

    assert secret not in str(redacted)
    assert redacted["name"] == "Plain"
