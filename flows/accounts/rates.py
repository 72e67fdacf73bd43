"""Twilio's rates, agreed on in the database by all processes and machines of a site.

A row holds the places of one account and kind of call. A turn is booked by comparing and replacing the row,
over a connection that is nobody else's, and the booking is over before anybody waits for the turn: no lock
and no transaction is held meanwhile. Where the row can't be read or written (a database that is read-only,
full or away), this process keeps to the rates by itself; what goes over them then, Twilio answers with 429,
and it is repeated.
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
from flows.twilio.rates import CALLS_PER_SECOND, PROCESS_RATE_LIMITER, RateLimiter, next_turn

log = logging.getLogger(__name__)

# Milliseconds that a lock is waited for: the row's, or on SQLite the one that every writer takes.
LOCK_TIMEOUT_MS: Final = {"postgresql": 500, "sqlite": 2000}
CONNECT_TIMEOUT: Final = 2  # seconds
MAX_ATTEMPTS: Final = 50  # against others who replace the row at the same moment
RETRY_DELAY: Final = 1.0  # seconds, where the database failed

# The moment is the database's: several machines' clocks need not agree.
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
    INSERT INTO flows_ratelimit (account_sid, operation, free_at) VALUES (%s, %s, '[]') ON CONFLICT DO NOTHING
"""
_UPDATE: Final = """
    UPDATE flows_ratelimit SET free_at = %s WHERE account_sid = %s AND operation = %s AND free_at = %s
"""
# What is lost in a power cut is at most some turns that nobody waits for any more, so no commit waits for
# the disk.
_SESSION_SETTINGS: Final = {
    "postgresql": (
        "SET synchronous_commit = off",
        f"SET lock_timeout = {LOCK_TIMEOUT_MS['postgresql']}",
        f"SET statement_timeout = {4 * LOCK_TIMEOUT_MS['postgresql']}",
    ),
    "sqlite": ("PRAGMA synchronous = NORMAL", f"PRAGMA busy_timeout = {LOCK_TIMEOUT_MS['sqlite']}"),
}


class _BookingContention(Error):
    """Others were faster each time."""


class DatabaseRateLimiter:
    """`flows.twilio.rates.RateLimiter` of all processes that share the database. `otherwise`: where it can't be
    asked."""

    def __init__(self, otherwise: RateLimiter = PROCESS_RATE_LIMITER) -> None:
        self._fallback = otherwise
        self._lock = threading.Lock()  # around short statements, never around a wait for a turn
        self._connection: BaseDatabaseWrapper | None = None
        self._of: tuple[int, Any] | None = None
        self._failed_at: float | None = None

    def book(self, account_sid: str, operation: str, *, patience: float) -> float | None:
        with self._lock:
            if self._failed_at is None or time.monotonic() - self._failed_at >= RETRY_DELAY:
                try:
                    wait = self._book_with_reconnect(account_sid, operation, patience)
                except Error as error:
                    self._suspend(error)
                else:
                    self._failed_at = None
                    return wait
        return self._fallback.book(account_sid, operation, patience=patience)

    def close(self) -> None:
        """Close the connection; the next booking makes another."""
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
        self._disconnect()  # the server was restarted meanwhile
        return self._compare_and_replace(account_sid, operation, patience)

    def _compare_and_replace(
        self, account_sid: str, operation: str, patience: float
    ) -> float | None:
        connection = self._open_connection()
        one = [account_sid, operation]
        with connection.cursor() as cursor, _exclusive_transaction(cursor, connection.vendor):
            for _ in range(MAX_ATTEMPTS):
                cursor.execute(_SELECT[connection.vendor], one)
                read_at = time.monotonic()
                row = cursor.fetchone()
                if row is None:
                    cursor.execute(_INSERT, one)
                    continue
                known, now = row
                booking = next_turn(
                    _parse_free_at(known),
                    CALLS_PER_SECOND[operation],
                    current_time=float(now),
                    patience=patience,
                )
                if booking is None:
                    return None
                free_at = json.dumps([round(at, 4) for at in booking.free_at])
                cursor.execute(_UPDATE, [free_at, *one, known])
                if cursor.rowcount == 1:
                    return booking.wait - (time.monotonic() - read_at)
        raise _BookingContention("the turns could not be booked")

    def _open_connection(self) -> BaseDatabaseWrapper:
        # A forked process must not use its parent's connection, nor a test an earlier test's.
        of = (os.getpid(), connections.settings["default"]["NAME"])
        if self._connection is None or self._of != of:
            self._connection = made = create_unpooled_connection()
            self._of = of
            made.inc_thread_sharing()
            if made.vendor == "postgresql":
                made.settings_dict["OPTIONS"]["connect_timeout"] = CONNECT_TIMEOUT
            with made.cursor() as cursor:
                for setting in _SESSION_SETTINGS[made.vendor]:
                    cursor.execute(setting)
        return self._connection

    def _suspend(self, error: Error) -> None:
        if self._failed_at is None:
            log.warning(
                "Twilio's rates can't be agreed on in the database (%s): this process keeps to them by itself.",
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
    """Be SQLite's writer from the start: it would read first, then wait for the others, and book a turn that is over.
    PostgreSQL's others only wait for a row."""
    if vendor == "sqlite":
        cursor.execute("BEGIN IMMEDIATE")
    yield  # an error ends the connection, and the transaction with it
    if vendor == "sqlite":
        cursor.execute("COMMIT")


def _parse_free_at(text: str) -> list[float]:
    try:
        return [float(at) for at in json.loads(text)]
    except (ValueError, TypeError):
        return []


SHARED_RATE_LIMITER: Final = DatabaseRateLimiter()
