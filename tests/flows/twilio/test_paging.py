"""Pages of a listing: links, page sizes and the end of a listing.

Some tests use simulated responses, some a real proxy in front of the sandbox.
"""

import json
import re
import socket
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from flows.twilio import paging
from flows.twilio.client import ResourceClient
from flows.twilio.errors import OutcomeUnknown, RequestRefused
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.paging import Pagination
from flows.twilio.sandbox.faults import Fault, FaultKind
from flows.twilio.sandbox.server import Sandbox
from tests.flows.twilio.raw_server import RawServer, read_request
from tests.flows.twilio.simulated_twilio import (
    FLOW,
    FO,
    LIST,
    OTHER,
    SECRET,
    SK,
    basic,
    page,
)


def follow(listing, link):
    trail = Pagination(FLEX_FLOW, listing)
    trail.begin({"PageSize": "1000"}, page_size=1000)
    return trail.resolve_link(link)


# Where a link leads


@pytest.mark.parametrize(
    ("listing", "link"),
    [
        (LIST, f"{LIST}?Page=1"),
        (LIST, "https://flex-api.twilio.com:443/v1/FlexFlows?Page=1"),
        (LIST, "https://flex-api.twilio.com/v1/FlexFlows/?Page=1"),
        (LIST, "HTTPS://Flex-API.twilio.com/v1/FlexFlows?Page=1"),
        (LIST, "https://flex-api.dublin.ie1.twilio.com/v1/FlexFlows?Page=1"),
        (LIST, "http://flex-api.twilio.com/v1/FlexFlows?Page=1"),
        (LIST, "https://user:pass@flex-api.twilio.com/v1/FlexFlows?Page=1"),
        (LIST, "//flex-api.twilio.com/v1/FlexFlows?Page=1"),
        (LIST, "/v1/FlexFlows?Page=1"),
        (LIST, "FlexFlows?Page=1"),
        (LIST, "?Page=1"),
        (LIST, " ?Page=1 "),
        (LIST, "https://flex-api.twilio.com/v1/FlexFlows?Page=1#top"),
        (
            "http://proxy.example/twilio/flex/v1/FlexFlows",
            "https://flex-api.twilio.com/v1/FlexFlows?Page=1",
        ),
        ("http://proxy.example/twilio/flex/v1/FlexFlows", "/v1/FlexFlows?Page=1"),
        ("http://proxy.example/flex/FlexFlows", "https://flex-api.twilio.com/v1/FlexFlows?Page=1"),
        (
            "http://proxy.example:8080/v1/FlexFlows",
            "http://proxy.example/inside/v1/FlexFlows/?Page=1",
        ),
    ],
)
def test_next_page_is_requested_at_the_configured_address(listing, link):
    assert follow(listing, link) == f"{listing}?Page=1"


@pytest.mark.parametrize(
    "query",
    [
        "FriendlyName=a%20b%2Bc&PageSize=50&PageToken=PAFO%2F%3D%3D",
        "PageToken=eyJ+x/==",
        "a=&unknown=",
    ],
)
def test_query_of_a_link_is_used_unchanged(query):
    assert follow(LIST, f"{LIST}?{query}") == f"{LIST}?{query}"


@pytest.mark.parametrize(
    "link",
    [
        "ftp://flex-api.twilio.com/v1/FlexFlows?Page=1", "file:///etc/passwd", "javascript:alert(1)",
        "https:/v1/elsewhere", "/v1/FlexFlowsElse?Page=1", "/v1/FlexFlows/../Channels?Page=1",
        "/v1/FlexFlows/%2e%2e/Channels?Page=1", "/v1/FlexFlows;x?Page=1", f"/v1/FlexFlows/{FO}",
        "https://flex-api.twilio.com/?Page=1", "https://flex-api.twilio.com/v1/Channels?Page=1",
        "https://[flex-api.twilio.com/v1/FlexFlows", "?\x00", "?Page=1\nHost: evil", 7, True, ["a"], {"url": LIST},
    ],
    ids=ascii,
)  # fmt: skip
def test_link_to_another_resource_is_not_followed(client, twilio, link):
    twilio.get(LIST, json=page(FLOW, following=link))
    flows = client.list()

    assert next(flows)["sid"] == FO
    with pytest.raises(OutcomeUnknown, match=r"not followed|invalid address") as excinfo:
        list(flows)

    assert "flex-api" not in str(excinfo.value)
    assert len(twilio.calls) == 1


@pytest.mark.parametrize(
    "host", ["flex-api.example", "flex-api.twilio.com.example", "flex-api.twilio.com:8443"]
)
def test_credentials_are_sent_nowhere_else(client, twilio, host):
    twilio.add(
        responses.GET, LIST, json=page(FLOW, following=f"https://{host}/v1/FlexFlows?Page=1")
    )
    twilio.add(responses.GET, LIST, json=page(FLOW | {"sid": OTHER}))

    assert [flow["sid"] for flow in client.list()] == [FO, OTHER]

    assert twilio.calls[1].request.url == f"{LIST}?Page=1"
    assert twilio.calls[1].request.headers["Authorization"] == basic(SK, SECRET)
    assert {urlsplit(call.request.url).netloc for call in twilio.calls} == {"flex-api.twilio.com"}


class Proxy:
    """A proxy for the sandbox under `prefix`.

    It passes on Twilio's own host name, so that the page links lead past the proxy.
    """

    def __init__(self, sandbox, prefix, name=b"flex-api.twilio.com"):
        self.sandbox, self.prefix, self.name, self.page_sizes = sandbox, prefix.encode(), name, []

    def __call__(self, connection, _number):
        request = read_request(connection)
        line, _, rest = request.partition(b"\r\n")
        self.page_sizes.append(line.decode())
        line = line.replace(self.prefix, b"", 1)
        rest = re.sub(rb"(?i)host: [^\r]*", b"Host: " + self.name, rest, count=1)
        rest = re.sub(rb"(?i)connection: [^\r]*", b"Connection: close", rest, count=1)
        with socket.create_connection(
            ("127.0.0.1", int(urlsplit(self.sandbox.url).port))
        ) as upstream:
            upstream.sendall(line + b"\r\n" + rest)
            while chunk := upstream.recv(65_536):
                connection.sendall(chunk)


@pytest.mark.parametrize("prefix", ["", "/twilio/flex"])
def test_listing_through_a_proxy_is_complete(prefix):
    with Sandbox() as sandbox:
        sids = {sandbox.add_flow() for _ in range(5)}
        proxy = Proxy(sandbox, prefix)
        with RawServer(proxy) as server:
            client = ResourceClient(
                FLEX_FLOW,
                base_url=f"http://127.0.0.1:{server.port}{prefix}/v1",
                account_sid=sandbox.account_sid,
                auth=(sandbox.api_key, sandbox.api_secret),
                rate_limits=False,
            )
            sids = [flow["sid"] for flow in client.list(page_size=2)]
            client.close()

    assert sorted(sids) == sorted(sids)
    assert len(proxy.page_sizes) == 3
    assert all(line.startswith(f"GET {prefix}/v1/FlexFlows?") for line in proxy.page_sizes)


# The end


@pytest.mark.parametrize("end", [None, "", "  ", False, 0, [], {}], ids=repr)
def test_listing_ends_with_an_empty_link(client, twilio, end):
    twilio.get(LIST, json=page(FLOW, following=end))

    assert [flow["sid"] for flow in client.list()] == [FO]
    assert len(twilio.calls) == 1


def test_listing_ends_with_a_missing_link(client, twilio):
    twilio.get(LIST, json={"meta": {"key": "flex_flows"}, "flex_flows": [FLOW]})

    assert [flow["sid"] for flow in client.list()] == [FO]


@pytest.mark.parametrize("link", [LIST, f"{LIST}?PageSize=1000", f"{LIST}?Page=1", "#", "?"])
def test_link_loop_ends(client, twilio, link):
    twilio.get(LIST, json=page(FLOW, following=link))

    with pytest.raises(OutcomeUnknown, match="loop"):
        list(client.list())

    assert len(twilio.calls) <= 2


def add_endless_pages(twilio, flow, *, limit=30):
    """Serve a list with a new link on each page. It ends at some point to protect the test."""

    def another(_request):
        number = len(twilio.calls)
        link = f"{LIST}?Page={number}" if number < limit else None
        return 200, {}, json.dumps(page(*flow(number), following=link))

    twilio.add_callback(responses.GET, LIST, another)


@pytest.mark.parametrize(
    "flow", [lambda _number: [FLOW], lambda _number: []], ids=["the same", "none"]
)
def test_repeated_pages_with_new_links_end(client, twilio, flow):
    add_endless_pages(twilio, flow)

    with pytest.raises(OutcomeUnknown, match="loop"):
        list(client.list())

    assert len(twilio.calls) <= 3


def test_one_repeated_page_does_not_end_the_listing(client, twilio):
    """A flow that is created during the listing moves another one to the next page."""
    sids = [FO, FO, OTHER]
    for at, sid in enumerate(sids):
        following = f"?Page={at + 1}" if at < 2 else None
        twilio.add(responses.GET, LIST, json=page(FLOW | {"sid": sid}, following=following))

    assert [flow["sid"] for flow in client.list()] == sids


def test_endless_listing_ends_at_the_page_limit(client, twilio, monkeypatch):
    monkeypatch.setattr(paging, "MAX_PAGES", 5)
    add_endless_pages(twilio, lambda number: [FLOW | {"sid": f"FO{number:032}"}])

    with pytest.raises(OutcomeUnknown, match="loop"):
        list(client.list())

    assert len(twilio.calls) == 5


def test_page_limit_is_higher_for_smaller_pages():
    trail = Pagination(FLEX_FLOW, LIST)
    trail.begin({"PageSize": "50"}, page_size=50)

    for number in range(1, 2000):
        trail.note([{"sid": f"FO{number:032}"}])
        trail.resolve_link(f"?Page={number}")
    with pytest.raises(OutcomeUnknown, match="loop"):
        trail.resolve_link("?Page=2000")


# Sizes


def requested_page_sizes(requests):
    return [request.parameters.get("PageSize") for request in requests]


@pytest.mark.parametrize(
    ("fault", "count"),
    [
        (Fault(FaultKind.REFUSE, status=400, code=20007), 1),
        (Fault(FaultKind.REFUSE, status=400, code=20001, message="Invalid parameter PageSize"), 2),
        (Fault(FaultKind.REFUSE, status=413, code=20001), 1),
        (Fault(FaultKind.HTML, status=413), 2),
    ],
    ids=lambda value: f"{value.kind} {value.status}" if isinstance(value, Fault) else str(value),
)
def test_first_page_is_requested_again_with_a_smaller_size(fault, count):
    with Sandbox() as sandbox:
        sids = {sandbox.add_flow() for _ in range(120)}
        client = ResourceClient(
            FLEX_FLOW,
            base_url=sandbox.url,
            account_sid=sandbox.account_sid,
            auth=(sandbox.api_key, sandbox.api_secret),
            rate_limits=False,
        )
        for _ in range(count):
            sandbox.inject(fault)

        sids = {flow["sid"] for flow in client.list(friendly_name=None)}
        client.close()

    assert sids == sids
    size = {1: 100, 2: 50}[count]
    expected = ["1000", "100", "50"][: count + 1] + [str(size)] * (-(-120 // size) - 1)
    assert requested_page_sizes(sandbox.requests) == expected


def test_refusal_of_every_page_size_is_raised(client, twilio):
    twilio.get(
        LIST, json={"code": 20007, "message": "Page size too large", "status": 400}, status=400
    )

    with pytest.raises(RequestRefused) as excinfo:
        list(client.list())

    assert excinfo.value.code == 20007
    page_sizes = [parse_qs(urlsplit(call.request.url).query)["PageSize"] for call in twilio.calls]
    assert page_sizes == [["1000"], ["100"], ["50"]]


@pytest.mark.parametrize(("status", "code"), [(400, 20001), (401, 20003), (404, 20404)])
def test_other_refusals_do_not_change_the_page_size(client, twilio, status, code):
    twilio.get(LIST, json={"code": code, "message": "No", "status": status}, status=status)

    with pytest.raises(RequestRefused):
        list(client.list())

    assert len(twilio.calls) == 1
