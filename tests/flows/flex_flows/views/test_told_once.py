"""Each error appears once: beside its field or in one notice, with Twilio's code."""

import re
import uuid

import pytest
from django.core.management import call_command

from flows.audit.models import AuditEvent
from flows.availability import restrictions
from flows.plans.models import Plan
from flows.twilio.errors import RequestRefused
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.conftest import form_data

pytestmark = pytest.mark.django_db

TWILIO_MESSAGE = "Integration.FlowSid is not yours"


def text(page):
    return re.sub(r"<[^>]+>", " ", page.content.decode())


def refuse(sandbox, **fault_options):
    sandbox.inject(
        Fault(FaultKind.REFUSE, **{"method": "POST", "status": 400, "code": 20001, **fault_options})
    )


def edited(client, sid, **values):
    return client.post(
        f"/flows/{sid}/edit/",
        {**form_data(client.get(f"/flows/{sid}/edit/")), "friendly_name": "New", **values},
    )


@pytest.fixture
def client(client_of):
    return client_of("operator")


def test_refusal_of_a_field_stands_beside_it_and_nowhere_else(client, sandbox, flow_sid):
    refuse(sandbox, message=TWILIO_MESSAGE)

    page = edited(client, flow_sid)

    assert page.status_code == 422
    assert text(page).count(TWILIO_MESSAGE) == 1
    assert text(page).count("20001") == 1
    assert TWILIO_MESSAGE in page.context["form"].errors["integration_flow_sid"][0]
    assert page.content.decode().count('href="#id_integration_flow_sid"') == 1
    assert (
        page.content.decode().count('role="alert"') == 2
    )  # the notice, and the page's own empty one


def test_collision_is_told_once_too(client, sandbox, flow_sid):
    sandbox.add_flow(channel_type="sms", contact_identity="+33199000999", enabled=True)

    page = edited(client, flow_sid, contact_identity="+33199000999")

    assert text(page).count("45212") == 1
    assert (
        text(page).count("Another flow that is on already uses this channel and contact identity.")
        == 1
    )


def test_refusal_of_no_field_is_one_notice(client, sandbox, flow_sid):
    refuse(sandbox, message="No reason", code=20009)

    page = edited(client, flow_sid)

    assert (text(page).count("No reason"), text(page).count("20009")) == (1, 1)


def test_refusal_in_the_dialog_is_told_once(client, sandbox, flow_sid):
    other = sandbox.add_flow(
        friendly_name="Second", channel_type="sms", contact_identity="+33199000123", enabled=False
    )
    client.post("/flows/sync/")
    data = {"enabled": "true", "change_id": str(uuid.uuid4())}

    page = client.post(f"/flows/{other}/enabled/", data, headers={"HX-Request": "true"})

    assert (page.status_code, text(page).count("45212")) == (422, 1)
    assert (
        text(page).count("Another flow that is on already uses this channel and contact identity.")
        == 1
    )
    assert "Already on for" not in text(page)


def test_refusal_of_every_change_is_told_by_the_accounts_notice_alone(client, sandbox, flow_sid):
    refuse(sandbox, status=403, code=20403, times=None)

    page = edited(client, flow_sid)

    assert AuditEvent.objects.latest("seq").result == "failed"
    assert text(page).count("20403") == 1
    assert text(page).count("Twilio refuses to change flows") == 1


def test_unknown_outcome_is_told_by_its_page_alone(client, sandbox, flow_sid):
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))

    page = edited(client, flow_sid)
    page = client.get(page["Location"])

    assert list(page.context["messages"]) == []
    assert text(page).count("onnection to Twilio was lost") == 1
    assert text(page).count("Twilio may still have received the request") == 1


def test_flow_that_was_deleted_meanwhile_is_told_once(client, sandbox, flow_sid):
    data = {**form_data(client.get(f"/flows/{flow_sid}/edit/")), "friendly_name": "Late"}
    sandbox.remove_flow(flow_sid)

    page = client.post(f"/flows/{flow_sid}/edit/", data, follow=True)

    assert text(page).partition("History")[0].count("Showing its last known settings") == 1
    assert [str(message) for message in page.context["messages"]] == ["Couldn't save your changes."]


def test_edit_form_that_could_not_be_had_gives_the_reason_once(client, sandbox, flow_sid):
    sandbox.inject(Fault(FaultKind.SERVER_ERROR, method="GET", times=None, status=503))

    page = client.get(f"/flows/{flow_sid}/edit/", follow=True)

    assert len(re.findall(r"status 503|HTTP 503", text(page))) <= 2  # a sentence, and its figures
    assert text(page).count("Twilio answered with status 503") == 1


def test_code_of_a_refusal_is_on_the_events_page_and_in_the_flows_history(
    client, sandbox, flow_sid
):
    refuse(sandbox, code=20009)
    edited(client, flow_sid)
    event = AuditEvent.objects.get(stage="outcome")

    assert "HTTP 400, Twilio error 20009" in text(client.get(f"/audit/{event.event_id}/"))
    assert "HTTP 400, Twilio error 20009" in text(client.get(f"/flows/{flow_sid}/"))


@pytest.mark.django_db(transaction=True)
def test_code_of_a_refusal_is_in_the_log_and_on_the_plan(client, sandbox, flow_sid):
    client.post("/flows/plans/new/", {"sid": flow_sid, "kind": "disable"})
    plan = Plan.objects.get()
    client.post(f"/flows/plans/{plan.pk}/start/", {"reason": ""})
    refuse(sandbox, code=20009, message="Not this one")
    call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)

    assert "HTTP 400, Twilio error 20009" in text(client.get("/audit/"))
    assert "Not this one (HTTP 400, Twilio error 20009)" in text(
        client.get(f"/flows/plans/{plan.pk}/")
    )


def test_page_of_a_change_that_can_not_be_made_has_one_heading(client, flow_sid):
    restrictions.record_response(ACCOUNT, "fetch", RequestRefused(status=403, code=20003))

    page = client.get(f"/flows/{flow_sid}/edit/").content.decode()

    assert page.count("<h1") == 1
