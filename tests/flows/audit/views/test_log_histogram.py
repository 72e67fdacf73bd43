"""The chart above the log's rows: events a day by result, each bar a link to its day."""

import re
from unittest import mock

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flows.audit import day_counts, log_paging
from flows.audit.audit_log import Actor, Payload
from flows.audit.day_counts import ResultGroup
from flows.audit.log_list import fetch_page
from flows.audit.log_query import LogQuery
from flows.audit.models import AuditDay
from tests import ACCOUNT
from tests.benchmarks.log_filling import MAIN_ACCOUNT, PLAN_ID, SECOND_ACCOUNT, fill_log
from tests.flows.audit.test_log_paging import explain_queries
from tests.flows.audit.views.logged_days import log_events
from tests.flows.audit.views.test_log_rows import ATTEMPT, LOST_OUTCOME, NOT_APPLIED, log_change
from tests.markup import squeezed

pytestmark = pytest.mark.django_db

ADA = Actor(id="2", label="ada", role="admin")


def totals(page):
    """Return the total of each day with events, by day of the month, and the number of days."""
    histogram = page.context["histogram"]
    if histogram is None:
        return None
    return {day.day.day: day.total for day in histogram.days if day.total}, len(histogram.days)


def groups(page, day):
    (found,) = (one for one in page.context["histogram"].days if one.day.day == day)
    return dict(zip((group.value for group in ResultGroup), found.counts, strict=True))


def links(page):
    return re.findall(r'<a href="([^"]*)" tabindex="-1">', page.content.decode())


def test_events_are_counted_by_the_day_of_their_start(client_of, at):
    for days, count in ((31, 5), (30, 4), (29, 3), (2, 2), (0, 1)):
        with at(days):
            log_events(count)

    page = client_of("viewer").get("/audit/")

    assert totals(page) == ({28: 3, 24: 2, 26: 1}, 30)
    assert "Events a day, 28 Oct – 26 Nov 2026" in squeezed(page.content.decode())


def test_results_are_grouped_as_the_rows_show_them(client_of, at):
    with at(1):
        log_change(ATTEMPT, ("outcome", "succeeded"))
        log_change(ATTEMPT, ("outcome", "failed"))
        log_change(ATTEMPT, LOST_OUTCOME, NOT_APPLIED)
        log_change(("outcome", "conflict"))
        log_events(1, result="denied")
        log_events(1, action="flow.drift", stage="observed", actor=Actor(id="", label=""))
        log_change(ATTEMPT, LOST_OUTCOME, target_sid="FO" + "2" * 32)
        log_change(ATTEMPT, target_sid="FO" + "3" * 32)  # its process died
    log_change(ATTEMPT)

    page = client_of("viewer").get("/audit/")

    assert groups(page, 25) == {"done": 1, "failed": 1, "unknown": 2, "other": 4}
    assert groups(page, 26) == {"done": 0, "failed": 0, "unknown": 0, "other": 1}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ({24: 2, 26: 3}, 30)),
        ("?actor=ada", ({24: 1, 26: 1}, 30)),
        ("?result=failed", ({26: 1}, 30)),
        ("?action=flow.baseline", ({26: 1}, 30)),
        ("?from=2026-11-24", ({24: 2, 26: 3}, 3)),
        ("?from=2026-11-23&to=2026-11-25", ({24: 2}, 3)),
        ("?to=2027-03-01", ({24: 2, 26: 3}, 30)),
        ("?to=2026-11-25", ({24: 2}, 30)),
        ("?from=2026-10-26&to=2026-11-25", ({24: 2}, 31)),  # as long as the longest month
        ("?from=2026-10-25&to=2026-11-25", ({24: 2}, 31)),
        ("?q=sommer", ({24: 1}, 3)),
        ("?from=2026-11-26&to=2026-11-26", None),
        ("?from=2026-11-25&to=2026-11-25", None),
        ("?to=2026-10-01", None),
        ("?to=0001-01-02", None),
        ("?from=9999-12-31", None),
        ("?q=winter", None),
        ("?result=nonsense", None),
        ("?actor=stranger", None),
        ("?result=pending", None),
    ],
)
def test_chart_counts_the_filters_result(client_of, at, query, expected):
    with at(2):
        log_events(1, payload=Payload(friendly_name="Sommerfest"))
        log_events(1, actor=ADA)
    log_events(1)
    log_events(1, result="failed")
    log_events(1, actor=ADA)
    log_events(1, action="flow.baseline", stage="observed")

    page = client_of("viewer").get(f"/audit/{query}")

    found = totals(page)
    if found and "q=" in query:  # the days before the first event may be among them
        found = (found[0], expected[1])
    assert found == expected


def test_each_bar_and_row_of_the_table_is_a_link_to_its_day(client_of, at):
    with at(1):
        log_events(2)
        log_events(1, result="failed")
    log_events(1, result="failed")
    client = client_of("viewer")

    page = client.get("/audit/?result=failed")

    day = "/audit/?result=failed&amp;from=2026-11-25&amp;to=2026-11-25"
    assert links(page)[-2] == day
    assert f'<a href="{day}">Yesterday, Wed 25 Nov 2026</a>' in page.content.decode()
    assert len(client.get(day.replace("&amp;", "&")).context["events"]) == 1


def test_table_has_the_figures_of_the_picture(client_of, at):
    with at(1):
        log_events(2)
        log_events(1, result="failed")

    html = squeezed(client_of("viewer").get("/audit/").content.decode())

    assert "<title>Yesterday, Wed 25 Nov 2026: 3 events (2 done, 1 failed)</title>" in html
    assert "</th><td>2</td><td>0</td><td>0</td><td>1</td><td>3</td></tr>" in html


def test_older_pages_have_the_same_chart(client_of, at):
    with at(1):
        log_events(60)
    client = client_of("viewer")
    first = client.get("/audit/")

    second = client.get("/audit/" + first.context["older_url"])

    assert totals(first) == totals(second) == ({25: 60}, 30)


def test_counting_ends_at_its_limit_and_says_so(client_of, at, monkeypatch):
    monkeypatch.setattr(day_counts, "COUNT_LIMIT", 5)
    for days, count in ((3, 1), (2, 4), (1, 1), (0, 2)):
        with at(days):
            log_events(count)

    page = client_of("viewer").get("/audit/")

    html = squeezed(page.content.decode())
    assert totals(page) == ({24: 2, 25: 1, 26: 2}, 3)
    assert "Tue 24 Nov 2026 is incomplete, and older days weren’t counted." in html
    assert "<td>2+</td></tr>" in html


def test_long_run_of_hidden_entries_is_not_counted_through(client_of, at, monkeypatch):
    monkeypatch.setattr(log_paging, "SCAN_WINDOW", 5)
    with at(3):
        log_events(2)
    with at(1):
        log_events(4, action="flow.baseline", stage="observed")
    log_events(2)
    client = client_of("viewer")

    assert totals(client.get("/audit/")) == ({26: 2}, 2)
    assert totals(client.get("/audit/?actor=omar")) == ({23: 2, 26: 2}, 30)


def test_search_by_words_counts_the_events_that_it_searched(client_of, at, monkeypatch):
    monkeypatch.setattr(log_paging, "SCAN_WINDOW", 4)
    for days in (3, 2, 1, 0):
        with at(days):
            log_events(2, reason="holidays")
    client = client_of("viewer")

    page = client.get("/audit/?q=holidays")

    assert totals(page) == ({25: 2, 26: 2}, 2)
    assert page.context["histogram"].partial_day is not None
    assert totals(client.get("/audit/" + page.context["continue_url"])) is None


def test_changes_of_other_accounts_are_not_counted(client, person, at):
    log_events(2, account_sid=ACCOUNT)
    log_events(5, account_sid="AC" + "0e" * 16)
    client.force_login(person("viewer", account_sid=ACCOUNT))

    assert totals(client.get("/audit/")) == ({26: 2}, 30)


def test_entry_in_two_branches_is_counted_once(client_of, at):
    log_change(ATTEMPT, LOST_OUTCOME, NOT_APPLIED)  # omar started and resolved it

    assert totals(client_of("viewer").get("/audit/?actor=omar")) == ({26: 1}, 30)


def test_clock_that_went_back_moves_no_event_to_another_day(client_of, at):
    log_events(1)
    with at(2):
        log_events(3)
    log_events(1)

    page = client_of("viewer").get("/audit/?from=2026-11-25")

    assert AuditDay.objects.count() == 2
    assert totals(page) == ({26: 2}, 2)


@pytest.mark.parametrize(
    "query",
    ["", "?actor=person 1", "?result=failed", f"?account={SECOND_ACCOUNT}", f"?plan={PLAN_ID}"],
)
def test_chart_takes_one_query_that_reads_an_index(client_of, query):
    fill_log(1500)
    client = client_of("viewer")
    client.get("/audit/" + query)

    with CaptureQueriesContext(connection) as queries:
        page = client.get("/audit/" + query)
    with (
        mock.patch.object(day_counts, "count_days", return_value=None),
        CaptureQueriesContext(connection) as others,
    ):
        client.get("/audit/" + query)

    assert page.context["histogram"] is not None
    assert len(queries) == len(others) + 1
    (count,) = (one["sql"] for one in queries.captured_queries if "GROUP BY 1, 2" in one["sql"])
    (plan,) = explain_queries([count])
    assert "INDEX" in plan.upper() or "INTEGER PRIMARY KEY" in plan
    assert not re.search("SCAN flows_auditentry(?! USING)|Seq Scan on flows_auditentry", plan)


def test_scoped_user_has_one_query_for_all_accounts(client, person):
    fill_log(1500)
    client.force_login(person("viewer", account_sid=MAIN_ACCOUNT))

    with CaptureQueriesContext(connection) as queries:
        client.get("/audit/")

    assert sum("GROUP BY 1, 2" in one["sql"] for one in queries.captured_queries) == 1


@pytest.mark.skipif(
    connection.vendor != "sqlite", reason="PostgreSQL chooses by what it knows of the rows"
)
@pytest.mark.parametrize(
    ("parameters", "scope", "index"),
    [
        ({"result": "failed"}, None, "log_result"),
        ({"action": "flow.delete"}, None, "log_action"),
        ({"actor": "person 1"}, None, "log_(actor|resolver)"),
        ({"result": "failed"}, frozenset([SECOND_ACCOUNT]), "log_account_result"),
        ({"result": "failed", "from": "2020-01-01"}, frozenset([SECOND_ACCOUNT]), "log_account_result"),
        ({"action": "flow.delete"}, frozenset([SECOND_ACCOUNT]), "log_account_action"),
        ({"sid": "FO" + "1" * 32}, None, "log_target"),
    ],
)  # fmt: skip
def test_count_uses_the_index_of_its_filters(db, parameters, scope, index):
    fill_log(1500)
    query = LogQuery.from_parameters(parameters)
    page = fetch_page(query, scope)

    with CaptureQueriesContext(connection) as queries:
        day_counts.count_days(query, scope, page)

    (plan,) = explain_queries([queries.captured_queries[0]["sql"]])
    searches = [line for line in plan.splitlines() if "auditentry" in line]
    assert searches
    assert all(re.search(rf"INDEX {index} ", line) for line in searches), plan
