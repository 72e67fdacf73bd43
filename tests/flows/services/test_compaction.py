"""Writing the database anew: what is in its way is told."""

from pathlib import Path

import pytest
from django.db import DatabaseError, connection

from flows.models import Flow
from flows.services import compaction
from flows.services.compaction import NotCompacted

pytestmark = pytest.mark.django_db(transaction=True)

sqlite_only = pytest.mark.skipif("connection.vendor != 'sqlite'", reason="of SQLite's files")
postgresql_only = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="of PostgreSQL's snapshots")


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(compaction, "PATIENCE", 0.0)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 20")
    yield
    connection.close()


@pytest.fixture
def other():
    """A cursor of another connection, which ends with the test."""
    another = connection.copy()
    with another.cursor() as cursor:
        yield cursor
        cursor.execute("ROLLBACK")
    another.close()


def test_compact_leaves_the_rows():
    Flow.objects.create(sid="FO1", mirrored_at="2026-11-01T00:00:00Z")

    compaction.compact()

    assert Flow.objects.get().sid == "FO1"


def test_connection_that_is_idle_is_not_in_the_way(other):
    other.execute("SELECT 1")
    other.execute("BEGIN")

    compaction.compact()


@sqlite_only
def test_reader_of_an_older_state_is_told(impatient, other):
    other.execute("BEGIN DEFERRED")
    other.execute("SELECT count(*) FROM flows_flow")

    with pytest.raises(NotCompacted, match="reads an older state"):
        compaction.compact()


@sqlite_only
def test_writer_is_told(impatient, other):
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(NotCompacted, match="locked"):
        compaction.compact()


@postgresql_only
@pytest.mark.parametrize(("statement", "told"), [
    ("SELECT count(*) FROM auth_user", "still uses"),
    ("LOCK TABLE flows_flow IN ACCESS SHARE MODE", "Couldn't compact the database"),
])  # fmt: skip
def test_transaction_in_the_way_is_told(impatient, other, statement, told):
    other.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    other.execute(statement)
    Flow.objects.create(sid="FO1", mirrored_at="2026-11-01T00:00:00Z")  # which the other may not see

    with pytest.raises(NotCompacted, match=told):
        compaction.compact()


@postgresql_only
def test_patience_is_asked_of_other_statements_only_here():
    before = _lock_timeout()

    compaction.compact()

    assert _lock_timeout() == before


def _lock_timeout():
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        return cursor.fetchone()[0]


def test_full_disk_is_told(monkeypatch):
    def full(*_args, **_kwargs):
        raise DatabaseError("the disk is full")

    monkeypatch.setattr(
        compaction, "_write_file_anew" if connection.vendor == "sqlite" else "_write_tables_anew", full
    )

    with pytest.raises(NotCompacted, match="the disk is full"):
        compaction.compact()


@sqlite_only
def test_what_is_freed_is_overwritten():
    compaction.overwrite_what_is_freed()

    with connection.cursor() as cursor:
        cursor.execute("PRAGMA secure_delete")
        assert cursor.fetchone()[0] == 1


@sqlite_only
def test_what_was_freed_long_ago_leaves_the_file_too():
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA secure_delete = OFF")
    Flow.objects.create(sid="FO1", friendly_name="kanarienvogel " * 1000, mirrored_at="2026-11-01T00:00:00Z")
    Flow.objects.all().delete()
    with connection.cursor() as cursor:  # another connection of this process may keep the log of writes
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    file = Path(connection.settings_dict["NAME"])
    assert b"kanarienvogel" in file.read_bytes()

    compaction.compact()

    assert b"kanarienvogel" not in file.read_bytes()
