"""Interface to bulk changes, which this package must not import.

flows/plans implements it and registers itself in flows/apps.py.
"""

from __future__ import annotations

from typing import Any, Protocol

from django.db.models import QuerySet

from flows.audit.models import AuditEvent


class BulkChanges(Protocol):
    """Access to bulk changes. Each has a title, and an id that its events carry as `request_id`."""

    def get(self, plan_id: str) -> Any | None:
        """Return the bulk change with this id, or None."""

    def of_event(self, event: AuditEvent) -> Any | None:
        """Return the bulk change that an event belongs to, or None."""

    def change_ids(self, plan_id: str) -> QuerySet[Any]:
        """Return the ids of its changes, as a query of one column."""


_implementation: list[BulkChanges] = []


def register(bulk_changes: BulkChanges) -> None:
    """Use this implementation."""
    _implementation[:] = [bulk_changes]


def implementation() -> BulkChanges:
    """Return the registered implementation."""
    return _implementation[0]
