"""What the services know of the database's troubles: locks that don't come free, connections that are lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from django.db import Error, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

SHORT_LOCK_TIMEOUT = 1.0  # seconds
BATCH_SIZE: Final = 500  # values that fit into one query


@contextmanager
def short_lock_timeout() -> Iterator[None]:
    """For what is only nice to have: a lock that is not free soon raises an `OperationalError` in here. Anything
    else waits as long as the settings say."""
    milliseconds = round(SHORT_LOCK_TIMEOUT * 1000)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA busy_timeout")
            (usual,) = cursor.fetchone()
            begin, end = f"PRAGMA busy_timeout = {milliseconds}", f"PRAGMA busy_timeout = {usual}"
        else:
            begin, end = f"SET lock_timeout = {milliseconds}", "RESET lock_timeout"
        cursor.execute(begin)
    try:
        yield
    finally:
        with (
            suppress(Error),
            connection.cursor() as cursor,
        ):  # a connection that is lost took it along
            cursor.execute(end)


def close_lost_connection() -> None:
    """Has the next query connect anew if the connection is lost, instead of failing like all that follow."""
    is_open = connection.connection is not None and not connection.in_atomic_block
    if is_open and not connection.is_usable():
        connection.close()


def create_unpooled_connection() -> BaseDatabaseWrapper:
    """A connection of its own, not made yet. A pool would wait for a server that refuses, or for the others
    to give one back."""
    made = connections.create_connection("default")
    options = {
        name: value for name, value in made.settings_dict["OPTIONS"].items() if name != "pool"
    }
    made.settings_dict = {**made.settings_dict, "OPTIONS": options}
    return made


def split_batches(sids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Return the SIDs in portions that fit into one query."""
    return (sids[start : start + BATCH_SIZE] for start in range(0, len(sids), BATCH_SIZE))
