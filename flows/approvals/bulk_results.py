"""The end of a requested bulk change, by the results that the log has for its rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from flows.approvals.actions import RequestAction
from flows.approvals.models import ChangeRequest
from flows.approvals.request_status import RequestStatus
from flows.approvals.transitions import SYSTEM, move
from flows.audit.audit_log import LogTransaction
from flows.plans.items import ItemStatus, PlanItem, count_statuses, plan_items
from flows.plans.models import Plan
from flows.plans.skip_rules import ALREADY_RETRIED, ALREADY_ROLLED_BACK, ALREADY_SET_IN_TURN
from flows.plans.status import ENDED_STATUSES
from flows.plans.titles import format_count

_NOT_NEEDED: Final = (ALREADY_SET_IN_TURN, ALREADY_RETRIED, ALREADY_ROLLED_BACK)
_PROBLEM_LABELS: Final = {
    ItemStatus.FAILED: "failed",
    ItemStatus.CONFLICT: "in conflict",
    ItemStatus.SKIPPED: "skipped",
    ItemStatus.PLANNED: "not started",
}


def has_ended(plan: Plan) -> bool:
    """Return True if the plan's request can end: the outcome of each change is known."""
    return plan.status in ENDED_STATUSES and not _is_open(count_statuses(_items_of(plan)))


def settle(log: LogTransaction, request: ChangeRequest, plan: Plan) -> None:
    """End the request of a plan that has ended. It is done only if nothing is left to apply."""
    items = _items_of(plan)
    counts = count_statuses(items)
    if plan.status not in ENDED_STATUSES or _is_open(counts):
        return
    unneeded = sum(item.change.skip_reason in _NOT_NEEDED for item in items)
    is_done = counts[ItemStatus.APPLIED] + unneeded == len(items)
    note = _describe_end(plan, counts, len(items), unneeded)
    move(
        log,
        request,
        RequestAction.FINISH if is_done else RequestAction.FAIL,
        actor=SYSTEM,
        status=RequestStatus.DONE if is_done else RequestStatus.FAILED,
        message=note,
        note=note,
    )


def _items_of(plan: Plan) -> Sequence[PlanItem]:
    return [item for item in plan_items(plan) if item.change.content_hash]


def _is_open(counts: Counter[ItemStatus]) -> bool:
    return bool(counts[ItemStatus.RUNNING] or counts[ItemStatus.UNKNOWN])


def _describe_end(plan: Plan, counts: Counter[ItemStatus], total: int, unneeded: int) -> str:
    """Return the figures as a sentence, after the reason for a stop. "" if all were applied."""
    if counts[ItemStatus.APPLIED] == total:
        return ""
    counts = counts - Counter({ItemStatus.SKIPPED: unneeded})
    parts = [
        f"{counts[status]} {label}" for status, label in _PROBLEM_LABELS.items() if counts[status]
    ]
    if unneeded:
        parts.append(f"{unneeded} not needed")
    applied = f"{counts[ItemStatus.APPLIED]} of {format_count(total, 'change')} applied"
    return " ".join([plan.stop_reason, f"{applied}: {', '.join(parts)}."]).strip()
