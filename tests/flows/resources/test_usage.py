"""The conversations that run through a flow, as its pages count them."""

import pytest
from django.urls import reverse

from flows.accounts.clients import resource_client
from flows.mirror.sync import sync_account
from flows.resources import usage
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.flows.resources.conftest import RESOURCES

pytestmark = pytest.mark.django_db
CHANNEL = RESOURCES["channel"]


@pytest.fixture(autouse=True)
def _no_counts():
    usage.COUNTS.clear()


@pytest.fixture
def in_use(sandbox, flow_on):
    """SID of the flow with the most channels, and their number."""
    sids = [body["flex_flow_sid"] for body in sandbox.store_of(CHANNEL).snapshot().values()]
    busiest = max(set(sids), key=sids.count)
    return busiest, sids.count(busiest)


def fragment(client, sid):
    response = client.get(reverse("flows:usage", kwargs={"sid": sid}), headers={"HX-Request": "1"})
    return response.content.decode()


def test_flow_in_use_says_by_how_many(client_of, sandbox, in_use):
    sid, number = in_use

    text = fragment(client_of("viewer"), sid)

    assert "In use" in text
    assert f"{number} channels</a>" in text
    assert f"/flex/channels/?flow={sid}" in text
    assert "at least" not in text


def test_flow_without_conversations_is_not_in_use(client_of, sandbox, flow_on):
    unused = sandbox.add_flow(enabled=True)
    sync_account(ACCOUNT)

    assert "Not in use" in fragment(client_of("viewer"), unused)


def test_list_of_a_flow_has_its_conversations_alone(client_of, sandbox, in_use):
    sid, number = in_use

    page = client_of("viewer").get(reverse("flex:channel-list"), {"flow": sid})

    assert page.context["usage"].count == number
    assert len(page.context["rows"]) == number
    assert all(row.cells[0].value == sid for row in page.context["rows"])


def test_beyond_the_limit_the_count_is_a_lower_bound(client_of, sandbox, in_use, monkeypatch):
    sid, _ = in_use
    monkeypatch.setattr(usage, "MAX_PAGES", 2)
    monkeypatch.setattr(usage, "PAGE_SIZE", 5)
    asked = len(sandbox.requests)

    counted = usage.list_conversations(CHANNEL, ACCOUNT, sid)
    text = fragment(client_of("viewer"), sid)

    channels = [one for one in sandbox.requests[asked:] if one.path == "/v1/Channels"]
    assert not counted.is_complete
    assert len(channels) == 4
    assert "at least" in text or "None of the newest channels" in text


def test_failing_twilio_says_that_nothing_was_counted(client_of, sandbox, flow_on):
    sandbox.inject(Fault(FaultKind.SERVER_ERROR, path="/Channels", times=None))
    sandbox.inject(Fault(FaultKind.SERVER_ERROR, path="/WebChannels", times=None))

    assert "Couldn’t count this flow’s" in fragment(client_of("viewer"), flow_on)


@pytest.mark.parametrize("page", ["detail", "delete"])
def test_pages_of_a_flow_load_the_count(client_of, sandbox, flow_on, page):
    text = client_of("operator").get(reverse(f"flows:{page}", kwargs={"sid": flow_on}))

    assert f'hx-get="/flows/{flow_on}/usage/"' in text.content.decode()


def test_page_that_turns_a_flow_off_loads_the_count(client_of, sandbox, flow_on):
    url = reverse("flows:enabled", kwargs={"sid": flow_on})

    page = client_of("operator").get(url).content.decode()

    assert f"/flows/{flow_on}/usage/" in page


def test_channels_of_both_kinds_are_counted(client_of, sandbox, in_use, make):
    sid, number = in_use
    values = {"flex_flow_sid": sid, "identity": "a", "customer_friendly_name": "A"}
    resource_client(RESOURCES["web_channel"], ACCOUNT).create(values | {"chat_friendly_name": "A"})

    text = fragment(client_of("viewer"), sid)

    assert f"{number} channels</a>" in text
    assert "1 web channel</a>" in text


def test_counts_are_read_once_a_minute_for_all_flows(client_of, sandbox, in_use, flow_on):
    fragment(client_of("viewer"), in_use[0])
    asked = len(sandbox.requests)

    fragment(client_of("viewer"), flow_on)

    assert len(sandbox.requests) == asked


def test_list_of_a_flow_is_read_again(client_of, sandbox, in_use):
    sid, _ = in_use
    fragment(client_of("viewer"), sid)
    store = sandbox.store_of(CHANNEL)
    store.delete(
        next(one for one, body in store.snapshot().items() if body["flex_flow_sid"] == sid)
    )

    page = client_of("viewer").get(reverse("flex:channel-list"), {"flow": sid})

    assert page.context["usage"].count == in_use[1] - 1


def test_list_whose_links_form_a_loop_ends(sandbox, in_use):
    sid, number = in_use
    sandbox.inject(Fault(FaultKind.PAGE_LOOP, path="/Channels", times=None))

    counted = usage.list_conversations(CHANNEL, ACCOUNT, sid)

    assert counted.count == number
    assert not counted.is_complete
    assert len([one for one in sandbox.requests if one.path == "/v1/Channels"]) <= 2


def test_unreadable_entries_make_the_count_a_lower_bound(sandbox, in_use):
    sandbox.store_of(CHANNEL).add({"sid": "odd"})

    assert not usage.list_conversations(CHANNEL, ACCOUNT, in_use[0]).is_complete


def test_refused_list_hides_no_other(client_of, sandbox, in_use):
    sid, number = in_use
    refusal = Fault(FaultKind.REFUSE, path="/WebChannels", status=403, code=20403, times=None)
    sandbox.inject(refusal)

    assert f"{number} channels</a>" in fragment(client_of("viewer"), sid)


def test_failure_is_not_tried_again_at_once(client_of, sandbox, in_use):
    sandbox.inject(Fault(FaultKind.SERVER_ERROR, path="/Channels", times=None))
    fragment(client_of("viewer"), in_use[0])
    asked = len(sandbox.requests)

    fragment(client_of("viewer"), in_use[0])

    assert len(sandbox.requests) == asked
