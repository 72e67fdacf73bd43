"""What was erased also leaves the database's files: they are written anew without what was freed in them. Another
connection that still sees the past is in the way; that is said, never passed over.
"""

from __future__ import annotations

import time
from typing import Final

from django.contrib.sessions.models import Session
from django.db import Error, connection
from django_tasks_db.models import DBTaskResult

from flows import trigrams
from flows.models import (
    AuditEntry,
    AuditPayload,
    Closure,
    Flow,
    FlowEntry,
    OpenChange,
    OpenDrift,
    Plan,
    PlannedChange,
    SavedView,
    SyncState,
)

TABLES: Final = tuple(
    model._meta.db_table
    for model in (
        AuditEntry,
        AuditPayload,
        Flow,
        FlowEntry,
        OpenChange,
        OpenDrift,
        Plan,
        PlannedChange,
        SavedView,
        Closure,
        SyncState,
        DBTaskResult,
        Session,
    )
)
PATIENCE: Final = 10.0  # seconds that another connection may take to end what it is doing
BEYOND_REACH: Final = {
    "sqlite": "backups and snapshots of the database file, and exports of the log that were made earlier",
    "postgresql": "the server's WAL and its archives, replicas, backups, its own catalogs of statistics, and exports "
    "of the log that were made earlier",
}


class NotCompacted(Exception):
    """The files may still hold what was erased; `str()` says why."""


def overwrite_what_is_freed() -> None:
    """From now on this connection leaves nothing in what it frees. PostgreSQL has no such setting."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA secure_delete = ON")
            cursor.fetchall()


def compact() -> None:
    """Writes the tables that held personal data anew, and empties the write-ahead log where that can be done.
    Raises `NotCompacted`."""
    try:
        if connection.vendor == "sqlite":
            _write_file_anew()
        else:
            _write_tables_anew()
    except Error as error:
        raise NotCompacted(f"Couldn't compact the database: {error}".strip()) from error


def beyond_reach() -> str:
    """Where else the data may be, as the end of a sentence."""
    return BEYOND_REACH[connection.vendor]


def _write_file_anew() -> None:
    trigrams.forget_what_is_gone(connection)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        is_busy, *_ = cursor.fetchone()
    if is_busy:
        raise NotCompacted("Another connection still reads an older state, which stays in the WAL.")


def _write_tables_anew() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text")
        _wait_for_older_readers(cursor.fetchone()[0])
        cursor.execute("SET lock_timeout = %s", [f"{max(1, int(PATIENCE * 1000))}ms"])
        try:
            for table in TABLES:
                # With its statistics: they quote frequent values.
                cursor.execute(f"VACUUM (FULL, ANALYZE) {connection.ops.quote_name(table)}")
        finally:
            cursor.execute("RESET lock_timeout")


def _wait_for_older_readers(xact_id: str) -> None:
    """What is dead for us is kept by VACUUM as long as somebody could still see it."""
    deadline = time.monotonic() + PATIENCE
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                "SELECT count(*) FROM ("
                " SELECT backend_xmin AS oldest FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND backend_type NOT LIKE 'autovacuum%%'"
                " AND (datname IS NULL OR datname = current_database())"  # without one: a replica's feedback
                " UNION ALL SELECT xmin FROM pg_replication_slots"
                " UNION ALL SELECT transaction FROM pg_prepared_xacts WHERE database = current_database()) AS others"
                " WHERE age(oldest) > age(%s::xid8::xid)",
                [xact_id],
            )
            if not cursor.fetchone()[0]:
                return
            if time.monotonic() > deadline:
                raise NotCompacted(
                    "Another connection, replication slot or prepared transaction still uses the old state."
                )
            time.sleep(0.1)
