"""Checks of bulk changes against the audit log."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Exists, OuterRef

from flows.audit.consistency import missing_unique_keys
from flows.audit.models import UNIQUE_STAGES, AuditEvent
from flows.plans.models import Plan, PlannedChange


def bulk_changes() -> Iterator[str]:
    """A bulk change shows what the log says of its change ids: those have to be the ones that were used."""
    in_log = AuditEvent.objects.filter(change_id=OuterRef("change_id"))
    processed = PlannedChange.objects.filter(done_at__isnull=False, skipped="")
    for change in processed.filter(~Exists(in_log)).order_by("pk")[:1]:
        yield f"Bulk change {change.plan_id} lists a change of {change.target_sid or 'a new flow'} that is not in the log."
    planned = PlannedChange.objects.filter(change_id=OuterRef("change_id"))
    of_plans = AuditEvent.objects.filter(
        stage__in=UNIQUE_STAGES, request_id__in=Plan.objects.values("id")
    )
    for event in of_plans.filter(~Exists(planned)).order_by("seq")[:1]:
        yield f"Bulk change {event.request_id} is missing its event {event.seq}."


def unique_keys() -> Iterator[str]:
    yield from missing_unique_keys(PlannedChange)
