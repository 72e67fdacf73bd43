"""Checks of the tables derived from the log, on which pages and exports rely.

A verification runs them all. Each package registers the checks of its own tables (flows/apps.py).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol, TypeVar

from django.db import connection
from django.db.models import Model

from flows.audit import protection
from flows.audit.models import AuditEvent, AuditPayload, OpenChange

log = logging.getLogger(__name__)


Check = Callable[[], list[str] | Iterator[str]]
# The seq of a faulty event, and a description that follows its number, such as "is missing".
Violation = tuple[int, str]
Key = TypeVar("Key")
_registered_checks: list[Check] = []


class DerivedTable(Protocol):
    """A check of a table that is derived from the log, in one pass over the log."""

    def follow(self, row: dict[str, Any]) -> None:
        """Take the next event of the log."""

    def fault(self, end: int) -> Violation | None:
        """Return the first violation up to the seq `end`, or None."""


_derived_tables: list[type[DerivedTable]] = []


def register_derived_table(table: type[DerivedTable]) -> None:
    """Make verifications compare this table with the log."""
    if table not in _derived_tables:
        _derived_tables.append(table)


def derived_tables() -> list[DerivedTable]:
    """Return new checks of all registered tables."""
    return [table() for table in _derived_tables]


def register(check: Check) -> Check:
    """Make verifications run this check."""
    if check not in _registered_checks:
        _registered_checks.append(check)
    return check


def violations() -> list[str]:
    """Return one sentence for each faulty table, trigger or key."""
    sentences: list[str] = []
    for check in (*_BUILTIN_CHECKS, *_registered_checks):
        try:
            sentences += check()
        # SQLite may hold a value of another type. The verification reports that separately.
        except (ValueError, TypeError) as error:
            log.warning("a check of the tables failed: %s", type(error).__name__)
            subject = check.__name__.strip("_").replace("_", " ")
            sentences.append(f"Couldn't finish checking {subject}.")
    return sentences


def differing_keys(expected: dict[Key, Any], stored: dict[Key, Any]) -> set[Key]:
    """Return the keys of the rows that only one of two tables has, or that differ."""
    return {key for key, _ in expected.items() ^ stored.items()}


def describe_difference(
    expected: object, stored: object, *, missing: str, unexpected: str, different: str
) -> str:
    """Return the description that applies to a stored row that is not the expected one.

    `expected` or `stored` is None if there is no such row.
    """
    if stored is None:
        return missing
    if expected is None:
        return unexpected
    return different


def _unique_keys() -> Iterator[str]:
    """Check the unique keys of the audit package's own tables."""
    yield from missing_unique_keys(AuditEvent, AuditPayload, OpenChange)


def missing_unique_keys(*models: type[Model]) -> Iterator[str]:
    """Yield a sentence for each missing unique key. Without it, a change could be sent twice."""
    for model in models:
        yield from _missing_keys_of(model)


def _missing_keys_of(model: type[Model]) -> Iterator[str]:
    """Yield a sentence for each unique key of a model that its table does not have."""
    table = model._meta.db_table
    columns_by_key = _unique_keys_in_database(table)
    for constraint in model._meta.constraints:
        if constraint.name not in columns_by_key:
            yield f"The table {table} is missing its unique key {constraint.name}."
    for field in model._meta.concrete_fields:
        if field.unique and [field.column] not in columns_by_key.values():
            yield f"The table {table} is missing the unique key of {field.column}."


def _unique_keys_in_database(table: str) -> dict[str, list[str]]:
    """Return the columns of each unique key that the table has, by the key's name."""
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, table)
    return {
        name: details["columns"]
        for name, details in constraints.items()
        if details["unique"] or details["primary_key"]
    }


_BUILTIN_CHECKS: Final[tuple[Check, ...]] = (
    _unique_keys,
    protection.violations,
)
