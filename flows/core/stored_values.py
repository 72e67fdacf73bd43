"""Values as SQLite stores them. SQLite takes any value in any column and compares text as it stands, so a time or an id
that is spelled in another way reads the same and is found by no query. PostgreSQL has types, and needs none of this.
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
    """A stored value that this site would not have written in that way. `key` is the row's primary key as stored."""

    table: str
    column: str
    key: Any

    def __str__(self) -> str:
        return f"Table {self.table} has an invalid value in {self.column} (row {self.key})."


def find_malformed_values() -> list[MalformedValue]:
    """The first odd value of each column of this site's tables, in the order of the models."""
    if connection.vendor != "sqlite":
        return []
    return [
        odd for model in apps.get_app_config("flows").get_models() for odd in _find_in_table(model)
    ]


def _find_in_table(model: type[models.Model]) -> Iterator[MalformedValue]:
    table, key = model._meta.db_table, model._meta.pk.column
    columns = [
        (str(field.column), _storage_condition(field)) for field in model._meta.concrete_fields
    ]
    odd = " OR ".join(f"NOT ({condition})" for _, condition in columns)
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT 1 FROM "{table}" WHERE {odd} LIMIT 1')  # noqa: S608 - names of models
        if cursor.fetchone() is None:
            return
        for column, condition in columns:
            statement = f'SELECT "{key}" FROM "{table}" WHERE NOT ({condition}) ORDER BY 1 LIMIT 1'  # noqa: S608
            cursor.execute(statement)
            if row := cursor.fetchone():
                yield MalformedValue(table, column, row[0])


def _storage_condition(field: models.Field[Any, Any]) -> str:
    """A condition that holds for each value that Django writes into this column."""
    column, kind = f'"{field.column}"', field
    while isinstance(kind, models.ForeignKey):
        kind = kind.target_field
    storage = f"typeof({column})"
    if isinstance(kind, models.IntegerField | models.BooleanField):
        condition = f"{storage} = 'integer'"
    elif isinstance(kind, models.UUIDField):
        condition = (
            f"{storage} = 'text' AND length({column}) = 32 AND {column} NOT GLOB '*[^0-9a-f]*'"
        )
    elif isinstance(kind, models.DateTimeField):
        is_moment = f"{column} GLOB '{_DATETIME_PATTERN}' OR ({column} GLOB '{_FRACTION_PATTERN}' AND {column} NOT LIKE '%.000000')"
        condition = f"{storage} = 'text' AND ({is_moment})"
    elif isinstance(kind, models.DateField):
        condition = f"{storage} = 'text' AND {column} GLOB '{_DATE_PATTERN}'"
    else:
        condition = f"{storage} = 'text'"
    return f"{column} IS NULL OR ({condition})"
