"""Twilio's rate limits, shared through the database by all processes and machines of a site.

A row holds the slots of one account and operation. Each Twilio product has operations of its own. A booking compares and replaces the row over a
connection of its own, and is finished before the caller waits for its turn. So no lock and no
transaction is held during the wait.

If the database can't be read or written, each process limits its own calls. Calls beyond Twilio's
limit are then answered with 429 and repeated.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from flows.core.database import create_unpooled_connection
from flows.twilio.rates import PROCESS_RATE_LIMITER, RateLimiter, calls_per_second, next_turn

log = logging.getLogger(__name__)

# Longest wait for a lock: the row's on PostgreSQL, the single write lock on SQLite.
LOCK_TIMEOUT_MS: Final = {"postgresql": 500, "sqlite": 2000}
CONNECT_TIMEOUT: Final = 2  # seconds
MAX_ATTEMPTS: Final = 50  # each fails only if another process replaced the row meanwhile
RETRY_DELAY: Final = 1.0  # seconds until the database is tried again after an error

# The current time is the database's, because the clocks of several machines differ.
_SELECT: Final = {
    "postgresql": """
        SELECT free_at, extract(epoch FROM clock_timestamp()) FROM flows_ratelimit
        WHERE account_sid = %s AND operation = %s
    """,
    "sqlite": """
        SELECT free_at, (julianday('now') - 2440587.5) * 86400.0 FROM flows_ratelimit
        WHERE account_sid = %s AND operation = %s
    """,
}
_INSERT: Final = """
    INSERT INTO flows_ratelimit (account_sid, operation, free_at) VALUES (%s, %s, '[]')
    ON CONFLICT DO NOTHING
"""
_UPDATE: Final = """
    UPDATE flows_ratelimit SET free_at = %s
    WHERE account_sid = %s AND operation = %s AND free_at = %s
"""
# A power cut may lose bookings, which no caller still waits for. So commits don't wait for the
# disk.
_SESSION_SETTINGS: Final = {
    "postgresql": (
        "SET synchronous_commit = off",
        f"SET lock_timeout = {LOCK_TIMEOUT_MS['postgresql']}",
        f"SET statement_timeout = {4 * LOCK_TIMEOUT_MS['postgresql']}",
    ),
    "sqlite": ("PRAGMA synchronous = NORMAL", f"PRAGMA busy_timeout = {LOCK_TIMEOUT_MS['sqlite']}"),
}


class _BookingContention(Error):
    """Other processes replaced the row in each attempt to book."""


class DatabaseRateLimiter:
    """A `flows.twilio.rates.RateLimiter` shared by all processes that use the database.

    `fallback` limits the calls of this process while the database fails.
    """

    def __init__(self, fallback: RateLimiter = PROCESS_RATE_LIMITER) -> None:
        self._fallback = fallback
        self._lock = threading.Lock()  # held for short statements, never while a caller waits
        self._connection: BaseDatabaseWrapper | None = None
        self._connection_owner: tuple[int, Any] | None = None
        self._failed_at: float | None = None

    def book(self, account_sid: str, operation: str, *, patience: float) -> float | None:
        """Book the next turn, as `RateLimiter.book` describes."""
        with self._lock:
            if not self._is_suspended():
                try:
                    wait = self._book_with_reconnect(account_sid, operation, patience)
                except Error as error:
                    self._suspend(error)
                else:
                    self._failed_at = None
                    return wait
        return self._fallback.book(account_sid, operation, patience=patience)

    def close(self) -> None:
        """Close the connection. The next booking opens another."""
        with self._lock:
            self._disconnect()

    def _book_with_reconnect(
        self, account_sid: str, operation: str, patience: float
    ) -> float | None:
        try:
            return self._compare_and_replace(account_sid, operation, patience)
        except Error:
            if self._connection is None or self._connection.is_usable():
                raise
        self._disconnect()  # the server was restarted since the last booking
        return self._compare_and_replace(account_sid, operation, patience)

    def _compare_and_replace(
        self, account_sid: str, operation: str, patience: float
    ) -> float | None:
        connection = self._open_connection()
        row_key = [account_sid, operation]
        with connection.cursor() as cursor, _exclusive_transaction(cursor, connection.vendor):
            for _ in range(MAX_ATTEMPTS):
                cursor.execute(_SELECT[connection.vendor], row_key)
                read_at = time.monotonic()
                row = cursor.fetchone()
                if row is None:
                    cursor.execute(_INSERT, row_key)
                    continue
                stored_free_at, database_time = row
                booking = next_turn(
                    _parse_free_at(stored_free_at),
                    calls_per_second(operation),
                    current_time=float(database_time),
                    patience=patience,
                )
                if booking is None:
                    return None
                free_at = json.dumps([round(at, 4) for at in booking.free_at])
                cursor.execute(_UPDATE, [free_at, *row_key, stored_free_at])
                if cursor.rowcount == 1:
                    return booking.wait - (time.monotonic() - read_at)
        raise _BookingContention("the turns could not be booked")

    def _open_connection(self) -> BaseDatabaseWrapper:
        # A forked process must not use its parent's connection, nor a test an earlier test's.
        owner = (os.getpid(), connections.settings["default"]["NAME"])
        if self._connection is not None and self._connection_owner == owner:
            return self._connection
        self._connection = connection = create_unpooled_connection()
        self._connection_owner = owner
        connection.inc_thread_sharing()
        if connection.vendor == "postgresql":
            connection.settings_dict["OPTIONS"]["connect_timeout"] = CONNECT_TIMEOUT
        with connection.cursor() as cursor:
            for setting in _SESSION_SETTINGS[connection.vendor]:
                cursor.execute(setting)
        return connection

    def _is_suspended(self) -> bool:
        if self._failed_at is None:
            return False
        return time.monotonic() - self._failed_at < RETRY_DELAY

    def _suspend(self, error: Error) -> None:
        if self._failed_at is None:
            log.warning(
                "Twilio's rates can't be agreed on in the database (%s): "
                "this process keeps to them by itself.",
                type(error).__name__,
            )
        self._failed_at = time.monotonic()
        self._disconnect()

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


@contextmanager
def _exclusive_transaction(cursor: CursorWrapper, vendor: str) -> Iterator[None]:
    """Take SQLite's write lock before the row is read.

    A lock taken later would wait for other writers after the read and book a turn in the past.
    PostgreSQL needs no transaction, because its writers wait for the row only.
    """
    if vendor == "sqlite":
        cursor.execute("BEGIN IMMEDIATE")
    yield  # after an error the connection is closed, which rolls the transaction back
    if vendor == "sqlite":
        cursor.execute("COMMIT")


def _parse_free_at(text: str) -> list[float]:
    try:
        return [float(at) for at in json.loads(text)]
    except (ValueError, TypeError):
        return []


SHARED_RATE_LIMITER: Final = DatabaseRateLimiter()
