"""Search for malformed values in an SQLite database.

SQLite stores any value in any column and compares text exactly. A time or an id in another spelling
reads the same, but no query finds it. PostgreSQL has types and needs no such check.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.apps import apps
from django.db import connection, models

_DIGIT_PATTERN: Final = "[0-9]"
_DATE_PATTERN: Final = "-".join((_DIGIT_PATTERN * 4, _DIGIT_PATTERN * 2, _DIGIT_PATTERN * 2))
_DATETIME_PATTERN: Final = f"{_DATE_PATTERN} {':'.join([_DIGIT_PATTERN * 2] * 3)}"
_FRACTION_PATTERN: Final = f"{_DATETIME_PATTERN}.{_DIGIT_PATTERN * 6}"

_IS_INTEGER: Final = "typeof({column}) = 'integer'"
_IS_TEXT: Final = "typeof({column}) = 'text'"
_IS_DATE: Final = f"{_IS_TEXT} AND {{column}} GLOB '{_DATE_PATTERN}'"
_IS_DATETIME: Final = (
    f"{_IS_TEXT} AND ({{column}} GLOB '{_DATETIME_PATTERN}' "
    f"OR ({{column}} GLOB '{_FRACTION_PATTERN}' AND {{column}} NOT LIKE '%.000000'))"
)
_IS_UUID: Final = f"{_IS_TEXT} AND length({{column}}) = 32 AND {{column}} NOT GLOB '*[^0-9a-f]*'"
# The condition of each kind of field. The first kind that a field has counts.
_CONDITIONS: Final[tuple[tuple[tuple[type, ...], str], ...]] = (
    ((models.IntegerField, models.BooleanField), _IS_INTEGER),
    ((models.UUIDField,), _IS_UUID),
    ((models.DateTimeField,), _IS_DATETIME),
    ((models.DateField,), _IS_DATE),
    ((models.Field,), _IS_TEXT),
)


@dataclass(frozen=True, slots=True)
class MalformedValue:
    """A stored value in a form that this site does not write. `key` is the stored primary key."""

    table: str
    column: str
    key: Any

    def __str__(self) -> str:
        return f"Table {self.table} has an invalid value in {self.column} (row {self.key})."


def find_malformed_values() -> list[MalformedValue]:
    """Return the first malformed value of each column of the flows' tables."""
    if connection.vendor != "sqlite":
        return []
    own_models = apps.get_app_config("flows").get_models()
    return list(itertools.chain.from_iterable(map(_find_in_table, own_models)))


def _find_in_table(model: type[models.Model]) -> Iterator[MalformedValue]:
    table, key = model._meta.db_table, model._meta.pk.column
    columns = [
        (str(field.column), _storage_condition(field)) for field in model._meta.concrete_fields
    ]
    # One scan for all columns, because nearly always none has a malformed value.
    is_well_formed = " AND ".join(f"({condition})" for _, condition in columns)
    if _fetch_row(f'SELECT 1 FROM "{table}" WHERE NOT ({is_well_formed}) LIMIT 1') is None:  # noqa: S608
        return
    for column, condition in columns:
        where = f"WHERE NOT ({condition}) ORDER BY 1 LIMIT 1"
        row = _fetch_row(f'SELECT "{key}" FROM "{table}" {where}')  # noqa: S608
        if row:
            yield MalformedValue(table, column, row[0])


def _fetch_row(query: str) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(query)
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row


def _storage_condition(field: models.Field[Any, Any]) -> str:
    """Return an SQL condition that is true of each value that Django writes into the column."""
    value_field = field
    while isinstance(value_field, models.ForeignKey):
        value_field = value_field.target_field
    template = next(template for kinds, template in _CONDITIONS if isinstance(value_field, kinds))
    column = f'"{field.column}"'
    condition = template.format(column=column)
    return f"{column} IS NULL OR ({condition})"
