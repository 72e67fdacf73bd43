"""An invalid query of the log is reported on the page and matches nothing."""

import re
import uuid

import pytest

from flows.audit import audit_log
from flows.audit.audit_log import Actor, Payload
from flows.audit.log_query import MAX_QUERY_LENGTH, MAX_TERMS
from flows.audit.models import AuditEvent
from flows.plans.models import Plan
from tests.markup import squeezed

pytestmark = pytest.mark.django_db

SID = "FO" + "1" * 32


@pytest.fixture
def log(db):
    """Log two events of one day and one user."""
    for name in ("One", "Two"):
        audit_log.append(
            action="flow.update", stage="outcome", result="succeeded", actor=Actor(id="1", label="omar"),
            target_sid=SID, payload=Payload(friendly_name=name),
        )  # fmt: skip


INVALID_VALUES = [
    ("action", "flow.teleport", "No such action: flow.teleport."),
    ("result", "fine", "No such result: fine."),
    ("actor", "nobody", "No such user in the log: nobody."),
    ("sid", "FO12", "No such flow in the log: FO12."),
    ("account", "staging", "No such account: staging."),
    ("account", "AC" + "9" * 32, f"No such account: AC{'9' * 32}."),
    ("from", "yesterday", "No such day: yesterday"),
    ("to", "2026-02-30", "No such day: 2026-02-30"),
    ("plan", "7", "No such bulk change: 7."),
    ("plan", str(uuid.UUID(int=9)), f"No such bulk change: {uuid.UUID(int=9)}."),
    ("before", "²", "Not an event number: ²."),
    ("before", "0", "Not an event number: 0."),
    ("before", "-1", "Not an event number: -1."),
    ("before", "9" * 30, "Not an event number: 9"),
    ("actr", "omar", "No such filter: actr."),
    (
        "q",
        "x" * (MAX_QUERY_LENGTH + 1),
        f"The search is too long: {MAX_QUERY_LENGTH + 1} characters, at most {MAX_QUERY_LENGTH}.",
    ),
    ("q", "\u200b", "The search has no visible characters."),
    (
        "q",
        " ".join(f"word{number}" for number in range(MAX_TERMS + 1)),
        "The search has too many words: 17",
    ),
    ("actor", "om\x00ar", "Not valid text"),
]


@pytest.mark.parametrize(("name", "value", "message"), INVALID_VALUES)
def test_invalid_value_is_reported_and_matches_nothing(client_of, log, name, value, message):
    client = client_of("viewer")

    page = client.get("/audit/", {name: value})

    assert page.context["events"] == []
    assert message in page.content.decode()
    (chip,) = page.context["chips"] or [{"label": value, "remove_url": "?"}]
    assert client.get("/audit/" + chip["remove_url"]).context["events"]


@pytest.mark.parametrize(("name", "value", "message"), INVALID_VALUES)
def test_invalid_value_with_valid_ones_matches_nothing(client_of, log, name, value, message):
    page = client_of("viewer").get(
        "/audit/", {"result": "succeeded", "action": "flow.update", name: value}
    )

    assert page.context["events"] == []
    assert message in page.content.decode()


def test_days_in_the_wrong_order_are_reported_and_match_nothing(client_of, log):
    page = client_of("viewer").get("/audit/?from=2026-11-20&to=2026-11-19")

    assert page.context["events"] == []
    assert "“From” (2026-11-20) is after “to” (2026-11-19)." in page.content.decode()
    assert len(page.context["chips"]) == 2


def test_two_values_of_one_filter_are_reported(client_of, log):
    page = client_of("viewer").get("/audit/?actor=omar&actor=ada")

    assert page.context["events"] == []
    assert "More than one value for “actor”: omar, ada." in page.content.decode()


def test_invalid_value_stays_in_the_form(client_of, log):
    page = (
        client_of("viewer")
        .get("/audit/?action=flow.teleport&result=fine&from=yesterday")
        .content.decode()
    )

    assert '<option value="flow.teleport" selected>' in page
    assert '<option value="fine" selected>' in page
    assert '<input type="text" id="from" name="from" value="yesterday"' in squeezed(page)


def test_empty_values_of_the_form_are_no_filters(client_of, log):
    names = ("q", "actor", "action", "result", "from", "to")

    page = client_of("viewer").get("/audit/", {**dict.fromkeys(names, ""), "sid": " "})

    assert len(page.context["events"]) == 2
    assert page.context["chips"] == []


def test_repeated_words_of_a_search_count_once(client_of, log, django_assert_max_num_queries):
    client = client_of("viewer")
    with django_assert_max_num_queries(20):
        page = client.get("/audit/", {"q": "omar one " * 28})

    assert [event.payload.friendly_name for event in page.context["events"]] == ["One"]


def test_action_of_another_version_is_shown_and_can_be_filtered(client_of, log):
    audit_log.append(
        action="flow.teleport", stage="access", result="denied", actor=Actor(id="1", label="omar")
    )
    client = client_of("viewer")

    page = client.get("/audit/?action=flow.teleport")

    assert [event.action for event in page.context["events"]] == ["flow.teleport"]
    assert ("flow.teleport", "flow.teleport") in page.context["choices"]["action"]
    assert "No such action" not in page.content.decode()
    assert client.get("/audit/?action=flow.decide").context["events"] == []
    assert "No such action" not in client.get("/audit/?action=flow.decide").content.decode()


def test_export_of_an_invalid_query_is_refused(client_of, log):
    client = client_of("auditor")

    page = client.get("/audit/export/?action=flow.teleport&from=yesterday")
    answer = client.post("/audit/export/", {"what": "shown", "action": "flow.teleport"})

    assert page.status_code == 200
    assert "No such action: flow.teleport." in page.content.decode()
    assert re.search(r'id="from"\s+name="from"\s+value="yesterday"', page.content.decode())
    assert answer.status_code == 422
    assert not AuditEvent.objects.filter(action="audit.export").exists()
    assert (
        client.post("/audit/export/", {"what": "all", "action": "flow.teleport"}).status_code == 200
    )


def test_export_with_an_unknown_filter_does_not_default_to_the_whole_log(client_of, log):
    page = client_of("auditor").get("/audit/export/?actr=omar")

    assert page.context["has_every_event"] is False
    assert "No such filter: actr." in page.content.decode()
    assert (
        client_of("auditor").post("/audit/export/", {"what": "shown", "actr": "omar"}).status_code
        == 422
    )


def test_bulk_change_without_events_is_valid(client_of, log):
    plan = Plan.objects.create(title="Rename", created_at="2026-11-01T00:00:00Z", created_by="omar")

    page = client_of("viewer").get("/audit/", {"plan": str(plan.pk).upper()})

    assert "No events match" in page.content.decode()
    assert [chip["label"] for chip in page.context["chips"]] == ["Bulk change: Rename"]
