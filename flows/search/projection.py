"""The mirror's narrow half, `flows_flowentry`: what the list filters, searches and sorts by, without the snapshots, which
are ten times as much to read. The database itself keeps it in step with the mirror by triggers, on SQLite and
PostgreSQL.
"""

from __future__ import annotations

from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper

from flows.core import triggers
from flows.core.triggers import Trigger

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
_MOVES: Final = f"({_of('old.')}) IS {{}} ({_of('new.')})"
_BODIES: Final = {"insert": _INSERT, "delete": _DELETE, "update": _UPDATE}


def _triggers(returning: str, different: str) -> tuple[Trigger, ...]:
    """The three triggers, whose bodies end in `returning`; an update counts where the columns are `different`."""
    return tuple(
        Trigger(
            f"narrow_{event}",
            _FLOWS,
            f"AFTER {event}",
            f"{body}{returning}",
            when=_MOVES.format(different) if event == "update" else "",
        )
        for event, body in _BODIES.items()
    )


TRIGGERS: Final = {
    "sqlite": _triggers("", "NOT"),
    "postgresql": _triggers(" RETURN NULL;", "DISTINCT FROM"),
}


def install(connection: BaseDatabaseWrapper) -> None:
    """Takes over what is there, and everything from now on. Can be done again at any time."""
    if connection.vendor not in TRIGGERS:
        raise NotImplementedError(f"nothing keeps {TABLE} in step on {connection.vendor}")
    lift(connection)
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {TABLE}")  # noqa: S608  # nosec B608
        cursor.execute(f"INSERT INTO {TABLE} ({_of('')}) SELECT {_of('')} FROM {_FLOWS}")  # noqa: S608  # nosec B608
    triggers.create(connection, TRIGGERS[connection.vendor])


def lift(connection: BaseDatabaseWrapper) -> None:
    triggers.drop(connection, TRIGGERS[connection.vendor])


def stray_sid(connection: BaseDatabaseWrapper) -> str:
    """The SID of a flow that this table and the mirror have differently, or nothing. One statement, so that a write
    between two can't look like a difference."""
    mirror, entries = (f"SELECT {_of('')} FROM {table}" for table in (_FLOWS, TABLE))  # noqa: S608 - constants only  # nosec B608
    one_way, other_way = (
        f"SELECT * FROM ({first} EXCEPT {second}) AS only_{number}"  # noqa: S608  # nosec B608
        for number, (first, second) in enumerate(((mirror, entries), (entries, mirror)))
    )
    with connection.cursor() as cursor:
        cursor.execute(f"{one_way} UNION ALL {other_way} LIMIT 1")  # nosec B608
        row = cursor.fetchone()
    return str(row[0]) if row else ""
