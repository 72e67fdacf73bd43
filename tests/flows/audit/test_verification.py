"""Verification finds every kind of tampering, names the first altered event, and is logged."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from flows.audit import append_only, audit_log, chain, chain_verifier, checkpoints, verification
from flows.audit.audit_log import Payload
from flows.audit.chain_verifier import ChainVerifier
from flows.audit.models import AuditDay, AuditEvent, AuditPayload, OpenChange
from flows.erasure import erasure
from tests.faults.acting import append_stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def log(actor):
    """Log nine events."""
    for number in range(9):
        audit_log.append(
            action="flow.update", stage="outcome", result="succeeded", actor=actor, target_sid=f"FO{number}",
            payload=Payload(friendly_name=f"Ünï {number}", before={"enabled": True}, after={"enabled": None}),
        )  # fmt: skip


def tamper(*statements):
    """Run statements as an attacker who owns the database."""
    append_only.remove(connection)
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    append_only.install(connection)


def test_untouched_log_is_intact(log):
    verdict = verification.verify()

    assert (verdict.events, verdict.bad_seq, verdict.fault) == (9, None, "")


def test_empty_log_is_intact():
    assert verification.verify().bad_seq is None


COPY = [name for name in (*chain.HASHED_FIELDS, "hash") if name not in ("seq", "event_id", "hash")]
TAMPERING = {
    "edit": (["UPDATE flows_auditevent SET reason = 'other' WHERE seq = 4"], 4),
    "edit of the payload": (["UPDATE flows_auditpayload SET friendly_name = 'other' WHERE event_id = 5"], 5),
    "deletion": (["DELETE FROM flows_auditpayload WHERE event_id = 6", "DELETE FROM flows_auditevent WHERE seq = 6"], 6),
    "deletion of the first": (
        ["DELETE FROM flows_auditpayload WHERE event_id = 1", "DELETE FROM flows_auditevent WHERE seq = 1"], 1,
    ),
    "cut-off tail": (["DELETE FROM flows_auditpayload WHERE event_id > 7", "DELETE FROM flows_auditevent WHERE seq > 7"], 8),
    "number beyond all floats": (["UPDATE flows_auditpayload SET after = '{\"enabled\": 1e400}' WHERE event_id = 3"], 3),
    "insertion": (
        [
            (f"INSERT INTO flows_auditevent (seq, event_id, hash, {', '.join(COPY)}) SELECT 10, "
            f"'99999999999999999999999999999999', '{'9' * 64}', {', '.join(COPY)} FROM flows_auditevent WHERE seq = 3"),
        ],
        10,
    ),
    "edit of a column that came later": (
        ["UPDATE flows_auditevent SET refers_to = '99999999999999999999999999999999' WHERE seq = 4"], 4,
    ),
    "edit of the message": (["UPDATE flows_auditpayload SET message = 'other' WHERE event_id = 5"], 5),
    "emptied payload": (["UPDATE flows_auditpayload SET friendly_name = '', salt = '' WHERE event_id = 5"], 5),
    "missing payload": (["DELETE FROM flows_auditpayload WHERE event_id = 5"], 5),
    "insertion far behind": (
        [
            (f"INSERT INTO flows_auditevent (seq, event_id, hash, {', '.join(COPY)}) SELECT 5000, "
            f"'99999999999999999999999999999999', '{'9' * 64}', {', '.join(COPY)} FROM flows_auditevent WHERE seq = 3"),
        ],
        5000,
    ),
    "insertion before the first": (
        [
            (f"INSERT INTO flows_auditevent (seq, event_id, hash, {', '.join(COPY)}) SELECT -1, "
            f"'99999999999999999999999999999999', '{'9' * 64}', {', '.join(COPY)} FROM flows_auditevent WHERE seq = 3"),
        ],
        -1,
    ),
    "swap": (
        [
            "UPDATE flows_auditevent SET target_sid = 'FO7' WHERE seq = 3",
            "UPDATE flows_auditevent SET target_sid = 'FO2' WHERE seq = 8",
        ],
        3,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", list(TAMPERING))
def test_verify_names_the_first_altered_event(log, kind):
    statements, first = TAMPERING[kind]
    tamper(*statements)

    verdict = verification.verify()

    assert verdict.bad_seq == first
    assert verdict.events == max(0, min(first - 1, 9))
    assert verdict.fault


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL stores no NaN")
def test_value_without_a_hash_is_a_violation(log):
    tamper(
        "PRAGMA ignore_check_constraints = ON",
        "UPDATE flows_auditpayload SET after = '{\"enabled\": NaN}' WHERE event_id = 4",
        "PRAGMA ignore_check_constraints = OFF",
    )

    verdict = verification.verify()

    assert (verdict.events, verdict.bad_seq) == (3, 4)
    assert str(verdict).startswith("Event 4 has a value that can't be read.")


def test_derived_table_that_cannot_be_read_is_a_violation(log, monkeypatch):
    def fail(*_):
        raise ValueError

    monkeypatch.setattr(verification.LogEntryCheck, "fault", fail)

    verdict = verification.verify()

    assert not verdict.is_intact
    assert "can't be read" in str(verdict)


def test_verify_reports_a_missing_payload(log):
    tamper("DELETE FROM flows_auditpayload WHERE event_id = 5")

    assert verification.verify().fault == "has no payload"


def test_verify_finds_an_event_of_another_chain_with_the_same_key(log, actor):
    """A backup was restored and continued: the event's hash is valid, but another event follows."""
    old, body = AuditEvent.objects.get(seq=9), AuditPayload.objects.get(pk=9)
    tamper(
        "DELETE FROM flows_auditpayload WHERE event_id = 9",
        "DELETE FROM flows_auditevent WHERE seq = 9",
        f"UPDATE flows_chainhead SET seq = 8, hash = '{old.previous_hash}'",
    )
    for _ in range(2):
        audit_log.append(action="flow.update", stage="outcome", result="succeeded", actor=actor)
    tamper(
        "DELETE FROM flows_auditpayload WHERE event_id = 9",
        "DELETE FROM flows_auditevent WHERE seq = 9",
    )
    old.save(force_insert=True)
    body.save(force_insert=True)

    assert verification.verify().bad_seq == 10


def test_verify_with_another_key_reports_the_first_event(log, settings):
    settings.AUDIT_KEY = "another key"

    assert verification.verify().bad_seq == 1


def test_checkpoint_reveals_a_tail_cut_off_together_with_the_chain_head(log):
    head = checkpoints.signed_checkpoint()
    last = AuditEvent.objects.get(seq=7)
    tamper(
        "DELETE FROM flows_auditpayload WHERE event_id > 7",
        "DELETE FROM flows_auditevent WHERE seq > 7",
        "DELETE FROM flows_auditentry WHERE seq > 7",
        f"UPDATE flows_chainhead SET seq = 7, hash = '{last.hash}'",
        "UPDATE flows_auditday SET last = 7",
    )

    assert verification.verify().bad_seq is None
    assert verification.verify(head=head).bad_seq == 8


def test_checkpoint_reveals_a_rewritten_chain(log, actor):
    head = checkpoints.signed_checkpoint()
    tamper(
        "DELETE FROM flows_auditpayload",
        "DELETE FROM flows_auditevent",
        "DELETE FROM flows_chainhead",
        "DELETE FROM flows_auditday",
    )
    for _ in range(9):
        audit_log.append(action="flow.update", stage="outcome", result="succeeded", actor=actor)

    assert verification.verify().bad_seq is None
    assert verification.verify(head=head).bad_seq == 9


def test_earlier_checkpoint_matches(log, actor):
    head = checkpoints.signed_checkpoint()
    audit_log.append(action="flow.update", stage="outcome", result="succeeded", actor=actor)

    assert verification.verify(head=head).bad_seq is None


@pytest.mark.parametrize(
    "change", [{"seq": 3}, {"hash": "0" * 64}, {"at": "1999"}, {"signature": ""}, {"seq": "9"}]
)
def test_altered_checkpoint_is_invalid(log, change):
    head = checkpoints.signed_checkpoint()

    assert checkpoints.parse_checkpoint(json.dumps(head)) == head
    assert checkpoints.parse_checkpoint(json.dumps({**head, **change})) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "7",
        "[" * 1999,
        '{"seq": NaN, "hash": NaN}',
        '{"seq": 1, "signature": "\\ud800"}',
        "9" * 1999,
        " " * 2001,
    ],
    ids=["empty", "list", "number", "deep", "nan", "surrogate", "huge", "long"],
)
def test_other_text_is_no_checkpoint(text):
    assert checkpoints.parse_checkpoint(text) is None


def run_during_verification(monkeypatch, seq, act):
    """Call `act` when a verification reaches an event."""
    check_event = ChainVerifier._check_event

    def act_and_check(self, row):
        if row["seq"] == seq:
            act()
        check_event(self, row)

    monkeypatch.setattr(ChainVerifier, "_check_event", act_and_check)


def attempt(actor, change_id, **values):
    event_values = {"stage": "attempt", "result": "pending", "target_sid": "FO1", **values}
    return append_stage(action="flow.update", actor=actor, change_id=change_id, **event_values)


def test_verify_accepts_changes_during_its_run(log, actor, monkeypatch):
    resolved, unresolved, started = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    attempt(actor, resolved)
    attempt(actor, unresolved, target_sid="FO2")

    def act():
        attempt(actor, resolved, stage="outcome", result="succeeded")
        attempt(actor, unresolved, stage="outcome", result="unknown", target_sid="FO2")
        attempt(actor, started, target_sid="FO3")

    run_during_verification(monkeypatch, 5, act)

    verdict = verification.verify()

    assert (verdict.bad_seq, verdict.fault) == (None, "")
    assert (verdict.events, verdict.through) == (11, 11)


def test_verify_accepts_an_erasure_during_its_run(log, actor, monkeypatch):
    monkeypatch.setattr(chain_verifier, "BATCH_SIZE", 2)
    erasure.erase(identity="Ünï 0", actor=actor)
    run_during_verification(monkeypatch, 3, lambda: erasure.erase(identity="Ünï 7", actor=actor))

    verdict = verification.verify()

    assert (verdict.bad_seq, verdict.events) == (None, 10)
    assert AuditPayload.objects.get(pk=8).erased_at


def test_verify_reads_many_batches(log, monkeypatch):
    monkeypatch.setattr(chain_verifier, "BATCH_SIZE", 3)  # the last page is full

    assert verification.verify().events == 9


@pytest.fixture
def open_changes(log, actor):
    """An attempt (10) without an outcome, and one (11) whose outcome (12) is unknown."""
    first, second = uuid.uuid4(), uuid.uuid4()
    attempt(actor, first)
    attempt(actor, second, target_sid="FO2")
    attempt(actor, second, target_sid="FO2", stage="outcome", result="unknown")
    return first, second


def test_open_changes_match_the_log(open_changes, actor):
    assert verification.verify().bad_seq is None

    attempt(actor, open_changes[0], stage="outcome", result="failed")
    attempt(actor, open_changes[1], target_sid="FO2", stage="reconciled", result="applied")

    assert verification.verify().bad_seq is None
    assert not OpenChange.objects.exists()


@pytest.mark.parametrize(("tampered", "seq"), [
    (lambda table: table.filter(target_sid="FO1").delete(), 10),
    (lambda table: table.filter(target_sid="FO2").delete(), 12),
    (lambda table: table.filter(target_sid="FO2").update(latest=11), 12),
    (lambda table: table.filter(target_sid="FO2").update(target_sid="FO1"), 12),
    (lambda table: table.filter(target_sid="FO1").update(action="flow.delete"), 10),
    (lambda table: table.create(change_id=uuid.uuid4(), attempt_id=9, latest_id=9, action="x"), 9),
], ids=["hidden", "hidden doubt", "older", "other flow", "other action", "made up"])  # fmt: skip
def test_verify_finds_altered_open_changes(open_changes, tampered, seq):
    tampered(OpenChange.objects)

    verdict = verification.verify()

    assert (verdict.bad_seq, verdict.events) == (seq, 12)
    assert "open changes" in str(verdict)
    assert "12 events in the chain verified" in str(verdict)


def append_at(actor, *moments):
    for moment in moments:
        with mock.patch("django.utils.timezone.now", return_value=moment):
            audit_log.append(action="flow.update", stage="access", result="denied", actor=actor)


@pytest.fixture
def days(actor):
    """Log events of three days: 1, 2 and 5 on the 20th, 3 and 4 on the 21st, 6 on the 22nd.

    A clock went back before event 5.
    """
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    append_at(actor, *(noon + timedelta(hours=hours) for hours in (0, 11.9, 12, 24, 1, 48)))


def test_day_index_matches_the_log(days):
    assert verification.verify().bad_seq is None


@pytest.mark.parametrize(("tampered", "seq"), [
    (lambda table: table.filter(day="2026-11-21").delete(), 3),
    (lambda table: table.filter(day="2026-11-20").update(last=2), 5),
    (lambda table: table.filter(day="2026-11-20").update(first=2), 1),
    (lambda table: table.filter(day="2026-11-22").update(first=1), 6),
    (lambda table: table.filter(day="2026-11-21").update(day="2026-11-23"), 3),
    (lambda table: table.create(day="2026-11-23", first=2, last=2), 2),
], ids=["hidden day", "hidden end", "hidden beginning", "too far", "another day", "made up"])  # fmt: skip
def test_verify_finds_an_altered_day_index(days, tampered, seq):
    tampered(AuditDay.objects)

    verdict = verification.verify()

    assert (verdict.bad_seq, verdict.events) == (seq, 6)
    assert "day index" in str(verdict)
    assert "6 events in the chain verified" in str(verdict)


def test_verify_accepts_new_days_during_its_run(days, actor, monkeypatch):
    """A new day starts, and a clock goes back to an older day."""
    later, earlier = datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 21, 9, tzinfo=UTC)
    run_during_verification(monkeypatch, 4, lambda: append_at(actor, later, earlier))

    verdict = verification.verify()

    assert (verdict.bad_seq, verdict.through, audit_log.last_seq()) == (None, 6, 8)


def test_verify_accepts_an_erased_payload_with_a_logged_erasure(log, actor):
    erasure.erase(identity="Ünï 4", actor=actor)

    assert AuditPayload.objects.get(pk=5).erased_at
    assert verification.verify().bad_seq is None


@pytest.mark.parametrize(("seq", "change"), [
    (5, "friendly_name = 'other'"),
    (5, "salt = 'x'"),
    (5, "after = '{}'"),
    (5, "erased_at = NULL"),
    (6, "friendly_name = '', before = NULL, after = NULL, salt = '', erased_at = '2026-11-01 00:00:00'"),
    (6, "erased_at = '2026-11-01 00:00:00'"),
    (10, "requested = NULL"),
    (10, "friendly_name = '', requested = NULL, message = '', salt = '', erased_at = '2026-11-01 00:00:00'"),
], ids=["filled", "salted", "json", "unmarked", "not logged", "only marked", "eraser", "eraser erased"])  # fmt: skip
def test_verify_finds_an_erased_payload_that_was_tampered_with(log, actor, seq, change):
    erasure.erase(identity="Ünï 4", actor=actor)
    tamper(f"UPDATE flows_auditpayload SET {change} WHERE event_id = {seq}")

    verdict = verification.verify()

    # Without a valid erasure event, the payload that it emptied is the first violation.
    assert verdict.bad_seq == (5 if seq == 10 else seq)


def test_erasure_does_not_cover_later_events(log, actor):
    audit_log.append(
        action="audit.erase", stage="access", result="succeeded", actor=actor,
        payload=Payload(requested={"events": [[1, 1000]]}),
    )  # fmt: skip
    audit_log.append(action="flow.update", stage="outcome", result="failed", actor=actor)
    empty_values = {name: getattr(AuditPayload(), name) for name in ("salt", *chain.PAYLOAD_FIELDS)}
    AuditPayload.objects.filter(pk__in=[5, 11]).update(**empty_values, erased_at=timezone.now())

    assert verification.verify().bad_seq == 11


def test_forged_erasure_covers_nothing(log, actor):
    empty_values = {
        "friendly_name": "",
        "before": None,
        "after": None,
        "salt": "",
        "erased_at": timezone.now(),
    }
    AuditPayload.objects.filter(pk=5).update(**empty_values)
    tamper(
        "UPDATE flows_auditevent SET action = 'audit.erase' WHERE seq = 9",
        "UPDATE flows_auditpayload SET requested = '{\"events\": [[5, 5]]}' WHERE event_id = 9",
    )

    assert verification.verify().bad_seq == 5


def test_verification_is_logged(log, actor):
    verdict, event = verification.verify_and_record(
        actor=actor, head=checkpoints.signed_checkpoint()
    )

    assert (event.action, event.stage, event.result) == ("audit.verify", "access", "succeeded")
    assert event.payload.after == {
        "through": 9,
        "events": 9,
        "bad_seq": None,
        "fault": "",
        "head": True,
    }
    assert event.actor_label == actor.label
    assert event.reason == str(verdict) == "9 events verified, chain intact."


def test_failed_verification_is_logged(log, actor):
    tamper("UPDATE flows_auditevent SET reason = 'other' WHERE seq = 4")

    verdict, event = verification.verify_and_record(actor=actor)

    assert event.result == "failed"
    assert event.payload.after == {
        "through": 9, "events": 3, "bad_seq": 4, "fault": "does not match its hash", "head": False,
    }  # fmt: skip
    assert str(verdict) == "Event 4 does not match its hash. 3 events before it verified."


def test_verification_that_cannot_be_recorded_returns_its_result(log, actor, monkeypatch):
    def broken(*_args, **_kwargs):
        raise DatabaseError

    monkeypatch.setattr(AuditPayload, "save", broken)

    verdict, event = verification.verify_and_record(actor=actor)

    assert (verdict.events, event) == (9, None)


def test_last_verification_has_its_end_and_the_number_of_later_events(log, actor):
    verification.verify_and_record(actor=actor)
    for _ in range(2):
        audit_log.append(action="audit.verify", stage="access", result="denied", actor=actor)

    last = verification.last_verification()

    assert (last.event.seq, last.summary["through"], last.since, last.is_intact) == (10, 9, 2, True)


def test_last_verification_of_a_new_site_is_none():
    assert verification.last_verification() is None


@pytest.mark.parametrize("statement", [
    "UPDATE flows_auditpayload SET after = '{\"through\": 9, \"bad_seq\": null}' WHERE event_id = 10",
    "UPDATE flows_auditevent SET result = 'succeeded' WHERE seq = 10",
    "DELETE FROM flows_auditpayload WHERE event_id = 10",
], ids=["payload", "event", "gone"])  # fmt: skip
def test_altered_last_verification_is_not_intact(log, actor, statement):
    tamper("UPDATE flows_auditevent SET reason = 'other' WHERE seq = 4")
    verification.verify_and_record(actor=actor)
    tamper(statement)

    assert not verification.last_verification().is_intact
