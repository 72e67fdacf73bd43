"""The open connections of a thread for its reads, as the sandbox sees them."""

import threading

import pytest

from flows.twilio import client as client_module
from flows.twilio import deadline
from flows.twilio.client import ResourceClient
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.sandbox.faults import Fault, FaultKind
from flows.twilio.sandbox.server import Sandbox
from tests.faults.acting import wait_for
from tests.flows.twilio.raw_server import (
    UNKNOWN_SID,
    RawServer,
    http_response,
    read_request,
)
from tests.patience import HANG_TIMEOUT


@pytest.fixture(autouse=True)
def _close_sessions():
    client_module._sessions.close()
    yield
    client_module._sessions.close()


@pytest.fixture
def sandbox():
    with Sandbox() as started_sandbox:
        yield started_sandbox


@pytest.fixture
def sid(sandbox):
    return sandbox.add_flow()


def client_of(sandbox, **options):
    defaults = {
        "base_url": sandbox.url,
        "account_sid": sandbox.account_sid,
        "auth": (sandbox.api_key, sandbox.api_secret),
        "rate_limits": False,
        "sleep": lambda _seconds: None,
    }
    return ResourceClient(FLEX_FLOW, **defaults | options)


def in_a_thread(call):
    thread = threading.Thread(target=call)
    thread.start()
    thread.join(HANG_TIMEOUT)
    assert not thread.is_alive()


def test_reads_of_a_thread_go_over_one_connection(sandbox, sid):
    for deadline_of_this_call in (4.0, 15.0, 30.0, 4.0):
        client_of(sandbox, deadline=deadline_of_this_call).fetch(sid)
    list(client_of(sandbox).list())

    assert sandbox.connections == 1
    assert len(sandbox.requests) == 5


def test_each_thread_has_a_connection_that_closes_with_it(sandbox, sid):
    def read_twice():
        client_of(sandbox).fetch(sid)
        client_of(sandbox).fetch(sid)
        open_counts.append(sandbox.open_connections)

    open_counts = []
    for _ in range(3):
        in_a_thread(read_twice)
        wait_for(lambda: sandbox.open_connections == 0)

    assert (open_counts, sandbox.connections) == ([1, 1, 1], 3)


def test_each_account_has_a_connection(sandbox, sid):
    with Sandbox(account_sid="AC" + "0e" * 16) as staging:
        other = staging.add_flow()
        for _ in range(3):
            client_of(sandbox).fetch(sid)
            client_of(staging).fetch(other)

        assert (sandbox.connections, staging.connections) == (1, 1)


def test_account_with_another_url_has_a_new_connection(sandbox, sid):
    with Sandbox() as elsewhere:
        other = elsewhere.add_flow()
        client_of(sandbox).fetch(sid)

        client_of(elsewhere).fetch(other)

        assert elsewhere.connections == 1
        wait_for(lambda: sandbox.open_connections == 0)


def test_other_credentials_use_a_new_connection(sandbox, sid):
    client_of(sandbox).fetch(sid)

    client_of(sandbox, auth=(sandbox.account_sid, sandbox.auth_token)).fetch(sid)

    assert sandbox.connections == 2


@pytest.mark.parametrize("operation", ["create", "update", "delete"])
def test_write_leaves_no_connection_open(sandbox, sid, operation):
    client = client_of(sandbox)
    {
        "create": lambda: client.create(
            {"friendly_name": "x", "chat_service_sid": "IS" + "1" * 32, "channel_type": "web"}
        ),
        "update": lambda: client.update(sid, {"enabled": False}),
        "delete": lambda: client.delete(sid),
    }[operation]()

    wait_for(lambda: sandbox.open_connections == 0)
    assert sandbox.connections == 1


def test_failed_reads_leave_at_most_one_connection_open(sandbox, sid):
    for kind in (FaultKind.SERVER_ERROR, FaultKind.DROP, FaultKind.TRUNCATE, FaultKind.HUGE):
        sandbox.inject(Fault(kind))
        client_of(sandbox).fetch(sid)

    wait_for(lambda: sandbox.open_connections <= 1)


def test_idle_connection_is_not_reused(sandbox, sid, monkeypatch):
    client_of(sandbox).fetch(sid)
    monkeypatch.setattr(deadline, "MAX_IDLE_SECONDS", -1.0)  # so that any time is long

    client_of(sandbox).fetch(sid)

    assert sandbox.connections == 2


def test_closed_connection_is_replaced_without_an_error(sid, sandbox):
    """The server closes the connection before the next request."""
    counted = []

    def serve(connection, number):
        counted.append(number)
        read_request(connection)
        connection.sendall(http_response({"sid": UNKNOWN_SID}))

    with RawServer(serve) as server:
        for _ in range(3):
            client = client_of(sandbox, base_url=f"http://127.0.0.1:{server.port}/v1")
            assert client.fetch(UNKNOWN_SID) == {"sid": UNKNOWN_SID}
            wait_for(lambda: not any(thread.is_alive() for thread in server.threads[1:]))

    assert counted == [1, 2, 3]


def test_cookies_are_not_sent_back(sandbox):
    requests = []

    def serve(connection, _number):
        while request := read_request(connection):
            requests.append(request)
            body = b'{"sid": "%s"}' % UNKNOWN_SID.encode()
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: %d\r\n\r\n%s"
                % (len(body), body)
            )

    with RawServer(serve) as server:
        for _ in range(2):
            client_of(sandbox, base_url=f"http://127.0.0.1:{server.port}/v1").fetch(UNKNOWN_SID)
        client_module._sessions.close()

    assert len(requests) == 2
    assert b"cookie" not in requests[1].lower()


def test_forked_process_does_not_use_its_parents_connection(sandbox, sid, monkeypatch):
    client_of(sandbox).fetch(sid)
    monkeypatch.setattr("flows.twilio.transport.os.getpid", lambda: 1)

    client_of(sandbox).fetch(sid)

    assert sandbox.connections == 2
