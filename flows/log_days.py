"""Where in the log each day's events are (`AuditDay`): the database keeps it by itself at each insert, so that no way
of writing the log can pass it by. On SQLite and PostgreSQL; a migration installs it.
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

_EVENTS, _DAYS = "flows_auditevent", "flows_auditday"
_DAY = {"sqlite": "date({row}at)", "postgresql": "({row}at AT TIME ZONE 'UTC')::date"}
_SMALLEST = {"sqlite": ("min", "max"), "postgresql": ("LEAST", "GREATEST")}


def install(connection: BaseDatabaseWrapper) -> None:
    """From here on, and for the events that are there already."""
    day, (least, most) = _DAY[connection.vendor], _SMALLEST[connection.vendor]
    kept = (
        f"INSERT INTO {_DAYS} (day, first, last) VALUES ({day.format(row='NEW.')}, NEW.seq, NEW.seq) "  # noqa: S608 - constants only  # nosec B608
        f"ON CONFLICT (day) DO UPDATE SET first = {least}({_DAYS}.first, excluded.first), "
        f"last = {most}({_DAYS}.last, excluded.last);"
    )
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"CREATE TRIGGER audit_days AFTER INSERT ON {_EVENTS} BEGIN {kept} END")
        else:
            cursor.execute(
                "CREATE FUNCTION audit_days() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN {kept} RETURN NULL; END $$"
            )
            cursor.execute(
                f"CREATE TRIGGER audit_days AFTER INSERT ON {_EVENTS} FOR EACH ROW EXECUTE FUNCTION audit_days()"
            )
        cursor.execute(
            f"INSERT INTO {_DAYS} (day, first, last) "  # noqa: S608 - constants only  # nosec B608
            f"SELECT {day.format(row='')}, min(seq), max(seq) FROM {_EVENTS} GROUP BY 1"
        )


def remove(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER audit_days")
        else:
            cursor.execute("DROP FUNCTION audit_days() CASCADE")
