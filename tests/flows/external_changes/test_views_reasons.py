"""The reason typed in the inbox, which goes along into the form that reverts."""

import pytest

from flows.audit.models import AuditEvent, OpenDrift
from flows.availability import restrictions
from flows.mirror.sync import sync_account
from tests import ACCOUNT
from tests.flows.external_changes.inbox_pages import inbox_items, last, save

pytestmark = pytest.mark.django_db


def begin(client, item, reason="Not agreed"):
    """Submit "Revert…" with a reason, as the browser does."""
    name = "undo" if item.kind == "made" else "restore"
    data = {name: item.first.event_id, "state": "before", "begin": "1", "reason": reason}
    return client.post(item.revert_url, data)


def test_reason_goes_along_into_the_edit_form(client_of, sandbox, drift, flow_sid):
    client = client_of("operator")
    (item,) = inbox_items(client.get("/flows/drift/"))

    page = begin(client, item)

    assert page.status_code == 200
    assert page.context["form"]["reason"].value() == "Not agreed"
    assert page.context["restore"].rows[0]["then"] == "Réclamations Lyon"
    assert save(client, page, f"/flows/{flow_sid}/edit/").status_code == 302
    assert last(stage="outcome").reason == "Not agreed"
    assert not OpenDrift.objects.exists()


def test_reason_goes_along_into_the_form_that_deletes(client_of, sandbox, flow_sid):
    sid = sandbox.add_flow(friendly_name="Not ours")
    sync_account(ACCOUNT)
    client = client_of("operator")
    (item,) = inbox_items(client.get("/flows/drift/"))

    page = begin(client, item)

    assert (page.status_code, page.context["form"]["reason"].value()) == (200, "Not agreed")
    save(client, page, f"/flows/{sid}/delete/", confirm_name="Not ours")
    assert (last(stage="outcome").reason, last(stage="outcome").refers_to) == (
        "Not agreed",
        item.first.event_id,
    )


def test_reason_goes_along_into_the_form_that_creates_again(client_of, sandbox, flow_sid):
    sandbox.remove_flow(flow_sid)
    sync_account(ACCOUNT)
    client = client_of("operator")
    (item,) = inbox_items(client.get("/flows/drift/"))

    page = begin(client, item)

    assert (page.status_code, page.context["form"]["reason"].value()) == (200, "Not agreed")
    save(client, page, "/flows/new/", chat_service_sid="IS" + "1" * 32)
    assert last(stage="outcome").reason == "Not agreed"


def test_reason_goes_along_where_the_flow_is_gone_by_now(client_of, sandbox, drift, flow_sid):
    client = client_of("operator")
    (item,) = inbox_items(client.get("/flows/drift/"))
    sandbox.remove_flow(flow_sid)

    page = begin(client, item)

    assert (page.status_code, page.context["flow"]) == (200, None)
    assert page.context["form"]["reason"].value() == "Not agreed"


def test_form_of_a_read_only_account_is_not_opened_by_a_reason_either(client_of, drift, actor):
    restrictions.set_read_only(account_sid=ACCOUNT, reason="A freeze", actor=actor)
    client = client_of("operator")
    event = AuditEvent.objects.filter(action="flow.drift").earliest("seq")

    page = client.post(
        f"/flows/{drift.target_sid}/edit/", {"restore": event.event_id, "begin": "1"}
    )

    assert page.status_code == 403
