"""Appending to the audit log: hashes, refused events, and all-or-nothing commits."""

import hashlib
import hmac
import json
import os
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import pytest
from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from flows.audit import audit_log, chain
from flows.audit.audit_log import (
    Actor,
    AlreadyRecorded,
    ConcurrentChange,
    NotRecorded,
    Observation,
    Payload,
)
from flows.audit.models import AuditEvent, AuditPayload, ChainHead, OpenDrift
from tests.faults.acting import (
    OMAR,
    SECRET,
    SECRET_URL,
    assert_chain_intact,
    database_url,
    dump_tables,
    failing_inserts,
    locked_log,
    read_only_database,
    run_concurrently,
)

SID = "FO" + "1" * 32
ODD_TEXTS = {
    "unicode": "Ünïcödé · 東京 · 👩\u200d👩\u200d👧 · e\u0301",
    "nul": "before\x00after",
    "surrogates": "\ud800 alone, \udc00 too, and \ud83d\ude00 a pair",
    "controls": "\x01\x1f\x7f\u2028 line",
    "quotes": "'\"\\ ; DROP TABLE --",
}
ODD_JSON = {
    "floats": {"a": 0.1, "b": 1e3, "c": 1e-7, "d": -0.0, "e": 1.5e300, "f": 5e-324, "g": 2.5},
    "not numbers": {"a": float("nan"), "b": float("inf"), "c": float("-inf")},
    "big integers": {"a": 2**64, "b": -(10**400), "c": 2**53 + 1},
    "nested": {"a": [{"b": [1, [2, {"c": None}]]}, [], {}], "": "empty key", "tuple": (1, 2)},
    "odd keys": {"nul\x00key": 1, "\ud800": 2, "é": 3, "e\u0301": 4, "10": 1, "9": 2},
    "booleans": {"a": True, "b": 1, "c": False, "d": 0, "e": None},
    "dates": {"a": "2026-11-21T08:40:00.123456Z"},
}


def append(**values):
    event_values = {
        "action": "flow.update",
        "stage": "access",
        "result": "denied",
        "actor": OMAR,
        **values,
    }
    return audit_log.append(**event_values)


def attempt(**values):
    return append(**{"stage": "attempt", "result": "pending", "change_id": uuid.uuid4(), **values})


def reloaded(event):
    return AuditEvent.objects.select_related("payload").get(pk=event.pk)


@pytest.mark.django_db
def test_append_orders_and_chains_events():
    events = [append() for _ in range(3)]

    assert [event.seq for event in events] == [1, 2, 3]
    assert events[0].previous_hash == chain.GENESIS
    assert_chain_intact(3)
    assert ChainHead.objects.get().hash == events[-1].hash
    assert str(events[1]) == "2 flow.update access denied"
    assert (str(events[1].payload), str(ChainHead.objects.get())) == ("payload of 2", "audit 3")


@pytest.mark.django_db
def test_append_stores_every_argument():
    change, request = uuid.uuid4(), uuid.uuid4()
    actor = Actor(
        id="9",
        label="ada",
        role="admin",
        source_ip="2001:db8::1",
        user_agent="curl",
        request_id=str(request),
    )

    event = reloaded(append(
        stage="outcome", result="failed", actor=actor, change_id=change, target_sid=SID, reason="why",
        changed_fields=["enabled"], remote_status=400, remote_code=20001, remote_request_id="RQ1",
        duration_ms=12, payload=Payload(friendly_name="A", contact_identity="+1", before={"a": 1},
        requested={"a": 2}, after={"a": 3}, message="no"),
    ))  # fmt: skip

    assert (event.change_id, event.request_id, event.account_sid) == (
        change,
        request,
        "AC" + "5a" * 16,
    )
    assert (event.actor_id, event.actor_label, event.actor_role) == ("9", "ada", "admin")
    assert (event.source_ip, event.user_agent, event.target_sid) == ("2001:db8::1", "curl", SID)
    assert (event.remote_status, event.remote_code, event.remote_request_id) == (400, 20001, "RQ1")
    assert (event.reason, event.changed_fields, event.duration_ms) == ("why", ["enabled"], 12)
    body = event.payload
    assert (body.friendly_name, body.contact_identity, body.message) == ("A", "+1", "no")
    assert (body.before, body.requested, body.after) == ({"a": 1}, {"a": 2}, {"a": 3})


@pytest.mark.django_db
@pytest.mark.parametrize("text", ODD_TEXTS.values(), ids=ODD_TEXTS)
def test_hash_is_recomputable_with_odd_text(text):
    actor = Actor(id="7", label=text, user_agent=text)

    append(
        actor=actor,
        reason=text,
        remote_request_id=text[:60],
        payload=Payload(
            friendly_name=text, contact_identity=text, message=text, before={"name": [text]}
        ),
    )

    assert_chain_intact(1)
    assert "\x00" not in AuditPayload.objects.get().friendly_name


@pytest.mark.django_db
@pytest.mark.parametrize("value", ODD_JSON.values(), ids=ODD_JSON)
def test_hash_is_recomputable_with_odd_json(value):
    append(payload=Payload(before=value, requested=value, after=value))

    assert_chain_intact(1)


@pytest.mark.django_db
@pytest.mark.parametrize("microsecond", [0, 1, 100_000, 123_456, 999_999])
def test_hash_is_recomputable_at_every_microsecond(microsecond):
    at = datetime(2026, 11, 21, 8, 40, 5, microsecond, tzinfo=UTC)

    with mock.patch("django.utils.timezone.now", return_value=at):
        event = append()

    assert reloaded(event).at == at
    assert_chain_intact(1)


@pytest.mark.django_db
@pytest.mark.parametrize("length", [149, 150, 151, 1000])
def test_long_text_is_truncated_and_still_hashed(length):
    actor = Actor(id="7", label="é" * length, source_ip="1" * length, user_agent="u" * length)

    event = append(actor=actor, reason="r" * length, remote_request_id="q" * length)

    assert len(reloaded(event).reason) == min(200, length)
    assert_chain_intact(1)


@pytest.mark.django_db
@pytest.mark.parametrize("refers_to", [None, uuid.UUID(int=6)], ids=["nothing", "another event"])
@pytest.mark.parametrize("findings", [None, {"puzzle": "é"}], ids=["plain", "with findings"])
def test_hash_is_an_hmac_of_canonical_json_in_the_documented_form(settings, refers_to, findings):
    append(
        change_id=uuid.UUID(int=5),
        target_sid=SID,
        refers_to=refers_to,
        payload=Payload(friendly_name="é", before={"b": 1, "a": None}, findings=findings),
    )

    row = AuditEvent.objects.values().get()
    recorded_hash = row.pop("hash")
    row["at"] = row["at"].astimezone(UTC).isoformat(timespec="microseconds")
    if refers_to is None:
        del row["refers_to"]  # added later: hashed only where it has a value
    row = {key: str(value) if isinstance(value, uuid.UUID) else value for key, value in row.items()}
    text = json.dumps(row, sort_keys=True, separators=(",", ":"))
    assert (
        recorded_hash
        == hmac.new(settings.AUDIT_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()
    )
    body = AuditPayload.objects.values().get()
    del body["event_id"], body["erased_at"]
    if findings is None:
        del body["findings"]  # added later: hashed only where it has a value
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    assert (
        row["payload_hash"]
        == hmac.new(settings.AUDIT_KEY.encode(), text.encode(), "sha256").hexdigest()
    )


@pytest.mark.django_db
@pytest.mark.parametrize("name", [
    field.attname for field in AuditEvent._meta.concrete_fields if field.attname != "hash"
])  # fmt: skip
def test_hash_covers_every_field(name):
    event = reloaded(append(change_id=uuid.uuid4(), changed_fields=["enabled"]))

    setattr(event, name, "tampered with")

    assert chain.event_hash(event) != event.hash


@pytest.mark.django_db
@pytest.mark.parametrize("name", [
    "salt", "friendly_name", "contact_identity", "before", "requested", "after", "message"
])  # fmt: skip
def test_payload_hash_covers_every_field(name):
    event = reloaded(append(payload=Payload(before={"a": 1})))

    setattr(event.payload, name, "tampered with")

    assert chain.payload_hash(event.payload) != event.payload_hash


@pytest.mark.django_db
def test_hashes_depend_on_the_key(settings):
    event = reloaded(append())

    settings.AUDIT_KEY = "another-key-0123456789-abcdefghijk"

    assert chain.event_hash(event) != event.hash
    assert chain.payload_hash(event.payload) != event.payload_hash


@pytest.mark.django_db
def test_equal_payloads_have_different_hashes():
    assert append().payload_hash != append().payload_hash


@pytest.mark.django_db
def test_canonical_json_refuses_values_outside_json():
    with pytest.raises(ValueError, match="JSON"):
        chain.canonical_json({"a": float("nan")})


@pytest.mark.django_db
def test_secrets_are_stored_nowhere():
    flow = {"integration_url": SECRET_URL, "unknown": [{"deep": f"see {SECRET_URL} there"}]}

    append(
        reason=f"because {SECRET_URL}",
        payload=Payload(
            friendly_name=f"Hook {SECRET_URL}", contact_identity=SECRET_URL, before=flow, requested=flow,
            after=flow, message=f"Invalid parameter Integration.Url: '{SECRET_URL}'",
        ),
    )  # fmt: skip

    assert SECRET not in dump_tables()
    assert "hooks.example.com" in dump_tables()
    assert_chain_intact(1)


@pytest.mark.django_db
def test_secret_at_the_end_of_a_long_reason_is_masked_before_truncation():
    append(reason="x" * 181 + f"https://{SECRET}@hooks.example.com/")

    assert SECRET not in dump_tables()


@pytest.mark.django_db
@pytest.mark.parametrize("first", [
    {"stage": "attempt", "result": "pending"},
    {"stage": "outcome", "result": "failed"},
])  # fmt: skip
@pytest.mark.parametrize("second", [
    {"stage": "attempt", "result": "pending"},
    {"stage": "outcome", "result": "conflict", "starts_change": True},
])  # fmt: skip
def test_change_starts_once(first, second):
    change_id = uuid.uuid4()
    recorded = append(**first, change_id=change_id)

    with pytest.raises(AlreadyRecorded) as raised:
        append(**second, change_id=change_id)

    assert raised.value.event == recorded
    assert_chain_intact(1)


@pytest.mark.django_db
@pytest.mark.parametrize("stage", ["outcome", "reconciled"])
def test_change_has_each_stage_once(stage):
    change_id = attempt().change_id
    recorded = append(stage=stage, result="unknown", change_id=change_id)

    with pytest.raises(AlreadyRecorded) as raised:
        append(stage=stage, result="applied", change_id=change_id)

    assert raised.value.event == recorded
    assert_chain_intact(2)


@pytest.mark.django_db
def test_outcome_may_come_after_the_reconciliation():
    change_id = attempt().change_id
    append(stage="reconciled", result="applied", change_id=change_id)

    append(stage="outcome", result="succeeded", change_id=change_id)

    assert_chain_intact(3)
    assert audit_log.latest_event(change_id).stage == "outcome"


@pytest.mark.django_db
def test_observed_and_access_may_repeat():
    change_id = uuid.uuid4()

    for stage in ("observed", "access", "observed", "access"):
        append(stage=stage, change_id=change_id)

    assert AuditEvent.objects.count() == 4
    assert_chain_intact()


@pytest.mark.django_db
def test_latest_event_of_an_unknown_change_is_none():
    assert audit_log.latest_event(uuid.uuid4()) is None


@pytest.mark.django_db
def test_attempt_is_refused_while_the_flow_has_an_open_change():
    other = attempt(target_sid=SID)

    with pytest.raises(ConcurrentChange) as raised:
        attempt(target_sid=SID)

    assert raised.value.event == other
    assert_chain_intact(1)


@pytest.mark.django_db
@pytest.mark.parametrize(("stage", "result"), [
    ("outcome", "succeeded"), ("outcome", "failed"), ("reconciled", "applied"), ("reconciled", "not_applied"),
])  # fmt: skip
def test_attempt_after_a_resolved_change(stage, result):
    append(stage=stage, result=result, change_id=attempt(target_sid=SID).change_id, target_sid=SID)

    attempt(target_sid=SID)

    assert_chain_intact(3)


@pytest.mark.django_db
def test_attempt_after_an_unknown_outcome_is_refused_until_it_is_resolved():
    change_id = attempt(target_sid=SID).change_id
    unknown = append(stage="outcome", result="unknown", change_id=change_id, target_sid=SID)

    with pytest.raises(ConcurrentChange) as raised:
        attempt(target_sid=SID)

    assert raised.value.event == unknown
    append(stage="reconciled", result="not_applied", change_id=change_id, target_sid=SID)
    attempt(target_sid=SID)
    assert_chain_intact(4)


@pytest.mark.django_db
def test_attempt_with_an_open_change_of_another_flow():
    attempt(target_sid=SID)

    attempt(target_sid="FO" + "2" * 32)
    attempt(action="flow.create")
    attempt(action="flow.create")

    assert_chain_intact(4)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "age", [timedelta(seconds=59), timedelta(seconds=61), timedelta(days=400)], ids=str
)
def test_attempt_is_refused_however_old_the_attempt_of_a_dead_process_is(age):
    with mock.patch("django.utils.timezone.now", return_value=timezone.now() - age):
        stale_attempt = attempt(target_sid=SID)

    with pytest.raises(ConcurrentChange) as raised:
        attempt(target_sid=SID)

    assert raised.value.event == stale_attempt
    assert list(audit_log.pending_attempts()) == [stale_attempt]


@pytest.mark.django_db
def test_attempt_is_refused_if_the_flow_was_changed_since_the_read():
    read_seq = audit_log.last_seq()
    change_id = attempt(target_sid=SID).change_id
    other = append(stage="outcome", result="succeeded", change_id=change_id, target_sid=SID)

    with pytest.raises(ConcurrentChange) as raised:
        attempt(target_sid=SID, read_seq=read_seq)

    assert raised.value.event == other
    attempt(target_sid=SID, read_seq=audit_log.last_seq())


@pytest.mark.django_db
def test_attempt_after_accesses_and_observations_since_the_read():
    read_seq = audit_log.last_seq()
    append(stage="access", target_sid=SID)
    append(stage="observed", target_sid=SID)

    attempt(target_sid=SID, read_seq=read_seq)

    assert AuditEvent.objects.count() == 3
    assert_chain_intact()


@pytest.mark.django_db(transaction=True)
def test_append_inside_a_transaction_is_refused():
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        append()

    assert not AuditEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_event_is_committed_when_append_returns():
    event = append()

    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT hash FROM flows_auditevent")
        assert cursor.fetchall() == [(event.hash,)]
    other.close()


@pytest.mark.django_db(transaction=True)
def test_commit_reaches_the_disk():
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA synchronous")
            assert cursor.fetchone() == (2,)
            cursor.execute("PRAGMA journal_mode")
            assert cursor.fetchone() == ("wal",)
        else:
            cursor.execute("SHOW synchronous_commit")
            assert cursor.fetchone() == ("on",)


@pytest.mark.django_db(transaction=True)
def test_append_to_a_locked_log_is_not_recorded():
    with locked_log(), pytest.raises(NotRecorded):
        append()

    append()
    assert_chain_intact(2)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", ["flows_auditevent", "flows_auditpayload"])
def test_append_with_a_failing_insert_is_not_recorded(table):
    append()
    with failing_inserts(table), pytest.raises(NotRecorded):
        append()

    assert_chain_intact(1)
    append()
    assert_chain_intact(2)


def observe_flows(*sids, action="flow.drift"):
    """Log these flows as observed at Twilio."""
    observations = [
        Observation(
            action=action, account_sid="AC1", target_sid=sid, payload=Payload(after={"sid": sid})
        )
        for sid in sids
    ]
    return audit_log.observe(observations, read_seq=audit_log.last_seq())


@pytest.mark.django_db
def test_observed_events_are_chained_like_any_other():
    append()

    events = observe_flows(SID, "FO" + "2" * 32)

    assert [(event.seq, event.target_sid) for event in events] == [(2, SID), (3, "FO" + "2" * 32)]
    assert [item.event for item in OpenDrift.objects.order_by("event")] == events
    append()
    assert AuditEvent.objects.count() == 4
    assert_chain_intact()


@pytest.mark.django_db
def test_flow_observed_since_the_read_is_not_observed_twice():
    read_seq = audit_log.last_seq()
    observe_flows(SID)

    events = audit_log.observe(
        [Observation(action="flow.drift", account_sid="AC1", target_sid=SID, payload=Payload())],
        read_seq=read_seq,
    )

    assert events == []
    assert AuditEvent.objects.count() == ChainHead.objects.get().seq == 1


@pytest.mark.django_db
def test_baseline_is_not_in_the_inbox():
    observe_flows(SID, action="flow.baseline")

    assert not OpenDrift.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", ["flows_auditevent", "flows_auditpayload", "flows_opendrift"])
def test_failed_observation_leaves_nothing(table):
    append()
    with failing_inserts(table), pytest.raises(NotRecorded):
        observe_flows(SID)

    assert_chain_intact(1)
    observe_flows(SID)
    assert AuditEvent.objects.count() == 2
    assert_chain_intact()


@pytest.mark.django_db(transaction=True)
def test_threads_observe_and_append_at_once():
    results = run_concurrently(
        *[lambda: [append() for _ in range(10)]] * 4,
        *[lambda n=n: [observe_flows(f"FO{n}{'0' * 30}{i}") for i in range(10)] for n in range(4)],
    )

    assert [len(result) for result in results] == [10] * 8
    assert AuditEvent.objects.count() == 40 + OpenDrift.objects.count() == 80
    assert_chain_intact(40)


@pytest.mark.django_db(transaction=True)
def test_append_to_a_read_only_database_is_not_recorded():
    append()
    with read_only_database(), pytest.raises(NotRecorded):
        append()

    append()
    assert_chain_intact(2)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "error", [OperationalError("server closed"), InterfaceError("connection closed")]
)
def test_append_without_a_connection_is_not_recorded(monkeypatch, error):
    monkeypatch.setattr(AuditPayload, "save", mock.Mock(side_effect=error))

    with pytest.raises(NotRecorded):
        append()

    assert not AuditEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_append_is_not_recorded_after_the_head_was_reset():
    """A log with a manipulated head must not grow a second branch."""
    append()
    append()
    ChainHead.objects.update(seq=1)

    with pytest.raises(NotRecorded):
        append()


@pytest.mark.django_db(transaction=True)
def test_eight_threads_append_at_once():
    results = run_concurrently(*[lambda: [append() for _ in range(10)]] * 8)

    assert [len(result) for result in results] == [10] * 8
    assert_chain_intact(80)


@pytest.mark.django_db(transaction=True)
def test_eight_threads_start_one_change():
    change_id = uuid.uuid4()

    results = run_concurrently(*[lambda: attempt(change_id=change_id, target_sid=SID)] * 8)

    assert sorted(type(result).__name__ for result in results) == ["AlreadyRecorded"] * 7 + [
        "AuditEvent"
    ]
    assert_chain_intact(1)


@pytest.mark.django_db(transaction=True)
def test_eight_threads_start_changes_of_one_flow():
    results = run_concurrently(*[lambda: attempt(target_sid=SID)] * 8)

    assert (
        sorted(type(result).__name__ for result in results)
        == ["AuditEvent"] + ["ConcurrentChange"] * 7
    )
    assert_chain_intact(1)


@pytest.mark.django_db(transaction=True)
def test_four_processes_append_at_once():
    root = Path(__file__).resolve().parents[3]
    environment = {**os.environ, "DATABASE_URL": database_url()}
    command = [sys.executable, "-m", "tests.faults.appender", "15"]
    processes = [
        subprocess.Popen(
            command, cwd=root, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for _ in range(4)
    ]  # fmt: skip
    try:
        assert [process.stdout.readline() for process in processes] == ["ready\n"] * 4

        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()

        errors = [process.communicate(timeout=60)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert errors == [""] * 4
    assert [process.returncode for process in processes] == [0] * 4
    assert_chain_intact(60)
    assert AuditEvent.objects.values("actor_id").distinct().count() == 4


def test_hashed_fields_are_all_columns():
    columns = {field.attname for field in AuditEvent._meta.concrete_fields}

    assert columns == {*chain.HASHED_FIELDS, *chain.OPTIONAL_HASHED_FIELDS, "hash"}
    # Older events were hashed without this column, so it must stay optional.
    assert "refers_to" not in chain.HASHED_FIELDS
