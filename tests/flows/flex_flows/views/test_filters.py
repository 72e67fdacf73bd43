"""Invalid filters of the list: each is named on the page, and none of them widens the results."""

import uuid
from html import unescape

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flexadmin.models import AccountRole
from flows.audit.models import AuditEvent
from flows.mirror.models import SyncState
from flows.mirror.sync import sync_account
from flows.plans.models import Plan
from flows.search import flow_search
from tests import ACCOUNT

pytestmark = pytest.mark.django_db(transaction=True)
HTMX = {"HX-Request": "true"}
STAGING = "AC" + "0e" * 16
NOT_UNDERSTOOD = {
    "channel=instagram": "“instagram” is not a channel of any flow.",
    "integration=bot": "“bot” is not an integration type of any flow.",
    "enabled=maybe": "“maybe” is not a status. Choose On, Off or Deleted.",
    "account=AC1": "“AC1” is not one of your accounts.",
    f"owner={'x' * 61}": f"“{'x' * 61}” can't be the owner of a flow.",
    "tag=vip,lyon": "“vip,lyon” can't be a tag of a flow.",
    "check=colour": "“colour” is not a check. Select one on the page Checks.",
    "sort=colour": "“colour” is not a column to sort by.",
    "page=last": "“last” is not a page number.",
    f"q={'x' * 300}": "The search is longer than 256 characters.",
    "q=%00": "The search contains a NUL character (U+0000).",
    "q=%E2%80%8B": "The search has no visible characters.",
    "chanel=sms": "There is no filter called “chanel”.",
    "channel=sms&channel=web": "Channel has more than one value: “sms”, “web”.",
}
each_mistake = pytest.mark.parametrize(
    ("query", "says"), NOT_UNDERSTOOD.items(), ids=lambda text: text[:24]
)


@pytest.fixture
def sids(sandbox, db):
    created_sids = [
        sandbox.add_flow(friendly_name=f"Flow {number}", channel_type="sms", enabled=True)
        for number in range(3)
    ]
    sync_account(ACCOUNT)
    return created_sids


def text_of(response):
    return unescape(response.content.decode())


@each_mistake
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_page_shows_no_flow_and_says_why(client_of, sids, query, says, headers):
    page = client_of("operator").get(f"/flows/?{query}", headers=headers)

    assert page.status_code == 200
    assert "Flow 1" not in text_of(page)
    assert says in text_of(page)
    assert "Invalid filter" in text_of(page)


@each_mistake
def test_chip_takes_the_mistake_away_alone(client_of, sids, query, says):
    client = client_of("operator")
    page = client.get(
        f"/flows/?{query}&enabled=true" if "enabled" not in query else f"/flows/?{query}"
    )

    [chip] = [chip for chip in page.context["chips"] if chip.get("is_wrong")]
    without = client.get(f"/flows/{chip['remove_url']}")

    assert not without.context["query"].errors
    assert without.context["query"].enabled == ("" if "enabled" in query else "true")
    assert "Flow 1" in text_of(without)


@each_mistake
def test_bulk_change_of_it_is_refused(client_of, sids, query, says):
    answer = client_of("operator").post(
        "/flows/plans/new/", {"all": "1", "query": query, "kind": "delete"}, follow=True
    )

    assert not Plan.objects.exists()
    assert f"Nothing was selected. {says}" in text_of(answer)
    assert answer.context["query"].errors
    assert "Flow 1" not in text_of(answer)


@each_mistake
def test_export_of_it_is_refused(client_of, sids, query, says):
    answer = client_of("operator").post(
        "/flows/copy-out/", {"all": "1", "query": query, "format": "json"}, follow=True
    )

    assert says in text_of(answer)
    assert not AuditEvent.objects.filter(action="flow.export").exists()


@each_mistake
def test_refresh_of_it_asks_for_nothing(client_of, sandbox, sids, query, says):
    before = len(sandbox.requests)

    plain = client_of("operator").post(f"/flows/sync/?{query}", follow=True)
    swapped = client_of("operator").post(f"/flows/sync/?{query}", headers=HTMX)

    assert len(sandbox.requests) == before
    assert f"Couldn't refresh: {says}" in text_of(plain)
    assert swapped["HX-Redirect"].startswith("/flows/?")


def test_refresh_of_an_account_that_the_site_has_no_more_refreshes_no_other(
    client_of, sandbox, sids, settings
):
    settings.FLEX_ACCOUNTS = (settings.FLEX_ACCOUNTS[0].__class__(STAGING, auth=("a", "b")),)
    before = len(sandbox.requests)

    page = client_of("operator").get(f"/flows/?account={ACCOUNT}")
    answer = client_of("operator").post(f"/flows/sync/?account={ACCOUNT}", follow=True)

    assert page.context["results"].total == 3
    assert len(sandbox.requests) == before
    assert f"this site has no credentials for the account {ACCOUNT}" in text_of(answer)
    assert not SyncState.objects.filter(account_sid=STAGING).exists()


def test_unknown_format_exports_nothing(client_of, sids):
    answer = client_of("operator").post(
        "/flows/copy-out/", {"sid": sids, "format": "xlsx"}, follow=True
    )

    assert "“xlsx” is not a format. Choose one in the list." in text_of(answer)


def test_values_that_the_schema_does_not_know_are_offered_as_they_are(client_of, sandbox, sids):
    sandbox.edit_flow(sids[0], channel_type="rcs", integration_type="bot")
    sync_account(ACCOUNT)

    page = client_of("operator").get("/flows/")
    filtered_page = client_of("operator").get("/flows/?channel=rcs&integration=bot")

    assert ("rcs", "rcs (1)") in page.context["choices"]["channel"]
    assert ("bot", "bot (1)") in page.context["choices"]["integration"]
    assert [flow.sid for flow in filtered_page.context["results"].rows] == [sids[0]]
    assert [chip["label"] for chip in filtered_page.context["chips"]] == [
        "Channel: rcs",
        "Handled by: bot",
    ]


def test_value_that_means_nothing_stays_in_the_form(client_of, sids):
    """Otherwise the next keystroke in the search box would drop the filter."""
    page = text_of(client_of("operator").get("/flows/?channel=instagram"))

    assert '<option value="instagram" selected>Unknown: instagram</option>' in page


def test_account_of_others_is_as_unknown_as_one_that_there_is_not(client_of, staging, sids):
    tester = client_of("operator", "tess", STAGING)

    known_account, unknown = (
        tester.get("/flows/", {"account": sid}) for sid in (ACCOUNT, "AC" + "9" * 32)
    )

    for page, sid in ((known_account, ACCOUNT), (unknown, "AC" + "9" * 32)):
        assert f"“{sid}” is not one of your accounts." in text_of(page)


# Whatever is asked for: a bulk change has the flows that the page shows, and no other

FILTERS = {
    "q": ["", "line", "Line 1", "+1415", "nothing", "x" * 257, "\x00", "\u200b", " "],
    "channel": ["", "sms", "web", "rcs", "instagram", "none", "SMS"],
    "integration": ["", "studio", "task", "bot", "none", "Studio"],
    "enabled": ["", "true", "false", "gone", "maybe"],
    "account": ["", ACCOUNT, STAGING, "AC" + "9" * 32, "all"],
    "sort": ["", "-name", "updated", "colour"],
    "chanel": ["", "", "", "sms"],
}
ROLES = {
    "everywhere": {"": "operator"},
    "staging": {STAGING: "operator"},
    "mixed": {ACCOUNT: "viewer", STAGING: "operator"},
    "production": {ACCOUNT: "operator"},
}
queries = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in FILTERS.items()})


@pytest.fixture
def site(sandbox, staging, person, monkeypatch):
    """Flows of both accounts, with usual and unusual values, some deleted, on several pages."""
    monkeypatch.setattr(flow_search, "PAGE_SIZE", 4)
    for api in (sandbox, staging):
        kinds = [("sms", "studio"), ("web", "task"), ("rcs", "bot"), ("sms", "external")]
        for number in range(12):
            channel, integration = kinds[number % 4]
            api.add_flow(
                friendly_name=f"Line {number}", channel_type=channel, integration_type=integration,
                contact_identity=f"+1415555{number:04}", enabled=number % 3 > 0,
            )  # fmt: skip
        sync_account(api.account_sid)
        api.remove_flow(next(iter(api.flows)))
        sync_account(api.account_sid)
    for name, roles in ROLES.items():
        user = User.objects.create_user(name)
        for account_sid, role in roles.items():
            group = Group.objects.filter(name=role).first() or person(role).groups.get()
            if account_sid:
                AccountRole.objects.create(person=user, account_sid=account_sid, role=group)
            else:
                user.groups.add(group)


def shown_on_all_pages(client, filters):
    sids, page = [], 1
    while True:
        answer = client.get("/flows/", {**filters, "page": page})
        sids += [row.sid for row in answer.context["results"].rows]
        if not answer.context["results"].next_url:
            return sids, answer.context["query_string"]
        page += 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    filters=queries, who=st.sampled_from(sorted(ROLES)), kind=st.sampled_from(["disable", "delete"])
)
def test_plan_of_all_that_match_has_the_flows_that_the_pages_show(site, filters, who, kind):
    client = Client()
    client.force_login(User.objects.get(username=who), backend="flexadmin.users.roles.RolesBackend")
    filters = {name: value for name, value in filters.items() if value}

    shown_sids, query = shown_on_all_pages(client, filters)
    answer = client.post("/flows/plans/new/", {"all": "1", "query": query, "kind": kind})

    if not shown_sids:
        assert not Plan.objects.exists()
        assert answer.url.startswith("/flows/")
    else:
        plan = Plan.objects.get(pk=uuid.UUID(answer.url.split("/")[-2]))
        planned = sorted(plan.changes.values_list("target_sid", flat=True))
        plan.delete()
        assert planned == sorted(shown_sids)
