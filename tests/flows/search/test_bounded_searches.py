"""Searches with more matches than are counted, and the number of their database queries."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flows.search import facets, flow_search, trigrams
from flows.search.flow_search import Query, find_page
from tests.flows.search.mirrored_flows import DAY, names


@pytest.fixture
def many(add, monkeypatch):
    """Ten flows with "line" in their names and a deleted one. A search counts four."""
    monkeypatch.setattr(flow_search, "COUNT_LIMIT", 4)
    monkeypatch.setattr(flow_search, "PAGE_SIZE", 3)
    for number in range(10):
        add(f"Line {9 - number}", channel_type="web" if number < 2 else "sms", contact_identity="")
    add("Line gone", gone_at=DAY)
    add("Other")


@pytest.fixture(params=["index", "walk"])
def way(request, monkeypatch):
    """Run a test with the search index and with a read of all entries in their order."""
    if request.param == "walk":
        monkeypatch.setattr(trigrams, "COMMON_THRESHOLD", 1)


@pytest.mark.parametrize("q", ["line", "li", "l"])
def test_search_with_many_matches_counts_up_to_the_limit(many, way, q):
    answer = flow_search.run_query(Query(q=q))

    assert answer.is_bounded
    assert (answer.page.total, answer.page.more, answer.page.has_next) == (4, True, True)
    assert [flow.friendly_name for flow in answer.page.rows] == ["Line 0", "Line 1", "Line 2"]
    assert sum(answer.facets["channel"].values()) <= 10


@pytest.mark.parametrize("q", ["line", "li"])
@pytest.mark.parametrize(
    ("page", "rows", "total", "more"),
    [(2, ["Line 3", "Line 4", "Line 5"], 6, True), (4, ["Line 9"], 10, False), (5, ["Line 9"], 10, False), (99, ["Line 9"], 10, False)],
)  # fmt: skip
def test_pages_of_a_search_with_many_matches(many, way, q, page, rows, total, more):
    result = find_page(Query(q=q, page=page))

    assert [flow.friendly_name for flow in result.rows] == rows
    assert (result.page, result.total, result.more, result.has_next) == (
        min(page, 4),
        total,
        more,
        more,
    )


def test_filters_of_a_search_with_many_matches(many, way):
    few, most = find_page(Query(q="line", channel="web")), find_page(Query(q="line", channel="sms"))

    assert [flow.friendly_name for flow in few.rows] == ["Line 8", "Line 9"]
    assert (few.total, few.more) == (2, False)
    assert (most.total, most.more) == (4, True)
    assert names(q="line", enabled="gone") == ["Line gone"]


def test_bounded_facets_are_lower_bounds(many, way):
    answer = flow_search.run_query(Query(q="line"))

    for name, counts in answer.facets.items():
        for value, flows in counts.items():
            assert flows <= len(flow_search.list_sids(Query(q="line", **{name: value})))


def test_search_with_exactly_the_limit_is_counted(many, monkeypatch):
    monkeypatch.setattr(flow_search, "COUNT_LIMIT", 11)  # with the deleted one

    answer = flow_search.run_query(Query(q="line"))

    assert not answer.is_bounded
    assert (answer.page.total, answer.page.more) == (10, False)


@pytest.mark.parametrize(
    "query", [{}, {"page": 2}, {"channel": "web"}, {"sort": "-updated"}], ids=str
)
@pytest.mark.parametrize("q", ["line", "li"])
def test_small_mirror_has_the_same_results(many, query, q):
    """There, the caller's tally shows that no text can be common."""
    search = Query(q=q, **query)

    with CaptureQueriesContext(connection) as queries:
        answer = flow_search.run_query(search, facets.read_tally())

    assert answer == flow_search.run_query(search)
    assert not any("LIMIT 10000" in one["sql"] for one in queries)


def test_mirror_is_small_if_no_text_can_be_common(many, monkeypatch):
    assert facets.is_small(facets.read_tally())

    monkeypatch.setattr(trigrams, "COMMON_THRESHOLD", 3)

    assert not facets.is_small(facets.read_tally())


@pytest.mark.parametrize(
    ("common", "counted", "walks"),
    [(1, 4, True), (10_000, 4, False), (10_000, 1000, False)],
    ids=str,
)
def test_index_order_is_only_used_for_common_texts(many, monkeypatch, common, counted, walks):
    """Few matches may all be at the end of the order, after every other flow."""
    monkeypatch.setattr(trigrams, "COMMON_THRESHOLD", common)
    monkeypatch.setattr(flow_search, "COUNT_LIMIT", counted)

    with CaptureQueriesContext(connection) as queries:
        flow_search.run_query(Query(q="line"))

    [page] = [one["sql"] for one in queries if "ORDER BY" in one["sql"]]
    start, end = "FROM (", ") AS page"
    sids = page[page.index(start) + len(start) : page.index(end)]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # few flows are sorted if possible
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN {'QUERY PLAN' if connection.vendor == 'sqlite' else ''} {sids}")
        plan = str(cursor.fetchall())
    assert ("Sort Key" in plan or "TEMP B-TREE FOR ORDER BY" in plan) is not walks


@pytest.mark.parametrize(
    "query",
    [{}, {"q": "line"}, {"q": "li"}, {"q": "none such"}, {"sort": "-updated", "page": 2}, {"q": "line", "channel": "sms"}],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("counted", [4, 1000])
def test_number_of_queries_does_not_depend_on_the_number_of_flows(add, monkeypatch, query, counted):
    monkeypatch.setattr(flow_search, "COUNT_LIMIT", counted)
    add("Line")
    few = _queries(query)
    for number in range(60):
        add(f"Line {number}")

    assert _queries(query) <= (few if counted == 1000 else few + 3)


def _queries(query):
    with CaptureQueriesContext(connection) as queries:
        flow_search.run_query(Query(**query))
    return len(queries)
