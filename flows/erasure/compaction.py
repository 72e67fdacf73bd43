"""What was erased also leaves the database's files: they are written anew without what was freed in them. Another
connection that still sees the past is in the way; that is said, never passed over.
"""

from __future__ import annotations

import time
from typing import Final

from django.contrib.sessions.models import Session
from django.db import Error, connection
from django_tasks_db.models import DBTaskResult

from flows.audit.models import AuditEntry, AuditPayload, OpenChange, OpenDrift
from flows.availability.models import Closure
from flows.mirror.models import Flow, SyncState
from flows.plans.models import Plan, PlannedChange
from flows.search import trigrams
from flows.search.models import FlowEntry, SavedView

PERSONAL_DATA_TABLES: Final = tuple(
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
WAIT_TIMEOUT: Final = 10.0  # seconds that another connection may take to end what it is doing
UNREACHABLE_COPIES: Final = {
    "sqlite": "backups and snapshots of the database file, and exports of the log that were made earlier",
    "postgresql": "the server's WAL and its archives, replicas, backups, its own catalogs of statistics, and exports "
    "of the log that were made earlier",
}


class CompactionFailed(Exception):
    """The files may still hold what was erased; `str()` says why."""


def enable_secure_delete() -> None:
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
            _vacuum_sqlite()
        else:
            _vacuum_postgresql()
    except Error as error:
        raise CompactionFailed(f"Couldn't compact the database: {error}".strip()) from error


def describe_unreachable_copies() -> str:
    """Where else the data may be, as the end of a sentence."""
    return UNREACHABLE_COPIES[connection.vendor]


def _vacuum_sqlite() -> None:
    trigrams.rebuild_index(connection)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        is_busy, *_ = cursor.fetchone()
    if is_busy:
        raise CompactionFailed(
            "Another connection still reads an older state, which stays in the WAL."
        )


def _vacuum_postgresql() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text")
        _wait_for_older_readers(cursor.fetchone()[0])
        cursor.execute("SET lock_timeout = %s", [f"{max(1, int(WAIT_TIMEOUT * 1000))}ms"])
        try:
            for table in PERSONAL_DATA_TABLES:
                # With its statistics: they quote frequent values.
                cursor.execute(f"VACUUM (FULL, ANALYZE) {connection.ops.quote_name(table)}")
        finally:
            cursor.execute("RESET lock_timeout")


def _wait_for_older_readers(xact_id: str) -> None:
    """What is dead for us is kept by VACUUM as long as somebody could still see it."""
    deadline = time.monotonic() + WAIT_TIMEOUT
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
                raise CompactionFailed(
                    "Another connection, replication slot or prepared transaction still uses the old state."
                )
            time.sleep(0.1)
