"""Database triggers on SQLite and PostgreSQL: creating, dropping and verifying them.

Modules that need triggers declare them as `Trigger` values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper

# The bits of PostgreSQL's pg_trigger.tgtype.
_ROW_BIT: Final = 1
_EVENT_BITS: Final = {"BEFORE": 2, "INSERT": 4, "DELETE": 8, "UPDATE": 16, "TRUNCATE": 32}
_SQLITE_QUERY: Final = """
    SELECT name, tbl_name, sql FROM sqlite_master
    WHERE type = 'trigger' AND tbl_name LIKE 'flows!_%' ESCAPE '!'
"""
_POSTGRESQL_QUERY: Final = """
    SELECT t.tgname, c.relname, t.tgtype, t.tgqual IS NOT NULL, t.tgenabled::text,
        p.proname, p.prosrc
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE NOT t.tgisinternal AND pg_table_is_visible(c.oid) AND c.relname LIKE 'flows!_%' ESCAPE '!'
"""


@dataclass(frozen=True, slots=True)
class Trigger:
    """One trigger.

    `event` is SQL such as "AFTER INSERT". `body` is SQL statements, each with a semicolon at its
    end. `when` is a condition on the row. On PostgreSQL a trigger with `per_statement`, or with
    transition tables in `referencing`, runs once for each statement. `function` names a PostgreSQL
    function that several triggers share.
    """

    name: str
    table: str
    event: str
    body: str
    when: str = ""
    referencing: str = ""
    per_statement: bool = False
    function: str = ""

    @property
    def function_name(self) -> str:
        return self.function or self.name

    @property
    def is_per_row(self) -> bool:
        return not (self.per_statement or self.referencing)


def create_triggers(connection: BaseDatabaseWrapper, triggers: Iterable[Trigger]) -> None:
    """Create the triggers. Triggers of the same names must be dropped before."""
    with connection.cursor() as cursor:
        for trigger in triggers:
            if connection.vendor == "sqlite":
                cursor.execute(_sqlite_statement(trigger))
            else:
                cursor.execute(_postgresql_function(trigger))
                cursor.execute(_postgresql_statement(trigger))


def drop_triggers(connection: BaseDatabaseWrapper, triggers: Iterable[Trigger]) -> None:
    """Drop the triggers that exist."""
    with connection.cursor() as cursor:
        for trigger in triggers:
            if connection.vendor == "sqlite":
                cursor.execute(f"DROP TRIGGER IF EXISTS {trigger.name}")
            else:
                cursor.execute(f"DROP FUNCTION IF EXISTS {trigger.function_name}() CASCADE")


def find_altered(connection: BaseDatabaseWrapper, triggers: Iterable[Trigger]) -> list[str]:
    """Return the names of triggers that are missing, disabled or different in the database."""
    actual = _actual_definitions(connection)
    return [
        trigger.name
        for trigger in triggers
        if actual.get(trigger.name) != _expected_definition(connection, trigger)
    ]


def find_unknown(connection: BaseDatabaseWrapper, triggers: Iterable[Trigger]) -> list[str]:
    """Return the names of other triggers on the flows' tables, sorted."""
    return sorted(_actual_definitions(connection).keys() - {trigger.name for trigger in triggers})


def _sqlite_statement(trigger: Trigger) -> str:
    when = f" WHEN {trigger.when}" if trigger.when else ""
    return (
        f"CREATE TRIGGER {trigger.name} {trigger.event} ON {trigger.table}{when} "
        f"BEGIN {trigger.body} END"
    )


def _postgresql_function(trigger: Trigger) -> str:
    return (
        f"CREATE OR REPLACE FUNCTION {trigger.function_name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {trigger.body} END $$"
    )


def _postgresql_statement(trigger: Trigger) -> str:
    referencing = f"REFERENCING {trigger.referencing}" if trigger.referencing else ""
    level = "ROW" if trigger.is_per_row else "STATEMENT"
    when = f"WHEN ({trigger.when})" if trigger.when else ""
    return (
        f"CREATE TRIGGER {trigger.name} {trigger.event} ON {trigger.table} {referencing} "
        f"FOR EACH {level} {when} EXECUTE FUNCTION {trigger.function_name}()"
    )


def _expected_definition(connection: BaseDatabaseWrapper, trigger: Trigger) -> Sequence[object]:
    if connection.vendor == "sqlite":
        return (trigger.table, _normalize_sql(_sqlite_statement(trigger)))
    is_enabled = "O"  # pg_trigger.tgenabled of a trigger that runs outside replication
    source = _normalize_sql(f"BEGIN {trigger.body} END")
    has_condition = bool(trigger.when)
    return (
        trigger.table,
        _type_bits(trigger),
        has_condition,
        is_enabled,
        trigger.function_name,
        source,
    )


def _type_bits(trigger: Trigger) -> int:
    """Return PostgreSQL's pg_trigger.tgtype of a trigger."""
    words = re.findall(r"\w+", trigger.event.upper())
    event_bits = sum(bit for word, bit in _EVENT_BITS.items() if word in words)
    return event_bits | _ROW_BIT if trigger.is_per_row else event_bits


def _actual_definitions(connection: BaseDatabaseWrapper) -> dict[str, Sequence[object]]:
    with connection.cursor() as cursor:
        cursor.execute(_SQLITE_QUERY if connection.vendor == "sqlite" else _POSTGRESQL_QUERY)
        return {name: (*values, _normalize_sql(text)) for name, *values, text in cursor.fetchall()}


def _normalize_sql(statement: str) -> str:
    """Return a statement in lower case with single spaces, for comparing."""
    return " ".join(statement.lower().split())
