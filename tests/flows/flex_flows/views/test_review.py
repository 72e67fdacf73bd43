"""The review before saving, and the choice for each field in conflict."""

import uuid

import pytest

from flows.audit.models import AuditEvent
from flows.changes import flow_changes
from flows.mirror.sync import sync_account
from tests import ACCOUNT
from tests.conftest import form_data

pytestmark = pytest.mark.django_db


def writes(sandbox):
    return [request.parameters for request in sandbox.requests if request.method != "GET"]


@pytest.fixture
def edit(client_of, flow_sid):
    """Open the edit form, fill it in and press one of its buttons."""
    client = client_of("operator")
    address = f"/flows/{flow_sid}/edit/"

    def press(button="", page=None, **fields):
        page = page or client.get(address)
        return client.post(
            address, {**form_data(page), **fields, **({button: "1"} if button else {})}
        )

    return press


def test_review_shows_old_and_new_and_sends_nothing(edit, sandbox):
    page = edit("review", friendly_name="Plaintes", integration_retry_count="1")

    assert page.status_code == 200
    assert page.context["rows"] == [
        {"label": "Friendly name", "now": "Réclamations Lyon", "new": "Plaintes"},
        {"label": "Retry count", "now": 3, "new": 1},
    ]
    assert writes(sandbox) == []
    assert not AuditEvent.objects.exclude(action="flow.baseline").exists()


def test_saving_from_the_review_is_the_change_that_was_reviewed(edit, sandbox):
    page = edit("review", friendly_name="Plaintes")

    assert edit(page=page, reason="New name").status_code == 302
    assert writes(sandbox) == [{"FriendlyName": "Plaintes"}]
    assert AuditEvent.objects.latest("seq").reason == "New name"


def test_editing_again_keeps_what_was_typed_the_reason_too(edit, sandbox):
    page = edit("edit_again", page=edit("review", friendly_name="Plaintes"), reason="Why not")

    assert page.templates[0].name == "flows/form.html"
    assert page.context["form"]["friendly_name"].value() == "Plaintes"
    edit_page = edit("review", page=page)
    assert edit_page.context["form"]["reason"].value() == "Why not"
    assert writes(sandbox) == []


def test_review_of_nothing_says_so(edit):
    page = edit("review")

    assert page.templates[0].name == "flows/form.html"
    assert "No changes to save" in page.content.decode()


def test_review_with_errors_is_the_form_with_errors(edit):
    page = edit("review", integration_retry_count="9")

    assert (page.status_code, set(page.context["form"].errors)) == (
        422,
        {"integration_retry_count"},
    )


def test_review_warns_of_what_would_be_wrong(edit):
    page = edit("review", integration_type="task", integration_flow_sid="")

    assert page.status_code == 422
    page = edit("review", contact_identity="", channel_type="whatsapp")
    assert [each[:28] for each in page.context["new_warnings"]] == ["No contact identity is set. "]
    assert page.context["warnings"] == page.context["cleared_warnings"] == []


def test_review_says_which_warnings_stay_and_which_are_resolved(client_of, sandbox):
    sid = sandbox.add_flow(
        friendly_name="Lab",
        channel_type="sms",
        contact_identity="whatsapp:+442071838750",
        integration_type="external",
        integration_url="http://h.example/#top",
    )
    sync_account(ACCOUNT)
    client = client_of("operator")
    fields = form_data(client.get(f"/flows/{sid}/edit/")) | {"review": "1"}

    page = client.post(
        f"/flows/{sid}/edit/", {**fields, "integration_url": "https://h.example/#top"}
    )

    text = page.content.decode()
    assert page.context["new_warnings"] == []
    assert page.context["cleared_warnings"] == [
        "The webhook is not encrypted. Use https:// instead of http://."
    ]
    assert [each[:29] for each in page.context["warnings"]] == [
        "The contact identity doesn't ",
        "The part of the webhook URL a",
    ]
    assert "Resolved by this change" in text
    assert "Remaining warnings" in text
    assert "New warning" not in text


def test_review_says_whether_a_collision_is_new_stays_or_ends(client_of, sandbox):
    for name in ("One", "Two"):
        sid = sandbox.add_flow(
            friendly_name=name, channel_type="sms", contact_identity="+14155550123", enabled=True
        )
    sync_account(ACCOUNT)
    client = client_of("operator")
    fields = form_data(client.get(f"/flows/{sid}/edit/")) | {"review": "1"}

    renamed = client.post(f"/flows/{sid}/edit/", {**fields, "friendly_name": "Three"})
    moved = client.post(f"/flows/{sid}/edit/", {**fields, "contact_identity": "+14155550199"})

    assert renamed.context["new_warnings"] == []
    assert "“One” is already on" in renamed.context["warnings"][0]
    assert "“One” is already on" in moved.context["cleared_warnings"][0]


def test_review_names_the_flow_of_the_same_name(client_of, sandbox):
    sandbox.add_flow(friendly_name="Lab", channel_type="web")
    sid = sandbox.add_flow(friendly_name="Other", channel_type="web")
    sync_account(ACCOUNT)
    client = client_of("operator")
    fields = form_data(client.get(f"/flows/{sid}/edit/")) | {"review": "1"}

    page = client.post(f"/flows/{sid}/edit/", {**fields, "friendly_name": "LAB"})

    assert page.context["new_warnings"] == ["One other flow has this name."]


def test_review_shows_no_secret(client_of, sandbox):
    sid = sandbox.add_flow(
        integration_type="external", integration_url="https://a:canary-1@h.example/"
    )
    sync_account(ACCOUNT)
    client = client_of("operator")
    page = client.get(f"/flows/{sid}/edit/")
    fields = {**form_data(page), "integration_url": "https://a:canary-2@h.example/", "review": "1"}

    page = client.post(f"/flows/{sid}/edit/", fields)

    (row,) = page.context["rows"]
    assert "canary" not in str(row)
    assert row["now"] != row["new"]


def test_new_flow_is_reviewed_too(client_of, sandbox):
    client = client_of("operator")
    fields = {
        **form_data(client.get("/flows/new/")), "friendly_name": "Neu", "channel_type": "web",
        "chat_service_sid": "IS" + "1" * 32, "review": "1",
    }  # fmt: skip

    page = client.post("/flows/new/", fields)

    assert {row["label"]: row["new"] for row in page.context["rows"]}["Friendly name"] == "Neu"
    assert sandbox.flows == {}
    assert client.post("/flows/new/", form_data(page)).status_code == 302
    assert len(sandbox.flows) == 1


def test_person_picks_per_field_in_a_conflict(edit, sandbox, flow_sid):
    page = edit("review", friendly_name="Mine", integration_retry_count="1")
    sandbox.edit_flow(flow_sid, friendly_name="Theirs", integration_retry_count=2)
    page = edit(page=page)
    assert (page.status_code, len(page.context["conflicts"])) == (409, 2)

    saved = edit(page=page, pick_friendly_name="mine", pick_integration_retry_count="theirs")

    assert saved.status_code == 302
    assert writes(sandbox) == [{"FriendlyName": "Mine"}]
    assert sandbox.flows[flow_sid]["integration"]["retry_count"] == 2


def test_conflict_says_who_changed_the_field_last(edit, sandbox, flow_sid, actor):
    page = edit("review", friendly_name="Mine", integration_retry_count="1")
    flow_changes.update_flow(
        sid=flow_sid,
        account_sid=ACCOUNT,
        base=None,
        values={"friendly_name": "Theirs"},
        reason="",
        actor=actor,
        change_id=uuid.uuid4(),
    )
    sandbox.edit_flow(flow_sid, integration_retry_count=2)

    rows = {row["name"]: row for row in edit(page=page).context["conflicts"]}

    assert rows["friendly_name"]["last"].actor_label == "omar"
    assert rows["integration_retry_count"]["last"].action == "flow.drift"


def test_keeping_all_of_theirs_is_nothing_to_save(edit, sandbox, flow_sid):
    page = edit("review", friendly_name="Mine")
    sandbox.edit_flow(flow_sid, friendly_name="Theirs")
    page = edit(page=page)

    answer = edit("review", page=page, pick_friendly_name="theirs")

    assert "No changes to save" in answer.content.decode()
    assert writes(sandbox) == []
