"""The changes of a plan with their results, which only the audit log has."""

from __future__ import annotations

import enum
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from django.db.models import Q, QuerySet

from flows.audit import audit_log
from flows.audit.models import UNIQUE_STAGES, AuditEvent, Result
from flows.local_details.actions import LocalDetailsAction
from flows.plans.models import Plan, PlannedChange
from flows.plans.status import PlanStatus

Key = TypeVar("Key", bound=str)  # an action or a status


class ItemStatus(enum.StrEnum):
    """The status of a planned change. The values appear in the address of the page's filter."""

    PLANNED = "planned"
    RUNNING = "running"
    APPLIED = "made"
    FAILED = "failed"
    CONFLICT = "conflict"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


RETRYABLE_STATUSES: Final = (ItemStatus.FAILED, ItemStatus.CONFLICT)
_STATUS_BY_RESULT: Final = {
    Result.PENDING: ItemStatus.RUNNING,
    Result.UNKNOWN: ItemStatus.UNKNOWN,
    Result.CONFLICT: ItemStatus.CONFLICT,
    Result.SUCCEEDED: ItemStatus.APPLIED,
    Result.APPLIED: ItemStatus.APPLIED,
}


@dataclass(frozen=True, slots=True)
class PlanItem:
    """One planned change with its latest event in the audit log, if there is one."""

    change: PlannedChange
    event: AuditEvent | None

    @property
    def status(self) -> ItemStatus:
        if self.event is not None:
            return _STATUS_BY_RESULT.get(Result(self.event.result), ItemStatus.FAILED)
        return ItemStatus.SKIPPED if self.change.skip_reason else ItemStatus.PLANNED


def plan_items(plan: Plan, *, with_payloads: bool = False) -> list[PlanItem]:
    """Return the changes of a plan in their order.

    Without `with_payloads` only the result of each event is loaded: a plan can have thousands of
    changes, and its page polls.
    """
    change_ids = plan.changes.values("change_id")
    events = AuditEvent.objects.filter(change_id__in=change_ids).order_by("seq")
    if with_payloads:
        events = events.select_related("payload")
    else:
        events = events.only("event_id", "change_id", "result")
    latest_events = {event.change_id: event for event in events}
    return [
        PlanItem(change, latest_events.get(change.change_id))
        for change in plan.changes.order_by("position")
    ]


def with_status(items: Iterable[PlanItem], *statuses: ItemStatus) -> list[PlanItem]:
    """Return the items that have one of these statuses."""
    return [item for item in items if item.status in statuses]


def retryable_items(plan: Plan, items: Iterable[PlanItem]) -> list[PlanItem]:
    """Return the items that a retry drafts again: those that failed, and those that remain unstarted.

    A plan can be resumed for the latter, but for one with a change request, which starts it only once.
    """
    retryable = set(RETRYABLE_STATUSES)
    is_resumable = not plan.changes.exclude(content_hash="").exists()
    if plan.status == PlanStatus.STOPPED and not is_resumable:
        retryable.add(ItemStatus.PLANNED)
    return with_status(items, *retryable)


def included_items(items: Iterable[PlanItem]) -> list[PlanItem]:
    return [item for item in items if item.status != ItemStatus.SKIPPED]


def count_statuses(items: Iterable[PlanItem]) -> Counter[ItemStatus]:
    return Counter(item.status for item in items)


def count_actions(items: Iterable[PlanItem]) -> Counter[str]:
    """Return the number of changes by action, such as "flow.update"."""
    return Counter(item.change.action for item in items)


def nonzero_counts(counts: Counter[Key], keys: Iterable[Key]) -> list[tuple[Key, int]]:
    """Return the keys that were counted with their numbers, in the order of `keys`."""
    return [(key, counts[key]) for key in keys if counts[key]]


def is_rolled_back(event_id: uuid.UUID) -> bool:
    """Return True if an applied change refers to this event as the one that it rolls back."""
    return _applied_events().filter(refers_to=event_id).exists()


def is_applied(change_id: uuid.UUID) -> bool:
    """Return True if a planned change, or a retry of it, was applied."""
    attempts = PlannedChange.objects.filter(Q(change_id=change_id) | Q(retry_of=change_id))
    return _applied_events().filter(change_id__in=attempts.values("change_id")).exists()


def _applied_events() -> QuerySet[AuditEvent]:
    is_change = Q(stage__in=UNIQUE_STAGES) | Q(action=LocalDetailsAction.CHANGE)
    return AuditEvent.objects.filter(is_change, result__in=audit_log.APPLIED_RESULTS)
