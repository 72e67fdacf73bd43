"""Queries of models whose SQL Django builds once in a process, for those that every page makes.

Django takes several times longer to build the SQL of a short query than the database to answer it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)


class PreparedQuery(Generic[M]):
    """A query that differs only in its parameters each time.

    `build` returns it with any values in their place. It is called at the first run.
    """

    def __init__(self, build: Callable[[], QuerySet[M]]) -> None:
        self._build = build
        self._compiled: tuple[QuerySet[M], Any, str] | None = None

    def run(self, *parameters: object) -> list[M]:
        """Return the rows for these parameters, in the order in which the SQL has them."""
        if self._compiled is None:
            self._compiled = self._compile(len(parameters))
        prepared, prepared_compiler, sql = self._compiled
        compiler = copy.copy(prepared_compiler)
        compiler.connection = connection
        compiler.as_sql = lambda *_, **__: (sql, parameters)
        queryset = prepared.all()
        queryset.query.get_compiler = lambda *_, **__: compiler  # type: ignore[method-assign]
        return list(queryset)

    def _compile(self, parameter_count: int) -> tuple[QuerySet[M], Any, str]:
        queryset = self._build()
        compiler = queryset.query.get_compiler(connection=connection)
        sql, values = compiler.as_sql()
        if len(values) != parameter_count:
            raise ValueError(f"the query has {len(values)} parameters, not {parameter_count}")
        return queryset, compiler, sql
