"""How many flows of each kind the mirror has: `flows_flowtally`, which the database itself keeps in step with the
mirror by triggers, on SQLite and PostgreSQL. So the list need not count.

A kind is what the list's filters tell apart: account, channel, integration and state (true, false, unset or gone).
"""

from __future__ import annotations

from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper

from flows.core import triggers
from flows.core.triggers import Trigger

TABLE: Final = "flows_flowtally"
_FLOWS: Final = "flows_flow"
_KIND: Final = "account_sid, channel_type, integration_type, state"
_STATE: Final = (
    "CASE WHEN {0}gone_at IS NOT NULL THEN 'gone' WHEN {0}enabled IS NULL THEN 'unset' "
    "WHEN {0}enabled THEN 'true' ELSE 'false' END"
)


def _values(row: str = "") -> str:
    """The kind of a row of the mirror, as SQL."""
    return f"{row}account_sid, {row}channel_type, {row}integration_type, {_STATE.format(row)}"


_ONE_MORE: Final = (
    f"INSERT INTO {TABLE} ({_KIND}, flows) VALUES ({_values('new.')}, 1) "  # noqa: S608 - constants only  # nosec B608
    f"ON CONFLICT ({_KIND}) DO UPDATE SET flows = flows + 1;"
)
_ONE_LESS: Final = f"UPDATE {TABLE} SET flows = flows - 1 WHERE ({_KIND}) = ({_values('old.')});"  # noqa: S608  # nosec B608
# Once a statement: a row of the tally that is written a thousand times in one transaction grows slow. Rows are locked
# in one order, so that two who write can't wait for each other.
_ADDED: Final = (
    f"INSERT INTO {TABLE} AS kept ({_KIND}, flows) SELECT {_values()}, count(*) FROM added GROUP BY 1, 2, 3, 4 "  # noqa: S608  # nosec B608
    f"ORDER BY 1, 2, 3, 4 ON CONFLICT ({_KIND}) DO UPDATE SET flows = kept.flows + excluded.flows;"
)
_REMOVED: Final = (
    f"PERFORM 1 FROM {TABLE} WHERE account_sid IN (SELECT account_sid FROM removed) ORDER BY {_KIND} FOR UPDATE; "  # noqa: S608  # nosec B608
    f"UPDATE {TABLE} AS kept SET flows = kept.flows - less.flows "
    f"FROM (SELECT {_values()}, count(*) AS flows FROM removed GROUP BY 1, 2, 3, 4) AS less ({_KIND}, flows) "
    "WHERE (kept.account_sid, kept.channel_type, kept.integration_type, kept.state) "
    "= (less.account_sid, less.channel_type, less.integration_type, less.state);"
)
_MOVES: Final = f"({_values('old.')}) IS NOT ({_values('new.')})"
TRIGGERS: Final[dict[str, tuple[Trigger, ...]]] = {
    "sqlite": (
        Trigger("flow_tally_insert", _FLOWS, "AFTER INSERT", _ONE_MORE),
        Trigger("flow_tally_delete", _FLOWS, "AFTER DELETE", _ONE_LESS),
        Trigger("flow_tally_update", _FLOWS, "AFTER UPDATE", f"{_ONE_LESS} {_ONE_MORE}", when=_MOVES),
    ),
    "postgresql": tuple(
        Trigger(f"flow_tally_{event}", _FLOWS, f"AFTER {event}", f"{body} RETURN NULL;", referencing=tables)
        for event, tables, body in (
            ("insert", "NEW TABLE AS added", _ADDED),
            ("delete", "OLD TABLE AS removed", _REMOVED),
            ("update", "OLD TABLE AS removed NEW TABLE AS added", f"{_REMOVED} {_ADDED}"),
        )
    ),
}
_COUNTED: Final = f"SELECT {_values()}, count(*) FROM {_FLOWS} GROUP BY 1, 2, 3, 4"  # noqa: S608  # nosec B608


def install(connection: BaseDatabaseWrapper) -> None:
    """Counts what is there, and keeps count from now on. Can be done again at any time."""
    if connection.vendor not in TRIGGERS:
        raise NotImplementedError(f"no tally is written for {connection.vendor}")
    lift(connection)
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {TABLE}")  # noqa: S608  # nosec B608
        cursor.execute(f"INSERT INTO {TABLE} ({_KIND}, flows) {_COUNTED}")  # nosec B608
    triggers.create(connection, TRIGGERS[connection.vendor])


def lift(connection: BaseDatabaseWrapper) -> None:
    triggers.drop(connection, TRIGGERS[connection.vendor])


def is_in_step(connection: BaseDatabaseWrapper) -> bool:
    """Return True if the counts are those of the mirror. One statement, so that a write between two can't look like a
    difference."""
    kept = f"SELECT {_KIND}, flows FROM {TABLE} WHERE flows <> 0"  # noqa: S608 - constants only  # nosec B608
    one_way, other_way = (
        f"SELECT * FROM (SELECT * FROM ({first}) AS a{number} EXCEPT SELECT * FROM ({second}) AS b{number}) AS c{number}"  # noqa: S608  # nosec B608
        for number, (first, second) in enumerate(((kept, _COUNTED), (_COUNTED, kept)))
    )
    with connection.cursor() as cursor:
        cursor.execute(f"{one_way} UNION ALL {other_way} LIMIT 1")  # nosec B608
        return cursor.fetchone() is None
