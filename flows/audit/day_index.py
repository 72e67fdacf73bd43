"""Where in the log each day's events are (`AuditDay`): the database keeps it by itself at each insert, so that no way
of writing the log can pass it by. On SQLite and PostgreSQL; a migration installs it.
"""

from __future__ import annotations

from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper

from flows.core import triggers
from flows.core.triggers import Trigger

_EVENT_TABLE, _DAY_TABLE = "flows_auditevent", "flows_auditday"
_DAY_EXPRESSION: Final = {
    "sqlite": "date({row}at)",
    "postgresql": "({row}at AT TIME ZONE 'UTC')::date",
}


def _upsert_statement(vendor: str, least: str, most: str) -> str:
    """The statement that takes a new event into its day's row."""
    return (
        f"INSERT INTO {_DAY_TABLE} (day, first, last) VALUES ({_DAY_EXPRESSION[vendor].format(row='NEW.')}, NEW.seq, NEW.seq) "  # noqa: S608 - constants only
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
    """From here on, and for the events that are there already. Can be done again at any time."""
    day = _DAY_EXPRESSION[connection.vendor].format(row="")
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
