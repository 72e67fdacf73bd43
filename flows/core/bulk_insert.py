"""Insertion of many rows of a model at once.

Django's `bulk_create` prepares each value of each row by itself, which takes longer than the
database's own work. Here a column is prepared as a whole, and most columns need no preparation.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS, connection, connections, models, transaction
from django.db.backends.utils import CursorWrapper

SQLITE_MAX_VALUES: Final = 999  # in one statement, on every version
# Values of these types are stored as they are in a field of this kind, on every database.
_STORED_TYPES: Final[tuple[tuple[type, type], ...]] = (
    (models.CharField, str),
    (models.TextField, str),
    (models.IntegerField, int),
    (models.BooleanField, bool),
)


def insert_rows(
    model: type[models.Model], rows: Iterable[Mapping[str, Any]], *, overwrite: bool = False
) -> None:
    """Insert rows, each with a value for every column by its attribute name.

    With `overwrite`, a row whose primary key exists takes the place of that row. Instances get
    neither signals nor a new state.
    """
    fields: list[models.Field[Any, Any]] = list(model._meta.concrete_fields)
    read_values = itemgetter(*(field.attname for field in fields))
    value_rows = list(map(read_values, rows))
    if not value_rows:
        return
    columns = [
        _to_stored(field, column)
        for field, column in zip(fields, zip(*value_rows, strict=True), strict=True)
    ]
    names = ", ".join(_quote(field) for field in fields)
    insert = f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({names})"
    on_conflict = _overwrite_clause(fields) if overwrite else ""
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            _insert_on_sqlite(cursor, insert, columns, on_conflict)
        else:
            arrays = ", ".join(f"%s::{_column_type(field)}[]" for field in fields)
            statement = f"{insert} SELECT * FROM UNNEST({arrays}) {on_conflict}"  # noqa: S608 - names
            cursor.execute(statement, list(map(list, columns)))


def _insert_on_sqlite(
    cursor: CursorWrapper, insert: str, columns: Sequence[Sequence[Any]], on_conflict: str
) -> None:
    """Insert the rows of these columns, as many with a statement as SQLite allows.

    `executemany` would be slower: the index of names writes to its tables at each statement.
    """
    row = f"({', '.join(['%s'] * len(columns))})"
    rows = list(zip(*columns, strict=True))
    size = SQLITE_MAX_VALUES // len(columns)
    for start in range(0, len(rows), size):
        batch = rows[start : start + size]
        statement = f"{insert} VALUES {', '.join([row] * len(batch))} {on_conflict}"
        cursor.execute(statement, list(itertools.chain.from_iterable(batch)))


def _to_stored(field: models.Field[Any, Any], column: Sequence[Any]) -> Sequence[Any]:
    """Return a column's values in the form that the database stores."""
    if {*map(type, column)} <= {_stored_type(field), type(None)}:
        return column
    prepare = partial(field.get_db_prep_save, connection=connections[DEFAULT_DB_ALIAS])
    first = column[0]
    if all(value is first for value in column):  # such as the action of all events of a batch
        return [prepare(first)] * len(column)
    return list(map(prepare, column))


def _stored_type(field: models.Field[Any, Any]) -> type:
    """Return the type whose values a field stores as they are, or `NoneType` without one."""
    value_field = field.target_field if isinstance(field, models.ForeignKey) else field
    types = (stored for kind, stored in _STORED_TYPES if isinstance(value_field, kind))
    return next(types, type(None))


def _overwrite_clause(fields: Sequence[models.Field[Any, Any]]) -> str:
    """Return the SQL that updates a row whose primary key exists."""
    keys = ", ".join(_quote(field) for field in fields if field.primary_key)
    values = [f"{_quote(field)} = EXCLUDED.{_quote(field)}" for field in fields]
    updates = [value for field, value in zip(fields, values, strict=True) if not field.primary_key]
    return f"ON CONFLICT ({keys}) DO UPDATE SET {', '.join(updates)}"


def _quote(field: models.Field[Any, Any]) -> str:
    return connection.ops.quote_name(str(field.column))


def _column_type(field: models.Field[Any, Any]) -> str:
    """Return the type of a column without its length, which an array must not cut values to."""
    return str(field.db_type(connection)).partition("(")[0]
