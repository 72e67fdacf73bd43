"""Twilio's own Python client makes every call of address configurations at the sandbox."""

import pytest
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from flows.twilio.conversations.address_configuration import ADDRESS_CONFIGURATION
from flows.twilio.messaging.whatsapp_sender import WHATSAPP_SENDER
from flows.twilio.sandbox.server import Sandbox

NUMBER = "+14155550177"
STUDIO_SID = "FW" + "1" * 32
SERVICE_SID = "IS" + "1" * 32


@pytest.fixture
def sandbox():
    with Sandbox(flows=120) as started_sandbox:
        yield started_sandbox


@pytest.fixture
def addresses(sandbox):
    http = TwilioHttpClient()
    client = Client(sandbox.api_key, sandbox.api_secret, sandbox.account_sid, http_client=http)
    client.conversations.base_url = sandbox.api_url.replace("{product}", "conversations")
    yield client.conversations.v1.address_configurations
    http.session.close()


def stored(sandbox):
    return sandbox.store_of(ADDRESS_CONFIGURATION).snapshot()


def error_of(call):
    with pytest.raises(TwilioRestException) as excinfo:
        call()
    return excinfo.value.status, excinfo.value.code


def test_list_of_several_pages_passes(sandbox, addresses):
    listed = addresses.list(page_size=3)

    assert [one.sid for one in listed] == list(stored(sandbox))
    assert len(sandbox.requests) == -(-len(listed) // 3) > 1


@pytest.mark.parametrize("value", ["whatsapp", "whAtsAPP"])
def test_list_of_one_type_keeps_to_it_over_pages(addresses, value):
    listed = addresses.list(type=value, page_size=2)

    assert len(listed) == 3
    assert {one.type for one in listed} == {"whatsapp"}


def test_page_larger_than_50_is_refused(addresses):
    with pytest.raises(TwilioException, match="PageSize must be 1 to 50"):
        addresses.list(page_size=51)


def test_address_with_a_studio_flow_is_created_and_fetched_by_sid_and_address(addresses):
    made = addresses.create(
        type="sms",
        address=NUMBER,
        friendly_name="Orders",
        auto_creation_enabled=True,
        auto_creation_type="studio",
        auto_creation_conversation_service_sid=SERVICE_SID,
        auto_creation_studio_flow_sid=STUDIO_SID,
        auto_creation_studio_retry_count=2,
    )

    by_sid, by_address = addresses(made.sid).fetch(), addresses("%2B14155550177").fetch()

    assert (made.type, made.address, made.friendly_name) == ("sms", NUMBER, "Orders")
    assert by_sid.auto_creation == {
        "enabled": True,
        "type": "studio",
        "conversation_service_sid": SERVICE_SID,
        "studio_flow_sid": STUDIO_SID,
        "studio_retry_count": 2,
    }
    assert by_sid.sid == by_address.sid == made.sid


def test_address_with_a_webhook_has_its_events_and_the_method_in_capitals(addresses):
    events = ["onMessageAdded", "onDeliveryUpdated"]

    made = addresses.create(
        type="sms",
        address=NUMBER,
        auto_creation_enabled=False,
        auto_creation_type="webhook",
        auto_creation_webhook_url="https://hooks.example.com/in",
        auto_creation_webhook_method="get",
        auto_creation_webhook_filters=events,
    )

    assert made.auto_creation["webhook_filters"] == events
    assert made.auto_creation["webhook_method"] == "GET"
    assert "studio_flow_sid" not in made.auto_creation


def test_update_changes_the_auto_creation_only_where_it_says_so(addresses):
    made = addresses.create(
        type="sms",
        address=NUMBER,
        auto_creation_type="studio",
        auto_creation_studio_flow_sid=STUDIO_SID,
    )

    enabled = addresses(made.sid).update(auto_creation_enabled=True, friendly_name="Orders")
    changed = addresses("%2B14155550177").update(
        auto_creation_type="webhook",
        auto_creation_webhook_url="https://hooks.example.com/in",
        auto_creation_webhook_filters=["onMessageAdded"],
    )

    assert enabled.auto_creation["studio_flow_sid"] == STUDIO_SID
    assert (enabled.friendly_name, enabled.auto_creation["enabled"]) == ("Orders", True)
    assert (changed.auto_creation["type"], changed.address) == ("webhook", NUMBER)
    assert "studio_flow_sid" not in changed.auto_creation


def test_address_is_deleted(sandbox, addresses):
    sid = next(iter(stored(sandbox)))

    assert addresses(sid).delete()

    assert sid not in stored(sandbox)
    assert error_of(lambda: addresses(sid).fetch()) == (404, 20404)


def test_second_configuration_of_an_address_is_refused(sandbox, addresses):
    taken = next(iter(stored(sandbox).values()))
    before = len(stored(sandbox))

    error = error_of(lambda: addresses.create(type=taken["type"], address=taken["address"]))

    assert error[0] == 409
    assert len(stored(sandbox)) == before


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"type": "whatsapp", "address": "whatsapp:+15005550000"}, (400, 51001)),
        ({"type": "sms", "address": "90210"}, (400, 20001)),
        ({"type": "fax", "address": NUMBER}, (400, 20001)),
        ({"type": "sms", "address": NUMBER, "auto_creation_type": "studio"}, (400, 20001)),
        ({"type": "sms", "address": NUMBER, "auto_creation_webhook_filters": ["x"]}, (400, 20001)),
    ],
)
def test_what_twilio_does_not_take_is_refused(addresses, values, error):
    assert error_of(lambda: addresses.create(**values)) == error


def test_registered_sender_and_short_code_are_accepted(sandbox, addresses):
    taken = {body["address"] for body in stored(sandbox).values()}
    senders = sandbox.store_of(WHATSAPP_SENDER).snapshot().values()
    sender = next(one["sender_id"] for one in senders if one["sender_id"] not in taken)

    made = addresses.create(type="whatsapp", address=sender)
    code = addresses.create(type="sms", address="90210", address_country="US")

    assert (made.address, code.address_country) == (sender, "US")


def test_some_numbers_have_a_flow_and_an_address_and_others_only_one_of_them(sandbox):
    bodies = stored(sandbox).values()
    flows = {flow["contact_identity"] for flow in sandbox.flows.values() if flow["enabled"]}

    shared = {one["address"]: one["auto_creation"]["enabled"] for one in bodies}
    both = {address: on for address, on in shared.items() if address in flows}
    assert sorted(both.values()) == [False, False, False, True]
    assert shared.keys() - both.keys()
    assert flows - both.keys()
    assert {"sms", "whatsapp", "chat"} == {one["type"] for one in bodies}
