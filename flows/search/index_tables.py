"""The tables behind the flow list: the narrow table, the tally, targets and the search index.

The database keeps them in step with the mirror. A migration installs them. A later migration that
rebuilds the mirror's table, as SQLite must for most changes, loses the triggers; so `repair` runs
after every `migrate`.
"""

from __future__ import annotations

from typing import Any, Final

from django.core import checks
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from flows.core import triggers
from flows.core.triggers import Trigger
from flows.search import counters, projection, target_tables, trigrams

# In this order: the index needs the narrow table.
FIRST_PARTS: Final = (projection, counters, trigrams)  # of a migration before there were targets
_PARTS: Final = (*FIRST_PARTS, target_tables)

_INDEX_HINTS: Final = {
    "sqlite": "Run `manage.py migrate`.",
    "postgresql": (
        "Ask a database administrator to run CREATE EXTENSION pg_trgm, then run "
        "`manage.py migrate` again."
    ),
}


def install(connection: BaseDatabaseWrapper) -> None:
    # All first: the triggers of a broken index would refuse the writes to the others.
    drop(connection)
    for part in _PARTS:
        part.install(connection)


def drop(connection: BaseDatabaseWrapper) -> None:
    for part in reversed(_PARTS):
        part.drop(connection)


def repair(*, using: str, **_signal: Any) -> None:
    """Rebuild the tables if one is missing or out of step. Runs after every `migrate`."""
    connection = connections[using]
    tables = connection.introspection.table_names()
    if not {projection.TABLE, counters.TABLE, target_tables.TABLE} <= set(tables):
        return
    has_triggers = not triggers.find_altered(connection, list_triggers(connection.vendor))
    is_complete = has_triggers and trigrams.is_installed(connection)
    if not is_complete or find_differences(connection):
        install(connection)
    trigrams.limit_pending_list(connection)


def list_triggers(vendor: str) -> list[Trigger]:
    """Return the triggers that keep the tables in step with the mirror."""
    return [trigger for part in _PARTS for trigger in part.TRIGGERS[vendor]]


def find_differences(connection: BaseDatabaseWrapper) -> list[str]:
    """Return a sentence for each table that differs from the mirror."""
    differences = []
    sid = projection.find_stray_sid(connection)
    if sid:
        differences.append(
            f"Flow {sid} differs between the flow list and the mirror. "
            "Run `migrate` to rebuild the list."
        )
    if not counters.is_consistent(connection):
        differences.append(
            "The counts of the flow list differ from the mirror. Run `migrate` to rebuild them."
        )
    if not target_tables.is_consistent(connection):
        differences.append(
            "The targets of the flows differ from the mirror. Run `migrate` to rebuild them."
        )
    if not trigrams.is_consistent(connection):
        differences.append(
            "The search index differs from the flow list. Run `migrate` to rebuild it."
        )
    return differences


def index_tables() -> list[str]:
    """Return the differences in the default database, for the log's verification."""
    return find_differences(connection)


@checks.register(checks.Tags.database)
def check_search_index(**options: Any) -> list[checks.CheckMessage]:
    """Warn if searches have no index. Runs with `migrate` and `check --database default`."""
    aliases = options.get("databases") or ()
    return [_index_warning(alias) for alias in aliases if _lacks_index(connections[alias])]


def _lacks_index(connection: BaseDatabaseWrapper) -> bool:
    has_table = projection.TABLE in connection.introspection.table_names()
    return has_table and not trigrams.is_installed(connection)


def _index_warning(alias: str) -> checks.CheckMessage:
    message = (
        "Names and numbers are searched without an index, which is slow for many thousand flows."
    )
    hint = _INDEX_HINTS[connections[alias].vendor]
    return checks.Warning(message, hint=hint, id="flows.W001")
