"""The command that erases personal data: afterwards the value is nowhere, and whatever is left to do is told."""

import io
import json
from pathlib import Path

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection

from flows.flexapi.sandbox import Fault, FaultKind
from flows.folding import fold
from flows.models import AuditEvent, AuditPayload, Flow
from flows.services import audit, compaction, evidence, mirror, reconcile
from flows.services.audit import Payload
from flows.services.compaction import NotCompacted
from tests import ACCOUNT
from tests.faults.acting import create, delete, rename, switch

pytestmark = pytest.mark.django_db(transaction=True)

NUMBER = "+33777123456"
NAME = "Zoë Kanarienvogel-7f3a"
GREEK = "Καναρίνι"


def ran(*command):
    out, err = io.StringIO(), io.StringIO()
    call_command(*command, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def erase(*options):
    return ran("erase_personal_data", *options)


def spellings():
    """The canary as it may stand in a file: in text, folded, escaped in JSON, percent-encoded."""
    texts = [text for value in (NAME, GREEK) for text in (value, fold(value), json.dumps(value)[1:-1])]
    core = ["kanarienvogel-7f3a", "33777123456"]
    return [text.encode() for text in (*texts, *core)]


def files():
    name = connection.settings_dict["NAME"]
    paths = [Path(f"{name}{ending}") for ending in ("", "-wal", "-shm")]
    return [path.read_bytes() for path in paths if path.exists()]


def tables():
    """What PostgreSQL has of it: every row of every table, and its statistics."""
    with connection.cursor() as cursor:
        kept = []
        for table in (*connection.introspection.table_names(cursor), "pg_stats"):
            cursor.execute(f"SELECT t::text FROM {connection.ops.quote_name(table)} AS t")
            kept += [row[0].encode() for row in cursor.fetchall()]
        return kept


def found(*more):
    """The spellings of the canary that are in the database or in one of these texts, in any case."""
    data = b"\n".join([*(files() if connection.vendor == "sqlite" else tables()), *more]).lower()
    return [text for text in spellings() if text.lower() in data]


@pytest.fixture
def canary(sandbox, client_of, monkeypatch):
    """A flow whose name, identity and address are in every place that there is; gone from Twilio by now."""
    values = {
        "friendly_name": NAME, "contact_identity": NUMBER, "integration_type": "external",
        "integration_flow_sid": None, "integration_url": f"https://x.example/{NUMBER}?who=kanarienvogel-7f3a",
    }  # fmt: skip
    sid = create(values=values).event.target_sid
    sandbox.inject(
        Fault(FaultKind.REFUSE, status=400, code=20001, message=f"'{NUMBER}' of {NAME}", method="POST")
    )
    rename(sid, values={"friendly_name": f"{NAME} 2"})
    rename(sid, values={"friendly_name": f"{NAME} {GREEK}"})
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    switch(sid, enabled=True)
    assert len(reconcile.reconcile()) == 1
    sandbox.edit_flow(sid, friendly_name=f"{NAME} {GREEK} 3")
    mirror.sync(ACCOUNT)
    client_of("viewer").post(f"/flows/{sid}/enabled/", {"enabled": "false"})
    waiting = SessionStore()
    waiting["_messages"] = f"“{NAME}” is off"
    waiting.save()
    delete(sid, base={"friendly_name": f"{NAME} {GREEK} 3"})
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    return sid


def test_canary_is_found_before_it_is_erased(canary):
    """Or the search of the next test would prove nothing."""
    escaped = [] if connection.vendor == "sqlite" else [text for text in spellings() if b"\\u" in text]

    assert found() == [text for text in spellings() if text not in escaped]


@pytest.mark.parametrize("by", ["flow", "identity"])
def test_nothing_of_the_value_is_left_and_verification_is_green(canary, sandbox, actor, by):
    other = create(values={"friendly_name": "Other", "contact_identity": "+33777999999"}).event.target_sid
    if by == "identity":  # what has no flow's SID is found by the value alone
        sandbox.inject(Fault(FaultKind.REFUSE, status=400, code=20001, method="POST"))
        create(values={"friendly_name": NAME, "contact_identity": NUMBER})
        audit.append(
            action="audit.export", stage="access", result="succeeded", actor=actor,
            payload=Payload(requested={"filters": {"q": NUMBER}}),
        )  # fmt: skip

    out, err = erase(f"--{by}", canary if by == "flow" else NUMBER, "--reason", "asked for")

    exports = [ran("export_audit", "--format", form)[0].encode() for form in ("ndjson", "csv")]
    assert found(*exports) == []
    assert evidence.verify().bad_seq is None
    assert Flow.objects.get().sid == other
    assert AuditPayload.objects.filter(friendly_name="Other", erased_at=None).count() == 2
    assert "Database compacted." in out
    assert err.startswith("Not erased: ")


def test_erased_payload_that_is_tampered_with_is_still_found(canary):
    erase("--identity", NUMBER)
    AuditPayload.objects.filter(pk=3).update(friendly_name="other")

    with pytest.raises(CommandError, match="Event 3 has a payload"):
        ran("verify_audit")


@pytest.fixture
def event(actor):
    about = Payload(friendly_name=NAME, contact_identity=NUMBER)
    return audit.append(
        action="flow.update",
        stage="outcome",
        result="failed",
        actor=actor,
        target_sid="FO" + "1" * 32,
        payload=about,
    )


@pytest.fixture
def compacted(monkeypatch):
    """How often the database was written anew, without doing it."""
    calls = []
    monkeypatch.setattr(compaction, "compact", lambda: calls.append(1))
    return calls


def test_erasure_tells_what_it_did_and_who_did_it(event, actor, compacted):
    out, _ = erase("--flow", event.target_sid, "--reason", "asked for")

    erased = AuditEvent.objects.get(action="audit.erase")
    assert out.splitlines() == [
        "Erased personal data from 1 events (1) and 0 flows (logged as event 2).",
        "Database compacted.",
    ]
    assert erased.actor_label.startswith("CLI (")
    assert erased.reason == "asked for"


def test_erasure_of_nothing_still_writes_the_database_anew(event, compacted):
    """As after one that was killed in between."""
    erase("--identity", NUMBER)

    out, _ = erase("--identity", NUMBER)

    assert "Nothing to erase" in out
    assert len(compacted) == 2
    assert AuditEvent.objects.filter(action="audit.erase").count() == 1


def test_erasure_warns_of_a_flow_that_twilio_still_has(sandbox, flow_sid, compacted):
    _, err = erase("--flow", flow_sid)

    assert f"Twilio still has {flow_sid}" in err


def test_erasure_warns_of_what_it_left(event, actor, compacted):
    audit.append(
        action="flow.update", stage="outcome", result="failed", actor=actor, reason=f"for {NUMBER}",
        payload=Payload(contact_identity=NUMBER + "7"),
    )  # fmt: skip

    _, err = erase("--identity", NUMBER)

    assert "Events 2 contain it in their reason" in err
    assert "Events 2 were not erased" in err
    assert NUMBER not in err


@pytest.mark.parametrize(("options", "told"), [
    (["--flow", "FO1"], "Not a Flex Flow SID"),
    (["--identity", " x "], "too short"),
    ([], "one of the arguments"),
    (["--flow", "FO" + "1" * 32, "--identity", NUMBER], "not allowed with"),
    (["--identity", NUMBER, "--reason", f"{NUMBER} asked"], "reason contains"),
], ids=["sid", "short", "nothing", "both", "reason"])  # fmt: skip
def test_erasure_that_is_asked_for_wrongly_erases_nothing(event, compacted, options, told):
    with pytest.raises(CommandError, match=told):
        erase(*options)

    assert compacted == []
    assert AuditPayload.objects.get().erased_at is None


def test_erasure_while_a_change_is_open_says_which(sandbox, flow_sid, compacted):
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    lost = rename(flow_sid).event

    with pytest.raises(CommandError, match=rf"unknown outcome \(event {lost.seq}\)"):
        erase("--flow", flow_sid)

    assert compacted == []


def test_erasure_that_is_not_on_record_erases_nothing(event, compacted, monkeypatch):
    def broken(*_args, **_kwargs):
        raise DatabaseError

    monkeypatch.setattr(AuditEvent, "save", broken)

    with pytest.raises(CommandError, match="nothing was erased"):
        erase("--identity", NUMBER)

    assert AuditPayload.objects.get().erased_at is None


def test_files_that_could_not_be_written_anew_are_no_success(event, monkeypatch):
    def in_the_way():
        raise NotCompacted("Another connection is in the way.")

    monkeypatch.setattr(compaction, "compact", in_the_way)

    with pytest.raises(
        CommandError, match=r"maybe not from the database's files\. Another connection is in the way"
    ):
        erase("--identity", NUMBER)

    assert AuditPayload.objects.get(pk=1).erased_at is not None
