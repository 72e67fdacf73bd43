"""FlexClient with simulated responses: its requests, its results, its errors and its log.

Connections, deadlines and retries over real HTTP are in test_client_faults.py.
"""

import base64
import json
import logging
import threading
from contextvars import ContextVar
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses

from flows.twilio import client as client_module
from flows.twilio import retries
from flows.twilio.client import FlexClient
from flows.twilio.errors import FlexError, NotSent, OutcomeUnknown, RequestRefused
from tests.data import EXAMPLES, FACTS, WIRE

ROOT = "https://flex-api.twilio.com/v1"
LIST = f"{ROOT}/FlexFlows"
HEX = "0123456789abcdefABCDEF0123456789"
AC, SK, FO = f"AC{HEX}", f"SK{HEX}", f"FO{HEX}"
OTHER = "FO" + "9" * 32
SECRET = "canary-secret"
FLOW = {
    "sid": FO,
    "friendly_name": "Lyon",
    "integration_type": "studio",
    "integration": {"retry_count": 0},
}
SNAPSHOT = {
    "sid": FO,
    "friendly_name": "Lyon",
    "integration_type": "studio",
    "integration_retry_count": 0,
}
REQUEST_ID = "RQ" + "c" * 32

OPERATIONS = {
    "list": lambda client: list(client.list()),
    "fetch": lambda client: client.fetch(FO),
    "create": lambda client: client.create({"friendly_name": "Lyon"}),
    "update": lambda client: client.update(FO, {"friendly_name": "Lyon"}),
    "delete": lambda client: client.delete(FO),
}
METHODS = {"list": "GET", "fetch": "GET", "create": "POST", "update": "POST", "delete": "DELETE"}
every_operation = pytest.mark.parametrize("operation", OPERATIONS)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def twilio():
    """Twilio, simulated by `responses`. A call without a response is a lost connection."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def client(pauses):
    client_under_test = FlexClient(
        base_url=ROOT, account_sid=AC, auth=(SK, SECRET), rate_limits=False, sleep=pauses.append
    )
    yield client_under_test
    client_under_test.close()


SUCCESS_STATUSES = {"list": 200, "fetch": 200, "create": 201, "update": 200, "delete": 204}


def add_response(twilio, operation, *, body=None, status=None, headers=None):
    """Give every call of an operation this response, by default with its success status."""
    status = status or SUCCESS_STATUSES[operation]
    url = LIST if operation in {"list", "create"} else f"{LIST}/{FO}"
    twilio.add(METHODS[operation], url, body=body or "", status=status, headers=headers or {})


def page(*flows, following=None):
    return {"meta": {"next_page_url": following, "key": "flex_flows"}, "flex_flows": list(flows)}


def basic(name, secret):
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


# Requests


def test_fetch_requests_the_flow(client, twilio):
    twilio.get(f"{LIST}/{FO}", json=FLOW)

    assert client.fetch(FO) == SNAPSHOT

    request = twilio.calls[0].request
    assert (request.method, request.url, request.body) == ("GET", f"{LIST}/{FO}", None)
    assert request.headers["Authorization"] == basic(SK, SECRET)
    assert request.headers["Accept"] == "application/json"


def test_a_base_url_with_a_slash_at_its_end(twilio):
    client = FlexClient(base_url=ROOT + "/", account_sid=AC, auth=(SK, SECRET), rate_limits=False)
    twilio.get(f"{LIST}/{FO}", json=FLOW)

    assert client.fetch(FO) == SNAPSHOT


@every_operation
@pytest.mark.parametrize(
    ("name", "secret"),
    [(SK, SECRET), (AC, "the-auth-token"), (SK, "pasted’wrong"), (SK, "a:b c\n")],
)
def test_every_call_is_authenticated(twilio, operation, name, secret):
    client = FlexClient(base_url=ROOT, account_sid=AC, auth=(name, secret), rate_limits=False)
    body = json.dumps(page() if operation == "list" else FLOW)
    add_response(twilio, operation, body="" if operation == "delete" else body)

    OPERATIONS[operation](client)

    assert twilio.calls[0].request.headers["Authorization"] == basic(name, secret)


def test_netrc_is_ignored(client, twilio, monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine flex-api.twilio.com login other password theirs\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    twilio.get(f"{LIST}/{FO}", json=FLOW)

    client.fetch(FO)

    assert twilio.calls[0].request.headers["Authorization"] == basic(SK, SECRET)


def test_create_posts_every_field_as_a_form(client, twilio):
    twilio.post(LIST, json=FLOW, status=201, headers={"Twilio-Request-Id": REQUEST_ID})

    response = client.create(EXAMPLES)

    request = twilio.calls[0].request
    assert (request.method, request.url) == ("POST", LIST)
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(request.body) == {WIRE[name]: [value] for name, value in EXAMPLES.items()}
    assert (response.snapshot, response.status, response.request_id) == (SNAPSHOT, 201, REQUEST_ID)


def test_update_posts_only_its_fields(client, twilio):
    twilio.post(f"{LIST}/{FO}", json=FLOW)
    values = {
        "enabled": False,
        "integration_timeout": 0,
        "contact_identity": None,
        "friendly_name": "é & +",
    }

    response = client.update(FO, values)

    request = twilio.calls[0].request
    assert parse_qs(request.body, keep_blank_values=True) == {
        "Enabled": ["false"],
        "Integration.Timeout": ["0"],
        "ContactIdentity": [""],
        "FriendlyName": ["é & +"],
    }
    assert (response.snapshot, response.status, response.request_id) == (SNAPSHOT, 200, "")


def test_update_without_fields_has_an_empty_body(client, twilio):
    twilio.post(f"{LIST}/{FO}", json=FLOW)

    client.update(FO, {})

    assert not twilio.calls[0].request.body


def test_delete(client, twilio):
    twilio.delete(f"{LIST}/{FO}", status=204, headers={"Twilio-Request-Id": REQUEST_ID})

    response = client.delete(FO)

    assert (twilio.calls[0].request.method, twilio.calls[0].request.body) == ("DELETE", None)
    assert (response.snapshot, response.status, response.request_id) == ({}, 204, REQUEST_ID)


@pytest.mark.parametrize("call", ["fetch", "update", "delete"])
@pytest.mark.parametrize(
    "sid",
    ["", FO[:-1], FO + "\n", "FW" + HEX, f"../FlexFlows/{FO}", f"{FO}?a", "FO" + "٣" * 32, None],
    ids=ascii,
)
def test_invalid_sid_is_rejected_before_a_request(client, twilio, call, sid):
    with pytest.raises(ValueError, match="SID"):
        getattr(client, call)(sid, *([{}] if call == "update" else []))

    assert not twilio.calls


def test_a_field_that_cannot_be_written_is_not_sent(client, twilio):
    with pytest.raises(KeyError):
        client.update(FO, {"friendly_name": "x", "account_sid": AC})

    assert not twilio.calls


# Lists


def add_linked_pages(twilio, link, *, pages=20):
    """Serve a list of at most `pages` pages, in which page N links to `link(N)`."""

    def another(_request):
        number = len(twilio.calls)
        return 200, {}, json.dumps(page(FLOW, following=link(number) if number < pages else None))

    twilio.add_callback(responses.GET, LIST, another)


def test_list_requests_large_pages_and_filters_by_name(client, twilio):
    twilio.get(LIST, json=page(FLOW))

    assert list(client.list()) == [SNAPSHOT]
    assert list(client.list(friendly_name="Lyon & Cie", page_size=7)) == [SNAPSHOT]
    assert list(client.list(friendly_name="")) == [SNAPSHOT]

    queries = [
        parse_qs(urlsplit(call.request.url).query, keep_blank_values=True) for call in twilio.calls
    ]
    assert queries == [
        {"PageSize": ["1000"]},
        {"PageSize": ["7"], "FriendlyName": ["Lyon & Cie"]},
        {"PageSize": ["1000"], "FriendlyName": [""]},
    ]


def test_first_page_is_requested_at_once(client, twilio):
    is_requested = threading.Event()
    add_linked_pages(twilio, lambda _number: is_requested.set())

    pages = client.list()

    assert is_requested.wait(20)
    assert list(pages) == [SNAPSHOT]


def test_next_page_is_requested_while_a_page_is_read(client, twilio):
    is_requested, context_variable = threading.Event(), ContextVar("said", default="")
    context_variable.set("who asks")
    context_values = []

    def link(number):
        context_values.append(context_variable.get())
        if number == 1:
            is_requested.set()
        return f"{LIST}?Page={number}" if number < 2 else None

    add_linked_pages(twilio, link)
    pages = client.list()
    next(pages)

    assert is_requested.wait(20)
    assert len(list(pages)) == 2
    assert context_values == ["who asks"] * 3


@pytest.mark.parametrize(
    "body",
    [
        {}, {"flex_flows": []}, {"meta": {}}, {"flex_flows": {}, "meta": {}}, {"flex_flows": [], "meta": []},
        FLOW, page(None), page({}), page({"sid": "FW" + HEX}), page("FO"),
    ],
    ids=json.dumps,
)  # fmt: skip
def test_list_response_of_another_form_is_unknown(client, twilio, body):
    twilio.get(LIST, json=body, headers={"Twilio-Request-Id": REQUEST_ID})

    with pytest.raises(OutcomeUnknown) as excinfo:
        list(client.list())

    assert (excinfo.value.status, excinfo.value.request_id) == (200, REQUEST_ID)


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
    client = FlexClient(
        base_url=ROOT, account_sid=AC, auth=(SK, SECRET), deadline=after, rate_limits=False
    )

    with pytest.raises(NotSent):
        OPERATIONS[operation](client)

    assert not twilio.calls


# Rates


class FakeRateLimiter:
    """A rate limiter that records bookings. `wait` is the wait for each turn, None for no turn."""

    def __init__(self, wait=0.0):
        self.wait, self.booked = wait, []

    def book(self, account_sid, operation, *, patience):
        self.booked.append((account_sid, operation, patience))
        return self.wait


def client_with_rates(rates, **options):
    return FlexClient(base_url=ROOT, account_sid=AC, auth=(SK, SECRET), rates=rates, **options)


@every_operation
def test_each_call_waits_for_a_turn_of_its_operation(twilio, pauses, operation):
    rates = FakeRateLimiter(wait=1.25)
    add_response(
        twilio,
        operation,
        body="" if operation == "delete" else json.dumps(page() if operation == "list" else FLOW),
    )

    OPERATIONS[operation](client_with_rates(rates, sleep=pauses.append))

    ((account, kind, patience),) = rates.booked
    assert (account, kind, pauses) == (AC, operation, [1.25])
    assert 0 < patience <= 15.0


def test_call_waits_no_longer_than_its_patience(twilio):
    rates = FakeRateLimiter()
    twilio.get(f"{LIST}/{FO}", json=FLOW)

    client_with_rates(rates, deadline=4.0, patience=1.0).fetch(FO)

    assert rates.booked == [(AC, "fetch", 1.0)]


def test_each_page_and_each_retry_books_a_turn(twilio, pauses):
    rates = FakeRateLimiter()
    twilio.add(responses.GET, LIST, status=503)
    twilio.add(responses.GET, LIST, json=page(following="?Page=1"))
    twilio.add(responses.GET, LIST, json=page())

    list(client_with_rates(rates, sleep=pauses.append).list())

    assert [kind for _, kind, _ in rates.booked] == ["list"] * 3


@every_operation
def test_nothing_is_sent_without_a_turn_in_time(twilio, pauses, operation):
    rates = FakeRateLimiter(wait=None)

    with pytest.raises(NotSent, match="not sent"):
        OPERATIONS[operation](client_with_rates(rates, sleep=pauses.append))

    assert (len(twilio.calls), len(rates.booked), pauses) == (0, 1, [])


@pytest.mark.parametrize(
    ("overslept", "turns"), [([0.0], 1), ([0.09], 1), ([0.2, 0.0], 2), ([0.2] * 9, 3)]
)
def test_call_that_misses_its_turn_books_another(twilio, monkeypatch, overslept, turns):
    rates, clock = FakeRateLimiter(wait=0.5), [100.0]

    def sleep(seconds):
        clock[0] += seconds + overslept.pop(0)

    monkeypatch.setattr(client_module, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(
        client_module.FlexClient,
        "_exchange",
        lambda *_: (_ok_response(), json.dumps(FLOW).encode()),
    )

    client_with_rates(rates, sleep=sleep).fetch(FO)

    assert len(rates.booked) == turns


def _ok_response():
    return SimpleNamespace(status_code=200, headers={})


# The log


@every_operation
def test_each_request_has_one_log_line_for_support(client, twilio, caplog, operation):
    caplog.set_level(logging.DEBUG, logger="flows")
    body = (
        json.dumps(page())
        if operation == "list"
        else ""
        if operation == "delete"
        else json.dumps(FLOW)
    )
    add_response(twilio, operation, body=body, headers={"Twilio-Request-Id": REQUEST_ID})

    OPERATIONS[operation](client)

    path = "/v1/FlexFlows" if operation in {"list", "create"} else f"/v1/FlexFlows/{FO}"
    ((_, level, line),) = caplog.record_tuples
    assert level == logging.INFO
    start, milliseconds, end = line.rpartition(" ms ")[0], line.split()[3], line.split()[-1]
    assert start.startswith(f"{METHODS[operation]} {path} {SUCCESS_STATUSES[operation]} ")
    assert milliseconds.isdecimal()
    assert end == REQUEST_ID


def test_request_without_a_response_has_a_log_line(client, twilio, caplog):
    caplog.set_level(logging.INFO, logger="flows")
    add_response(twilio, "update", body=requests.ConnectionError("x"))

    with pytest.raises(OutcomeUnknown):
        client.update(FO, {})

    assert caplog.messages[0].startswith(f"POST /v1/FlexFlows/{FO} no answer ")
    assert caplog.messages[0].endswith(" ms -")


@every_operation
@pytest.mark.parametrize("status", [None, 400, 500])
def test_no_secret_or_personal_data_is_logged_or_raised(twilio, caplog, operation, status):
    caplog.set_level(logging.DEBUG, logger="flows")
    client = FlexClient(
        base_url=ROOT, account_sid=AC, auth=(SK, SECRET), rate_limits=False, sleep=lambda _: None
    )
    personal = {"friendly_name": "canary-name", "contact_identity": "canary-identity"}
    following = f"{LIST}?FriendlyName=canary-name&PageToken=canary-token"
    good = page(FLOW | personal, following=following) if operation == "list" else FLOW | personal
    payload = (
        good
        if status is None
        else {"code": 20001, "message": "canary-name", "more_info": "canary-name"}
    )
    add_response(twilio, operation, body=json.dumps(payload), status=status)
    if operation == "list":
        twilio.add(responses.GET, LIST, json=page())
    calls = OPERATIONS | {
        "list": lambda client: list(client.list(friendly_name="canary-name")),
        "create": lambda client: client.create(personal),
        "update": lambda client: client.update(
            FO, personal | {"integration_url": "https://u:canary@h.example"}
        ),
    }

    words = ""
    try:
        calls[operation](client)
    except FlexError as error:
        words = f"{error!s} {error!r}"

    log_text = words + "".join(
        f"{record.getMessage()} {record.__dict__}" for record in caplog.records
    )
    assert caplog.records
    assert "canary" not in log_text
    assert basic(SK, SECRET).split()[1] not in log_text
