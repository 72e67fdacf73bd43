"""What the log needs to know of bulk changes, which stand above it. flows/plans answers (flows/apps.py)."""

from __future__ import annotations

from typing import Any, Protocol

from django.db.models import QuerySet

from flows.audit.models import AuditEvent


class BulkChanges(Protocol):
    """A bulk change has an id, which is the `request_id` of its events, and a title."""

    def get(self, plan_id: str) -> Any | None:
        """Return the bulk change, or None."""

    def of_event(self, event: AuditEvent) -> Any | None:
        """Return the bulk change that an event is a part of, or None."""

    def change_ids(self, plan_id: str) -> QuerySet[Any]:
        """Return the ids of its changes, as a query for one column."""


_answering: list[BulkChanges] = []


def register(bulk_changes: BulkChanges) -> None:
    _answering[:] = [bulk_changes]


def known() -> BulkChanges:
    return _answering[0]
