"""Appending is durable and all-or-nothing, also with faults of the database and concurrent writers."""

import os
import subprocess
import sys
import uuid
from pathlib import Path
from unittest import mock

import pytest
from django.db import InterfaceError, OperationalError, connection, transaction

from flows.audit import audit_log
from flows.audit.audit_log import NotRecorded
from flows.audit.models import AuditEvent, AuditPayload, ChainHead, OpenDrift
from tests.faults.acting import (
    OMAR,
    assert_chain_intact,
    database_url,
    failing_inserts,
    locked_log,
    read_only_database,
    run_concurrently,
)
from tests.flows.audit.appending import SID, append, attempt, observe_flows
from tests.patience import HANG_TIMEOUT

FIELDS = {"action": "flow.update", "stage": "access", "result": "denied", "actor": OMAR}


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
def test_commit_of_the_site_reaches_the_disk(settings):
    site = connection.copy()
    site.settings_dict["OPTIONS"] = settings.SITE_DATABASE_OPTIONS
    with site.cursor() as cursor:
        if site.vendor == "sqlite":
            cursor.execute("PRAGMA synchronous")
            assert cursor.fetchone() == (2,)
            cursor.execute("PRAGMA journal_mode")
            assert cursor.fetchone() == ("wal",)
        else:
            cursor.execute("SHOW synchronous_commit")
            assert cursor.fetchone() == ("on",)
    site.close()


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


def append_twice_and_raise(error):
    with audit_log.transaction() as log:
        log.append(**FIELDS)
        log.append(**FIELDS)
        raise error


@pytest.mark.django_db(transaction=True)
def test_transaction_commits_all_its_events_or_none():
    with pytest.raises(LookupError):
        append_twice_and_raise(LookupError())

    assert not AuditEvent.objects.exists()
    with audit_log.transaction() as log:
        events = [log.append(**FIELDS), log.append(**FIELDS)]
        assert log.last_seq == 2
    assert list(AuditEvent.objects.order_by("seq")) == events
    assert_chain_intact(2)


@pytest.mark.django_db(transaction=True)
def test_transaction_reports_an_error_of_the_database_as_not_recorded():
    with pytest.raises(NotRecorded):
        append_twice_and_raise(OperationalError("disk full"))

    assert not AuditEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_transaction_without_an_event_leaves_the_log_as_it_is():
    append()
    with audit_log.transaction():
        pass

    assert audit_log.last_seq() == 1
    append()
    assert_chain_intact(2)


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

        errors = [process.communicate(timeout=HANG_TIMEOUT)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert errors == [""] * 4
    assert [process.returncode for process in processes] == [0] * 4
    assert_chain_intact(60)
    assert AuditEvent.objects.values("actor_id").distinct().count() == 4
