"""What a load balancer asks, signed in or not. The database in real trouble is in tests/faults/test_database.py."""

import threading

import pytest
from django.db import DatabaseError
from django.db.migrations.executor import MigrationExecutor

from flexadmin import health
from flows.models import ChainHead
from flows.services import audit, evidence
from tests.faults.acting import OMAR, together


@pytest.fixture(autouse=True)
def _each_answer_of_its_own(monkeypatch):
    monkeypatch.setattr(health, "KEPT_FOR", 0)
    monkeypatch.setattr(health._Check, "_latest", None)


def test_live_needs_no_database(client):
    assert client.get("/health/live/").json() == {"status": "live"}


@pytest.mark.django_db(transaction=True)
def test_ready_with_every_migration(client):
    assert client.get("/health/ready/").json() == {"status": "ready"}


@pytest.mark.django_db(transaction=True)
def test_ready_changes_nothing_that_anybody_reads(client):
    audit.append(action="test.first", stage="access", result="denied", actor=OMAR)
    head = ChainHead.objects.values().get()

    client.get("/health/ready/")

    assert ChainHead.objects.values().get() == head
    assert evidence.verify().bad_seq is None


@pytest.mark.django_db(transaction=True)
def test_not_ready_with_a_migration_missing(client, monkeypatch):
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *_: ["0003"])

    answer = client.get("/health/ready/")

    assert (answer.status_code, answer.json()["database"]) == (503, "migrations are missing")


@pytest.mark.django_db(transaction=True)
def test_not_ready_without_the_database(client, monkeypatch):
    def away(*_args):
        raise DatabaseError

    monkeypatch.setattr(MigrationExecutor, "migration_plan", away)

    answer = client.get("/health/ready/")

    assert (answer.status_code, answer.json()["database"]) == (503, "does not answer")


@pytest.mark.django_db(transaction=True)
def test_many_who_ask_at_once_cost_one_look(client, monkeypatch):
    """It can be asked without signing in."""
    looks, hold = [], threading.Event()

    def slow(*_args):
        looks.append(1)
        hold.wait(20)
        return []

    monkeypatch.setattr(MigrationExecutor, "migration_plan", slow)
    monkeypatch.setattr(health, "PATIENCE", 0.05)

    answers = together(*[lambda: client.get("/health/ready/") for _ in range(8)])

    assert [answer.json() for answer in answers] == [
        {"status": "not ready", "database": "does not answer in time"}
    ] * 8
    assert len(looks) == 1
    hold.set()
    health._Check.latest().join(20)


@pytest.mark.django_db(transaction=True)
def test_answer_holds_for_a_moment(client, monkeypatch):
    monkeypatch.setattr(health, "KEPT_FOR", 1000)
    looks, plan = [], MigrationExecutor.migration_plan
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *args: looks.append(1) or plan(*args))

    answers = [client.get("/health/ready/").json() for _ in range(5)]

    assert answers == [{"status": "ready"}] * 5
    assert len(looks) == 1
