"""The cost of a page does not grow with the log.

Each search reads an index in its order. Where no index applies, a window of the log is searched,
and the page says so.
"""

import re
import statistics
from datetime import UTC, date, datetime, timedelta
from unittest import mock

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from flows.audit import audit_log, log_paging, verification
from flows.audit.audit_log import Payload
from flows.audit.log_list import fetch_page, matching_events
from flows.audit.log_query import LogQuery
from flows.audit.models import AuditDay, AuditEntry, AuditEvent, OpenChange, OpenDrift
from flows.mirror.models import Flow
from tests.benchmarks.log_filling import (
    FIRST_ACTOR,
    MAIN_ACCOUNT,
    PLAN_ID,
    SECOND_ACCOUNT,
    SMALL_ACCOUNT,
    VISITOR,
    fill_log,
)

pytestmark = pytest.mark.django_db

ALL, ONE, TWO = None, frozenset([SECOND_ACCOUNT]), frozenset([MAIN_ACCOUNT, SMALL_ACCOUNT])


@pytest.fixture
def log(db):
    """Fill the log with 1,500 events, none of them in the future."""
    fill_log(1500)


@pytest.fixture
def small_scan_window(monkeypatch):
    """Search only 100 events where no index applies, as if the log were long."""
    monkeypatch.setattr(log_paging, "SCAN_WINDOW", 100)


def plans_of_searches(queries):
    """Return the database's query plans of the searches."""
    return explain_queries(
        query["sql"] for query in queries if re.search(r"ORDER BY .* DESC\s+LIMIT", query["sql"])
    )


def explain_queries(searches):
    explain = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
    with connection.cursor() as cursor:
        for sql in searches:
            if (
                connection.vendor == "postgresql"
            ):  # so small a log it may well read through, index or not
                cursor.execute("SET enable_seqscan = off")
            cursor.execute(explain + sql)
            plan = "\n".join(str(row[-1]) for row in cursor.fetchall())
            if connection.vendor == "postgresql":
                cursor.execute("RESET enable_seqscan")
            yield plan


def day_of(seq):
    return AuditEvent.objects.get(seq=seq).at.date().isoformat()


INDEXED_QUERIES = [
    {}, {"before": "1000"}, {"before": "700"}, {"actor": "person 1"}, {"actor": FIRST_ACTOR}, {"result": "failed"},
    {"result": "succeeded"}, {"action": "flow.delete"}, {"action": "flow.baseline"},
    {"account": SMALL_ACCOUNT}, {"account": SECOND_ACCOUNT, "actor": "person 1"}, {"from": "a day", "to": "a day"},
    {"from": "a day", "to": "a day", "actor": "person 1"}, {"sid": "of a flow"}, {"result": "pending"},
    {"result": "pending", "action": "flow.update", "q": "a"}, {"sid": "of a flow", "actor": "person 1", "q": "a"},
]  # fmt: skip


@pytest.mark.parametrize("scope", [ALL, ONE, TWO], ids=["all", "one", "two"])
def test_search_reads_an_index_in_order(log, scope):
    drift = AuditEvent.objects.filter(action="flow.drift", account_sid=MAIN_ACCOUNT).first()
    values_by_name = {"a day": day_of(900), "of a flow": drift.target_sid}
    for parameters in INDEXED_QUERIES:
        query = LogQuery.from_parameters(
            {name: values_by_name.get(value, value) for name, value in parameters.items()}
        )
        with CaptureQueriesContext(connection) as queries:
            page = fetch_page(query, scope)

        assert page.scanned_to is None, parameters
        query_plans = list(plans_of_searches(queries.captured_queries))
        assert query_plans or parameters.get("account"), (
            parameters
        )  # of another account there is nothing to look for
        for plan in query_plans:
            assert re.search("USING (COVERING )?INDEX|USING INTEGER PRIMARY KEY|Index", plan), (
                parameters,
                plan,
            )
            assert not re.search("TEMP B-TREE FOR ORDER|Seq Scan on flows_audit", plan), (
                parameters,
                plan,
            )


@pytest.mark.skipif(
    connection.vendor != "sqlite", reason="PostgreSQL chooses by what it knows of the rows"
)
def test_search_uses_its_own_index(log):
    for parameters, scope, index in [
        ({"actor": "person 1"}, ALL, "log_(actor|resolver)"),
        ({"result": "failed"}, ALL, "log_result"),
        ({"action": "flow.delete"}, ALL, "log_action"),
        ({}, ONE, "log_account"),
        ({"actor": "person 1"}, ONE, "log_(account_actor|resolver)"),
        ({"result": "failed"}, TWO, "log_account_result"),
        ({"action": "flow.delete"}, TWO, "log_account_action"),
        ({"sid": "FO" + "1" * 32}, TWO, "log_target"),
        ({"plan": str(PLAN_ID)}, TWO, "(log_request|sqlite_autoindex_flows_auditentry_3)"),
        ({"result": "pending"}, ALL, "sqlite_autoindex_flows_auditentry_1"),
        ({"result": "pending", "actor": "person 1"}, TWO, "sqlite_autoindex_flows_auditentry_1"),
        ({"sid": "FO" + "1" * 32, "actor": "person 1", "result": "failed"}, TWO, "log_target"),
        (
            {"plan": str(PLAN_ID), "actor": "person 1", "result": "failed"},
            ALL,
            "(log_request|sqlite_autoindex_flows_auditentry_3)",
        ),
    ]:
        with CaptureQueriesContext(connection) as queries:
            fetch_page(LogQuery.from_parameters(parameters), scope)
        query_plans = list(plans_of_searches(queries.captured_queries))
        assert query_plans
        assert all(re.search(rf"INDEX {index} ", plan) for plan in query_plans), (
            parameters,
            query_plans,
        )


def test_number_of_queries_does_not_grow_with_the_log(client_of):
    client, counts = client_of("auditor"), []
    client.get("/audit/")
    for length in (1000, 1500):
        fill_log(length)
        for parameters in ("", "?actor=person 1", "?q=Zwiebelfisch", f"?plan={PLAN_ID}"):
            with CaptureQueriesContext(connection) as queries:
                client.get("/audit/" + parameters)
            counts.append(len(queries))

    assert counts[:4] == counts[4:]


@pytest.mark.parametrize("scope", [ALL, ONE, TWO], ids=["all", "one", "two"])
def test_all_pages_together_have_each_event_once(log, scope):
    """Queries that are searched a window at a time are among them."""
    for parameters in (
        {}, {"actor": "person 1"}, {"actor": "person 1", "result": "failed"}, {"q": "Störung"},
        {"plan": str(PLAN_ID)}, {"account": SECOND_ACCOUNT}, {"result": "pending"}, {"sid": busiest_flow(), "result": "failed"},
        {"sid": busiest_flow(), "q": "Störung"}, {"plan": str(PLAN_ID), "actor": "person 1"},
    ):  # fmt: skip
        with (
            mock.patch.object(log_paging, "SCAN_WINDOW", 300),
            mock.patch.object(log_paging, "NARROW_SCAN_WINDOW", 7),
        ):
            seqs = all_pages(parameters, scope)
        expected = matching_events(LogQuery.from_parameters(parameters), scope).order_by(
            "-entry__start"
        )

        assert seqs == list(expected.values_list("seq", flat=True)), parameters


def test_filled_log_verifies(log):
    """The events of these tests and the benchmarks are as the site would write them."""
    assert verification.verify().fault == ""


def busiest_flow():
    """Return the SID of the flow with the most failed changes."""
    return statistics.mode(
        AuditEvent.objects.filter(result="failed").values_list("target_sid", flat=True)
    )


def all_pages(parameters, scope):
    seqs, before = [], ""
    while True:
        page = fetch_page(LogQuery.from_parameters({**parameters, "before": str(before)}), scope)
        seqs += [event.seq for event in page.events]
        if not page.has_older and not page.scanned_to:
            return seqs
        before = page.entries[-1].pk if page.has_older else page.scanned_to.seq


def test_page_says_how_far_it_searched_and_offers_to_continue(log, small_scan_window, client_of):
    client = client_of("viewer")

    page = client.get("/audit/", {"q": FIRST_ACTOR})

    text = page.content.decode()
    assert "No matches so far" in text
    assert "Searched 100 events, back to" in text
    assert "No events match" not in text
    assert page.context["scanned_to"].seq == 1401
    assert client.get("/audit/" + page.context["continue_url"]).context["scanned_to"].seq == 1301
    whole = client.get("/audit/" + page.context["whole_url"])
    assert len(whole.context["events"]) == 50
    older = client.get("/audit/" + whole.context["older_url"])
    assert (older.context["scanned_to"], len(older.context["events"]) > 0) == (None, True)


def test_page_searches_a_window_of_a_flows_entries_and_says_so(log, monkeypatch, client_of):
    monkeypatch.setattr(log_paging, "NARROW_SCAN_WINDOW", 20)
    parameters = {"sid": busiest_flow(), "q": "no-such-word"}

    page = client_of("viewer").get("/audit/", parameters)

    newest = AuditEntry.objects.filter(target_sid=busiest_flow()).order_by("-start")[:21]
    scanned_to = page.context["scanned_to"].seq
    assert newest[20].pk < scanned_to <= newest[19].pk
    assert "changes of this flow, back to" in page.content.decode()
    assert client_of("viewer").get("/audit/", {"sid": busiest_flow()}).context["scanned_to"] is None
    # Users who can read none of them must not learn how many there are.
    assert fetch_page(LogQuery.from_parameters(parameters), ONE).scanned_to is None


def test_page_searches_a_window_of_the_entries_of_a_user_who_only_signed_in(
    log, monkeypatch, client_of
):
    monkeypatch.setattr(log_paging, "NARROW_SCAN_WINDOW", 5)
    for _ in range(6):
        actor = audit_log.Actor(id="9", label=VISITOR)
        audit_log.append(action="auth.login", stage="access", result="succeeded", actor=actor)

    page = client_of("viewer").get("/audit/", {"actor": VISITOR})

    newest = AuditEvent.objects.filter(actor_label=VISITOR).order_by("-seq")[:6]
    scanned_to = page.context["scanned_to"].seq
    assert newest[5].seq < scanned_to <= newest[4].seq
    assert "entries of this user, back to" in page.content.decode()
    assert (
        fetch_page(LogQuery.from_parameters({"actor": VISITOR, "whole": "1"}), ALL).scanned_to
        is None
    )
    assert fetch_page(LogQuery.from_parameters({"actor": VISITOR}), ONE).scanned_to is None


def test_open_changes_are_searched_in_the_whole_log(log, small_scan_window):
    is_open = list(OpenChange.objects.order_by("-attempt").values_list("attempt", flat=True))
    assert is_open[-1] < 1400

    page = fetch_page(
        LogQuery.from_parameters({"result": "pending", "action": "flow.update", "q": "a"}), ALL
    )

    assert ([event.seq for event in page.events], page.scanned_to) == (is_open, None)


def test_neighbours_use_the_index_of_their_account(log):
    visible = log_paging.filter_accounts(AuditEntry.objects.exclude(action="flow.baseline"), TWO)
    for seq in (1, 640, 1100, 1500):
        with CaptureQueriesContext(connection) as queries:
            before, after = log_paging.neighbours(
                AuditEntry.objects.exclude(action="flow.baseline"), TWO, seq
            )

        assert before == visible.filter(pk__lt=seq).order_by("-start").first()
        assert after == visible.filter(pk__gt=seq).order_by("start").first()
        query_plans = list(explain_queries(query["sql"] for query in queries))
        assert len(query_plans) == 4
        if connection.vendor == "sqlite":  # PostgreSQL chooses by what it knows of the rows
            assert all("INDEX log_account (account_sid=?" in plan for plan in query_plans), (
                query_plans
            )


def test_search_that_reaches_the_first_event_mentions_no_older_ones(log, client_of):
    page = client_of("viewer").get("/audit/?q=no-such-word")

    assert "No events match" in page.content.decode()
    assert page.context["scanned_to"] is None


def test_day_has_all_its_events_although_a_clock_went_back(actor):
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    for hours in (0, 24, 48, 1, 25, -24):
        with mock.patch("django.utils.timezone.now", return_value=noon + timedelta(hours=hours)):
            audit_log.append(action="flow.update", stage="access", result="denied", actor=actor)

    def seqs(**parameters):
        return [
            event.seq for event in fetch_page(LogQuery.from_parameters(parameters), None).events
        ]

    assert seqs(**{"from": "2026-11-20", "to": "2026-11-20"}) == [4, 1]
    assert seqs(**{"from": "2026-11-21"}) == [5, 3, 2]
    assert seqs(to="2026-11-20") == [6, 4, 1]
    assert seqs(**{"from": "2026-11-23"}) == []
    assert AuditDay.objects.get(day=date(2026, 11, 21)).last == 5


def test_day_index_beyond_the_end_of_the_log_hides_nothing(log, small_scan_window):
    day = day_of(1500)
    parameters = {"from": day, "to": day, "q": "person"}
    visible = [event.seq for event in fetch_page(LogQuery.from_parameters(parameters), ALL).events]

    AuditDay.objects.filter(day=day).update(last=99_999_999)

    assert visible
    assert [
        event.seq for event in fetch_page(LogQuery.from_parameters(parameters), ALL).events
    ] == visible


def test_actor_labels_are_those_of_the_accounts(actor):
    for label, account in (
        ("zoë", MAIN_ACCOUNT),
        ("ada", SECOND_ACCOUNT),
        ("ada", MAIN_ACCOUNT),
        ("Ömer", SMALL_ACCOUNT),
    ):
        author = audit_log.Actor(id="1", label=label)
        event_values = {
            "action": "flow.update",
            "stage": "access",
            "result": "denied",
            "account_sid": account,
        }
        audit_log.append(actor=author, payload=Payload(), **event_values)
    audit_log.observe(
        [
            audit_log.Observation(
                action="flow.drift", account_sid=MAIN_ACCOUNT, target_sid="FO1", payload=Payload()
            )
        ],
        read_seq=audit_log.last_seq(),
    )

    assert sorted(log_paging.actor_labels(None)) == ["ada", "zoë", "Ömer"]
    assert log_paging.actor_labels(frozenset([MAIN_ACCOUNT])) == ["ada", "zoë"]
    assert log_paging.actor_labels(frozenset([SMALL_ACCOUNT, SECOND_ACCOUNT])) == ["ada", "Ömer"]
    assert log_paging.actor_labels(frozenset()) == []


def test_other_pages_do_not_read_the_whole_log_of_an_account(log, client_of, staging):
    """The indexes of accounts serve only the log's own page.

    From elsewhere they would read everything that the log has of an account.
    """
    client, drift = (
        client_of(account_sid=SECOND_ACCOUNT),
        AuditEvent.objects.filter(account_sid=SECOND_ACCOUNT).first(),
    )
    OpenDrift.objects.create(event=drift, target_sid=drift.target_sid)
    Flow.objects.create(
        sid=drift.target_sid, account_sid=SECOND_ACCOUNT, mirrored_at=timezone.now()
    )
    for address in ("/flows/", f"/flows/{drift.target_sid}/", "/flows/drift/"):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200, address
        statements = [query["sql"] for query in queries if SECOND_ACCOUNT in query["sql"]]
        query_plans = list(
            explain_queries([sql for sql in statements if '"flows_auditevent"' in sql])
        )
        assert query_plans
        for plan in query_plans:
            assert "log_account" not in plan, (address, plan)
    export = matching_events(LogQuery(), TWO).filter(seq__gt=700).order_by("seq")[:500]
    assert "log_account" not in export.explain()
