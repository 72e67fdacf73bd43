"""One reading of a flow for all who open its page at the same moment."""

import threading

import pytest

from flows.flexapi.errors import FlexError
from flows.flexapi.sandbox import Fault, FaultKind
from flows.services import mirror, rates, shared_reading
from tests import ACCOUNT
from tests.faults.acting import Background, rename, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def joining(monkeypatch):
    """How many wait for somebody else's reading."""
    joined, count = shared_reading._joined, []

    def counted(sid, account_sid, reading):
        count.append(sid)
        return joined(sid, account_sid, reading)

    monkeypatch.setattr(shared_reading, "_joined", counted)
    return count


def readings(sandbox, sid):
    return [one for one in sandbox.requests if one.method == "GET" and one.path.endswith(sid)]


def test_those_who_look_at_the_same_moment_share_a_reading(sandbox, flow_sid, joining, monkeypatch):
    answer = sandbox._api.respond
    goes_on, arrived = threading.Event(), threading.Event()

    def slowly(request, received):
        arrived.set()
        goes_on.wait(20)
        return answer(request, received)

    monkeypatch.setattr(sandbox._api, "respond", slowly)
    first = Background(lambda: shared_reading.flow(flow_sid, account_sid=ACCOUNT))
    assert arrived.wait(20)
    others = [Background(lambda: shared_reading.flow(flow_sid, account_sid=ACCOUNT)) for _ in range(7)]
    wait_for(lambda: len(joining) == 7)
    goes_on.set()

    seen = [one.outcome() for one in (first, *others)]

    assert {flow["sid"] for flow in seen} == {flow_sid}
    assert len({id(flow) for flow in seen}) == 8  # a page's own copy
    assert len(readings(sandbox, flow_sid)) == 1


def test_refusal_is_shared_too(sandbox, flow_sid, joining, monkeypatch):
    goes_on, arrived = threading.Event(), threading.Event()
    fetch = mirror.fetch

    def slowly(sid, **more):
        arrived.set()
        goes_on.wait(20)
        return fetch(sid, **more)

    monkeypatch.setattr(mirror, "fetch", slowly)
    sandbox.inject(Fault(FaultKind.REFUSE, path="/FlexFlows/*", status=403, code=20403))
    first = Background(lambda: shared_reading.flow(flow_sid, account_sid=ACCOUNT))
    assert arrived.wait(20)
    other = Background(lambda: shared_reading.flow(flow_sid, account_sid=ACCOUNT))
    wait_for(lambda: joining)
    goes_on.set()

    for one in (first, other):
        error = one.outcome()
        assert isinstance(error, FlexError)
        assert error.code == 20403
    assert len(readings(sandbox, flow_sid)) == 1


def test_fault_of_this_site_is_not_shared(sandbox, flow_sid, joining, monkeypatch):
    goes_on, arrived = threading.Event(), threading.Event()
    fetch = mirror.fetch

    def broken(sid, **more):
        monkeypatch.setattr(mirror, "fetch", fetch)
        arrived.set()
        goes_on.wait(20)
        raise ValueError("boom")

    monkeypatch.setattr(mirror, "fetch", broken)
    first = Background(lambda: shared_reading.flow(flow_sid, account_sid=ACCOUNT))
    assert arrived.wait(20)
    other = Background(lambda: shared_reading.flow(flow_sid, account_sid=ACCOUNT))
    wait_for(lambda: joining)
    goes_on.set()

    assert isinstance(first.outcome(), ValueError)
    assert other.outcome()["sid"] == flow_sid


def test_reading_that_is_over_is_not_shown_again(sandbox, flow_sid):
    shared_reading.flow(flow_sid, account_sid=ACCOUNT)
    sandbox.edit_flow(flow_sid, friendly_name="Theirs")

    assert shared_reading.flow(flow_sid, account_sid=ACCOUNT)["friendly_name"] == "Theirs"
    assert shared_reading._under_way == {}


def test_reading_from_before_a_change_is_not_joined(sandbox, flow_sid, joining, monkeypatch):
    """Else the page after a change could show the flow as it was."""
    goes_on, arrived = threading.Event(), threading.Event()
    fetch = mirror.fetch

    def slowly(sid, **options):
        seen = fetch(sid, **options)
        if not arrived.is_set():
            arrived.set()
            goes_on.wait(20)
        return seen

    monkeypatch.setattr(mirror, "fetch", slowly)
    early = Background(lambda: shared_reading.flow(flow_sid, account_sid=ACCOUNT))
    assert arrived.wait(20)
    assert rename(flow_sid).event.result == "succeeded"

    after = shared_reading.flow(flow_sid, account_sid=ACCOUNT)

    assert after["friendly_name"] == sandbox.flows[flow_sid]["friendly_name"]
    assert joining == []
    goes_on.set()
    assert early.outcome()["friendly_name"] == "Réclamations Lyon"


def test_page_that_came_too_late_for_a_turn_says_so(flow_sid, settings, monkeypatch, client_of):
    client = client_of("viewer")
    settings.FLEX_RATE_LIMITS = True
    monkeypatch.setattr(rates.SHARED, "book", lambda *_, patience: None)

    page = client.get(f"/flows/{flow_sid}/")

    text = page.content.decode()
    assert page.status_code == 200
    assert "Twilio was not asked" in text
    assert "Twilio allows 2 flow reads per second and account, and others came first." in text
    assert "Twilio did not answer" not in text
    assert "Réclamations Lyon" in text
