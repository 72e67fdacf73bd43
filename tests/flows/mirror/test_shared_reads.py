"""One read of a flow for all requests that open its page at the same moment."""

import threading

import pytest

from flows.accounts import shared_rates
from flows.mirror import mirror, shared_reads
from flows.twilio.errors import FlexError
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import BackgroundCall, rename_flow, wait_for
from tests.patience import HANG_TIMEOUT

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def joining(monkeypatch):
    """Count the requests that wait for the read of another one."""
    joined, count = shared_reads._await_result, []

    def counted(sid, account_sid, reading):
        count.append(sid)
        return joined(sid, account_sid, reading)

    monkeypatch.setattr(shared_reads, "_await_result", counted)
    return count


def readings(sandbox, sid):
    return [one for one in sandbox.requests if one.method == "GET" and one.path.endswith(sid)]


def test_concurrent_requests_share_a_read(sandbox, flow_sid, joining, monkeypatch):
    answer = sandbox._api.respond
    goes_on, arrived = threading.Event(), threading.Event()

    def slowly(request, received):
        arrived.set()
        goes_on.wait(HANG_TIMEOUT)
        return answer(request, received)

    monkeypatch.setattr(sandbox._api, "respond", slowly)
    first = BackgroundCall(lambda: shared_reads.fetch_shared(flow_sid, account_sid=ACCOUNT))
    assert arrived.wait(HANG_TIMEOUT)
    waiting_calls = [
        BackgroundCall(lambda: shared_reads.fetch_shared(flow_sid, account_sid=ACCOUNT))
        for _ in range(7)
    ]
    wait_for(lambda: len(joining) == 7)
    goes_on.set()

    snapshots = [one.outcome() for one in (first, *waiting_calls)]

    assert {flow["sid"] for flow in snapshots} == {flow_sid}
    assert len({id(flow) for flow in snapshots}) == 8  # a page's own copy
    assert len(readings(sandbox, flow_sid)) == 1


def test_refusal_is_shared(sandbox, flow_sid, joining, monkeypatch):
    goes_on, arrived = threading.Event(), threading.Event()
    fetch = mirror.fetch

    def slowly(sid, **more):
        arrived.set()
        goes_on.wait(HANG_TIMEOUT)
        return fetch(sid, **more)

    monkeypatch.setattr(mirror, "fetch", slowly)
    sandbox.inject(Fault(FaultKind.REFUSE, path="/FlexFlows/*", status=403, code=20403))
    first = BackgroundCall(lambda: shared_reads.fetch_shared(flow_sid, account_sid=ACCOUNT))
    assert arrived.wait(HANG_TIMEOUT)
    other = BackgroundCall(lambda: shared_reads.fetch_shared(flow_sid, account_sid=ACCOUNT))
    wait_for(lambda: joining)
    goes_on.set()

    for one in (first, other):
        error = one.outcome()
        assert isinstance(error, FlexError)
        assert error.code == 20403
    assert len(readings(sandbox, flow_sid)) == 1


def test_error_of_this_site_is_not_shared(sandbox, flow_sid, joining, monkeypatch):
    goes_on, arrived = threading.Event(), threading.Event()
    fetch = mirror.fetch

    def broken(sid, **more):
        monkeypatch.setattr(mirror, "fetch", fetch)
        arrived.set()
        goes_on.wait(HANG_TIMEOUT)
        raise ValueError("boom")

    monkeypatch.setattr(mirror, "fetch", broken)
    first = BackgroundCall(lambda: shared_reads.fetch_shared(flow_sid, account_sid=ACCOUNT))
    assert arrived.wait(HANG_TIMEOUT)
    other = BackgroundCall(lambda: shared_reads.fetch_shared(flow_sid, account_sid=ACCOUNT))
    wait_for(lambda: joining)
    goes_on.set()

    assert isinstance(first.outcome(), ValueError)
    assert other.outcome()["sid"] == flow_sid


def test_completed_read_is_not_reused(sandbox, flow_sid):
    shared_reads.fetch_shared(flow_sid, account_sid=ACCOUNT)
    sandbox.edit_flow(flow_sid, friendly_name="Theirs")

    assert shared_reads.fetch_shared(flow_sid, account_sid=ACCOUNT)["friendly_name"] == "Theirs"
    assert shared_reads._in_flight == {}


def test_read_from_before_a_change_is_not_shared(sandbox, flow_sid, joining, monkeypatch):
    """Otherwise the page after a change could show the flow as it was before."""
    goes_on, arrived = threading.Event(), threading.Event()
    fetch = mirror.fetch

    def slowly(sid, **options):
        snapshots = fetch(sid, **options)
        if not arrived.is_set():
            arrived.set()
            goes_on.wait(HANG_TIMEOUT)
        return snapshots

    monkeypatch.setattr(mirror, "fetch", slowly)
    early = BackgroundCall(lambda: shared_reads.fetch_shared(flow_sid, account_sid=ACCOUNT))
    assert arrived.wait(HANG_TIMEOUT)
    assert rename_flow(flow_sid).event.result == "succeeded"

    after = shared_reads.fetch_shared(flow_sid, account_sid=ACCOUNT)

    assert after["friendly_name"] == sandbox.flows[flow_sid]["friendly_name"]
    assert joining == []
    goes_on.set()
    assert early.outcome()["friendly_name"] == "Réclamations Lyon"


def test_page_reports_that_the_rate_limit_was_reached(flow_sid, settings, monkeypatch, client_of):
    client = client_of("viewer")
    settings.FLEX_RATE_LIMITS = True
    monkeypatch.setattr(shared_rates.SHARED_RATE_LIMITER, "book", lambda *_, patience: None)

    page = client.get(f"/flows/{flow_sid}/")

    text = page.content.decode()
    assert page.status_code == 200
    assert "Twilio was not asked" in text
    assert "Twilio allows 2 flow reads per second and account, and others came first." in text
    assert "Twilio did not answer" not in text
    assert "Réclamations Lyon" in text
