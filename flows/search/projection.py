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
_SOURCE_TABLE: Final = "flows_flow"
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


def _column_list(row: str) -> str:
    return ", ".join(f"{row}{column}" for column in COLUMNS)


_INSERT_ROW: Final = f"INSERT INTO {TABLE} ({_column_list('')}) VALUES ({_column_list('new.')});"  # noqa: S608 - constants only
_DELETE_ROW: Final = f"DELETE FROM {TABLE} WHERE sid = old.sid;"  # noqa: S608
_UPDATE_ROW: Final = (
    f"UPDATE {TABLE} SET ({_column_list('')}) = ({_column_list('new.')}) WHERE sid = old.sid;"  # noqa: S608
)
_COLUMNS_DIFFER: Final = f"({_column_list('old.')}) IS {{}} ({_column_list('new.')})"
_STATEMENTS: Final = {"insert": _INSERT_ROW, "delete": _DELETE_ROW, "update": _UPDATE_ROW}


def _build_triggers(returning: str, different: str) -> tuple[Trigger, ...]:
    """The three triggers, whose bodies end in `returning`; an update counts where the columns are `different`."""
    return tuple(
        Trigger(
            f"narrow_{event}",
            _SOURCE_TABLE,
            f"AFTER {event}",
            f"{body}{returning}",
            when=_COLUMNS_DIFFER.format(different) if event == "update" else "",
        )
        for event, body in _STATEMENTS.items()
    )


TRIGGERS: Final = {
    "sqlite": _build_triggers("", "NOT"),
    "postgresql": _build_triggers(" RETURN NULL;", "DISTINCT FROM"),
}


def install(connection: BaseDatabaseWrapper) -> None:
    """Takes over what is there, and everything from now on. Can be done again at any time."""
    if connection.vendor not in TRIGGERS:
        raise NotImplementedError(f"nothing keeps {TABLE} in step on {connection.vendor}")
    drop(connection)
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {TABLE}")  # noqa: S608
        cursor.execute(
            f"INSERT INTO {TABLE} ({_column_list('')}) "  # noqa: S608 - constants only
            f"SELECT {_column_list('')} FROM {_SOURCE_TABLE}"
        )
    triggers.create_triggers(connection, TRIGGERS[connection.vendor])


def drop(connection: BaseDatabaseWrapper) -> None:
    triggers.drop_triggers(connection, TRIGGERS[connection.vendor])


def find_stray_sid(connection: BaseDatabaseWrapper) -> str:
    """The SID of a flow that this table and the mirror have differently, or nothing. One statement, so that a write
    between two can't look like a difference."""
    mirror, entries = (
        f"SELECT {_column_list('')} FROM {table}"  # noqa: S608 - constants only
        for table in (_SOURCE_TABLE, TABLE)
    )
    one_way, other_way = (
        f"SELECT * FROM ({first} EXCEPT {second}) AS only_{number}"  # noqa: S608
        for number, (first, second) in enumerate(((mirror, entries), (entries, mirror)))
    )
    with connection.cursor() as cursor:
        cursor.execute(f"{one_way} UNION ALL {other_way} LIMIT 1")
        row = cursor.fetchone()
    return str(row[0]) if row else ""
