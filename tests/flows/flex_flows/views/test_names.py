"""Every page shows the name of what a flow points to before its SID."""

import html
import re

import pytest

from flows.audit.models import AuditEvent
from flows.mirror.sync import sync_account
from tests import ACCOUNT
from tests.conftest import form_data
from tests.faults.acting import rename_flow
from tests.flows.names.adding import add_name

pytestmark = pytest.mark.django_db(transaction=True)

OLD_SID, NEW_SID = "FW" + "1" * 32, "FW" + "2" * 32  # the first is that of `flow_sid`
WORKFLOW_SID = "WW" + "3" * 32


@pytest.fixture(autouse=True)
def _names(db):
    add_name(OLD_SID, "Support <IVR>")
    add_name(NEW_SID, "Order status")


def text_of(page):
    return html.unescape(page.content.decode())


def named(name, sid):
    """Return the name and the SID as every page but the list shows them."""
    return f'<bdi>{name}</bdi> <span class="sid"><span title="{sid}">{sid[:6]}…{sid[-4:]}</span>'


def test_list_has_the_name_which_leads_to_the_target(client_of, flow_sid):
    page = client_of("viewer").get("/flows/").content.decode()

    assert ">Support &lt;IVR&gt;</a></td>" in page
    assert f'href="/flows/targets/studio-flow/{OLD_SID}/"' in page


def test_list_names_a_workflow_and_only_in_its_own_account(client_of, sandbox, staging):
    add_name(WORKFLOW_SID, "Claims", resource="workflow")
    for server in (sandbox, staging):
        server.add_flow(
            integration_type="task",
            integration_workspace_sid="WS" + "4" * 32,
            integration_workflow_sid=WORKFLOW_SID,
        )
        sync_account(server.account_sid)

    page = text_of(client_of("viewer").get("/flows/"))

    assert page.count(">Claims</a></td>") == 1
    assert page.count(">Workflow WW3333…3333</a></td>") == 1


def test_flow_page_names_targets_in_the_route_and_the_fields(client_of, flow_sid):
    page = " ".join(client_of("viewer").get(f"/flows/{flow_sid}/").content.decode().split())

    assert re.search(r'<strong dir="auto">(<[^>]*>| )*Support &lt;IVR&gt;', page)
    assert "<bdi>Support &lt;IVR&gt;</bdi>" in page
    assert page.count(f'title="{OLD_SID}"') == 2


def test_warnings_about_targets_are_in_the_list_and_on_the_flows_page(client_of, sandbox):
    sid = sandbox.add_flow(integration_flow_sid="FW" + "5" * 32)
    add_name("FW" + "5" * 32, "Holiday", status="draft", revision=1)
    sync_account(ACCOUNT)
    client = client_of("viewer")

    warning = "The Studio Flow “Holiday” was never published."
    assert warning in text_of(client.get("/flows/"))
    assert warning in text_of(client.get(f"/flows/{sid}/"))


def test_review_names_the_old_and_the_new_target(client_of, flow_sid):
    client, url = client_of("operator"), f"/flows/{flow_sid}/edit/"
    data = {**form_data(client.get(url)), "integration_flow_sid": NEW_SID, "review": "1"}

    page = text_of(client.post(url, data))

    assert named("Support <IVR>", OLD_SID) in page
    assert named("Order status", NEW_SID) in page


def test_event_page_names_the_targets_of_a_change(client_of, flow_sid):
    rename_flow(flow_sid, values={"integration_flow_sid": NEW_SID})
    event = AuditEvent.objects.filter(action="flow.update").latest("seq")

    page = text_of(client_of("viewer").get(f"/audit/{event.event_id}/"))

    assert named("Support <IVR>", OLD_SID) in page
    assert named("Order status", NEW_SID) in page


def test_external_change_and_bulk_change_name_the_targets(client_of, flow_sid, sandbox):
    sandbox.edit_flow(flow_sid, integration_flow_sid=NEW_SID)
    sync_account(ACCOUNT)
    client = client_of("operator")

    page = text_of(client.get("/flows/drift/"))
    assert named("Support <IVR>", OLD_SID) in page
    assert named("Order status", NEW_SID) in page

    events = str(AuditEvent.objects.get(action="flow.drift").event_id)
    response = client.post("/flows/drift/revert/", {"events": events, "reason": "back"})
    plan = " ".join(text_of(client.get(response["Location"])).split())
    assert "<bdi>Support <IVR></bdi>" in plan
    assert "<bdi>Order status</bdi>" in plan


def test_dialog_that_turns_a_flow_on_names_its_handler(client_of, flow_sid, sandbox):
    sandbox.edit_flow(flow_sid, enabled=False)
    sync_account(ACCOUNT)

    page = text_of(client_of("operator").get(f"/flows/{flow_sid}/enabled/"))

    assert "handled by Support <IVR> · FW1111…1111" in page
