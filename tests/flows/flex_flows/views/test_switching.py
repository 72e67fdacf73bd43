"""Turning a flow on or off in the dialog over the list, as htmx does."""

import html
import uuid

import pytest

from flows.audit import audit_log
from flows.audit.models import AuditEvent, AuditPayload
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests.conftest import form_data
from tests.faults.acting import append_stage

pytestmark = pytest.mark.django_db

OVER_THE_LIST = {"HX-Request": "true", "HX-Current-URL": "http://testserver/flows/?q=lyon"}
ON_ITS_PAGE = {"HX-Request": "true", "HX-Current-URL": "http://testserver/flows/FO1/"}


def open_dialog(client, sid, headers=OVER_THE_LIST):
    """Return the dialog and the data of its form."""
    page = client.get(f"/flows/{sid}/enabled/", headers=headers)
    return page, form_data(page)


def switched(client, sid, headers=OVER_THE_LIST, **values):
    _, data = open_dialog(client, sid, headers)
    return client.post(f"/flows/{sid}/enabled/", {**data, **values}, headers=headers)


def undo_of(answer):
    """Return the data of the toast's undo form."""
    form = answer.context["undo"]
    return {name: str(form[name].value()) for name in form.fields}


def text_of(answer):
    return html.unescape(answer.content.decode())


def test_dialog_is_a_part_and_the_page_is_whole(client_of, flow_sid):
    client = client_of("operator")

    part, _ = open_dialog(client, flow_sid)
    page = client.get(f"/flows/{flow_sid}/enabled/")

    assert "<html" not in text_of(part)
    assert 'id="dialog-title"' in text_of(part)
    assert 'id="switch_reason"' in text_of(part)
    assert "<html" in text_of(page)
    assert 'id="id_reason"' in text_of(page)
    assert "HX-Request" in part["Vary"]
    assert "HX-Request" in page["Vary"]


def test_switch_over_the_list_is_told_in_a_toast_and_renews_the_list(client_of, sandbox, flow_sid):
    answer = switched(client_of("operator"), flow_sid, reason="holidays")

    event = AuditEvent.objects.get(stage="outcome")
    assert answer.status_code == 200
    assert (answer["HX-Retarget"], answer["HX-Reswap"]) == ("#toasts", "afterbegin")
    assert answer["HX-Trigger"] == "flows-changed"
    assert "Turned off “Réclamations Lyon”. Confirmed by Twilio." in text_of(answer)
    assert f"/audit/{event.event_id}/" in text_of(answer)
    assert event.reason == "holidays"
    assert sandbox.flows[flow_sid]["enabled"] is False


def test_what_a_toast_has_shown_no_later_page_shows_again(client_of, flow_sid):
    client = client_of("operator")

    switched(client, flow_sid)

    assert "Confirmed by Twilio" not in text_of(client.get("/flows/"))


def test_undo_is_a_change_that_refers_to_the_first(client_of, sandbox, flow_sid):
    client = client_of("operator")
    answer = switched(client, flow_sid)

    undone = client.post(f"/flows/{flow_sid}/enabled/", undo_of(answer), headers=OVER_THE_LIST)

    first, second = AuditEvent.objects.filter(stage="outcome").order_by("seq")
    assert "Turned on “Réclamations Lyon”. Confirmed by Twilio." in text_of(undone)
    assert (second.refers_to, second.reason) == (first.event_id, f"Undo event {first.seq}")
    assert sandbox.flows[flow_sid]["enabled"] is True
    assert "<form" not in text_of(
        undone
    )  # a second press where the button stood takes nothing back


def test_double_click_on_undo_is_one_change(client_of, sandbox, flow_sid):
    client = client_of("operator")
    data = undo_of(switched(client, flow_sid))
    client.post(f"/flows/{flow_sid}/enabled/", data, headers=OVER_THE_LIST)

    replay = client.post(f"/flows/{flow_sid}/enabled/", data, headers=OVER_THE_LIST)

    assert "This change was already saved." in text_of(replay)
    assert len([request for request in sandbox.requests if request.method == "POST"]) == 2
    assert AuditEvent.objects.filter(stage="outcome").count() == 2


def test_switch_to_what_it_is_says_so_and_offers_no_undo(client_of, sandbox, flow_sid):
    client = client_of("operator")
    _, data = open_dialog(client, flow_sid)
    sandbox.edit_flow(flow_sid, enabled=False)

    answer = client.post(f"/flows/{flow_sid}/enabled/", data, headers=OVER_THE_LIST)

    assert "Nothing was sent" in text_of(answer)
    assert answer.context["undo"] is None
    assert "View event" not in text_of(answer)
    assert answer["HX-Trigger"] == "flows-changed"


@pytest.mark.parametrize(
    ("fault", "status", "message"),
    [
        (Fault(FaultKind.REFUSE, method="POST", status=400, code=45212), 422, "Twilio error 45212"),
        (Fault(FaultKind.SERVER_ERROR, method="GET", times=None), 502, "Nothing was sent"),
    ],
    ids=["refused", "not read"],
)
def test_trouble_stays_in_the_dialog_with_what_was_typed(
    client_of, sandbox, flow_sid, fault, status, message
):
    client = client_of("operator")
    _, data = open_dialog(client, flow_sid)
    sandbox.inject(fault)

    answer = client.post(
        f"/flows/{flow_sid}/enabled/", {**data, "reason": "kept words"}, headers=OVER_THE_LIST
    )

    assert answer.status_code == status
    assert "<html" not in text_of(answer)
    assert message in text_of(answer)
    assert 'value="kept words"' in text_of(answer)
    assert "HX-Retarget" not in answer
    assert form_data(answer)["change_id"] != data["change_id"]


def test_switch_held_back_by_another_change_stays_in_the_dialog(
    client_of, sandbox, flow_sid, actor
):
    client = client_of("operator", "ada")
    _, data = open_dialog(client, flow_sid)
    append_stage(
        action="flow.update", stage="attempt", result="pending", actor=actor,
        change_id=uuid.uuid4(), target_sid=flow_sid,
    )  # fmt: skip

    answer = client.post(f"/flows/{flow_sid}/enabled/", data, headers=OVER_THE_LIST)

    assert answer.status_code == 409
    assert "omar is changing it" in text_of(answer)
    assert "<html" not in text_of(answer)


def test_switch_that_can_not_be_put_on_record_stays_in_the_dialog(client_of, flow_sid, monkeypatch):
    client = client_of("operator")
    _, data = open_dialog(client, flow_sid)
    monkeypatch.setattr(AuditPayload, "save", _not_recorded)

    answer = client.post(f"/flows/{flow_sid}/enabled/", data, headers=OVER_THE_LIST)

    assert answer.status_code == 503
    assert "so nothing was sent" in text_of(answer)
    assert "<html" not in text_of(answer)


def test_switch_whose_outcome_is_not_on_record_says_so_in_the_dialog(
    client_of, flow_sid, monkeypatch
):
    client = client_of("operator")
    _, data = open_dialog(client, flow_sid)
    append = audit_log.LogTransaction.append
    monkeypatch.setattr(
        audit_log.LogTransaction,
        "append",
        lambda log, **event_fields: (
            append(log, **event_fields) if event_fields["stage"] == "attempt" else _not_recorded()
        ),
    )

    answer = client.post(f"/flows/{flow_sid}/enabled/", data, headers=OVER_THE_LIST)

    assert answer.status_code == 500
    assert "its outcome couldn't be logged" in text_of(answer)
    assert 'id="dialog-title"' in text_of(answer)
    assert "<html" not in text_of(answer)


def test_unknown_outcome_leads_the_whole_page_to_its_event(client_of, sandbox, flow_sid):
    client = client_of("operator")
    _, data = open_dialog(client, flow_sid)
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))

    answer = client.post(f"/flows/{flow_sid}/enabled/", data, headers=OVER_THE_LIST)

    event = AuditEvent.objects.get(stage="outcome")
    assert (event.result, answer["HX-Redirect"]) == ("unknown", f"/audit/{event.event_id}/")
    assert "Unknown outcome" in text_of(client.get(f"/audit/{event.event_id}/"))


def test_flow_that_is_gone_leads_the_whole_page_to_it(client_of, sandbox, flow_sid):
    client = client_of("operator")
    _, data = open_dialog(client, flow_sid)
    sandbox.remove_flow(flow_sid)

    post_response = client.post(f"/flows/{flow_sid}/enabled/", data, headers=OVER_THE_LIST)
    get_response = client.get(f"/flows/{flow_sid}/enabled/", headers=OVER_THE_LIST)

    assert post_response["HX-Redirect"] == get_response["HX-Redirect"] == f"/flows/{flow_sid}/"
    assert "Showing its last known settings" in text_of(client.get(f"/flows/{flow_sid}/"))


def test_switch_over_a_flows_own_page_brings_that_page_anew(client_of, flow_sid):
    client = client_of("operator")

    answer = switched(client, flow_sid, headers=ON_ITS_PAGE)

    assert answer["HX-Redirect"] == f"/flows/{flow_sid}/"
    assert "Turned off “Réclamations Lyon”. Confirmed by Twilio." in text_of(
        client.get(f"/flows/{flow_sid}/")
    )


def test_toast_shows_a_hostile_name_inert(client_of, sandbox, flow_sid):
    client = client_of("operator")
    sandbox.edit_flow(flow_sid, friendly_name="<script>alert(1)</script>\u202e")

    answer = switched(client, flow_sid)

    assert "<script>" not in answer.content.decode()
    assert "⟨U+202E⟩" in text_of(answer)


def _not_recorded(*_args, **_kwargs):
    raise audit_log.NotRecorded("disk full")
