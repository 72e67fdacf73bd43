"""The list of flows: rows, search, filters, and what each role sees there."""

import json
import uuid
from datetime import timedelta
from unittest import mock

import pytest
from django.utils import timezone

from flows.audit.models import OpenDrift
from flows.checks import evaluation
from flows.checks.account_rules import TWO_ON
from flows.checks.models import StoredFinding, Suppression
from flows.mirror.sync import sync_account
from tests import ACCOUNT
from tests.faults.acting import append_stage

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
# session, user with roles, state of the site (with the tally and the syncs), flows with names
QUERIES_OF_THE_LIST = 4
# the targets that the text means, and the flows that it finds
QUERIES_OF_THE_SEARCH = QUERIES_OF_THE_LIST + 2


def names(page):
    return [flow.friendly_name for flow in page.context["results"].rows]


@pytest.fixture
def some_flows(sandbox):
    sandbox.add_flow(friendly_name="Réclamations Lyon", channel_type="sms", enabled=True)
    sandbox.add_flow(friendly_name="RECLAM 100% <b>", channel_type="whatsapp", enabled=False)
    sandbox.add_flow(
        friendly_name="Support",
        channel_type="web",
        integration_type="external",
        integration_url="https://a.example/x",
    )
    sync_account(ACCOUNT)


def test_list_shows_flows_with_what_handles_them(client_of, some_flows):
    page = client_of("viewer").get("/flows/")

    assert page.status_code == 200
    assert names(page) == ["RECLAM 100% <b>", "Réclamations Lyon", "Support"]
    assert "RECLAM 100% &lt;b&gt;" in page.content.decode()
    assert "a.example" in page.content.decode()


@pytest.mark.parametrize("q", ["réclam", "RECLAM", "reclam"])
def test_search_ignores_case_and_accents(client_of, some_flows, q):
    page = client_of("viewer").get("/flows/", {"q": q})

    assert names(page) == ["RECLAM 100% <b>", "Réclamations Lyon"]


def test_filters_live_in_the_url_and_can_be_taken_off(client_of, some_flows):
    page = client_of("viewer").get(
        "/flows/", {"q": "reclam", "channel": "whatsapp", "enabled": "false"}
    )

    assert names(page) == ["RECLAM 100% <b>"]
    chips = {chip["label"]: chip["remove_url"] for chip in page.context["chips"]}
    assert chips["Channel: WhatsApp"] == "?q=reclam&enabled=false"
    assert list(chips) == ["Search: reclam", "Channel: WhatsApp", "Status: Off"]


def test_filters_say_how_many_flows_each_of_their_options_would_give(client_of, some_flows):
    page = client_of("viewer").get("/flows/", {"q": "reclam", "channel": "sms"})

    text = page.content.decode()
    assert '<option value="sms" selected>SMS (1)</option>' in text
    assert '<option value="whatsapp">WhatsApp (1)</option>' in text
    assert '<option value="web">Web chat (0)</option>' in text
    assert '<option value="false">Off (0)</option>' in text


def test_counts_come_with_the_table_by_filter_and_value(client_of, some_flows):
    page = client_of("viewer").get("/flows/", {"channel": "whatsapp"})
    fragment = client_of("viewer").get("/flows/", {"channel": "whatsapp"}, headers=HTMX)

    assert page.context["choices"]["channel"][:2] == [("web", "Web chat (1)"), ("sms", "SMS (1)")]
    counts = json.loads(fragment.context["facets"])
    assert (counts[""], counts["channel"]["web"], counts["channel"]["sms"]) == ("0", "1", "1")


def test_search_as_you_type_gets_the_table_alone(client_of, some_flows):
    page = client_of("viewer").get("/flows/", {"q": "support"}, headers=HTMX)

    assert "<html" not in page.content.decode()
    assert "Support" in page.content.decode()
    assert "HX-Request" in page["Vary"]


def test_history_restore_gets_the_whole_page(client_of, some_flows):
    page = client_of("viewer").get(
        "/flows/", headers={**HTMX, "HX-History-Restore-Request": "true"}
    )

    assert "<html" in page.content.decode()


def test_sid_in_the_search_goes_to_its_flow(client_of, flow_sid):
    answer = client_of("viewer").get("/flows/", {"q": f" {flow_sid} "})

    assert answer["Location"] == f"/flows/{flow_sid}/"


def test_fifty_a_page_and_the_rest_behind_it(client_of, sandbox):
    for number in range(51):
        sandbox.add_flow(friendly_name=f"Flow {number:02}")
    sync_account(ACCOUNT)
    client = client_of("viewer")

    first = client.get("/flows/")
    second = client.get("/flows/" + first.context["results"].next_url)

    assert (len(names(first)), names(second)) == (50, ["Flow 50"])
    assert (first.context["results"].previous_url, second.context["results"].next_url) == (
        None,
        None,
    )
    assert second.context["results"].previous_url == "?"


def test_list_of_a_new_site_says_so(client_of, db):
    page = client_of("viewer").get("/flows/")

    assert page.context["is_mirror_empty"]
    assert page.context["mirror_is_stale"]


def test_list_takes_a_fixed_number_of_queries(client_of, sandbox, django_assert_num_queries):
    client = client_of("operator")
    for flows in (1, 20):
        sync_new_flows(sandbox, flows)
        OpenDrift.objects.all().delete()
        with django_assert_num_queries(QUERIES_OF_THE_LIST):
            client.get("/flows/")


@pytest.mark.parametrize(
    ("q", "most"), [("support", QUERIES_OF_THE_SEARCH), ("no such", QUERIES_OF_THE_SEARCH - 1)]
)
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["page", "typed"])
def test_search_takes_two_more_queries(
    client_of, sandbox, django_assert_max_num_queries, q, most, headers
):
    for number in range(3):
        sandbox.add_flow(friendly_name=f"Support {number}")
    sync_account(ACCOUNT)
    client = client_of("operator")
    client.get("/flows/", {"q": q})

    with django_assert_max_num_queries(most):
        client.get("/flows/", {"q": q}, headers=headers)


def test_external_changes_take_two_more_queries(client_of, sandbox, django_assert_num_queries):
    client = client_of("operator")
    sync_new_flows(sandbox, 1)
    for flows in (1, 20):
        sync_new_flows(sandbox, flows)
        with django_assert_num_queries(QUERIES_OF_THE_LIST + 2):
            page = client.get("/flows/").content.decode()
    assert page.count('title="External change') == 21


def test_findings_about_an_account_mark_the_flows_in_one_more_query(
    client_of, sandbox, django_assert_num_queries
):
    for name in ("First", "Second"):
        sandbox.add_flow(
            friendly_name=name, channel_type="sms", contact_identity="+14155550123", enabled=True
        )
    sandbox.add_flow(friendly_name="Third", enabled=False)
    sync_account(ACCOUNT)
    evaluation.request_evaluation(ACCOUNT)
    assert evaluation.evaluate(ACCOUNT)
    client = client_of("operator")
    client.get("/flows/")

    with django_assert_num_queries(QUERIES_OF_THE_LIST + 1):
        page = client.get("/flows/").content.decode()

    assert "“Second” is also on for this SMS identity." in page
    assert "“First” is also on for this SMS identity." in page
    Suppression.objects.create(
        account_sid=ACCOUNT,
        sid=StoredFinding.objects.filter(message__startswith="“Second”").get().sid,
        rule_id=TWO_ON.rule_id,
        digests=list(StoredFinding.objects.values_list("digest", flat=True)),
        until=timezone.now().date(),
        event_id=uuid.uuid4(),
    )
    page = client.get("/flows/").content.decode()
    assert "“Second” is also on" not in page
    assert "“First” is also on" in page


def sync_new_flows(sandbox, flows):
    for _ in range(flows):
        sandbox.add_flow()
    sync_account(ACCOUNT)


def attempt_on(sid, actor):
    return append_stage(
        action="flow.update",
        stage="attempt",
        result="pending",
        actor=actor,
        change_id=uuid.uuid4(),
        target_sid=sid,
    )


def test_list_marks_a_flow_that_is_being_changed(client_of, flow_sid, actor):
    attempt_on(flow_sid, actor)

    page = client_of("viewer").get("/flows/")

    assert page.context["rows"][0].open_change is not None


def test_change_of_a_process_that_died_stays_visible(client_of, flow_sid, actor):
    with mock.patch("django.utils.timezone.now", return_value=timezone.now() - timedelta(days=1)):
        attempt_on(flow_sid, actor)
    client = client_of("viewer")

    listed, page = client.get("/flows/"), client.get(f"/flows/{flow_sid}/")

    assert "Unknown outcome" in listed.content.decode()
    assert "Unknown outcome" in page.content.decode()


@pytest.mark.parametrize(
    ("result", "words"), [("pending", "Change in progress"), ("unknown", "Unknown outcome")]
)
def test_row_of_an_open_change_links_to_it_in_place_of_its_actions(
    client_of, flow_sid, actor, result, words
):
    change = attempt_on(flow_sid, actor)
    if result == "unknown":
        change = append_stage(
            action="flow.update",
            stage="outcome",
            result="unknown",
            actor=actor,
            change_id=change.change_id,
            target_sid=flow_sid,
        )

    page = client_of("operator").get("/flows/").content.decode()

    assert f'<a href="/audit/{change.event_id}/">{words}</a>' in page
    assert f"/flows/{flow_sid}/edit/" not in page


def test_viewer_sees_no_button_that_changes(client_of, flow_sid):
    viewer = client_of("viewer")

    text = (
        viewer.get("/flows/").content.decode() + viewer.get(f"/flows/{flow_sid}/").content.decode()
    )

    for address in (
        "/flows/new/",
        f"/flows/{flow_sid}/edit/",
        f"/flows/{flow_sid}/enabled/",
        f"/flows/{flow_sid}/delete/",
    ):
        assert address not in text


def test_operator_sees_the_buttons(client_of, flow_sid):
    operator = client_of("operator")

    text = (
        operator.get("/flows/").content.decode()
        + operator.get(f"/flows/{flow_sid}/").content.decode()
    )

    for address in (
        "/flows/new/",
        f"/flows/{flow_sid}/edit/",
        f"/flows/{flow_sid}/enabled/",
        f"/flows/{flow_sid}/delete/",
    ):
        assert address in text


def test_person_without_a_role_is_refused(client, django_user_model, flow_sid):
    client.force_login(django_user_model.objects.create_user("nobody"))

    assert client.get("/flows/").status_code == 403
    assert client.get(f"/flows/{flow_sid}/").status_code == 403
    assert client.post("/flows/sync/").status_code == 403


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        "\u202eevil",
        "😀",
        "x" * 10_000,
        "\x00nul",
        "a\ud800b",
        '" onload="x',
    ],
)
def test_hostile_names_are_inert_on_every_page(client_of, sandbox, flow_sid, name):
    sandbox.edit_flow(flow_sid, friendly_name=name, contact_identity=name)
    client = client_of("admin")
    client.post("/flows/sync/")

    for path in (
        "/flows/",
        f"/flows/{flow_sid}/",
        f"/flows/{flow_sid}/edit/",
        f"/flows/{flow_sid}/enabled/",
        f"/flows/{flow_sid}/delete/",
    ):
        page = client.get(path)
        text = page.content.decode()
        assert page.status_code == 200, path
        assert "<script>alert" not in text
        assert ' onload="x' not in text
        assert "\x00" not in text


def test_enter_on_a_pasted_number_goes_to_its_flow_and_the_address_alone_does_not(
    client_of, sandbox
):
    sid = sandbox.add_flow(contact_identity="+14155551234")
    sync_account(ACCOUNT)
    client = client_of("viewer")

    deleted_flow = client.get("/flows/", {"q": "(415) 555-1234", "go": "1"})
    assert (deleted_flow.status_code, deleted_flow.url) == (302, f"/flows/{sid}/")
    assert client.get("/flows/", {"q": "(415) 555-1234"}).status_code == 200
    partial_number = client.get(
        "/flows/", {"q": "(415) 555-1234", "go": "1"}, headers={"HX-Request": "true"}
    )
    assert partial_number.status_code == 200
