"""The log's list has one row for each change, with the outcome that is known now."""

import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
from django.utils import timezone

from flows.flexapi.sandbox import Fault, FaultKind
from flows.models import AuditEntry, AuditEvent
from flows.services import audit, changes, mirror, reconcile
from flows.services.audit import Actor
from tests import ACCOUNT
from tests.markup import squeezed

pytestmark = pytest.mark.django_db

OMAR = Actor(id="1", label="omar", role="operator")
SID = "FO" + "1" * 32


def stage(change_id, name, result, actor=OMAR, **values):
    """Put a stage of a change on record."""
    said = {"action": "flow.update", "target_sid": SID, "changed_fields": ["friendly_name"], **values}
    return audit.append(change_id=change_id, stage=name, result=result, actor=actor, **said)


def history(*stages, **values):
    """Put a change on record, as (stage, result) each; its events."""
    change_id = uuid.uuid4()
    return [stage(change_id, name, result, **values) for name, result in stages]


ATTEMPT, LOST = ("attempt", "pending"), ("outcome", "unknown")
APPLIED, NOT_APPLIED = ("reconciled", "applied"), ("reconciled", "not_applied")


def seqs(page):
    return [event.seq for event in page.context["events"]]


def text(page):
    return re.sub(r"\s+", " ", page.content.decode())


def lose(sandbox, sid, actor):
    """Rename a flow; the answer is lost."""
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    values = {"friendly_name": "New"}
    change_id = uuid.uuid4()
    return changes.update_flow(
        sid=sid, base=None, values=values, reason="Why", actor=actor, change_id=change_id
    ).event


def test_lost_answer_that_is_resolved_is_one_row_with_its_outcome(client_of, sandbox, flow_sid, actor):
    client = client_of("viewer")
    lost = lose(sandbox, flow_sid, actor)
    assert seqs(client.get("/audit/?result=unresolved")) == [lost.seq]
    assert "Unknown outcome" in text(client.get("/audit/?result=unresolved"))

    (resolved,) = reconcile.reconcile()

    page = client.get("/audit/")
    assert seqs(page) == [resolved.seq]
    assert "Applied · confirmed later" in text(page)
    assert '<span class="status doubt">' not in text(page)
    assert seqs(client.get("/audit/?result=unresolved")) == []
    assert seqs(client.get("/audit/?result=unknown")) == []
    assert seqs(client.get("/audit/?result=resolved_later")) == [resolved.seq]


def test_row_of_a_resolved_change_names_who_made_it_when_and_why(client_of, sandbox, flow_sid, actor):
    lost = lose(sandbox, flow_sid, actor)
    with mock.patch("django.utils.timezone.now", return_value=timezone.now() + timedelta(days=2)):
        reconcile.reconcile()

    (entry,) = client_of("viewer").get("/audit/").context["events"]
    page = text(client_of("viewer").get("/audit/"))

    assert entry.entry.start.at < lost.at
    assert f"{entry.entry.start.at:%Y-%m-%d %H:%M:%SZ}" in page
    assert "omar" in page
    assert "Why" in page


@pytest.mark.parametrize(
    ("stages", "shown", "filters"),
    [
        ([ATTEMPT], 0, {"pending", "unresolved"}),
        ([ATTEMPT, LOST], 1, {"unknown", "unresolved"}),
        ([ATTEMPT, ("outcome", "succeeded")], 1, {"succeeded"}),
        ([ATTEMPT, ("outcome", "failed")], 1, {"failed"}),
        ([("outcome", "conflict")], 0, {"conflict"}),
        ([ATTEMPT, LOST, APPLIED], 2, {"applied", "resolved_later"}),
        ([ATTEMPT, LOST, NOT_APPLIED], 2, {"not_applied", "resolved_later"}),
        ([ATTEMPT, APPLIED], 1, {"applied", "resolved_later"}),
        ([ATTEMPT, APPLIED, LOST], 1, {"applied", "resolved_later"}),  # the answer's loss is told last
        ([ATTEMPT, NOT_APPLIED, ("outcome", "succeeded")], 2, {"succeeded", "resolved_later"}),
    ],
)
def test_each_history_is_one_row_and_found_by_its_present_result(client_of, stages, shown, filters):
    events = history(*stages)
    client = client_of("viewer")

    assert seqs(client.get("/audit/")) == [events[shown].seq]
    results = [value for value, _ in client.get("/audit/").context["choices"]["result"]]
    assert {result for result in results if seqs(client.get("/audit/", {"result": result}))} == filters


def test_attempt_whose_process_died_has_an_unknown_outcome(client_of):
    (attempt,) = history(ATTEMPT)
    client = client_of("viewer")
    assert "In progress" in text(client.get("/audit/"))
    assert seqs(client.get("/audit/?result=unknown")) == []

    with mock.patch("django.utils.timezone.now", return_value=timezone.now() + timedelta(hours=1)):
        page = client.get("/audit/?result=unknown")
        pending = client.get("/audit/?result=pending")

    assert seqs(page) == seqs(pending) == [attempt.seq]
    assert "Unknown outcome</span>" in text(page)
    assert "In progress" not in text(page)


def test_change_that_is_resolved_while_somebody_pages_is_neither_missed_nor_shown_twice(client_of):
    attempt, _ = history(ATTEMPT, LOST)
    for _ in range(60):
        audit.append(action="flow.export", stage="access", result="succeeded", actor=OMAR)
    client = client_of("viewer")
    first = client.get("/audit/")

    resolved = stage(attempt.change_id, *APPLIED)
    second = client.get("/audit/" + first.context["older_url"])

    assert len(seqs(first)) == 50
    assert resolved.seq in seqs(second)
    seen = [event.entry.pk for page in (first, second) for event in page.context["events"]]
    assert len(seen) == len(set(seen)) == AuditEntry.objects.count()


def test_change_belongs_to_the_day_it_was_begun(client_of):
    change_id = uuid.uuid4()
    for day, (name, result) in zip((20, 21, 22), (ATTEMPT, LOST, APPLIED), strict=True):
        with mock.patch("django.utils.timezone.now", return_value=datetime(2026, 11, day, 12, tzinfo=UTC)):
            last = stage(change_id, name, result)
    client = client_of("viewer")

    found = {
        day: seqs(client.get("/audit/", {"from": f"2026-11-{day}", "to": f"2026-11-{day}"}))
        for day in (20, 21, 22)
    }

    assert found == {20: [last.seq], 21: [], 22: []}


def test_person_has_the_changes_that_were_made_and_those_that_were_resolved(client_of):
    ada = Actor(id="2", label="ada", role="admin")
    (attempt, _) = history(ATTEMPT, LOST)
    decided = stage(attempt.change_id, "reconciled", "applied", ada)
    client = client_of("viewer")

    page = client.get("/audit/?actor=ada")

    assert seqs(page) == seqs(client.get("/audit/?actor=omar")) == [decided.seq]
    assert {"ada", "omar"} <= {name for name, _ in page.context["choices"]["actor"]}
    assert seqs(client.get("/audit/", {"actor": "ada", "sid": SID})) == [decided.seq]
    assert seqs(client.get("/audit/", {"actor": "ada", "account": ACCOUNT})) == [decided.seq]


def test_export_of_what_the_page_shows_has_each_change_once(client_of):
    _, lost, resolved = history(ATTEMPT, LOST, APPLIED)
    _, open_outcome = history(ATTEMPT, LOST)
    client = client_of("auditor")

    def exported(**asked):
        file = client.post("/audit/export/", {"what": "shown", "format": "ndjson", **asked})
        return [json.loads(line) for line in b"".join(file.streaming_content).splitlines()]

    assert [line["seq"] for line in exported()][:2] == [resolved.seq, open_outcome.seq]
    assert [line["seq"] for line in exported(result="unresolved")] == [open_outcome.seq]
    assert [line["seq"] for line in exported(result="resolved_later")] == [resolved.seq]
    assert lost.seq in [line["seq"] for line in exported(what="all")]


def test_older_event_of_a_change_still_has_its_page_which_says_the_present_outcome(client_of):
    attempt, lost, resolved = history(ATTEMPT, LOST, APPLIED)
    client = client_of("viewer")
    for event in (attempt, lost):
        page = client.get(f"/audit/{event.event_id}/")

        assert page.context["latest"] == resolved
        heading = re.search(r'<p class="sub">.*?</span>', page.content.decode(), re.DOTALL)
        assert "Marked as applied" in heading[0]


def test_neighbours_are_the_rows_before_and_after(client_of):
    history(ATTEMPT, ("outcome", "succeeded"))
    first = AuditEvent.objects.get(seq=2)
    attempt, lost, resolved = history(ATTEMPT, LOST, APPLIED)
    (last,) = history(("outcome", "conflict"))
    client = client_of("viewer")

    for event in (attempt, lost, resolved):
        page = client.get(f"/audit/{event.event_id}/")
        assert (page.context["previous"], page.context["next"]) == (first, last)
    assert client.get(f"/audit/{first.event_id}/").context["next"] == resolved


def test_history_on_a_flows_page_has_the_change_once_too(client_of, sandbox, flow_sid, actor):
    lose(sandbox, flow_sid, actor)
    (resolved,) = reconcile.reconcile()

    page = client_of("viewer").get(f"/flows/{flow_sid}/")

    assert [event for event in page.context["history"] if event.action == "flow.update"] == [resolved]
    assert "Unknown outcome" not in text(page)
    assert "Why" in text(page)


def test_what_was_found_at_twilio_is_a_row_each(client_of, sandbox, flow_sid):
    for name in ("One", "Two"):
        sandbox.edit_flow(flow_sid, friendly_name=name)
        mirror.sync(ACCOUNT)

    page = client_of("viewer").get("/audit/?action=flow.drift")

    assert len(seqs(page)) == 2
    assert "External" in text(page)
    assert "Outside this dashboard" in text(page)


def test_decision_that_waits_is_named_to_who_may_decide(client_of, sandbox, flow_sid, actor):
    lose(sandbox, flow_sid, actor)
    sandbox.edit_flow(flow_sid, friendly_name="Third")
    assert reconcile.reconcile() == []

    assert "Needs your decision" in text(client_of("operator").get("/audit/"))
    seen = text(client_of("viewer").get("/audit/"))
    assert "Needs your decision" not in seen
    assert "Unknown outcome" in seen


def test_count_says_whether_there_are_older_events(client_of):
    client = client_of("viewer")
    for number, expected in ((1, "1 event<"), (49, "50 events<"), (1, "Latest 50 events<")):
        for _ in range(number):
            audit.append(action="flow.export", stage="access", result="succeeded", actor=OMAR)
        assert f'<p id="count">{expected}' in squeezed(text(client.get("/audit/")))
    older = client.get("/audit/" + client.get("/audit/").context["older_url"])
    assert '<p id="count">1 older event<' in squeezed(text(older))
