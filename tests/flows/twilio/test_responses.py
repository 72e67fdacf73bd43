"""Interpretation of responses: success, refusal or unknown outcome, and Retry-After."""

import json
from email.utils import formatdate

import pytest

from flows.twilio import responses
from flows.twilio.errors import OutcomeUnknown, RequestRefused
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.responses import parse_response, parse_retry_after
from tests.flows.twilio.simulated_twilio import FLOW, FO, OPERATIONS, OTHER, add_response

WRITES = ("create", "update", "delete")
ENVELOPE = {
    "code": 20001,
    "message": "No",
    "more_info": "https://www.twilio.com/docs/errors/20001",
    "status": 0,
}
PROBLEM = {
    "type": "https://www.twilio.com/docs/errors/20001",
    "title": "No",
    "status": 0,
    "code": 20001,
}
IN_TWILIOS_WORDS = [
    400,
    401,
    402,
    403,
    404,
    405,
    406,
    409,
    410,
    411,
    412,
    413,
    414,
    415,
    422,
    423,
    428,
    431,
    451,
]
every_write = pytest.mark.parametrize("operation", WRITES)


def error_for(operation, status, body):
    """Return the error that a response raises."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises((RequestRefused, OutcomeUnknown)) as excinfo:
        parse_response(operation, status, {}, text, "RQ1")
    assert (excinfo.value.status, excinfo.value.request_id) == (status, "RQ1")
    return excinfo.value


# Refused or unknown


@every_write
@pytest.mark.parametrize("status", IN_TWILIOS_WORDS)
@pytest.mark.parametrize("body", [ENVELOPE, PROBLEM], ids=["envelope", "RFC 9457"])
def test_twilios_own_error_is_a_refusal(operation, status, body):
    error = error_for(operation, status, body | {"status": status})

    assert isinstance(error, RequestRefused)
    assert (error.code, error.message) == (20001, "No")


@every_write
@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 599, 301, 307])
def test_no_other_status_is_a_refusal(operation, status):
    error = error_for(operation, status, ENVELOPE | {"status": status})

    assert isinstance(error, OutcomeUnknown)
    assert (error.code, error.message, error.more_info) == (20001, "No", ENVELOPE["more_info"])


@every_write
@pytest.mark.parametrize("status", sorted({*IN_TWILIOS_WORDS} - {401, 403, 404}))
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>No</html>",
        b"[]",
        b'"no"',
        {"message": "Forbidden"},
        {"error": "No"},
        {"code": 400, "message": "No"},
    ],
    ids=ascii,
)
def test_gateways_error_is_unknown(operation, status, body):
    assert isinstance(error_for(operation, status, body), OutcomeUnknown)


@every_write
@pytest.mark.parametrize("status", [401, 403, 404, 429])
@pytest.mark.parametrize("body", [b"", b"<html>No</html>", {"message": "Forbidden"}], ids=ascii)
def test_refusal_statuses_need_no_twilio_error(operation, status, body):
    assert isinstance(error_for(operation, status, body), RequestRefused)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"code": 20001}, 20001),
        ({"code": "20001", "message": "No"}, 20001),
        ({"code": None, "message": "No", "status": 400}, None),
        ({"message": "No", "more_info": "", "status": 400}, None),
        ({"message": "No", "more_info": "", "status": "400"}, None),
        ({"title": "No", "detail": "Too long", "status": 400}, None),
        ({"type": "about:blank", "title": "No"}, None),
        ({"type": "about:blank", "detail": "No", "errors": [{"detail": "No"}]}, None),
    ],
    ids=ascii,
)
def test_incomplete_twilio_error_is_a_refusal(body, code):
    error = error_for("update", 400, body)

    assert isinstance(error, RequestRefused)
    assert error.code == code


@pytest.mark.parametrize(
    "code", [None, True, 2**31, 20001.5, [20001], "soon", "٢٠٠٠١", 0, -20001, 400], ids=repr
)
def test_code_of_a_gateway_is_unknown(code):
    assert isinstance(error_for("update", 400, {"code": code, "message": None}), OutcomeUnknown)


def test_texts_of_an_unknown_outcome_are_shortened():
    error = error_for(
        "update", 500, {"code": 20500, "message": "m" * 5000, "more_info": "i" * 5000}
    )

    assert (len(error.message), len(error.more_info)) == (1000, 300)


# Confirmed


@pytest.mark.parametrize("status", [200, 201, 202, 203, 206, 207, 226])
def test_only_204_confirms_a_deletion(client, twilio, pauses, status):
    add_response(twilio, "delete", status=status)

    with pytest.raises(OutcomeUnknown, match="does not confirm") as excinfo:
        client.delete(FO)

    assert excinfo.value.status == status
    assert (len(twilio.calls), pauses) == (1, [])


@pytest.mark.parametrize("operation", ["create", "update"])
@pytest.mark.parametrize("status", [202, 203, 204, 205, 206, 226])
def test_other_success_does_not_confirm_a_change(client, twilio, pauses, operation, status):
    add_response(
        twilio, operation, status=status, body="" if status in (204, 205) else json.dumps(FLOW)
    )

    with pytest.raises(OutcomeUnknown, match="does not confirm"):
        OPERATIONS[operation](client)

    assert (len(twilio.calls), pauses) == (1, [])


@pytest.mark.parametrize("operation", ["create", "update"])
@pytest.mark.parametrize("status", [200, 201])
def test_documented_success_confirms_a_change(client, twilio, operation, status):
    add_response(twilio, operation, status=status, body=json.dumps(FLOW))

    assert OPERATIONS[operation](client).status == status


@pytest.mark.parametrize("operation", ["list", "fetch"])
@pytest.mark.parametrize("status", [201, 202, 203, 206])
def test_read_needs_status_200(client, twilio, operation, status):
    add_response(
        twilio,
        operation,
        status=status,
        body=json.dumps({"meta": {}, "flex_flows": []} if operation == "list" else FLOW),
    )

    with pytest.raises(OutcomeUnknown):
        OPERATIONS[operation](client)


@pytest.mark.parametrize("operation", ["create", "update"])
def test_success_about_another_account_is_unknown(client, twilio, operation):
    add_response(twilio, operation, body=json.dumps(FLOW | {"account_sid": "AC" + "9" * 32}))

    with pytest.raises(OutcomeUnknown, match="another account"):
        OPERATIONS[operation](client)


@pytest.mark.parametrize("owner", [f"AC{FO[2:]}", None, "", 7, "unreadable"], ids=repr)
def test_success_without_another_account_is_one(client, twilio, owner):
    add_response(twilio, "update", body=json.dumps(FLOW | {"account_sid": owner}))

    assert client.update(FO, {}).snapshot["sid"] == FO


def test_success_about_another_flow_is_unknown(client, twilio):
    add_response(twilio, "update", status=201, body=json.dumps(FLOW | {"sid": OTHER}))

    with pytest.raises(OutcomeUnknown, match="another Flex Flow"):
        client.update(FO, {})


def test_every_operation_has_success_statuses():
    assert set(responses.SUCCESS_STATUSES) == {*OPERATIONS, "archive"}
    assert "account_sid" in FLEX_FLOW.by_name


# How long to wait

RESPONSE_DATE = "Sun, 06 Nov 1994 08:49:37 GMT"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0), (" 7 ", 7.0), ("0", 0.0), ("1.5", 1.5), ("999999", 86_400.0), ("9" * 400, 86_400.0),
        ("Sun, 06 Nov 1994 08:49:47 GMT", 10.0), ("Sunday, 06-Nov-94 08:49:47 GMT", 10.0),
        ("Sun Nov  6 08:49:47 1994", 10.0), ("Sun, 06 Nov 1994 08:49:27 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400.0),
        ("", None), ("soon", None), ("-1", None), ("1e3", None), ("٣", None), ("Sun, 06 Nov", None),
        ("Sun, 06 Foo 1994 08:49:47 GMT", None),
    ],
)  # fmt: skip
def test_retry_after_in_seconds_or_as_a_date(text, seconds):
    assert parse_retry_after({"Retry-After": text, "Date": RESPONSE_DATE}) == seconds


def test_no_valid_retry_after_is_none():
    assert parse_retry_after({"Date": RESPONSE_DATE}) is None


@pytest.mark.parametrize("date", [None, "", "yesterday"])
def test_date_is_compared_with_the_local_clock_without_a_date_header(monkeypatch, date):
    monkeypatch.setattr(responses.time, "time", lambda: 784_111_777.0)
    headers = {"Retry-After": formatdate(784_111_807, usegmt=True)}

    assert parse_retry_after(headers if date is None else headers | {"Date": date}) == 30.0


@pytest.mark.parametrize("operation", ["list", "fetch"])
@pytest.mark.parametrize(
    ("status", "after"), [(503, "3"), (503, "Sun, 06 Nov 1994 08:49:40 GMT"), (429, "3")]
)
def test_read_waits_for_retry_after(client, twilio, pauses, operation, status, after):
    add_response(
        twilio, operation, status=status, headers={"Retry-After": after, "Date": RESPONSE_DATE}
    )

    with pytest.raises((RequestRefused, OutcomeUnknown)) as excinfo:
        OPERATIONS[operation](client)

    assert excinfo.value.retry_after == 3.0
    assert len(pauses) == 3
    assert all(3.0 <= pause <= 3.25 for pause in pauses)


@pytest.mark.parametrize("after", ["999999", "Fri, 31 Dec 9999 23:59:59 GMT", "15"])
@pytest.mark.parametrize("status", [429, 503])
def test_pause_beyond_the_deadline_ends_the_call_at_once(client, twilio, pauses, status, after):
    add_response(
        twilio, "fetch", status=status, headers={"Retry-After": after, "Date": RESPONSE_DATE}
    )

    with pytest.raises((RequestRefused, OutcomeUnknown)):
        client.fetch(FO)

    assert (len(twilio.calls), pauses) == (1, [])
