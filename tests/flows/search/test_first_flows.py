"""The first flows of a search: those whose name starts with the text, then the others by name."""

import pytest

from flows.search.flow_search import Query, find_first, find_page
from tests.flows.search.mirrored_flows import AC, DAY, OTHER_AC


def first_names(limit=3, **query):
    return [flow.friendly_name for flow in find_first(Query(**query), limit)]


def test_names_that_start_with_the_text_come_first(add):
    for name in ("After sales", "Sales", "After sales II", "Presales", "Sales Lyon"):
        add(name)

    assert first_names(q="sales") == ["Sales", "Sales Lyon", "After sales"]
    assert first_names(q="sales", limit=9) == [
        "Sales",
        "Sales Lyon",
        "After sales",
        "After sales II",
        "Presales",
    ]


@pytest.mark.parametrize("text", ["lyon sms", "sms", "+1 (415) 555-0001", "FO" + "0" * 31, "s"])
def test_they_are_those_of_the_list(add, text):
    for name in ("SMS Lyon", "Lyon (SMS)", "Web", "Sms Gent"):
        add(name)

    page = find_page(Query(q=text)).rows

    assert page
    first_flows = find_first(Query(q=text), 9)
    assert {flow.sid for flow in first_flows} == {flow.sid for flow in page}


def test_deleted_flows_and_other_accounts_are_left_out(add):
    add("Lyon", account_sid=AC)
    add("Lyon of others", account_sid=OTHER_AC)
    add("Lyon deleted", gone_at=DAY)

    assert first_names(q="lyon", scope=frozenset({AC})) == ["Lyon"]
    assert first_names(q="lyon", scope=frozenset()) == []


@pytest.mark.parametrize("query", [Query(), Query(q="\u200b"), Query.of({"q": "lyon\x00"})])
def test_no_search_finds_nothing(add, query):
    add("Lyon")

    assert find_first(query, 3) == []
