"""The sandbox's Monitor, read over HTTP by this site's client and by Twilio's own."""

from datetime import UTC, datetime, timedelta

import pytest
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from flows.twilio.client import ResourceClient
from flows.twilio.errors import RequestRefused
from flows.twilio.monitor.monitor_event import MONITOR_EVENT
from flows.twilio.sandbox.faults import Fault, FaultKind
from flows.twilio.sandbox.monitor_log import CONSOLE_ADDRESS, CONSOLE_USER_SID
from flows.twilio.sandbox.named_bodies import SECRET
from flows.twilio.sandbox.server import Sandbox

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


class Clock:
    now = NOON

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sandbox(clock):
    with Sandbox(clock=clock) as started_sandbox:
        yield started_sandbox


@pytest.fixture
def client(sandbox):
    client = ResourceClient(
        MONITOR_EVENT,
        base_url=MONITOR_EVENT.base_url(sandbox.api_url),
        account_sid=sandbox.account_sid,
        auth=(sandbox.api_key, sandbox.api_secret),
        rate_limits=False,
    )
    yield client
    client.close()


def test_changes_behind_the_back_of_the_dashboard_have_events(sandbox, client):
    sid = sandbox.add_flow()
    sandbox.edit_flow(sid, friendly_name="Renamed")
    sandbox.remove_flow(sid)

    page = client.list_page(page_size=50, filters={"ResourceSid": sid})

    types = [event["event_type"] for event in page.objects]
    assert types == ["flex-flow.deleted", "flex-flow.updated", "flex-flow.created"]
    event = page.objects[0]
    assert event["actor_sid"] == CONSOLE_USER_SID
    assert event["source_ip_address"] == CONSOLE_ADDRESS
    assert event["event_date"] == "2026-11-27T12:00:00Z"


def test_values_in_an_event_are_not_read(sandbox, client):
    sandbox.add_flow()

    (event,) = client.list_page(page_size=50).objects

    assert SECRET in str(sandbox.monitor.store.snapshot())
    assert SECRET not in str(event)
    assert event.keys() <= MONITOR_EVENT.by_name.keys()


def test_filters_stay_with_the_pages_of_a_list(sandbox, client, clock):
    sid, other_sid = sandbox.add_flow(), sandbox.add_flow()
    for minute in range(1, 4):
        clock.now = NOON + timedelta(minutes=minute)
        sandbox.edit_flow(sid, friendly_name=f"Name {minute}")
        sandbox.edit_flow(other_sid, friendly_name=f"Name {minute}")
    filters = {"ResourceSid": sid, "StartDate": "2026-11-27T12:02:00Z"}

    first = client.list_page(page_size=1, filters=filters)
    second = client.list_page(first.next_page, page_size=1, filters=filters)

    dates = [event["event_date"] for event in first.objects + second.objects]
    assert dates == ["2026-11-27T12:03:00Z", "2026-11-27T12:02:00Z"]
    assert second.next_page is None


def test_a_refusal_can_be_injected(sandbox, client):
    sandbox.inject(Fault(FaultKind.REFUSE, path="/monitor/*", status=403, code=20403))

    with pytest.raises(RequestRefused) as refusal:
        client.list_page(page_size=50)

    assert (refusal.value.status, refusal.value.code) == (403, 20403)


def test_twilios_own_client_reads_the_events(sandbox, clock):
    sid = sandbox.add_flow()
    clock.now = NOON + timedelta(minutes=5)
    sandbox.edit_flow(sid, friendly_name="Renamed")
    sandbox.edit_flow(sandbox.add_flow(), friendly_name="Other")
    http = TwilioHttpClient()
    twilio = Client(sandbox.api_key, sandbox.api_secret, sandbox.account_sid, http_client=http)
    twilio.monitor.base_url = sandbox.api_url.replace("{product}", "monitor")

    events = twilio.monitor.v1.events.list(
        resource_sid=sid,
        start_date=NOON + timedelta(minutes=1),
        end_date=NOON + timedelta(minutes=9),
    )
    http.session.close()

    assert [event.event_type for event in events] == ["flex-flow.updated"]
    assert events[0].event_date == clock.now
