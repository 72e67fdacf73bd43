"""The sandbox as a server: authentication, paths, methods, request log and control requests."""

import json
import logging
import socket
from datetime import UTC, datetime

import pytest

from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.sandbox import handler
from flows.twilio.sandbox.faults import Fault
from flows.twilio.sandbox.rules import parse_parameters
from flows.twilio.sandbox.server import Sandbox
from tests.flows.twilio import (
    FLOWS,
    FO,
    FORM,
    STUDIO,
    Clock,
    address,
    basic,
    call,
    create,
    read_until_closed,
    send_request,
)
from tests.patience import HANG_TIMEOUT


@pytest.fixture
def sandbox():
    with Sandbox(clock=Clock()) as sandbox:
        yield sandbox


def test_demo_credentials_are_fictional(sandbox):
    assert sandbox.account_sid == "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"
    assert sandbox.api_key == "SK5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b"
    assert sandbox.api_secret == "sandbox-secret"


@pytest.mark.parametrize("scheme", ["Basic", "basic"])
def test_sign_in_takes_a_key_or_the_auth_token(scheme):
    own = Sandbox(
        account_sid="AC" + "1" * 32, keys={"SK1": "one", "SK2": "two: é"}, auth_token="token"
    )
    pairs = [("SK1", "one"), ("SK2", "two: é"), ("AC" + "1" * 32, "token")]
    with own as sandbox:
        headers = [basic(*pair).replace("Basic", scheme) for pair in pairs]

        statuses = [
            call(sandbox, "GET", FLOWS, headers={"Authorization": one}).status for one in headers
        ]

    assert statuses == [200, 200, 200]
    assert (sandbox.api_key, sandbox.api_secret) == ("SK1", "one")


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic",
        "Basic !!!",
        "Basic é",
        "Bearer sandbox-secret",
        basic("SK5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b", "wrong"),
        basic("SK5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b", "sandbox-auth-token"),
        basic("AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "sandbox-secret"),
        basic("SK5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b", ""),
        basic("nobody", "sandbox-secret"),
        basic("SK5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b", "sandbox-secret").replace("Basic", "Digest"),
    ],
)
def test_sign_in_with_anything_else_is_refused(sandbox, authorization):
    reply = call(sandbox, "POST", FLOWS, STUDIO, headers={"Authorization": authorization})

    assert (reply.status, reply.json["code"], reply.json["status"]) == (401, 20003, 401)
    assert reply.headers["WWW-Authenticate"] == 'Basic realm="Twilio API"'
    assert sandbox.flows == {}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", FLOWS, "GET, POST"),
        ("DELETE", FLOWS, "GET, POST"),
        ("PATCH", f"{FLOWS}/{FO}", "GET, POST, DELETE"),
        ("OPTIONS", f"{FLOWS}/{FO}", "GET, POST, DELETE"),
        ("BREW", FLOWS, "GET, POST, DELETE"),
    ],
)
def test_other_methods_are_not_allowed(sandbox, method, path, allowed):
    reply = call(sandbox, method, path)

    assert (reply.status, reply.json["code"], reply.headers["Allow"]) == (405, 20004, allowed)


def test_head_is_not_allowed_and_has_no_body(sandbox):
    with send_request(sandbox, "HEAD") as connection:
        connection.shutdown(socket.SHUT_WR)
        head, _, body = read_until_closed(connection).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 405 Method Not Allowed\r\n")
    assert body == b""


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/FlexFlows/", "/v1/flexflows", "/FlexFlows", f"{FLOWS}/{FO}/x"]
)
def test_other_paths_are_not_found(sandbox, path):
    reply = call(sandbox, "GET", path)

    assert (reply.status, reply.json["code"]) == (404, 20404)
    assert path in reply.json["message"]


def test_each_response_has_a_request_id(sandbox):
    replies = [
        call(sandbox, "GET", FLOWS),
        call(sandbox, "GET", "/"),
        call(sandbox, "POST", FLOWS, STUDIO),
    ]
    replies.append(call(sandbox, "DELETE", f"{FLOWS}/{replies[2].json['sid']}"))

    ids = {reply.headers["Twilio-Request-Id"] for reply in replies}
    assert len(ids) == 4
    assert all(one[:2] == "RQ" and len(one) == 34 and int(one[2:], 16) for one in ids)


def test_connection_stays_open_for_another_request(sandbox):
    with send_request(sandbox, "GET") as connection:
        first = connection.recv(65_536)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        second = connection.recv(65_536)

    assert b"Connection: keep-alive" in first
    assert second.startswith(b"HTTP/1.1 401 ")


def raw(sandbox, *lines, body=b""):
    """Send these lines and return everything that the server sends until it closes."""
    authorization = f"Authorization: {basic(sandbox.api_key, sandbox.api_secret)}"
    with socket.create_connection(address(sandbox), timeout=HANG_TIMEOUT) as connection:
        connection.sendall("\r\n".join((*lines, authorization, "", "")).encode() + body)
        return read_until_closed(connection)


def test_request_without_a_host_gets_links_on_the_sandboxs_own(sandbox):
    received = raw(sandbox, f"GET {FLOWS} HTTP/1.0")

    assert f"{sandbox.url}/FlexFlows?PageSize=50".encode() in received


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ((f"POST {FLOWS} HTTP/1.1", "Transfer-Encoding: chunked"), b"411 Length Required"),
        ((f"POST {FLOWS} HTTP/1.1", "Content-Length: many"), b"400 Bad Request"),
        ((f"POST {FLOWS} HTTP/1.1", "Content-Length: -1"), b"400 Bad Request"),
        (("NONSENSE",), b"400 Bad Request"),
        ((f"GET {FLOWS} HTTP/3.1",), b"505 HTTP Version Not Supported"),
    ],
)
def test_unreadable_request_is_refused_in_twilios_envelope(sandbox, lines, status):
    received = raw(sandbox, *lines)

    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 " + status + b"\r\n")
    assert json.loads(body).keys() == {"code", "message", "more_info", "status"}
    assert sandbox.flows == {}


@pytest.mark.parametrize("size", [64 * 1024 + 1, 5 * 1024 * 1024])
def test_body_over_the_limit_is_too_large(sandbox, size, monkeypatch):
    monkeypatch.setattr(handler, "MAX_DRAINED_BYTES", 6 * 1024 * 1024)

    reply = call(sandbox, "POST", FLOWS, body=b"x" * size)

    assert (reply.status, reply.json["status"]) == (413, 413)
    assert reply.headers["Connection"] == "close"


def test_large_body_that_ends_early_has_a_response(sandbox):
    received = b""
    with socket.create_connection(address(sandbox), timeout=HANG_TIMEOUT) as connection:
        connection.sendall(f"POST {FLOWS} HTTP/1.1\r\nContent-Length: 999999\r\n\r\nxx".encode())
        connection.shutdown(socket.SHUT_WR)
        received = read_until_closed(connection)

    assert received.startswith(b"HTTP/1.1 401 ")  # who may call comes first


def test_incomplete_body_is_never_applied(sandbox):
    with send_request(sandbox, parameters={}) as warm_up:
        assert warm_up.recv(65_536)
    body = b"FriendlyName=Half+a"
    lines = (f"POST {FLOWS} HTTP/1.1", f"Content-Type: {FORM}", "Content-Length: 200", "", "")
    with socket.create_connection(address(sandbox), timeout=HANG_TIMEOUT) as connection:
        connection.sendall("\r\n".join(lines).encode() + body)
        connection.shutdown(socket.SHUT_WR)
        received = read_until_closed(connection)

    assert received == b""
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize("body", [b"FriendlyName=\xff", b"FriendlyName=%FF", b"a=1&" * 300])
def test_body_that_is_not_a_utf8_form_is_refused(sandbox, body):
    reply = call(sandbox, "POST", FLOWS, body=body)

    assert (reply.status, reply.json["code"]) == (400, 20001)


def test_query_that_is_not_utf8_is_refused(sandbox):
    reply = call(sandbox, "GET", f"{FLOWS}?FriendlyName=%FF")

    assert (reply.status, reply.json["code"]) == (400, 20001)


def test_body_of_another_content_type_is_ignored(sandbox):
    flow = create(sandbox)

    reply = call(
        sandbox,
        "POST",
        f"{FLOWS}/{flow['sid']}",
        body=b'{"FriendlyName": "x"}&FriendlyName=y',
        headers={"Content-Type": "application/json"},
    )

    assert (reply.status, reply.json) == (200, flow)


def test_crash_becomes_a_500_and_the_server_goes_on(sandbox, monkeypatch, caplog):
    def broken(_resource, _parameters, _operation):
        raise ZeroDivisionError

    with monkeypatch.context() as broken_contract, caplog.at_level(logging.CRITICAL):
        broken_contract.setattr("flows.twilio.sandbox.rules.parse_parameters", broken)
        reply = call(sandbox, "POST", FLOWS, STUDIO)

    assert (reply.status, reply.json["code"]) == (500, 20500)
    assert call(sandbox, "POST", FLOWS, STUDIO).status == 201
    assert parse_parameters(FLEX_FLOW, {}, "create") == {}


def test_crash_outside_the_api_is_logged_and_the_server_goes_on(sandbox, monkeypatch, caplog):
    def broken(*_, **__):
        raise ZeroDivisionError

    with monkeypatch.context() as broken_log:
        broken_log.setattr(sandbox._log, "open", broken)
        with send_request(sandbox, "GET") as connection:
            received = read_until_closed(connection)

    assert received == b""
    assert "failed at a request" in caplog.text
    assert call(sandbox, "GET", FLOWS).status == 200


def test_log_has_every_request_in_order(sandbox):
    flow = create(sandbox)
    path = f"{FLOWS}/{flow['sid']}"

    call(sandbox, "GET", FLOWS, {"PageSize": "5"})
    call(sandbox, "POST", path, {"Enabled": "maybe"})
    call(sandbox, "POST", path, {"FriendlyName": "Zürich"})
    call(sandbox, "DELETE", path)

    at = datetime(2026, 3, 1, 12, 0, 0, 654321, tzinfo=UTC)
    one = flow["sid"]
    records = [
        (each.n, each.method, each.path, each.parameters, each.status, each.applied, each.sid)
        for each in sandbox.requests
    ]
    assert records == [
        (1, "POST", FLOWS, STUDIO, 201, True, one),
        (2, "GET", FLOWS, {"PageSize": "5"}, 200, False, None),
        (3, "POST", path, {"Enabled": "maybe"}, 400, False, None),
        (4, "POST", path, {"FriendlyName": "Zürich"}, 200, True, one),
        (5, "DELETE", path, {}, 204, True, one),
    ]
    assert {(each.at, each.fault) for each in sandbox.requests} == {(at, None)}


def test_control_over_http_injects_and_clears_faults(sandbox):
    fault = json.dumps(
        {"kind": "server_error", "method": "GET", "path": "/FlexFlows", "times": 2, "status": 503}
    )
    bare = {"Authorization": ""}

    injection = call(sandbox, "POST", "/_sandbox/faults", body=fault, headers=bare)
    received = call(sandbox, "GET", FLOWS)
    cleared = call(sandbox, "DELETE", "/_sandbox/faults", headers=bare)
    after = call(sandbox, "GET", FLOWS)

    assert [reply.status for reply in (injection, received, cleared, after)] == [204, 503, 204, 200]


def test_control_over_http_reads_the_log_and_is_not_in_it(sandbox):
    flow = create(sandbox)

    reply = call(sandbox, "GET", "/_sandbox/requests", headers={"Authorization": ""})

    assert reply.json == [
        {
            "n": 1,
            "method": "POST",
            "path": FLOWS,
            "parameters": STUDIO,
            "at": "2026-03-01T12:00:00.654321+00:00",
            "status": 201,
            "applied": True,
            "sid": flow["sid"],
            "fault": None,
        }
    ]
    assert len(sandbox.requests) == 1


def test_control_over_http_releases(sandbox):
    sandbox.inject(Fault("hang"))

    with send_request(sandbox) as connection:
        assert sandbox.wait_until_held()
        call(sandbox, "POST", "/_sandbox/release")

        assert read_until_closed(connection) == b""


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/_sandbox/faults", None, 404),
        ("GET", "/_sandbox/", None, 404),
        ("POST", "/_sandbox/faults", "nonsense", 400),
        ("POST", "/_sandbox/faults", "[]", 400),
        ("POST", "/_sandbox/faults", "{}", 400),
        ("POST", "/_sandbox/faults", '{"kind": "earthquake"}', 400),
        ("POST", "/_sandbox/faults", '{"kind": "hang", "colour": "red"}', 400),
    ],
)
def test_control_over_http_refuses_anything_else(sandbox, method, path, body, status):
    reply = call(sandbox, method, path, body=body)

    assert reply.status == status
    assert reply.json["message"]
