"""Database helpers for short lock timeouts, lost connections and batches of values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Final, TypeVar

from django.db import Error, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

Value = TypeVar("Value")

SHORT_LOCK_TIMEOUT = 1.0  # seconds
BATCH_SIZE: Final = 500  # values in one query, within every database's limit of parameters


@contextmanager
def short_lock_timeout() -> Iterator[None]:
    """Wait only `SHORT_LOCK_TIMEOUT` for locks in this block, which serves optional writes.

    A lock that stays taken raises an `OperationalError`.
    """
    milliseconds = round(SHORT_LOCK_TIMEOUT * 1000)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA busy_timeout")
            (usual_milliseconds,) = cursor.fetchone()
            set_timeout = f"PRAGMA busy_timeout = {milliseconds}"
            reset_timeout = f"PRAGMA busy_timeout = {usual_milliseconds}"
        else:
            set_timeout = f"SET lock_timeout = {milliseconds}"
            reset_timeout = "RESET lock_timeout"
        cursor.execute(set_timeout)
    try:
        yield
    finally:
        # A lost connection raises here; the next connection has the usual timeout.
        with suppress(Error), connection.cursor() as cursor:
            cursor.execute(reset_timeout)


def find_nonempty_tables(*models: type[Model]) -> frozenset[type[Model]]:
    """Return those of these models that have a row, with one query.

    A page that shows the rows of several tables, which are mostly empty, saves the other queries.
    """
    quote = connection.ops.quote_name
    checks = (f"EXISTS (SELECT 1 FROM {quote(model._meta.db_table)})" for model in models)  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(checks)}")
        (row,) = cursor.fetchall()
    return frozenset(model for model, has_rows in zip(models, row, strict=True) if has_rows)


def aggregate_as_json(*columns: str) -> str:
    """Return the SQL of an aggregate: the rows of a group as a JSON list of lists, as text.

    With it, a query can have rows of another table in a column, and no second query is needed.
    """
    values = ", ".join(columns)
    if connection.vendor == "sqlite":
        return f"json_group_array(json_array({values}))"
    return f"COALESCE(CAST(json_agg(json_build_array({values})) AS text), '[]')"


def as_utc(moment: datetime | None) -> datetime | None:
    """Return a time that raw SQL read. SQLite has times without their zone, which is always UTC."""
    return moment and moment.replace(tzinfo=moment.tzinfo or UTC)


def close_lost_connection() -> None:
    """Close the connection if it is lost, so that the next query opens another."""
    is_open = connection.connection is not None and not connection.in_atomic_block
    if is_open and not connection.is_usable():
        connection.close()


def create_unpooled_connection() -> BaseDatabaseWrapper:
    """Return a separate connection, outside any pool, that connects on first use.

    A pool would wait for a server that refuses connections, or for a free connection.
    """
    unpooled = connections.create_connection("default")
    options = dict(unpooled.settings_dict["OPTIONS"])
    options.pop("pool", None)
    unpooled.settings_dict = {**unpooled.settings_dict, "OPTIONS": options}
    return unpooled


def split_batches(values: Sequence[Value]) -> Iterator[Sequence[Value]]:
    """Return the values in batches that fit into one query."""
    return (values[start : start + BATCH_SIZE] for start in range(0, len(values), BATCH_SIZE))
