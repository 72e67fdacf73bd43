"""The narrow table of the flow list, `flows_flowentry`.

It has the columns that the list filters, searches and sorts by. The snapshots, which it leaves out,
are ten times as much to read. Triggers keep it in step with the mirror, on SQLite and PostgreSQL.
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


_INSERT_ROW: Final = (
    f"INSERT INTO {TABLE} ({_column_list('')}) "  # noqa: S608 - constants only
    f"VALUES ({_column_list('new.')});"
)
_DELETE_ROW: Final = f"DELETE FROM {TABLE} WHERE sid = old.sid;"  # noqa: S608
_UPDATE_ROW: Final = (
    f"UPDATE {TABLE} SET ({_column_list('')}) = ({_column_list('new.')}) WHERE sid = old.sid;"  # noqa: S608
)
_COLUMNS_DIFFER: Final = f"({_column_list('old.')}) IS {{}} ({_column_list('new.')})"
_STATEMENTS: Final = {"insert": _INSERT_ROW, "delete": _DELETE_ROW, "update": _UPDATE_ROW}


def _build_triggers(*, suffix: str, negation: str) -> tuple[Trigger, ...]:
    """Return the triggers for each event. `suffix` ends their bodies.

    An update counts if the columns differ; `negation` follows IS in the database's SQL for that.
    """
    return tuple(
        Trigger(
            f"narrow_{event}",
            _SOURCE_TABLE,
            f"AFTER {event}",
            f"{body}{suffix}",
            when=_COLUMNS_DIFFER.format(negation) if event == "update" else "",
        )
        for event, body in _STATEMENTS.items()
    )


TRIGGERS: Final = {
    "sqlite": _build_triggers(suffix="", negation="NOT"),
    "postgresql": _build_triggers(suffix=" RETURN NULL;", negation="DISTINCT FROM"),
}


def install(connection: BaseDatabaseWrapper) -> None:
    """Copy all flows of the mirror and create the triggers. Safe to repeat."""
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
    """Return the SID of a flow that differs between this table and the mirror, or an empty string.

    It is one statement, so that a write in between can't look like a difference.
    """
    mirror = f"SELECT {_column_list('')} FROM {_SOURCE_TABLE}"  # noqa: S608 - constants only
    entries = f"SELECT {_column_list('')} FROM {TABLE}"  # noqa: S608
    only_mirror = f"SELECT * FROM ({mirror} EXCEPT {entries}) AS only_mirror"  # noqa: S608
    only_entries = f"SELECT * FROM ({entries} EXCEPT {mirror}) AS only_entries"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(f"{only_mirror} UNION ALL {only_entries} LIMIT 1")
        row = cursor.fetchone()
    return str(row[0]) if row else ""
