"""The commands that verify and export the audit log."""

import csv
import io
import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection

from flows.audit import append_only, audit_log
from flows.audit.audit_log import Payload
from flows.audit.models import AuditEvent, AuditPayload, ChainHead
from flows.management import command_line

pytestmark = pytest.mark.django_db


@pytest.fixture
def event(actor):
    payload = Payload(friendly_name="Réclam", before={"enabled": True})
    return audit_log.append(
        action="flow.update", stage="outcome", result="failed", actor=actor, payload=payload
    )


def run_command(*command):
    out = io.StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()


def fail(*_args, **_kwargs):
    raise DatabaseError


def test_verify_audit_reports_an_intact_chain(event):
    assert run_command("verify_audit").startswith("1 event verified, chain intact")


def test_verify_audit_names_the_bad_event(event):
    AuditPayload.objects.update(friendly_name="other")

    with pytest.raises(CommandError, match="Event 1 has a payload that does not match its hash"):
        run_command("verify_audit")


def test_verify_audit_is_logged(event):
    run_command("verify_audit")

    verification = AuditEvent.objects.get(action="audit.verify")
    assert (verification.result, verification.payload.after["through"]) == ("succeeded", 1)
    assert verification.actor_label.startswith("CLI (")
    assert run_command("verify_audit").startswith("2 events")


def test_verify_audit_that_finds_a_violation_is_logged(event):
    AuditPayload.objects.update(friendly_name="other")

    with pytest.raises(CommandError):
        run_command("verify_audit")

    verification = AuditEvent.objects.get(action="audit.verify")
    assert (verification.result, verification.payload.after["bad_seq"]) == ("failed", 1)


@pytest.mark.parametrize("is_good", [True, False], ids=["good", "bad"])
def test_verify_audit_reports_its_result_even_if_it_can_not_be_logged(event, monkeypatch, is_good):
    if not is_good:
        AuditPayload.objects.update(friendly_name="other")
    monkeypatch.setattr(AuditPayload, "save", fail)
    out, err = io.StringIO(), io.StringIO()

    if is_good:
        call_command("verify_audit", stdout=out, stderr=err)
        assert "1 event verified, chain intact" in out.getvalue()
    else:
        with pytest.raises(CommandError, match="Event 1 has a payload"):
            call_command("verify_audit", stdout=out, stderr=err)

    assert "could not be recorded" in err.getvalue()


def test_verify_audit_with_a_checkpoint_finds_missing_last_events(event, tmp_path):
    run_command("export_audit", "--output", str(tmp_path / "log"))
    run_command("export_audit", "--head", str(tmp_path / "head"), "--output", str(tmp_path / "log"))
    append_only.remove(connection)
    AuditPayload.objects.filter(pk__gt=1).delete()
    AuditEvent.objects.filter(pk__gt=1).delete()
    ChainHead.objects.update(seq=1, hash=event.hash)
    append_only.install(connection)

    with pytest.raises(
        CommandError, match="Event 2 is missing, but the signed checkpoint includes it"
    ):
        run_command("verify_audit", "--head", str(tmp_path / "head"))


def test_verify_audit_accepts_an_earlier_checkpoint(event, tmp_path):
    run_command("export_audit", "--head", str(tmp_path / "head"), "--output", str(tmp_path / "log"))

    assert "3 events verified, chain intact" in run_command(
        "verify_audit", "--head", str(tmp_path / "head")
    )


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"seq": 1, "hash": "x", "at": "y", "signature": "z"}']
)
def test_verify_audit_refuses_an_invalid_checkpoint(event, tmp_path, text):
    (tmp_path / "head").write_text(text)

    with pytest.raises(CommandError, match="Invalid checkpoint"):
        run_command("verify_audit", "--head", str(tmp_path / "head"))


def test_verify_audit_reports_a_missing_checkpoint(tmp_path):
    with pytest.raises(CommandError, match="Couldn't read the checkpoint"):
        run_command("verify_audit", "--head", str(tmp_path / "nowhere"))


def test_export_audit_writes_ndjson_and_is_logged(event):
    lines = [
        json.loads(line) for line in run_command("export_audit", "--format", "ndjson").splitlines()
    ]

    assert [line["action"] for line in lines] == ["flow.update", "audit.export"]
    assert (lines[0]["friendly_name"], lines[0]["before"]) == ("Réclam", {"enabled": True})
    export_event = AuditEvent.objects.get(action="audit.export")
    assert (export_event.result, export_event.actor_label[:5]) == ("succeeded", "CLI (")
    assert export_event.payload.requested == {
        "format": "ndjson",
        "content": "every event",
        "filters": None,
        "after": 0,
        "through": 2,
    }


def test_export_audit_writes_csv_into_a_file_and_starts_after_an_event(event, tmp_path):
    run_command(
        "export_audit", "--format", "csv", "--after", "1", "--output", str(tmp_path / "log.csv")
    )

    with (tmp_path / "log.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row["seq"] for row in csv.DictReader(file)] == ["2"]


def test_export_audit_that_can_not_be_logged_exports_nothing(event, monkeypatch, tmp_path):
    monkeypatch.setattr(AuditPayload, "save", fail)

    with pytest.raises(CommandError, match="nothing was exported"):
        run_command("export_audit", "--output", str(tmp_path / "log"))

    assert not (tmp_path / "log").exists()


def test_export_audit_reports_a_file_that_can_not_be_written(event, tmp_path):
    with pytest.raises(CommandError, match="Couldn't write the export"):
        run_command("export_audit", "--output", str(tmp_path / "no" / "log"))


@pytest.mark.parametrize("error", [KeyError, OSError])
def test_actor_without_a_name_is_unknown(monkeypatch, error):
    def fail_getuser():
        raise error

    monkeypatch.setattr("getpass.getuser", fail_getuser)

    assert command_line.command_actor().label == "CLI (unknown)"
