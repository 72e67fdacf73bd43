"""How many flows of each kind the mirror has: `flows_flowtally`, which the database itself keeps in step with the
mirror by triggers, on SQLite and PostgreSQL. So the list need not count.

A kind is what the list's filters tell apart: account, channel, integration and state (true, false, unset or gone).
"""

from __future__ import annotations

from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper

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
_SQLITE: Final = {
    "flow_tally_insert": f"AFTER INSERT ON {_FLOWS} BEGIN {_ONE_MORE} END",
    "flow_tally_delete": f"AFTER DELETE ON {_FLOWS} BEGIN {_ONE_LESS} END",
    "flow_tally_update": f"AFTER UPDATE ON {_FLOWS} WHEN ({_values('old.')}) IS NOT ({_values('new.')}) "
    f"BEGIN {_ONE_LESS} {_ONE_MORE} END",
}

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
_POSTGRESQL: Final = {
    "insert": ("NEW TABLE AS added", _ADDED),
    "delete": ("OLD TABLE AS removed", _REMOVED),
    "update": ("OLD TABLE AS removed NEW TABLE AS added", f"{_REMOVED} {_ADDED}"),
}
TRIGGERS: Final = tuple(_SQLITE)


def install(connection: BaseDatabaseWrapper) -> None:
    """Counts what is there, and keeps count from now on. Can be done again at any time."""
    lift(connection)
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {TABLE}")  # noqa: S608  # nosec B608
        cursor.execute(
            f"INSERT INTO {TABLE} ({_KIND}, flows) SELECT {_values()}, count(*) FROM {_FLOWS} GROUP BY 1, 2, 3, 4"  # noqa: S608  # nosec B608
        )
        if connection.vendor == "sqlite":
            for name, what in _SQLITE.items():
                cursor.execute(f"CREATE TRIGGER {name} {what}")
        elif connection.vendor == "postgresql":
            for event, (tables, body) in _POSTGRESQL.items():
                name = f"flow_tally_{event}"
                cursor.execute(
                    f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$"
                )
                cursor.execute(
                    f"CREATE TRIGGER {name} AFTER {event} ON {_FLOWS} REFERENCING {tables} "
                    f"FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
                )
        else:
            raise NotImplementedError(f"no tally is written for {connection.vendor}")


def lift(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for name in _SQLITE:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
        else:
            for event in _POSTGRESQL:
                cursor.execute(f"DROP FUNCTION IF EXISTS flow_tally_{event}() CASCADE")
