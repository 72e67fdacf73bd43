"""The pages that show the Flex API, read live from Twilio."""

import html

import pytest
from django.urls import reverse

from flows.audit.models import AuditEvent
from flows.mirror import live
from flows.resources.models import ResourceRefusal
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.flows.resources.conftest import FACTS, PARENTS, RESOURCES, place_of

pytestmark = pytest.mark.django_db
LISTED = [name for name, facts in FACTS.items() if "list" in facts["calls"] and name not in PARENTS]
every_list = pytest.mark.parametrize("name", LISTED)
READABLE = [
    name for name, facts in FACTS.items() if "fetch" in facts["calls"] and name != "configuration"
]


def text_of(response):
    return html.unescape(response.content.decode())


def stored(sandbox, name):
    return sandbox.store_of(RESOURCES[name], PARENTS.get(name, "")).snapshot()


def url_of(name, sid):
    return reverse(f"flex:{name}", kwargs={"sid": sid, **place_of(name)})


@every_list
def test_list_shows_the_first_page_as_twilio_has_it(client_of, sandbox, flow_on, name):
    page = client_of("viewer").get(reverse(f"flex:{name}-list"))

    sids = [row.sid for row in page.context["rows"]]
    assert page.status_code == 200
    assert sids == list(stored(sandbox, name))[:50]
    assert [request.parameters["PageSize"] for request in sandbox.requests[-1:]] != []


def test_pages_follow_twilios_own_links(client_of, sandbox, flow_on):
    client = client_of("viewer")
    first = client.get(reverse("flex:channel-list"))
    second = client.get(first.context["next_url"])
    back = client.get(second.context["previous_url"])

    every_sid = list(stored(sandbox, "channel"))
    assert len(every_sid) > 50
    assert [row.sid for row in second.context["rows"]] == every_sid[50:100]
    assert [row.sid for row in back.context["rows"]] == every_sid[:50]
    assert [request.parameters["PageSize"] for request in sandbox.requests[-3:]] == ["50"] * 3


@pytest.mark.parametrize("query", ["page=x&token=1", "page=1&token=%00", f"token={'9' * 600}"])
def test_malformed_position_is_the_first_page(client_of, sandbox, flow_on, query):
    page = client_of("viewer").get(f"{reverse('flex:channel-list')}?{query}")

    assert [row.sid for row in page.context["rows"]] == list(stored(sandbox, "channel"))[:50]


def test_position_that_twilio_refuses_leads_back_to_the_first_page(client_of, sandbox, flow_on):
    page = client_of("viewer").get(f"{reverse('flex:channel-list')}?page=1&token=made-up")

    assert page.status_code == 502
    assert "Go to the first page" in text_of(page)
    assert "20001" in text_of(page)


def test_search_looks_at_the_page(client_of, sandbox, flow_on):
    some = next(iter(stored(sandbox, "channel").values()))
    flow_name = sandbox.flows[some["flex_flow_sid"]]["friendly_name"]

    page = client_of("viewer").get(reverse("flex:channel-list"), {"q": flow_name})
    nothing = client_of("viewer").get(reverse("flex:channel-list"), {"q": "nowhere"})

    assert some["sid"] in {row.sid for row in page.context["rows"]}
    assert all(row.cells[0].name == flow_name for row in page.context["rows"])
    assert "No matches" in text_of(nothing)


@pytest.mark.parametrize("name", READABLE)
def test_object_is_shown_as_twilio_has_it(client_of, sandbox, flow_on, name):
    sid = next(iter(stored(sandbox, name)))

    page = client_of("viewer").get(url_of(name, sid))

    shown = {cell.field.name for cell in page.context["cells"]}
    variant = stored(sandbox, name)[sid].get("auto_creation", {}).get("type")
    returned = {
        field.name
        for field in RESOURCES[name].fields
        if field.is_returned and FACTS[name].get("takes", {}).get(field.name) in (None, variant)
    }
    assert page.status_code == 200
    assert shown == returned - {"account_sid", "url"}
    assert not page.context["edit_url"]
    assert not page.context["delete_url"]


def test_questions_have_their_texts(client_of, sandbox, flow_on):
    sid = list(stored(sandbox, "questionnaire"))[-1]

    page = client_of("viewer").get(reverse("flex:questionnaire", kwargs={"sid": sid}))

    assert "Did the agent greet the customer?" in text_of(page)


def test_question_leads_to_the_questionnaires_that_use_it(client_of, sandbox, flow_on):
    client = client_of("viewer")
    (row,) = (
        row
        for row in client.get(reverse("flex:question-list")).context["rows"]
        if row.title == "Was the agent friendly throughout?"
    )

    page = client.get(row.url)

    assert {row.title for row in page.context["rows"]} == {"Chat quality", "Pilot 2024"}


def test_sid_of_another_kind_never_reaches_twilio(client_of, sandbox, flow_on):
    asked = len(sandbox.requests)

    page = client_of("viewer").get(f"/flex/channels/{flow_on}/")

    assert page.status_code == 404
    assert len(sandbox.requests) == asked


@pytest.mark.parametrize("name", READABLE)
def test_missing_object_is_not_found(client_of, sandbox, flow_on, name):
    sid = FACTS[name]["sid"] + "0" * 32

    assert client_of("viewer").get(url_of(name, sid)).status_code == 404


@pytest.mark.parametrize(
    ("status", "reason"),
    [(401, "does not accept"), (403, "may not read it"), (404, "not set up")],
)
def test_refused_resource_is_said_once_and_left_out_until_it_answers(
    client_of, sandbox, flow_on, status, reason
):
    client = client_of("viewer")
    code = {401: 20003, 403: 20403, 404: 20404}[status]
    sandbox.inject(
        Fault(FaultKind.REFUSE, path="/Insights/*", status=status, code=code, times=None)
    )
    page = client.get(reverse("flex:questionnaire-list"))
    overview = client.get(reverse("flex:overview"))
    sandbox.clear_faults()
    client.get(reverse("flex:questionnaire-list"))
    later = client.get(reverse("flex:overview"))

    assert page.status_code == 200
    assert "Questionnaires: not available in this account" in text_of(page)
    assert reason in text_of(page)
    assert [one["resource"].name for one in overview.context["unavailable"]] == ["questionnaire"]
    assert reason in text_of(overview)
    assert later.context["unavailable"] == []
    assert not ResourceRefusal.objects.exists()


@pytest.mark.parametrize(
    "kind", [FaultKind.SERVER_ERROR, FaultKind.DROP, FaultKind.HTML_OK, FaultKind.GARBAGE]
)
def test_failing_twilio_is_said_in_words(client_of, sandbox, flow_on, kind):
    sandbox.inject(Fault(kind, path="/Channels", times=None))

    page = client_of("viewer").get(reverse("flex:channel-list"))

    assert page.status_code == 502
    assert "Couldn't read the channels" in text_of(page)
    assert not ResourceRefusal.objects.exists()


def test_unexpected_entries_are_shown_as_they_are_and_without_secrets(client_of, sandbox, flow_on):
    store = sandbox.store_of(RESOURCES["channel"])
    store.add({"sid": "odd", "note": "https://u:s3cr3t-pass@hooks.example.com/x", "n": [1]})

    page = client_of("viewer").get(reverse("flex:channel-list"))

    assert page.status_code == 200
    assert "Unexpected entries" in text_of(page)
    assert "hooks.example.com" in text_of(page)
    assert "s3cr3t-pass" not in text_of(page)


@pytest.mark.parametrize("value", [None, 7, ["a"], {"a": 1}, "\x00", "<script>", "2026-13-45"])
def test_odd_values_of_fields_are_shown(client_of, sandbox, flow_on, value):
    store = sandbox.store_of(RESOURCES["questionnaire"])
    sid = next(iter(store.snapshot()))
    names = ("name", "description", "active", "questions", "new_field")
    store.edit(sid, dict.fromkeys(names, value))

    page = client_of("viewer").get(reverse("flex:questionnaire", kwargs={"sid": sid}))
    rows = client_of("viewer").get(reverse("flex:questionnaire-list"))

    assert (page.status_code, rows.status_code) == (200, 200)
    assert "new_field" in text_of(page)
    assert "<script>" not in page.content.decode()


def test_reading_changes_nothing_in_the_log(client_of, sandbox, flow_on):
    client = client_of("viewer")
    events = AuditEvent.objects.count()

    for name in LISTED:
        client.get(reverse(f"flex:{name}-list"))

    assert AuditEvent.objects.count() == events


class TestTwoAccounts:
    def test_list_is_of_the_account_in_the_address(self, client_of, sandbox, staging):
        client = client_of("viewer")
        url = reverse("flex:questionnaire-list")

        client.get(url, {"account": staging.account_sid})
        page = client.get(url, {"account": staging.account_sid})

        assert len(staging.requests) >= 1
        assert [choice["is_current"] for choice in page.context["account_choices"]] == [False, True]

    def test_object_is_looked_up_in_each_account(self, client_of, sandbox, staging):
        sid = next(iter(staging.store_of(RESOURCES["questionnaire"]).snapshot()))
        sandbox.store_of(RESOURCES["questionnaire"]).delete(sid)
        url = reverse("flex:questionnaire", kwargs={"sid": sid})

        found = client_of("viewer").get(url)
        missing = client_of("viewer").get(
            reverse("flex:questionnaire", kwargs={"sid": "GM" + "0" * 32})
        )

        assert found.status_code == 302
        assert found.url == f"{url}?account={staging.account_sid}"
        assert missing.status_code == 404

    def test_new_object_needs_an_account(self, client_of, sandbox, staging):
        page = client_of("operator").get(reverse("flex:channel-new"))

        assert page.status_code == 302
        assert page.url == reverse("flex:channel-list")

    def test_user_of_one_account_sees_no_other(self, client_of, sandbox, staging):
        client = client_of("operator", account_sid=ACCOUNT)
        url = reverse("flex:channel-new")

        page = client.get(url, {"account": staging.account_sid})

        assert page.status_code == 404
        assert staging.requests == []


def test_page_size_is_what_the_page_shows():
    assert live.PAGE_SIZE == 50
