"""The table behind the log's list: maintained, rebuilt, verified and erased with the log."""

import uuid

import pytest
from django.db import connection
from django.utils import timezone

from flows.audit import audit_log, entry_check, log_entries, verification
from flows.audit.audit_log import Actor, Observation, Payload
from flows.audit.log_list import fetch_page
from flows.audit.log_query import LogQuery
from flows.audit.models import AuditEntry, AuditEvent
from flows.erasure.erasure import erase
from tests.benchmarks.log_filling import fill_log
from tests.faults.acting import append_stage

pytestmark = pytest.mark.django_db

SID, IDENTITY = "FO" + "1" * 32, "+33199000123"
OMAR = Actor(id="1", label="omar")


@pytest.fixture
def log(db):
    """Log changes of all kinds, some of them interleaved."""
    one, two = uuid.uuid4(), uuid.uuid4()
    body = Payload(
        friendly_name="Cora Test", contact_identity=IDENTITY, before={"friendly_name": "Alt"}
    )
    create = {"action": "flow.create", "actor": OMAR, "payload": body}
    append_stage(**create, stage="attempt", result="pending", change_id=one)
    append_stage(**{**create, "payload": None}, stage="attempt", result="pending", change_id=two)
    append_stage(**create, stage="outcome", result="unknown", change_id=one)
    append_stage(**create, stage="outcome", result="failed", change_id=two)
    append_stage(**create, stage="reconciled", result="applied", change_id=one, target_sid=SID)
    audit_log.append(action="auth.login", stage="access", result="succeeded", actor=OMAR)
    observation = Observation(
        action="flow.drift", account_sid="AC1", target_sid="FO2", payload=Payload()
    )
    audit_log.observe([observation], read_seq=audit_log.last_seq())


def table():
    return list(AuditEntry.objects.order_by("start").values())


def tamper(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_rebuilt_table_equals_the_maintained_one(log, monkeypatch):
    rows = table()
    assert [(row["start_id"], row["outcome_id"], row["result"]) for row in rows] == [
        (1, 5, "applied"), (2, 4, "failed"), (6, 6, "succeeded"), (7, 7, "applied"),
    ]  # fmt: skip
    for batch in (1, 2, 3, 1000):
        monkeypatch.setattr(log_entries, "BATCH_SIZE", batch)
        AuditEntry.objects.filter(pk__gt=1).delete()

        log_entries.rebuild()

        assert table() == rows


def test_entry_has_the_actors_of_start_and_resolution(log):
    entry = AuditEntry.objects.get(pk=1)

    assert (entry.actor_label, entry.resolved_by, entry.target_sid) == ("omar", "omar", SID)
    assert AuditEntry.objects.get(pk=2).resolved_by is None


def test_sign_ins_belong_to_no_account(log):
    assert AuditEvent.objects.get(action="auth.login").account_sid
    assert AuditEntry.objects.get(action="auth.login").account_sid == ""


def test_stray_row_does_not_prevent_recording(log):
    AuditEntry.objects.create(start_id=8, outcome_id=8, at=timezone.now(), action="x", result="x")

    audit_log.append(action="flow.export", stage="access", result="succeeded", actor=OMAR)

    assert AuditEntry.objects.get(pk=8).action == "flow.export"
    assert verification.verify().bad_seq is None


INSERT = (
    "INSERT INTO flows_auditentry "
    "(seq, outcome_seq, at, action, result, actor_label, account_sid, target_sid, text) "
    "VALUES ({seq}, {seq}, '2026-11-20 12:00:00', 'x', 'x', '', '', '', '')"
)
TAMPERING = {
    "outcome": ("UPDATE flows_auditentry SET outcome_seq = 3 WHERE seq = 1", 1, "different outcome"),
    "result": ("UPDATE flows_auditentry SET result = 'succeeded' WHERE seq = 2", 2, "different result"),
    "action": ("UPDATE flows_auditentry SET action = 'flow.view' WHERE seq = 7", 7, "different action"),
    "account": ("UPDATE flows_auditentry SET account_sid = 'AC9' WHERE seq = 6", 6, "different account sid"),
    "resolver": ("UPDATE flows_auditentry SET resolved_by = NULL WHERE seq = 1", 1, "different resolver"),
    "text": ("UPDATE flows_auditentry SET text = '' WHERE seq = 1", 1, "different search text"),
    "missing": ("DELETE FROM flows_auditentry WHERE seq = 7", 7, "is missing from"),
    "none of the log": (INSERT.format(seq=3), 3, "starts no entry"),
    "beyond the log": (INSERT.format(seq=99), 99, "not in the log"),
    "before the log": ("UPDATE flows_auditentry SET seq = -1 WHERE seq = 7", 7, "is missing from"),
}  # fmt: skip


@pytest.mark.parametrize("kind", TAMPERING)
def test_verification_names_the_first_altered_entry(log, kind):
    statement, seq, words = TAMPERING[kind]
    assert verification.verify().bad_seq is None
    tamper(statement)

    verdict = verification.verify()

    assert verdict.bad_seq == seq
    assert words in verdict.fault
    log_entries.rebuild()
    assert verification.verify().bad_seq is None


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has one spelling of each")
@pytest.mark.parametrize("spelling", ["change_id = upper(change_id)", "at = replace(at, ' ', 'T')"])
def test_verification_finds_a_value_that_no_query_can_match(log, spelling):
    tamper(f"UPDATE flows_auditentry SET {spelling} WHERE seq = 2")

    assert verification.verify().bad_seq == 2


def test_verification_with_small_batches(log, monkeypatch):
    for batch in (1, 2, 3):
        monkeypatch.setattr(entry_check, "BATCH_SIZE", batch)
        assert verification.verify().bad_seq is None


@pytest.mark.parametrize("erased", [{"sid": SID}, {"identity": IDENTITY}], ids=["flow", "identity"])
def test_erasure_removes_the_search_text(log, erased):
    def find(q):
        return [entry.pk for entry in fetch_page(LogQuery.from_parameters({"q": q}), None).entries]

    assert 1 in find("cora")
    assert 1 in find("alt")

    erase(**erased, reason="asked for", actor=OMAR)

    text = AuditEntry.objects.get(pk=1).text
    assert "cora" not in text
    assert "33199000123" not in text
    assert "omar" in text
    assert 1 not in find("alt")
    assert verification.verify().bad_seq is None


def test_verification_finds_search_text_left_after_an_erasure(log):
    text = AuditEntry.objects.get(pk=1).text
    erase(sid=SID, reason="asked for", actor=OMAR)
    AuditEntry.objects.filter(pk=1).update(text=text)

    assert verification.verify().bad_seq == 1


def test_filled_log_verifies(db, monkeypatch):
    monkeypatch.setattr(log_entries, "BATCH_SIZE", 7)
    fill_log(600)

    assert verification.verify().bad_seq is None
