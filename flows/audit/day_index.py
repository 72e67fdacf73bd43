"""Trigger that maintains `AuditDay`, the first and last event of each day.

The database runs it at each insert, so that no way of writing the log can bypass it. Migration 0011
installs it on SQLite and PostgreSQL.
"""

from __future__ import annotations

from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper

from flows.core import triggers
from flows.core.triggers import Trigger

_EVENT_TABLE, _DAY_TABLE = "flows_auditevent", "flows_auditday"
DAY_EXPRESSION: Final = {
    "sqlite": "date({row}at)",
    "postgresql": "({row}at AT TIME ZONE 'UTC')::date",
}


def _upsert_statement(vendor: str, least: str, most: str) -> str:
    """Return the statement that adds a new event to its day's row.

    `least` and `most` are the database's functions for the smaller and the larger of two values.
    """
    day = DAY_EXPRESSION[vendor].format(row="NEW.")
    return (
        f"INSERT INTO {_DAY_TABLE} (day, first, last) "  # noqa: S608 - constants only
        f"VALUES ({day}, NEW.seq, NEW.seq) "
        f"ON CONFLICT (day) DO UPDATE SET first = {least}({_DAY_TABLE}.first, excluded.first), "
        f"last = {most}({_DAY_TABLE}.last, excluded.last);"
    )


TRIGGERS: Final[dict[str, tuple[Trigger, ...]]] = {
    "sqlite": (
        Trigger(
            "audit_days", _EVENT_TABLE, "AFTER INSERT", _upsert_statement("sqlite", "min", "max")
        ),
    ),
    "postgresql": (
        Trigger(
            "audit_days",
            _EVENT_TABLE,
            "AFTER INSERT",
            f"{_upsert_statement('postgresql', 'LEAST', 'GREATEST')} RETURN NULL;",
        ),
    ),
}


def install(connection: BaseDatabaseWrapper) -> None:
    """Create the trigger and fill the table from the existing events. May be repeated."""
    day = DAY_EXPRESSION[connection.vendor].format(row="")
    triggers.drop_triggers(connection, TRIGGERS[connection.vendor])
    triggers.create_triggers(connection, TRIGGERS[connection.vendor])
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {_DAY_TABLE}")  # noqa: S608 - constants only
        cursor.execute(
            f"INSERT INTO {_DAY_TABLE} (day, first, last) "  # noqa: S608 - constants only
            f"SELECT {day}, min(seq), max(seq) FROM {_EVENT_TABLE} GROUP BY 1"
        )


def remove(connection: BaseDatabaseWrapper) -> None:
    triggers.drop_triggers(connection, TRIGGERS[connection.vendor])
