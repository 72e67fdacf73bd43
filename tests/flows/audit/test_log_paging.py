"""A page of the log costs the same however long the log is: each search walks an index in its order, and what no index
answers is looked for in a stretch of the log, which the page says."""

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
    """A log of 1,500 events, none later than now."""
    fill_log(1500)


@pytest.fixture
def few(monkeypatch):
    """As if the log were long: only 100 events are looked at where no index answers."""
    monkeypatch.setattr(log_paging, "SCAN_WINDOW", 100)


def plans(queries):
    """How the database goes about each search, in its own words."""
    return explained(
        query["sql"] for query in queries if re.search(r"ORDER BY .* DESC\s+LIMIT", query["sql"])
    )


def explained(searches):
    explain = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
    with connection.cursor() as cursor:
        for sql in searches:
            if (
                connection.vendor == "postgresql"
            ):  # so small a log it may well read through, index or not
                cursor.execute("SET enable_seqscan = off")
            cursor.execute(explain + sql)
            way = "\n".join(str(row[-1]) for row in cursor.fetchall())
            if connection.vendor == "postgresql":
                cursor.execute("RESET enable_seqscan")
            yield way


def day_of(seq):
    return AuditEvent.objects.get(seq=seq).at.date().isoformat()


SINGLE = [
    {}, {"before": "1000"}, {"before": "700"}, {"actor": "person 1"}, {"actor": FIRST_ACTOR}, {"result": "failed"},
    {"result": "succeeded"}, {"action": "flow.delete"}, {"action": "flow.baseline"},
    {"account": SMALL_ACCOUNT}, {"account": SECOND_ACCOUNT, "actor": "person 1"}, {"from": "a day", "to": "a day"},
    {"from": "a day", "to": "a day", "actor": "person 1"}, {"sid": "of a flow"}, {"result": "pending"},
    {"result": "pending", "action": "flow.update", "q": "a"}, {"sid": "of a flow", "actor": "person 1", "q": "a"},
]  # fmt: skip


@pytest.mark.parametrize("scope", [ALL, ONE, TWO], ids=["all", "one", "two"])
def test_search_walks_an_index_in_its_order(log, scope):
    drift = AuditEvent.objects.filter(action="flow.drift", account_sid=MAIN_ACCOUNT).first()
    means = {"a day": day_of(900), "of a flow": drift.target_sid}
    for asked in SINGLE:
        query = LogQuery.of({name: means.get(value, value) for name, value in asked.items()})
        with CaptureQueriesContext(connection) as queries:
            found = fetch_page(query, scope)

        assert found.scanned_to is None, asked
        ways = list(plans(queries.captured_queries))
        assert ways or asked.get("account"), (
            asked
        )  # of another account there is nothing to look for
        for way in ways:
            assert re.search("USING (COVERING )?INDEX|USING INTEGER PRIMARY KEY|Index", way), (
                asked,
                way,
            )
            assert not re.search("TEMP B-TREE FOR ORDER|Seq Scan on flows_audit", way), (asked, way)


@pytest.mark.skipif(
    connection.vendor != "sqlite", reason="PostgreSQL chooses by what it knows of the rows"
)
def test_search_takes_the_index_that_is_made_for_it(log):
    for asked, scope, index in [
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
            fetch_page(LogQuery.of(asked), scope)
        ways = list(plans(queries.captured_queries))
        assert ways
        assert all(re.search(rf"INDEX {index} ", way) for way in ways), (asked, ways)


def test_page_takes_the_same_queries_however_long_the_log(client_of):
    client, counts = client_of("auditor"), []
    client.get("/audit/")
    for length in (1000, 1500):
        fill_log(length)
        for asked in ("", "?actor=person 1", "?q=Zwiebelfisch", f"?plan={PLAN_ID}"):
            with CaptureQueriesContext(connection) as queries:
                client.get("/audit/" + asked)
            counts.append(len(queries))

    assert counts[:4] == counts[4:]


@pytest.mark.parametrize("scope", [ALL, ONE, TWO], ids=["all", "one", "two"])
def test_pages_one_after_the_other_have_everything_once(log, scope):
    """Also those that are found stretch by stretch."""
    for asked in (
        {}, {"actor": "person 1"}, {"actor": "person 1", "result": "failed"}, {"q": "Störung"},
        {"plan": str(PLAN_ID)}, {"account": SECOND_ACCOUNT}, {"result": "pending"}, {"sid": busy_flow(), "result": "failed"},
        {"sid": busy_flow(), "q": "Störung"}, {"plan": str(PLAN_ID), "actor": "person 1"},
    ):  # fmt: skip
        with (
            mock.patch.object(log_paging, "SCAN_WINDOW", 300),
            mock.patch.object(log_paging, "NARROW_SCAN_WINDOW", 7),
        ):
            seen = all_pages(asked, scope)
        everything = matching_events(LogQuery.of(asked), scope).order_by("-entry__start")

        assert seen == list(everything.values_list("seq", flat=True)), asked


def test_log_is_one_that_verification_takes(log):
    """What is filled in for these tests and the benchmarks is as the site would have written it."""
    assert verification.verify().fault == ""


def busy_flow():
    """The flow, of `MAIN`, that most of the log is about."""
    return statistics.mode(
        AuditEvent.objects.filter(result="failed").values_list("target_sid", flat=True)
    )


def all_pages(asked, scope):
    seen, before = [], ""
    while True:
        found = fetch_page(LogQuery.of({**asked, "before": str(before)}), scope)
        seen += [event.seq for event in found.events]
        if not found.has_older and not found.scanned_to:
            return seen
        before = found.entries[-1].pk if found.has_older else found.scanned_to.seq


def test_page_says_how_far_it_looked_and_offers_to_go_on(log, few, client_of):
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


def test_page_looks_at_so_many_events_of_a_flow_and_says_so(log, monkeypatch, client_of):
    monkeypatch.setattr(log_paging, "NARROW_SCAN_WINDOW", 20)
    asked = {"sid": busy_flow(), "q": "no-such-word"}

    page = client_of("viewer").get("/audit/", asked)

    newest = AuditEntry.objects.filter(target_sid=busy_flow()).order_by("-start")[:21]
    scanned_to = page.context["scanned_to"].seq
    assert newest[20].pk < scanned_to <= newest[19].pk
    assert "changes of this flow, back to" in page.content.decode()
    assert client_of("viewer").get("/audit/", {"sid": busy_flow()}).context["scanned_to"] is None
    # Who may see none of them is not told that there are so many.
    assert fetch_page(LogQuery.of(asked), ONE).scanned_to is None


def test_page_looks_at_so_many_events_of_a_person_who_may_only_sign_in(log, monkeypatch, client_of):
    monkeypatch.setattr(log_paging, "NARROW_SCAN_WINDOW", 5)
    for _ in range(6):
        who = audit_log.Actor(id="9", label=VISITOR)
        audit_log.append(action="auth.login", stage="access", result="succeeded", actor=who)

    page = client_of("viewer").get("/audit/", {"actor": VISITOR})

    newest = AuditEvent.objects.filter(actor_label=VISITOR).order_by("-seq")[:6]
    scanned_to = page.context["scanned_to"].seq
    assert newest[5].seq < scanned_to <= newest[4].seq
    assert "entries of this user, back to" in page.content.decode()
    assert fetch_page(LogQuery.of({"actor": VISITOR, "whole": "1"}), ALL).scanned_to is None
    assert fetch_page(LogQuery.of({"actor": VISITOR}), ONE).scanned_to is None


def test_what_is_under_way_is_looked_for_in_all_of_the_log(log, few):
    is_open = list(OpenChange.objects.order_by("-attempt").values_list("attempt", flat=True))
    assert is_open[-1] < 1400

    found = fetch_page(LogQuery.of({"result": "pending", "action": "flow.update", "q": "a"}), ALL)

    assert ([event.seq for event in found.events], found.scanned_to) == (is_open, None)


def test_entries_beside_one_come_from_their_accounts_own_index(log):
    shown = log_paging.filter_accounts(AuditEntry.objects.exclude(action="flow.baseline"), TWO)
    for place in (1, 640, 1100, 1500):
        with CaptureQueriesContext(connection) as queries:
            before, after = log_paging.neighbours(
                AuditEntry.objects.exclude(action="flow.baseline"), TWO, place
            )

        assert before == shown.filter(pk__lt=place).order_by("-start").first()
        assert after == shown.filter(pk__gt=place).order_by("start").first()
        ways = list(explained(query["sql"] for query in queries))
        assert len(ways) == 4
        if connection.vendor == "sqlite":  # PostgreSQL chooses by what it knows of the rows
            assert all("INDEX log_account (account_sid=?" in way for way in ways), ways


def test_search_that_reaches_the_beginning_says_nothing_of_older_ones(log, client_of):
    page = client_of("viewer").get("/audit/?q=no-such-word")

    assert "No events match" in page.content.decode()
    assert page.context["scanned_to"] is None


def test_day_has_all_of_its_events_though_a_clock_went_back(actor):
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    for hours in (0, 24, 48, 1, 25, -24):
        with mock.patch("django.utils.timezone.now", return_value=noon + timedelta(hours=hours)):
            audit_log.append(action="flow.update", stage="access", result="denied", actor=actor)

    def seqs(**asked):
        return [event.seq for event in fetch_page(LogQuery.of(asked), None).events]

    assert seqs(**{"from": "2026-11-20", "to": "2026-11-20"}) == [4, 1]
    assert seqs(**{"from": "2026-11-21"}) == [5, 3, 2]
    assert seqs(to="2026-11-20") == [6, 4, 1]
    assert seqs(**{"from": "2026-11-23"}) == []
    assert AuditDay.objects.get(day=date(2026, 11, 21)).last == 5


def test_day_that_claims_to_reach_beyond_the_log_hides_nothing(log, few):
    day = day_of(1500)
    asked = {"from": day, "to": day, "q": "person"}
    shown = [event.seq for event in fetch_page(LogQuery.of(asked), ALL).events]

    AuditDay.objects.filter(day=day).update(last=99_999_999)

    assert shown
    assert [event.seq for event in fetch_page(LogQuery.of(asked), ALL).events] == shown


def test_people_are_those_who_acted_in_the_accounts(actor):
    for label, account in (
        ("zoë", MAIN_ACCOUNT),
        ("ada", SECOND_ACCOUNT),
        ("ada", MAIN_ACCOUNT),
        ("Ömer", SMALL_ACCOUNT),
    ):
        who = audit_log.Actor(id="1", label=label)
        said = {
            "action": "flow.update",
            "stage": "access",
            "result": "denied",
            "account_sid": account,
        }
        audit_log.append(actor=who, payload=Payload(), **said)
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


def test_log_is_not_read_through_for_an_account_elsewhere(log, client_of, staging):
    """The indexes of accounts are for the log's own page: from anywhere else they lead through all that the log has of
    an account."""
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
        asked = [query["sql"] for query in queries if SECOND_ACCOUNT in query["sql"]]
        ways = list(explained([sql for sql in asked if '"flows_auditevent"' in sql]))
        assert ways
        for way in ways:
            assert "log_account" not in way, (address, way)
    export = matching_events(LogQuery(), TWO).filter(seq__gt=700).order_by("seq")[:500]
    assert "log_account" not in export.explain()
