"""What a load balancer asks, signed in or not."""

import pytest
from django.db import DatabaseError
from django.db.migrations.executor import MigrationExecutor


def test_live_needs_no_database(client):
    assert client.get("/health/live/").json() == {"status": "live"}


@pytest.mark.django_db
def test_ready_with_every_migration(client):
    assert client.get("/health/ready/").json() == {"status": "ready"}


@pytest.mark.django_db
def test_not_ready_with_a_migration_missing(client, monkeypatch):
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *_: ["0003"])

    answer = client.get("/health/ready/")

    assert (answer.status_code, answer.json()["database"]) == (503, "lacks migrations")


@pytest.mark.django_db
def test_not_ready_without_the_database(client, monkeypatch):
    def away(*_args):
        raise DatabaseError

    monkeypatch.setattr(MigrationExecutor, "migration_plan", away)

    answer = client.get("/health/ready/")

    assert (answer.status_code, answer.json()["database"]) == (503, "does not answer")
