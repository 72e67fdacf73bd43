"""Checks of snapshots, whose results the mirror stores so that flows with warnings can be counted.

The checks are in an upper package (flows/checks), which registers them here. They know nothing of
what a flow points to: those warnings follow from the names (flows/search/warned_flows.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from flows.core.database import split_batches
from flows.mirror.models import Flow

_checks: Final[list[Callable[[Mapping[str, Any]], Collection[str]]]] = []


def register(check: Callable[[Mapping[str, Any]], Collection[str]]) -> None:
    """Add a check, which returns the warnings about a snapshot."""
    _checks.append(check)


def has_warnings(snapshot: Mapping[str, Any]) -> bool:
    return any(check(snapshot) for check in _checks)


def check_again(*, using: str, **_signal: Any) -> None:
    """Check all flows of the mirror. Runs after every `migrate`: the checks may have changed."""
    if not _has_column(connections[using]):
        return
    flows = Flow.objects.using(using)
    sids = defaultdict[tuple[bool | None, bool], list[str]](list)
    for sid, snapshot, stored_result in flows.values_list(
        "sid", "resource", "has_warnings"
    ).iterator():
        result = has_warnings(snapshot)
        if stored_result != result:
            sids[stored_result, result].append(sid)
    for (stored_result, result), changed_sids in sids.items():
        for batch in split_batches(changed_sids):
            unchanged = flows.filter(sid__in=batch, has_warnings=stored_result)
            unchanged.update(has_warnings=result)  # a sync may have checked some since


def _has_column(connection: BaseDatabaseWrapper) -> bool:
    """Return True unless `migrate` went back to a database without the results."""
    table = Flow._meta.db_table
    with connection.cursor() as cursor:
        if table not in connection.introspection.table_names(cursor):
            return False
        columns = connection.introspection.get_table_description(cursor, table)
    return "has_warnings" in {column.name for column in columns}
