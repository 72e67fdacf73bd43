"""The tally of flows by kind, which spares the list a count: table `flows_flowtally`.

Triggers keep it in step with the mirror, on SQLite and PostgreSQL. A kind is a combination of the
values that the list filters: account, channel, integration and state (true, false, unset or gone).
"""

from __future__ import annotations

from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper

from flows.core import triggers
from flows.core.triggers import Trigger

TABLE: Final = "flows_flowtally"
_SOURCE_TABLE: Final = "flows_flow"
_KEY_COLUMNS: Final = "account_sid, channel_type, integration_type, state"
_STATE_SQL: Final = (
    "CASE WHEN {0}gone_at IS NOT NULL THEN 'gone' WHEN {0}enabled IS NULL THEN 'unset' "
    "WHEN {0}enabled THEN 'true' ELSE 'false' END"
)


def _key_values(row: str = "") -> str:
    """Return the SQL of the kind of a mirror's row."""
    return f"{row}account_sid, {row}channel_type, {row}integration_type, {_STATE_SQL.format(row)}"


_INCREMENT: Final = (
    f"INSERT INTO {TABLE} ({_KEY_COLUMNS}, flows) VALUES ({_key_values('new.')}, 1) "  # noqa: S608 - constants only
    f"ON CONFLICT ({_KEY_COLUMNS}) DO UPDATE SET flows = flows + 1;"
)
_DECREMENT: Final = (
    f"UPDATE {TABLE} SET flows = flows - 1 WHERE ({_KEY_COLUMNS}) = ({_key_values('old.')});"  # noqa: S608
)
# PostgreSQL: once for each statement, because a tally that is written a thousand times in one
# transaction grows slow. Rows are locked in one order, so that two writers can't block each other.
_ADD_ROWS: Final = (
    f"INSERT INTO {TABLE} AS kept ({_KEY_COLUMNS}, flows) "  # noqa: S608
    f"SELECT {_key_values()}, count(*) FROM added GROUP BY 1, 2, 3, 4 "
    f"ORDER BY 1, 2, 3, 4 "
    f"ON CONFLICT ({_KEY_COLUMNS}) DO UPDATE SET flows = kept.flows + excluded.flows;"
)
_SUBTRACT_ROWS: Final = (
    f"PERFORM 1 FROM {TABLE} "  # noqa: S608
    "WHERE account_sid IN (SELECT account_sid FROM removed) "
    f"ORDER BY {_KEY_COLUMNS} FOR UPDATE; "
    f"UPDATE {TABLE} AS kept SET flows = kept.flows - less.flows "
    f"FROM (SELECT {_key_values()}, count(*) AS flows FROM removed GROUP BY 1, 2, 3, 4) "
    f"AS less ({_KEY_COLUMNS}, flows) "
    "WHERE (kept.account_sid, kept.channel_type, kept.integration_type, kept.state) "
    "= (less.account_sid, less.channel_type, less.integration_type, less.state);"
)
_KEY_DIFFERS: Final = f"({_key_values('old.')}) IS NOT ({_key_values('new.')})"
TRIGGERS: Final[dict[str, tuple[Trigger, ...]]] = {
    "sqlite": (
        Trigger("flow_tally_insert", _SOURCE_TABLE, "AFTER INSERT", _INCREMENT),
        Trigger("flow_tally_delete", _SOURCE_TABLE, "AFTER DELETE", _DECREMENT),
        Trigger(
            "flow_tally_update",
            _SOURCE_TABLE,
            "AFTER UPDATE",
            f"{_DECREMENT} {_INCREMENT}",
            when=_KEY_DIFFERS,
        ),
    ),
    "postgresql": tuple(
        Trigger(
            f"flow_tally_{event}",
            _SOURCE_TABLE,
            f"AFTER {event}",
            f"{body} RETURN NULL;",
            referencing=tables,
        )
        for event, tables, body in (
            ("insert", "NEW TABLE AS added", _ADD_ROWS),
            ("delete", "OLD TABLE AS removed", _SUBTRACT_ROWS),
            ("update", "OLD TABLE AS removed NEW TABLE AS added", f"{_SUBTRACT_ROWS} {_ADD_ROWS}"),
        )
    ),
}
_COUNT_QUERY: Final = f"SELECT {_key_values()}, count(*) FROM {_SOURCE_TABLE} GROUP BY 1, 2, 3, 4"  # noqa: S608


def install(connection: BaseDatabaseWrapper) -> None:
    """Count all flows and create the triggers. Safe to repeat."""
    if connection.vendor not in TRIGGERS:
        raise NotImplementedError(f"no tally is written for {connection.vendor}")
    drop(connection)
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {TABLE}")  # noqa: S608
        cursor.execute(f"INSERT INTO {TABLE} ({_KEY_COLUMNS}, flows) {_COUNT_QUERY}")
    triggers.create_triggers(connection, TRIGGERS[connection.vendor])


def drop(connection: BaseDatabaseWrapper) -> None:
    triggers.drop_triggers(connection, TRIGGERS[connection.vendor])


def is_consistent(connection: BaseDatabaseWrapper) -> bool:
    """Return True if the counts are those of the mirror.

    It is one statement, so that a write in between can't look like a difference.
    """
    tally = f"SELECT {_KEY_COLUMNS}, flows FROM {TABLE} WHERE flows <> 0"  # noqa: S608 - constants only
    only_tally = f"SELECT * FROM ({tally}) AS a EXCEPT SELECT * FROM ({_COUNT_QUERY}) AS b"  # noqa: S608
    only_mirror = f"SELECT * FROM ({_COUNT_QUERY}) AS c EXCEPT SELECT * FROM ({tally}) AS d"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT * FROM ({only_tally}) AS e "  # noqa: S608
            f"UNION ALL SELECT * FROM ({only_mirror}) AS f LIMIT 1"
        )
        return cursor.fetchone() is None
