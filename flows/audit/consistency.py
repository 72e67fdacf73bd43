"""Checks of the tables beside the log, which pages and exports rely on. A verification runs them all.

Each package registers the checks of its own tables (flows/apps.py).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

from django.db import connection
from django.db.models import Model

from flows.audit import protection
from flows.audit.models import AuditEvent, AuditPayload, OpenChange

log = logging.getLogger(__name__)


Check = Callable[[], list[str] | Iterator[str]]
_registered_checks: list[Check] = []


class DerivedTable(Protocol):
    """A table that follows from the log. It goes through the log's rows, then names the first difference."""

    def follow(self, row: dict[str, Any]) -> None: ...

    def fault(self, end: int) -> tuple[int, str] | None:
        """Return the first event, up to `end`, that the table contradicts, and how."""


_derived_tables: list[type[DerivedTable]] = []


def register_derived_table(table: type[DerivedTable]) -> None:
    """Let a verification compare this table with the log, too."""
    if table not in _derived_tables:
        _derived_tables.append(table)


def derived_tables() -> list[DerivedTable]:
    return [table() for table in _derived_tables]


def register(check: Check) -> Check:
    """Let a verification run this check, too."""
    if check not in _registered_checks:
        _registered_checks.append(check)
    return check


def violations() -> list[str]:
    """One sentence for each table, trigger or key that is not as it should be."""
    found: list[str] = []
    for check in (*_BUILTIN_CHECKS, *_registered_checks):
        try:
            found += check()
        except (
            ValueError,
            TypeError,
        ) as error:  # SQLite: a value of another type, which is named by itself
            log.warning("a check of the tables failed: %s", type(error).__name__)
            found.append(f"Couldn't finish checking {check.__name__.strip('_').replace('_', ' ')}.")
    return found


def _unique_keys() -> Iterator[str]:
    yield from missing_unique_keys(AuditEvent, AuditPayload, OpenChange)


def missing_unique_keys(*models: type[Model]) -> Iterator[str]:
    """Return a sentence for each unique key that a table lacks. Without one, a change could be sent twice."""
    for model in models:
        table = model._meta.db_table
        with connection.cursor() as cursor:
            constraints = connection.introspection.get_constraints(cursor, table)
        unique = [
            (name, found["columns"])
            for name, found in constraints.items()
            if found["unique"] or found["primary_key"]
        ]
        names, columns = {name for name, _ in unique}, [found for _, found in unique]
        for constraint in model._meta.constraints:
            if constraint.name not in names:
                yield f"The table {table} is missing its unique key {constraint.name}."
        for field in model._meta.concrete_fields:
            if field.unique and [field.column] not in columns:
                yield f"The table {table} is missing the unique key of {field.column}."


_BUILTIN_CHECKS: Final[tuple[Check, ...]] = (
    _unique_keys,
    protection.violations,
)
