"""Checks of snapshots, whose results the mirror stores so that flows with warnings can be counted.

The checks are in an upper package (flows/checks), which registers them here. They know nothing of
what a flow points to: those warnings follow from the names (flows/search/warned_flows.py).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from django.db import connections, transaction
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
    columns = flows.values_list("sid", "resource", "has_warnings")
    wrong_sids = [
        sid
        for sid, snapshot, stored_result in columns.iterator()
        if stored_result != has_warnings(snapshot)
    ]
    for batch in split_batches(wrong_sids):
        # They are read again, since a sync may have written them meanwhile.
        with transaction.atomic(using=using):
            for flow in flows.filter(sid__in=batch).select_for_update():
                flow.has_warnings = has_warnings(flow.resource)
                flow.save(update_fields=["has_warnings"])


def _has_column(connection: BaseDatabaseWrapper) -> bool:
    """Return True unless `migrate` went back to a database without the results."""
    table = Flow._meta.db_table
    with connection.cursor() as cursor:
        if table not in connection.introspection.table_names(cursor):
            return False
        columns = connection.introspection.get_table_description(cursor, table)
    return "has_warnings" in {column.name for column in columns}
