"""FlexClient against answers made up with `responses`: what it asks, how it reads, what it makes of errors,
what it logs. Connections, deadlines and repeats on a real wire are in test_client_faults.py."""

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

VERBS = {
    "list": lambda client: list(client.list()),
    "fetch": lambda client: client.fetch(FO),
    "create": lambda client: client.create({"friendly_name": "Lyon"}),
    "update": lambda client: client.update(FO, {"friendly_name": "Lyon"}),
    "delete": lambda client: client.delete(FO),
}
METHODS = {"list": "GET", "fetch": "GET", "create": "POST", "update": "POST", "delete": "DELETE"}
every_verb = pytest.mark.parametrize("verb", VERBS)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def twilio():
    """Where Twilio would be: a call that nobody expects is a lost connection."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def slept():
    return []


@pytest.fixture
def client(slept):
    made = FlexClient(
        base_url=ROOT, account_sid=AC, auth=(SK, SECRET), rate_limits=False, sleep=slept.append
    )
    yield made
    made.close()


CONFIRMED = {"list": 200, "fetch": 200, "create": 201, "update": 200, "delete": 204}


def answers(twilio, verb, *, body=None, status=None, headers=None):
    """Every call of this verb is answered so; a success with the verb's own status."""
    status = status or CONFIRMED[verb]
    url = LIST if verb in {"list", "create"} else f"{LIST}/{FO}"
    twilio.add(METHODS[verb], url, body=body or "", status=status, headers=headers or {})


def page(*flows, following=None):
    return {"meta": {"next_page_url": following, "key": "flex_flows"}, "flex_flows": list(flows)}


def basic(name, secret):
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


# What it asks


def test_fetch_asks_for_the_flow(client, twilio):
    twilio.get(f"{LIST}/{FO}", json=FLOW)

    assert client.fetch(FO) == SNAPSHOT

    asked = twilio.calls[0].request
    assert (asked.method, asked.url, asked.body) == ("GET", f"{LIST}/{FO}", None)
    assert asked.headers["Authorization"] == basic(SK, SECRET)
    assert asked.headers["Accept"] == "application/json"


def test_a_base_url_with_a_slash_at_its_end(twilio):
    client = FlexClient(base_url=ROOT + "/", account_sid=AC, auth=(SK, SECRET), rate_limits=False)
    twilio.get(f"{LIST}/{FO}", json=FLOW)

    assert client.fetch(FO) == SNAPSHOT


@every_verb
@pytest.mark.parametrize(
    ("name", "secret"),
    [(SK, SECRET), (AC, "the-auth-token"), (SK, "pasted’wrong"), (SK, "a:b c\n")],
)
def test_every_call_is_authenticated(twilio, verb, name, secret):
    client = FlexClient(base_url=ROOT, account_sid=AC, auth=(name, secret), rate_limits=False)
    body = json.dumps(page() if verb == "list" else FLOW)
    answers(twilio, verb, body="" if verb == "delete" else body)

    VERBS[verb](client)

    assert twilio.calls[0].request.headers["Authorization"] == basic(name, secret)


def test_a_netrc_has_no_say(client, twilio, monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine flex-api.twilio.com login other password theirs\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    twilio.get(f"{LIST}/{FO}", json=FLOW)

    client.fetch(FO)

    assert twilio.calls[0].request.headers["Authorization"] == basic(SK, SECRET)


def test_create_posts_every_field_as_a_form(client, twilio):
    twilio.post(LIST, json=FLOW, status=201, headers={"Twilio-Request-Id": REQUEST_ID})

    answer = client.create(EXAMPLES)

    asked = twilio.calls[0].request
    assert (asked.method, asked.url) == ("POST", LIST)
    assert asked.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(asked.body) == {WIRE[name]: [value] for name, value in EXAMPLES.items()}
    assert (answer.snapshot, answer.status, answer.request_id) == (SNAPSHOT, 201, REQUEST_ID)


def test_update_posts_just_the_fields_given(client, twilio):
    twilio.post(f"{LIST}/{FO}", json=FLOW)
    values = {
        "enabled": False,
        "integration_timeout": 0,
        "contact_identity": None,
        "friendly_name": "é & +",
    }

    answer = client.update(FO, values)

    asked = twilio.calls[0].request
    assert parse_qs(asked.body, keep_blank_values=True) == {
        "Enabled": ["false"],
        "Integration.Timeout": ["0"],
        "ContactIdentity": [""],
        "FriendlyName": ["é & +"],
    }
    assert (answer.snapshot, answer.status, answer.request_id) == (SNAPSHOT, 200, "")


def test_update_of_nothing_has_an_empty_body(client, twilio):
    twilio.post(f"{LIST}/{FO}", json=FLOW)

    client.update(FO, {})

    assert not twilio.calls[0].request.body


def test_delete(client, twilio):
    twilio.delete(f"{LIST}/{FO}", status=204, headers={"Twilio-Request-Id": REQUEST_ID})

    answer = client.delete(FO)

    assert (twilio.calls[0].request.method, twilio.calls[0].request.body) == ("DELETE", None)
    assert (answer.snapshot, answer.status, answer.request_id) == ({}, 204, REQUEST_ID)


@pytest.mark.parametrize("call", ["fetch", "update", "delete"])
@pytest.mark.parametrize(
    "sid",
    ["", FO[:-1], FO + "\n", "FW" + HEX, f"../FlexFlows/{FO}", f"{FO}?a", "FO" + "٣" * 32, None],
    ids=ascii,
)
def test_no_path_is_built_from_what_is_not_a_sid(client, twilio, call, sid):
    with pytest.raises(ValueError, match="SID"):
        getattr(client, call)(sid, *([{}] if call == "update" else []))

    assert not twilio.calls


def test_a_field_that_cannot_be_written_is_not_sent(client, twilio):
    with pytest.raises(KeyError):
        client.update(FO, {"friendly_name": "x", "account_sid": AC})

    assert not twilio.calls


# Lists


def linked(twilio, link, *, pages=20):
    """A list whose every page has the next one at `link(its number)`; it does end, should nobody end it before."""

    def another(_request):
        number = len(twilio.calls)
        return 200, {}, json.dumps(page(FLOW, following=link(number) if number < pages else None))

    twilio.add_callback(responses.GET, LIST, another)


def test_list_asks_for_large_pages_and_by_name_if_told(client, twilio):
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


def test_first_page_is_asked_for_at_once(client, twilio):
    asked = threading.Event()
    linked(twilio, lambda _number: asked.set())

    pages = client.list()

    assert asked.wait(20)
    assert list(pages) == [SNAPSHOT]


def test_next_page_is_on_its_way_while_one_is_looked_at(client, twilio):
    asked, said = threading.Event(), ContextVar("said", default="")
    said.set("who asks")
    heard = []

    def link(number):
        heard.append(said.get())
        if number == 1:
            asked.set()
        return f"{LIST}?Page={number}" if number < 2 else None

    linked(twilio, link)
    pages = client.list()
    next(pages)

    assert asked.wait(20)
    assert len(list(pages)) == 2
    assert heard == ["who asks"] * 3


@pytest.mark.parametrize(
    "body",
    [
        {}, {"flex_flows": []}, {"meta": {}}, {"flex_flows": {}, "meta": {}}, {"flex_flows": [], "meta": []},
        FLOW, page(None), page({}), page({"sid": "FW" + HEX}), page("FO"),
    ],
    ids=json.dumps,
)  # fmt: skip
def test_list_of_something_else_is_unknown(client, twilio, body):
    twilio.get(LIST, json=body, headers={"Twilio-Request-Id": REQUEST_ID})

    with pytest.raises(OutcomeUnknown) as caught:
        list(client.list())

    assert (caught.value.status, caught.value.request_id) == (200, REQUEST_ID)


# Answers that can't be trusted


@pytest.mark.parametrize("verb", ["fetch", "create", "update"])
@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b"7", b'"FO"', b"<html><h1>Welcome</h1></html>", b'\x00\xff{"sid": "FO',
        json.dumps(FLOW).encode()[:-1], json.dumps(FLOW).encode() + b"}", b"{}", b'{"sid": null}',
        b'{"sid": "FO1"}', b"[" * 100_000, b"NaN", b'{"sid": NaN}',
    ],
    ids=lambda body: ascii(body[:60]),
)  # fmt: skip
def test_success_with_another_body_is_unknown(client, twilio, slept, verb, body):
    answers(twilio, verb, body=body, status=200, headers={"Twilio-Request-Id": REQUEST_ID})

    with pytest.raises(OutcomeUnknown) as caught:
        VERBS[verb](client)

    assert (caught.value.status, caught.value.request_id) == (200, REQUEST_ID)
    assert (len(twilio.calls), slept) == (1, [])


@pytest.mark.parametrize("verb", ["fetch", "create", "update"])
@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (b"9" * 5000, "9" * 5000), (b"NaN", "NaN"), (b"[-Infinity]", ["-Infinity"]), (b"1e999", "1e999"), (b"1e3", 1000.0),
        (b"9" * 4000, int("9" * 4000)), (b'"' + b"x" * 100_000 + b'"', "x" * 100_000),
    ],
    ids=lambda value: ascii(value)[:20],
)  # fmt: skip
def test_value_that_is_no_number_of_jsons_is_read_as_a_text(client, twilio, verb, sent, read):
    answers(twilio, verb, body=b'{"sid": "%s", "a": %s}' % (FO.encode(), sent))

    found = VERBS[verb](client)

    assert (found if verb == "fetch" else found.snapshot)["a"] == read


@pytest.mark.parametrize("depth", [101, 600, 2000, 100_000])
@pytest.mark.parametrize(("opens", "closes"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_what_is_nested_too_deeply_leaves_the_rest_readable(client, twilio, depth, opens, closes):
    deep = opens * depth + b'"c4n4ry \\"[{"' + closes * depth
    answers(
        twilio,
        "fetch",
        body=b'{"sid": "%s", "a": %s, "friendly_name": "Lyon ]"}' % (FO.encode(), deep),
    )

    found = client.fetch(FO)

    assert found["friendly_name"] == "Lyon ]"
    assert "nested too deeply: not shown" in str(found["a"])
    assert "c4n4ry" not in str(found["a"])


@pytest.mark.parametrize("depth", [600, 5000])
def test_flow_comes_out_the_same_from_a_list_and_by_itself(client, twilio, depth):
    flow = b'{"sid": "%s", "a": %s}' % (FO.encode(), b"[" * depth + b"]" * depth)
    answers(twilio, "fetch", body=flow)
    twilio.get(LIST, body=b'{"flex_flows": [%s], "meta": {"next_page_url": null}}' % flow)

    assert list(client.list()) == [client.fetch(FO)]


@pytest.mark.parametrize("body", [b"<html></html>", b"[]", b"{"])
def test_deletion_answered_with_something_else_is_unknown(client, twilio, body):
    answers(twilio, "delete", body=body)

    with pytest.raises(OutcomeUnknown):
        client.delete(FO)


@pytest.mark.parametrize("verb", ["fetch", "update"])
def test_answer_about_another_flow_is_unknown(client, twilio, verb):
    answers(
        twilio,
        verb,
        body=json.dumps(FLOW | {"sid": OTHER}),
        headers={"Twilio-Request-Id": REQUEST_ID},
    )

    with pytest.raises(OutcomeUnknown, match="another") as caught:
        VERBS[verb](client)

    assert (caught.value.status, caught.value.request_id) == (200, REQUEST_ID)


def test_ordinary_decimals_are_read(client, twilio):
    twilio.get(f"{LIST}/{FO}", body=json.dumps(FLOW | {"weight": 2.5}))

    assert client.fetch(FO)["weight"] == 2.5


# Errors


@every_verb
@pytest.mark.parametrize("status", sorted({*FACTS["refusals"]} - {429}))
def test_refusal_says_what_twilio_said(client, twilio, slept, verb, status):
    envelope = {
        "code": 20001,
        "message": "Invalid x",
        "more_info": "https://www.twilio.com/20001",
        "status": status,
    }
    answers(
        twilio,
        verb,
        body=json.dumps(envelope),
        status=status,
        headers={"Twilio-Request-Id": REQUEST_ID},
    )

    with pytest.raises(RequestRefused) as caught:
        VERBS[verb](client)

    error = caught.value
    assert (error.status, error.code, error.message) == (status, 20001, "Invalid x")
    assert (error.more_info, error.request_id) == ("https://www.twilio.com/20001", REQUEST_ID)
    assert str(error) == f"Twilio refused with status {status}, code 20001"
    is_asked_for_in_smaller_pages = verb == "list" and status == 413
    assert (len(twilio.calls), slept) == (3 if is_asked_for_in_smaller_pages else 1, [])


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>Bad Gateway</html>", b"\x00\xff", b"[]", b'"no"', b'{"code": 1', b"NaN"],
    ids=ascii,
)
def test_refusal_without_twilios_words_is_still_one(client, twilio, body):
    answers(twilio, "update", body=body, status=403)

    with pytest.raises(RequestRefused) as caught:
        client.update(FO, {})

    error = caught.value
    assert (error.status, error.code, error.message, error.more_info) == (403, None, "", "")
    assert (error.request_id, error.retry_after) == ("", None)
    assert str(error) == "Twilio refused with status 403"


@pytest.mark.parametrize("code", [None, "2000 1", "", True, 2**31, 20001.5, [20001]], ids=repr)
def test_refusal_with_a_code_that_is_none(client, twilio, code):
    answers(
        twilio,
        "update",
        body=json.dumps({"code": code, "message": "no", "status": 400}),
        status=400,
    )

    with pytest.raises(RequestRefused) as caught:
        client.update(FO, {})

    assert (caught.value.code, caught.value.message) == (None, "no")


def test_refusal_with_a_code_as_text(client, twilio):
    answers(twilio, "update", body=json.dumps({"code": "45212", "message": "taken"}), status=400)

    with pytest.raises(RequestRefused) as caught:
        client.update(FO, {})

    assert caught.value.code == 45212


def test_refusal_as_rfc_9457_writes_it(client, twilio):
    problem = {
        "type": "https://www.twilio.com/docs/api/errors/45004",
        "title": "Bad Request",
        "status": 400,
        "code": 45004,
        "detail": "FriendlyName is too long",
        "errors": [{"detail": "too long", "pointer": "#/FriendlyName"}],
    }
    answers(twilio, "update", body=json.dumps(problem), status=400)

    with pytest.raises(RequestRefused) as caught:
        client.update(FO, {})

    error = caught.value
    assert (error.code, error.message, error.more_info) == (
        45004,
        problem["detail"],
        problem["type"],
    )


def test_refusal_is_kept_short(client, twilio):
    body = json.dumps({"code": 20001, "message": "m" * 5000, "more_info": "i" * 5000})
    answers(twilio, "update", body=body, status=400, headers={"Twilio-Request-Id": "r" * 500})

    with pytest.raises(RequestRefused) as caught:
        client.update(FO, {})

    error = caught.value
    assert (len(error.message), len(error.more_info), len(error.request_id)) == (1000, 300, 64)


@pytest.mark.parametrize("verb", ["create", "update"])
@pytest.mark.parametrize("status", [301, 302, 307, 308, 408, 500, 502, 503, 504, 599])
def test_any_other_status_leaves_a_write_unknown(client, twilio, slept, verb, status):
    answers(
        twilio, verb, body=json.dumps({"code": 20500, "message": "x"}), status=status,
        headers={"Location": f"{LIST}/elsewhere", "Twilio-Request-Id": REQUEST_ID},
    )  # fmt: skip

    with pytest.raises(OutcomeUnknown) as caught:
        VERBS[verb](client)

    assert (caught.value.status, caught.value.request_id) == (status, REQUEST_ID)
    assert (caught.value.code, caught.value.message) == (20500, "x")
    assert str(caught.value) == f"Twilio answered with status {status}"
    assert (len(twilio.calls), slept) == (1, [])


@pytest.mark.parametrize("verb", ["list", "fetch", "delete"])
@pytest.mark.parametrize(
    ("status", "calls"), [(302, 1), (408, 4), (410, 1), (422, 1), (500, 4), (503, 4), (599, 4)]
)
def test_only_a_servers_error_is_worth_asking_again(client, twilio, slept, verb, status, calls):
    answers(twilio, verb, status=status)

    with pytest.raises(OutcomeUnknown) as caught:
        VERBS[verb](client)

    assert caught.value.status == status
    assert (len(twilio.calls), len(slept)) == (calls, calls - 1)


@every_verb
def test_a_429_is_asked_again_whatever_the_verb(client, twilio, slept, verb):
    answers(twilio, verb, status=429, body='{"code": 20429}', headers={"Retry-After": "2"})

    with pytest.raises(RequestRefused) as caught:
        VERBS[verb](client)

    assert (caught.value.status, caught.value.code, caught.value.retry_after) == (429, 20429, 2.0)
    assert len(twilio.calls) == retries.MAX_ATTEMPTS == 4
    assert len(slept) == 3
    assert all(2.0 <= pause <= 2.25 for pause in slept)


@pytest.mark.parametrize("after", [None, "", "soon", "-1", "1.5.5", "٣", "31. Dezember 2027"])
def test_pauses_double_where_twilio_asks_for_none(client, twilio, slept, monkeypatch, after):
    monkeypatch.setattr(retries.random, "uniform", lambda low, high: high)
    answers(twilio, "fetch", status=429, headers={} if after is None else {"Retry-After": after})

    with pytest.raises(RequestRefused) as caught:
        client.fetch(FO)

    assert caught.value.retry_after is None
    assert slept == [0.5, 0.75, 1.25]


def test_pauses_are_bounded(monkeypatch):
    monkeypatch.setattr(retries.random, "uniform", lambda low, high: 0.0)
    state = SimpleNamespace(outcome=None, attempt_number=12)

    assert retries.retry_delay(state) == 4.0


def test_a_pause_beyond_the_deadline_is_not_made(client, twilio, slept):
    answers(twilio, "update", status=429, headers={"Retry-After": "15"})

    with pytest.raises(RequestRefused):
        client.update(FO, {})

    assert (len(twilio.calls), slept) == (1, [])


@every_verb
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
def test_a_lost_connection_is_unknown_and_quotes_nothing(client, twilio, slept, verb, failure):
    answers(twilio, verb, body=failure)

    with pytest.raises(OutcomeUnknown) as caught:
        VERBS[verb](client)

    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__
    assert caught.value.status is None
    assert len(twilio.calls) == (1 if verb in {"create", "update"} else 4)


@pytest.mark.parametrize("after", [0, -1])
@every_verb
def test_without_any_time_left_nothing_is_sent(twilio, verb, after):
    client = FlexClient(
        base_url=ROOT, account_sid=AC, auth=(SK, SECRET), deadline=after, rate_limits=False
    )

    with pytest.raises(NotSent):
        VERBS[verb](client)

    assert not twilio.calls


# Rates


class NoRates:
    """Rates that remember who asked. `wait` is what each turn takes; None: no turn comes in time."""

    def __init__(self, wait=0.0):
        self.wait, self.booked = wait, []

    def book(self, account_sid, operation, *, patience):
        self.booked.append((account_sid, operation, patience))
        return self.wait


def client_within(rates, **options):
    return FlexClient(base_url=ROOT, account_sid=AC, auth=(SK, SECRET), rates=rates, **options)


@every_verb
def test_each_call_waits_for_its_turn_of_its_kind(twilio, slept, verb):
    rates = NoRates(wait=1.25)
    answers(
        twilio,
        verb,
        body="" if verb == "delete" else json.dumps(page() if verb == "list" else FLOW),
    )

    VERBS[verb](client_within(rates, sleep=slept.append))

    ((account, kind, patience),) = rates.booked
    assert (account, kind, slept) == (AC, verb, [1.25])
    assert 0 < patience <= 15.0


def test_call_that_is_in_a_hurry_waits_no_longer_than_it_says(twilio):
    rates = NoRates()
    twilio.get(f"{LIST}/{FO}", json=FLOW)

    client_within(rates, deadline=4.0, patience=1.0).fetch(FO)

    assert rates.booked == [(AC, "fetch", 1.0)]


def test_each_page_and_each_repeat_takes_a_turn(twilio, slept):
    rates = NoRates()
    twilio.add(responses.GET, LIST, status=503)
    twilio.add(responses.GET, LIST, json=page(following="?Page=1"))
    twilio.add(responses.GET, LIST, json=page())

    list(client_within(rates, sleep=slept.append).list())

    assert [kind for _, kind, _ in rates.booked] == ["list"] * 3


@every_verb
def test_nothing_is_sent_when_no_turn_comes_in_time(twilio, slept, verb):
    rates = NoRates(wait=None)

    with pytest.raises(NotSent, match="not sent"):
        VERBS[verb](client_within(rates, sleep=slept.append))

    assert (len(twilio.calls), len(rates.booked), slept) == (0, 1, [])


@pytest.mark.parametrize(
    ("overslept", "turns"), [([0.0], 1), ([0.09], 1), ([0.2, 0.0], 2), ([0.2] * 9, 3)]
)
def test_call_that_comes_late_to_its_turn_takes_another(twilio, monkeypatch, overslept, turns):
    rates, now = NoRates(wait=0.5), [100.0]

    def sleep(seconds):
        now[0] += seconds + overslept.pop(0)

    monkeypatch.setattr(client_module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(
        client_module.FlexClient, "_exchange", lambda *_: (_a_page(), json.dumps(FLOW).encode())
    )

    client_within(rates, sleep=sleep).fetch(FO)

    assert len(rates.booked) == turns


def _a_page():
    return SimpleNamespace(status_code=200, headers={})


# The log


@every_verb
def test_one_line_a_request_says_what_support_needs(client, twilio, caplog, verb):
    caplog.set_level(logging.DEBUG, logger="flows")
    body = json.dumps(page()) if verb == "list" else "" if verb == "delete" else json.dumps(FLOW)
    answers(twilio, verb, body=body, headers={"Twilio-Request-Id": REQUEST_ID})

    VERBS[verb](client)

    path = "/v1/FlexFlows" if verb in {"list", "create"} else f"/v1/FlexFlows/{FO}"
    ((_, level, line),) = caplog.record_tuples
    assert level == logging.INFO
    start, milliseconds, end = line.rpartition(" ms ")[0], line.split()[3], line.split()[-1]
    assert start.startswith(f"{METHODS[verb]} {path} {CONFIRMED[verb]} ")
    assert milliseconds.isdecimal()
    assert end == REQUEST_ID


def test_a_request_without_an_answer_has_its_line_too(client, twilio, caplog):
    caplog.set_level(logging.INFO, logger="flows")
    answers(twilio, "update", body=requests.ConnectionError("x"))

    with pytest.raises(OutcomeUnknown):
        client.update(FO, {})

    assert caplog.messages[0].startswith(f"POST /v1/FlexFlows/{FO} no answer ")
    assert caplog.messages[0].endswith(" ms -")


@every_verb
@pytest.mark.parametrize("status", [None, 400, 500])
def test_no_secret_and_nothing_personal_is_logged_or_said(twilio, caplog, verb, status):
    caplog.set_level(logging.DEBUG, logger="flows")
    client = FlexClient(
        base_url=ROOT, account_sid=AC, auth=(SK, SECRET), rate_limits=False, sleep=lambda _: None
    )
    personal = {"friendly_name": "canary-name", "contact_identity": "canary-identity"}
    following = f"{LIST}?FriendlyName=canary-name&PageToken=canary-token"
    good = page(FLOW | personal, following=following) if verb == "list" else FLOW | personal
    said = (
        good
        if status is None
        else {"code": 20001, "message": "canary-name", "more_info": "canary-name"}
    )
    answers(twilio, verb, body=json.dumps(said), status=status)
    if verb == "list":
        twilio.add(responses.GET, LIST, json=page())
    calls = VERBS | {
        "list": lambda client: list(client.list(friendly_name="canary-name")),
        "create": lambda client: client.create(personal),
        "update": lambda client: client.update(
            FO, personal | {"integration_url": "https://u:canary@h.example"}
        ),
    }

    words = ""
    try:
        calls[verb](client)
    except FlexError as error:
        words = f"{error!s} {error!r}"

    everything = words + "".join(
        f"{record.getMessage()} {record.__dict__}" for record in caplog.records
    )
    assert caplog.records
    assert "canary" not in everything
    assert basic(SK, SECRET).split()[1] not in everything
