"""The pages of the history: the list and a flow at a moment, comparisons, and their files."""

import csv
import html
import io
import re
from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
from django.contrib.auth.models import User
from django.utils.html import strip_tags

from flexadmin.models import Profile
from flows.audit import audit_log
from flows.audit.models import AuditEvent
from flows.erasure import erasure
from flows.history.moments import format_moment, second_after
from flows.mirror.sync import sync_account
from tests import ACCOUNT
from tests.faults.acting import rename_flow, switch_flow

pytestmark = pytest.mark.django_db
FORMULA = "=cmd|' /C calc'!A0"


def text(page):
    return " ".join(strip_tags(page.content.decode()).split())


def at_last_event():
    return format_moment(second_after(AuditEvent.objects.latest("seq").at))


@pytest.fixture(autouse=True)
def clock():
    """Return the clock, which a test moves."""
    start = datetime.now(UTC) - timedelta(days=1)
    with mock.patch("django.utils.timezone.now", return_value=start) as clock:
        yield clock


@pytest.fixture
def renamed(clock, flow_sid):
    """A flow that was renamed, and a moment before that."""
    before = at_last_event()
    clock.return_value += timedelta(hours=1)
    rename_flow(flow_sid)
    clock.return_value += timedelta(hours=1)
    return flow_sid, before


def test_list_and_flow_are_as_they_were(client_of, renamed):
    sid, before = renamed
    client = client_of("viewer")

    then, now = client.get(f"/flows/history/?at={before}"), client.get("/flows/history/")

    assert "Réclamations Lyon" in text(then)
    assert "Plaintes Lyon" not in text(then)
    assert "Plaintes Lyon" in text(now)
    assert f'href="/flows/{sid}/history/?at=' in then.content.decode()
    assert "Réclamations Lyon" in text(client.get(f"/flows/{sid}/history/?at={before}"))


def test_earlier_version_can_be_restored_by_those_who_may(client_of, renamed):
    sid, before = renamed
    path = f"/flows/{sid}/history/?at={before}"

    operator, viewer = client_of("operator").get(path), client_of("viewer").get(path)

    restore_url = operator.context["restore_url"]
    assert "Réclamations Lyon" in client_of("operator").get(restore_url).content.decode()
    assert viewer.context["restore_url"] == ""
    assert client_of("operator").get(f"/flows/{sid}/history/").context["restore_url"] == ""


@pytest.mark.parametrize("q", ["plaintes lyon", "+33199000123", "PLAÍNTES"])
def test_search_finds_names_and_identities(client_of, renamed, q):
    client = client_of("viewer")

    assert len(client.get("/flows/history/", {"q": q}).context["rows"]) == 1
    assert "No flows match" in text(client.get("/flows/history/", {"q": "nowhere"}))


def test_deleted_flow_is_listed_only_on_request(client_of, clock, sandbox, flow_sid):
    clock.return_value += timedelta(hours=1)
    sandbox.remove_flow(flow_sid)
    sync_account(ACCOUNT)
    clock.return_value += timedelta(hours=1)
    client = client_of("viewer")

    assert "0 flows · 1 deleted before" in text(client.get("/flows/history/"))
    assert len(client.get("/flows/history/?state=gone").context["rows"]) == 1
    assert "did not exist at Twilio" in text(client.get(f"/flows/{flow_sid}/history/"))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("at=yesterday", "Not a date and time: yesterday"),
        ("at=2999-01-01", "is in the future"),
        ("state=teapot", "No such value for “state”: teapot"),
        ("account=AC1", "No such account: AC1"),
        ("q=" + "x" * 300, "The search is too long"),
        ("at=2020-01-01", "Before the log begins"),
    ],
)
def test_list_says_why_it_shows_nothing(client_of, flow_sid, query, words):
    page = client_of("viewer").get(f"/flows/history/?{query}")

    assert page.status_code == 200
    assert words in text(page)
    assert not page.context["rows"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("compare=teapot", "No such value for “compare”"),
        ("from=x", "Not a date and time: x"),
        ("from=2020-01-01", "Before the log begins"),
        ("compare=flows&left=FO1", "Not the SID of a Flex Flow: FO1"),
        ("compare=flows&left={sid}&right={sid}", "Both sides are the same flow"),
        ("compare=flows&left={sid}&right=FO" + "0" * 32, "No state in the audit log"),
        ("compare=accounts&left=AC1", "No such account: AC1"),
        ("result=better", "No such value for “result”"),
        ("compare=flows", "Choose both sides"),
    ],
)
def test_comparison_says_why_it_shows_nothing(client_of, flow_sid, query, words):
    page = client_of("viewer").get(f"/flows/history/compare/?{query.format(sid=flow_sid)}")

    assert page.status_code == 200
    assert words in text(page)


def test_name_in_the_result_of_two_flows_has_no_hidden_characters(client_of, clock, sandbox):
    one = sandbox.add_flow(friendly_name="Ly\u202eon")
    other = sandbox.add_flow(friendly_name="Other")
    sync_account(ACCOUNT)
    sandbox.remove_flow(other)
    sync_account(ACCOUNT)
    clock.return_value += timedelta(hours=1)
    query = f"?compare=flows&left={one}&right={other}"
    page = client_of("viewer").get(f"/flows/history/compare/{query}").content.decode()
    assert "1 only in Ly" in page
    assert "\u202e" not in page


def test_comparison_of_moments_has_only_what_differs(client_of, renamed):
    _, before = renamed
    client = client_of("viewer")

    short = client.get("/flows/history/compare/", {"from": before})
    whole = client.get("/flows/history/compare/", {"from": before, "all": "1"})

    assert [field["label"] for row in short.context["rows"] for field in row.fields] == [
        "Friendly name"
    ]
    assert "Channel type" in text(whole)
    assert "1 different" in text(short)


def test_comparison_can_be_searched_and_has_one_result_only(
    client_of, clock, sandbox, staging, flow_sid
):
    for name in ("Only there", "Rules only there"):
        staging.add_flow(friendly_name=name)
    staging.add_flow(friendly_name="Réclamations Lyon", enabled=False)
    sync_account(staging.account_sid)
    clock.return_value += timedelta(hours=1)
    sides = {"compare": "accounts", "left": ACCOUNT, "right": staging.account_sid}
    client = client_of("operator")

    def found(**filters):
        page = client.get("/flows/history/compare/", {**sides, **filters})
        labels = [row.pair.label for row in page.context["rows"]]
        if labels:
            _, _, export_form = page.content.decode().partition(
                'action="/flows/history/compare/export/"'
            )
            inputs = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', export_form))
            del inputs["csrfmiddlewaretoken"]
            path = "/flows/history/compare/export/"
            file = client.post(path, {**inputs, "format": "json"})
            assert len(file.json()["pairs"]) == len(labels)
            assert ("-filtered.json" in file["Content-Disposition"]) == bool(filters)
        return labels, text(page)

    every, page = found()
    assert every == ["Only there", "Réclamations Lyon", "Rules only there"]
    assert "2 only in " in page
    assert "All 1 flow that" in page

    assert found(q="rules")[0] == ["Rules only there"]
    assert found(result="different")[0] == ["Réclamations Lyon"]
    names, page = found(q="there", result="different")
    assert (names, "No flow matches the filters" in page) == ([], True)
    assert "0 different 2 only in" in page
    assert "All 1 flow that" not in page  # it would copy what isn't on the page
    assert "Copy to" not in page


def test_swapped_sides_list_the_same_flows(client_of, clock, sandbox, staging, flow_sid):
    staging.add_flow(friendly_name="Only there")
    sync_account(staging.account_sid)
    clock.return_value += timedelta(hours=1)
    sides = {"compare": "accounts", "left": ACCOUNT, "right": staging.account_sid}
    client = client_of("operator")

    for result in ("only_left", "only_right"):
        page = client.get("/flows/history/compare/", {**sides, "result": result})
        links = re.findall(r'href="(\?[^"]*)"', page.content.decode())
        swapped = f"left={staging.account_sid}&amp;right={ACCOUNT}"
        (link,) = {link for link in links if swapped in link}
        other = client.get(f"/flows/history/compare/{html.unescape(link)}")

        labels = [[row.pair.label for row in each.context["rows"]] for each in (page, other)]
        assert labels[0] == labels[1] != []


@pytest.mark.parametrize(("days", "differing"), [(3, 1), (8, 0)])
def test_comparison_begins_a_week_ago_unless_the_user_says(
    client_of, renamed, clock, days, differing
):
    clock.return_value += timedelta(days=days)

    page = client_of("viewer").get("/flows/history/compare/")

    assert len(page.context["rows"]) == differing
    assert "Before the log begins" not in text(page)


def test_accounts_are_matched_and_hidden_from_those_without_a_role(
    client_of, clock, sandbox, staging, flow_sid
):
    fields = {"friendly_name": "Réclamations Lyon", "channel_type": "sms", "enabled": False}
    staging.add_flow(**fields)
    staging.add_flow(friendly_name="Only there")
    sync_account(staging.account_sid)
    clock.return_value += timedelta(hours=1)
    query = f"?compare=accounts&left={ACCOUNT}&right={staging.account_sid}"
    tester = client_of("operator", "tess", staging.account_sid)

    page = client_of("viewer").get(f"/flows/history/compare/{query}")

    assert [(row.pair.result, row.pair.matched_by) for row in page.context["rows"]] == [
        ("only_right", ""),
        ("different", "name"),
    ]
    assert "No such account" in text(tester.get(f"/flows/history/compare/{query}"))
    assert "Réclamations" not in text(tester.get("/flows/history/?q=lyon&state=on"))
    assert len(tester.get("/flows/history/").context["rows"]) == 2
    assert tester.get(f"/flows/{flow_sid}/history/").status_code == 403


def test_files_have_what_the_page_has_and_are_logged(client_of, clock, sandbox, renamed):
    sid, before = renamed
    sandbox.edit_flow(sid, friendly_name=FORMULA)
    sync_account(ACCOUNT)
    clock.return_value += timedelta(hours=1)
    client = client_of("viewer")
    form = {"from": before, "to": at_last_event()}

    flows = client.post("/flows/history/export/", {"format": "csv"})
    differences = client.post("/flows/history/compare/export/", {**form, "format": "csv"})
    document = client.post("/flows/history/compare/export/", {**form, "format": "json"}).json()

    (row,) = csv.DictReader(io.StringIO(flows.content.decode("utf-8-sig")))
    assert (row["friendly_name"][0], row["state"], row["sid"]) == ("'", "on", sid)
    (line,) = csv.reader(io.StringIO(differences.content.decode("utf-8-sig")).readlines()[1:])
    assert line[6:8] == ["friendly_name", "Réclamations Lyon"]
    assert line[8].startswith("'=cmd")
    (pair,) = document["pairs"]
    assert pair["fields"]["friendly_name"] == {
        "left": "Réclamations Lyon",
        "right": FORMULA,
        "differs": True,
    }
    exports = AuditEvent.objects.filter(action="flow.export", result="succeeded")
    assert exports.count() == 3


def test_nothing_is_exported_without_a_record_or_with_a_fault(client_of, flow_sid):
    client = client_of("viewer")
    for path in ("/flows/history/export/", "/flows/history/compare/export/"):
        assert client.post(path, {"format": "exe"}).status_code == 302
        assert client.post(path, {"at": "x", "from": "x"}).status_code == 302
        with mock.patch.object(audit_log, "append", side_effect=audit_log.NotRecorded):
            assert client.post(path, {"format": "csv"}).status_code == 302


def test_erased_flow_shows_no_name(client_of, clock, renamed, actor):
    sid, before = renamed
    erasure.erase(sid=sid, actor=actor)
    clock.return_value += timedelta(hours=1)
    client = client_of("viewer")

    page = client.get(f"/flows/history/?at={before}&state=unreadable")

    assert "1 without a stored state" in text(page)
    assert "Lyon" not in text(page)
    assert "Personal data erased" in text(client.get(f"/flows/{sid}/history/?at={before}"))


def test_moments_are_of_the_users_zone(client_of, flow_sid):
    client = client_of("viewer")
    Profile.objects.create(person=User.objects.get(username="viewer"), time_zone="Asia/Kathmandu")

    page = client.get("/flows/history/")

    assert "in your time zone, Asia/Kathmandu" in text(page)
    assert "UTC+5:45" in text(page)


def test_event_leads_to_the_flow_after_it(client_of, clock, flow_sid):
    clock.return_value += timedelta(hours=1)
    change = switch_flow(flow_sid)
    client = client_of("auditor")

    page = client.get(f"/audit/{change.event.event_id}/")

    url = f"/flows/{flow_sid}/history/?at={at_last_event()}"
    assert f'href="{url}"' in page.content.decode()
    clock.return_value += timedelta(hours=1)
    assert "Status Off" in text(client.get(url))
