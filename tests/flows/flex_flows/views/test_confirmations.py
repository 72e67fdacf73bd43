"""Turning on, turning off and deleting through the pages, against the sandbox."""

import uuid

import pytest

from flows.audit.models import AuditEvent
from flows.mirror.sync import sync_account
from tests import ACCOUNT
from tests.conftest import form_data
from tests.faults.acting import received_writes

pytestmark = pytest.mark.django_db


def test_switch_changes_enabled_alone(client_of, sandbox, flow_sid):
    client = client_of("operator")
    page = client.get(f"/flows/{flow_sid}/enabled/")

    answer = client.post(f"/flows/{flow_sid}/enabled/", {**form_data(page), "reason": "holidays"})

    assert answer.status_code == 302
    assert [request.parameters for request in received_writes(sandbox)] == [{"Enabled": "false"}]
    assert sandbox.flows[flow_sid]["enabled"] is False


def test_switch_of_a_flow_that_the_copy_does_not_know_yet(client_of, sandbox):
    sid = sandbox.add_flow(enabled=True)

    page = client_of("operator").get(f"/flows/{sid}/enabled/")

    assert page.status_code == 200
    assert page.context["target"] is False


def test_switch_to_what_it_is_sends_nothing(client_of, sandbox, flow_sid):
    data = {"enabled": "true", "change_id": str(uuid.uuid4())}

    answer = client_of("operator").post(f"/flows/{flow_sid}/enabled/", data, follow=True)

    assert "No changes to save" in answer.content.decode()
    assert received_writes(sandbox) == []


def test_switch_without_a_value_is_422(client_of, sandbox, flow_sid):
    answer = client_of("operator").post(f"/flows/{flow_sid}/enabled/", {"enabled": "maybe"})

    assert answer.status_code == 422
    assert received_writes(sandbox) == []


def test_switch_on_names_the_flow_that_is_in_its_way(client_of, sandbox, flow_sid):
    off = sandbox.add_flow(
        friendly_name="Second", channel_type="sms", contact_identity="+33199000123", enabled=False
    )
    client = client_of("operator")
    client.post("/flows/sync/")
    page = client.get(f"/flows/{off}/enabled/")

    answer = client.post(f"/flows/{off}/enabled/", form_data(page))

    assert [flow.sid for flow in page.context["collisions"]] == [flow_sid]
    assert answer.status_code == 422
    assert answer.context["problem"].code == 45212


def test_delete_takes_the_name(client_of, sandbox, flow_sid):
    client = client_of("operator")
    data = form_data(client.get(f"/flows/{flow_sid}/delete/"))

    wrong = client.post(f"/flows/{flow_sid}/delete/", {**data, "confirm_name": "Reclamations"})
    right = client.post(f"/flows/{flow_sid}/delete/", {**data, "confirm_name": "Réclamations Lyon"})

    assert wrong.status_code == 422
    assert (right.status_code, right["Location"]) == (302, "/flows/")
    assert [(request.method, request.applied) for request in received_writes(sandbox)] == [
        ("DELETE", True)
    ]
    assert flow_sid not in sandbox.flows
    assert (
        AuditEvent.objects.get(stage="outcome").payload.before["friendly_name"]
        == "Réclamations Lyon"
    )


def test_delete_of_a_flow_renamed_meanwhile_is_a_conflict(client_of, sandbox, flow_sid):
    client = client_of("operator")
    data = form_data(client.get(f"/flows/{flow_sid}/delete/"))
    sandbox.edit_flow(flow_sid, friendly_name="Now important")

    answer = client.post(
        f"/flows/{flow_sid}/delete/", {**data, "confirm_name": "Réclamations Lyon"}
    )

    assert answer.status_code == 409
    assert flow_sid in sandbox.flows
    assert received_writes(sandbox) == []


def test_delete_replayed_shows_its_event(client_of, sandbox, flow_sid):
    client = client_of("operator")
    data = {
        **form_data(client.get(f"/flows/{flow_sid}/delete/")),
        "confirm_name": "Réclamations Lyon",
    }
    client.post(f"/flows/{flow_sid}/delete/", data)

    answer = client.post(f"/flows/{flow_sid}/delete/", data)

    assert answer["Location"] == f"/audit/{AuditEvent.objects.get(stage='outcome').event_id}/"


def webhook_flow(sandbox, **fields):
    fields = {"integration_type": "external", "integration_url": None, **fields}
    sid = sandbox.add_flow(friendly_name="No handler", channel_type="web", **fields)
    sync_account(ACCOUNT)
    return sid


def test_turning_on_says_which_findings_become_errors(client_of, sandbox):
    sid = webhook_flow(sandbox, enabled=False)

    page = client_of("operator").get(f"/flows/{sid}/enabled/").content.decode()

    assert "1 new or more serious finding" in page
    assert "A field that the integration needs is missing" in page


def test_turning_off_says_which_findings_are_no_longer_errors(client_of, sandbox):
    sid = webhook_flow(sandbox, enabled=True)
    client = client_of("operator")

    page = client.get(f"/flows/{sid}/enabled/").content.decode()
    dialog = client.get(f"/flows/{sid}/enabled/", headers={"HX-Request": "true"}).content.decode()

    assert "1 finding resolved or less serious" in page
    assert "1 finding resolved or less serious" in dialog


def test_deletion_names_the_findings_of_other_flows_alone(client_of, sandbox):
    sids = [
        sandbox.add_flow(
            friendly_name=name, channel_type="sms", contact_identity="+14155550100", enabled=True
        )
        for name in ("One", "Two")
    ]
    sync_account(ACCOUNT)

    page = client_of("operator").get(f"/flows/{sids[0]}/delete/")

    assert "1 finding resolved or less serious" in page.content.decode()
    [group] = page.context["cleared_findings"]
    assert [found.sid for found, _ in group.rows] == [sids[1]]


def test_confirmation_without_changes_of_findings_says_nothing_of_them(client_of, flow_sid):
    page = client_of("operator").get(f"/flows/{flow_sid}/delete/").content.decode()

    assert "finding" not in page.replace("finding-changes", "")
