"""The commands that verify and export the audit log."""

import csv
import io
import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError

from flows.models import AuditEvent, AuditPayload
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


def test_verify_audit_says_that_all_is_well(event):
    assert ran("verify_audit").startswith("1 events are as they were written")


def test_verify_audit_names_the_bad_event(event):
    AuditPayload.objects.update(friendly_name="other")

    with pytest.raises(CommandError, match="Event 1 has a payload that is not as it was sealed"):
        ran("verify_audit")


def test_verify_audit_takes_a_head_that_was_kept(event, tmp_path):
    ran("export_audit", "--head", str(tmp_path / "head"), "--output", str(tmp_path / "log"))

    assert "are as they were written" in ran("verify_audit", "--head", str(tmp_path / "head"))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"seq": 1, "hash": "x", "at": "y", "signature": "z"}'])
def test_verify_audit_refuses_a_head_that_is_not_ours(event, tmp_path, text):
    (tmp_path / "head").write_text(text)

    with pytest.raises(CommandError, match="head"):
        ran("verify_audit", "--head", str(tmp_path / "head"))


def test_verify_audit_without_the_file(tmp_path):
    with pytest.raises(CommandError, match="can't be read"):
        ran("verify_audit", "--head", str(tmp_path / "nowhere"))


def test_export_audit_writes_ndjson_and_is_on_record_itself(event):
    lines = [json.loads(line) for line in ran("export_audit", "--format", "ndjson").splitlines()]

    assert [line["action"] for line in lines] == ["flow.update", "audit.export"]
    assert (lines[0]["friendly_name"], lines[0]["before"]) == ("Réclam", {"enabled": True})
    assert AuditEvent.objects.get(action="audit.export").result == "succeeded"


def test_export_audit_writes_csv_into_a_file_and_goes_on_where_told(event, tmp_path):
    ran("export_audit", "--format", "csv", "--after", "1", "--output", str(tmp_path / "log.csv"))

    with (tmp_path / "log.csv").open(newline="") as file:
        assert [row["seq"] for row in csv.DictReader(file)] == ["2"]


def test_export_audit_that_is_not_on_record_exports_nothing(event, monkeypatch, tmp_path):
    def broken(*_args, **_kwargs):
        raise DatabaseError

    monkeypatch.setattr(AuditPayload, "save", broken)

    with pytest.raises(CommandError, match="nothing was exported"):
        ran("export_audit", "--output", str(tmp_path / "log"))

    assert not (tmp_path / "log").exists()


def test_export_audit_into_nowhere_says_so(event, tmp_path):
    with pytest.raises(CommandError, match="could not be written"):
        ran("export_audit", "--output", str(tmp_path / "no" / "log"))
