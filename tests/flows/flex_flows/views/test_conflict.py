"""Two users changed the same field: no value is preselected, and the form has the selected one."""

import uuid

import pytest

from flows.audit.models import AuditEvent
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.plans.models import Plan
from tests import ACCOUNT
from tests.conftest import form_data
from tests.faults.acting import received_writes

pytestmark = pytest.mark.django_db

TASK = {
    "integration_type": "task",
    "integration_workspace_sid": "WS" + "1" * 32,
    "integration_workflow_sid": "WW" + "1" * 32,
    "integration_channel": "sms",
    "integration_timeout": 600,
    "integration_priority": 7,
}


def text(page):
    return page.content.decode()


@pytest.fixture
def omar(client_of):
    return client_of("operator", "omar")


@pytest.fixture
def late(omar, sandbox, flow_sid):
    """Submit an edit after someone else's, and return the page."""

    def send(mine, theirs):
        data = {**form_data(omar.get(f"/flows/{flow_sid}/edit/")), **mine}
        sandbox.edit_flow(flow_sid, **theirs)
        page = omar.post(f"/flows/{flow_sid}/edit/", data)
        assert page.status_code == 409
        return page

    return send


def go_on(client, page, sid, **more):
    return client.post(f"/flows/{sid}/edit/", {**form_data(page), **more})


def names(fields):
    return [field.name for field in fields]


def test_nothing_is_chosen(late):
    page = late({"friendly_name": "Mine"}, {"friendly_name": "Theirs"})

    assert [row["choice"] for row in page.context["conflicts"]] == [""]
    assert "checked" not in text(page)
    assert "friendly_name" not in names(
        page.context["form"].channel_fields
    )  # decided above the form, and not beside it


@pytest.mark.parametrize("button", [{}, {"review": "1"}, {"apply_choices": "1"}])
def test_without_a_choice_nothing_is_sent_and_nothing_is_lost(
    late, omar, sandbox, flow_sid, button
):
    page = late(
        {"friendly_name": "Mine", "integration_retry_count": "1", "reason": "Mine too"},
        {"friendly_name": "Theirs", "integration_retry_count": 2},
    )

    response = go_on(omar, page, flow_sid, pick_friendly_name="theirs", long_lived="true", **button)

    assert (response.status_code, received_writes(sandbox)) == (422, [])
    assert {row["name"]: row["choice"] for row in response.context["conflicts"]} == {
        "friendly_name": "theirs",
        "integration_retry_count": "",
    }
    assert (
        text(response).count("Choose a value for Retry count.") == 2
    )  # the summary's link, and beside the field
    assert 'href="#pick_integration_retry_count_theirs"' in text(response)
    assert response.context["form"]["long_lived"].value() == "true"
    assert response.context["form"]["reason"].value() == "Mine too"
    row = response.context["conflicts"][1]
    assert (row["base"], row["theirs"], row["mine"]) == (3, 2, 1)


def test_choice_that_makes_no_sense_is_none(late, omar, sandbox, flow_sid):
    page = late({"friendly_name": "Mine"}, {"friendly_name": "Theirs"})

    response = go_on(omar, page, flow_sid, pick_friendly_name="both")

    assert (response.status_code, received_writes(sandbox)) == (422, [])


def test_their_value_is_in_the_form_once_it_is_chosen(late, omar, flow_sid):
    page = late({"friendly_name": "Mine", "long_lived": "true"}, {"friendly_name": "Theirs"})

    form = go_on(omar, page, flow_sid, pick_friendly_name="theirs", apply_choices="1")

    assert form.status_code == 200
    assert form.context["conflicts"] == []
    assert form.context["form"]["friendly_name"].value() == "Theirs"
    assert "friendly_name" in names(form.context["form"].channel_fields)
    assert "Mine" not in text(form)
    assert form.context["form"]["long_lived"].value() == "true"


def test_review_shows_what_was_chosen_and_that_is_sent(late, omar, sandbox, flow_sid):
    page = late(
        {"friendly_name": "Mine", "integration_retry_count": "1"},
        {"friendly_name": "Theirs", "integration_retry_count": 2},
    )

    review = go_on(
        omar,
        page,
        flow_sid,
        pick_friendly_name="theirs",
        pick_integration_retry_count="mine",
        review="1",
    )

    assert [(row["label"], row["now"], row["new"]) for row in review.context["rows"]] == [
        ("Retry count", 2, 1)
    ]
    assert go_on(omar, review, flow_sid).status_code == 302
    assert [request.parameters for request in received_writes(sandbox)] == [
        {"Integration.RetryCount": "1"}
    ]


def test_all_of_theirs_leaves_nothing_to_save(late, omar, sandbox, flow_sid):
    page = late({"friendly_name": "Mine"}, {"friendly_name": "Theirs"})

    response = go_on(omar, page, flow_sid, pick_friendly_name="theirs", review="1")

    assert response.context["form"]["friendly_name"].value() == "Theirs"
    assert "No changes to save" in text(response)
    assert received_writes(sandbox) == []


def test_second_change_meanwhile_is_a_conflict_of_its_own(late, omar, sandbox, flow_sid):
    page = late({"friendly_name": "Mine"}, {"friendly_name": "Theirs"})
    sandbox.edit_flow(flow_sid, friendly_name="Theirs again")

    response = go_on(omar, page, flow_sid, pick_friendly_name="mine")

    assert response.status_code == 409
    (row,) = response.context["conflicts"]
    assert (row["base"], row["theirs"], row["mine"], row["choice"]) == (
        "Theirs",
        "Theirs again",
        "Mine",
        "",
    )
    assert received_writes(sandbox) == []


def test_conflict_of_another_flow_is_not_taken(late, omar, sandbox, flow_sid):
    page = late({"friendly_name": "Mine"}, {"friendly_name": "Theirs"})
    other = sandbox.add_flow(friendly_name="Other")
    data = form_data(omar.get(f"/flows/{other}/edit/"))

    answer = omar.post(
        f"/flows/{other}/edit/",
        {**data, "friendly_name": "B", "conflict": form_data(page)["conflict"]},
    )

    assert answer.status_code == 302


class TestIntegration:
    """If the types differ, there is one choice for the whole integration."""

    @pytest.fixture
    def two_types(self, late):
        mine = {"integration_type": "external", "integration_url": "https://mine.example/in"}
        return late(mine, TASK)

    def test_it_is_one_choice(self, two_types):
        (row,) = two_types.context["conflicts"]

        assert (row["name"], row["label"]) == ("integration_type", "Integration")
        assert row["base"].splitlines()[0] == "Integration type: Studio Flow"
        assert "Workflow SID: WW" in row["theirs"]
        assert "https://mine.example/in" in row["mine"]
        assert two_types.context["form"].handling is None
        assert two_types.context["form"].integration == []

    def test_mine_brings_all_of_my_settings(self, two_types, omar, sandbox, flow_sid):
        answer = go_on(omar, two_types, flow_sid, pick_integration_type="mine")

        assert answer.status_code == 302
        (request,) = received_writes(sandbox)
        assert request.parameters["IntegrationType"] == "external"
        assert request.parameters["Integration.Url"] == "https://mine.example/in"

    def test_theirs_brings_all_of_theirs(self, two_types, omar, sandbox, flow_sid):
        form = go_on(omar, two_types, flow_sid, pick_integration_type="theirs", apply_choices="1")

        assert form.context["form"]["integration_type"].value() == "task"
        assert form.context["form"]["integration_timeout"].value() == "600"
        assert go_on(omar, form, flow_sid).status_code == 302
        assert received_writes(sandbox) == []

    def test_my_edit_of_the_type_they_left(self, late, omar, sandbox, flow_sid):
        page = late({"integration_flow_sid": "FW" + "2" * 32}, TASK)

        assert [row["name"] for row in page.context["conflicts"]] == ["integration_type"]
        assert go_on(omar, page, flow_sid, pick_integration_type="mine").status_code == 302
        (request,) = received_writes(sandbox)
        assert request.parameters["IntegrationType"] == "studio"
        assert request.parameters["Integration.FlowSid"] == "FW" + "2" * 32

    def test_their_edit_of_the_type_i_leave(self, late, omar, sandbox, flow_sid):
        page = late(
            {"integration_type": "external", "integration_url": "https://mine.example/in"},
            {"integration_flow_sid": "FW" + "3" * 32},
        )

        (row,) = page.context["conflicts"]
        assert row["name"] == "integration_type"
        form = go_on(omar, page, flow_sid, pick_integration_type="theirs", apply_choices="1")
        assert form.context["form"]["integration_type"].value() == "studio"
        assert form.context["form"]["integration_flow_sid"].value() == "FW" + "3" * 32

    def test_within_one_type_each_field_is_its_own_choice(self, late, omar, sandbox, flow_sid):
        page = late(
            {"integration_flow_sid": "FW" + "2" * 32, "integration_retry_count": "0"},
            {"integration_flow_sid": "FW" + "3" * 32, "integration_retry_count": 1},
        )
        picks = {"pick_integration_flow_sid": "theirs", "pick_integration_retry_count": "mine"}

        assert go_on(omar, page, flow_sid, **picks).status_code == 302
        assert [request.parameters for request in received_writes(sandbox)] == [
            {"Integration.RetryCount": "0"}
        ]


class TestDeletion:
    """A flow is only deleted as the page showed it."""

    @pytest.mark.parametrize(
        ("theirs", "label"),
        [
            ({"friendly_name": "Now important"}, "Friendly name"),
            ({"enabled": False}, "Status"),
            ({"contact_identity": "+33199000999"}, "Contact identity"),
        ],
    )
    @pytest.mark.parametrize("is_synced", [True, False])
    def test_flow_that_changed_since_is_not_deleted(
        self, omar, sandbox, flow_sid, theirs, label, is_synced
    ):
        page = omar.get(f"/flows/{flow_sid}/delete/")
        sandbox.edit_flow(flow_sid, **theirs)
        if is_synced:
            sync_account(ACCOUNT)
        fields = {"confirm_name": flow_sid, "reason": "Over"}

        answer = omar.post(f"/flows/{flow_sid}/delete/", {**form_data(page), **fields})

        assert (answer.status_code, received_writes(sandbox)) == (409, [])
        assert f"Changed: {label}" in text(answer).replace("Turned on", "Status")
        assert (
            answer.context["form"]["confirm_name"].value() is None
        )  # confirmed anew, never by what stood there
        assert answer.context["form"]["reason"].value() == "Over"
        response = omar.post(
            f"/flows/{flow_sid}/delete/", {**form_data(answer), "confirm_name": flow_sid}
        )
        assert response.status_code == 302
        assert flow_sid not in sandbox.flows

    def test_form_that_says_nothing_of_it_is_about_the_name(self, omar, sandbox, flow_sid):
        """As scripts submit it."""
        data = {"confirm_name": "Réclamations Lyon", "change_id": str(uuid.uuid4())}

        assert omar.post(f"/flows/{flow_sid}/delete/", data).status_code == 302


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["retry_count", "delete"])
def test_plan_says_which_field_stood_in_the_way(client_of, sandbox, flow_sid, kind):
    from django.core.management import call_command

    client = client_of("operator")
    client.post("/flows/plans/new/", {"sid": flow_sid, "kind": kind, "value": "1"})
    plan = Plan.objects.get()
    client.post(f"/flows/plans/{plan.pk}/start/", {"reason": "", "confirm": "1"})
    sandbox.edit_flow(flow_sid, integration_retry_count=2)
    call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)

    page = text(client.get(f"/flows/plans/{plan.pk}/"))

    assert "Someone else changed Retry count in the meantime. Nothing was sent." in page
    assert received_writes(sandbox) == []
    assert AuditEvent.objects.filter(result="conflict").count() == 1
    assert Flow.objects.get().gone_at is None
