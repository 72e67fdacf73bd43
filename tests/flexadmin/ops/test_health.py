"""Health checks, without sign-in. Real failures of the database are in tests/faults/test_database.py."""

import threading

import pytest
from django.db import DatabaseError
from django.db.migrations.executor import MigrationExecutor

from flexadmin.ops import health
from flows.audit import audit_log, verification
from flows.audit.models import ChainHead
from tests.faults.acting import OMAR, run_concurrently
from tests.patience import HANG_TIMEOUT


@pytest.fixture(autouse=True)
def _new_check_for_each_test(monkeypatch):
    monkeypatch.setattr(health, "RESULT_TTL", 0)
    monkeypatch.setattr(health._DatabaseCheck, "_latest", None)


def test_live_needs_no_database(client):
    assert client.get("/health/live/").json() == {"status": "live"}


@pytest.mark.django_db(transaction=True)
def test_ready_with_every_migration(client):
    assert client.get("/health/ready/").json() == {"status": "ready"}


@pytest.mark.django_db(transaction=True)
def test_ready_changes_no_data(client):
    audit_log.append(action="test.first", stage="access", result="denied", actor=OMAR)
    head = ChainHead.objects.values().get()

    client.get("/health/ready/")

    assert ChainHead.objects.values().get() == head
    assert verification.verify().bad_seq is None


@pytest.mark.django_db(transaction=True)
def test_not_ready_with_a_migration_missing(client, monkeypatch):
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *_: ["0003"])

    answer = client.get("/health/ready/")

    assert (answer.status_code, answer.json()["database"]) == (503, "migrations are missing")


@pytest.mark.django_db(transaction=True)
def test_not_ready_without_the_database(client, monkeypatch):
    def fail(*_args):
        raise DatabaseError

    monkeypatch.setattr(MigrationExecutor, "migration_plan", fail)

    answer = client.get("/health/ready/")

    assert (answer.status_code, answer.json()["database"]) == (503, "does not answer")


@pytest.mark.django_db(transaction=True)
def test_concurrent_requests_share_one_check(client, monkeypatch):
    """Anyone can send requests, because the check needs no sign-in."""
    runs, hold = [], threading.Event()

    def slow(*_args):
        runs.append(1)
        hold.wait(HANG_TIMEOUT)
        return []

    monkeypatch.setattr(MigrationExecutor, "migration_plan", slow)
    monkeypatch.setattr(health, "CHECK_TIMEOUT", 0.05)

    answers = run_concurrently(*[lambda: client.get("/health/ready/") for _ in range(8)])

    assert [answer.json() for answer in answers] == [
        {"status": "not ready", "database": "does not answer in time"}
    ] * 8
    check = health._DatabaseCheck.latest()
    hold.set()
    check.join(HANG_TIMEOUT)
    assert len(runs) == 1


@pytest.mark.django_db(transaction=True)
def test_result_is_reused_for_a_moment(client, monkeypatch):
    monkeypatch.setattr(health, "RESULT_TTL", 1000)
    runs, plan = [], MigrationExecutor.migration_plan
    monkeypatch.setattr(
        MigrationExecutor, "migration_plan", lambda *args: runs.append(1) or plan(*args)
    )

    answers = [client.get("/health/ready/").json() for _ in range(5)]

    assert answers == [{"status": "ready"}] * 5
    assert len(runs) == 1
