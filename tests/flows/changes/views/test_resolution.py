"""The page of a change with an unknown outcome: findings, form and decision."""

import re
import uuid

import pytest
from django.contrib.auth.models import Group, User

from flexadmin.models import AccountRole
from flows.audit.models import AuditEvent, OpenChange
from flows.changes import reconcile, unknown_outcomes
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import (
    NEW_FLOW,
    clock_ahead,
    create_flow,
    delete_flow,
    rename_flow,
    switch_flow,
)
from tests.markup import squeezed

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


def text(page):
    return page.content.decode()


def url(event, verb=""):
    return f"/audit/{event.event_id}/" + (f"{verb}/" if verb else "")


def lose(sandbox, act, *arguments, kind=FaultKind.APPLY_THEN_DROP):
    method = "DELETE" if act is delete_flow else "POST"
    sandbox.inject(Fault(kind, method=method, times=4 if act is delete_flow else 1))
    return act(*arguments).event


def refuse(sandbox, status=403, code=20003):
    sandbox.inject(Fault(FaultKind.REFUSE, method="GET", times=None, status=status, code=code))


def decide(client, event, **fields):
    form = client.get(url(event)).context["form"]
    return client.post(url(event, "decide"), {"seen": form["seen"].value(), **fields})


@pytest.fixture
def puzzle(sandbox, flow_sid):
    event = lose(sandbox, rename_flow, flow_sid)
    sandbox.edit_flow(flow_sid, friendly_name="Third")
    assert reconcile.reconcile() == []
    return event


@pytest.fixture
def twins(sandbox, flow_sid):
    event = lose(sandbox, create_flow)
    (created_sid,) = (sid for sid in sandbox.flows if sid != flow_sid)
    requested = {name: value for name, value in NEW_FLOW.items() if value is not None}
    twin = sandbox.add_flow(**requested)
    assert reconcile.reconcile() == []
    return event, created_sid, twin


@pytest.mark.parametrize("fixture_name", ["puzzle", "twins"])
def test_page_that_waits_for_a_decision_reads_nothing(client_of, sandbox, request, fixture_name):
    event = request.getfixturevalue(fixture_name)
    event = event if fixture_name == "puzzle" else event[0]
    read = len(sandbox.requests)

    page = client_of("operator").get(url(event))

    assert page.context["resolution"] == "ambiguous"
    assert "Read from Twilio" in text(page)
    assert len(sandbox.requests) == read


def test_looking_again_reads_once(client_of, sandbox, puzzle, flow_sid):
    sandbox.edit_flow(flow_sid, friendly_name="Fourth")
    read = len(sandbox.requests)

    page = client_of("operator").post(url(puzzle, "reconcile"), headers=HTMX)

    assert len(sandbox.requests) - read == 1
    assert "Fourth" in text(page)
    assert "Third" not in text(page)


def test_decision_reads_nothing_that_was_read_before(client_of, sandbox, puzzle):
    client = client_of("operator")
    read = len(sandbox.requests)

    assert decide(client, puzzle, verdict="applied", reason="x").status_code == 302
    client.get(url(puzzle))

    assert len(sandbox.requests) == read


@pytest.mark.parametrize("stage", ["attempt", "outcome", "reconciled"])
def test_every_page_of_a_decided_change_says_how_the_decider_knew(client_of, puzzle, stage):
    decide(
        client_of("operator", name="ada"),
        puzzle,
        verdict="applied",
        reason="Twilio support, ticket 4711",
    )

    page = text(
        client_of("viewer").get(
            url(AuditEvent.objects.get(change_id=puzzle.change_id, stage=stage))
        )
    )

    assert "Marked as applied by<bdi>ada</bdi>(operator)" in squeezed(page)
    assert "Twilio support, ticket 4711" in page
    assert unknown_outcomes.THIRD_VALUE.format(noun="flow") in page
    assert "Third" in page  # Twilio's state at decision time


def test_what_was_known_stays_as_it_was_then(client_of, sandbox, puzzle, flow_sid):
    decide(client_of("operator"), puzzle, verdict="not_applied", reason="x")
    sandbox.edit_flow(flow_sid, friendly_name="Much later")
    read = len(sandbox.requests)

    page = client_of("viewer").get(url(puzzle))

    assert "Marked as not applied" in text(page)
    assert "Third" in text(page)
    assert "Much later" not in text(page)
    assert len(sandbox.requests) == read


def test_candidates_keep_their_order_whatever_a_database_does_to_keys(client_of, twins):
    event, created_sid, twin = twins
    candidates = sorted([created_sid, twin], reverse=True)  # PostgreSQL sorts an object's keys
    OpenChange.objects.update(candidates=candidates)
    client = client_of("operator")

    page = client.get(url(event))
    decide(client, event, verdict=twin, reason="The Console's log")
    decided_page = client.get(url(event))

    assert [column["title"] for column in page.context["columns"]] == candidates
    columns = decided_page.context["resolved"]["columns"]
    assert [column["title"] for column in columns] == candidates


def test_decision_on_a_creation_names_the_other_candidates(client_of, twins):
    event, created_sid, twin = twins
    decide(client_of("operator"), event, verdict=created_sid, reason="The Console's log")

    page = client_of("viewer").get(url(event))

    assert unknown_outcomes.MULTIPLE_MATCHES.format(noun="flow") in text(page)
    assert page.context["resolved"]["other_candidates"] == [twin]
    assert {column["title"] for column in page.context["resolved"]["columns"]} == {
        created_sid,
        twin,
    }


def test_decision_of_before_says_at_least_how_the_decider_knew(client_of, puzzle):
    """As earlier versions of this dashboard recorded it."""
    decide(client_of("operator"), puzzle, verdict="applied", reason="I saw it")
    event = AuditEvent.objects.get(stage="reconciled")
    event.payload.findings = None
    event.payload.save()

    page = text(client_of("viewer").get(url(puzzle)))

    assert "I saw it" in page
    assert unknown_outcomes.THIRD_VALUE.format(noun="flow") in page


@pytest.mark.parametrize("act", [rename_flow, switch_flow, delete_flow])
def test_refused_reading_offers_the_decision_at_once(client_of, sandbox, flow_sid, act):
    event = lose(sandbox, act, flow_sid, kind=FaultKind.DROP)
    refuse(sandbox)
    client = client_of("operator")

    page = client.post(url(event, "reconcile"), headers=HTMX)

    assert page.context["resolution"] == "ambiguous"
    assert "Twilio refuses to show the flow (status 403, code 20003)." in text(page)
    assert (
        decide(client, event, verdict="not_applied", reason="Seen in the Console").status_code
        == 302
    )
    assert not OpenChange.objects.exists()


def test_lost_creation_is_decided_by_its_sid_while_the_listing_is_refused(
    client_of, sandbox, flow_sid
):
    event = lose(sandbox, create_flow)
    (created_sid,) = (sid for sid in sandbox.flows if sid != flow_sid)
    refuse(sandbox)
    client = client_of("operator")
    client.post(url(event, "reconcile"))

    for sid, sentence in (
        ("", "Enter the SID"),
        ("FO12", "“FO12” is not a Flex Flow SID"),
        (flow_sid, "existed before"),
    ):
        answer = decide(client, event, verdict="applied", sid=sid, reason="My reason")
        assert answer.status_code == 422
        assert sentence in answer.context["form"].errors["sid"][0]
        assert "My reason" in text(answer)
    assert (
        decide(client, event, verdict="applied", sid=created_sid, reason="The Console").status_code
        == 302
    )
    assert AuditEvent.objects.get(stage="reconciled").target_sid == created_sid
    assert "The flow could not be read from Twilio." in text(client.get(url(event)))


def test_decision_on_what_was_read_since_is_looked_at_first(client_of, sandbox, puzzle, flow_sid):
    client = client_of("operator")
    findings_token = client.get(url(puzzle)).context["form"]["seen"].value()
    sandbox.edit_flow(flow_sid, friendly_name="Fourth")
    client.post(url(puzzle, "reconcile"))

    answer = client.post(
        url(puzzle, "decide"), {"verdict": "applied", "reason": "x", "seen": findings_token}
    )

    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"seen"}


def test_unknown_outcome_is_told_once_with_its_code(client_of, sandbox, flow_sid):
    event = lose(sandbox, rename_flow, flow_sid)
    AuditEvent.objects.filter(pk=event.pk).exists()

    page = text(client_of("operator").get(url(event)))

    assert page.count("onnection to Twilio was lost") == 1
    assert "Unknown outcome" in page


def test_list_says_which_changes_need_a_decision_while_reading_is_refused(
    client_of, sandbox, flow_sid
):
    lose(sandbox, rename_flow, flow_sid)
    refuse(sandbox)
    client_of("operator").post("/flows/sync/")

    assert "needs your decision" in text(client_of("operator").get("/flows/"))
    assert "needs a decision" in text(client_of("viewer").get("/flows/"))


def test_decision_is_not_asked_of_users_of_other_accounts(client_of, sandbox, staging, flow_sid):
    lose(sandbox, rename_flow, flow_sid)
    refuse(sandbox)
    client_of("operator").post("/flows/sync/")
    nina = client_of("operator", "nina", staging.account_sid)
    AccountRole.objects.create(
        person=User.objects.get(username="nina"),
        account_sid=ACCOUNT,
        role=Group.objects.get(name="viewer"),
    )

    for client, words in ((nina, "a decision"), (client_of("operator"), "your decision")):
        assert f"needs {words}" in text(client.get("/flows/"))
        assert f"1 change needs {words}" in text(client.get("/"))


class TestHeading:
    """A flow with an unknown outcome: its page has one source, and names it."""

    def test_live_values_have_a_live_name(self, client_of, sandbox, flow_sid):
        lose(sandbox, rename_flow, flow_sid)
        sandbox.edit_flow(flow_sid, contact_identity="+33199000777", enabled=False)
        assert Flow.objects.get().friendly_name == "Réclamations Lyon"

        page = client_of("viewer").get(f"/flows/{flow_sid}/")

        assert page.context["state"] == "live"
        assert '<h1 dir="auto">Plaintes Lyon</h1>' in text(page)
        assert "Réclamations Lyon" not in text(page).partition("History")[0].partition("<main")[2]
        assert "+33199000123" not in text(page).partition("<main")[2].partition("History")[0]
        assert '<span class="status off">Off</span>' in text(page)

    def test_cached_values_have_a_cached_name_and_the_time_they_are_from(
        self, client_of, sandbox, flow_sid
    ):
        lose(sandbox, rename_flow, flow_sid)
        with clock_ahead(10):
            sync_account(ACCOUNT)  # it sees the new name, and can't take it over yet
        sandbox.inject(Fault(FaultKind.SERVER_ERROR, method="GET", times=None))

        page = client_of("viewer").get(f"/flows/{flow_sid}/")

        assert page.context["state"] == "copy"
        assert '<h1 dir="auto">Réclamations Lyon</h1>' in text(page)
        assert page.context["confirmed_at"] == Flow.objects.get().mirrored_at

    def test_flow_that_is_gone_is_not_shown_as_on(self, client_of, sandbox, flow_sid):
        lose(sandbox, delete_flow, flow_sid)
        assert Flow.objects.get().gone_at is None

        page = client_of("viewer").get(f"/flows/{flow_sid}/")

        assert page.context["state"] == "gone"
        assert '<span class="status on">' not in text(page)

    @pytest.mark.parametrize("path", ["edit/", "review"])
    def test_edit_form_and_review_name_the_flow_as_it_was_read(
        self, client_of, sandbox, flow_sid, path
    ):
        from tests.conftest import form_data

        lose(sandbox, rename_flow, flow_sid)
        client = client_of("operator")
        page = client.get(f"/flows/{flow_sid}/edit/")
        if path == "review":
            data = {**form_data(page), "integration_retry_count": "1", "review": "1"}
            page = client.post(f"/flows/{flow_sid}/edit/", data)

        assert "Plaintes Lyon" in text(page)
        assert "Réclamations Lyon" not in text(page)
        assert uuid.UUID(str(page.context["form"]["change_id"].value()))


def test_error_summary_links_to_the_choice_and_then_the_explanation(client_of, puzzle):
    page = decide(client_of("operator"), puzzle)

    html = page.content.decode()
    linked_ids = re.findall(r'<a href="#(decide_\w+)"', html)
    assert linked_ids == ["decide_verdict", "decide_reason"]
    assert all(f' id="{field_id}"' in html for field_id in linked_ids)
