"""What the database makes of the mirror for the list, and keeps in step by itself: the narrow table, the tally and the
index of names. A migration installs it; a later one that makes the mirror's table anew, as SQLite must for most changes,
loses the triggers, so each `migrate` ends with a look whether all is there.
"""

from __future__ import annotations

from typing import Any, Final

from django.core import checks
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from flows import narrow, tally, trigrams

_PARTS: Final = (narrow, tally, trigrams)  # the index of names is of the narrow table
_TRIGGERS: Final = (*narrow.TRIGGERS, *tally.TRIGGERS)
_THERE: Final = {
    "sqlite": "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name IN ({})",
    "postgresql": "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgname IN ({})",
}


def install(connection: BaseDatabaseWrapper) -> None:
    for part in _PARTS:
        part.install(connection)


def lift(connection: BaseDatabaseWrapper) -> None:
    for part in reversed(_PARTS):
        part.lift(connection)


def repair(*, using: str, **_signal: Any) -> None:
    """Installs it anew if something is missing. Runs after every migrate."""
    connection = connections[using]
    tables = connection.introspection.table_names()
    if {narrow.TABLE, tally.TABLE} <= set(tables):
        if not (_has_triggers(connection) and trigrams.is_installed(connection)):
            install(connection)
        trigrams.tune(connection)


def _has_triggers(connection: BaseDatabaseWrapper) -> bool:
    with connection.cursor() as cursor:
        places = ", ".join(["%s"] * len(_TRIGGERS))
        cursor.execute(_THERE[connection.vendor].format(places), _TRIGGERS)
        return bool(cursor.fetchone()[0] == len(_TRIGGERS))


@checks.register(checks.Tags.database)
def names_are_indexed(**options: Any) -> list[checks.CheckMessage]:
    """Whether searches are served by an index. Runs with `migrate` and `check --database default`."""
    found: list[checks.CheckMessage] = []
    for alias in options.get("databases") or ():
        connection = connections[alias]
        if narrow.TABLE in connection.introspection.table_names() and not trigrams.is_installed(connection):
            found.append(
                checks.Warning(
                    "Names and numbers are searched without an index: of many thousand flows, that takes a while.",
                    hint="Let an administrator of the database say CREATE EXTENSION pg_trgm; then run "
                    "`manage.py migrate` once more."
                    if connection.vendor == "postgresql"
                    else "Run `manage.py migrate`.",
                    id="flows.W001",
                )
            )
    return found
