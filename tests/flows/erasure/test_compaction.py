"""Compaction of the database, and the reports of what prevents it."""

from pathlib import Path

import pytest
from django.db import DatabaseError, connection

from flows.erasure import compaction
from flows.erasure.compaction import CompactionFailed
from flows.mirror.models import Flow

pytestmark = pytest.mark.django_db(transaction=True)

sqlite_only = pytest.mark.skipif("connection.vendor != 'sqlite'", reason="needs SQLite's files")
postgresql_only = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="needs PostgreSQL's snapshots"
)


@pytest.fixture
def short_timeouts(monkeypatch):
    """Wait for no other connection."""
    monkeypatch.setattr(compaction, "WAIT_TIMEOUT", 0.0)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 20")
    yield
    connection.close()


@pytest.fixture
def other():
    """A cursor of another connection, which is closed after the test."""
    other_connection = connection.copy()
    with other_connection.cursor() as cursor:
        yield cursor
        cursor.execute("ROLLBACK")
    other_connection.close()


def test_compaction_keeps_the_rows():
    Flow.objects.create(sid="FO1", mirrored_at="2026-11-01T00:00:00Z")

    compaction.compact()

    assert Flow.objects.get().sid == "FO1"


def test_idle_connection_does_not_prevent_compaction(other):
    other.execute("SELECT 1")
    other.execute("BEGIN")

    compaction.compact()


@sqlite_only
def test_reader_of_an_older_state_is_reported(short_timeouts, other):
    other.execute("BEGIN DEFERRED")
    other.execute("SELECT count(*) FROM flows_flow")

    with pytest.raises(CompactionFailed, match="reads an older state"):
        compaction.compact()


@sqlite_only
def test_writer_is_reported(short_timeouts, other):
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(CompactionFailed, match="locked"):
        compaction.compact()


@postgresql_only
@pytest.mark.parametrize(("statement", "error"), [
    ("SELECT count(*) FROM auth_user", "still uses"),
    ("LOCK TABLE flows_flow IN ACCESS SHARE MODE", "Couldn't compact the database"),
])  # fmt: skip
def test_transaction_that_prevents_compaction_is_reported(short_timeouts, other, statement, error):
    other.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    other.execute(statement)
    # A row that the other transaction may not see.
    Flow.objects.create(sid="FO1", mirrored_at="2026-11-01T00:00:00Z")

    with pytest.raises(CompactionFailed, match=error):
        compaction.compact()


@postgresql_only
def test_lock_timeout_is_restored_after_compaction():
    before = _lock_timeout()

    compaction.compact()

    assert _lock_timeout() == before


def _lock_timeout():
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        return cursor.fetchone()[0]


def test_full_disk_is_reported():
    def fail_vacuum(execute, sql, params, many, context):
        if sql.startswith("VACUUM"):
            raise DatabaseError("the disk is full")
        return execute(sql, params, many, context)

    with (
        connection.execute_wrapper(fail_vacuum),
        pytest.raises(CompactionFailed, match="the disk is full"),
    ):
        compaction.compact()


@sqlite_only
def test_deleted_data_is_overwritten():
    compaction.enable_secure_delete()

    with connection.cursor() as cursor:
        cursor.execute("PRAGMA secure_delete")
        assert cursor.fetchone()[0] == 1


@sqlite_only
def test_data_deleted_earlier_is_removed_from_the_file():
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA secure_delete = OFF")
    Flow.objects.create(
        sid="FO1", friendly_name="kanarienvogel " * 1000, mirrored_at="2026-11-01T00:00:00Z"
    )
    Flow.objects.all().delete()
    with connection.cursor() as cursor:
        # Closing alone may not do this, while another connection of the process is open.
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    file = Path(connection.settings_dict["NAME"])
    assert b"kanarienvogel" in file.read_bytes()

    compaction.compact()

    assert b"kanarienvogel" not in file.read_bytes()
