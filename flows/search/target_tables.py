"""The tables of targets, `flows_target` and `flows_targetuse`: what flows point to, and which do.

A target has the numbers of flows that use it, and is removed with the last of them. Triggers keep
both tables in step with the mirror, on SQLite and PostgreSQL.
"""

from __future__ import annotations

from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper

from flows.core import triggers
from flows.core.triggers import Trigger

TABLE: Final = "flows_target"
USE_TABLE: Final = "flows_targetuse"
_SOURCE_TABLE: Final = "flows_flow"
_KEY_COLUMNS: Final = "account_sid, kind, value"
_COUNTS: Final = ("flows_on", "flows_off", "flows_gone")
_COLUMNS: Final = f"{_KEY_COLUMNS}, value_folded, {', '.join(_COUNTS)}"
# What one flow adds to each count. A flow whose state can't be read counts as off.
_STATES: Final = (
    "CASE WHEN {0}gone_at IS NULL AND {0}enabled THEN 1 ELSE 0 END",
    "CASE WHEN {0}gone_at IS NULL AND {0}enabled IS NOT TRUE THEN 1 ELSE 0 END",
    "CASE WHEN {0}gone_at IS NOT NULL THEN 1 ELSE 0 END",
)
# By database: the items of a row's `targets`, and the values of an item.
_ITEMS: Final = {
    "sqlite": "json_each({0}targets) AS item",
    "postgresql": "jsonb_array_elements({0}targets) AS item(value)",
}
_ITEM_VALUES: Final = {
    "sqlite": [f"json_extract(item.value, '$[{index}]')" for index in range(3)],
    "postgresql": [f"item.value ->> {index}" for index in range(3)],
}
_IS_UNUSED: Final = " AND ".join(f"{count} = 0" for count in _COUNTS)


def _states(row: str = "") -> list[str]:
    return [state.format(row) for state in _STATES]


def _add(source: str, sign: str = "+") -> str:
    """Return the SQL that adds the counts of `source` to a target's, or subtracts them."""
    return ", ".join(f"{count} = {TABLE}.{count} {sign} {source}.{count}" for count in _COUNTS)


def _join_target(vendor: str, account: str) -> str:
    """Return the join of an item of an account's flow with its target.

    On SQLite, CROSS JOIN keeps the order. Else it would read all targets for each item.
    """
    kind, value, _ = _ITEM_VALUES[vendor]
    join = "CROSS JOIN" if vendor == "sqlite" else "JOIN"
    return (
        f"{join} {TABLE} ON {TABLE}.account_sid = {account} "
        f"AND {TABLE}.kind = {kind} AND {TABLE}.value = {value}"
    )


def _targets_of(flows: str) -> str:
    return f"SELECT target_id FROM {USE_TABLE} WHERE flow_sid {flows}"  # noqa: S608 - constants only


def _build_sqlite_triggers() -> tuple[Trigger, ...]:
    """Return triggers that run for each row."""
    old_targets = _targets_of("= old.sid")
    subtractions = ", ".join(
        f"{count} = {count} - {state}"
        for count, state in zip(_COUNTS, _states("old."), strict=True)
    )
    values = ", ".join(["new.account_sid", *_ITEM_VALUES["sqlite"], *_states("new.")])
    items = _ITEMS["sqlite"].format("new.")
    subtract = f"UPDATE {TABLE} SET {subtractions} WHERE id IN ({old_targets});"  # noqa: S608
    add = (
        f"INSERT INTO {TABLE} ({_COLUMNS}) SELECT {values} FROM {items} WHERE TRUE "  # noqa: S608
        f"ON CONFLICT ({_KEY_COLUMNS}) DO UPDATE SET {_add('excluded')};"
    )
    remove = (
        f"DELETE FROM {TABLE} WHERE id IN ({old_targets}) AND {_IS_UNUSED}; "  # noqa: S608
        f"DELETE FROM {USE_TABLE} WHERE flow_sid = old.sid;"
    )
    link = (
        f"INSERT INTO {USE_TABLE} (flow_sid, target_id) SELECT new.sid, {TABLE}.id "  # noqa: S608
        f"FROM {items} {_join_target('sqlite', 'new.account_sid')};"
    )
    columns = ("sid", "account_sid", "targets", "enabled", "gone_at")
    old, new = (", ".join(f"{row}.{column}" for column in columns) for row in ("old", "new"))
    return (
        Trigger("flow_target_insert", _SOURCE_TABLE, "AFTER INSERT", f"{add} {link}"),
        Trigger("flow_target_delete", _SOURCE_TABLE, "AFTER DELETE", f"{subtract} {remove}"),
        Trigger(
            "flow_target_update",
            _SOURCE_TABLE,
            "AFTER UPDATE",
            f"{subtract} {add} {remove} {link}",
            when=f"({old}) IS NOT ({new})",
        ),
    )


def _build_postgresql_triggers() -> tuple[Trigger, ...]:
    """Return triggers that run once for each statement.

    Two writers can't block each other: the tally's trigger runs before and locks the account's
    rows (counters.py).
    """
    removed_sids = "IN (SELECT sid FROM removed)"
    items = _ITEMS["postgresql"]
    sums = [f"sum({state})" for state in _states()]
    counts = f"{_KEY_COLUMNS}, value_folded, {', '.join(_COUNTS)}"
    grouped = (
        f"SELECT {', '.join(['account_sid', *_ITEM_VALUES['postgresql'], *sums])} "  # noqa: S608
        f"FROM {{0}}, {items.format('{0}.')} GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3"
    )
    subtract = (
        f"UPDATE {TABLE} SET {_add('less', '-')} "  # noqa: S608
        f"FROM ({grouped.format('removed')}) AS less ({counts}) "
        f"WHERE {TABLE}.account_sid = less.account_sid AND {TABLE}.kind = less.kind "
        f"AND {TABLE}.value = less.value;"
    )
    add = (
        f"INSERT INTO {TABLE} ({_COLUMNS}) {grouped.format('added')} "
        f"ON CONFLICT ({_KEY_COLUMNS}) DO UPDATE SET {_add('excluded')};"
    )
    remove = (
        f"DELETE FROM {TABLE} WHERE id IN ({_targets_of(removed_sids)}) AND {_IS_UNUSED}; "  # noqa: S608
        f"DELETE FROM {USE_TABLE} WHERE flow_sid {removed_sids};"
    )
    link = (
        f"INSERT INTO {USE_TABLE} (flow_sid, target_id) SELECT added.sid, {TABLE}.id "  # noqa: S608
        f"FROM added CROSS JOIN {items.format('added.')} "
        f"{_join_target('postgresql', 'added.account_sid')};"
    )
    new, old = "NEW TABLE AS added", "OLD TABLE AS removed"
    return tuple(
        Trigger(
            f"flow_target_{event}",
            _SOURCE_TABLE,
            f"AFTER {event}",
            f"{body} RETURN NULL;",
            referencing=tables,
        )
        for event, tables, body in (
            ("insert", new, f"{add} {link}"),
            ("delete", old, f"{subtract} {remove}"),
            ("update", f"{old} {new}", f"{subtract} {add} {remove} {link}"),
        )
    )


TRIGGERS: Final = {
    "sqlite": _build_sqlite_triggers(),
    "postgresql": _build_postgresql_triggers(),
}


def install(connection: BaseDatabaseWrapper) -> None:
    """Fill the tables from the mirror and create the triggers. Safe to repeat."""
    drop(connection)
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {USE_TABLE}")  # noqa: S608
        cursor.execute(f"DELETE FROM {TABLE}")  # noqa: S608
        cursor.execute(f"INSERT INTO {TABLE} ({_COLUMNS}) {_expected_targets(connection.vendor)}")
        cursor.execute(
            f"INSERT INTO {USE_TABLE} (flow_sid, target_id) "  # noqa: S608 - constants only
            f"SELECT mirrored.sid, {TABLE}.id FROM {_SOURCE_TABLE} AS mirrored "
            f"CROSS JOIN {_ITEMS[connection.vendor].format('mirrored.')} "
            f"{_join_target(connection.vendor, 'mirrored.account_sid')}"
        )
    triggers.create_triggers(connection, TRIGGERS[connection.vendor])


def drop(connection: BaseDatabaseWrapper) -> None:
    triggers.drop_triggers(connection, TRIGGERS[connection.vendor])


def is_consistent(connection: BaseDatabaseWrapper) -> bool:
    """Return True if the tables have exactly the targets of the mirror.

    It is one statement, so that a write in between can't look like a difference.
    """
    kind, value, _ = _ITEM_VALUES[connection.vendor]
    expected_uses = (
        f"SELECT mirrored.sid, mirrored.account_sid, {kind}, {value} "  # noqa: S608 - constants only
        f"FROM {_SOURCE_TABLE} AS mirrored CROSS JOIN {_ITEMS[connection.vendor].format('mirrored.')}"
    )
    uses = (
        f"SELECT flow_sid, {_KEY_COLUMNS} FROM {USE_TABLE} "  # noqa: S608
        f"LEFT JOIN {TABLE} ON {TABLE}.id = target_id"
    )
    targets = f"SELECT {_COLUMNS} FROM {TABLE}"  # noqa: S608
    pairs = [(uses, expected_uses), (targets, _expected_targets(connection.vendor))]
    differences = [
        f"SELECT 1 FROM (SELECT * FROM ({one}) AS a EXCEPT SELECT * FROM ({other}) AS b) AS c"  # noqa: S608
        for pair in pairs
        for one, other in (pair, pair[::-1])
    ]
    with connection.cursor() as cursor:
        cursor.execute(f"{' UNION ALL '.join(differences)} LIMIT 1")
        return cursor.fetchone() is None


def _expected_targets(vendor: str) -> str:
    """Return the query of the targets that the mirror's flows have, with their counts."""
    sums = [f"sum({state})" for state in _states("mirrored.")]
    values = ", ".join(["mirrored.account_sid", *_ITEM_VALUES[vendor], *sums])
    return (
        f"SELECT {values} FROM {_SOURCE_TABLE} AS mirrored "  # noqa: S608 - constants only
        f"CROSS JOIN {_ITEMS[vendor].format('mirrored.')} GROUP BY 1, 2, 3, 4"
    )
