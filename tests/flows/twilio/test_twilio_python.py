"""Twilio's own Python client with the sandbox."""

from datetime import UTC, datetime

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from flows.twilio.sandbox.faults import Fault
from flows.twilio.sandbox.server import Sandbox
from tests.flows.twilio import FO, FW, IS, Clock


@pytest.fixture
def sandbox():
    with Sandbox(flows=120, clock=Clock()) as sandbox:
        yield sandbox


@pytest.fixture
def twilio(sandbox):
    http = TwilioHttpClient()
    client = Client(sandbox.api_key, sandbox.api_secret, sandbox.account_sid, http_client=http)
    client.flex_api.base_url = sandbox.url.removesuffix("/v1")
    yield client.flex_api.v1.flex_flow
    http.session.close()


def test_create_passes(sandbox, twilio):
    flow = twilio.create(
        friendly_name="Kundenservice München WhatsApp",
        chat_service_sid=IS,
        channel_type="whatsapp",
        contact_identity="whatsapp:+14155550100",
        enabled=True,
        integration_type="studio",
        integration_flow_sid=FW,
        integration_retry_count=0,
        long_lived=False,
    )

    created = sandbox.flows[flow.sid]
    assert created["friendly_name"] == "Kundenservice München WhatsApp"
    assert (created["enabled"], created["long_lived"]) == (True, False)
    assert flow.integration == {"flow_sid": FW, "retry_count": 0}
    assert flow.date_created == datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    assert flow.url == f"{sandbox.url}/FlexFlows/{flow.sid}"


def test_list_of_several_pages_passes(sandbox, twilio):
    flows = twilio.list(page_size=50)

    assert [flow.sid for flow in flows] == list(sandbox.flows)
    assert len(sandbox.requests) == 3


def test_list_by_name_passes(sandbox, twilio):
    sid, flow = next(iter(sandbox.flows.items()))

    matches = twilio.list(friendly_name=flow["friendly_name"])

    assert [flow.sid for flow in matches] == [sid]


def test_fetch_passes(sandbox, twilio):
    sid = sandbox.add_flow(friendly_name="São Paulo cobrança")

    flow = twilio(sid).fetch()

    assert (flow.sid, flow.friendly_name, flow.account_sid) == (
        sid,
        "São Paulo cobrança",
        sandbox.account_sid,
    )


def test_update_passes(sandbox, twilio):
    sid = sandbox.add_flow()

    flow = twilio(sid).update(enabled=False, integration_retry_count=2)

    assert (flow.enabled, flow.integration["retry_count"]) == (False, 2)
    assert sandbox.flows[sid]["enabled"] is False


def test_delete_passes(sandbox, twilio):
    sid = sandbox.add_flow()

    deleted = twilio(sid).delete()

    assert deleted is True
    assert sid not in sandbox.flows


def test_error_is_a_twilio_exception(twilio):
    with pytest.raises(TwilioRestException) as excinfo:
        twilio(FO).fetch()

    assert (excinfo.value.status, excinfo.value.code) == (404, 20404)
    assert excinfo.value.msg.endswith(f"The requested resource /FlexFlows/{FO} was not found")


def test_fault_is_a_twilio_exception(sandbox, twilio):
    sandbox.inject(Fault("too_many"))

    with pytest.raises(TwilioRestException) as excinfo:
        twilio(sandbox.add_flow()).fetch()

    assert (excinfo.value.status, excinfo.value.code) == (429, 20429)
