"""Database triggers of this site: how one is created, dropped and compared with what the database has, on SQLite and
PostgreSQL. The modules that need triggers declare them as `Trigger` values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper

_EVENT_BITS: Final = {
    "INSERT": 4,
    "DELETE": 8,
    "UPDATE": 16,
    "TRUNCATE": 32,
}  # PostgreSQL's bits of pg_trigger.tgtype
_ROW_BIT, _BEFORE_BIT = 1, 2
_SQLITE_QUERY: Final = "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'flows!_%' ESCAPE '!'"
_POSTGRESQL_QUERY: Final = """
    SELECT t.tgname, c.relname, t.tgtype, t.tgqual IS NOT NULL, t.tgenabled::text, p.proname, p.prosrc
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE NOT t.tgisinternal AND pg_table_is_visible(c.oid) AND c.relname LIKE 'flows!_%' ESCAPE '!'
"""


@dataclass(frozen=True, slots=True)
class Trigger:
    """One trigger. `event` is SQL such as "AFTER INSERT"; `body` is statements, each ending in a semicolon. `when` is a
    condition on the row. On PostgreSQL a trigger that is `referencing` transition tables, or `per_statement`, runs once
    a statement; `function` names a function that several triggers share."""

    name: str
    table: str
    event: str
    body: str
    when: str = ""
    referencing: str = ""
    per_statement: bool = False
    function: str = ""

    @property
    def procedure(self) -> str:
        return self.function or self.name

    @property
    def is_per_row(self) -> bool:
        return not (self.per_statement or self.referencing)


def create_triggers(connection: BaseDatabaseWrapper, triggers: Iterable[Trigger]) -> None:
    """Create these triggers; those of the same names must be gone."""
    with connection.cursor() as cursor:
        for trigger in triggers:
            if connection.vendor == "sqlite":
                cursor.execute(_sqlite_statement(trigger))
                continue
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION {trigger.procedure}() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN {trigger.body} END $$"
            )
            referencing = f"REFERENCING {trigger.referencing}" if trigger.referencing else ""
            each = "ROW" if trigger.is_per_row else "STATEMENT"
            when = f"WHEN ({trigger.when})" if trigger.when else ""
            cursor.execute(
                f"CREATE TRIGGER {trigger.name} {trigger.event} ON {trigger.table} {referencing} "
                f"FOR EACH {each} {when} EXECUTE FUNCTION {trigger.procedure}()"
            )


def drop_triggers(connection: BaseDatabaseWrapper, triggers: Iterable[Trigger]) -> None:
    """Drop these triggers where they exist."""
    with connection.cursor() as cursor:
        for trigger in triggers:
            if connection.vendor == "sqlite":
                cursor.execute(f"DROP TRIGGER IF EXISTS {trigger.name}")
            else:
                cursor.execute(f"DROP FUNCTION IF EXISTS {trigger.procedure}() CASCADE")


def find_altered(connection: BaseDatabaseWrapper, triggers: Iterable[Trigger]) -> list[str]:
    """The names of those triggers that the database lacks, has switched off, or has in another form."""
    actual = _actual_definitions(connection)
    return [
        trigger.name
        for trigger in triggers
        if actual.get(trigger.name) != _expected_definition(connection, trigger)
    ]


def find_unknown(connection: BaseDatabaseWrapper, triggers: Iterable[Trigger]) -> list[str]:
    """The names of triggers on this site's tables that are none of these."""
    return sorted(_actual_definitions(connection).keys() - {trigger.name for trigger in triggers})


def _sqlite_statement(trigger: Trigger) -> str:
    when = f" WHEN {trigger.when}" if trigger.when else ""
    return f"CREATE TRIGGER {trigger.name} {trigger.event} ON {trigger.table}{when} BEGIN {trigger.body} END"


def _expected_definition(connection: BaseDatabaseWrapper, trigger: Trigger) -> Sequence[object]:
    if connection.vendor == "sqlite":
        return (trigger.table, _normalize_sql(_sqlite_statement(trigger)))
    kind = sum(
        bit
        for event, bit in _EVENT_BITS.items()
        if re.search(rf"\b{event}\b", trigger.event.upper())
    )
    kind |= (_ROW_BIT if trigger.is_per_row else 0) | (
        _BEFORE_BIT if "BEFORE" in trigger.event else 0
    )
    source = _normalize_sql(f"BEGIN {trigger.body} END")
    return (trigger.table, kind, bool(trigger.when), "O", trigger.procedure, source)


def _actual_definitions(connection: BaseDatabaseWrapper) -> dict[str, Sequence[object]]:
    with connection.cursor() as cursor:
        cursor.execute(_SQLITE_QUERY if connection.vendor == "sqlite" else _POSTGRESQL_QUERY)
        return {name: (*values, _normalize_sql(text)) for name, *values, text in cursor.fetchall()}


def _normalize_sql(statement: str) -> str:
    """A statement without the differences that mean nothing: case of keywords and white space."""
    return " ".join(statement.lower().split())
