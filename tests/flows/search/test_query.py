"""Queries in URLs: every value that is accepted, and every invalid one reported."""

from urllib.parse import parse_qs

import pytest
from django.http import QueryDict

from flows.search import flow_search
from flows.search.flow_search import Query, find_facets, find_page
from tests.flows.search.mirrored_flows import AC, OTHER_AC, names


def test_query_with_every_parameter(add):
    add(account_sid=AC)
    query = Query.of(
        QueryDict(
            f"q=R%C3%A9clam&channel=sms&integration=none&enabled=false&account={AC}&sort=-updated&page=3"
            "&size=25&owner=Claims&tag=vip&target=webhook%3Ahooks.example.com"
        )
    )

    assert query == Query(
        "Réclam", "sms", "none", "false", AC, "-updated", 3, 25, "Claims", "vip", "webhook:hooks.example.com"
    )  # fmt: skip
    assert query.target_key == ("webhook", "hooks.example.com")


@pytest.mark.parametrize(
    "text", ["", "q=", "go=1", "page=", "sort=", "account=", "q=+++", "unknown="]
)
def test_empty_query(text):
    assert Query.of(QueryDict(text)) == Query()


NONSENSE = [
    "channel=telepathy", "channel=SMS", "channel=%00", "integration=bot", "integration=Studio", "enabled=yes", "enabled=True",
    "enabled=1", "sort=date_updated", "sort=--name", "sort=-", "sort=name%3B", "sort=name,sid", "page=0", "page=-1", "page=1.5",
    "page=1e3", "page=abc", "page=1000000", "page=%D9%A3", "page=%C2%B2", "page=+2", "page=2%0A", "page=" + "9" * 400,
    "account=AC1", "account=%00", f"account={AC}", f"account={AC}1", f"account={AC}%0A", "account=' OR 1=1",
    "owner=%E2%80%8B", "owner=" + "x" * 61, "owner=%CC%81", "owner=Claims&owner=Sales",
    "tag=%23", "tag=" + "x" * 31, "tag=vip,lyon", "tag=token%3Dq8Zr71Lw0pXk52Vt93Bn",
    "size=0", "size=10", "size=050", "size=1000", "size=all", "size=%D9%A2%D9%A5",
    "q=%00", "q=a%00b", "q=" + "a" * 257, "q=%E2%80%8B", "q=%CC%81", "chanel=sms", "channel=sms&channel=web", "channel=sms&channel=",
    "channel=instagram&enabled=maybe",
]  # fmt: skip


@pytest.mark.parametrize("text", NONSENSE, ids=lambda text: text[:40])
def test_invalid_value_finds_nothing_and_is_reported(add, text):
    add(account_sid=OTHER_AC)
    query = Query.of(QueryDict(text))

    answer = flow_search.run_query(query)

    assert query.errors
    assert all(error.sentence.endswith(".") for error in query.errors)
    assert (answer.page.rows, answer.page.total, flow_search.list_sids(query)) == ([], 0, [])
    assert not any(counts.total() for counts in answer.facets.values())


@pytest.mark.parametrize("text", NONSENSE, ids=lambda text: text[:40])
def test_urls_of_an_invalid_query_keep_the_error(add, text):
    """No link, form or saved view drops an invalid value."""
    add(account_sid=OTHER_AC)
    query = Query.of(QueryDict(text))

    reparsed = Query.from_query_string(query.url())
    sorted_ = (
        Query.from_query_string(query.url(sort="-updated"))
        if query.errors[0].name != "sort"
        else reparsed
    )

    assert [one.name for one in reparsed.errors] == [one.name for one in query.errors]
    assert sorted_.errors


@pytest.mark.parametrize("text", NONSENSE, ids=lambda text: text[:40])
def test_query_without_its_invalid_parameters_is_valid(add, text):
    query = Query.of(QueryDict(text))

    for error in query.errors:
        query = query.without(error.name)

    assert not query.errors
    assert not Query.from_query_string(query.url()).errors


def test_unusual_value_in_the_mirror_is_a_valid_filter(add):
    add("insta", channel_type="instagram", integration_type="bot", account_sid=OTHER_AC)
    add("lyon")
    add("bare", channel_type="", integration_type="")

    for text in ("channel=instagram", "integration=bot", f"account={OTHER_AC}"):
        query = Query.from_query_string(text)
        assert not query.errors
        assert [flow.friendly_name for flow in find_page(query).rows] == ["insta"]
        assert flow_search.list_sids(query) == [find_page(query).rows[0].sid]
    assert names(channel="none") == ["bare"]
    assert find_facets(Query())["channel"] == {"instagram": 1, "sms": 1, "none": 1}


def test_value_of_an_invisible_account_is_invalid(add):
    """Otherwise users would learn of a value in an account that they may not see."""
    add(channel_type="instagram", account_sid=OTHER_AC)

    assert Query.from_query_string("channel=instagram", frozenset({AC})).errors
    assert Query.from_query_string(f"account={OTHER_AC}", frozenset({AC})).errors
    assert not Query.from_query_string("channel=instagram", frozenset({OTHER_AC})).errors


@pytest.mark.parametrize(
    ("text", "page"), [("page=1", 1), ("page=007", 7), ("page=999999", 999_999)]
)
def test_page_numbers(text, page):
    query = Query.of(QueryDict(text))

    assert (query.page, query.errors) == (page, ())


@pytest.mark.parametrize(
    "q", ["\x00", "a\x00b", "%", "x" * 256, "\u202e", "' \" \\ ; --", "\ufffd"], ids=ascii
)
def test_every_text_can_be_searched(add, q):
    add()

    result = find_page(
        Query.of({"q": q, "account": "\x00", "sort": "\x00", "channel": "\x00", "page": "\x00"})
    )

    assert result.total == 0


def test_url_leaves_out_default_values():
    assert Query().url() == "?"
    assert Query(q="é & +", sort="-updated").url() == "?q=%C3%A9+%26+%2B&sort=-updated"


def test_url_with_a_change_begins_at_page_one():
    query = Query(q="a", channel="sms", page=4)

    assert parse_qs(query.url(sort="-name")[1:]) == {
        "q": ["a"],
        "channel": ["sms"],
        "sort": ["-name"],
    }
    assert parse_qs(query.url(page=5)[1:]) == {"q": ["a"], "channel": ["sms"], "page": ["5"]}
    assert parse_qs(query.url(channel="")[1:]) == {"q": ["a"]}
    assert query.url() == "?q=a&channel=sms"
    assert query.url(page=1) == query.url()


def test_url_with_an_unknown_parameter():
    with pytest.raises(KeyError):
        Query().url(colour="red")


@pytest.mark.parametrize(
    "query",
    [
        Query(),
        Query("é&=+%", "web", "none", "true", AC, "-enabled", 9),
        Query(q="100%_\\"),
        Query(q=" spaced "),
        Query(owner="Claims & Co", tag="none"),
    ],
)
def test_query_survives_a_round_trip_through_its_url(add, query):
    add(account_sid=AC)

    assert Query.of(QueryDict(query.url(page=query.page)[1:])) == query
