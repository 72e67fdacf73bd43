"""The order of the list, and its pages."""

import pytest

from flows.search import flow_search
from flows.search.flow_search import PAGE_SIZE, SORTS, Page, Query, find_page
from tests.flows.search.mirrored_flows import DAY, OTHER_AC, names

# Order


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("name", ["alpha", "beta", "delta", "gamma"]),
        ("-name", ["gamma", "delta", "beta", "alpha"]),
        ("account", ["alpha", "beta", "delta", "gamma"]),
        ("-account", ["gamma", "alpha", "beta", "delta"]),
        ("channel", ["gamma", "alpha", "beta", "delta"]),
        ("-channel", ["delta", "alpha", "beta", "gamma"]),
        ("identity", ["delta", "gamma", "beta", "alpha"]),
        ("-identity", ["alpha", "beta", "gamma", "delta"]),
        ("integration", ["beta", "gamma", "alpha", "delta"]),
        ("-integration", ["alpha", "delta", "gamma", "beta"]),
        (
            "enabled",
            ["beta", "alpha", "delta", "gamma"],
        ),  # unknown values come last in both directions
        ("-enabled", ["alpha", "delta", "beta", "gamma"]),
        ("updated", ["delta", "alpha", "beta", "gamma"]),
        ("-updated", ["beta", "alpha", "delta", "gamma"]),
    ],
)
def test_every_order_in_both_directions_with_unknown_values_last(add, sort, order):
    add(
        "gamma",
        account_sid=OTHER_AC,
        channel_type="custom",
        contact_identity="b",
        integration_type="external",
        enabled=None,
        date_updated=None,
    )
    add(
        "beta",
        channel_type="sms",
        contact_identity="c",
        integration_type="",
        enabled=False,
        date_updated=DAY.replace(day=3),
    )
    add(
        "delta",
        channel_type="web",
        contact_identity="a",
        integration_type="task",
        enabled=True,
        date_updated=DAY,
    )
    add(
        "alpha",
        channel_type="sms",
        contact_identity="d",
        integration_type="task",
        enabled=True,
        date_updated=DAY.replace(day=2),
    )

    assert names(sort=sort) == order


def test_every_sort_column_is_tested():
    assert set(SORTS) == {
        "name",
        "account",
        "channel",
        "identity",
        "integration",
        "enabled",
        "updated",
    }


@pytest.mark.parametrize("sort", [*SORTS, *(f"-{key}" for key in SORTS)])
def test_equal_values_are_sorted_by_sid_so_that_pages_neither_lose_nor_repeat_a_flow(
    add, monkeypatch, sort
):
    monkeypatch.setattr(flow_search, "PAGE_SIZE", 3)
    sids = [add("same", contact_identity="same").sid for _ in range(8)]

    pages = [find_page(Query(sort=sort, page=number)).rows for number in (1, 2, 3)]

    assert [flow.sid for page in pages for flow in page] == sids


# Pages


@pytest.mark.parametrize(
    ("requested", "page", "first", "last", "has_next"),
    [(1, 1, 1, 3, True), (2, 2, 4, 6, True), (3, 3, 7, 7, False), (4, 3, 7, 7, False), (999_999, 3, 7, 7, False), (0, 1, 1, 3, True),
     (-5, 1, 1, 3, True)],
)  # fmt: skip
def test_pages(add, monkeypatch, requested, page, first, last, has_next):
    monkeypatch.setattr(flow_search, "PAGE_SIZE", 3)
    for _ in range(7):
        add()

    result = find_page(Query(page=requested))

    assert (result.page, result.first, result.last, result.has_next, result.total) == (
        page,
        first,
        last,
        has_next,
        7,
    )
    assert len(result.rows) == last - first + 1


def test_full_last_page_has_no_next_page(add, monkeypatch):
    monkeypatch.setattr(flow_search, "PAGE_SIZE", 3)
    for _ in range(3):
        add()

    assert not find_page(Query()).has_next
    assert find_page(Query(page=2)).page == 1


def test_empty_result(db):
    result = find_page(Query(page=7))

    assert result == Page([], 0, 1)
    assert (result.first, result.last, result.has_next) == (0, 0, False)


def test_page_emptied_after_the_count_has_no_next_page():
    assert not Page([], 7, 3).has_next


def test_page_has_fifty_flows(add):
    for _ in range(51):
        add()

    assert PAGE_SIZE == 50
    assert len(find_page(Query()).rows) == 50
    assert len(find_page(Query(page=2)).rows) == 1


@pytest.mark.parametrize(("size", "pages"), [(25, [25, 25, 1]), (100, [51]), (None, [50, 1])])
def test_page_has_as_many_flows_as_the_query_says(add, size, pages):
    for _ in range(51):
        add()

    results = [find_page(Query(size=size, page=number)) for number in range(1, len(pages) + 1)]

    assert [len(page.rows) for page in results] == pages
    assert (results[-1].last, results[-1].has_next) == (51, False)
    assert all(page.has_next for page in results[:-1])


def test_search_with_more_matches_than_are_counted_has_pages_of_this_size(add, monkeypatch):
    monkeypatch.setattr(flow_search, "COUNT_LIMIT", 30)
    for number in range(52):
        add(f"Line {number:02}")

    page = find_page(Query(q="line", size=25, page=2))

    assert [page.rows[0].friendly_name, page.rows[-1].friendly_name] == ["Line 25", "Line 49"]
    assert (page.first, page.last, page.has_next) == (26, 50, True)
