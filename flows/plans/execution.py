"""The background task that makes the changes of a plan one by one.

The audit log records the result of each flow (`plan_items`). The plan stores only how far the
worker has come.

A run of the task makes a few changes and enqueues the next run, so that a worker can shut down
soon. Each run also enqueues a later one, which takes over if the first dies. The id of a change is
set when it is planned, so that no change is ever sent twice.
"""

from __future__ import annotations

import contextlib
import logging
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from django.utils import timezone
from django_tasks import task

from flows.accounts.permissions import active_user, role_of
from flows.audit import audit_log
from flows.audit.audit_log import Actor, NotRecorded
from flows.availability import restrictions
from flows.plans import leases
from flows.plans.access import has_change_permission
from flows.plans.end_signal import announce_end
from flows.plans.models import Plan, PlannedChange
from flows.plans.one_change import ChangeResult, make_change
from flows.plans.status import (
    ACTIVE_STATUSES,
    PlanEvent,
    PlanStatus,
    TransitionNotAllowed,
    change_status,
)

log = logging.getLogger(__name__)

CHANGES_PER_RUN: Final = 20
MAX_CONSECUTIVE_FAILURES: Final = 5
STOPPED_BY_USER: Final = "Stopped."
INTERNAL_ERROR: Final = "Internal error on one flow. The error has been logged."


@task()
def run_plan(plan_id: str) -> None:
    """Make some changes of a plan, unless another worker holds its lease."""
    plan = Plan.objects.filter(pk=plan_id).first()
    if plan is not None:
        run_once(plan)


def run_once(plan: Plan, before_each: Callable[[], None] | None = None) -> bool:
    """Make some changes of a plan in this process. Return False if another run holds its lease.

    `before_each` is called before each change, and can stop the plan.
    """
    lease_id = uuid.uuid4()
    if not leases.acquire_lease(plan, lease_id):
        return False
    # This later run takes over if the current worker dies.
    takeover_at = timezone.now() + leases.LEASE_TIMEOUT + timedelta(seconds=5)
    run_plan.using(run_after=takeover_at).enqueue(str(plan.pk))
    with contextlib.suppress(TransitionNotAllowed):  # another run or a user ended the plan
        PlanRun(plan, lease_id, before_each).run()
    return True


def requeue_all() -> int:
    """Enqueue every active plan at once and return their number.

    Only safe where no other process can be running one.
    """
    active = Plan.objects.filter(status__in=ACTIVE_STATUSES)
    active.update(lease_id=None)
    for plan in active:
        run_plan.enqueue(str(plan.pk))
    return len(active)


class _PlanStopped(Exception):
    """The plan ends before all of its changes are made; the message gives the reason."""


class PlanRun:
    """One run of the task: some of a plan's changes, as long as it holds the lease."""

    def __init__(
        self,
        plan: Plan,
        lease_id: uuid.UUID,
        before_each: Callable[[], None] | None = None,
    ) -> None:
        self.plan = plan
        self.lease_id = lease_id
        self.before_each = before_each
        self.actor = Actor(**plan.actor | {"request_id": str(plan.pk)})
        self.consecutive_failures = 0

    def run(self) -> None:
        """Make some changes. Then end the plan, or leave the others to the next run.

        Raises `TransitionNotAllowed` if the run has lost its lease when it ends the plan.
        """
        stop_reason = ""
        try:
            self._make_changes()
        except _PlanStopped as stop:
            stop_reason = str(stop)
        # Outside the `except` block: the queue stores an error together with the one that was being
        # handled, whose message can quote values of the flow.
        if stop_reason:
            self._end(PlanEvent.STOP, stop_reason=stop_reason[:200])
        elif self._next_change() is None:
            self._end(PlanEvent.FINISH)
        elif leases.release_lease(self.plan, self.lease_id):
            run_plan.enqueue(str(self.plan.pk))

    def _make_changes(self) -> None:
        """Make the changes of one run. Raises `_PlanStopped`."""
        for _ in range(CHANGES_PER_RUN):
            change = self._next_change()
            if change is None or not leases.renew_lease(self.plan, self.lease_id):
                return
            if self.before_each is not None:
                self.before_each()
            self._check_may_continue(change)
            self._process_change(change)

    def _next_change(self) -> PlannedChange | None:
        """Load the next change. An erasure can empty it at any time, so each is loaded late."""
        return self.plan.remaining_changes.order_by("position").first()

    def _check_may_continue(self, change: PlannedChange) -> None:
        """Raise `_PlanStopped` if a user stopped the plan or may no longer make this change."""
        self.plan.refresh_from_db()
        if self.plan.status == PlanStatus.STOPPING:
            raise _PlanStopped(STOPPED_BY_USER)
        if not _may_make_change(self.actor, change):
            raise _PlanStopped(
                f"{self.actor.label} no longer has permission to make these changes."
            )

    def _process_change(self, change: PlannedChange) -> None:
        """Make a change and mark it as processed. Raises `_PlanStopped`."""
        result = None
        try:
            actor = self._current_actor(change.account_sid)
            result = make_change(change, reason=self.plan.reason, actor=actor)
        except NotRecorded as error:
            message = "Couldn't write to the audit log. Nothing more was sent."
            raise _PlanStopped(message) from error
        except restrictions.OperationUnavailable as error:
            raise _PlanStopped(f"{error} Nothing more was sent.") from error
        except Exception as error:  # noqa: BLE001 - else the plan would retry it forever
            _log_internal_error(change, error)
        if result is None:
            _mark_processed(change, _internal_skip_reason(change))
            raise _PlanStopped(INTERNAL_ERROR)
        _mark_processed(change, result.skip_reason)
        self._count_failure(result)

    def _current_actor(self, account_sid: str) -> Actor:
        """Return the user who started the plan with the present role, for the log."""
        user = active_user(self.actor.id)
        return replace(self.actor, role=role_of(user, account_sid)) if user else self.actor

    def _count_failure(self, result: ChangeResult) -> None:
        """Count the failures in a row. Raises `_PlanStopped` if there are too many."""
        if result.is_account_failing is None:
            return
        if not result.is_account_failing:
            self.consecutive_failures = 0
            return
        self.consecutive_failures += 1
        if self.consecutive_failures >= MAX_CONSECUTIVE_FAILURES:
            raise _PlanStopped(
                f"Twilio refused or did not answer for {MAX_CONSECUTIVE_FAILURES} flows in a row."
            )

    def _end(self, event: PlanEvent, **values: str) -> None:
        change_status(leases.leased_plan(self.plan, self.lease_id), event, **values)
        announce_end(self.plan)


def _may_make_change(actor: Actor, change: PlannedChange) -> bool:
    """Return True if the actor may still make a change.

    A command has no user. Who can run one on the server has the credentials of every account.
    """
    if actor.is_command:
        return True
    user = active_user(actor.id)
    return user is not None and has_change_permission(user, change.action, change.account_sid)


def _log_internal_error(change: PlannedChange, error: Exception) -> None:
    """Log the type of an error only: its message can quote values of the flow."""
    log.error(
        "change %s of a bulk change failed with an internal error: %s",
        change.change_id,
        type(error).__name__,
    )


def _internal_skip_reason(change: PlannedChange) -> str:
    """Return the reason why a change with an internal error was skipped; "" if it was recorded."""
    is_recorded = audit_log.latest_event(change.change_id) is not None
    return "" if is_recorded else "Internal error. Nothing was sent."


def _mark_processed(change: PlannedChange, skip_reason: str) -> None:
    change.done_at = timezone.now()
    change.skip_reason = skip_reason
    change.save(update_fields=["done_at", "skip_reason"] if skip_reason else ["done_at"])
