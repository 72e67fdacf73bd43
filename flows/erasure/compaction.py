"""Removal of erased data from the database's files, by rewriting them without freed space.

A connection that still sees the old state prevents this. `CompactionFailed` then says so.
"""

from __future__ import annotations

import time
from typing import Final

from django.contrib.sessions.models import Session
from django.db import Error, connection
from django_tasks_db.models import DBTaskResult

from flows.approvals.models import ChangeRequest
from flows.audit.models import AuditEntry, AuditPayload, OpenChange, OpenDrift
from flows.availability.models import Closure
from flows.checks.models import StoredFinding
from flows.local_details.models import FlowTag, LocalDetails
from flows.migration.models import FlowMigration, MigrationStep
from flows.mirror.models import Flow, SyncState
from flows.names.models import ResourceName
from flows.plans.models import Plan, PlannedChange
from flows.schedules.models import Schedule
from flows.search import trigrams
from flows.search.models import FlowEntry, SavedView, Target, TargetUse

PERSONAL_DATA_TABLES: Final = tuple(
    model._meta.db_table
    for model in (
        AuditEntry,
        AuditPayload,
        ChangeRequest,
        Schedule,
        Flow,
        FlowEntry,
        FlowTag,
        LocalDetails,
        OpenChange,
        OpenDrift,
        Plan,
        PlannedChange,
        ResourceName,
        SavedView,
        StoredFinding,
        Target,
        TargetUse,
        Closure,
        SyncState,
        FlowMigration,
        MigrationStep,
        DBTaskResult,
        Session,
    )
)
WAIT_TIMEOUT: Final = 10.0  # seconds that another connection may take to finish its transaction
UNREACHABLE_COPIES: Final = {
    "sqlite": (
        "backups and snapshots of the database file, and exports of the log that were made earlier"
    ),
    "postgresql": (
        "the server's WAL and its archives, replicas, backups, its own catalogs of statistics, "
        "and exports of the log that were made earlier"
    ),
}
# Counts the transactions that are older than the given one and may still see deleted rows. A
# backend without a database name is a replica's.
_OLDER_READERS_QUERY: Final = """
    SELECT count(*) FROM (
        SELECT backend_xmin AS oldest FROM pg_stat_activity
        WHERE pid <> pg_backend_pid() AND backend_type NOT LIKE 'autovacuum%%'
            AND (datname IS NULL OR datname = current_database())
        UNION ALL
        SELECT xmin FROM pg_replication_slots
        UNION ALL
        SELECT transaction FROM pg_prepared_xacts WHERE database = current_database()
    ) AS others
    WHERE age(oldest) > age(%s::xid8::xid)
"""


class CompactionFailed(Exception):
    """The files may still contain erased data. The message gives the reason."""


def enable_secure_delete() -> None:
    """Make SQLite overwrite what this connection deletes. PostgreSQL has no such setting."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA secure_delete = ON")
            cursor.fetchall()


def compact() -> None:
    """Rewrite the tables that held personal data, and empty SQLite's write-ahead log.

    Raises `CompactionFailed`.
    """
    try:
        if connection.vendor == "sqlite":
            _vacuum_sqlite()
        else:
            _vacuum_postgresql()
    except Error as error:
        raise CompactionFailed(f"Couldn't compact the database: {error}".strip()) from error


def describe_unreachable_copies() -> str:
    """Return the places that an erasure can't reach, as the end of a sentence."""
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
                # ANALYZE too, because the statistics quote frequent values.
                cursor.execute(f"VACUUM (FULL, ANALYZE) {connection.ops.quote_name(table)}")
        finally:
            cursor.execute("RESET lock_timeout")


def _wait_for_older_readers(xact_id: str) -> None:
    """Wait for transactions that still see deleted rows, which VACUUM would therefore keep."""
    deadline = time.monotonic() + WAIT_TIMEOUT
    with connection.cursor() as cursor:
        while True:
            cursor.execute(_OLDER_READERS_QUERY, [xact_id])
            (reader_count,) = cursor.fetchone()
            if not reader_count:
                return
            if time.monotonic() > deadline:
                raise CompactionFailed(
                    "Another connection, replication slot or prepared transaction still uses "
                    "the old state."
                )
            time.sleep(0.1)
