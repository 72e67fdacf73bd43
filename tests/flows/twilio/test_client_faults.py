"""ResourceClient over real HTTP with the sandbox's faults: results, retries and deadlines.

The tests check the effects in the sandbox, never through the client.
"""

import gc
import json
import time

import pytest

from flows.twilio import client as client_module
from flows.twilio import transport
from flows.twilio.deadline import Call
from flows.twilio.errors import NotSent, OutcomeUnknown, RequestRefused
from flows.twilio.sandbox.faults import LIST_FAULTS, Fault, FaultKind
from flows.twilio.sandbox.server import Sandbox
from tests.flows.twilio.raw_server import (
    METHODS,
    NEW,
    OPERATIONS,
    SHORT,
    UNKNOWN_SID,
    RawServer,
    every_operation,
    http_response,
    read_request,
)

# The result of a call with one fault: its error or None, and the number of requests.
LATE = (
    FaultKind.HANG,
    FaultKind.APPLY_THEN_HANG,
    FaultKind.LATE_APPLY,
    FaultKind.DRIP,
    FaultKind.DRIP_HEADERS,
)
UNKNOWN = (OutcomeUnknown, 1)
REFUSED = (RequestRefused, 1)
RETRIED = (None, 2)
WRITES = {
    FaultKind.REFUSE: REFUSED,
    FaultKind.PROBLEM: REFUSED,
    FaultKind.TOO_MANY: RETRIED,
    FaultKind.SERVER_ERROR: UNKNOWN,
    FaultKind.APPLY_THEN_SERVER_ERROR: UNKNOWN,
    FaultKind.DROP: UNKNOWN,
    FaultKind.APPLY_THEN_DROP: UNKNOWN,
    FaultKind.TRUNCATE: UNKNOWN,
    FaultKind.HTML: UNKNOWN,
    FaultKind.HTML_OK: UNKNOWN,
    FaultKind.GARBAGE: UNKNOWN,
    FaultKind.EMPTY: UNKNOWN,
    FaultKind.WRONG_SID: UNKNOWN,
    FaultKind.REDIRECT: UNKNOWN,
    FaultKind.HUGE: UNKNOWN,
    **dict.fromkeys(LATE, UNKNOWN),
}
REPEATED = {
    FaultKind.SERVER_ERROR: RETRIED,
    FaultKind.APPLY_THEN_SERVER_ERROR: RETRIED,
    FaultKind.DROP: RETRIED,
    FaultKind.APPLY_THEN_DROP: RETRIED,
    FaultKind.TRUNCATE: RETRIED,
    FaultKind.HTML: RETRIED,
    FaultKind.HUGE: RETRIED,
}
EXPECTED = {
    "list": {
        **WRITES, **REPEATED,
        FaultKind.WRONG_SID: (None, 1), FaultKind.LEAVE_HOST: (None, 2), FaultKind.PAGE_LOOP: (OutcomeUnknown, 2),
    },
    "fetch": WRITES | REPEATED,
    "create": WRITES | {FaultKind.WRONG_SID: (None, 1)},  # the new flow's SID is not known beforehand
    "update": WRITES,
    # The response to a deletion has no body, so nothing can drip and no SID can be wrong.
    "delete": {**WRITES, **REPEATED, FaultKind.WRONG_SID: (None, 1), FaultKind.DRIP: (None, 1)},
}  # fmt: skip
CASES = [
    (operation, kind, *expected)
    for operation, faults in EXPECTED.items()
    for kind, expected in faults.items()
]


@pytest.fixture
def sandbox():
    with Sandbox() as started_sandbox:
        yield started_sandbox


@pytest.fixture
def sid(sandbox):
    return sandbox.add_flow(friendly_name="Réclamations")


# Every operation with every fault


def test_every_fault_is_covered():
    assert set(EXPECTED["list"]) == set(FaultKind)
    for operation in ("fetch", "create", "update", "delete"):
        assert set(EXPECTED[operation]) == set(FaultKind) - LIST_FAULTS


@pytest.mark.parametrize(("operation", "kind", "error", "count"), CASES)
def test_single_fault(sandbox, sid, client_of, pauses, monkeypatch, operation, kind, error, count):
    monkeypatch.setattr(transport, "MAX_BODY_BYTES", 100_000)
    client = client_of(deadline=SHORT if kind in LATE else 15.0)
    sandbox.inject(Fault(kind, times=9 if kind is FaultKind.PAGE_LOOP else 1))

    if error is None:
        OPERATIONS[operation](client, sid)
    else:
        with pytest.raises(error) as excinfo:
            OPERATIONS[operation](client, sid)
        assert type(excinfo.value) is error

    assert [request.method for request in sandbox.requests] == [METHODS[operation]] * count
    assert len(pauses) == (0 if kind in LIST_FAULTS else count - 1)


@pytest.mark.parametrize(
    "kind", [FaultKind.SERVER_ERROR, FaultKind.DROP, FaultKind.HTML, FaultKind.TOO_MANY]
)
@every_operation
def test_persistent_fault(sandbox, sid, client_of, pauses, operation, kind):
    sandbox.inject(Fault(kind, times=None, retry_after=0))
    expected = RequestRefused if kind is FaultKind.TOO_MANY else OutcomeUnknown
    times = 4 if kind is FaultKind.TOO_MANY or operation not in {"create", "update"} else 1

    with pytest.raises(expected):
        OPERATIONS[operation](client_of(), sid)

    assert len(sandbox.requests) == times
    assert len(pauses) == times - 1
    assert list(sandbox.flows) == [sid]


@pytest.mark.parametrize(
    "kind",
    [
        FaultKind.APPLY_THEN_SERVER_ERROR,
        FaultKind.APPLY_THEN_DROP,
        FaultKind.TRUNCATE,
        FaultKind.GARBAGE,
    ],
)
def test_create_with_a_lost_response_is_applied_once(sandbox, client_of, kind):
    sandbox.inject(Fault(kind))

    with pytest.raises(OutcomeUnknown):
        client_of().create(NEW)

    assert len(sandbox.flows) == 1
    assert [request.applied for request in sandbox.requests] == [True]


@pytest.mark.parametrize("operation", ["create", "update"])
def test_write_is_not_retried_after_a_429_and_a_lost_connection(sandbox, sid, client_of, operation):
    sandbox.inject(Fault(FaultKind.TOO_MANY, retry_after=0))
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP))

    with pytest.raises(OutcomeUnknown):
        OPERATIONS[operation](client_of(), sid)

    assert [(request.status, request.applied) for request in sandbox.requests] == [
        (429, False),
        (None, True),
    ]


def test_retry_after_is_honoured(sandbox, sid, client_of, pauses):
    sandbox.inject(Fault(FaultKind.TOO_MANY, retry_after=7))

    assert client_of().fetch(sid)["sid"] == sid

    assert len(pauses) == 1
    assert 7.0 <= pauses[0] <= 7.25


# Retried deletions


@pytest.mark.parametrize(
    "kind", [FaultKind.APPLY_THEN_DROP, FaultKind.APPLY_THEN_SERVER_ERROR, FaultKind.TRUNCATE]
)
def test_404_to_a_retried_deletion_is_a_success(sandbox, sid, client_of, kind):
    sandbox.inject(Fault(kind))

    response = client_of().delete(sid)

    assert (response.snapshot, response.status) == ({}, 404)
    assert response.request_id.startswith("RQ")
    assert sandbox.flows == {}
    assert [request.applied for request in sandbox.requests] == [True, False]


def test_first_404_is_a_refusal(sandbox, client_of):
    with pytest.raises(RequestRefused) as excinfo:
        client_of().delete(UNKNOWN_SID)

    assert (excinfo.value.status, excinfo.value.code) == (404, 20404)
    assert len(sandbox.requests) == 1


def test_404_after_a_429_is_a_refusal(sandbox, sid, client_of):
    sandbox.inject(Fault(FaultKind.TOO_MANY))
    client = client_of(sleep=lambda _: sandbox.remove_flow(sid))

    with pytest.raises(RequestRefused) as excinfo:
        client.delete(sid)

    assert excinfo.value.status == 404


def test_404_after_a_failed_connection_is_a_refusal(sandbox, client_of, monkeypatch):
    client = client_of()
    once = client._send_once
    tries = []

    def refused_at_first(*args):
        tries.append(args)
        if len(tries) == 1:
            raise NotSent("couldn't connect to Twilio")
        return once(*args)

    monkeypatch.setattr(client, "_send_once", refused_at_first)

    with pytest.raises(RequestRefused) as excinfo:
        client.delete(UNKNOWN_SID)

    assert (excinfo.value.status, len(tries)) == (404, 2)


@pytest.mark.parametrize(
    "second_fault",
    [
        Fault(FaultKind.REFUSE, status=400),
        Fault(FaultKind.REFUSE, status=401, code=20003),
        Fault(FaultKind.REFUSE, status=403),
        Fault(FaultKind.REFUSE, status=409),
        Fault(FaultKind.HTML, status=404),  # from a proxy, so not about the flow
        Fault(FaultKind.TOO_MANY, times=None, retry_after=0),
    ],
    ids=lambda fault: f"{fault.kind} {fault.status}",
)
def test_refused_retry_leaves_the_outcome_unknown(sandbox, sid, client_of, second_fault):
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP))
    sandbox.inject(second_fault)

    with pytest.raises(OutcomeUnknown):
        client_of().delete(sid)

    assert sandbox.flows == {}
    assert len(sandbox.requests) > 1


def test_retry_without_a_connection_leaves_the_outcome_unknown(sandbox, sid, client_of):
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP))
    client = client_of(sleep=lambda _: sandbox.stop())

    with pytest.raises(OutcomeUnknown):
        client.delete(sid)

    assert [request.applied for request in sandbox.requests] == [True]


def test_read_that_is_refused_on_retry_is_a_refusal(sandbox, client_of):
    sandbox.inject(Fault(FaultKind.DROP))

    with pytest.raises(RequestRefused) as excinfo:
        client_of().fetch(UNKNOWN_SID)

    assert (excinfo.value.status, len(sandbox.requests)) == (404, 2)


# The deadline of a whole call


@pytest.mark.long
@pytest.mark.parametrize("kind", [FaultKind.HANG, FaultKind.DRIP, FaultKind.DRIP_HEADERS])
@pytest.mark.parametrize("operation", ["list", "fetch", "create", "update"])
def test_deadline_ends_an_endless_call(sandbox, sid, client_of, operation, kind):
    sandbox.inject(Fault(kind, seconds=0.05 if kind is not FaultKind.HANG else None))

    with pytest.raises(OutcomeUnknown, match="in time"):
        OPERATIONS[operation](client_of(deadline=SHORT), sid)

    assert len(sandbox.requests) == 1


def test_deadline_includes_retries(sandbox, sid, client_of, pauses):
    sandbox.inject(Fault(FaultKind.SERVER_ERROR, times=None))

    with pytest.raises(OutcomeUnknown):
        client_of(deadline=0.2).fetch(sid)

    assert (len(sandbox.requests), pauses) == (1, [])  # no time even for the shortest pause


def test_deadline_is_for_each_page_of_a_list(sandbox, client_of, monkeypatch):
    for _ in range(3):
        sandbox.add_flow()
    client = client_of(deadline=100.0)
    clock = [0.0]
    monkeypatch.setattr(client_module.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(client_module, "Call", _NoDeadline)
    sids = []

    for flow in client.list(page_size=1):
        sids.append(flow["sid"])
        clock[0] += 99.0

    assert sids == list(sandbox.flows)


class _NoDeadline(Call):
    """A call whose timer uses the real clock while the client's clock is simulated."""

    def __init__(self, deadline):
        super().__init__(time.perf_counter() + 60)
        self.deadline = deadline


def test_late_change_is_applied_and_unknown(sandbox, sid, client_of):
    sandbox.inject(Fault(FaultKind.APPLY_THEN_HANG))

    with pytest.raises(OutcomeUnknown, match="in time"):
        client_of(deadline=SHORT).update(sid, {"friendly_name": "Plaintes"})

    assert sandbox.flows[sid]["friendly_name"] == "Plaintes"


def test_endless_body_is_not_read_completely(sandbox, sid, client_of, monkeypatch):
    monkeypatch.setattr(transport, "MAX_BODY_BYTES", 1_000)
    sandbox.inject(Fault(FaultKind.HUGE))

    with pytest.raises(OutcomeUnknown, match="could not be read"):
        client_of().update(sid, {"enabled": False})


def test_body_of_the_largest_size_is_read(client_of, monkeypatch):
    flow = {"sid": UNKNOWN_SID}
    monkeypatch.setattr(transport, "MAX_BODY_BYTES", len(json.dumps(flow)))

    def serve(connection, _number):
        while read_request(connection):
            connection.sendall(http_response(flow))

    with RawServer(serve) as server:
        assert client_of(base_url=f"http://127.0.0.1:{server.port}/v1").fetch(UNKNOWN_SID) == flow
        monkeypatch.setattr(transport, "MAX_BODY_BYTES", len(json.dumps(flow)) - 1)
        with pytest.raises(OutcomeUnknown, match="could not be read"):
            client_of(base_url=f"http://127.0.0.1:{server.port}/v1").update(UNKNOWN_SID, {})


def test_body_with_invalid_compression_is_unknown(client_of):
    def serve(connection, _number):
        read_request(connection)
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd"
        )

    with RawServer(serve) as server, pytest.raises(OutcomeUnknown, match="could not be read"):
        client_of(base_url=f"http://127.0.0.1:{server.port}/v1").update(UNKNOWN_SID, {})


@pytest.mark.long
@pytest.mark.parametrize(
    "response",
    [
        b"", b"\r\n\r\n", b"hello\r\n\r\n", b"HTTP/1.1 two hundred\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9, 8\r\n\r\n12345678", b"HTTP/1.1 200 OK\r\n" + b"a" * 70_000,
    ],
    ids=lambda response: ascii(response[:40]),
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_invalid_http_is_unknown(client_of, response):
    def serve(connection, _number):
        read_request(connection)
        connection.sendall(response)

    with RawServer(serve) as server, pytest.raises(OutcomeUnknown):
        client_of(base_url=f"http://127.0.0.1:{server.port}/v1").create(NEW)

    gc.collect()  # http.client leaves its end of the socket to the collector when a header makes no sense
