"""Verification finds every kind of tampering and names the first event that is touched; exports are whole."""

import csv
import io
import json

import pytest
from django.db import connection

from flows import append_only
from flows.models import AuditEvent
from flows.services import audit, evidence
from flows.services.audit import Payload

pytestmark = pytest.mark.django_db


@pytest.fixture
def log(actor):
    """Nine events on record."""
    for number in range(9):
        audit.append(
            action="flow.update", stage="outcome", result="succeeded", actor=actor, target_sid=f"FO{number}",
            payload=Payload(friendly_name=f"Ünï {number}", before={"enabled": True}, after={"enabled": None}),
        )  # fmt: skip


def tamper(*statements):
    """What somebody does who owns the database."""
    append_only.lift(connection)
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    append_only.install(connection)


def test_verify_finds_all_well(log):
    verdict = evidence.verify()

    assert (verdict.events, verdict.bad_seq, verdict.fault) == (9, None, "")


def test_verify_of_an_empty_log():
    assert evidence.verify().bad_seq is None


COPY = [name for name in (*audit.SEALED, "hash") if name not in ("seq", "event_id", "hash")]
TAMPERING = {
    "edit": (["UPDATE flows_auditevent SET reason = 'other' WHERE seq = 4"], 4),
    "edit of the payload": (["UPDATE flows_auditpayload SET friendly_name = 'other' WHERE event_id = 5"], 5),
    "deletion": (["DELETE FROM flows_auditpayload WHERE event_id = 6", "DELETE FROM flows_auditevent WHERE seq = 6"], 6),
    "deletion of the first": (
        ["DELETE FROM flows_auditpayload WHERE event_id = 1", "DELETE FROM flows_auditevent WHERE seq = 1"], 1,
    ),
    "cut-off tail": (["DELETE FROM flows_auditpayload WHERE event_id > 7", "DELETE FROM flows_auditevent WHERE seq > 7"], 8),
    "insertion": (
        [
            (f"INSERT INTO flows_auditevent (seq, event_id, hash, {', '.join(COPY)}) SELECT 10, "
            f"'99999999999999999999999999999999', '{'9' * 64}', {', '.join(COPY)} FROM flows_auditevent WHERE seq = 3"),
        ],
        10,
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
def test_verify_names_the_first_event_that_was_touched(log, kind):
    statements, first = TAMPERING[kind]
    tamper(*statements)

    verdict = evidence.verify()

    assert verdict.bad_seq == first
    assert verdict.events == first - 1
    assert verdict.fault


def test_verify_with_another_key_finds_the_first_event_bad(log, settings):
    settings.AUDIT_KEY = "another key"

    assert evidence.verify().bad_seq == 1


def test_signed_head_finds_a_tail_that_was_cut_off_with_the_chains_head(log):
    head = evidence.signed_head()
    last = AuditEvent.objects.get(seq=7)
    tamper(
        "DELETE FROM flows_auditpayload WHERE event_id > 7",
        "DELETE FROM flows_auditevent WHERE seq > 7",
        f"UPDATE flows_chainhead SET seq = 7, hash = '{last.hash}'",
    )

    assert evidence.verify().bad_seq is None
    assert evidence.verify(head=head).bad_seq == 8


def test_signed_head_finds_a_chain_that_was_written_anew(log, actor):
    head = evidence.signed_head()
    tamper("DELETE FROM flows_auditpayload", "DELETE FROM flows_auditevent", "DELETE FROM flows_chainhead")
    for _ in range(9):
        audit.append(action="flow.update", stage="outcome", result="succeeded", actor=actor)

    assert evidence.verify().bad_seq is None
    assert evidence.verify(head=head).bad_seq == 9


def test_signed_head_of_an_earlier_day_still_fits(log, actor):
    head = evidence.signed_head()
    audit.append(action="flow.update", stage="outcome", result="succeeded", actor=actor)

    assert evidence.verify(head=head).bad_seq is None


@pytest.mark.parametrize(
    "change", [{"seq": 3}, {"hash": "0" * 64}, {"at": "1999"}, {"signature": ""}, {"seq": "9"}]
)
def test_head_that_was_changed_is_not_ours(log, change):
    head = evidence.signed_head()

    assert evidence.is_ours(head)
    assert not evidence.is_ours({**head, **change})


def test_export_is_whole_and_can_be_resumed(log, monkeypatch):
    monkeypatch.setattr(evidence, "BATCH", 4)

    whole = list(evidence.exported())
    parts = [*evidence.exported(through=5), *evidence.exported(after=5)]

    assert [event["seq"] for event in whole] == list(range(1, 10))
    assert parts == whole
    assert whole[0]["friendly_name"] == "Ünï 0"
    assert whole[0]["after"] == {"enabled": None}


def test_export_ends_where_the_log_did_at_its_start(log, actor, monkeypatch):
    monkeypatch.setattr(evidence, "BATCH", 2)
    seen = []

    for event in evidence.exported():
        audit.append(action="flow.update", stage="outcome", result="succeeded", actor=actor)
        seen.append(event["seq"])

    assert seen == list(range(1, 10))


def test_ndjson_has_one_event_a_line(log):
    lines = [json.loads(line) for line in evidence.ndjson(evidence.exported())]

    assert [line["seq"] for line in lines] == list(range(1, 10))
    assert set(lines[0]) == set(evidence.EXPORTED)


@pytest.mark.parametrize("name", ["=1+1", "+14155550100", "-2", "@x", "\tx", "\rx"])
def test_csv_cells_are_no_formulas(actor, name):
    audit.append(
        action="flow.update",
        stage="outcome",
        result="failed",
        actor=actor,
        payload=Payload(friendly_name=name),
    )

    rows = list(csv.DictReader(io.StringIO("".join(evidence.csv_lines(evidence.exported())), newline="")))

    assert rows[0]["friendly_name"] == "'" + name
    assert rows[0]["seq"] == "1"
    assert rows[0]["before"] == ""


def test_verify_is_not_alarmed_by_an_event_that_comes_meanwhile(log, actor, monkeypatch):
    fault_of = evidence._fault_of

    def busy(event, previous):
        if event["seq"] == 5:
            audit.append(action="flow.update", stage="outcome", result="succeeded", actor=actor)
        return fault_of(event, previous)

    monkeypatch.setattr(evidence, "_fault_of", busy)

    assert evidence.verify().bad_seq is None


def test_verify_finds_a_payload_that_is_gone(log):
    tamper("DELETE FROM flows_auditpayload WHERE event_id = 5")

    assert evidence.verify().bad_seq == 5
