"""The sandbox with eventually consistent reads."""

import json
from datetime import UTC, datetime, timedelta
from urllib.request import Request, urlopen

import pytest

from flows.twilio.client import ResourceClient
from flows.twilio.errors import RequestRefused
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.sandbox.consistency import Lag, LagKind, random_lag_source
from flows.twilio.sandbox.server import Sandbox


class ManualClock:
    """A clock that a test moves."""

    def __init__(self):
        self.now = datetime(2026, 11, 25, 12, tzinfo=UTC)

    def move(self, seconds):
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def lagging(clock):
    with Sandbox(clock=lambda: clock.now) as sandbox:
        yield sandbox


@pytest.fixture
def client(lagging):
    client = ResourceClient(
        FLEX_FLOW,
        base_url=lagging.url,
        account_sid=lagging.account_sid,
        auth=(lagging.api_key, lagging.api_secret),
        rate_limits=False,
        sleep=lambda _seconds: None,
    )
    yield client
    client.close()


def names(client, **more):
    return [flow["friendly_name"] for flow in client.list(**more)]


def test_stale_read_shows_the_flows_as_they_were(lagging, client, clock):
    remaining_sid, deleted_sid = (
        lagging.add_flow(friendly_name="Old"),
        lagging.add_flow(friendly_name="Gone"),
    )
    clock.move(100)
    lagging.edit_flow(remaining_sid, friendly_name="New")
    lagging.remove_flow(deleted_sid)
    new = lagging.add_flow(friendly_name="Young")
    clock.move(10)

    for _ in range(4):
        lagging.lag(Lag("stale", seconds=30))
    assert names(client) == ["Gone", "Old"]
    assert client.fetch(remaining_sid)["friendly_name"] == "Old"
    assert client.fetch(deleted_sid)["friendly_name"] == "Gone"
    with pytest.raises(RequestRefused) as error:
        client.fetch(new)

    assert (error.value.status, error.value.code) == (404, 20404)
    assert names(client) == ["Young", "New"]
    assert [request.fault for request in lagging.requests] == ["stale"] * 4 + [None]


def test_stale_read_includes_older_writes(lagging, client, clock):
    sid = lagging.add_flow(friendly_name="Old")
    clock.move(100)
    lagging.edit_flow(sid, friendly_name="New")
    clock.move(30)

    lagging.lag(Lag("stale", seconds=30))

    assert client.fetch(sid)["friendly_name"] == "New"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("empty", []),
        ("short", ["5", "3", "1"]),
        ("skipped", ["5", "4", "2", "0"]),
        ("repeated", ["5", "4", "4", "3", "3", "2", "2", "1", "1", "0"]),
    ],
)
def test_incomplete_list(lagging, client, kind, expected):
    for number in range(6):
        lagging.add_flow(friendly_name=str(number))
    lagging.lag(Lag(kind, times=None))

    assert names(client, page_size=2) == expected


def test_writes_and_other_reads_are_not_affected(lagging, client):
    sid = lagging.add_flow(friendly_name="Old")
    lagging.lag(Lag("empty"))

    client.update(sid, {"friendly_name": "New"})

    assert client.fetch(sid)["friendly_name"] == "New"
    assert names(client) == []
    assert names(client) == ["New"]


def test_lag_waits_for_its_path(lagging, client, clock):
    sid = lagging.add_flow()
    clock.move(1)
    lagging.lag(Lag("stale", path="/FlexFlows/*", seconds=60))

    assert len(names(client)) == 1
    with pytest.raises(RequestRefused):
        client.fetch(sid)


def test_random_lags_are_the_same_for_a_seed():
    draws = [
        [random_lag_source(60, seed=seed)("/").seconds for _ in range(1)] for seed in (1, 1, 2)
    ]

    assert draws[0] == draws[1] != draws[2]
    assert Sandbox(lag=5).lags.draw("/").seconds <= 5


def test_lags_can_be_cleared(lagging, client):
    lagging.add_flow()
    lagging.lag(Lag("empty", times=None))
    lagging.lags.draw = random_lag_source(3600)

    lagging.lags.clear()

    assert len(names(client)) == 1


def asked(lagging, method, body=None):
    root = lagging.url.removesuffix("/v1")
    request = Request(
        f"{root}/_sandbox/lags", data=body and json.dumps(body).encode(), method=method
    )
    with urlopen(request) as response:
        return response.status


def test_other_processes_can_inject_lags(lagging, client):
    lagging.add_flow()

    assert asked(lagging, "POST", {"kind": "empty", "times": None}) == 204
    assert names(client) == []
    assert asked(lagging, "DELETE") == 204
    assert len(names(client)) == 1


@pytest.mark.parametrize("payload", [{}, [], {"kind": "other"}, {"kind": "empty", "odd": 1}])
def test_invalid_lag_is_refused(payload):
    with pytest.raises(ValueError, match=r"lag|LagKind"):
        Lag.from_json(payload)
    assert Lag("empty").kind is LagKind.EMPTY
