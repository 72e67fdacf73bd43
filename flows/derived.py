"""What the database makes of the mirror for the list, and keeps in step by itself: the narrow table, the tally and the
index of names. A migration installs it; a later one that makes the mirror's table anew, as SQLite must for most changes,
loses the triggers, so each `migrate` ends with a look whether all is there.
"""

from __future__ import annotations

from typing import Any, Final

from django.core import checks
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from flows import narrow, tally, triggers, trigrams
from flows.triggers import Trigger

_PARTS: Final = (narrow, tally, trigrams)  # the index of names is of the narrow table


def install(connection: BaseDatabaseWrapper) -> None:
    lift(connection)  # all of it first: the triggers of a broken index would refuse what the others do
    for part in _PARTS:
        part.install(connection)


def lift(connection: BaseDatabaseWrapper) -> None:
    for part in reversed(_PARTS):
        part.lift(connection)


def repair(*, using: str, **_signal: Any) -> None:
    """Rebuild it all if something is missing or out of step. Runs after every migrate."""
    connection = connections[using]
    tables = connection.introspection.table_names()
    if {narrow.TABLE, tally.TABLE} <= set(tables):
        is_whole = not triggers.altered(connection, list_triggers(connection.vendor))
        if not (is_whole and trigrams.is_installed(connection)) or differences(connection):
            install(connection)
        trigrams.tune(connection)


def list_triggers(vendor: str) -> list[Trigger]:
    """The triggers that keep the tables of the list in step with the mirror."""
    return [trigger for part in _PARTS for trigger in part.TRIGGERS[vendor]]


def differences(connection: BaseDatabaseWrapper) -> list[str]:
    """One sentence for each table of the list that is not as the mirror is."""
    found = []
    if sid := narrow.stray_sid(connection):
        found.append(
            f"Flow {sid} differs between the flow list and the mirror. Run `migrate` to rebuild the list."
        )
    if not tally.is_in_step(connection):
        found.append("The counts of the flow list differ from the mirror. Run `migrate` to rebuild them.")
    if not trigrams.is_in_step(connection):
        found.append("The search index differs from the flow list. Run `migrate` to rebuild it.")
    return found


@checks.register(checks.Tags.database)
def names_are_indexed(**options: Any) -> list[checks.CheckMessage]:
    """Whether searches are served by an index. Runs with `migrate` and `check --database default`."""
    found: list[checks.CheckMessage] = []
    for alias in options.get("databases") or ():
        connection = connections[alias]
        if narrow.TABLE in connection.introspection.table_names() and not trigrams.is_installed(connection):
            found.append(
                checks.Warning(
                    "Names and numbers are searched without an index, which is slow for many thousand flows.",
                    hint="Ask a database administrator to run CREATE EXTENSION pg_trgm, then run "
                    "`manage.py migrate` again."
                    if connection.vendor == "postgresql"
                    else "Run `manage.py migrate`.",
                    id="flows.W001",
                )
            )
    return found
