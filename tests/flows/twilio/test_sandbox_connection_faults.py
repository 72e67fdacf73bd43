"""Faults of the connection: drops, hangs, late changes, drips, and cut or endless bodies."""

import http.client
import json
import threading
from contextlib import closing

import pytest

from flows.twilio.sandbox.faults import Fault
from flows.twilio.sandbox.server import Sandbox
from tests.flows.twilio import (
    FLOWS,
    STUDIO,
    address,
    basic,
    call,
    read_until_closed,
    send_request,
)
from tests.patience import HANG_TIMEOUT


@pytest.fixture
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


def new_thread(before):
    """Return the server's thread for the only connection since `before`."""
    (thread,) = set(threading.enumerate()) - set(before)
    return thread


@pytest.mark.parametrize(("kind", "is_applied"), [("drop", False), ("apply_then_drop", True)])
def test_drop_closes_without_a_response(sandbox, kind, is_applied):
    sandbox.inject(Fault(kind))

    with send_request(sandbox) as connection:
        received = read_until_closed(connection)

    assert received == b""
    assert len(sandbox.flows) == int(is_applied)
    assert sandbox.requests[0].status is None
    assert sandbox.requests[0].applied is is_applied


@pytest.mark.parametrize(("kind", "is_applied"), [("hang", False), ("apply_then_hang", True)])
def test_hang_holds_until_it_is_released(sandbox, kind, is_applied):
    sandbox.inject(Fault(kind))

    with send_request(sandbox) as connection:
        assert sandbox.wait_until_held()
        flows = len(sandbox.flows)
        sandbox.release()
        received = read_until_closed(connection)

    assert received == b""
    assert flows == len(sandbox.flows) == int(is_applied)
    assert (sandbox.requests[0].status, sandbox.requests[0].applied) == (None, is_applied)


def test_hang_ends_when_its_seconds_are_over(sandbox):
    sandbox.inject(Fault("hang", seconds=0.01))

    with send_request(sandbox) as connection:
        assert read_until_closed(connection) == b""


def test_hang_ends_when_its_client_disconnects(sandbox):
    before = threading.enumerate()
    sandbox.inject(Fault("hang"))
    connection = send_request(sandbox)
    assert sandbox.wait_until_held()
    thread = new_thread(before)

    connection.close()
    thread.join(HANG_TIMEOUT)

    assert not thread.is_alive()
    assert sandbox.flows == {}


def test_hang_ends_when_its_client_resets(sandbox):
    before = threading.enumerate()
    sandbox.inject(Fault("hang"))
    connection = send_request(sandbox)
    assert sandbox.wait_until_held()
    thread = new_thread(before)

    connection.setsockopt(
        1, 13, b"\x01\x00\x00\x00\x00\x00\x00\x00"
    )  # SO_LINGER 0: close with a reset
    connection.close()
    thread.join(HANG_TIMEOUT)

    assert not thread.is_alive()


def test_hang_does_not_affect_other_requests(sandbox):
    sandbox.inject(Fault("hang"))

    with send_request(sandbox):
        assert sandbox.wait_until_held()
        reply = call(sandbox, "POST", FLOWS, STUDIO)

    assert reply.status == 201


def test_hang_after_a_release_holds_again(sandbox):
    sandbox.inject(Fault("hang", times=2))
    with send_request(sandbox) as connection:
        assert sandbox.wait_until_held()
        sandbox.release()
        read_until_closed(connection)

    with send_request(sandbox):
        assert sandbox.wait_until_held()


def test_wait_until_held_times_out(sandbox):
    assert sandbox.wait_until_held(timeout=0) is False


def test_late_apply_happens_after_the_client_disconnects(sandbox):
    before = threading.enumerate()
    sandbox.inject(Fault("late_apply"))
    with send_request(sandbox):
        assert sandbox.wait_until_held()
        thread = new_thread(before)
    flows = sandbox.flows

    sandbox.release()
    thread.join(HANG_TIMEOUT)

    assert flows == {}
    assert len(sandbox.flows) == 1
    assert (sandbox.requests[0].status, sandbox.requests[0].applied) == (None, True)


def test_late_apply_never_happens_after_a_stop(sandbox):
    sandbox.inject(Fault("late_apply"))

    with send_request(sandbox):
        assert sandbox.wait_until_held()
        sandbox.stop()

    assert sandbox.flows == {}


@pytest.mark.parametrize("kind", ["drip", "drip_headers"])
def test_drip_sends_the_rest_after_a_release(sandbox, kind):
    sandbox.inject(Fault(kind, seconds=3600))

    with send_request(sandbox) as connection:
        first = connection.recv(1)
        flows = list(sandbox.flows)
        sandbox.release()
        received = first + read_until_closed(connection)

    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 201 Created\r\n")
    assert [json.loads(body)["sid"]] == flows


@pytest.mark.parametrize("kind", ["drip", "drip_headers"])
def test_drip_sends_byte_by_byte(sandbox, kind):
    sandbox.inject(Fault(kind, seconds=0.0001))

    with send_request(sandbox) as connection:
        received = read_until_closed(connection)

    assert json.loads(received.partition(b"\r\n\r\n")[2])["sid"] in sandbox.flows


def test_drip_has_its_own_interval(sandbox):
    sandbox.inject(Fault("drip"))

    with send_request(sandbox) as connection:
        received = b""
        while b"\r\n\r\n{" not in received:
            received += connection.recv(65_536)
        sandbox.release()
        received += read_until_closed(connection)

    assert json.loads(received.partition(b"\r\n\r\n")[2])["sid"] in sandbox.flows


def test_drip_stops_when_the_client_disconnects(sandbox):
    before = threading.enumerate()
    sandbox.inject(Fault("drip", seconds=0.001))
    with send_request(sandbox) as connection:
        connection.recv(1)
        thread = new_thread(before)

    thread.join(HANG_TIMEOUT)

    assert not thread.is_alive()


def test_truncate_promises_more_than_it_sends(sandbox):
    sandbox.inject(Fault("truncate"))

    with send_request(sandbox) as connection:
        head, _, body = read_until_closed(connection).partition(b"\r\n\r\n")

    promised = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    assert head.startswith(b"HTTP/1.1 201 Created\r\n")
    assert 0 < len(body) < promised
    assert len(sandbox.flows) == 1


def test_truncate_applies_to_a_deletion(sandbox):
    sid = sandbox.add_flow()
    sandbox.inject(Fault("truncate"))

    with pytest.raises(http.client.IncompleteRead):
        call(sandbox, "DELETE", f"{FLOWS}/{sid}")

    assert sandbox.flows == {}


@pytest.mark.parametrize(("method", "status"), [("POST", 201), ("DELETE", 200)])
def test_huge_continues_until_the_client_disconnects(sandbox, method, status):
    path = FLOWS if method == "POST" else f"{FLOWS}/{sandbox.add_flow()}"
    sandbox.inject(Fault("huge"))
    with closing(http.client.HTTPConnection(*address(sandbox), timeout=HANG_TIMEOUT)) as connection:
        authorization = {"Authorization": basic(sandbox.api_key, sandbox.api_secret)}
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request(
            method,
            path,
            "FriendlyName=A&ChannelType=sms&ChatServiceSid=IS" + "0a" * 16,
            authorization | form,
        )
        with connection.getresponse() as response:
            size = len(response.read(5_000_000))

    assert (response.status, size) == (status, 5_000_000)
    assert sandbox.requests[0].applied is True


def test_huge_to_a_client_that_does_not_read_ends_with_a_release(sandbox):
    sandbox.inject(Fault("huge"))

    with send_request(sandbox) as connection:
        connection.recv(1)
        sandbox.release()
        size = len(read_until_closed(connection))

    assert size < 50_000_000
