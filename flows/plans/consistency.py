"""Checks of bulk changes against the audit log."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Exists, OuterRef

from flows.audit.consistency import missing_unique_keys
from flows.audit.models import UNIQUE_STAGES, AuditEvent
from flows.plans.models import Plan, PlannedChange


def bulk_changes() -> Iterator[str]:
    """Compare the change ids of bulk changes with those of the log, in both directions.

    A bulk change shows the results that the log has for its change ids. A wrong id would show a
    wrong result.
    """
    logged_events = AuditEvent.objects.filter(change_id=OuterRef("change_id"))
    processed = PlannedChange.objects.filter(done_at__isnull=False, skip_reason="")
    for change in processed.filter(~Exists(logged_events)).order_by("pk")[:1]:
        flow = change.target_sid or "a new flow"
        yield f"Bulk change {change.plan_id} lists a change of {flow} that is not in the log."
    planned_changes = PlannedChange.objects.filter(change_id=OuterRef("change_id"))
    plan_events = AuditEvent.objects.filter(
        stage__in=UNIQUE_STAGES, request_id__in=Plan.objects.values("id")
    )
    for event in plan_events.filter(~Exists(planned_changes)).order_by("seq")[:1]:
        yield f"Bulk change {event.request_id} is missing its event {event.seq}."


def unique_keys() -> Iterator[str]:
    """Check that the database has the unique keys that the models declare."""
    yield from missing_unique_keys(PlannedChange)
