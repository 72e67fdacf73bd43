"""Edits of a flow through its form, alone and beside other edits, against the sandbox."""

import pytest

from flows.audit.models import AuditEvent
from flows.flex_flows.forms import sign_base
from flows.mirror.models import Flow
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests.conftest import form_data
from tests.faults.acting import own_events, received_writes
from tests.flows.flex_flows.views.submitting import edit

pytestmark = pytest.mark.django_db


def test_edit_sends_only_what_changed(client_of, sandbox, flow_sid):
    answer = edit(client_of("operator"), flow_sid, friendly_name="Plaintes", reason="why not")

    assert (answer.status_code, answer["Location"]) == (302, f"/flows/{flow_sid}/")
    assert [request.parameters for request in received_writes(sandbox)] == [
        {"FriendlyName": "Plaintes"}
    ]
    event = AuditEvent.objects.get(stage="outcome")
    assert (event.result, event.reason, event.changed_fields) == (
        "succeeded",
        "why not",
        ["friendly_name"],
    )
    assert event.payload.before["friendly_name"] == "Réclamations Lyon"
    assert event.payload.after["friendly_name"] == "Plaintes"
    assert Flow.objects.get(sid=flow_sid).friendly_name == "Plaintes"


def test_edit_page_names_the_flow_and_its_values(client_of, flow_sid):
    page = client_of("operator").get(f"/flows/{flow_sid}/edit/")

    assert page.status_code == 200
    assert 'value="Réclamations Lyon"' in page.content.decode()


def test_edit_that_changes_nothing_sends_nothing(client_of, sandbox, flow_sid):
    answer = edit(client_of("operator"), flow_sid)

    assert answer.status_code == 302
    assert received_writes(sandbox) == []
    assert not own_events().exists()


def test_conflict_tells_the_second_person_and_overwrites_nothing(client_of, sandbox, flow_sid):
    omar, ada = client_of("operator", "omar"), client_of("admin", "ada")
    mine = {
        **form_data(omar.get(f"/flows/{flow_sid}/edit/")),
        "friendly_name": "Mine",
        "reason": "r",
    }
    edit(ada, flow_sid, friendly_name="Theirs")

    answer = omar.post(f"/flows/{flow_sid}/edit/", mine)

    assert answer.status_code == 409
    (row,) = answer.context["conflicts"]
    assert (row["label"], row["base"], row["theirs"], row["mine"]) == (
        "Friendly name",
        "Réclamations Lyon",
        "Theirs",
        "Mine",
    )
    assert sandbox.flows[flow_sid]["friendly_name"] == "Theirs"
    assert len(received_writes(sandbox)) == 1
    conflict = AuditEvent.objects.get(result="conflict")
    assert (conflict.stage, conflict.actor_label) == ("outcome", "omar")


def test_conflict_page_can_be_saved_and_keeps_their_other_edits(client_of, sandbox, flow_sid):
    omar, ada = client_of("operator", "omar"), client_of("admin", "ada")
    mine = {**form_data(omar.get(f"/flows/{flow_sid}/edit/")), "friendly_name": "Mine"}
    edit(ada, flow_sid, friendly_name="Theirs", integration_retry_count="1")
    page = omar.post(f"/flows/{flow_sid}/edit/", mine)

    answer = omar.post(
        f"/flows/{flow_sid}/edit/", {**form_data(page), "pick_friendly_name": "mine"}
    )

    assert answer.status_code == 302
    assert received_writes(sandbox)[-1].parameters == {"FriendlyName": "Mine"}
    assert sandbox.flows[flow_sid]["integration"]["retry_count"] == 1


def test_conflict_page_keeps_their_change_of_the_integration(client_of, sandbox, flow_sid):
    omar = client_of("operator", "omar")
    mine = {**form_data(omar.get(f"/flows/{flow_sid}/edit/")), "friendly_name": "Mine"}
    sandbox.edit_flow(
        flow_sid,
        friendly_name="Theirs",
        integration_type="task",
        integration_workspace_sid="WS" + "1" * 32,
        integration_workflow_sid="WW" + "1" * 32,
        integration_channel="sms",
        integration_timeout=600,
        integration_priority=7,
    )
    page = omar.post(f"/flows/{flow_sid}/edit/", mine)

    answer = omar.post(
        f"/flows/{flow_sid}/edit/", {**form_data(page), "pick_friendly_name": "mine"}
    )

    assert answer.status_code == 302
    assert [request.parameters for request in received_writes(sandbox)] == [
        {"FriendlyName": "Mine"}
    ]


def test_conflict_about_a_webhook_shows_no_secret(client_of, sandbox):
    sid = sandbox.add_flow(
        integration_type="external", integration_url="https://a.example/?token=canary1"
    )
    client = client_of("operator")
    client.post("/flows/sync/")
    data = form_data(client.get(f"/flows/{sid}/edit/"))
    sandbox.edit_flow(sid, integration_url="https://b.example/?token=canary2")

    page = client.post(
        f"/flows/{sid}/edit/", {**data, "integration_url": "https://c.example/?token=canary3"}
    )

    (row,) = page.context["conflicts"]
    assert "canary" not in str(row)
    assert "b.example" in row["theirs"]


def test_edits_of_different_fields_both_survive(client_of, sandbox, flow_sid):
    omar, ada = client_of("operator", "omar"), client_of("admin", "ada")
    mine = {**form_data(omar.get(f"/flows/{flow_sid}/edit/")), "friendly_name": "Mine"}
    edit(ada, flow_sid, integration_retry_count="0")

    answer = omar.post(f"/flows/{flow_sid}/edit/", mine, follow=True)

    assert sandbox.flows[flow_sid]["friendly_name"] == "Mine"
    assert sandbox.flows[flow_sid]["integration"]["retry_count"] == 0
    assert "Someone else changed Retry count" in answer.content.decode()


def test_edit_form_needs_twilio(client_of, sandbox, flow_sid):
    sandbox.inject(Fault(FaultKind.REFUSE, method="GET", status=403, code=20003, times=None))

    answer = client_of("operator").get(f"/flows/{flow_sid}/edit/", follow=True)

    assert answer.redirect_chain == [(f"/flows/{flow_sid}/", 302)]
    assert "Couldn&#x27;t open the edit form" in answer.content.decode()


def test_flow_deleted_meanwhile_is_told(client_of, sandbox, flow_sid):
    client = client_of("operator")
    data = {**form_data(client.get(f"/flows/{flow_sid}/edit/")), "friendly_name": "Late"}
    sandbox.remove_flow(flow_sid)

    answer = client.post(f"/flows/{flow_sid}/edit/", data, follow=True)

    assert "Showing its last known settings" in answer.content.decode()
    assert Flow.objects.get(sid=flow_sid).gone_at is not None


@pytest.mark.parametrize(
    "base",
    ["", "nonsense", sign_base({"sid": "FO" + "9" * 32})],
    ids=["none", "made up", "of another"],
)
def test_edit_without_its_base_sends_nothing(client_of, sandbox, flow_sid, base):
    answer = edit(client_of("operator"), flow_sid, friendly_name="Kept", base=base)

    assert answer.status_code == 422
    assert 'value="Kept"' in answer.content.decode()
    assert received_writes(sandbox) == []


def test_edit_without_its_base_and_without_twilio(client_of, sandbox, flow_sid):
    sandbox.inject(Fault(FaultKind.REFUSE, method="GET", status=403, code=20003, times=None))

    answer = client_of("operator").post(f"/flows/{flow_sid}/edit/", {"friendly_name": "x"})

    assert answer["Location"] == f"/flows/{flow_sid}/"


def test_edit_fields_follow_the_integration_type_too(client_of, flow_sid):
    client = client_of("operator")
    data = form_data(client.get(f"/flows/{flow_sid}/edit/"))

    page = client.post(
        f"/flows/{flow_sid}/edit/", {**data, "integration_type": "task", "update_fields": "1"}
    )

    assert ("integration_flow_sid", "FW" + "1" * 32) in page.context["form"].parked
    assert page.context["form"]["integration_channel"].value() == "default"
