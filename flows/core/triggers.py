"""Database triggers on SQLite and PostgreSQL: creating, dropping and verifying them.

Modules that need triggers declare them as `Trigger` values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from django.db.backends.base.base import BaseDatabaseWrapper

# The bits of PostgreSQL's pg_trigger.tgtype.
_ROW_BIT: Final = 1
_EVENT_BITS: Final = {"BEFORE": 2, "INSERT": 4, "DELETE": 8, "UPDATE": 16, "TRUNCATE": 32}

# The values of a trigger in the database's own catalogue, and its normalized SQL.
Definition = tuple[object, ...]


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
    dialect = _DIALECTS[connection.vendor]
    with connection.cursor() as cursor:
        for trigger in triggers:
            for statement in dialect.create_statements(trigger):
                cursor.execute(statement)


def drop_triggers(connection: BaseDatabaseWrapper, triggers: Iterable[Trigger]) -> None:
    """Drop the triggers that exist."""
    dialect = _DIALECTS[connection.vendor]
    with connection.cursor() as cursor:
        for trigger in triggers:
            cursor.execute(dialect.drop_statement(trigger))


def find_altered(connection: BaseDatabaseWrapper, triggers: Iterable[Trigger]) -> list[str]:
    """Return the names of triggers that are missing, disabled or different in the database."""
    dialect = _DIALECTS[connection.vendor]
    actual = _actual_definitions(connection)
    return [
        trigger.name
        for trigger in triggers
        if actual.get(trigger.name) != dialect.definition(trigger)
    ]


def find_unknown(connection: BaseDatabaseWrapper, triggers: Iterable[Trigger]) -> list[str]:
    """Return the names of other triggers on the flows' tables, sorted."""
    return sorted(_actual_definitions(connection).keys() - {trigger.name for trigger in triggers})


def _actual_definitions(connection: BaseDatabaseWrapper) -> dict[str, Definition]:
    with connection.cursor() as cursor:
        cursor.execute(_DIALECTS[connection.vendor].definitions_query)
        return {name: (*values, _normalize_sql(text)) for name, *values, text in cursor.fetchall()}


class _Dialect(Protocol):
    """The SQL of one database. `definitions_query` returns a name and a definition a row."""

    definitions_query: str

    def create_statements(self, trigger: Trigger) -> list[str]: ...

    def drop_statement(self, trigger: Trigger) -> str: ...

    def definition(self, trigger: Trigger) -> Definition: ...


class _Sqlite:
    definitions_query = """
        SELECT name, tbl_name, sql FROM sqlite_master
        WHERE type = 'trigger' AND tbl_name LIKE 'flows!_%' ESCAPE '!'
    """

    def create_statements(self, trigger: Trigger) -> list[str]:
        return [self._create_statement(trigger)]

    def drop_statement(self, trigger: Trigger) -> str:
        return f"DROP TRIGGER IF EXISTS {trigger.name}"

    def definition(self, trigger: Trigger) -> Definition:
        return (trigger.table, _normalize_sql(self._create_statement(trigger)))

    def _create_statement(self, trigger: Trigger) -> str:
        when = f" WHEN {trigger.when}" if trigger.when else ""
        return (
            f"CREATE TRIGGER {trigger.name} {trigger.event} ON {trigger.table}{when} "
            f"BEGIN {trigger.body} END"
        )


class _Postgresql:
    definitions_query = """
        SELECT t.tgname, c.relname, t.tgtype, t.tgqual IS NOT NULL, t.tgenabled::text,
            p.proname, p.prosrc
        FROM pg_trigger t
        JOIN pg_class c ON c.oid = t.tgrelid
        JOIN pg_proc p ON p.oid = t.tgfoid
        WHERE NOT t.tgisinternal AND pg_table_is_visible(c.oid)
            AND c.relname LIKE 'flows!_%' ESCAPE '!'
    """

    def create_statements(self, trigger: Trigger) -> list[str]:
        referencing = f"REFERENCING {trigger.referencing}" if trigger.referencing else ""
        level = "ROW" if trigger.is_per_row else "STATEMENT"
        when = f"WHEN ({trigger.when})" if trigger.when else ""
        create_function = (
            f"CREATE OR REPLACE FUNCTION {trigger.function_name}() RETURNS trigger "
            f"LANGUAGE plpgsql AS $$ {self._function_source(trigger)} $$"
        )
        create_trigger = (
            f"CREATE TRIGGER {trigger.name} {trigger.event} ON {trigger.table} {referencing} "
            f"FOR EACH {level} {when} EXECUTE FUNCTION {trigger.function_name}()"
        )
        return [create_function, create_trigger]

    def drop_statement(self, trigger: Trigger) -> str:
        return f"DROP FUNCTION IF EXISTS {trigger.function_name}() CASCADE"

    def definition(self, trigger: Trigger) -> Definition:
        is_enabled = "O"  # pg_trigger.tgenabled of a trigger that runs outside replication
        has_condition = bool(trigger.when)
        return (
            trigger.table,
            _type_bits(trigger),
            has_condition,
            is_enabled,
            trigger.function_name,
            _normalize_sql(self._function_source(trigger)),
        )

    def _function_source(self, trigger: Trigger) -> str:
        return f"BEGIN {trigger.body} END"


_DIALECTS: Final[dict[str, _Dialect]] = {"sqlite": _Sqlite(), "postgresql": _Postgresql()}


def _type_bits(trigger: Trigger) -> int:
    """Return PostgreSQL's pg_trigger.tgtype of a trigger."""
    words = set(re.findall(r"\w+", trigger.event.upper()))
    bits = sum(_EVENT_BITS[word] for word in words & _EVENT_BITS.keys())
    return bits | _ROW_BIT if trigger.is_per_row else bits


def _normalize_sql(statement: str) -> str:
    """Return a statement in lower case with single spaces, for comparing."""
    return " ".join(statement.lower().split())
