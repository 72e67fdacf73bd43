"""The resource of address configurations: its variants, its nested object and its key."""

import logging
from contextlib import nullcontext

import pytest

from flows.twilio.client import ResourceClient
from flows.twilio.conversations.address_configuration import ADDRESS_CONFIGURATION
from flows.twilio.errors import OutcomeUnknown, RequestRefused
from flows.twilio.labels import display_value
from flows.twilio.responses import ApiResponse, extract_object_with_key
from flows.twilio.sandbox.server import Sandbox

NUMBER = "+14155550177"
STUDIO_SID = "FW" + "1" * 32
BODY = {
    "sid": "IG" + "1" * 32,
    "type": "whAtsAPP",
    "address": f"whatsapp:{NUMBER}",
    "auto_creation": {
        "enabled": True,
        "type": "webhook",
        "webhook_method": "POST",
        "webhook_filters": ["onMessageAdded", "onConversationRemoved"],
        "unknown_of_tomorrow": 7,
    },
}


@pytest.fixture
def sandbox():
    with Sandbox(flows=60) as started_sandbox:
        yield started_sandbox


@pytest.fixture
def client(sandbox):
    client = ResourceClient(
        ADDRESS_CONFIGURATION,
        base_url=ADDRESS_CONFIGURATION.base_url(sandbox.api_url),
        account_sid=sandbox.account_sid,
        auth=(sandbox.api_key, sandbox.api_secret),
        rate_limits=False,
        sleep=lambda _seconds: None,
    )
    yield client
    client.close()


def clean(current=None, **values):
    return ADDRESS_CONFIGURATION.clean(values, current=current)


def test_nested_object_is_flat_and_back():
    snapshot = ADDRESS_CONFIGURATION.decode(BODY)

    assert snapshot["auto_creation_enabled"] is True
    assert snapshot["auto_creation_unknown_of_tomorrow"] == 7
    assert ADDRESS_CONFIGURATION.encode(snapshot) == BODY


@pytest.mark.parametrize("nested", [None, {}, "text", ["list"]])
def test_configuration_without_a_readable_nested_object_has_no_variant(nested):
    snapshot = ADDRESS_CONFIGURATION.decode({**BODY, "auto_creation": nested})

    assert ADDRESS_CONFIGURATION.variant_of(snapshot) == ""


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("type", "whAtsAPP", "whatsapp"),
        ("auto_creation_webhook_method", "POST", "post"),
        ("auto_creation_type", "Studio", "studio"),
        ("auto_creation_webhook_filters", ["onMessageAdded", "x"], ["x", "onMessageAdded"]),
        ("auto_creation_webhook_filters", "onmessageadded", ["onMessageAdded"]),
        ("auto_creation_webhook_filters", [], None),
    ],
)
def test_case_and_order_make_no_difference(name, first, second):
    assert ADDRESS_CONFIGURATION.is_same_value(name, first, second)


def test_filters_are_different_if_one_is_missing():
    name = "auto_creation_webhook_filters"

    assert not ADDRESS_CONFIGURATION.is_same_value(name, ["onMessageAdded"], ["onMessageRemoved"])


@pytest.mark.parametrize(
    ("variant", "missing"),
    [
        ("", set()),
        ("default", set()),
        ("studio", {"auto_creation_studio_flow_sid"}),
        ("webhook", {"auto_creation_webhook_url", "auto_creation_webhook_filters"}),
    ],
)
def test_each_type_requires_its_fields(variant, missing):
    cleaned = clean(type="sms", address=NUMBER, auto_creation_type=variant)

    assert cleaned.errors.keys() == missing


def test_type_in_other_letters_keeps_its_fields():
    current = {"auto_creation_type": "Studio", "auto_creation_studio_flow_sid": STUDIO_SID}

    cleaned = clean(current, auto_creation_type="studio", friendly_name="Orders")

    assert cleaned.errors == {}
    assert cleaned.unchanged == current.keys()
    assert cleaned.values["auto_creation_studio_flow_sid"] == STUDIO_SID


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("auto_creation_webhook_filters", "onMessageAdded\nonNothing", "“onNothing” is not one of"),
        ("auto_creation_webhook_url", "ftp://x", "Webhook URL"),
        ("auto_creation_webhook_method", "put", "one of the choices"),
    ],
)
def test_values_of_the_webhook_are_validated(name, value, part):
    assert part in clean(auto_creation_type="webhook", **{name: value}).errors[name]


@pytest.mark.parametrize(("count", "is_valid"), [("0", True), ("3", True), ("4", False)])
def test_retry_count_is_0_to_3(count, is_valid):
    cleaned = clean(auto_creation_type="studio", auto_creation_studio_retry_count=count)

    assert ("auto_creation_studio_retry_count" not in cleaned.errors) is is_valid


def test_filters_are_sent_as_a_repeated_parameter_and_shown_by_their_labels():
    name = "auto_creation_webhook_filters"
    filters = ["onMessageAdded", "onDeliveryUpdated"]

    parameters = ADDRESS_CONFIGURATION.to_parameters({name: filters})

    assert parameters == {"AutoCreation.WebhookFilters": filters}
    shown = display_value(ADDRESS_CONFIGURATION, name, [*filters, "onTomorrow"])
    assert shown == "Message added, Delivery changed, onTomorrow"


def test_nouns_can_be_read():
    assert ADDRESS_CONFIGURATION.noun_with_article == "an address configuration"
    assert ADDRESS_CONFIGURATION.slug == "addresses"


def test_object_is_fetched_by_its_address_and_the_log_does_not_have_it(client, caplog):
    made = client.create({"type": "sms", "address": NUMBER}).snapshot

    with caplog.at_level(logging.INFO):
        found = client.fetch_by_key(NUMBER)

    assert found == made
    assert "/Configuration/Addresses/{address} 200" in caplog.text
    assert "4155550177" not in caplog.text


def test_missing_address_is_refused_as_not_found(client):
    with pytest.raises(RequestRefused) as excinfo:
        client.fetch_by_key(NUMBER)

    assert excinfo.value.is_not_found


@pytest.mark.parametrize(
    ("requested", "answered", "is_accepted"),
    [
        ("ana@example.com", "Ana@example.com", True),
        (NUMBER, "+14155550111", False),
        (NUMBER, None, False),
    ],
)
def test_answer_has_to_be_about_the_requested_address(requested, answered, is_accepted):
    response = ApiResponse({"sid": "IG" + "2" * 32, "address": answered}, 200, "RQ1")

    with nullcontext() if is_accepted else pytest.raises(OutcomeUnknown):
        extract_object_with_key(ADDRESS_CONFIGURATION, response, requested)


def test_key_of_another_resource_is_a_mistake_of_the_caller(client):
    with pytest.raises(ValueError, match="Addresses"):
        client.fetch_by_key("")


def test_largest_page_is_50(client, sandbox):
    client.list_page(page_size=1000)
    list(client.list())

    assert [one.parameters["PageSize"] for one in sandbox.requests] == ["50", "50"]
