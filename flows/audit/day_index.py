"""Where in the log each day's events are (`AuditDay`): the database keeps it by itself at each insert, so that no way
of writing the log can pass it by. On SQLite and PostgreSQL; a migration installs it.
"""

from __future__ import annotations

from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper

from flows.core import triggers
from flows.core.triggers import Trigger

_EVENTS, _DAYS = "flows_auditevent", "flows_auditday"
_DAY: Final = {"sqlite": "date({row}at)", "postgresql": "({row}at AT TIME ZONE 'UTC')::date"}


def _note(vendor: str, least: str, most: str) -> str:
    """The statement that takes a new event into its day's row."""
    return (
        f"INSERT INTO {_DAYS} (day, first, last) VALUES ({_DAY[vendor].format(row='NEW.')}, NEW.seq, NEW.seq) "  # noqa: S608 - constants only  # nosec B608
        f"ON CONFLICT (day) DO UPDATE SET first = {least}({_DAYS}.first, excluded.first), "
        f"last = {most}({_DAYS}.last, excluded.last);"
    )


TRIGGERS: Final[dict[str, tuple[Trigger, ...]]] = {
    "sqlite": (Trigger("audit_days", _EVENTS, "AFTER INSERT", _note("sqlite", "min", "max")),),
    "postgresql": (
        Trigger(
            "audit_days",
            _EVENTS,
            "AFTER INSERT",
            f"{_note('postgresql', 'LEAST', 'GREATEST')} RETURN NULL;",
        ),
    ),
}


def install(connection: BaseDatabaseWrapper) -> None:
    """From here on, and for the events that are there already. Can be done again at any time."""
    day = _DAY[connection.vendor].format(row="")
    triggers.drop(connection, TRIGGERS[connection.vendor])
    triggers.create(connection, TRIGGERS[connection.vendor])
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {_DAYS}")  # noqa: S608 - constants only  # nosec B608
        cursor.execute(
            f"INSERT INTO {_DAYS} (day, first, last) "  # noqa: S608 - constants only  # nosec B608
            f"SELECT {day}, min(seq), max(seq) FROM {_EVENTS} GROUP BY 1"
        )


def remove(connection: BaseDatabaseWrapper) -> None:
    triggers.drop(connection, TRIGGERS[connection.vendor])
