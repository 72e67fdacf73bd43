"""Start and stop of bulk changes by a user. Both are recorded in the audit log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from django.utils import timezone

from flows.audit import audit_log
from flows.audit.audit_log import Actor, Payload
from flows.audit.models import Result, Stage
from flows.plans import leases
from flows.plans.actions import PlanAction
from flows.plans.execution import STOPPED_BY_USER, run_plan
from flows.plans.models import Plan
from flows.plans.status import ACTIVE_STATUSES, PlanEvent, TransitionNotAllowed, change_status
from flows.redaction.masking import redact_note, replace_unstorable
from flows.redaction.redacted import redact_fields


def start(*, plan: Plan, reason: str, actor: Actor) -> bool:
    """Start a plan, or resume one that was stopped or whose worker died.

    The start is recorded before anything is sent. Return False if the plan is already running or
    finished. Raises `NotRecorded`.
    """
    stored_reason = redact_note(replace_unstorable(reason))[:200]
    change = partial(_start, plan, reason=stored_reason, actor=asdict(actor))
    return _change_and_log(PlanAction.START, plan, actor, change, reason=stored_reason)


def stop(*, plan: Plan, actor: Actor) -> bool:
    """Let the current change finish and start no other.

    Return False if the plan isn't running. Raises `NotRecorded`; the plan then keeps running.
    """
    return _change_and_log(PlanAction.STOP, plan, actor, partial(_stop, plan), reason=plan.reason)


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
    action: str, plan: Plan, actor: Actor, change: Callable[[], None], *, reason: str
) -> bool:
    """Run `change` and record its event in one transaction.

    Return False if the status of the plan doesn't allow it. Raises `NotRecorded`.
    """
    try:
        with audit_log.transaction() as log:
            change()
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
