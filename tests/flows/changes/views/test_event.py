"""The page of one event: its outcome, checking again, and a user's decision."""

import uuid
from datetime import timedelta
from unittest import mock

import pytest
from django.utils import timezone

from flows.audit import audit_log
from flows.audit.models import AuditEvent, OpenChange
from flows.changes import flow_changes, in_flight, reconcile
from flows.mirror.sync import sync_account
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import append_stage

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
NEW = {
    "friendly_name": "Campagne",
    "channel_type": "sms",
    "contact_identity": "+33199000100",
    "chat_service_sid": "IS" + "1" * 32,
    "integration_type": "external",
    "integration_url": "https://hooks.example.com/in",
}


def later(minutes=2):
    return mock.patch(
        "django.utils.timezone.now", return_value=timezone.now() + timedelta(minutes=minutes)
    )


def lose(sandbox, actor, sid="", fault=FaultKind.APPLY_THEN_DROP, **values):
    """Lose the response to a change and return its event."""
    sandbox.inject(Fault(fault, method="POST"))
    common = {"reason": "", "actor": actor, "change_id": uuid.uuid4()}
    if sid:
        values = values or {"friendly_name": "New"}
        return flow_changes.update_flow(
            sid=sid, account_sid=ACCOUNT, base=None, values=values, **common
        ).event
    return flow_changes.create_flow(account_sid=ACCOUNT, values={**NEW, **values}, **common).event


def url(event, verb=""):
    return f"/audit/{event.event_id}/" + (f"{verb}/" if verb else "")


def text(page):
    return page.content.decode()


def decide(client, event, **fields):
    """Submit the form for a decision as the page has it."""
    form = client.get(url(event)).context.get("form")
    address = url(event, "decide")
    return client.post(address, {"seen": form["seen"].value() if form else "", **fields})


@pytest.fixture
def puzzle(sandbox, flow_sid, actor):
    """An ambiguous update: someone else has changed the field since."""
    event = lose(sandbox, actor, flow_sid)
    sandbox.edit_flow(flow_sid, friendly_name="Third")
    assert reconcile.reconcile() == []
    return event


@pytest.fixture
def twins(sandbox, actor, db):
    """An ambiguous creation, with two flows that it may have created."""
    sync_account(ACCOUNT)
    event = lose(sandbox, actor)
    (created_sid,) = sandbox.flows
    other = sandbox.add_flow(**NEW, enabled=True)
    assert reconcile.reconcile() == []
    return event, created_sid, other


def test_page_in_doubt_finds_out_by_looking(client_of, sandbox, flow_sid, actor):
    event = lose(sandbox, actor, flow_sid)
    client = client_of("viewer")
    before = client.get(url(event))
    assert before.context["resolution"] == "unknown"
    writes = [request for request in sandbox.requests if request.method != "GET"]

    answer = client.post(url(event, "reconcile"), headers=HTMX)

    assert answer.status_code == 200
    assert answer.context["resolution"] == ""
    assert answer.context["latest"].result == "applied"
    assert [request for request in sandbox.requests if request.method != "GET"] == writes


def test_without_javascript_the_button_leads_back_to_the_answer(
    client_of, sandbox, flow_sid, actor
):
    event = lose(sandbox, actor, flow_sid)

    answer = client_of("viewer").post(url(event, "reconcile"), follow=True)

    assert answer.redirect_chain == [(url(event), 302)]
    assert "Applied · confirmed later" in text(answer)


def test_page_says_that_a_second_read_is_needed_and_then_the_answer(
    client_of, sandbox, flow_sid, actor
):
    event = lose(sandbox, actor, flow_sid, FaultKind.DROP)
    client = client_of("viewer")

    assert "A first check" in text(client.post(url(event, "reconcile"), headers=HTMX))
    with later():
        answer = client.post(url(event, "reconcile"), headers=HTMX)

    assert answer.context["latest"].result == "not_applied"


def test_page_says_that_twilio_could_not_be_read(client_of, sandbox, flow_sid, actor):
    event = lose(sandbox, actor, flow_sid)
    sandbox.inject(Fault(FaultKind.SERVER_ERROR, method="GET", times=None))

    answer = client_of("viewer").post(url(event, "reconcile"), headers=HTMX)
    plain = client_of("viewer").post(url(event, "reconcile"), follow=True)

    assert answer.context["resolution"] == "unknown"
    assert "Couldn&#x27;t read from Twilio" in text(answer)
    assert "Couldn&#x27;t read from Twilio" in text(plain)


def test_change_under_way_is_not_looked_at(client_of, sandbox, flow_sid, actor):
    event = append_stage(
        action="flow.update", stage="attempt", result="pending", actor=actor, change_id=uuid.uuid4(),
        target_sid=flow_sid,
    )  # fmt: skip
    read = len(sandbox.requests)
    client = client_of("viewer")

    assert client.get(url(event)).context["resolution"] == "in_progress"
    client.post(url(event, "reconcile"), headers=HTMX)
    assert len(sandbox.requests) == read
    with later():
        assert client.get(url(event)).context["resolution"] == "unknown"


def test_settled_change_is_not_looked_at_again(client_of, sandbox, flow_sid, actor):
    event = flow_changes.set_enabled(
        sid=flow_sid,
        account_sid=ACCOUNT,
        enabled=False,
        reason="",
        actor=actor,
        change_id=uuid.uuid4(),
    ).event
    read = len(sandbox.requests)

    assert (
        client_of("viewer").post(url(event, "reconcile"), headers=HTMX).context["resolution"] == ""
    )
    assert len(sandbox.requests) == read


def test_puzzle_shows_what_is_there_beside_what_was_asked_for(client_of, puzzle):
    page = client_of("operator").get(url(puzzle))

    assert page.context["resolution"] == "ambiguous"
    (row,) = page.context["requested_rows"]
    assert (row["requested"], [cell["value"] for cell in row["cells"]]) == (
        "New",
        ["Réclamations Lyon", "Third"],
    )


def test_puzzle_is_not_decided_by_those_who_may_not_change(client_of, puzzle, role):
    may = role in ("operator", "admin")
    client = client_of(role)

    assert (client.get(url(puzzle)).context["form"] is not None) == may
    answer = decide(client, puzzle, verdict="applied", reason="I saw it")

    assert answer.status_code == (302 if may else 403)
    assert OpenChange.objects.exists() != may


@pytest.mark.parametrize("verdict", ["applied", "not_applied"])
def test_decision_is_on_record_as_the_persons(client_of, puzzle, flow_sid, verdict):
    decide(
        client_of("operator", name="ada"),
        puzzle,
        verdict=verdict,
        reason="Seen in the Console's log",
    )

    event = AuditEvent.objects.get(stage="reconciled")
    assert (event.result, event.actor_label, event.change_id) == (verdict, "ada", puzzle.change_id)
    assert event.reason == "Seen in the Console's log"
    assert in_flight.open_changes_by_flow([flow_sid]) == {}


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"verdict": "applied"}, "reason"),
        ({"reason": "x"}, "verdict"),
        ({"verdict": "FO", "reason": "x"}, "verdict"),
    ],
    ids=["no reason", "no verdict", "made up"],
)
def test_decision_with_errors_is_shown_again(client_of, puzzle, data, field):
    answer = decide(client_of("operator"), puzzle, **data)

    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {field}
    assert OpenChange.objects.exists()


def test_decision_on_what_was_settled_meanwhile(client_of, puzzle, actor):
    client = client_of("operator")
    reconcile.resolve_manually(
        change=OpenChange.objects.get(), applied=True, reason="", actor=actor
    )

    assert decide(client, puzzle, verdict="applied", reason="x").status_code == 404
    assert AuditEvent.objects.filter(stage="reconciled").count() == 1


def test_creation_with_two_candidates_is_decided_by_a_person(client_of, twins):
    event, created_sid, other = twins
    client = client_of("operator")
    page = client.get(url(event))
    assert {value for value, _ in page.context["form"].fields["verdict"].choices} == {
        created_sid,
        other,
        "not_applied",
    }
    assert [
        column["title"] for column in page.context["columns"]
    ] == OpenChange.objects.get().candidates

    decide(client, event, verdict=other, reason="The first is the Console's")

    settled = AuditEvent.objects.get(stage="reconciled")
    assert (settled.result, settled.target_sid) == ("applied", other)
    sync_account(ACCOUNT)
    drift = AuditEvent.objects.get(action="flow.drift")
    assert (drift.target_sid, drift.payload.before) == (created_sid, None)


def test_list_names_what_is_in_doubt(client_of, twins):
    page = client_of("viewer").get("/flows/")

    assert [str(change.action) for change in page.context["unresolved_changes"]] == ["flow.create"]
    assert "Campagne" in text(page)
    assert "needs a decision" in text(page)


def test_flow_in_doubt_offers_no_change(client_of, sandbox, flow_sid, actor):
    client = client_of("operator")
    assert f"/flows/{flow_sid}/edit/" in text(client.get(f"/flows/{flow_sid}/"))
    lose(sandbox, actor, flow_sid)

    assert f"/flows/{flow_sid}/edit/" not in text(client.get(f"/flows/{flow_sid}/"))
    assert f"/flows/{flow_sid}/edit/" not in text(client.get("/flows/"))


def test_creation_like_one_in_doubt_is_held_back_with_what_was_typed(client_of, sandbox, twins):
    writes = len([request for request in sandbox.requests if request.method != "GET"])
    form = {**NEW, "friendly_name": "Another", "change_id": uuid.uuid4(), "enabled": "false"}

    answer = client_of("operator").post("/flows/new/", form)

    assert answer.status_code == 409
    assert "A similar flow is still being created" in text(answer)
    assert answer.context["form"]["friendly_name"].value() == "Another"
    assert len([request for request in sandbox.requests if request.method != "GET"]) == writes


def test_word_on_what_the_person_did_not_see_is_not_taken(client_of, sandbox, twins):
    event, created_sid, _ = twins
    client = client_of("operator")
    old = client.get(url(event)).context["form"]["seen"].value()
    sandbox.add_flow(**NEW, enabled=True)
    reconcile.reconcile()

    answer = client.post(
        url(event, "decide"), {"verdict": "not_applied", "reason": "x", "seen": old}
    )

    assert (answer.status_code, set(answer.context["form"].errors)) == (422, {"seen"})
    assert OpenChange.objects.exists()
    second_try = {
        "verdict": created_sid,
        "reason": "x",
        "seen": answer.context["form"]["seen"].value(),
    }
    assert client.post(url(event, "decide"), second_try).status_code == 302


def test_event_of_no_flow_says_what_it_was_about(client_of, db, actor):
    event = audit_log.append(
        action="audit.verify", stage="access", result="succeeded", actor=actor,
        payload=audit_log.Payload(after={"through": 7, "fault": "<b>"}),
    )  # fmt: skip

    page = client_of("auditor").get(url(event))

    assert page.context["recorded_values"] == {"through": 7, "fault": "<b>"}
    assert "&lt;b&gt;" in text(page)
    assert "This event has no fields" not in text(page)
