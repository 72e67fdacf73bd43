"""ResourceClient with simulated responses: its requests, its results and its log.

Errors are in test_client_errors.py, rates in test_client_rates.py. Connections, deadlines and
retries over real HTTP are in test_client_faults.py and test_client_connections.py.
"""

import json
import logging
import threading
from contextvars import ContextVar
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses

from flows.twilio.client import ResourceClient
from flows.twilio.errors import FlexError, OutcomeUnknown
from flows.twilio.flex.flex_flow import FLEX_FLOW
from tests.data import EXAMPLES, WIRE
from tests.flows.twilio.simulated_twilio import (
    AC,
    FLOW,
    FO,
    HEX,
    LIST,
    METHODS,
    OPERATIONS,
    REQUEST_ID,
    ROOT,
    SECRET,
    SK,
    SNAPSHOT,
    SUCCESS_STATUSES,
    add_response,
    basic,
    every_operation,
    page,
)
from tests.patience import HANG_TIMEOUT

# Requests


def test_fetch_requests_the_flow(client, twilio):
    twilio.get(f"{LIST}/{FO}", json=FLOW)

    assert client.fetch(FO) == SNAPSHOT

    request = twilio.calls[0].request
    assert (request.method, request.url, request.body) == ("GET", f"{LIST}/{FO}", None)
    assert request.headers["Authorization"] == basic(SK, SECRET)
    assert request.headers["Accept"] == "application/json"


@pytest.mark.parametrize(
    ("headers", "authorization"),
    [({"Flex-Metadata": "é 1"}, basic(SK, SECRET)), ({"Authorization": "Bearer 7"}, "Bearer 7")],
)
def test_further_headers_are_sent_and_one_can_replace_basic(twilio, headers, authorization):
    client = ResourceClient(
        FLEX_FLOW, base_url=ROOT, account_sid=AC, auth=(SK, SECRET), headers=headers
    )
    twilio.get(f"{LIST}/{FO}", json=FLOW)

    client.fetch(FO)

    sent = twilio.calls[0].request.headers
    assert sent["Authorization"] == authorization
    for name, value in headers.items():
        assert sent[name].encode("latin-1").decode() == value


def test_a_base_url_with_a_slash_at_its_end(twilio):
    client = ResourceClient(
        FLEX_FLOW, base_url=ROOT + "/", account_sid=AC, auth=(SK, SECRET), rate_limits=False
    )
    twilio.get(f"{LIST}/{FO}", json=FLOW)

    assert client.fetch(FO) == SNAPSHOT


@every_operation
@pytest.mark.parametrize(
    ("name", "secret"),
    [(SK, SECRET), (AC, "the-auth-token"), (SK, "pasted’wrong"), (SK, "a:b c\n")],
)
def test_every_call_is_authenticated(twilio, operation, name, secret):
    client = ResourceClient(
        FLEX_FLOW, base_url=ROOT, account_sid=AC, auth=(name, secret), rate_limits=False
    )
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

    assert is_requested.wait(HANG_TIMEOUT)
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

    assert is_requested.wait(HANG_TIMEOUT)
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
    client = ResourceClient(
        FLEX_FLOW,
        base_url=ROOT,
        account_sid=AC,
        auth=(SK, SECRET),
        rate_limits=False,
        sleep=lambda _: None,
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
