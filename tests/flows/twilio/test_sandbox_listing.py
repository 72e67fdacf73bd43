"""The list of flows: order, pages, links, stable cursors and the filter."""

import base64
import json
from urllib.parse import parse_qs, urlsplit

import pytest

from flows.twilio.sandbox.server import Sandbox
from tests.flows.twilio import FLOWS, call


@pytest.fixture
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


def fill(sandbox, count, **fields):
    """Add flows and return their SIDs in the order of the list, newest first."""
    return [sandbox.add_flow(**fields) for _ in range(count)][::-1]


def list_flows(reply):
    assert reply.status == 200, reply.body
    return [flow["sid"] for flow in reply.json["flex_flows"]]


def follow(sandbox, link):
    parts = urlsplit(link)
    return call(sandbox, "GET", f"{parts.path}?{parts.query}")


def test_list_of_no_flows_has_one_empty_page(sandbox):
    reply = call(sandbox, "GET", FLOWS)

    assert reply.json == {
        "meta": {
            "page": 0,
            "page_size": 50,
            "first_page_url": f"{sandbox.url}/FlexFlows?PageSize=50&Page=0",
            "previous_page_url": None,
            "url": f"{sandbox.url}/FlexFlows?PageSize=50&Page=0",
            "next_page_url": None,
            "key": "flex_flows",
        },
        "flex_flows": [],
    }


def test_list_has_the_newest_first_with_urls(sandbox):
    sids = fill(sandbox, 3)

    reply = call(sandbox, "GET", FLOWS)

    assert list_flows(reply) == sids == list(sandbox.flows)
    assert reply.json["flex_flows"][0]["url"] == f"{sandbox.url}/FlexFlows/{sids[0]}"


def test_list_pages_link_to_next_and_previous(sandbox):
    sids = fill(sandbox, 7)

    first = call(sandbox, "GET", FLOWS, {"PageSize": 3})
    second = follow(sandbox, first.json["meta"]["next_page_url"])
    third = follow(sandbox, second.json["meta"]["next_page_url"])
    back = follow(sandbox, third.json["meta"]["previous_page_url"])
    start = follow(sandbox, back.json["meta"]["previous_page_url"])

    pages = (first, second, third, back, start)
    assert [list_flows(page) for page in pages] == [
        sids[:3],
        sids[3:6],
        sids[6:],
        sids[3:6],
        sids[:3],
    ]
    assert [page.json["meta"]["page"] for page in pages] == [0, 1, 2, 1, 0]
    assert third.json["meta"]["next_page_url"] is None
    assert first.json["meta"]["previous_page_url"] is None
    assert start.json["meta"]["previous_page_url"] is None
    assert start.json["meta"]["next_page_url"] is not None


def test_list_of_exactly_one_page_has_no_next(sandbox):
    fill(sandbox, 3)

    reply = call(sandbox, "GET", FLOWS, {"PageSize": 3})

    assert reply.json["meta"]["next_page_url"] is None


def test_list_default_page_has_fifty(sandbox):
    fill(sandbox, 51)

    reply = call(sandbox, "GET", FLOWS)

    assert len(list_flows(reply)) == 50
    assert len(list_flows(follow(sandbox, reply.json["meta"]["next_page_url"]))) == 1


def test_list_links_are_on_the_requested_host(sandbox):
    fill(sandbox, 2, friendly_name="Rückfragen & mehr")

    reply = call(
        sandbox,
        "GET",
        FLOWS,
        {"PageSize": 1, "FriendlyName": "Rückfragen & mehr"},
        headers={"Host": "flex.test:81"},
    )

    link = urlsplit(reply.json["meta"]["next_page_url"])
    query = parse_qs(link.query)
    assert (link.scheme, link.netloc, link.path) == ("http", "flex.test:81", "/v1/FlexFlows")
    assert set(query) == {"FriendlyName", "PageSize", "Page", "PageToken"}
    assert (query["FriendlyName"], query["PageSize"], query["Page"]) == (
        ["Rückfragen & mehr"],
        ["1"],
        ["1"],
    )
    assert reply.json["flex_flows"][0]["url"].startswith("http://flex.test:81/v1/FlexFlows/FO")


def test_list_filter_is_the_exact_name(sandbox):
    fill(sandbox, 2, friendly_name="Kundenservice München")
    sids = fill(sandbox, 5, friendly_name="Kundenservice")
    fill(sandbox, 2, friendly_name="kundenservice")

    first = call(sandbox, "GET", FLOWS, {"FriendlyName": "Kundenservice", "PageSize": 3})
    second = follow(sandbox, first.json["meta"]["next_page_url"])
    back = follow(sandbox, second.json["meta"]["previous_page_url"])

    assert list_flows(first) + list_flows(second) == sids
    assert second.json["meta"]["next_page_url"] is None
    assert list_flows(back) == sids[:3]


def test_list_cursor_stays_while_flows_are_added_and_deleted(sandbox):
    sids = fill(sandbox, 6)

    first = call(sandbox, "GET", FLOWS, {"PageSize": 2})
    newer = fill(sandbox, 3)
    sandbox.remove_flow(sids[1])
    sandbox.remove_flow(sids[2])
    second = follow(sandbox, first.json["meta"]["next_page_url"])
    back = follow(sandbox, second.json["meta"]["previous_page_url"])

    assert list_flows(second) == sids[3:5]
    assert list_flows(back) == [newer[-1], sids[0]]


def test_list_page_without_remaining_flows_is_empty(sandbox):
    sids = fill(sandbox, 2)
    first = call(sandbox, "GET", FLOWS, {"PageSize": 1})
    sandbox.remove_flow(sids[1])

    second = follow(sandbox, first.json["meta"]["next_page_url"])

    assert list_flows(second) == []
    assert second.json["meta"]["next_page_url"] is None


@pytest.mark.parametrize("size", ["1", "1000"])
def test_list_page_size_within_the_limits_is_accepted(sandbox, size):
    reply = call(sandbox, "GET", FLOWS, {"PageSize": size})

    assert (reply.status, reply.json["meta"]["page_size"]) == (200, int(size))


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"PageSize": "1001"}, 20007),
        ({"PageSize": "0"}, 20007),
        ({"PageSize": "-1"}, 20007),
        ({"PageSize": "many"}, 20007),
        ({"Page": "x"}, 20001),
        ({"PageToken": "nonsense"}, 20001),
        ({"PageToken": "é"}, 20001),
        ({"PageToken": base64.b64encode(b"5").decode()}, 20001),
        ({"PageToken": base64.b64encode(b"\xff\xff").decode()}, 20001),
        ({"PageToken": base64.b64encode(json.dumps(["other", 1, False]).encode()).decode()}, 20001),
        (
            {
                "PageToken": base64.b64encode(
                    json.dumps(["flexflows", "1", False]).encode()
                ).decode()
            },
            20001,
        ),
        ({"PageToken": base64.b64encode(json.dumps(["flexflows", 1, 0]).encode()).decode()}, 20001),
    ],
)
def test_list_with_a_bad_query_is_refused(sandbox, query, code):
    reply = call(sandbox, "GET", FLOWS, query)

    assert (reply.status, reply.json["code"]) == (400, code)
    assert next(iter(query)) in reply.json["message"]
