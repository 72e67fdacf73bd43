"""Start and stop of bulk changes by a user. Both are recorded in the audit log."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from flows.audit import audit_log
from flows.audit.audit_log import Actor, LogTransaction, Payload
from flows.audit.models import Result, Stage
from flows.changes import change_guard
from flows.plans import leases
from flows.plans.actions import PlanAction
from flows.plans.end_signal import announce_end
from flows.plans.execution import STOPPED_BY_USER, run_plan
from flows.plans.models import Plan, PlannedChange
from flows.plans.status import (
    ACTIVE_STATUSES,
    ENDED_STATUSES,
    PlanEvent,
    TransitionNotAllowed,
    change_status,
)
from flows.redaction.masking import redact_note, replace_unstorable
from flows.redaction.redacted import redact_fields


def start(
    *,
    plan: Plan,
    reason: str,
    actor: Actor,
    action: str = PlanAction.START,
    before_start: Callable[[LogTransaction], object] | None = None,
    is_requested: bool = False,
) -> bool:
    """Start a plan, or resume one that was stopped or whose worker died.

    The start is recorded as `action` before anything is sent. `before_start` runs first, in the
    same transaction, and prevents the start by an error. A plan with a change request is started by
    that only, with `is_requested`. Return False if the plan is already running or finished. Raises
    `NotRecorded` or `OperationUnavailable`.
    """
    stored_reason = redact_note(replace_unstorable(reason))[:200]

    def change(log: LogTransaction) -> None:
        if not is_requested:
            change_guard.guard().check_bulk_start(plan.pk)
        if before_start is not None:
            before_start(log)
        _start(plan, reason=stored_reason, actor=asdict(actor))

    return _change_and_log(action, plan, actor, change, reason=stored_reason)


def stop(*, plan: Plan, actor: Actor) -> bool:
    """Let the current change finish and start no other.

    Return False if the plan isn't running. Raises `NotRecorded`; the plan then keeps running.
    """

    def change(_log: LogTransaction) -> None:
        _stop(plan)

    is_stopped = _change_and_log(PlanAction.STOP, plan, actor, change, reason=plan.reason)
    announce_end(plan)
    return is_stopped


def replace_ended(*, plans: QuerySet[Plan], account_sids: Iterable[str], reason: str) -> None:
    """End those of these plans whose run died, and skip what they left in these accounts.

    So nobody can resume it. Active plans with a heartbeat stay as they are.
    """
    for plan in plans.filter(status__in=ACTIVE_STATUSES):
        with contextlib.suppress(TransitionNotAllowed):
            change_status(leases.abandoned_plan(plan), PlanEvent.STOP, stop_reason=reason[:200])
    remaining = PlannedChange.objects.filter(
        plan__in=plans.filter(status__in=ENDED_STATUSES),
        account_sid__in=list(account_sids),
        skip_reason="",
        done_at=None,
    )
    remaining.update(skip_reason=reason[:300])


def _start(plan: Plan, **values: Any) -> None:
    current = Plan.objects.filter(pk=plan.pk)
    if current.filter(status__in=ACTIVE_STATUSES).exists():
        change_status(leases.abandoned_plan(plan), PlanEvent.RESTART, **values)
    else:
        change_status(current, PlanEvent.START, **values)
    run_plan.enqueue(str(plan.pk))


def _stop(plan: Plan) -> None:
    values = {"stop_requested_at": timezone.now(), "stop_reason": STOPPED_BY_USER}
    try:
        # There is no worker that would notice a request.
        change_status(leases.idle_plan(plan), PlanEvent.STOP, **values)
    except TransitionNotAllowed:
        # One may have taken the lease just now.
        change_status(Plan.objects.filter(pk=plan.pk), PlanEvent.REQUEST_STOP)


def _change_and_log(
    action: str,
    plan: Plan,
    actor: Actor,
    change: Callable[[LogTransaction], None],
    *,
    reason: str,
) -> bool:
    """Run `change` and record its event in one transaction.

    Return False if the status of the plan doesn't allow it. Raises `NotRecorded`.
    """
    try:
        with audit_log.transaction() as log:
            change(log)
            remaining = plan.remaining_changes.count()
            log.append(
                action=action,
                stage=Stage.ACCESS,
                result=Result.SUCCEEDED,
                actor=replace(actor, request_id=str(plan.pk)),
                reason=reason,
                payload=Payload(requested=redact_fields({"plan": plan.title, "flows": remaining})),
            )
    except TransitionNotAllowed:
        return False
    plan.refresh_from_db()
    return True
