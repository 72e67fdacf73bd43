"""The page of a flow, with Twilio available or not."""

import uuid

import pytest

from flows.changes import flow_changes
from flows.mirror.sync import sync_account
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import switch_flow
from tests.flows.names.adding import add_name
from tests.markup import squeezed

pytestmark = pytest.mark.django_db


def test_change_of_unknown_outcome_stays_visible(client_of, sandbox, flow_sid, actor):
    sandbox.inject(Fault(FaultKind.DROP, method="POST"))
    flow_changes.set_enabled(
        sid=flow_sid,
        account_sid=ACCOUNT,
        enabled=False,
        reason="",
        actor=actor,
        change_id=uuid.uuid4(),
    )

    page = client_of("viewer").get(f"/flows/{flow_sid}/")

    assert page.context["open_change"].result == "unknown"
    assert "Unknown outcome" in page.content.decode()


def test_flow_is_shown_as_it_is_at_twilio_now(client_of, sandbox, flow_sid):
    sandbox.edit_flow(flow_sid, friendly_name="This second")

    page = client_of("viewer").get(f"/flows/{flow_sid}/")

    assert page.context["state"] == "live"
    assert "This second" in page.content.decode()


def test_flow_is_shown_from_the_copy_when_twilio_is_away(client_of, sandbox, flow_sid):
    sandbox.inject(Fault(FaultKind.SERVER_ERROR, times=None))

    page = client_of("viewer").get(f"/flows/{flow_sid}/")

    assert page.context["state"] == "copy"
    assert "Showing cached data" in page.content.decode()
    assert "Réclamations Lyon" in page.content.decode()


def test_flow_refused_by_twilio_is_shown_from_the_copy(client_of, sandbox, flow_sid):
    sandbox.inject(Fault(FaultKind.REFUSE, status=401, code=20003, times=None))

    page = client_of("viewer").get(f"/flows/{flow_sid}/")

    assert page.context["state"] == "copy"
    assert "does not accept this site&#x27;s credentials" in page.content.decode()


def test_unknown_flow_with_twilio_away_promises_nothing(client_of, sandbox):
    sandbox.inject(Fault(FaultKind.SERVER_ERROR, times=None))

    page = client_of("viewer").get("/flows/FO" + "0" * 32 + "/")

    assert "No cached data is available" in page.content.decode()


def test_flow_that_is_gone_keeps_its_page(client_of, sandbox, flow_sid):
    sandbox.remove_flow(flow_sid)

    page = client_of("operator").get(f"/flows/{flow_sid}/")

    assert page.context["state"] == "gone"
    assert f"/flows/{flow_sid}/edit/" not in page.content.decode()


def test_flow_that_never_was_is_404(client_of, sandbox):
    assert client_of("viewer").get("/flows/FO" + "0" * 32 + "/").status_code == 404


def test_flow_page_masks_secrets_and_keeps_unknown_fields(client_of, sandbox, flow_sid):
    sandbox.edit_flow(
        flow_sid,
        integration_type="external",
        integration_url="https://bob:canary1@hooks.example/in?token=canary2&x=1",
        future_field={"a": 1},
    )

    page = client_of("admin").get(f"/flows/{flow_sid}/")

    assert "canary" not in page.content.decode()
    assert "hooks.example" in page.content.decode()
    assert ("future_field", {"a": 1}) in page.context["unknown_fields"]


def test_fields_link_to_the_pages_of_their_targets(client_of, sandbox):
    workspace, workflow, service = (prefix + "1" * 32 for prefix in ("WS", "WW", "IS"))
    sid = sandbox.add_flow(
        integration_type="task",
        integration_workspace_sid=workspace,
        integration_workflow_sid=workflow,
        chat_service_sid=service,
    )
    sync_account(ACCOUNT)
    add_name(workflow, "Claims <1>", resource="workflow")
    client = client_of("viewer")

    page = squeezed(client.get(f"/flows/{sid}/").content.decode())

    paths = [f"workspace/{workspace}/", f"workflow/{workflow}/", f"chat-service/{service}/"]
    assert f'<a href="/flows/targets/{paths[0]}" title="{workspace}">WS1111…1111</a>' in page
    assert f'<a href="/flows/targets/{paths[1]}"><bdi>Claims &lt;1&gt;</bdi></a>' in page
    assert f'<a href="/flows/targets/{paths[2]}" title="{service}">IS1111…1111</a>' in page
    for path in paths:
        assert client.get(f"/flows/targets/{path}").status_code == 200


def test_field_that_the_integration_type_does_not_use_has_no_link(client_of, sandbox):
    unused = "FW" + "1" * 32
    sid = sandbox.add_flow(integration_type="task", integration_flow_sid=unused)
    sync_account(ACCOUNT)

    page = client_of("viewer").get(f"/flows/{sid}/").content.decode()

    assert f'title="{unused}"' in page
    assert "/flows/targets/studio-flow/" not in page


def test_state_of_a_flow_has_the_same_words_on_every_page(client_of, sandbox, flow_sid):
    """Twilio calls the field Enabled, with true and false. People read Status, On and Off."""
    event = switch_flow(flow_sid).event
    client = client_of("operator")

    pages = {
        path: squeezed(client.get(path).content.decode())
        for path in (f"/flows/{flow_sid}/", f"/flows/{flow_sid}/edit/", f"/audit/{event.event_id}/")
    }

    assert [path for path, page in pages.items() if "Enabled" in page] == []
    assert [path for path, page in pages.items() if ">Status" not in page] == []
    assert "Only a flow that is on receives messages" in pages[f"/flows/{flow_sid}/edit/"]
    assert "<bdi>Off</bdi>" in pages[f"/flows/{flow_sid}/"]
    event_page = pages[f"/audit/{event.event_id}/"]
    assert "<bdi>On</bdi>" in event_page
    assert "<bdi>Off</bdi>" in event_page
