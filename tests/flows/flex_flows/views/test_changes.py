"""Changes through the pages, against the sandbox: requests, responses and events."""

import uuid

import pytest
from django.db import DatabaseError

from flows.audit import audit_log
from flows.audit.models import AuditEvent, AuditPayload
from flows.flex_flows.forms import sign_base
from flows.mirror.models import Flow
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests.conftest import form_data
from tests.faults.acting import own_events

pytestmark = pytest.mark.django_db

NEW = {
    "friendly_name": "Neuer Flow",
    "chat_service_sid": "IS" + "2" * 32,
    "channel_type": "sms",
    "contact_identity": "+4915550100200",
    "integration_type": "studio",
    "integration_flow_sid": "FW" + "3" * 32,
}


def writes(sandbox):
    return [request for request in sandbox.requests if request.method != "GET"]


def new(**values):
    return {**NEW, "change_id": str(uuid.uuid4()), **values}


def edit(client, sid, **values):
    """Open the edit form and submit it with changes."""
    data = form_data(client.get(f"/flows/{sid}/edit/"))
    return client.post(f"/flows/{sid}/edit/", {**data, **values})


def test_edit_sends_only_what_changed(client_of, sandbox, flow_sid):
    answer = edit(client_of("operator"), flow_sid, friendly_name="Plaintes", reason="why not")

    assert (answer.status_code, answer["Location"]) == (302, f"/flows/{flow_sid}/")
    assert [request.parameters for request in writes(sandbox)] == [{"FriendlyName": "Plaintes"}]
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
    assert writes(sandbox) == []
    assert not own_events().exists()


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

    assert len(writes(sandbox)) == 1
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
    assert len(writes(sandbox)) == 1


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
    assert len(writes(sandbox)) == 1
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
    assert writes(sandbox)[-1].parameters == {"FriendlyName": "Mine"}
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
    assert [request.parameters for request in writes(sandbox)] == [{"FriendlyName": "Mine"}]


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
    assert writes(sandbox) == []
    assert own_events().get().result == "failed"


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


def test_nothing_is_sent_when_the_log_cannot_be_written(client_of, sandbox, flow_sid, monkeypatch):
    client = client_of("operator")
    data = {**form_data(client.get(f"/flows/{flow_sid}/edit/")), "friendly_name": "Kept"}
    monkeypatch.setattr(AuditPayload, "save", _no_database)

    answer = client.post(f"/flows/{flow_sid}/edit/", data)

    assert answer.status_code == 503
    assert 'value="Kept"' in answer.content.decode()
    assert writes(sandbox) == []


def test_lost_outcome_is_told_plainly(client_of, sandbox, flow_sid, monkeypatch):
    client = client_of("operator")
    data = {**form_data(client.get(f"/flows/{flow_sid}/edit/")), "friendly_name": "Sent"}
    append = audit_log.append
    monkeypatch.setattr(
        audit_log,
        "append",
        lambda **event_fields: (
            append(**event_fields) if event_fields["stage"] == "attempt" else _fail()
        ),
    )

    answer = client.post(f"/flows/{flow_sid}/edit/", data)

    assert answer.status_code == 500
    assert "outcome couldn&#x27;t be logged" in answer.content.decode()
    assert len(writes(sandbox)) == 1


def test_change_is_held_back_while_another_is_open(client_of, sandbox, flow_sid, actor):
    audit_log.append(
        action="flow.update", stage="attempt", result="pending", actor=actor,
        change_id=uuid.uuid4(), target_sid=flow_sid,
    )  # fmt: skip

    answer = edit(client_of("operator", "ada"), flow_sid, friendly_name="Held")

    assert answer.status_code == 409
    assert "omar is changing it" in answer.context["problem"].text
    assert writes(sandbox) == []


@pytest.mark.parametrize(
    "base",
    ["", "nonsense", sign_base({"sid": "FO" + "9" * 32})],
    ids=["none", "made up", "of another"],
)
def test_edit_without_its_base_sends_nothing(client_of, sandbox, flow_sid, base):
    answer = edit(client_of("operator"), flow_sid, friendly_name="Kept", base=base)

    assert answer.status_code == 422
    assert 'value="Kept"' in answer.content.decode()
    assert writes(sandbox) == []


def test_edit_without_its_base_and_without_twilio(client_of, sandbox, flow_sid):
    sandbox.inject(Fault(FaultKind.REFUSE, method="GET", status=403, code=20003, times=None))

    answer = client_of("operator").post(f"/flows/{flow_sid}/edit/", {"friendly_name": "x"})

    assert answer["Location"] == f"/flows/{flow_sid}/"


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


def test_edit_fields_follow_the_integration_type_too(client_of, flow_sid):
    client = client_of("operator")
    data = form_data(client.get(f"/flows/{flow_sid}/edit/"))

    page = client.post(
        f"/flows/{flow_sid}/edit/", {**data, "integration_type": "task", "update_fields": "1"}
    )

    assert ("integration_flow_sid", "FW" + "1" * 32) in page.context["form"].parked
    assert page.context["form"]["integration_channel"].value() == "default"


def test_switch_changes_enabled_alone(client_of, sandbox, flow_sid):
    client = client_of("operator")
    page = client.get(f"/flows/{flow_sid}/enabled/")

    answer = client.post(f"/flows/{flow_sid}/enabled/", {**form_data(page), "reason": "holidays"})

    assert answer.status_code == 302
    assert [request.parameters for request in writes(sandbox)] == [{"Enabled": "false"}]
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
    assert writes(sandbox) == []


def test_switch_without_a_value_is_422(client_of, sandbox, flow_sid):
    answer = client_of("operator").post(f"/flows/{flow_sid}/enabled/", {"enabled": "maybe"})

    assert answer.status_code == 422
    assert writes(sandbox) == []


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
    assert [(request.method, request.applied) for request in writes(sandbox)] == [("DELETE", True)]
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
    assert writes(sandbox) == []


def test_delete_replayed_shows_its_event(client_of, sandbox, flow_sid):
    client = client_of("operator")
    data = {
        **form_data(client.get(f"/flows/{flow_sid}/delete/")),
        "confirm_name": "Réclamations Lyon",
    }
    client.post(f"/flows/{flow_sid}/delete/", data)

    answer = client.post(f"/flows/{flow_sid}/delete/", data)

    assert answer["Location"] == f"/audit/{AuditEvent.objects.get(stage='outcome').event_id}/"


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
