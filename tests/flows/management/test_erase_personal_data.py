"""The command that erases personal data from everywhere and reports what remains to be done."""

import io
import json
from pathlib import Path
from unittest import mock

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection

from flows.audit import audit_log, verification
from flows.audit.audit_log import Payload
from flows.audit.models import AuditEvent, AuditPayload
from flows.changes import reconcile
from flows.core.normalization import normalize_text
from flows.erasure import compaction
from flows.erasure.compaction import CompactionFailed
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import create_flow, delete_flow, rename_flow, switch_flow

pytestmark = pytest.mark.django_db(transaction=True)

NUMBER = "+33777123456"
NAME = "Zoë Kanarienvogel-7f3a"
GREEK = "Καναρίνι"


def run_command(*command):
    out, err = io.StringIO(), io.StringIO()
    call_command(*command, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def erase(*options):
    return run_command("erase_personal_data", *options)


def erase_while_at_twilio(*options):
    """Erase a flow that Twilio still has, which is an error in the end. Return the warnings."""
    err = io.StringIO()
    with pytest.raises(CommandError, match=r"^Twilio still has"):
        call_command("erase_personal_data", *options, stdout=io.StringIO(), stderr=err)
    return err.getvalue()


def canary_spellings():
    """Return the canary's data as a file may contain it: as text, normalized, escaped in JSON."""
    texts = ["kanarienvogel-7f3a", "33777123456"]
    for value in (NAME, GREEK):
        texts += [value, normalize_text(value), json.dumps(value)[1:-1]]
    return [text.encode() for text in texts]


def read_sqlite_files():
    name = connection.settings_dict["NAME"]
    paths = [Path(f"{name}{ending}") for ending in ("", "-wal", "-shm")]
    return [path.read_bytes() for path in paths if path.exists()]


def read_postgresql_tables():
    """Return every row of every table, and the statistics, as bytes."""
    with connection.cursor() as cursor:
        rows = []
        for table in (*connection.introspection.table_names(cursor), "pg_stats"):
            cursor.execute(f"SELECT t::text FROM {connection.ops.quote_name(table)} AS t")
            rows += [row[0].encode() for row in cursor.fetchall()]
        return rows


def find_canary(*more_texts):
    """Return the canary's spellings that the database or one of these texts contains."""
    is_sqlite = connection.vendor == "sqlite"
    stored = read_sqlite_files() if is_sqlite else read_postgresql_tables()
    data = b"\n".join([*stored, *more_texts]).lower()
    return [text for text in canary_spellings() if text.lower() in data]


@pytest.fixture
def canary(sandbox, client_of, monkeypatch):
    """The SID of a deleted flow whose name, identity and URL are in every possible place."""
    values = {
        "friendly_name": NAME, "contact_identity": NUMBER, "integration_type": "external",
        "integration_flow_sid": None, "integration_url": f"https://x.example/{NUMBER}?who=kanarienvogel-7f3a",
    }  # fmt: skip
    sid = create_flow(values=values).event.target_sid
    sandbox.inject(
        Fault(
            FaultKind.REFUSE, status=400, code=20001, message=f"'{NUMBER}' of {NAME}", method="POST"
        )
    )
    rename_flow(sid, values={"friendly_name": f"{NAME} 2"})
    rename_flow(sid, values={"friendly_name": f"{NAME} {GREEK}"})
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    switch_flow(sid, enabled=True)
    assert len(reconcile.reconcile()) == 1
    sandbox.edit_flow(sid, friendly_name=f"{NAME} {GREEK} 3")
    sync_account(ACCOUNT)
    client_of("viewer").post(f"/flows/{sid}/enabled/", {"enabled": "false"})
    session = SessionStore()
    session["_messages"] = f"“{NAME}” is off"
    session.save()
    delete_flow(sid, base={"friendly_name": f"{NAME} {GREEK} 3"})
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    return sid


def test_canary_is_found_before_it_is_erased(canary):
    """Prove that the search of the next test would find the canary."""
    expected = canary_spellings()
    if connection.vendor == "postgresql":  # stores JSON without escapes
        expected = [text for text in expected if b"\\u" not in text]

    assert find_canary() == expected


@pytest.mark.parametrize("by", ["flow", "identity"])
def test_erased_data_is_nowhere_and_the_chain_is_intact(canary, sandbox, actor, by):
    other_sid = create_flow(
        values={"friendly_name": "Other", "contact_identity": "+33777999999"}
    ).event.target_sid
    if by == "identity":  # events without a flow's SID
        sandbox.inject(Fault(FaultKind.REFUSE, status=400, code=20001, method="POST"))
        create_flow(values={"friendly_name": NAME, "contact_identity": NUMBER})
        audit_log.append(
            action="audit.export", stage="access", result="succeeded", actor=actor,
            payload=Payload(requested={"filters": {"q": NUMBER}}),
        )  # fmt: skip

    out, err = erase(f"--{by}", canary if by == "flow" else NUMBER, "--reason", "asked for")

    exports = [
        run_command("export_audit", "--format", form)[0].encode() for form in ("ndjson", "csv")
    ]
    assert find_canary(*exports) == []
    assert verification.verify().bad_seq is None
    assert Flow.objects.get().sid == other_sid
    assert AuditPayload.objects.filter(friendly_name="Other", erased_at=None).count() == 2
    assert "Database compacted." in out
    assert err.startswith("Not erased: ")


def test_tampering_with_an_erased_payload_is_found(canary):
    erase("--identity", NUMBER)
    AuditPayload.objects.filter(pk=3).update(friendly_name="other")

    with pytest.raises(CommandError, match="Event 3 has a payload"):
        run_command("verify_audit")


@pytest.fixture
def event(actor):
    payload = Payload(friendly_name=NAME, contact_identity=NUMBER)
    return audit_log.append(
        action="flow.update",
        stage="outcome",
        result="failed",
        actor=actor,
        target_sid="FO" + "1" * 32,
        payload=payload,
    )


@pytest.fixture
def compactions(monkeypatch):
    """The calls of `compact`, which does nothing in the test."""
    calls = []
    monkeypatch.setattr(compaction, "compact", lambda: calls.append(1))
    return calls


def test_erasure_reports_its_numbers_and_logs_its_actor(event, actor, compactions):
    out, _ = erase("--flow", event.target_sid, "--reason", "asked for")

    erasure_event = AuditEvent.objects.get(action="audit.erase")
    assert out.splitlines() == [
        "Erased personal data from 1 events (1) and 0 flows (logged as event 2).",
        "Database compacted.",
    ]
    assert erasure_event.actor_label.startswith("CLI (")
    assert erasure_event.reason == "asked for"


def test_erasure_of_nothing_still_compacts_the_database(event, compactions):
    """An earlier erasure may have been killed before its compaction."""
    erase("--identity", NUMBER)

    out, _ = erase("--identity", NUMBER)

    assert "Nothing to erase" in out
    assert len(compactions) == 2
    assert AuditEvent.objects.filter(action="audit.erase").count() == 1


def test_erasure_fails_while_twilio_still_has_the_flow(sandbox, flow_sid, compactions):
    out = io.StringIO()

    with pytest.raises(CommandError, match=f"^Twilio still has {flow_sid}, and the next sync"):
        call_command("erase_personal_data", "--flow", flow_sid, stdout=out, stderr=io.StringIO())

    assert "and 1 flows (logged as event" in out.getvalue()
    assert "Database compacted." in out.getvalue()
    assert not Flow.objects.exists()


def test_erasure_names_the_account_of_a_flow_that_twilio_still_has(
    sandbox, flow_sid, staging, compactions
):
    with pytest.raises(CommandError, match=f"Twilio still has production: {flow_sid}, and"):
        erase("--flow", flow_sid)


def test_erasure_warns_about_data_that_it_did_not_erase(event, actor, compactions):
    audit_log.append(
        action="flow.update", stage="outcome", result="failed", actor=actor, reason=f"for {NUMBER}",
        payload=Payload(contact_identity=NUMBER + "7"),
    )  # fmt: skip

    _, err = erase("--identity", NUMBER)

    assert "Events 2 contain it in their reason" in err
    assert "Events 2 were not erased" in err
    assert NUMBER not in err


@pytest.mark.parametrize(("options", "error"), [
    (["--flow", "FO1"], "Not the SID of a Flex Flow"),
    (["--identity", " x "], "too short"),
    ([], "one of the arguments"),
    (["--flow", "FO" + "1" * 32, "--identity", NUMBER], "not allowed with"),
    (["--identity", NUMBER, "--reason", f"{NUMBER} asked"], "reason contains"),
], ids=["sid", "short", "nothing", "both", "reason"])  # fmt: skip
def test_erasure_with_wrong_options_erases_nothing(event, compactions, options, error):
    with pytest.raises(CommandError, match=error):
        erase(*options)

    assert compactions == []
    assert AuditPayload.objects.get().erased_at is None


def test_erasure_names_the_open_change_that_prevents_it(sandbox, flow_sid, compactions):
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    unknown_event = rename_flow(flow_sid).event

    with pytest.raises(CommandError, match=rf"unknown outcome \(event {unknown_event.seq}\)"):
        erase("--flow", flow_sid)

    assert compactions == []


def test_erasure_that_can_not_be_logged_erases_nothing(event, compactions, monkeypatch):
    def fail(*_args, **_kwargs):
        raise DatabaseError

    monkeypatch.setattr(AuditEvent, "save", fail)

    with pytest.raises(CommandError, match="nothing was erased"):
        erase("--identity", NUMBER)

    assert AuditPayload.objects.get().erased_at is None


def test_failed_compaction_does_not_hide_that_twilio_has_the_flow(sandbox, flow_sid, monkeypatch):
    failed = CompactionFailed("Another connection is in the way.")
    monkeypatch.setattr(compaction, "compact", mock.Mock(side_effect=failed))

    with pytest.raises(CommandError, match=r"Another connection.*Twilio still has"):
        erase("--flow", flow_sid)


def test_failed_compaction_is_an_error(event, monkeypatch):
    def fail_to_compact():
        raise CompactionFailed("Another connection is in the way.")

    monkeypatch.setattr(compaction, "compact", fail_to_compact)

    with pytest.raises(
        CommandError,
        match=r"maybe not from the database's files\. Another connection is in the way",
    ):
        erase("--identity", NUMBER)

    assert AuditPayload.objects.get(pk=1).erased_at is not None
