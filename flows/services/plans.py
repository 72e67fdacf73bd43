"""Carrying a plan out: start, stop, and a worker's turn in the background, change by change through changes.py. What
became of each flow is the log's to say (`fates`); the plan itself only knows how far the worker has come.

A turn makes some changes and hands on to the next one, so that a worker that is told to end soon does. A turn that
died is found by a later one, which was put on the queue beforehand for that. A change's id was given when it was
planned: one that was begun is never begun again, whoever comes to it.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone
from django_tasks import task

from flows.flexapi.errors import FlexError, Refused
from flows.models import AuditEvent, Plan, PlannedChange, Result, Stage
from flows.services import audit, changes, mirror
from flows.services.audit import Actor, NotRecorded, Payload

log = logging.getLogger(__name__)

A_TURN: Final = 20  # changes
DEAD_AFTER: Final = timedelta(minutes=2)  # without a sign of life: longer than any one change may take
A_WORKER_COMES: Final = timedelta(seconds=10)
ENOUGH: Final = 5  # flows in a row for which Twilio did not answer
START, STOP = "plan.start", "plan.stop"
STOPPED: Final = "It was stopped."
PERMISSIONS: Final = {
    "flow.create": "flows.add_flow",
    "flow.update": "flows.change_flow",
    "flow.delete": "flows.delete_flow",
}
_STATES: Final = {
    Result.PENDING: "running",
    Result.UNKNOWN: "unknown",
    Result.CONFLICT: "conflict",
    Result.SUCCEEDED: "made",
    Result.APPLIED: "made",
}


class _NotNow(Exception):
    """The plan is not in a state for this."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one planned change: planned, skipped, running, made, failed, unknown or conflict. `event` is
    the latest that the log has of it."""

    change: PlannedChange
    event: AuditEvent | None

    @property
    def state(self) -> str:
        if self.event is not None:
            return _STATES.get(Result(self.event.result), "failed")
        return "skipped" if self.change.skipped else "planned"


def fates(plan: Plan, *, states: Iterable[str] = ()) -> list[Fate]:
    """Every change of the plan in its order, or those in one of these states."""
    planned = list(plan.changes.order_by("place"))
    events = AuditEvent.objects.filter(change_id__in=plan.changes.values("change_id")).select_related(
        "payload"
    )
    latest = {event.change_id: event for event in events.order_by("seq")}
    found = [Fate(change, latest.get(change.change_id)) for change in planned]
    wanted = set(states)
    return [fate for fate in found if not wanted or fate.state in wanted]


def missing_permission(plan: Plan, user: User) -> str:
    """A permission that carrying out the plan takes and that the person has not, or nothing."""
    actions = plan.changes.filter(skipped="").values_list("action", flat=True).distinct()
    needed = [PERMISSIONS[action] for action in actions]
    return next((permission for permission in needed if not user.has_perm(permission)), "")


def start(*, plan: Plan, reason: str, actor: Actor) -> bool:
    """Begins a plan, or goes on with one that was stopped or whose worker is gone; on record before anything is sent.
    False if it is under way or done. Raises `NotRecorded`."""
    now = timezone.now()
    was_stopped = Q(ended_at__isnull=False) & ~Q(ended_because="")
    is_abandoned = Q(started_at__isnull=False, ended_at=None, alive_at__lt=now - DEAD_AFTER)
    can_start = Q(started_at=None) | was_stopped | is_abandoned
    why = reason or plan.reason
    begun = {
        "started_at": plan.started_at or now,
        "reason": why,
        "actor": _kept(actor),
        "stop_asked_at": None,
        "ended_at": None,
        "ended_because": "",
        "runner": None,
        "alive_at": now,
    }

    def begin() -> None:
        if not Plan.objects.filter(can_start, pk=plan.pk).update(**begun):
            raise _NotNow
        carry_on.enqueue(str(plan.pk))

    return _on_record(START, plan, actor, begin, reason=why)


def stop(*, plan: Plan, actor: Actor) -> bool:
    """Lets the change that is under way end, and no other begin. False if the plan is not under way. Raises
    `NotRecorded`; then it goes on."""

    def ask() -> None:
        running = Plan.objects.filter(pk=plan.pk, started_at__isnull=False, ended_at=None, stop_asked_at=None)
        if not running.update(stop_asked_at=timezone.now()):
            raise _NotNow
        if is_idle(Plan.objects.get(pk=plan.pk)):  # no worker is there to notice
            _end(plan, STOPPED)

    return _on_record(STOP, plan, actor, ask, reason=plan.reason)


@task()
def carry_on(plan_id: str) -> None:
    """One worker's turn at a plan, unless another has it."""
    plan = Plan.objects.filter(pk=plan_id).first()
    turn = uuid.uuid4()
    if plan is None or not _take(plan, turn):
        return
    # If this worker dies, somebody finds this and goes on.
    carry_on.using(run_after=timezone.now() + DEAD_AFTER + timedelta(seconds=5)).enqueue(plan_id)
    _Turn(plan, turn).run()


def resume() -> int:
    """Puts every plan that is under way on the queue at once. For where nobody else can be at work on one."""
    underway = Plan.objects.filter(started_at__isnull=False, ended_at=None)
    underway.update(runner=None)
    for plan in underway:
        carry_on.enqueue(str(plan.pk))
    return len(underway)


class _Turn:
    """Some of a plan's changes, as long as this turn is the plan's."""

    def __init__(self, plan: Plan, turn: uuid.UUID) -> None:
        self.plan, self.turn = plan, turn
        self.actor = Actor(**plan.actor | {"request_id": str(plan.pk)})
        self.unanswered = 0

    def run(self) -> None:
        left = self.plan.changes.filter(skipped="", done_at=None).order_by("place")
        for change in left[:A_TURN]:
            if not self._is_mine() or self._is_over(change):
                return
            try:
                self._make(change)
            except NotRecorded:
                _end(self.plan, "The audit log could not be written, so nothing more was sent.")
                return
            change.done_at = timezone.now()
            change.save(update_fields=["skipped", "done_at"])
            if self.unanswered >= ENOUGH:
                _end(self.plan, f"Twilio did not answer for {ENOUGH} flows one after the other.")
                return
        if left.exists():
            if Plan.objects.filter(pk=self.plan.pk, runner=self.turn).update(runner=None):
                carry_on.enqueue(str(self.plan.pk))
        else:
            _end(self.plan, "")

    def _is_mine(self) -> bool:
        mine = Plan.objects.filter(pk=self.plan.pk, runner=self.turn, ended_at=None)
        return bool(mine.update(alive_at=timezone.now()))

    def _is_over(self, change: PlannedChange) -> bool:
        self.plan.refresh_from_db()
        if self.plan.stop_asked_at:
            _end(self.plan, STOPPED)
            return True
        person = User.objects.filter(pk=self.actor.id, is_active=True).first()
        if person is None or not person.has_perm(PERMISSIONS[change.action]):
            _end(self.plan, f"{self.actor.label} may not make these changes any more.")
            return True
        return False

    def _make(self, change: PlannedChange) -> None:
        """One change, as any other. What is not on record of it is why it was skipped."""
        try:
            error = self._send(change)
        except changes.NotRead as unread:
            error = unread.error
        except changes.NothingToChange:
            change.skipped = "It was like that already when its turn came."
            return
        except audit.ChangeOpen as other:
            if other.event.change_id != change.change_id:
                change.skipped = (
                    "Another change of it was under way or had just been made when its turn came."
                )
            return
        except (changes.Conflict, changes.OutcomeNotRecorded, audit.AlreadyRecorded):
            return  # the log has it
        is_answer = error is None or isinstance(error, Refused) or mirror.is_gone(error)
        self.unanswered = 0 if is_answer else self.unanswered + 1

    def _send(self, change: PlannedChange) -> FlexError | None:
        common: dict[str, Any] = {
            "reason": self.plan.reason,
            "actor": self.actor,
            "change_id": change.change_id,
            "refers_to": change.refers_to,
        }
        if change.action == "flow.create":
            return changes.create_flow(values=change.asked, **common).error
        if change.action == "flow.delete":
            return changes.delete_flow(sid=change.target_sid, base=change.before, **common).error
        return changes.update_flow(
            sid=change.target_sid, base=change.before, values=change.asked, **common
        ).error


def _take(plan: Plan, turn: uuid.UUID) -> bool:
    now = timezone.now()
    is_free = Q(runner=None) | Q(alive_at__lt=now - DEAD_AFTER)
    underway = Plan.objects.filter(is_free, pk=plan.pk, started_at__isnull=False, ended_at=None)
    return bool(underway.update(runner=turn, alive_at=now))


def is_idle(plan: Plan) -> bool:
    """Whether no worker is at a plan that is under way: it waits for one, or the last one died."""
    return plan.runner is None or plan.alive_at is None or plan.alive_at < timezone.now() - DEAD_AFTER


def is_waiting(plan: Plan) -> bool:
    """Whether a plan that is under way has been without a worker for longer than one needs to come."""
    is_late = plan.alive_at is None or plan.alive_at < timezone.now() - A_WORKER_COMES
    return plan.state == "running" and is_idle(plan) and is_late


def _end(plan: Plan, because: str) -> None:
    Plan.objects.filter(pk=plan.pk, ended_at=None).update(
        ended_at=timezone.now(), ended_because=because[:200], runner=None
    )


def _on_record(action: str, plan: Plan, actor: Actor, act: Callable[[], None], *, reason: str) -> bool:
    """Does it in the transaction of the event that tells of it: both or neither."""

    def done() -> Payload:
        act()
        left = plan.changes.filter(skipped="", done_at=None).count()
        return Payload(requested={"plan": plan.title, "flows": left})

    try:
        audit.append(
            action=action,
            stage=Stage.ACCESS,
            result=Result.SUCCEEDED,
            actor=Actor(**_kept(actor) | {"request_id": str(plan.pk)}),
            reason=reason,
            payload=done,
        )
    except _NotNow:
        return False
    plan.refresh_from_db()
    return True


def _kept(actor: Actor) -> dict[str, Any]:
    return {name: getattr(actor, name) for name in Actor.__dataclass_fields__}
