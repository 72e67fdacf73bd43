"""Connections of ResourceClient: redirects, failed connections, proxies, reuse, TLS and the timer."""

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
from flows.twilio import transport
from flows.twilio.deadline import Call, DeadlineAdapter
from flows.twilio.errors import NotSent, OutcomeUnknown
from flows.twilio.sandbox.faults import Fault, FaultKind
from flows.twilio.sandbox.server import Sandbox
from tests.flows.twilio.raw_server import (
    METHODS,
    NEW,
    NO_CONTENT,
    OPERATIONS,
    SHORT,
    UNKNOWN_SID,
    RawServer,
    every_operation,
    http_response,
    read_request,
)
from tests.patience import HANG_TIMEOUT


@pytest.fixture
def sandbox():
    with Sandbox() as started_sandbox:
        yield started_sandbox


@pytest.fixture
def sid(sandbox):
    return sandbox.add_flow(friendly_name="Réclamations")


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
        goes_on.wait(HANG_TIMEOUT)

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

    watchdog.join(HANG_TIMEOUT)
    assert not watchdog.is_alive()


def test_closed_socket_is_no_error():
    with Call(time.monotonic() + 60) as call:
        call.sock = socket.socket()
        call.sock.close()
        call.cut()

    assert call.is_late


def test_complete_response_after_the_deadline_is_unknown(client_of, sandbox, sid, monkeypatch):
    """A complete body looks the same as one that was cut where it happens to end."""
    bounded = transport.read_body

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
    monkeypatch.setattr(transport, "read_body", slowly)

    with pytest.raises(OutcomeUnknown, match="in time"):
        client_of().update(sid, {"enabled": False})


def test_urllib3_error_is_unknown(client_of, sid, monkeypatch):
    def broken(_response):
        raise urllib3.exceptions.HTTPError("as it may")

    monkeypatch.setattr(transport, "read_body", broken)

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
