"""The log's list has one row for each change, with its current outcome."""

import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
from django.utils import timezone

from flows.audit import audit_log
from flows.audit.audit_log import Actor
from flows.audit.models import AuditEntry, AuditEvent, AuditPayload
from flows.changes import flow_changes, reconcile
from flows.mirror.sync import sync_account
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import append_stage
from tests.markup import squeezed

pytestmark = pytest.mark.django_db

OMAR = Actor(id="1", label="omar", role="operator")
SID = "FO" + "1" * 32


def stage(change_id, name, result, actor=OMAR, **values):
    """Log a stage of a change."""
    event_values = {
        "action": "flow.update",
        "target_sid": SID,
        "changed_fields": ["friendly_name"],
        **values,
    }
    return append_stage(change_id=change_id, stage=name, result=result, actor=actor, **event_values)


def log_change(*stages, **values):
    """Log a change with these (stage, result) pairs, and return its events."""
    change_id = uuid.uuid4()
    return [stage(change_id, name, result, **values) for name, result in stages]


ATTEMPT, LOST_OUTCOME = ("attempt", "pending"), ("outcome", "unknown")
APPLIED, NOT_APPLIED = ("reconciled", "applied"), ("reconciled", "not_applied")


def seqs(page):
    return [event.seq for event in page.context["events"]]


def text(page):
    return re.sub(r"\s+", " ", page.content.decode())


def rename_with_lost_response(sandbox, sid, actor):
    """Rename a flow at Twilio, but lose the response."""
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    values = {"friendly_name": "New"}
    change_id = uuid.uuid4()
    return flow_changes.update_flow(
        sid=sid,
        account_sid=ACCOUNT,
        base=None,
        values=values,
        reason="Why",
        actor=actor,
        change_id=change_id,
    ).event


def test_resolved_change_is_one_row_with_its_outcome(client_of, sandbox, flow_sid, actor):
    client = client_of("viewer")
    lost_outcome = rename_with_lost_response(sandbox, flow_sid, actor)
    assert seqs(client.get("/audit/?result=unresolved")) == [lost_outcome.seq]
    assert "Unknown outcome" in text(client.get("/audit/?result=unresolved"))

    (resolved,) = reconcile.reconcile()

    page = client.get("/audit/")
    assert seqs(page) == [resolved.seq]
    assert "Applied · confirmed later" in text(page)
    assert '<span class="status doubt">' not in text(page)
    assert seqs(client.get("/audit/?result=unresolved")) == []
    assert seqs(client.get("/audit/?result=unknown")) == []
    assert seqs(client.get("/audit/?result=resolved_later")) == [resolved.seq]


def test_row_of_a_resolved_change_has_actor_time_and_reason(client_of, sandbox, flow_sid, actor):
    lost_outcome = rename_with_lost_response(sandbox, flow_sid, actor)
    with mock.patch("django.utils.timezone.now", return_value=timezone.now() + timedelta(days=2)):
        reconcile.reconcile()

    (entry,) = client_of("viewer").get("/audit/").context["events"]
    page = text(client_of("viewer").get("/audit/"))

    assert entry.entry.start.at < lost_outcome.at
    assert f"{entry.entry.start.at:%Y-%m-%d %H:%M:%SZ}" in page
    assert "omar" in page
    assert "Why" in page


@pytest.mark.parametrize(
    ("stages", "current_index", "filters"),
    [
        ([ATTEMPT], 0, {"pending", "unresolved"}),
        ([ATTEMPT, LOST_OUTCOME], 1, {"unknown", "unresolved"}),
        ([ATTEMPT, ("outcome", "succeeded")], 1, {"succeeded"}),
        ([ATTEMPT, ("outcome", "failed")], 1, {"failed"}),
        ([("outcome", "conflict")], 0, {"conflict"}),
        ([ATTEMPT, LOST_OUTCOME, APPLIED], 2, {"applied", "resolved_later"}),
        ([ATTEMPT, LOST_OUTCOME, NOT_APPLIED], 2, {"not_applied", "resolved_later"}),
        ([ATTEMPT, APPLIED], 1, {"applied", "resolved_later"}),
        # The loss of the response is logged last.
        ([ATTEMPT, APPLIED, LOST_OUTCOME], 1, {"applied", "resolved_later"}),
        ([ATTEMPT, NOT_APPLIED, ("outcome", "succeeded")], 2, {"succeeded", "resolved_later"}),
    ],
)
def test_each_change_is_one_row_and_found_by_its_current_result(
    client_of, stages, current_index, filters
):
    events = log_change(*stages)
    client = client_of("viewer")

    assert seqs(client.get("/audit/")) == [events[current_index].seq]
    results = [value for value, _ in client.get("/audit/").context["choices"]["result"]]
    assert {
        result for result in results if seqs(client.get("/audit/", {"result": result}))
    } == filters


def test_attempt_of_a_dead_process_has_an_unknown_outcome(client_of):
    (attempt,) = log_change(ATTEMPT)
    client = client_of("viewer")
    assert "In progress" in text(client.get("/audit/"))
    assert seqs(client.get("/audit/?result=unknown")) == []

    with mock.patch("django.utils.timezone.now", return_value=timezone.now() + timedelta(hours=1)):
        page = client.get("/audit/?result=unknown")
        pending = client.get("/audit/?result=pending")

    assert seqs(page) == seqs(pending) == [attempt.seq]
    assert "Unknown outcome</span>" in text(page)
    assert "In progress" not in text(page)


def test_change_resolved_during_paging_is_shown_exactly_once(client_of):
    attempt, _ = log_change(ATTEMPT, LOST_OUTCOME)
    for _ in range(60):
        audit_log.append(action="flow.export", stage="access", result="succeeded", actor=OMAR)
    client = client_of("viewer")
    first = client.get("/audit/")

    resolved = stage(attempt.change_id, *APPLIED)
    second = client.get("/audit/" + first.context["older_url"])

    assert len(seqs(first)) == 50
    assert resolved.seq in seqs(second)
    entry_seqs = [event.entry.pk for page in (first, second) for event in page.context["events"]]
    assert len(entry_seqs) == len(set(entry_seqs)) == AuditEntry.objects.count()


def test_change_belongs_to_the_day_of_its_start(client_of):
    change_id = uuid.uuid4()
    for day, (name, result) in zip((20, 21, 22), (ATTEMPT, LOST_OUTCOME, APPLIED), strict=True):
        with mock.patch(
            "django.utils.timezone.now", return_value=datetime(2026, 11, day, 12, tzinfo=UTC)
        ):
            last = stage(change_id, name, result)
    client = client_of("viewer")

    seqs_by_day = {
        day: seqs(client.get("/audit/", {"from": f"2026-11-{day}", "to": f"2026-11-{day}"}))
        for day in (20, 21, 22)
    }

    assert seqs_by_day == {20: [last.seq], 21: [], 22: []}


def test_user_filter_finds_started_and_resolved_changes(client_of):
    ada = Actor(id="2", label="ada", role="admin")
    (attempt, _) = log_change(ATTEMPT, LOST_OUTCOME)
    decided = stage(attempt.change_id, "reconciled", "applied", ada)
    client = client_of("viewer")

    page = client.get("/audit/?actor=ada")

    assert seqs(page) == seqs(client.get("/audit/?actor=omar")) == [decided.seq]
    assert {"ada", "omar"} <= {name for name, _ in page.context["choices"]["actor"]}
    assert seqs(client.get("/audit/", {"actor": "ada", "sid": SID})) == [decided.seq]
    assert seqs(client.get("/audit/", {"actor": "ada", "account": ACCOUNT})) == [decided.seq]


def test_export_of_the_list_has_each_change_once(client_of):
    _, lost_outcome, resolved = log_change(ATTEMPT, LOST_OUTCOME, APPLIED)
    _, open_outcome = log_change(ATTEMPT, LOST_OUTCOME)
    client = client_of("auditor")

    def exported(**parameters):
        response = client.post(
            "/audit/export/", {"what": "shown", "format": "ndjson", **parameters}
        )
        return [json.loads(line) for line in b"".join(response.streaming_content).splitlines()]

    assert [line["seq"] for line in exported()][:2] == [resolved.seq, open_outcome.seq]
    assert [line["seq"] for line in exported(result="unresolved")] == [open_outcome.seq]
    assert [line["seq"] for line in exported(result="resolved_later")] == [resolved.seq]
    assert lost_outcome.seq in [line["seq"] for line in exported(what="all")]


def test_page_of_an_older_event_shows_the_current_outcome(client_of):
    attempt, lost_outcome, resolved = log_change(ATTEMPT, LOST_OUTCOME, APPLIED)
    client = client_of("viewer")
    for event in (attempt, lost_outcome):
        page = client.get(f"/audit/{event.event_id}/")

        assert page.context["latest"] == resolved
        heading = re.search(r'<p class="sub">.*?</span>', page.content.decode(), re.DOTALL)
        assert "Marked as applied" in heading[0]


def test_neighbours_are_the_rows_before_and_after(client_of):
    log_change(ATTEMPT, ("outcome", "succeeded"))
    first = AuditEvent.objects.get(seq=2)
    attempt, lost_outcome, resolved = log_change(ATTEMPT, LOST_OUTCOME, APPLIED)
    (last,) = log_change(("outcome", "conflict"))
    client = client_of("viewer")

    for event in (attempt, lost_outcome, resolved):
        page = client.get(f"/audit/{event.event_id}/")
        assert (page.context["previous"], page.context["next"]) == (first, last)
    assert client.get(f"/audit/{first.event_id}/").context["next"] == resolved


def test_history_of_a_flow_has_each_change_once(client_of, sandbox, flow_sid, actor):
    rename_with_lost_response(sandbox, flow_sid, actor)
    (resolved,) = reconcile.reconcile()

    page = client_of("viewer").get(f"/flows/{flow_sid}/")

    assert [event for event in page.context["history"] if event.action == "flow.update"] == [
        resolved
    ]
    assert "Unknown outcome" not in text(page)
    assert "Why" in text(page)


def test_each_external_change_is_a_row(client_of, sandbox, flow_sid):
    for name in ("One", "Two"):
        sandbox.edit_flow(flow_sid, friendly_name=name)
        sync_account(ACCOUNT)

    page = client_of("viewer").get("/audit/?action=flow.drift")

    assert len(seqs(page)) == 2
    assert "External" in text(page)
    assert "Outside this dashboard" in text(page)


def test_pending_decision_is_shown_to_users_who_may_decide(client_of, sandbox, flow_sid, actor):
    rename_with_lost_response(sandbox, flow_sid, actor)
    sandbox.edit_flow(flow_sid, friendly_name="Third")
    assert reconcile.reconcile() == []

    assert "Needs your decision" in text(client_of("operator").get("/audit/"))
    viewer_page = text(client_of("viewer").get("/audit/"))
    assert "Needs your decision" not in viewer_page
    assert "Unknown outcome" in viewer_page


def test_count_tells_if_there_are_older_events(client_of):
    client = client_of("viewer")
    for number, expected in ((1, "1 event<"), (49, "50 events<"), (1, "Latest 50 events<")):
        for _ in range(number):
            audit_log.append(action="flow.export", stage="access", result="succeeded", actor=OMAR)
        assert f'<p id="count">{expected}' in squeezed(text(client.get("/audit/")))
    older = client.get("/audit/" + client.get("/audit/").context["older_url"])
    assert '<p id="count">1 older event<' in squeezed(text(older))


def test_filter_by_flow_has_its_name(client_of, flow_sid, staging, record):
    def chips(client, sid=flow_sid):
        return [chip["label"] for chip in client.get("/audit/", {"sid": sid}).context["chips"]]

    named = f"Flow: Réclamations Lyon · {flow_sid[:6]}…{flow_sid[-4:]}"
    assert chips(client_of("viewer")) == [named]
    assert chips(client_of("viewer", "nina", staging.account_sid)) == [f"Flow: {flow_sid}"]
    record(target_sid="FO" + "1" * 32)  # without a name
    AuditPayload.objects.filter(event__target_sid="FO" + "1" * 32).delete()
    assert chips(client_of("viewer"), "FO" + "1" * 32) == ["Flow: FO" + "1" * 32]


def test_full_history_of_a_flow_has_its_first_sync(client_of, flow_sid):
    client = client_of("viewer")
    baselines = AuditEvent.objects.filter(action="flow.baseline", target_sid=flow_sid)
    history = re.search(
        r'href="([^"]+)">View full history', text(client.get(f"/flows/{flow_sid}/"))
    )

    page = client.get(history[1])

    assert seqs(page) == [event.seq for event in baselines] != []
    included = "First syncs are included."
    assert included in text(page)
    found = client.get("/audit/", {"q": flow_sid})
    assert seqs(found) == seqs(page)
    assert included in text(found)
    others = ({"action": "flow.update"}, {"result": "failed"}, {"actor": "omar"})
    for other in (*others, {"q": f"{flow_sid} lyon"}, {"q": "FO" + "1" * 32, "sid": flow_sid}):
        assert included not in text(client.get("/audit/", {"sid": flow_sid, **other}))
    assert seqs(client.get("/audit/")) == []
    assert "To see sign-ins and first syncs, choose them under Action" in text(
        client.get("/audit/")
    )
