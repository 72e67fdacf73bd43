"""Creations, failures and permissions of changes through the pages, against the sandbox."""

import uuid

import pytest
from django.db import DatabaseError

from flows.audit import audit_log
from flows.audit.models import AuditEvent, AuditPayload
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests.conftest import form_data
from tests.faults.acting import append_stage, own_events, received_writes
from tests.flows.flex_flows.views.submitting import edit, new

pytestmark = pytest.mark.django_db


def test_create_makes_a_flow_and_shows_it(client_of, sandbox):
    answer = client_of("operator").post("/flows/new/", new(reason="campaign"), follow=True)

    sid = AuditEvent.objects.get(stage="outcome").target_sid
    assert answer.redirect_chain == [(f"/flows/{sid}/", 302)]
    assert sandbox.flows[sid]["friendly_name"] == "Neuer Flow"
    assert "Neuer Flow" in answer.content.decode()
    assert "Created “Neuer Flow”. Confirmed by Twilio." in answer.content.decode()


def test_double_post_is_one_call(client_of, sandbox):
    client, data = client_of("operator"), new()

    first = client.post("/flows/new/", data)
    second = client.post("/flows/new/", data)

    assert len(received_writes(sandbox)) == 1
    assert second["Location"] == first["Location"]
    assert AuditEvent.objects.count() == 2


def test_replay_of_a_failed_change_shows_what_became_of_it(client_of, sandbox, flow_sid):
    client = client_of("operator")
    data = {**form_data(client.get(f"/flows/{flow_sid}/edit/")), "friendly_name": "Other"}
    sandbox.inject(Fault(FaultKind.REFUSE, method="POST", status=400, code=20001))
    client.post(f"/flows/{flow_sid}/edit/", data)

    replay = client.post(f"/flows/{flow_sid}/edit/", data)

    event = AuditEvent.objects.get(stage="outcome")
    assert replay["Location"] == f"/audit/{event.event_id}/"
    assert len(received_writes(sandbox)) == 1


def test_refusal_comes_back_beside_its_field_with_code_and_message(client_of, sandbox, flow_sid):
    other = sandbox.add_flow(channel_type="sms", contact_identity="+33199000999", enabled=True)

    answer = edit(client_of("operator"), flow_sid, contact_identity="+33199000999")

    assert other != flow_sid
    assert answer.status_code == 422
    assert "code 45212" in answer.context["form"].errors["contact_identity"][0]
    assert answer.context["problem"].code == 45212
    assert 'value="+33199000999"' in answer.content.decode()


def test_refusal_that_names_a_parameter_stands_beside_it(client_of, sandbox, monkeypatch):
    fault = Fault(
        FaultKind.REFUSE,
        method="POST",
        status=400,
        code=20001,
        message="Integration.FlowSid is bad",
    )
    sandbox.inject(fault)

    answer = client_of("operator").post("/flows/new/", new())

    assert answer.status_code == 422
    assert "Integration.FlowSid is bad" in answer.context["form"].errors["integration_flow_sid"][0]


def test_form_after_a_refusal_can_be_sent_again(client_of, sandbox):
    client = client_of("operator")
    sandbox.inject(Fault(FaultKind.REFUSE, method="POST", status=400, code=20001))
    page = client.post("/flows/new/", new())

    answer = client.post("/flows/new/", form_data(page))

    assert answer.status_code == 302
    assert [event.result for event in AuditEvent.objects.order_by("seq")] == [
        "pending",
        "failed",
        "pending",
        "succeeded",
    ]


def test_unknown_outcome_is_never_called_a_failure(client_of, sandbox):
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))

    answer = client_of("operator").post("/flows/new/", new(), follow=True)

    event = AuditEvent.objects.get(stage="outcome")
    assert event.result == "unknown"
    assert answer.redirect_chain[-1][0] == f"/audit/{event.event_id}/"
    assert "Unknown outcome" in answer.content.decode()


def test_change_is_not_sent_when_twilio_is_away(client_of, sandbox, flow_sid):
    client = client_of("operator")
    data = {**form_data(client.get(f"/flows/{flow_sid}/edit/")), "friendly_name": "Kept"}
    sandbox.inject(Fault(FaultKind.SERVER_ERROR, method="GET", status=503, times=None))

    answer = client.post(f"/flows/{flow_sid}/edit/", data)

    assert answer.status_code == 502
    assert "Nothing was sent" in answer.context["problem"].text
    assert 'value="Kept"' in answer.content.decode()
    assert received_writes(sandbox) == []
    assert own_events().get().result == "failed"


def test_nothing_is_sent_when_the_log_cannot_be_written(client_of, sandbox, flow_sid, monkeypatch):
    client = client_of("operator")
    data = {**form_data(client.get(f"/flows/{flow_sid}/edit/")), "friendly_name": "Kept"}
    monkeypatch.setattr(AuditPayload, "save", _no_database)

    answer = client.post(f"/flows/{flow_sid}/edit/", data)

    assert answer.status_code == 503
    assert 'value="Kept"' in answer.content.decode()
    assert received_writes(sandbox) == []


def test_lost_outcome_is_told_plainly(client_of, sandbox, flow_sid, monkeypatch):
    client = client_of("operator")
    data = {**form_data(client.get(f"/flows/{flow_sid}/edit/")), "friendly_name": "Sent"}
    append = audit_log.LogTransaction.append
    monkeypatch.setattr(
        audit_log.LogTransaction,
        "append",
        lambda log, **event_fields: (
            append(log, **event_fields) if event_fields["stage"] == "attempt" else _fail()
        ),
    )

    answer = client.post(f"/flows/{flow_sid}/edit/", data)

    assert answer.status_code == 500
    assert "outcome couldn&#x27;t be logged" in answer.content.decode()
    assert len(received_writes(sandbox)) == 1


def test_change_is_held_back_while_another_is_open(client_of, sandbox, flow_sid, actor):
    append_stage(
        action="flow.update", stage="attempt", result="pending", actor=actor,
        change_id=uuid.uuid4(), target_sid=flow_sid,
    )  # fmt: skip

    answer = edit(client_of("operator", "ada"), flow_sid, friendly_name="Held")

    assert answer.status_code == 409
    assert "omar is changing it" in answer.context["problem"].text
    assert received_writes(sandbox) == []


@pytest.mark.parametrize(("kind", "present", "absent"), [
    ("studio", "integration_flow_sid", "integration_url"),
    ("external", "integration_url", "integration_flow_sid"),
    ("task", "integration_workspace_sid", "integration_url"),
    ("", "", "integration_url"),
])  # fmt: skip
def test_fields_follow_the_integration_type(client_of, kind, present, absent):
    fields = {
        "integration_type": kind,
        "friendly_name": "Typed",
        "integration_url": "https://x.example/",
    }

    page = client_of("operator").post("/flows/new/", {**fields, "update_fields": "1"})

    assert page.status_code == 200
    names = [field.name for field in page.context["form"].integration]
    assert absent not in names
    assert not present or present in names
    assert 'value="Typed"' in page.content.decode()
    assert page.context["form"].errors == {}


def test_fields_as_a_fragment_for_htmx(client_of):
    page = client_of("operator").post(
        "/flows/new/",
        {"integration_type": "external", "update_fields": "1"},
        headers={"HX-Request": "true"},
    )

    text = page.content.decode()
    assert "<html" not in text
    assert 'name="integration_url"' in text
    assert "Showing External webhook settings" in text


PAGES = [
    ("/flows/new/", new(), {"operator", "admin"}),
    ("/flows/{sid}/edit/", {"friendly_name": "x"}, {"operator", "admin"}),
    ("/flows/{sid}/enabled/", {"enabled": "false"}, {"operator", "admin"}),
    ("/flows/{sid}/delete/", {"confirm_name": "x"}, {"operator", "admin"}),
]


@pytest.mark.parametrize(("path", "data", "allowed"), PAGES)
def test_only_those_who_may_change_get_in(client_of, sandbox, flow_sid, role, path, data, allowed):
    client, address = client_of(role), path.format(sid=flow_sid)

    get_status, post_status = (
        client.get(address).status_code,
        client.post(address, data).status_code,
    )

    assert (get_status == 403, post_status == 403) == (role not in allowed, role not in allowed)
    refusals = AuditEvent.objects.filter(stage="access", result="denied")
    assert refusals.count() == (0 if role in allowed else 1)
    if role not in allowed and "{sid}" in path:
        assert refusals[0].payload.friendly_name == "Réclamations Lyon"


@pytest.mark.parametrize(
    "sid", ["FO123", "fo" + "1" * 32, "FO" + "g" * 32, "FO" + "1" * 33, "FO" + "1" * 32 + "%0a"]
)
def test_malformed_sid_never_reaches_the_api(client_of, sandbox, sid):
    client = client_of("admin")

    answers = [
        client.get(f"/flows/{sid}/{page}").status_code
        for page in ("", "edit/", "enabled/", "delete/")
    ]

    assert answers == [404, 404, 404, 404]
    assert sandbox.requests == []


def _no_database(*_args, **_kwargs):
    raise DatabaseError("disk full")


def _fail():
    raise audit_log.NotRecorded("disk full")


@pytest.mark.parametrize("page", ["edit", "enabled", "delete"])
def test_flow_that_is_gone_offers_no_change(client_of, sandbox, flow_sid, page):
    client = client_of("operator")
    sandbox.remove_flow(flow_sid)
    client.post("/flows/sync/")

    answer = client.get(f"/flows/{flow_sid}/{page}/", follow=True)

    assert answer.redirect_chain == [(f"/flows/{flow_sid}/", 302)]
    assert "deleted at Twilio" in answer.content.decode()


def test_wrong_sid_is_told_in_the_words_of_its_field(client_of):
    page = client_of("operator").post("/flows/new/", new(chat_service_sid="IS123"))

    assert page.context["form"].errors["chat_service_sid"] == [
        "Chat service SID must start with IS, followed by 32 characters from 0-9 and a-f."
    ]
