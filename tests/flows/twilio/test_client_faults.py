"""FlexClient over real HTTP with the sandbox's faults: results, retries and deadlines.

The tests check the effects in the sandbox, never through the client.
"""

import contextlib
import gc
import json
import logging
import shutil
import socket
import ssl
import subprocess
import threading
import time

import pytest
import requests
import urllib3

from flows.twilio import client as client_module
from flows.twilio.client import FlexClient
from flows.twilio.deadline import Call, DeadlineAdapter
from flows.twilio.errors import NotSent, OutcomeUnknown, RequestRefused
from flows.twilio.sandbox.faults import LIST_FAULTS, Fault, FaultKind
from flows.twilio.sandbox.server import Sandbox

UNKNOWN_SID = "FO" + "0" * 32
NEW = {"friendly_name": "Lyon", "chat_service_sid": "IS" + "1" * 32, "channel_type": "web"}
SHORT = 0.3  # seconds: the deadline of a call that is going to miss it

OPERATIONS = {
    "list": lambda client, sid: list(client.list()),
    "fetch": lambda client, sid: client.fetch(sid),
    "create": lambda client, sid: client.create(NEW),
    "update": lambda client, sid: client.update(sid, {"friendly_name": "Plaintes"}),
    "delete": lambda client, sid: client.delete(sid),
}
METHODS = {"list": "GET", "fetch": "GET", "create": "POST", "update": "POST", "delete": "DELETE"}
every_operation = pytest.mark.parametrize("operation", OPERATIONS)

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


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def sandbox():
    with Sandbox() as started_sandbox:
        yield started_sandbox


@pytest.fixture
def sid(sandbox):
    return sandbox.add_flow(friendly_name="Réclamations")


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def client_of(sandbox, pauses):
    """Return a function that creates a client for the sandbox. Options replace the defaults."""
    clients = []

    def make(**options):
        defaults = {
            "base_url": sandbox.url,
            "account_sid": sandbox.account_sid,
            "auth": (sandbox.api_key, sandbox.api_secret),
            "rate_limits": False,
            "sleep": pauses.append,
        }
        clients.append(FlexClient(**defaults | options))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def closed_port():
    """A port of this machine that refuses every connection."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        yield listener.getsockname()[1]


class RawServer:
    """A TCP server that calls `serve(connection, number)` for each connection, from number 1."""

    def __init__(self, serve, context=None):
        self.serve, self.context = serve, context
        self.connections = []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.threads = [threading.Thread(target=self.accept, daemon=True)]
        self.threads[0].start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listening.accept()
                self.connections.append(connection)
                thread = threading.Thread(
                    target=self.handle, args=(connection, len(self.connections)), daemon=True
                )
                self.threads.append(thread)
                thread.start()

    def handle(self, connection, number):
        with contextlib.suppress(OSError, ssl.SSLError):
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            with connection:
                self.serve(connection, number)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        for thread in self.threads:
            thread.join(10)
        assert not any(thread.is_alive() for thread in self.threads)


def read_request(connection):
    """Return a request with headers and body, or nothing if the client has disconnected."""
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = connection.recv(65_536)
        if not chunk:
            return b""
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(
        (
            int(line[15:])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        ),
        0,
    )
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


def http_response(payload, *, status="200 OK"):
    body = json.dumps(payload).encode()
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), len(body), body)


NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


# Every operation with every fault


def test_every_fault_is_covered():
    assert set(EXPECTED["list"]) == set(FaultKind)
    for operation in ("fetch", "create", "update", "delete"):
        assert set(EXPECTED[operation]) == set(FaultKind) - LIST_FAULTS


@pytest.mark.parametrize(("operation", "kind", "error", "count"), CASES)
def test_single_fault(sandbox, sid, client_of, pauses, monkeypatch, operation, kind, error, count):
    monkeypatch.setattr(client_module, "MAX_BODY_BYTES", 100_000)
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
    monkeypatch.setattr(client_module, "MAX_BODY_BYTES", 1_000)
    sandbox.inject(Fault(FaultKind.HUGE))

    with pytest.raises(OutcomeUnknown, match="could not be read"):
        client_of().update(sid, {"enabled": False})


def test_body_of_the_largest_size_is_read(client_of, monkeypatch):
    flow = {"sid": UNKNOWN_SID}
    monkeypatch.setattr(client_module, "MAX_BODY_BYTES", len(json.dumps(flow)))

    def serve(connection, _number):
        while read_request(connection):
            connection.sendall(http_response(flow))

    with RawServer(serve) as server:
        assert client_of(base_url=f"http://127.0.0.1:{server.port}/v1").fetch(UNKNOWN_SID) == flow
        monkeypatch.setattr(client_module, "MAX_BODY_BYTES", len(json.dumps(flow)) - 1)
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


# Redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@every_operation
def test_redirect_is_not_followed(client_of, operation, status):
    requests_received = []

    def serve(connection, _number):
        requests_received.append(read_request(connection))
        connection.sendall(
            b"HTTP/1.1 %d Go\r\nLocation: /v1/elsewhere\r\nContent-Length: 0\r\n\r\n" % status
        )

    with RawServer(serve) as server, pytest.raises(OutcomeUnknown) as excinfo:
        OPERATIONS[operation](client_of(base_url=f"http://127.0.0.1:{server.port}/v1"), UNKNOWN_SID)

    assert excinfo.value.status == status
    assert len(requests_received) == 1
    assert b"elsewhere" not in requests_received[0]


# Requests that were not sent


@pytest.mark.parametrize("scheme", ["http", "https"])
@every_operation
def test_refused_connection_is_not_sent(client_of, closed_port, pauses, operation, scheme):
    client = client_of(base_url=f"{scheme}://127.0.0.1:{closed_port}/v1")

    with pytest.raises(NotSent):
        OPERATIONS[operation](client, UNKNOWN_SID)

    assert len(pauses) == (0 if operation in {"create", "update"} else 3)


@pytest.mark.parametrize("host", ["a" * 64 + ".invalid", "a..b"])
def test_invalid_host_name_is_an_error_of_the_client(client_of, host, pauses):
    with pytest.raises((NotSent, OutcomeUnknown)):
        client_of(base_url=f"http://{host}/v1").update(UNKNOWN_SID, {})


def test_failed_handshake_is_not_sent(client_of):
    requests_received = []

    def serve(connection, _number):
        requests_received.append(connection.recv(65_536))
        connection.sendall(b"HTTP/1.1 400 no TLS here\r\n\r\n")

    with RawServer(serve) as server, pytest.raises(NotSent):
        client_of(base_url=f"https://127.0.0.1:{server.port}/v1").create(NEW)

    assert len(requests_received) == 1
    assert b"FlexFlows" not in requests_received[0]


@pytest.mark.parametrize("base", ["http://flex-api.example/v1", "https://flex-api.example/v1"])
@every_operation
def test_unreachable_proxy_is_not_sent(client_of, closed_port, monkeypatch, operation, base):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port}")
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{closed_port}")

    with pytest.raises(NotSent):
        OPERATIONS[operation](client_of(base_url=base), UNKNOWN_SID)


def test_refused_proxy_tunnel_is_not_sent(client_of, monkeypatch):
    requests_received = []

    def serve(connection, _number):
        requests_received.append(read_request(connection))
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    with RawServer(serve) as server:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{server.port}")
        with pytest.raises(NotSent):
            client_of(base_url="https://flex-api.example/v1").create(NEW)

    assert len(requests_received) == 1
    assert requests_received[0].startswith(b"CONNECT flex-api.example:443 ")
    assert b"uthorization" not in requests_received[0]


def test_deadline_holds_through_a_proxy(client_of, monkeypatch):
    hangs = threading.Event()

    def serve(connection, _number):
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while not hangs.wait(0.05):
            connection.sendall(b"X-Drip: drop\r\n")

    with RawServer(serve) as server:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.port}")
        with pytest.raises(OutcomeUnknown, match="in time"):
            client_of(base_url="http://flex-api.example/v1", deadline=SHORT).create(NEW)
        hangs.set()


def test_proxy_is_not_used_for_this_machine(sandbox, sid, client_of, closed_port, monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port}")

    assert client_of().fetch(sid)["sid"] == sid
    assert client_of().update(sid, {"enabled": False}).status == 200


def test_unsupported_proxy_is_an_error_of_the_client(client_of, monkeypatch):
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:9")

    with pytest.raises((OutcomeUnknown, NotSent)):
        client_of(base_url="http://flex-api.example/v1").create(NEW)


# Reused connections


def close_after_first_response(payload):
    """Return a `serve` that closes each connection at its second request, and a log of requests."""
    lines = []

    def serve(connection, number):
        method = read_request(connection).split(b" ")[0]
        lines.append((number, method))
        connection.sendall(NO_CONTENT if method == b"DELETE" else http_response(payload))
        if request := read_request(connection):
            lines.append((number, request.split(b" ")[0]))

    return serve, lines


@pytest.mark.parametrize("operation", ["create", "update", "delete"])
def test_write_does_not_reuse_a_connection(client_of, pauses, operation):
    serve, lines = close_after_first_response({"sid": UNKNOWN_SID})

    with RawServer(serve) as server:
        client = client_of(base_url=f"http://127.0.0.1:{server.port}/v1")
        client.fetch(UNKNOWN_SID)
        OPERATIONS[operation](client, UNKNOWN_SID)

    assert lines == [(1, b"GET"), (2, METHODS[operation].encode())]
    assert pauses == []


def test_read_on_a_closed_connection_is_retried_at_once(client_of, pauses):
    serve, lines = close_after_first_response({"sid": UNKNOWN_SID})

    with RawServer(serve) as server:
        client = client_of(base_url=f"http://127.0.0.1:{server.port}/v1")
        client.fetch(UNKNOWN_SID)
        assert client.fetch(UNKNOWN_SID) == {"sid": UNKNOWN_SID}

    assert lines == [(1, b"GET"), (1, b"GET"), (2, b"GET")]
    assert pauses == [0.0]  # at once, because Twilio is not the cause


def test_deadline_holds_on_a_reused_connection(client_of):
    goes_on = threading.Event()
    lines = []

    def serve(connection, number):
        read_request(connection)
        connection.sendall(http_response({"sid": UNKNOWN_SID}))
        lines.append((number, read_request(connection)[:3]))
        goes_on.wait(10)

    with RawServer(serve) as server:
        client = client_of(base_url=f"http://127.0.0.1:{server.port}/v1", deadline=SHORT)
        client.fetch(UNKNOWN_SID)
        with pytest.raises(OutcomeUnknown, match="in time"):
            client.fetch(UNKNOWN_SID)
        goes_on.set()

    assert lines == [(1, b"GET")]


# TLS


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A temporary certificate for this machine."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder


@pytest.fixture
def tls(certificate):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    return context


def test_deadline_ends_an_encrypted_drip(client_of, certificate, tls, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate / "cert.pem"))
    enough = threading.Event()

    def serve(connection, _number):
        assert b"FriendlyName=Lyon" in read_request(connection)
        connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 100000\r\n\r\n")
        while not enough.wait(0.02):
            connection.sendall(b" ")

    with RawServer(serve, tls) as server:
        client = client_of(base_url=f"https://127.0.0.1:{server.port}/v1", deadline=1.0)
        with pytest.raises(OutcomeUnknown, match="in time"):
            client.create(NEW)
        enough.set()


def test_encrypted_response_is_read(client_of, certificate, tls, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate / "cert.pem"))

    def serve(connection, _number):
        read_request(connection)
        connection.sendall(http_response({"sid": UNKNOWN_SID}))

    with RawServer(serve, tls) as server:
        assert client_of(base_url=f"https://127.0.0.1:{server.port}/v1").fetch(UNKNOWN_SID) == {
            "sid": UNKNOWN_SID
        }


def test_untrusted_certificate_is_not_sent(client_of, tls):
    requests_received = []

    def serve(connection, _number):
        requests_received.append(read_request(connection))

    with RawServer(serve, tls) as server, pytest.raises(NotSent):
        client_of(base_url=f"https://127.0.0.1:{server.port}/v1").create(NEW)

    assert b"".join(requests_received) == b""


# The timer alone


def test_connections_work_outside_a_call(sandbox, sid):
    with requests.Session() as session:
        session.mount("http://", DeadlineAdapter())
        for _ in range(2):
            response = session.get(
                f"{sandbox.url}/FlexFlows/{sid}", auth=(sandbox.api_key, sandbox.api_secret)
            )
            assert response.json()["sid"] == sid


def test_call_that_is_late_before_its_request_is_cut_at_once(sandbox, sid):
    """The deadline can pass before there is a socket to shut down."""
    with requests.Session() as session:
        session.mount("http://", DeadlineAdapter())
        sandbox.inject(Fault(FaultKind.HANG))
        with Call(time.monotonic() + 60) as call:
            call.cut()
            with pytest.raises(requests.ConnectionError):
                session.get(f"{sandbox.url}/FlexFlows/{sid}", timeout=5)

    assert call.is_late
    assert not call.is_unsent


def test_late_connection_sends_nothing(sandbox, sid):
    """No timeout covers the look-up of the host name, so a connection can come after the deadline."""
    with requests.Session() as session:
        session.mount("http://", DeadlineAdapter())
        with Call(time.monotonic() - 1) as call, pytest.raises(requests.RequestException):
            session.get(f"{sandbox.url}/FlexFlows/{sid}", timeout=5)

    assert call.is_unsent
    assert sandbox.requests == []


def test_call_leaves_no_timer_behind():
    """A timer that is left could shut down the socket of another call."""
    before = set(threading.enumerate())

    with Call(time.monotonic() + 3600):
        (watchdog,) = set(threading.enumerate()) - before

    watchdog.join(10)
    assert not watchdog.is_alive()


def test_closed_socket_is_no_error():
    with Call(time.monotonic() + 60) as call:
        call.sock = socket.socket()
        call.sock.close()
        call.cut()

    assert call.is_late


def test_complete_response_after_the_deadline_is_unknown(client_of, sandbox, sid, monkeypatch):
    """A complete body looks the same as one that was cut where it happens to end."""
    bounded = client_module._read_body

    def slowly(response):
        body = bounded(response)
        calls[0].cut()
        return body

    calls = []

    class RecordedCall(Call):
        def __init__(self, deadline):
            super().__init__(deadline)
            calls.append(self)

    monkeypatch.setattr(client_module, "Call", RecordedCall)
    monkeypatch.setattr(client_module, "_read_body", slowly)

    with pytest.raises(OutcomeUnknown, match="in time"):
        client_of().update(sid, {"enabled": False})


def test_urllib3_error_is_unknown(client_of, sid, monkeypatch):
    def broken(_response):
        raise urllib3.exceptions.HTTPError("as it may")

    monkeypatch.setattr(client_module, "_read_body", broken)

    with pytest.raises(OutcomeUnknown, match="lost"):
        client_of().update(sid, {"enabled": False})


def test_hang_has_one_log_line(sandbox, sid, client_of, caplog):
    caplog.set_level(logging.INFO, logger="flows.twilio.client")
    sandbox.inject(Fault(FaultKind.HANG))

    with pytest.raises(OutcomeUnknown):
        client_of(deadline=SHORT).update(sid, {"friendly_name": "canary"})

    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith(f"POST /v1/FlexFlows/{sid} no answer ")
    assert "canary" not in caplog.text
