"""Reverting an external change with the form of its flow."""

import uuid

import pytest

from flows.audit.models import AuditEvent, OpenDrift
from flows.changes import flow_changes
from flows.mirror.sync import sync_account
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.conftest import form_data
from tests.faults.acting import clock_ahead
from tests.flows.external_changes.inbox_pages import inbox_items, last, save, text

pytestmark = pytest.mark.django_db
SECRET = "https://user:canary-5@hooks.example.com/in"


def test_undoing_a_change_is_an_ordinary_change_that_refers_to_it(
    client_of, sandbox, drift, flow_sid
):
    client = client_of("operator")
    revert_url = inbox_items(client.get("/flows/drift/"))[0].revert_url

    page = client.get(revert_url)
    assert page.context["restore"].rows == [
        {"label": "Friendly name", "now": "Pilot 2", "then": "Réclamations Lyon"}
    ]
    assert save(client, page, f"/flows/{flow_sid}/edit/").status_code == 302

    assert sandbox.flows[flow_sid]["friendly_name"] == "Réclamations Lyon"
    first = AuditEvent.objects.filter(action="flow.drift").earliest("seq")
    assert last(stage="outcome").refers_to == first.event_id
    assert not OpenDrift.objects.exists()


def test_undoing_that_fails_leaves_it_in_the_inbox(client_of, sandbox, drift, flow_sid):
    client = client_of("operator")
    page = client.get(inbox_items(client.get("/flows/drift/"))[0].revert_url)
    sandbox.inject(Fault(FaultKind.REFUSE, method="POST", status=400, code=20001))

    response = save(client, page, f"/flows/{flow_sid}/edit/")

    assert response.status_code == 422
    assert OpenDrift.objects.count() == 2
    assert response.context["form"]["refers_to"].value() == form_data(page)["refers_to"]


def test_undoing_a_creation_is_a_deletion(client_of, sandbox, flow_sid):
    sid = sandbox.add_flow(friendly_name="Not ours")
    sync_account(ACCOUNT)
    client = client_of("operator")
    (item,) = inbox_items(client.get("/flows/drift/"))
    assert item.kind == "made"

    save(client, client.get(item.revert_url), f"/flows/{sid}/delete/", confirm_name="Not ours")

    assert sid not in sandbox.flows
    assert not OpenDrift.objects.exists()


def test_undoing_a_deletion_makes_the_flow_anew_and_both_histories_tell(
    client_of, sandbox, flow_sid
):
    sandbox.remove_flow(flow_sid)
    sync_account(ACCOUNT)
    client = client_of("operator")
    (item,) = inbox_items(client.get("/flows/drift/"))
    assert item.kind == "deleted"

    page = client.get(item.revert_url)
    assert "SID will change" in text(page)
    answer = save(client, page, "/flows/new/", chat_service_sid="IS" + "1" * 32)

    assert answer.status_code == 302
    (created_sid,) = sandbox.flows
    assert sandbox.flows[created_sid]["friendly_name"] == "Réclamations Lyon"
    assert not OpenDrift.objects.exists()
    for sid in (flow_sid, created_sid):
        history = client.get(f"/flows/{sid}/").context["history"]
        assert [event.target_sid for event in history if event.action == "flow.create"] == [
            created_sid
        ]


def test_edit_page_of_a_flow_that_is_gone_leads_to_making_it_anew(client_of, sandbox, flow_sid):
    baseline = AuditEvent.objects.get(action="flow.baseline")
    sandbox.remove_flow(flow_sid)

    answer = client_of("operator").get(f"/flows/{flow_sid}/edit/?restore={baseline.event_id}")

    assert answer.status_code == 302
    assert answer.url == f"/flows/new/?restore={baseline.event_id}"


def test_restoring_takes_the_live_secret_where_it_is_the_same_and_asks_where_it_is_not(
    client_of, sandbox, actor
):
    sid = sandbox.add_flow(integration_type="external", integration_url=SECRET, friendly_name="Old")
    sync_account(ACCOUNT)
    baseline = AuditEvent.objects.get(action="flow.baseline")
    address = f"/flows/{sid}/edit/?restore={baseline.event_id}"
    client = client_of("operator")
    sandbox.edit_flow(sid, friendly_name="New")

    page = client.get(address)
    assert page.context["restore"].secrets == []
    save(client, page, f"/flows/{sid}/edit/")
    assert sandbox.flows[sid]["friendly_name"] == "Old"
    assert sandbox.flows[sid]["integration"]["url"] == SECRET

    sandbox.edit_flow(sid, integration_url="https://hooks.example.com/elsewhere")
    page = client.get(address)
    assert page.context["restore"].secrets == ["Webhook URL"]
    assert "canary" not in text(page)
    response = save(client, page, f"/flows/{sid}/edit/")
    assert (response.status_code, set(response.context["form"].errors)) == (
        422,
        {"integration_url"},
    )
    assert save(client, page, f"/flows/{sid}/edit/", integration_url=SECRET).status_code == 302


def test_restoring_what_is_there_already_says_so(client_of, flow_sid):
    baseline = AuditEvent.objects.get(action="flow.baseline")

    page = client_of("operator").get(f"/flows/{flow_sid}/edit/?restore={baseline.event_id}")

    assert page.context["restore"].rows == []
    assert "There is nothing to change" in text(page)


def test_field_that_can_not_be_emptied_stays(client_of, sandbox):
    sid = sandbox.add_flow(integration_type="studio", long_lived=None)
    sync_account(ACCOUNT)
    baseline = AuditEvent.objects.get(action="flow.baseline")
    sandbox.edit_flow(sid, long_lived=True)

    page = client_of("operator").get(f"/flows/{sid}/edit/?restore={baseline.event_id}")

    assert page.context["restore"].unclearable == ["Long-lived"]
    assert page.context["form"]["long_lived"].value() == "true"


@pytest.mark.parametrize(
    "query", ["restore=x", f"restore={uuid.UUID(int=7)}", "restore=", "state=before"]
)
def test_restore_of_nothing_is_the_ordinary_form(client_of, flow_sid, query):
    client = client_of("operator")

    for path in (f"/flows/{flow_sid}/edit/", "/flows/new/"):
        page = client.get(f"{path}?{query}")
        assert (page.status_code, page.context["restore"]) == (200, None)


def test_event_of_another_flow_is_not_restored(client_of, sandbox, flow_sid):
    baseline = AuditEvent.objects.get(action="flow.baseline")
    other = sandbox.add_flow(friendly_name="Other")

    page = client_of("operator").get(f"/flows/{other}/edit/?restore={baseline.event_id}")

    assert page.context["restore"] is None


def test_what_we_changed_in_between_is_not_called_foreign_nor_undone(
    client_of, sandbox, drift, flow_sid, actor
):
    flow_changes.set_enabled(
        sid=flow_sid,
        account_sid=ACCOUNT,
        enabled=False,
        reason="",
        actor=actor,
        change_id=uuid.uuid4(),
    )
    sandbox.edit_flow(flow_sid, friendly_name="Pilot 3")
    sync_account(ACCOUNT)
    client = client_of("operator")
    (item,) = inbox_items(client.get("/flows/drift/"))
    assert [row["label"] for row in item.rows] == ["Friendly name"]

    save(client, client.get(item.revert_url), f"/flows/{flow_sid}/edit/")

    assert sandbox.flows[flow_sid]["friendly_name"] == "Réclamations Lyon"
    assert sandbox.flows[flow_sid]["enabled"] is False
    assert not OpenDrift.objects.exists()


def test_restoring_what_was_found_does_not_count_as_dealing_with_it(
    client_of, sandbox, drift, flow_sid
):
    client = client_of("operator")
    address = f"/flows/{flow_sid}/edit/?restore={drift.event_id}"

    save(client, client.get(address), f"/flows/{flow_sid}/edit/", integration_retry_count="1")

    assert OpenDrift.objects.filter(event=drift).exists()


def test_change_of_another_flow_closes_nothing(client_of, sandbox, drift, flow_sid):
    other = sandbox.add_flow(friendly_name="Other", enabled=True)
    sync_account(ACCOUNT)
    client = client_of("operator")
    address = f"/flows/{other}/enabled/?undo={drift.event_id}"

    client.post(address, {**form_data(client.get(address)), "refers_to": drift.event_id})

    assert sandbox.flows[other]["enabled"] is False
    assert OpenDrift.objects.filter(event=drift).exists()
    assert last(stage="outcome").refers_to is None


def test_flow_made_and_deleted_elsewhere_has_nothing_to_undo(client_of, sandbox, flow_sid):
    sid = sandbox.add_flow(friendly_name="Brief")
    sync_account(ACCOUNT)
    sandbox.remove_flow(sid)
    with clock_ahead():
        sync_account(ACCOUNT)

    (item,) = inbox_items(client_of("operator").get("/flows/drift/"))

    assert (item.kind, item.revert_url) == ("deleted", "")


def test_masked_part_of_any_field_has_to_be_typed_again(client_of, sandbox):
    sid = sandbox.add_flow(
        channel_type="custom", contact_identity="https://bot.example.com/in?token=canary"
    )
    sync_account(ACCOUNT)
    baseline = AuditEvent.objects.get(action="flow.baseline")
    sandbox.edit_flow(sid, contact_identity="plain")
    client = client_of("operator")

    page = client.get(f"/flows/{sid}/edit/?restore={baseline.event_id}")
    response = save(client, page, f"/flows/{sid}/edit/")

    assert (response.status_code, set(response.context["form"].errors)) == (
        422,
        {"contact_identity"},
    )


def test_single_with_nothing_to_change_offers_no_revert(client_of, drift, flow_sid, actor):
    flow_changes.update_flow(
        sid=flow_sid, account_sid=ACCOUNT, base=None, values={"friendly_name": "Réclamations Lyon"}, reason="", actor=actor,
        change_id=uuid.uuid4(),
    )  # fmt: skip

    (item,) = inbox_items(client_of("operator").get("/flows/drift/"))

    assert item.revert_url == ""
