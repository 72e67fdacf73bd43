"""Every fault as a raw client receives it, and its effect on the flows."""

import http.client
import json
import threading
from contextlib import closing

import pytest

from flows.twilio.sandbox.faults import Fault, FaultKind
from flows.twilio.sandbox.server import Sandbox
from tests.flows.twilio import (
    FLOWS,
    STUDIO,
    address,
    basic,
    call,
    create,
    read_until_closed,
    send_request,
)

# kind: status that the client hears, applied
EXPECTED = {
    "refuse": (400, False),
    "too_many": (429, False),
    "server_error": (500, False),
    "apply_then_server_error": (500, True),
    "html": (502, False),
    "html_ok": (200, True),
    "garbage": (200, True),
    "wrong_sid": (201, True),
    "redirect": (307, False),
    "empty": (200, True),
    "problem": (400, False),
    "drip": (201, True),
    "drip_headers": (201, True),
}
UNHEARD = {
    "drop": False,
    "apply_then_drop": True,
    "hang": False,
    "apply_then_hang": True,
    "late_apply": True,
}
CUT = {"truncate", "huge"}
OF_LISTS = {"leave_host", "page_loop"}


@pytest.fixture
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


def new_thread(before):
    """Return the server's thread for the only connection since `before`."""
    (thread,) = set(threading.enumerate()) - set(before)
    return thread


def test_all_kinds_are_covered():
    assert EXPECTED.keys() | UNHEARD.keys() | CUT | OF_LISTS == {kind.value for kind in FaultKind}


@pytest.mark.parametrize(
    ("kind", "status", "applied"), [(kind, *facts) for kind, facts in EXPECTED.items()]
)
def test_fault_reaches_the_client_and_the_log(sandbox, kind, status, applied):
    sandbox.inject(Fault(kind, seconds=0))

    reply = call(sandbox, "POST", FLOWS, STUDIO)

    received = sandbox.requests[0]
    assert reply.status == status
    assert len(sandbox.flows) == int(applied)
    assert (received.status, received.applied, received.fault) == (status, applied, kind)
    assert received.sid == (next(iter(sandbox.flows)) if applied else None)


@pytest.mark.parametrize("kind", sorted(EXPECTED.keys() - {"wrong_sid"}))
def test_fault_applies_to_a_deletion(sandbox, kind):
    sid = sandbox.add_flow()
    sandbox.inject(Fault(kind, seconds=0))

    reply = call(sandbox, "DELETE", f"{FLOWS}/{sid}")

    status, applied = EXPECTED[kind]
    assert reply.status == (204 if status == 201 else status)
    assert (sid not in sandbox.flows) is applied


def test_refuse_has_its_status_and_code(sandbox):
    sandbox.inject(Fault("refuse", status=403, code=20005, retry_after=2))

    reply = call(sandbox, "GET", FLOWS)

    assert reply.status == 403
    assert reply.json == {
        "code": 20005,
        "message": "Account not active",
        "more_info": "https://www.twilio.com/docs/errors/20005",
        "status": 403,
    }
    assert reply.headers["Retry-After"] == "2"


def test_refuse_with_an_unknown_code_has_a_message(sandbox):
    sandbox.inject(Fault("refuse", status=410, code=45999))

    reply = call(sandbox, "GET", FLOWS)

    assert (reply.status, reply.json["message"]) == (410, "Refused on request")


@pytest.mark.parametrize(
    ("retry_after", "header"),
    [(None, "1"), (0, "0"), (7, "7"), ("Sun, 01 Mar 2026 12:00:00 GMT",) * 2],
)
def test_too_many_has_retry_after(sandbox, retry_after, header):
    sandbox.inject(Fault("too_many", retry_after=retry_after))

    reply = call(sandbox, "GET", FLOWS)

    assert (reply.status, reply.json["code"], reply.headers["Retry-After"]) == (429, 20429, header)


def test_server_error_has_its_status(sandbox):
    sandbox.inject(Fault("server_error", status=503, code=20503))

    reply = call(sandbox, "GET", FLOWS)

    assert (reply.status, reply.json["code"]) == (503, 20503)
    assert reply.headers["Retry-After"] is None


@pytest.mark.parametrize("kind", ["html", "html_ok"])
def test_html_is_a_proxys_own_page(sandbox, kind):
    sandbox.inject(Fault(kind))

    reply = call(sandbox, "GET", FLOWS)

    assert reply.headers["Content-Type"] == "text/html"
    assert reply.body.startswith(b"<html>")
    assert reply.headers["Twilio-Request-Id"] is None


def test_garbage_is_neither_text_nor_json(sandbox):
    sandbox.inject(Fault("garbage"))

    reply = call(sandbox, "GET", FLOWS)

    with pytest.raises(UnicodeDecodeError):
        json.loads(reply.body)


def test_empty_has_no_body(sandbox):
    sandbox.inject(Fault("empty"))

    reply = call(sandbox, "POST", FLOWS, STUDIO)

    assert (reply.body, reply.headers["Content-Length"]) == (b"", "0")


def test_redirect_leads_nowhere(sandbox):
    sandbox.inject(Fault("redirect"))

    reply = call(sandbox, "GET", FLOWS)

    assert reply.headers["Location"] == "http://127.0.0.1:1/"


def test_problem_is_an_rfc_9457_problem(sandbox):
    sandbox.inject(Fault("problem", status=409, code=20409))

    reply = call(sandbox, "POST", FLOWS, STUDIO)

    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.json.keys() == {"type", "title", "status", "code", "detail", "errors"}
    assert (reply.json["title"], reply.json["status"], reply.json["code"]) == (
        "Conflict",
        409,
        20409,
    )
    assert reply.json["errors"][0].keys() == {"detail", "pointer"}


def test_wrong_sid_answers_with_another_flow(sandbox):
    sandbox.inject(Fault("wrong_sid"))

    reply = call(sandbox, "POST", FLOWS, STUDIO)

    assert reply.json["sid"] == "FO" + "0bad" * 8
    assert list(sandbox.flows) != [reply.json["sid"]]


def test_wrong_sid_leaves_a_response_without_sid_unchanged(sandbox):
    sandbox.inject(Fault("wrong_sid", times=2))
    sid = sandbox.add_flow()

    list_flows = call(sandbox, "GET", FLOWS)
    deleted = call(sandbox, "DELETE", f"{FLOWS}/{sid}")

    assert [flow["sid"] for flow in list_flows.json["flex_flows"]] == [sid]
    assert (deleted.status, deleted.body) == (204, b"")


def test_leave_host_points_to_another_host(sandbox):
    sandbox.inject(Fault("leave_host"))

    reply = call(sandbox, "GET", FLOWS)

    link = "http://flex-api.example/v1/FlexFlows?PageSize=50&Page=0"
    assert reply.json["meta"]["next_page_url"] == link


def test_page_loop_points_to_the_same_page(sandbox):
    sandbox.inject(Fault("page_loop"))

    reply = call(sandbox, "GET", FLOWS)

    assert reply.json["meta"]["next_page_url"] == reply.json["meta"]["url"]


def test_list_faults_leave_an_error_unchanged(sandbox):
    sandbox.inject(Fault("page_loop"))

    reply = call(sandbox, "GET", FLOWS, {"PageSize": 0})

    assert (reply.status, reply.json["code"]) == (400, 20007)


@pytest.mark.parametrize("kind", sorted(OF_LISTS))
def test_list_faults_wait_for_a_list(sandbox, kind):
    sandbox.inject(Fault(kind))
    sid = sandbox.add_flow()

    call(sandbox, "GET", f"{FLOWS}/{sid}")
    call(sandbox, "POST", FLOWS, STUDIO)
    call(sandbox, "GET", FLOWS)

    assert [received.fault for received in sandbox.requests] == [None, None, kind]


@pytest.mark.parametrize("kind", ["drop", "apply_then_drop"])
def test_drop_closes_without_an_answer(sandbox, kind):
    sandbox.inject(Fault(kind))

    with send_request(sandbox) as connection:
        received = read_until_closed(connection)

    assert received == b""
    assert len(sandbox.flows) == int(UNHEARD[kind])
    assert sandbox.requests[0].status is None
    assert sandbox.requests[0].applied is UNHEARD[kind]


@pytest.mark.parametrize("kind", ["hang", "apply_then_hang"])
def test_hang_holds_until_it_is_released(sandbox, kind):
    sandbox.inject(Fault(kind))

    with send_request(sandbox) as connection:
        assert sandbox.wait_until_held()
        flows = len(sandbox.flows)
        sandbox.release()
        received = read_until_closed(connection)

    assert received == b""
    assert flows == len(sandbox.flows) == int(UNHEARD[kind])
    assert (sandbox.requests[0].status, sandbox.requests[0].applied) == (None, UNHEARD[kind])


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
    thread.join(10)

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
    thread.join(10)

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
    thread.join(10)

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

    thread.join(10)

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
    with closing(http.client.HTTPConnection(*address(sandbox), timeout=10)) as connection:
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


def test_fault_applies_to_its_number_of_requests(sandbox):
    sandbox.inject(Fault("server_error", times=2))
    sandbox.inject(Fault("too_many"))

    statuses = [call(sandbox, "GET", FLOWS).status for _ in range(4)]

    assert statuses == [500, 500, 429, 200]


def test_fault_without_times_lasts_until_cleared(sandbox):
    sandbox.inject(Fault("server_error", times=None))

    before = [call(sandbox, "GET", FLOWS).status for _ in range(3)]
    sandbox.clear_faults()

    assert before == [500, 500, 500]
    assert call(sandbox, "GET", FLOWS).status == 200


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", None, [False, True, False, True, False]),
        ("post", "/v1/FlexFlows", [False, True, False, False, False]),
        (None, "/FlexFlows", [True, True, False, False, False]),
        (None, "/FlexFlows/*", [False, False, True, True, True]),
        ("DELETE", "/v1/FlexFlows/FO*", [False, False, False, False, True]),
        ("GET", "/Channels", [False] * 5),
    ],
)
def test_fault_applies_to_matching_requests(sandbox, method, path, expected):
    flow = create(sandbox)
    one = f"{FLOWS}/{flow['sid']}"
    sandbox.inject(Fault("refuse", method=method, path=path, times=None))

    calls = [("GET", FLOWS), ("POST", FLOWS), ("GET", one), ("POST", one), ("DELETE", one)]
    replies = [call(sandbox, *each, STUDIO if each[0] == "POST" else None) for each in calls]

    assert [reply.status == 400 for reply in replies] == expected


def test_fault_of_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="earthquake"):
        Fault("earthquake")
