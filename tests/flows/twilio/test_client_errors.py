"""ResourceClient with simulated responses: unexpected bodies, refusals, outcomes and retries."""

import json
from types import SimpleNamespace

import pytest
import requests

from flows.twilio import retries
from flows.twilio.client import ResourceClient
from flows.twilio.errors import NotSent, OutcomeUnknown, RequestRefused
from flows.twilio.flex.flex_flow import FLEX_FLOW
from tests.data import FACTS
from tests.flows.twilio.simulated_twilio import (
    AC,
    FLOW,
    FO,
    LIST,
    OPERATIONS,
    OTHER,
    REQUEST_ID,
    ROOT,
    SECRET,
    SK,
    add_response,
    every_operation,
)

# Responses with an unexpected body


@pytest.mark.parametrize("operation", ["fetch", "create", "update"])
@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b"7", b'"FO"', b"<html><h1>Welcome</h1></html>", b'\x00\xff{"sid": "FO',
        json.dumps(FLOW).encode()[:-1], json.dumps(FLOW).encode() + b"}", b"{}", b'{"sid": null}',
        b'{"sid": "FO1"}', b"[" * 100_000, b"NaN", b'{"sid": NaN}',
    ],
    ids=lambda body: ascii(body[:60]),
)  # fmt: skip
def test_success_with_another_body_is_unknown(client, twilio, pauses, operation, body):
    add_response(
        twilio, operation, body=body, status=200, headers={"Twilio-Request-Id": REQUEST_ID}
    )

    with pytest.raises(OutcomeUnknown) as excinfo:
        OPERATIONS[operation](client)

    assert (excinfo.value.status, excinfo.value.request_id) == (200, REQUEST_ID)
    assert (len(twilio.calls), pauses) == (1, [])


@pytest.mark.parametrize("operation", ["fetch", "create", "update"])
@pytest.mark.parametrize(
    ("json_value", "expected"),
    [
        (b"9" * 5000, "9" * 5000), (b"NaN", "NaN"), (b"[-Infinity]", ["-Infinity"]), (b"1e999", "1e999"), (b"1e3", 1000.0),
        (b"9" * 4000, int("9" * 4000)), (b'"' + b"x" * 100_000 + b'"', "x" * 100_000),
    ],
    ids=lambda value: ascii(value)[:20],
)  # fmt: skip
def test_number_outside_json_is_read_as_text(client, twilio, operation, json_value, expected):
    add_response(twilio, operation, body=b'{"sid": "%s", "a": %s}' % (FO.encode(), json_value))

    result = OPERATIONS[operation](client)

    assert (result if operation == "fetch" else result.snapshot)["a"] == expected


@pytest.mark.parametrize("depth", [101, 600, 2000, 100_000])
@pytest.mark.parametrize(("opens", "closes"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_deeply_nested_value_leaves_the_rest_readable(client, twilio, depth, opens, closes):
    deep = opens * depth + b'"c4n4ry \\"[{"' + closes * depth
    add_response(
        twilio,
        "fetch",
        body=b'{"sid": "%s", "a": %s, "friendly_name": "Lyon ]"}' % (FO.encode(), deep),
    )

    flow = client.fetch(FO)

    assert flow["friendly_name"] == "Lyon ]"
    assert "nested too deeply: not shown" in str(flow["a"])
    assert "c4n4ry" not in str(flow["a"])


@pytest.mark.parametrize("depth", [600, 5000])
def test_flow_is_the_same_from_a_list_and_a_fetch(client, twilio, depth):
    flow = b'{"sid": "%s", "a": %s}' % (FO.encode(), b"[" * depth + b"]" * depth)
    add_response(twilio, "fetch", body=flow)
    twilio.get(LIST, body=b'{"flex_flows": [%s], "meta": {"next_page_url": null}}' % flow)

    assert list(client.list()) == [client.fetch(FO)]


@pytest.mark.parametrize("body", [b"<html></html>", b"[]", b"{"])
def test_deletion_with_an_unexpected_body_is_unknown(client, twilio, body):
    add_response(twilio, "delete", body=body)

    with pytest.raises(OutcomeUnknown):
        client.delete(FO)


@pytest.mark.parametrize("operation", ["fetch", "update"])
def test_response_about_another_flow_is_unknown(client, twilio, operation):
    add_response(
        twilio,
        operation,
        body=json.dumps(FLOW | {"sid": OTHER}),
        headers={"Twilio-Request-Id": REQUEST_ID},
    )

    with pytest.raises(OutcomeUnknown, match="another") as excinfo:
        OPERATIONS[operation](client)

    assert (excinfo.value.status, excinfo.value.request_id) == (200, REQUEST_ID)


def test_ordinary_decimals_are_read(client, twilio):
    twilio.get(f"{LIST}/{FO}", body=json.dumps(FLOW | {"weight": 2.5}))

    assert client.fetch(FO)["weight"] == 2.5


# Errors


@every_operation
@pytest.mark.parametrize("status", sorted({*FACTS["refusals"]} - {429}))
def test_refusal_has_the_details_of_twilios_error(client, twilio, pauses, operation, status):
    envelope = {
        "code": 20001,
        "message": "Invalid x",
        "more_info": "https://www.twilio.com/20001",
        "status": status,
    }
    add_response(
        twilio,
        operation,
        body=json.dumps(envelope),
        status=status,
        headers={"Twilio-Request-Id": REQUEST_ID},
    )

    with pytest.raises(RequestRefused) as excinfo:
        OPERATIONS[operation](client)

    error = excinfo.value
    assert (error.status, error.code, error.message) == (status, 20001, "Invalid x")
    assert (error.more_info, error.request_id) == ("https://www.twilio.com/20001", REQUEST_ID)
    assert str(error) == f"Twilio refused with status {status}, code 20001"
    is_asked_for_in_smaller_pages = operation == "list" and status == 413
    assert (len(twilio.calls), pauses) == (3 if is_asked_for_in_smaller_pages else 1, [])


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>Bad Gateway</html>", b"\x00\xff", b"[]", b'"no"', b'{"code": 1', b"NaN"],
    ids=ascii,
)
def test_403_without_twilios_error_is_a_refusal(client, twilio, body):
    add_response(twilio, "update", body=body, status=403)

    with pytest.raises(RequestRefused) as excinfo:
        client.update(FO, {})

    error = excinfo.value
    assert (error.status, error.code, error.message, error.more_info) == (403, None, "", "")
    assert (error.request_id, error.retry_after) == ("", None)
    assert str(error) == "Twilio refused with status 403"


@pytest.mark.parametrize("code", [None, "2000 1", "", True, 2**31, 20001.5, [20001]], ids=repr)
def test_refusal_with_an_invalid_code_has_no_code(client, twilio, code):
    add_response(
        twilio,
        "update",
        body=json.dumps({"code": code, "message": "no", "status": 400}),
        status=400,
    )

    with pytest.raises(RequestRefused) as excinfo:
        client.update(FO, {})

    assert (excinfo.value.code, excinfo.value.message) == (None, "no")


def test_refusal_with_a_code_as_text(client, twilio):
    add_response(
        twilio, "update", body=json.dumps({"code": "45212", "message": "taken"}), status=400
    )

    with pytest.raises(RequestRefused) as excinfo:
        client.update(FO, {})

    assert excinfo.value.code == 45212


def test_refusal_as_an_rfc_9457_problem(client, twilio):
    problem = {
        "type": "https://www.twilio.com/docs/api/errors/45004",
        "title": "Bad Request",
        "status": 400,
        "code": 45004,
        "detail": "FriendlyName is too long",
        "errors": [{"detail": "too long", "pointer": "#/FriendlyName"}],
    }
    add_response(twilio, "update", body=json.dumps(problem), status=400)

    with pytest.raises(RequestRefused) as excinfo:
        client.update(FO, {})

    error = excinfo.value
    assert (error.code, error.message, error.more_info) == (
        45004,
        problem["detail"],
        problem["type"],
    )


def test_texts_of_a_refusal_are_shortened(client, twilio):
    body = json.dumps({"code": 20001, "message": "m" * 5000, "more_info": "i" * 5000})
    add_response(twilio, "update", body=body, status=400, headers={"Twilio-Request-Id": "r" * 500})

    with pytest.raises(RequestRefused) as excinfo:
        client.update(FO, {})

    error = excinfo.value
    assert (len(error.message), len(error.more_info), len(error.request_id)) == (1000, 300, 64)


@pytest.mark.parametrize("operation", ["create", "update"])
@pytest.mark.parametrize("status", [301, 302, 307, 308, 408, 500, 502, 503, 504, 599])
def test_any_other_status_leaves_a_write_unknown(client, twilio, pauses, operation, status):
    add_response(
        twilio, operation, body=json.dumps({"code": 20500, "message": "x"}), status=status,
        headers={"Location": f"{LIST}/elsewhere", "Twilio-Request-Id": REQUEST_ID},
    )  # fmt: skip

    with pytest.raises(OutcomeUnknown) as excinfo:
        OPERATIONS[operation](client)

    assert (excinfo.value.status, excinfo.value.request_id) == (status, REQUEST_ID)
    assert (excinfo.value.code, excinfo.value.message) == (20500, "x")
    assert str(excinfo.value) == f"Twilio answered with status {status}"
    assert (len(twilio.calls), pauses) == (1, [])


@pytest.mark.parametrize("operation", ["list", "fetch", "delete"])
@pytest.mark.parametrize(
    ("status", "calls"), [(302, 1), (408, 4), (410, 1), (422, 1), (500, 4), (503, 4), (599, 4)]
)
def test_only_server_errors_and_timeouts_are_retried(
    client, twilio, pauses, operation, status, calls
):
    add_response(twilio, operation, status=status)

    with pytest.raises(OutcomeUnknown) as excinfo:
        OPERATIONS[operation](client)

    assert excinfo.value.status == status
    assert (len(twilio.calls), len(pauses)) == (calls, calls - 1)


@every_operation
def test_429_is_retried_for_every_operation(client, twilio, pauses, operation):
    add_response(
        twilio, operation, status=429, body='{"code": 20429}', headers={"Retry-After": "2"}
    )

    with pytest.raises(RequestRefused) as excinfo:
        OPERATIONS[operation](client)

    assert (excinfo.value.status, excinfo.value.code, excinfo.value.retry_after) == (
        429,
        20429,
        2.0,
    )
    assert len(twilio.calls) == retries.MAX_ATTEMPTS == 4
    assert len(pauses) == 3
    assert all(2.0 <= pause <= 2.25 for pause in pauses)


@pytest.mark.parametrize("after", [None, "", "soon", "-1", "1.5.5", "٣", "31. Dezember 2027"])
def test_pauses_double_without_retry_after(client, twilio, pauses, monkeypatch, after):
    monkeypatch.setattr(retries.random, "uniform", lambda low, high: high)
    add_response(
        twilio, "fetch", status=429, headers={} if after is None else {"Retry-After": after}
    )

    with pytest.raises(RequestRefused) as excinfo:
        client.fetch(FO)

    assert excinfo.value.retry_after is None
    assert pauses == [0.5, 0.75, 1.25]


def test_pauses_are_bounded(monkeypatch):
    monkeypatch.setattr(retries.random, "uniform", lambda low, high: 0.0)
    state = SimpleNamespace(outcome=None, attempt_number=12)

    assert retries.retry_delay(state) == 4.0


def test_no_retry_after_a_pause_beyond_the_deadline(client, twilio, pauses):
    add_response(twilio, "update", status=429, headers={"Retry-After": "15"})

    with pytest.raises(RequestRefused):
        client.update(FO, {})

    assert (len(twilio.calls), pauses) == (1, [])


@every_operation
@pytest.mark.parametrize(
    "failure",
    [
        requests.ConnectionError(SECRET),
        requests.Timeout(SECRET),
        requests.TooManyRedirects(SECRET),
        OSError(SECRET),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_lost_connection_is_unknown_and_quotes_nothing(client, twilio, pauses, operation, failure):
    add_response(twilio, operation, body=failure)

    with pytest.raises(OutcomeUnknown) as excinfo:
        OPERATIONS[operation](client)

    assert SECRET not in str(excinfo.value)
    assert excinfo.value.__suppress_context__
    assert excinfo.value.status is None
    assert len(twilio.calls) == (1 if operation in {"create", "update"} else 4)


@pytest.mark.parametrize("after", [0, -1])
@every_operation
def test_nothing_is_sent_without_time_left(twilio, operation, after):
    client = ResourceClient(
        FLEX_FLOW,
        base_url=ROOT,
        account_sid=AC,
        auth=(SK, SECRET),
        deadline=after,
        rate_limits=False,
    )

    with pytest.raises(NotSent):
        OPERATIONS[operation](client)

    assert not twilio.calls
