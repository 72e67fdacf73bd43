"""The mirror's narrow half, `flows_flowentry`: what the list filters, searches and sorts by, without the snapshots, which
are ten times as much to read. The database itself keeps it in step with the mirror by triggers, on SQLite and
PostgreSQL.
"""

from __future__ import annotations

from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper

TABLE: Final = "flows_flowentry"
_FLOWS: Final = "flows_flow"
COLUMNS: Final = (
    "sid",
    "account_sid",
    "name_folded",
    "identity_folded",
    "channel_type",
    "integration_type",
    "enabled",
    "date_updated",
    "gone_at",
)


def _of(row: str) -> str:
    return ", ".join(f"{row}{column}" for column in COLUMNS)


_INSERT: Final = f"INSERT INTO {TABLE} ({_of('')}) VALUES ({_of('new.')});"  # noqa: S608 - constants only  # nosec B608
_DELETE: Final = f"DELETE FROM {TABLE} WHERE sid = old.sid;"  # noqa: S608  # nosec B608
_UPDATE: Final = f"UPDATE {TABLE} SET ({_of('')}) = ({_of('new.')}) WHERE sid = old.sid;"  # noqa: S608  # nosec B608
_EVENTS: Final = {"insert": _INSERT, "delete": _DELETE, "update": _UPDATE}
TRIGGERS: Final = tuple(f"narrow_{event}" for event in _EVENTS)


def install(connection: BaseDatabaseWrapper) -> None:
    """Takes over what is there, and everything from now on. Can be done again at any time."""
    lift(connection)
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {TABLE}")  # noqa: S608  # nosec B608
        cursor.execute(f"INSERT INTO {TABLE} ({_of('')}) SELECT {_of('')} FROM {_FLOWS}")  # noqa: S608  # nosec B608
        for event, body in _EVENTS.items():
            name, moves = f"narrow_{event}", f"({_of('old.')}) IS {{}} ({_of('new.')})"
            if connection.vendor == "sqlite":
                when = f"WHEN {moves.format('NOT')}" if event == "update" else ""
                cursor.execute(f"CREATE TRIGGER {name} AFTER {event} ON {_FLOWS} {when} BEGIN {body} END")
            elif connection.vendor == "postgresql":
                when = f"WHEN ({moves.format('DISTINCT FROM')})" if event == "update" else ""
                cursor.execute(
                    f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$"
                )
                cursor.execute(
                    f"CREATE TRIGGER {name} AFTER {event} ON {_FLOWS} FOR EACH ROW {when} EXECUTE FUNCTION {name}()"
                )
            else:
                raise NotImplementedError(f"nothing keeps {TABLE} in step on {connection.vendor}")


def lift(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        for event in _EVENTS:
            if connection.vendor == "sqlite":
                cursor.execute(f"DROP TRIGGER IF EXISTS narrow_{event}")
            else:
                cursor.execute(f"DROP FUNCTION IF EXISTS narrow_{event}() CASCADE")
