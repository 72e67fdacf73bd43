"""The list's filter by check: the flows at which it found something, and how old that is."""

import html
from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.html import strip_tags

from flows.checks import evaluation
from flows.checks.checking import RULES_BY_ID
from flows.checks.models import CheckedAccount, StoredFinding, Suppression
from flows.plans.models import Plan
from flows.search.flow_search import Query, find_page
from flows.search.models import SavedView
from tests import ACCOUNT
from tests.flows.checks.complete_flows import flow
from tests.flows.checks.test_checking import READ, read_completely, store
from tests.flows.flex_flows.views.test_flow_list import QUERIES_OF_THE_SEARCH

pytestmark = pytest.mark.django_db
RULE = RULES_BY_ID["webhook-not-encrypted"]


@pytest.fixture
def _findings():
    read_completely(*READ)
    store(
        flow("external", "web", friendly_name="Plain", integration_url="http://h.example/"),
        flow("external", "web", friendly_name="Fine", integration_url="https://h.example/"),
        flow("external", "web", friendly_name="Top", integration_url="https://h.example/#top"),
    )
    evaluation.request_evaluation(ACCOUNT)
    evaluation.evaluate(ACCOUNT)


def names(check):
    return [each.friendly_name for each in find_page(Query(check=check)).rows]


def text(page):
    return " ".join(html.unescape(strip_tags(page.content.decode())).split())


@pytest.mark.usefixtures("_findings")
def test_filter_finds_the_flows_of_one_check_or_of_any():
    assert names(RULE.rule_id) == ["Plain"]
    assert names("any") == ["Plain", "Top"]
    assert names("same-name") == []


@pytest.mark.usefixtures("_findings")
def test_panel_has_the_checks_that_found_something_with_their_numbers(client_of):
    page = client_of("viewer").get("/flows/")

    assert [value for value, _ in page.context["choices"]["check"]] == [
        "any", RULE.rule_id, "webhook-fragment",
    ]  # fmt: skip
    assert f"{RULE.title} (1)" in text(page)


@pytest.mark.usefixtures("_findings")
def test_active_filter_is_a_chip_and_says_how_old_it_is(client_of):
    CheckedAccount.objects.update(checked_at=timezone.now() - timedelta(minutes=3))

    page = client_of("viewer").get(f"/flows/?check={RULE.rule_id}")

    assert [(chip["label"], chip["remove_url"]) for chip in page.context["chips"]] == [
        (f"Check: {RULE.title}", "?")
    ]
    assert "Checked 3 min ago." in text(page)
    assert "not checked" not in text(page)


@pytest.mark.usefixtures("_findings")
def test_suppressed_finding_is_not_in_the_list(client_of):
    finding = StoredFinding.objects.get(rule_id=RULE.rule_id)
    row = Suppression.objects.create(
        account_sid=ACCOUNT, sid=finding.sid, rule_id=RULE.rule_id, digests=[finding.digest],
        until=timezone.now().date(), event_id="0c1e9d5e-6b1f-4c07-8f3a-1d2b3c4d5e6f",
    )  # fmt: skip

    assert names("any") == ["Top"]
    options = dict(client_of("viewer").get("/flows/").context["choices"]["check"])
    assert options.keys() == {"any", "webhook-fragment"}
    row.digests = ["another"]
    row.save()
    assert names("any") == ["Plain", "Top"]
    row.digests, row.until = [finding.digest], timezone.now().date() - timedelta(days=1)
    row.save()
    assert names("any") == ["Plain", "Top"]


def test_account_that_was_never_checked_is_said_to_be(client_of):
    store(flow("external", "web", integration_url="http://h.example/"))

    page = client_of("viewer").get("/flows/?check=any")

    assert "The flows have not been checked yet." in text(page)
    assert "check" not in client_of("viewer").get("/flows/").context["choices"]


def test_check_that_could_not_be_made_is_named(client_of):
    store(flow("studio", "web"))
    evaluation.request_evaluation(ACCOUNT)
    evaluation.evaluate(ACCOUNT)
    client = client_of("viewer")

    of_rule = text(client.get("/flows/?check=target-gone"))
    of_any = text(client.get("/flows/?check=any"))
    of_other = text(client.get("/flows/?check=same-name"))

    assert "“Points to something that Twilio no longer has” was not checked." in of_rule
    unmet = len(CheckedAccount.objects.get().unmet_rules)
    assert f"{unmet} checks couldn't be made." in of_any
    assert "be made" not in of_other
    assert "not checked" not in of_other


@pytest.mark.usefixtures("_findings")
def test_failed_check_is_said_to_be_the_last(client_of):
    CheckedAccount.objects.update(failed_at=timezone.now())

    assert "The last check failed." in text(client_of("viewer").get("/flows/?check=any"))


@pytest.mark.usefixtures("_findings")
def test_saved_view_keeps_the_filter(client_of):
    client = client_of("viewer")
    client.post("/flows/views/", {"name": "Faulty", "query": f"check={RULE.rule_id}"})

    assert SavedView.objects.get().query == f"check={RULE.rule_id}"


@pytest.mark.usefixtures("_findings")
def test_bulk_change_starts_from_the_flows_of_a_check(client_of):
    query = f"check={RULE.rule_id}"
    client_of("operator").post("/flows/plans/new/", {"all": "1", "query": query, "kind": "disable"})

    assert [each.friendly_name for each in Plan.objects.get().changes.all()] == ["Plain"]


@pytest.mark.usefixtures("_findings")
def test_filter_takes_no_more_queries_than_a_search(client_of, django_assert_max_num_queries):
    client = client_of("viewer")
    client.get("/flows/?check=any")

    with django_assert_max_num_queries(QUERIES_OF_THE_SEARCH):
        client.get("/flows/?check=any")


@pytest.mark.usefixtures("_findings")
def test_pages_of_the_checks_lead_to_the_list(client_of):
    client = client_of("viewer")

    assert f'href="/flows/?check={RULE.rule_id}&amp;view=all"' in (
        client.get("/checks/").content.decode().replace("&view", "&amp;view")
    )
    page = client.get(f"/checks/{RULE.rule_id}/?account={ACCOUNT}").content.decode()
    assert f"/flows/?check={RULE.rule_id}&amp;account={ACCOUNT}" in page
    CheckedAccount.objects.update(checked_at=None)
    assert "/flows/?check=" not in client.get("/checks/").content.decode()
