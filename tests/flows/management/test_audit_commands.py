"""The commands that verify and export the audit log."""

import csv
import io
import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection

from flows import append_only
from flows.management import command_line
from flows.models import AuditEvent, AuditPayload, ChainHead
from flows.services import audit
from flows.services.audit import Payload

pytestmark = pytest.mark.django_db


@pytest.fixture
def event(actor):
    said = Payload(friendly_name="Réclam", before={"enabled": True})
    return audit.append(action="flow.update", stage="outcome", result="failed", actor=actor, payload=said)


def ran(*command):
    out = io.StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()


def broken(*_args, **_kwargs):
    raise DatabaseError


def test_verify_audit_says_that_all_is_well(event):
    assert ran("verify_audit").startswith("1 event verified, chain intact")


def test_verify_audit_names_the_bad_event(event):
    AuditPayload.objects.update(friendly_name="other")

    with pytest.raises(CommandError, match="Event 1 has a payload that does not match its hash"):
        ran("verify_audit")


def test_verify_audit_is_on_record_itself(event):
    ran("verify_audit")

    verification = AuditEvent.objects.get(action="audit.verify")
    assert (verification.result, verification.payload.after["through"]) == ("succeeded", 1)
    assert verification.actor_label.startswith("CLI (")
    assert ran("verify_audit").startswith("2 events")


def test_verify_audit_that_finds_a_fault_is_on_record(event):
    AuditPayload.objects.update(friendly_name="other")

    with pytest.raises(CommandError):
        ran("verify_audit")

    verification = AuditEvent.objects.get(action="audit.verify")
    assert (verification.result, verification.payload.after["bad_seq"]) == ("failed", 1)


@pytest.mark.parametrize("is_good", [True, False], ids=["good", "bad"])
def test_verify_audit_that_cannot_be_recorded_gives_its_verdict_all_the_same(event, monkeypatch, is_good):
    if not is_good:
        AuditPayload.objects.update(friendly_name="other")
    monkeypatch.setattr(AuditPayload, "save", broken)
    out, err = io.StringIO(), io.StringIO()

    if is_good:
        call_command("verify_audit", stdout=out, stderr=err)
        assert "1 event verified, chain intact" in out.getvalue()
    else:
        with pytest.raises(CommandError, match="Event 1 has a payload"):
            call_command("verify_audit", stdout=out, stderr=err)

    assert "could not be recorded" in err.getvalue()


def test_verify_audit_with_a_head_finds_what_was_cut_off(event, tmp_path):
    ran("export_audit", "--output", str(tmp_path / "log"))
    ran("export_audit", "--head", str(tmp_path / "head"), "--output", str(tmp_path / "log"))
    append_only.lift(connection)
    AuditPayload.objects.filter(pk__gt=1).delete()
    AuditEvent.objects.filter(pk__gt=1).delete()
    ChainHead.objects.update(seq=1, hash=event.hash)
    append_only.install(connection)

    with pytest.raises(CommandError, match="Event 2 is missing, but the signed checkpoint includes it"):
        ran("verify_audit", "--head", str(tmp_path / "head"))


def test_verify_audit_takes_a_head_that_was_kept(event, tmp_path):
    ran("export_audit", "--head", str(tmp_path / "head"), "--output", str(tmp_path / "log"))

    assert "2 events verified, chain intact" in ran("verify_audit", "--head", str(tmp_path / "head"))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"seq": 1, "hash": "x", "at": "y", "signature": "z"}'])
def test_verify_audit_refuses_a_head_that_is_not_ours(event, tmp_path, text):
    (tmp_path / "head").write_text(text)

    with pytest.raises(CommandError, match="Invalid checkpoint"):
        ran("verify_audit", "--head", str(tmp_path / "head"))


def test_verify_audit_without_the_file(tmp_path):
    with pytest.raises(CommandError, match="Couldn't read the checkpoint"):
        ran("verify_audit", "--head", str(tmp_path / "nowhere"))


def test_export_audit_writes_ndjson_and_is_on_record_itself(event):
    lines = [json.loads(line) for line in ran("export_audit", "--format", "ndjson").splitlines()]

    assert [line["action"] for line in lines] == ["flow.update", "audit.export"]
    assert (lines[0]["friendly_name"], lines[0]["before"]) == ("Réclam", {"enabled": True})
    own = AuditEvent.objects.get(action="audit.export")
    assert (own.result, own.actor_label[:5]) == ("succeeded", "CLI (")
    assert own.payload.requested == {"format": "ndjson", "filters": None, "after": 0, "through": 2}


def test_export_audit_writes_csv_into_a_file_and_goes_on_where_told(event, tmp_path):
    ran("export_audit", "--format", "csv", "--after", "1", "--output", str(tmp_path / "log.csv"))

    with (tmp_path / "log.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row["seq"] for row in csv.DictReader(file)] == ["2"]


def test_export_audit_that_is_not_on_record_exports_nothing(event, monkeypatch, tmp_path):
    monkeypatch.setattr(AuditPayload, "save", broken)

    with pytest.raises(CommandError, match="nothing was exported"):
        ran("export_audit", "--output", str(tmp_path / "log"))

    assert not (tmp_path / "log").exists()


def test_export_audit_into_nowhere_says_so(event, tmp_path):
    with pytest.raises(CommandError, match="Couldn't write the export"):
        ran("export_audit", "--output", str(tmp_path / "no" / "log"))


@pytest.mark.parametrize("error", [KeyError, OSError])
def test_account_without_a_name_is_unknown(monkeypatch, error):
    def nobody():
        raise error

    monkeypatch.setattr("getpass.getuser", nobody)

    assert command_line.actor().label == "CLI (unknown)"


def test_many_events_are_listed_in_short():
    assert command_line.listed([3, 4, 5, 9]) == "3-5, 9"
    assert command_line.listed(range(1, 100, 2)).endswith("37, 39 and 30 more places")
