"""Search for malformed values in an SQLite database.

SQLite stores any value in any column and compares text exactly. A time or an id in another spelling
reads the same, but no query finds it. PostgreSQL has types and needs no such check.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.apps import apps
from django.db import connection, models

_DIGIT_PATTERN: Final = "[0-9]"
_DATE_PATTERN: Final = "-".join((_DIGIT_PATTERN * 4, _DIGIT_PATTERN * 2, _DIGIT_PATTERN * 2))
_DATETIME_PATTERN: Final = f"{_DATE_PATTERN} {':'.join([_DIGIT_PATTERN * 2] * 3)}"
_FRACTION_PATTERN: Final = f"{_DATETIME_PATTERN}.{_DIGIT_PATTERN * 6}"


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
    return [value for model in own_models for value in _find_in_table(model)]


def _find_in_table(model: type[models.Model]) -> Iterator[MalformedValue]:
    table, key = model._meta.db_table, model._meta.pk.column
    columns = [
        (str(field.column), _storage_condition(field)) for field in model._meta.concrete_fields
    ]
    is_malformed = " OR ".join(f"NOT ({condition})" for _, condition in columns)
    with connection.cursor() as cursor:
        # One scan for all columns, because nearly always none has a malformed value.
        query = f'SELECT 1 FROM "{table}" WHERE {is_malformed} LIMIT 1'  # noqa: S608
        cursor.execute(query)
        if cursor.fetchone() is None:
            return
        for column, condition in columns:
            query = (
                f'SELECT "{key}" FROM "{table}" '  # noqa: S608
                f"WHERE NOT ({condition}) ORDER BY 1 LIMIT 1"
            )
            cursor.execute(query)
            if row := cursor.fetchone():
                yield MalformedValue(table, column, row[0])


def _storage_condition(field: models.Field[Any, Any]) -> str:
    """Return an SQL condition that is true of each value that Django writes into the column."""
    column = f'"{field.column}"'
    value_field = field
    while isinstance(value_field, models.ForeignKey):
        value_field = value_field.target_field
    is_text = f"typeof({column}) = 'text'"
    if isinstance(value_field, models.IntegerField | models.BooleanField):
        condition = f"typeof({column}) = 'integer'"
    elif isinstance(value_field, models.UUIDField):
        condition = f"{is_text} AND length({column}) = 32 AND {column} NOT GLOB '*[^0-9a-f]*'"
    elif isinstance(value_field, models.DateTimeField):
        has_no_fraction = f"{column} GLOB '{_DATETIME_PATTERN}'"
        has_fraction = f"{column} GLOB '{_FRACTION_PATTERN}' AND {column} NOT LIKE '%.000000'"
        condition = f"{is_text} AND ({has_no_fraction} OR ({has_fraction}))"
    elif isinstance(value_field, models.DateField):
        condition = f"{is_text} AND {column} GLOB '{_DATE_PATTERN}'"
    else:
        condition = is_text
    return f"{column} IS NULL OR ({condition})"
