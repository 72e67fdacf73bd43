"""Twilio's own Python client reads the named resources from the sandbox."""

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from flows.twilio.named_resources import NAMED_RESOURCES
from flows.twilio.sandbox.seed import DEMO_SIDS
from flows.twilio.sandbox.server import Sandbox

PRODUCTS = {resource.product for resource in NAMED_RESOURCES}
WORKSPACE_SID = DEMO_SIDS["integration_workspace_sid"]
# By resource: the list of the client, its options, and the attribute that names an object.
LISTS = {
    "studio_flow": (lambda twilio: twilio.studio.v2.flows, {}, "friendly_name"),
    "workspace": (lambda twilio: twilio.taskrouter.v1.workspaces, {}, "friendly_name"),
    "workflow": (lambda twilio: workspace(twilio).workflows, {}, "friendly_name"),
    "task_channel": (lambda twilio: workspace(twilio).task_channels, {}, "unique_name"),
    "conversation_service": (lambda twilio: twilio.conversations.v1.services, {}, "friendly_name"),
    "chat_service": (lambda twilio: twilio.chat.v2.services, {}, "friendly_name"),
    "phone_number": (lambda twilio: twilio.incoming_phone_numbers, {}, "phone_number"),
    "whatsapp_sender": (
        lambda twilio: twilio.messaging.v2.channels_senders,
        {"channel": "whatsapp"},
        "sender_id",
    ),
    "messaging_service": (lambda twilio: twilio.messaging.v1.services, {}, "friendly_name"),
}
every_list = pytest.mark.parametrize("name", LISTS)


def workspace(twilio):
    return twilio.taskrouter.v1.workspaces(WORKSPACE_SID)


@pytest.fixture
def sandbox():
    with Sandbox(flows=120) as started_sandbox:
        yield started_sandbox


@pytest.fixture
def twilio(sandbox):
    http = TwilioHttpClient()
    client = Client(sandbox.api_key, sandbox.api_secret, sandbox.account_sid, http_client=http)
    for product in PRODUCTS:
        getattr(client, product).base_url = sandbox.api_url.replace("{product}", product)
    yield client
    http.session.close()


def stored_sids(sandbox, name):
    (resource,) = (one for one in NAMED_RESOURCES if one.name == name)
    return list(sandbox.store_of(resource, WORKSPACE_SID if resource.parent else "").snapshot())


def test_all_named_resources_are_covered():
    assert LISTS.keys() == {resource.name for resource in NAMED_RESOURCES}


@every_list
def test_list_of_several_pages_passes(sandbox, twilio, name):
    make_list, options, named_by = LISTS[name]

    objects = make_list(twilio).list(page_size=2, **options)

    sids = stored_sids(sandbox, name)
    assert [one.sid for one in objects] == sids
    assert all(getattr(one, named_by) for one in objects)
    assert len(sandbox.requests) == max(1, -(-len(sids) // 2))


@every_list
def test_fetch_passes(sandbox, twilio, name):
    make_list, _options, named_by = LISTS[name]
    sid = stored_sids(sandbox, name)[0]

    one = make_list(twilio)(sid).fetch()

    assert one.sid == sid
    assert getattr(one, named_by)


def test_dates_are_read(sandbox, twilio):
    assert twilio.studio.v2.flows.list(limit=1)[0].date_updated.year >= 2026
    assert twilio.incoming_phone_numbers.list(limit=1)[0].date_updated.year >= 2026


def test_status_of_a_studio_flow_passes(twilio):
    flows = twilio.studio.v2.flows.list()

    assert {flow.status for flow in flows} == {"draft", "published"}
    assert all(flow.revision >= 1 for flow in flows)


def test_task_channel_is_fetched_by_its_unique_name(twilio):
    assert workspace(twilio).task_channels("sms").fetch().friendly_name == "SMS"


def test_missing_object_is_a_twilio_exception(twilio):
    with pytest.raises(TwilioRestException) as excinfo:
        twilio.studio.v2.flows("FW" + "0" * 32).fetch()

    assert (excinfo.value.status, excinfo.value.code) == (404, 20404)
