"""Running bulk changes: start and stop, and the background task that makes the changes one by one.

The audit log records the result of each flow (`plan_items`). The plan stores only how far the
worker has come.

A run of the task makes a few changes and enqueues the next run, so that a worker can shut down
soon. Each run also enqueues a later one, which takes over if the first dies. The id of a change is
set when it is planned, so that no change is ever sent twice.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.utils import timezone
from django_tasks import task

from flows.accounts.permissions import active_user, role_of
from flows.audit import audit_log
from flows.audit.audit_log import Actor, NotRecorded, Payload
from flows.audit.models import UNIQUE_STAGES, AuditEvent, OpenDrift, Result, Stage
from flows.availability import restrictions
from flows.changes import flow_changes
from flows.mirror.stale_reads import StaleRead
from flows.plans.access import has_change_permission
from flows.plans.models import Plan, PlannedChange
from flows.redaction.masking import redact_note, replace_unstorable
from flows.twilio.errors import FlexError, RequestRefused

log = logging.getLogger(__name__)

CHANGES_PER_RUN: Final = 20
# A run without a heartbeat for this long is taken for dead. No single change takes longer.
LEASE_TIMEOUT: Final = timedelta(minutes=2)
PICKUP_TIMEOUT: Final = timedelta(seconds=10)
MAX_CONSECUTIVE_FAILURES: Final = 5
# Twilio would answer the next flow with these as well.
ACCOUNT_WIDE_STATUSES: Final = frozenset({401, 403, 429})
START_ACTION, STOP_ACTION = "plan.start", "plan.stop"
STOPPED_BY_USER: Final = "Stopped."
DATA_ERASED: Final = "Personal data erased."
ALREADY_ROLLED_BACK: Final = "Already rolled back."
_STATE_BY_RESULT: Final = {
    Result.PENDING: "running",
    Result.UNKNOWN: "unknown",
    Result.CONFLICT: "conflict",
    Result.SUCCEEDED: "made",
    Result.APPLIED: "made",
}


class _WrongState(Exception):
    """The plan is in a state that doesn't allow the action."""


@dataclass(frozen=True, slots=True)
class PlanItem:
    """One planned change with its latest event in the audit log, if there is one."""

    change: PlannedChange
    event: AuditEvent | None

    @property
    def state(self) -> str:
        """One of planned, skipped, running, made, failed, unknown and conflict."""
        if self.event is not None:
            return _STATE_BY_RESULT.get(Result(self.event.result), "failed")
        return "skipped" if self.change.skip_reason else "planned"


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


def is_rolled_back(event_id: uuid.UUID) -> bool:
    """Return True if an applied change refers to this event as the one that it undoes."""
    return AuditEvent.objects.filter(
        refers_to=event_id, stage__in=UNIQUE_STAGES, result__in=audit_log.APPLIED_RESULTS
    ).exists()


def start(*, plan: Plan, reason: str, actor: Actor) -> bool:
    """Start a plan, or resume one that was stopped or whose worker died.

    The start is recorded before anything is sent. Return False if the plan is already running or
    finished. Raises `NotRecorded`.
    """
    started_at = timezone.now()
    is_stopped = Q(ended_at__isnull=False) & ~Q(stop_reason="")
    lease_limit = started_at - LEASE_TIMEOUT
    is_abandoned = Q(started_at__isnull=False, ended_at=None, heartbeat_at__lt=lease_limit)
    can_start = Q(started_at=None) | is_stopped | is_abandoned
    stored_reason = redact_note(replace_unstorable(reason))[:200]

    def update() -> None:
        updated = Plan.objects.filter(can_start, pk=plan.pk).update(
            started_at=started_at,
            reason=stored_reason,
            actor=_actor_fields(actor),
            stop_requested_at=None,
            ended_at=None,
            stop_reason="",
            lease_id=None,
            heartbeat_at=started_at,
        )
        if not updated:
            raise _WrongState
        run_plan.enqueue(str(plan.pk))

    return _update_and_log(START_ACTION, plan, actor, update, reason=stored_reason)


def stop(*, plan: Plan, actor: Actor) -> bool:
    """Let the current change finish and start no other.

    Return False if the plan isn't running. Raises `NotRecorded`; the plan then keeps running.
    """

    def update() -> None:
        running = Plan.objects.filter(pk=plan.pk, started_at__isnull=False, ended_at=None).first()
        if running is None or (running.stop_requested_at and not is_idle(running)):
            raise _WrongState
        Plan.objects.filter(pk=plan.pk).update(stop_requested_at=timezone.now())
        if is_idle(running):  # there is no worker that would notice the request
            Plan.objects.filter(pk=plan.pk).update(
                ended_at=timezone.now(), stop_reason=STOPPED_BY_USER, lease_id=None
            )

    return _update_and_log(STOP_ACTION, plan, actor, update, reason=plan.reason)


@task()
def run_plan(plan_id: str) -> None:
    """Make some changes of a plan, unless another worker holds its lease."""
    plan = Plan.objects.filter(pk=plan_id).first()
    lease_id = uuid.uuid4()
    if plan is None or not _acquire_lease(plan, lease_id):
        return
    # This later run takes over if the current worker dies.
    takeover_at = timezone.now() + LEASE_TIMEOUT + timedelta(seconds=5)
    run_plan.using(run_after=takeover_at).enqueue(plan_id)
    _PlanRun(plan, lease_id).run()


def requeue_all() -> int:
    """Enqueue every running plan at once and return their number.

    Only safe where no other process can be running one.
    """
    running = Plan.objects.filter(started_at__isnull=False, ended_at=None)
    running.update(lease_id=None)
    for plan in running:
        run_plan.enqueue(str(plan.pk))
    return len(running)


class _PlanRun:
    """One run of the task: some of a plan's changes, as long as it holds the lease."""

    def __init__(self, plan: Plan, lease_id: uuid.UUID) -> None:
        self.plan = plan
        self.lease_id = lease_id
        self.actor = Actor(**plan.actor | {"request_id": str(plan.pk)})
        self.consecutive_failures = 0

    def run(self) -> None:
        remaining = self.plan.changes.filter(skip_reason="", done_at=None).order_by("position")
        for _ in range(CHANGES_PER_RUN):
            # Loaded one by one, because an erasure can empty a change at any time.
            change = remaining.first()
            if change is None or not self._renew_lease() or self._end_if_stopped(change):
                break
            if not self._process_change(change):
                return
        if remaining.exists():
            if self._leased_plan().update(lease_id=None):
                run_plan.enqueue(str(self.plan.pk))
        else:
            self._end("")

    def _process_change(self, change: PlannedChange) -> bool:
        """Make a change and mark it as processed. Return False if that ended the plan."""
        stop_reason = ""
        try:
            change.skip_reason = self.make_change(change)
        except NotRecorded:
            self._end("Couldn't write to the audit log. Nothing more was sent.")
            return False
        except restrictions.OperationUnavailable as error:
            self._end(f"{error} Nothing more was sent.")
            return False
        except Exception as error:  # noqa: BLE001 - else the plan would retry it forever
            # Log the type only: the message can quote values of the flow.
            error_type = type(error).__name__
            log.error(
                "change %s of a bulk change failed with an internal error: %s",
                change.change_id,
                error_type,
            )
            is_recorded = audit_log.latest_event(change.change_id) is not None
            change.skip_reason = "" if is_recorded else "Internal error. Nothing was sent."
            stop_reason = "Internal error on one flow. The error has been logged."
        if self.consecutive_failures >= MAX_CONSECUTIVE_FAILURES:
            stop_reason = (
                f"Twilio refused or did not answer for {MAX_CONSECUTIVE_FAILURES} flows in a row."
            )
        change.done_at = timezone.now()
        change.save(update_fields=["done_at", "skip_reason"] if change.skip_reason else ["done_at"])
        if stop_reason:
            self._end(stop_reason)
        return not stop_reason

    def make_change(self, change: PlannedChange) -> str:
        """Make one change through the write protocol.

        Return the reason why the flow was skipped, or "" if the audit log has the result.
        """
        skip_reason = _find_skip_reason(change)
        if skip_reason:
            return skip_reason
        try:
            error = self._send(change)
        except flow_changes.FlowUnreadable as unreadable:
            error = unreadable.error
        except flow_changes.NothingToChange:
            return "Already set when its turn came."
        except audit_log.ConcurrentChange as concurrent:
            if concurrent.event.change_id == change.change_id:
                return ""
            return "Another change to this flow was in progress or had just finished."
        except (flow_changes.Conflict, flow_changes.OutcomeNotRecorded, audit_log.AlreadyRecorded):
            return ""
        if error is None or _concerns_one_flow(error):
            self.consecutive_failures = 0
        else:
            self.consecutive_failures += 1
        return ""

    def _send(self, change: PlannedChange) -> FlexError | None:
        common: dict[str, Any] = {
            "reason": self.plan.reason,
            "actor": replace(self.actor, role=self._current_role(change.account_sid)),
            "change_id": change.change_id,
            "refers_to": change.refers_to,
            "account_sid": change.account_sid,
        }
        if change.action == "flow.create":
            return flow_changes.create_flow(values=change.requested, **common).error
        if change.action == "flow.delete":
            return flow_changes.delete_flow(
                sid=change.target_sid, base=change.before, **common
            ).error
        return flow_changes.update_flow(
            sid=change.target_sid, base=change.before, values=change.requested, **common
        ).error

    def _current_role(self, account_sid: str) -> str:
        """Return the present role of the user who started the plan, for the log."""
        user = active_user(self.actor.id)
        return role_of(user, account_sid) if user else self.actor.role

    def _leased_plan(self) -> QuerySet[Plan]:
        return Plan.objects.filter(pk=self.plan.pk, lease_id=self.lease_id, ended_at=None)

    def _renew_lease(self) -> bool:
        return bool(self._leased_plan().update(heartbeat_at=timezone.now()))

    def _end(self, reason: str) -> None:
        self._leased_plan().update(ended_at=timezone.now(), stop_reason=reason[:200], lease_id=None)

    def _end_if_stopped(self, change: PlannedChange) -> bool:
        """End the plan if it was stopped or its user lost the permission. Return True if so."""
        self.plan.refresh_from_db()
        if self.plan.stop_requested_at:
            self._end(STOPPED_BY_USER)
            return True
        user = active_user(self.actor.id)
        if user is None or not has_change_permission(user, change.action, change.account_sid):
            self._end(f"{self.actor.label} no longer has permission to make these changes.")
            return True
        return False


def _find_skip_reason(change: PlannedChange) -> str:
    """Return the reason to send nothing for a change, or ""."""
    # An external change that is still in the inbox was rolled back only in part.
    if (
        change.refers_to
        and is_rolled_back(change.refers_to)
        and not OpenDrift.objects.filter(event__event_id=change.refers_to).exists()
    ):
        return ALREADY_ROLLED_BACK
    if change.retry_of and _is_applied(change.retry_of):
        return "Already done by another retry."
    return ""


def _is_applied(change_id: uuid.UUID) -> bool:
    """Return True if a planned change, or a retry of it, was applied."""
    attempts = PlannedChange.objects.filter(Q(change_id=change_id) | Q(retry_of=change_id))
    return AuditEvent.objects.filter(
        change_id__in=attempts.values("change_id"),
        stage__in=UNIQUE_STAGES,
        result__in=audit_log.APPLIED_RESULTS,
    ).exists()


def _concerns_one_flow(error: FlexError) -> bool:
    """Return True if an error says nothing about the other flows of the account."""
    if isinstance(error, StaleRead):
        return True
    return isinstance(error, RequestRefused) and error.status not in ACCOUNT_WIDE_STATUSES


def _acquire_lease(plan: Plan, lease_id: uuid.UUID) -> bool:
    heartbeat_at = timezone.now()
    is_free = Q(lease_id=None) | Q(heartbeat_at__lt=heartbeat_at - LEASE_TIMEOUT)
    running = Plan.objects.filter(is_free, pk=plan.pk, started_at__isnull=False, ended_at=None)
    return bool(running.update(lease_id=lease_id, heartbeat_at=heartbeat_at))


def is_idle(plan: Plan) -> bool:
    """Return True if no worker holds a running plan: it waits for one, or the last one died."""
    if plan.lease_id is None or plan.heartbeat_at is None:
        return True
    return plan.heartbeat_at < timezone.now() - LEASE_TIMEOUT


def is_waiting_for_worker(plan: Plan) -> bool:
    """Return True if a running plan has had no worker for longer than a pickup takes."""
    is_late = plan.heartbeat_at is None or plan.heartbeat_at < timezone.now() - PICKUP_TIMEOUT
    return plan.state in ("running", "stopping") and is_idle(plan) and is_late


def _update_and_log(
    action: str, plan: Plan, actor: Actor, update: Callable[[], None], *, reason: str
) -> bool:
    """Run `update` and record its event in one transaction.

    Return False if the state of the plan doesn't allow it. Raises `NotRecorded`.
    """

    def update_and_describe() -> Payload:
        update()
        remaining = plan.changes.filter(skip_reason="", done_at=None).count()
        return Payload(requested={"plan": plan.title, "flows": remaining})

    try:
        audit_log.append(
            action=action,
            stage=Stage.ACCESS,
            result=Result.SUCCEEDED,
            actor=Actor(**_actor_fields(actor) | {"request_id": str(plan.pk)}),
            reason=reason,
            payload=update_and_describe,
        )
    except _WrongState:
        return False
    plan.refresh_from_db()
    return True


def _actor_fields(actor: Actor) -> dict[str, Any]:
    return {name: getattr(actor, name) for name in Actor.__dataclass_fields__}
