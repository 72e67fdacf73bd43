"""The overview: the first page after sign-in, its queries, and what each user sees."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from flexadmin.ops import worker_heartbeat
from flows.audit import audit_log, checkpoints, log_paging, verification
from flows.availability import restrictions
from flows.mirror.models import SyncState
from flows.mirror.sync import sync_account
from tests import ACCOUNT
from tests.flows.overview.test_attention import find_drift, lose_change
from tests.flows.overview.test_unfinished_plans import make_plan
from tests.markup import squeezed

pytestmark = pytest.mark.django_db
MAX_QUERIES = 16


def text(response):
    return squeezed(re.sub(r"<[^>]+>", " ", response.content.decode()))


@pytest.fixture
def busy_site(sandbox, staging, actor):
    """Two accounts with flows, and something of everything that the page shows."""
    for server in (sandbox, staging):
        server.add_flow(channel_type="sms", enabled=True)
        sync_account(server.account_sid)
        lose_change(int(server is sandbox), server.account_sid)
        find_drift(2 + int(server is sandbox), server.account_sid)
        make_plan(f"Plan of {server.account_sid}", "stopped", account_sid=server.account_sid)
    checkpoints.export_checkpoint(actor)
    verification.verify_and_record(actor=actor)
    worker_heartbeat.record()
    restrictions.set_read_only(account_sid="", reason="Holiday", actor=actor)


@pytest.mark.parametrize("role", ["viewer", "admin"])
def test_page_takes_few_queries(client_of, busy_site, staging, role):
    for client in (client_of(role), client_of(role, "eva", staging.account_sid)):
        client.get("/")
        with CaptureQueriesContext(connection) as queries:
            page = client.get("/")

        assert page.status_code == 200
        assert len(queries) <= MAX_QUERIES, [query["sql"][:99] for query in queries]


def test_page_takes_few_queries_on_a_new_site(client_of):
    client = client_of("admin")
    client.get("/")

    with CaptureQueriesContext(connection) as queries:
        page = client.get("/")

    assert page.context["checklist"].done_count == 0
    assert len(queries) <= MAX_QUERIES


def test_page_asks_twilio_nothing(client_of, sandbox):
    client_of("admin").get("/")

    assert sandbox.requests == []


def test_sign_in_leads_to_the_overview_or_on(client, person):
    person("viewer")
    credentials = {"username": "viewer", "password": "viewer-password"}

    assert client.post("/login/", credentials)["Location"] == "/"
    client.post("/logout/")
    assert (
        client.post("/login/?next=/audit/", credentials | {"next": "/audit/"})["Location"]
        == "/audit/"
    )


def test_overview_comes_first_in_the_navigation(client_of):
    page = client_of("viewer").get("/").content.decode()

    first = re.search(r'<nav class="side".*?<a ([^>]*)>', page, re.DOTALL)[1]
    assert 'href="/"' in first
    assert 'aria-current="page"' in first
    assert page.count('aria-current="page"') == 1


def test_site_without_problems_says_when_it_was_checked(client_of, flow_sid):
    page = text(client_of("viewer").get("/"))

    assert "All is well" in page
    assert "Last checked at" in page
    assert "1 flow : 1 on , 0 off" in page


def test_user_of_no_configured_account_is_not_told_that_all_is_well(client_of, flow_sid):
    page = text(client_of("viewer", account_sid="AC" + "0e" * 16).get("/"))

    assert "All is well" not in page
    assert "no credentials for any of your accounts" in page


def test_restrictions_are_not_called_well(client_of, flow_sid, actor):
    restrictions.set_read_only(account_sid=ACCOUNT, reason="Holiday", actor=actor)

    page = text(client_of("viewer").get("/"))

    assert "All is well" not in page
    assert "Nothing else needs attention" in page


def test_user_of_one_account_sees_only_it(client_of, busy_site, staging):
    page = client_of("viewer", "eva", staging.account_sid).get("/")
    overview = page.context["overview"]

    assert [mirror.account.name for mirror in overview.mirrors] == ["staging"]
    assert overview.flows.total.total == 1
    assert [item.sentence for item in page.context["items"]] == [
        "1 change has an unknown outcome",
        f"Bulk change stopped: Plan of {staging.account_sid}",
        "1 flow was changed outside this dashboard",
    ]
    assert overview.log is None
    assert "Audit log" not in re.findall(r"<h2[^>]*>(.*?)</h2>", page.content.decode())
    assert ACCOUNT not in page.content.decode()
    assert sum(day.total for day in overview.histogram.days) == 2  # the lost change and the drift


def test_chart_links_to_the_days_of_the_log(client_of, actor):
    audit_log.append(action="flow.export", stage="access", result="succeeded", actor=actor)
    client = client_of("viewer")

    histogram = client.get("/").context["histogram"]

    (row,) = histogram.rows
    assert (row.total, len(histogram.days)) == ("1", 30)
    assert [event.action for event in client.get(row.url).context["events"]] == ["flow.export"]


def test_chart_searches_only_the_newest_part_of_a_long_log(client_of, actor, monkeypatch):
    for action in ("flow.export", *["flow.baseline"] * 5):
        audit_log.append(action=action, stage="access", result="succeeded", actor=actor)
    client = client_of("viewer")
    assert client.get("/").context["histogram"] is not None

    monkeypatch.setattr(log_paging, "SCAN_WINDOW", 5)

    assert client.get("/").context["histogram"] is None


def test_state_of_the_log_is_shown(client_of, flow_sid, actor):
    client = client_of("viewer")
    assert "Never verified" in text(client.get("/"))
    assert "No checkpoint exported" in text(client.get("/"))

    checkpoints.export_checkpoint(actor)
    verification.verify_and_record(actor=actor)

    page = text(client.get("/"))
    assert "Intact Last verified" in page
    assert "Checkpoint exported" in page
    assert "/audit/verification/" not in client.get("/").content.decode()
    assert "/audit/verification/" in client_of("auditor").get("/").content.decode()


def test_each_account_says_when_it_was_synced(client_of, flow_sid, staging):
    SyncState.objects.create(account_sid=staging.account_sid, failed_at=timezone.now(), error="No")

    page = text(client_of("viewer").get("/"))

    assert re.search(r"Last sync staging Last sync failed at .*? No\. No flows have been", page)
    assert "production Production Synced with Twilio at" in page
    assert "Syncing staging failed" in page


def test_only_administrators_see_the_checklist_and_the_worker(client_of, flow_sid, monkeypatch):
    monkeypatch.setattr(
        worker_heartbeat, "last_heartbeat", lambda: timezone.now() - timedelta(hours=1)
    )

    admin, operator = (text(client_of(role).get("/")) for role in ("admin", "operator"))

    assert "Set up this site: 3 of 6 done" in admin
    assert "No worker is running The last one was seen 1 h ago." in admin
    assert "Set up this site" not in operator
    assert "No worker is running" not in operator


def test_administrator_of_one_account_sees_no_checklist(client_of, flow_sid, staging):
    page = client_of("admin", "eva", staging.account_sid).get("/")

    assert "Set up this site" not in text(page)


def test_checklist_goes_away_when_all_is_done(client_of, flow_sid, settings, person, actor):
    client = client_of("admin")
    person("viewer")
    worker_heartbeat.record()
    checkpoints.export_checkpoint(actor)
    assert "Set up this site: 5 of 6 done" in text(client.get("/"))

    settings.SECOND_FACTOR_REQUIRED = True
    page = client.get("/", follow=True)

    assert "Set up this site" not in text(page)


def test_sync_without_javascript_leads_back_here(client_of, flow_sid):
    client = client_of("viewer")

    assert client.post("/flows/sync/", {"overview": "1"})["Location"] == "/"
    assert client.post("/flows/sync/")["Location"] == "/flows/"


def test_page_renews_itself_only_after_a_sync(client_of, flow_sid):
    client = client_of("viewer")
    answer = client.post("/flows/sync/", {"overview": "1"}, headers={"HX-Request": "true"})

    assert answer["HX-Trigger"] == "flows-synced"
    assert 'name="overview"' in answer.content.decode()
    assert 'hx-trigger="flows-synced from:body"' in client.get("/").content.decode()


@pytest.mark.parametrize(("age", "is_stale"), [(timedelta(minutes=5), True), (timedelta(), False)])
def test_page_syncs_by_itself_if_the_last_sync_is_old(client_of, flow_sid, age, is_stale):
    SyncState.objects.update(synced_at=timezone.now() - age)

    page = client_of("viewer").get("/").content.decode()

    assert ('hx-trigger="submit, load"' in page) is is_stale


def test_accounts_without_flows_have_their_own_text(client_of, sandbox):
    client = client_of("viewer")
    assert "No flows have been synced yet" in text(client.get("/"))

    sync_account(ACCOUNT)

    assert "No flows yet" in text(client.get("/"))
    assert "New flow" not in text(client.get("/"))
    assert "New flow" in text(client_of("operator").get("/"))


def test_many_accounts_take_no_more_queries(client_of, flow_sid, settings):
    first = settings.FLEX_ACCOUNTS[0]
    settings.FLEX_ACCOUNTS = tuple(
        replace(first, sid=f"AC{number:032}", name=f"account-{number}") for number in range(10)
    )
    client = client_of("admin")
    client.get("/")

    with CaptureQueriesContext(connection) as queries:
        page = client.get("/")

    assert len(queries) <= MAX_QUERIES
    assert len(page.context["overview"].flows.by_account) == 11  # with one that was removed


def test_warnings_of_an_account_that_was_removed_are_not_counted(client_of, sandbox, settings):
    sandbox.add_flow(channel_type="sms", contact_identity="")
    sync_account(ACCOUNT)
    client = client_of("viewer")
    sentence = "1 flow has warnings"
    assert sentence in text(client.get("/"))

    settings.FLEX_ACCOUNTS = (replace(settings.FLEX_ACCOUNTS[0], sid="AC" + "9" * 32),)

    assert sentence not in text(client.get("/"))


def test_flows_with_warnings_are_counted_and_listed(client_of, sandbox, staging):
    for server, count in ((sandbox, 1), (staging, 2)):
        for _ in range(count):
            server.add_flow(channel_type="sms", contact_identity="")
        server.add_flow(channel_type="sms", contact_identity="+442071838750")
        sync_account(server.account_sid)
    client = client_of("viewer")

    page = client.get("/")

    warned = [item for item in page.context["items"] if "warning" in item.sentence]
    assert [item.sentence for item in warned] == [
        "staging: 2 flows have warnings",
        "production: 1 flow has warnings",
    ]
    for item, count in zip(warned, (2, 1), strict=True):
        found = client.get(item.url)
        assert found.context["results"].total == count
        assert "Warnings: Yes" in text(found)
