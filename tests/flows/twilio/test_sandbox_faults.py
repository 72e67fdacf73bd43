"""Every fault as a raw client receives it, and its effect on the flows.

Faults of the connection are in test_sandbox_connection_faults.py.
"""

import json

import pytest

from flows.twilio.sandbox.faults import Fault, FaultKind
from flows.twilio.sandbox.server import Sandbox
from tests.flows.twilio import (
    FLOWS,
    STUDIO,
    call,
    create,
)

# The status that the client receives, and True if the request is applied.
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
WITHOUT_RESPONSE = {"drop", "apply_then_drop", "hang", "apply_then_hang", "late_apply"}
TRUNCATED = {"truncate", "huge"}
LIST_ONLY = {"leave_host", "page_loop"}


@pytest.fixture
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


def test_all_kinds_are_covered():
    assert EXPECTED.keys() | WITHOUT_RESPONSE | TRUNCATED | LIST_ONLY == {*FaultKind}


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


@pytest.mark.parametrize("kind", sorted(LIST_ONLY))
def test_list_faults_wait_for_a_list(sandbox, kind):
    sandbox.inject(Fault(kind))
    sid = sandbox.add_flow()

    call(sandbox, "GET", f"{FLOWS}/{sid}")
    call(sandbox, "POST", FLOWS, STUDIO)
    call(sandbox, "GET", FLOWS)

    assert [received.fault for received in sandbox.requests] == [None, None, kind]


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
