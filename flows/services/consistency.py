"""Tables beside the log that pages and exports rely on, held against each other: the list's tables against the mirror,
bulk changes against the log, and the triggers and unique keys that keep all of it right.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Final

from django.db import connection
from django.db.models import Exists, OuterRef

from flows import derived
from flows.models import ONCE, AuditEvent, AuditPayload, Flow, OpenChange, Plan, PlannedChange
from flows.services import mirror, protection

log = logging.getLogger(__name__)


Check = Callable[[], list[str] | Iterator[str]]
_more_checks: list[Check] = []


def register(check: Check) -> Check:
    """Let a verification run this check too. For the site's own tables, which `flows` knows nothing of."""
    if check not in _more_checks:
        _more_checks.append(check)
    return check


def violations() -> list[str]:
    """One sentence for each table, trigger or key that is not as it should be."""
    found: list[str] = []
    for check in (*_CHECKS, *_more_checks):
        try:
            found += check()
        except (ValueError, TypeError) as error:  # SQLite: a value of another type, which is named by itself
            log.warning("a check of the tables failed: %s", type(error).__name__)
            found.append(f"Couldn't finish checking {check.__name__.strip('_').replace('_', ' ')}.")
    return found


def _list_tables() -> list[str]:
    return derived.differences(connection)


def _mirror_columns() -> Iterator[str]:
    """The columns that lists show and search are taken from the flow's snapshot, which each sync compares."""
    for flow in Flow.objects.order_by("sid").iterator():
        expected = mirror.columns_of(flow.resource)
        differing = [name for name, value in expected.items() if getattr(flow, name) != value]
        if flow.resource.get("account_sid") not in (None, flow.account_sid):
            differing.append("account_sid")
        if differing:
            yield f"The mirror's {differing[0]} of flow {flow.sid} differs from its snapshot."
            return


def _bulk_changes() -> Iterator[str]:
    """A bulk change shows what the log says of its change ids: those have to be the ones that were used."""
    in_log = AuditEvent.objects.filter(change_id=OuterRef("change_id"))
    processed = PlannedChange.objects.filter(done_at__isnull=False, skipped="")
    for change in processed.filter(~Exists(in_log)).order_by("pk")[:1]:
        yield f"Bulk change {change.plan_id} lists a change of {change.target_sid or 'a new flow'} that is not in the log."
    planned = PlannedChange.objects.filter(change_id=OuterRef("change_id"))
    of_plans = AuditEvent.objects.filter(stage__in=ONCE, request_id__in=Plan.objects.values("id"))
    for event in of_plans.filter(~Exists(planned)).order_by("seq")[:1]:
        yield f"Bulk change {event.request_id} is missing its event {event.seq}."


def _unique_keys() -> Iterator[str]:
    """Each unique key of the log's tables: without one, a change could be sent twice."""
    for model in (AuditEvent, AuditPayload, OpenChange, PlannedChange):
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


_CHECKS: Final[tuple[Check, ...]] = (
    _mirror_columns,
    _list_tables,
    _bulk_changes,
    _unique_keys,
    protection.violations,
)
