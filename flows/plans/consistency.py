"""Checks of bulk changes against the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from django.db.models import Exists, OuterRef, Q

from flows.audit.consistency import missing_unique_keys
from flows.audit.models import UNIQUE_STAGES, AuditEvent
from flows.plans.models import Plan, PlannedChange
from flows.plans.status import PlanStatus

_HAS_STARTED: Final = Q(started_at__isnull=False)
_IS_ACTIVE: Final = _HAS_STARTED & Q(ended_at=None)
_HAS_ENDED: Final = _HAS_STARTED & Q(ended_at__isnull=False)
_TIMES_BY_STATUS: Final = {
    PlanStatus.DRAFT: Q(started_at=None),
    PlanStatus.RUNNING: _IS_ACTIVE & Q(stop_requested_at=None),
    PlanStatus.STOPPING: _IS_ACTIVE & Q(stop_requested_at__isnull=False),
    PlanStatus.STOPPED: _HAS_ENDED,
    PlanStatus.DONE: _HAS_ENDED,
}


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


def statuses() -> Iterator[str]:
    """Compare the status of each bulk change with its times and its changes.

    A wrong status would hide that a bulk change is running, or let a finished one run again.
    """
    expected_times = Q()
    for status, times in _TIMES_BY_STATUS.items():
        expected_times |= Q(status=status) & times
    remaining_changes = PlannedChange.objects.filter(
        plan=OuterRef("pk"), skip_reason="", done_at=None
    )
    processed_changes = PlannedChange.objects.filter(plan=OuterRef("pk"), done_at__isnull=False)
    inconsistent = (
        ~expected_times
        | Q(Exists(remaining_changes), status=PlanStatus.DONE)
        | Q(Exists(processed_changes), status=PlanStatus.DRAFT)
    )
    for plan in Plan.objects.filter(inconsistent).order_by("pk")[:1]:
        yield f"Bulk change {plan.pk} has the wrong status {plan.status}."
