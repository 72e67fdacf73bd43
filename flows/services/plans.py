"""Carrying a plan out: start, stop, and a worker's turn in the background, change by change through changes.py. What
became of each flow is the log's to say (`fates`); the plan itself only knows how far the worker has come.

A turn makes some changes and hands on to the next one, so that a worker that is told to end soon does. A turn that
died is found by a later one, which was put on the queue beforehand for that. A change's id was given when it was
planned: one that was begun is never begun again, whoever comes to it.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.utils import timezone
from django_tasks import task

from flexadmin.roles import role_of, site_user
from flows import accounts
from flows.flexapi.errors import FlexError, Refused
from flows.masking import masked_note, storable
from flows.models import ONCE, AuditEvent, OpenDrift, Plan, PlannedChange, Result, Stage
from flows.services import audit, changes, closures
from flows.services.audit import Actor, NotRecorded, Payload
from flows.services.settling import StaleRead

log = logging.getLogger(__name__)

A_TURN: Final = 20  # changes
DEAD_AFTER: Final = timedelta(minutes=2)  # without a sign of life: longer than any one change may take
A_WORKER_COMES: Final = timedelta(seconds=10)
ENOUGH: Final = 5  # flows in a row for which Twilio did not answer, or with
REFUSED_TO_ALL: Final = frozenset({401, 403, 429})  # what it would say to the next one too
START, STOP = "plan.start", "plan.stop"
STOPPED: Final = "Stopped."
ERASED: Final = "Personal data erased."
UNDONE: Final = "Already rolled back."
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


def fates(plan: Plan, *, whole: bool = False) -> list[Fate]:
    """Every change of the plan in its order. A plan can be long and is asked for often: what the events hold beside
    their result is read later, one by one, if not told `whole`."""
    events = AuditEvent.objects.filter(change_id__in=plan.changes.values("change_id")).order_by("seq")
    events = events.select_related("payload") if whole else events.only("event_id", "change_id", "result")
    latest = {event.change_id: event for event in events}
    return [Fate(change, latest.get(change.change_id)) for change in plan.changes.order_by("place")]


def is_undone(event_id: uuid.UUID) -> bool:
    """Whether a change that was made says that it undoes this event."""
    return AuditEvent.objects.filter(refers_to=event_id, stage__in=ONCE, result__in=audit.MADE).exists()


def missing_permission(plan: Plan, user: User) -> str:
    """A permission that carrying out the plan takes and that the person has not on one of its accounts, or nothing."""
    changes = plan.changes.filter(skipped="").order_by().values_list("action", "account_sid").distinct()
    return next((PERMISSIONS[action] for action, account in changes if not _may(user, action, account)), "")


def shut_by(plan: Plan) -> str:
    """Why some of the plan can't be made now, in a sentence, or nothing."""
    changes = plan.changes.filter(skipped="", done_at=None).order_by()
    asked = changes.values_list("action", "account_sid").distinct()
    whys = (
        closures.reason_against(account_sid, action.removeprefix("flow.")) for action, account_sid in asked
    )
    return next((why.sentence for why in whys if why), "")


def _may(user: User, action: str, account_sid: str) -> bool:
    return user.has_perm(PERMISSIONS[action], account_sid or accounts.EVERY)  # type: ignore[arg-type]  # our backend takes a SID


def start(*, plan: Plan, reason: str, actor: Actor) -> bool:
    """Begins a plan, or goes on with one that was stopped or whose worker is gone; on record before anything is sent.
    False if it is under way or done. Raises `NotRecorded`."""
    now = timezone.now()
    was_stopped = Q(ended_at__isnull=False) & ~Q(ended_because="")
    is_abandoned = Q(started_at__isnull=False, ended_at=None, alive_at__lt=now - DEAD_AFTER)
    can_start = Q(started_at=None) | was_stopped | is_abandoned
    why = masked_note(storable(reason))[:200]
    begun = {
        "started_at": now,
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
        underway = Plan.objects.filter(pk=plan.pk, started_at__isnull=False, ended_at=None).first()
        if underway is None or (underway.stop_asked_at and not is_idle(underway)):
            raise _NotNow
        Plan.objects.filter(pk=plan.pk).update(stop_asked_at=timezone.now())
        if is_idle(underway):  # no worker is there to notice
            Plan.objects.filter(pk=plan.pk).update(
                ended_at=timezone.now(), ended_because=STOPPED, runner=None
            )

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
        for _ in range(A_TURN):
            change = left.first()  # as it is now: it may have been erased
            if change is None or not self._is_mine() or self._is_over(change):
                break
            if not self._came_through(change):
                return
        if left.exists():
            if self._mine().update(runner=None):
                carry_on.enqueue(str(self.plan.pk))
        else:
            self._end("")

    def _came_through(self, change: PlannedChange) -> bool:
        """Makes a change and notes that it was tried. False if that ended the plan."""
        because = ""
        try:
            change.skipped = self._make(change)
        except NotRecorded:
            return self._end("Couldn't write to the audit log. Nothing more was sent.")
        except closures.Closed as closed:
            return self._end(f"{closed} Nothing more was sent.")
        except Exception as error:  # noqa: BLE001 - else the plan would come back to it for ever
            # The kind alone: its own words can quote what was sent.
            kind = type(error).__name__
            log.error("change %s of a bulk change failed with an internal error: %s", change.change_id, kind)
            has_begun = audit.story_of(change.change_id) is not None
            change.skipped = "" if has_begun else "Internal error. Nothing was sent."
            because = "Internal error on one flow. The error has been logged."
        if self.unanswered >= ENOUGH:
            because = f"Twilio refused or did not answer for {ENOUGH} flows in a row."
        change.done_at = timezone.now()
        change.save(update_fields=["done_at", *(["skipped"] if change.skipped else [])])
        return self._end(because) if because else True

    def _mine(self) -> QuerySet[Plan]:
        return Plan.objects.filter(pk=self.plan.pk, runner=self.turn, ended_at=None)

    def _end(self, because: str) -> bool:
        self._mine().update(ended_at=timezone.now(), ended_because=because[:200], runner=None)
        return False

    def _is_mine(self) -> bool:
        return bool(self._mine().update(alive_at=timezone.now()))

    def _is_over(self, change: PlannedChange) -> bool:
        self.plan.refresh_from_db()
        if self.plan.stop_asked_at:
            self._end(STOPPED)
            return True
        person = site_user(int(self.actor.id or 0))
        if person is None or not person.is_active or not _may(person, change.action, change.account_sid):
            self._end(f"{self.actor.label} no longer has permission to make these changes.")
            return True
        return False

    def _make(self, change: PlannedChange) -> str:
        """One change, as any other. If nothing of it is on record, why it was left out."""
        if change.refers_to and is_undone(change.refers_to) and not _is_waiting(change.refers_to):
            return UNDONE
        if change.repeats and _is_made(change.repeats):
            return "Already done by another retry."
        try:
            error = self._send(change)
        except changes.NotRead as unread:
            error = unread.error
        except changes.NothingToChange:
            return "Already set when its turn came."
        except audit.ChangeOpen as other:
            is_own = other.event.change_id == change.change_id
            return "" if is_own else "Another change to this flow was in progress or had just finished."
        except (changes.Conflict, changes.OutcomeNotRecorded, audit.AlreadyRecorded):
            return ""  # the log has it
        is_of_all = error is not None and error.status in REFUSED_TO_ALL
        is_answer = (
            error is None or isinstance(error, StaleRead) or (isinstance(error, Refused) and not is_of_all)
        )
        self.unanswered = 0 if is_answer else self.unanswered + 1
        return ""

    def _role(self, account_sid: str) -> str:
        """What the person who started it may be there now."""
        person = User.objects.filter(pk=self.actor.id).first()
        return role_of(person, account_sid) if person else self.actor.role

    def _send(self, change: PlannedChange) -> FlexError | None:
        common: dict[str, Any] = {
            "reason": self.plan.reason,
            "actor": replace(self.actor, role=self._role(change.account_sid)),
            "change_id": change.change_id,
            "refers_to": change.refers_to,
        }
        if change.action == "flow.create":
            return changes.create_flow(values=change.asked, account_sid=change.account_sid, **common).error
        if change.action == "flow.delete":
            return changes.delete_flow(
                sid=change.target_sid, base=change.before, account_sid=change.account_sid, **common
            ).error
        return changes.update_flow(
            sid=change.target_sid,
            base=change.before,
            values=change.asked,
            account_sid=change.account_sid,
            **common,
        ).error


def _is_waiting(event_id: uuid.UUID) -> bool:
    """Return True for an external change of which a part is left in the inbox."""
    return OpenDrift.objects.filter(event__event_id=event_id).exists()


def _is_made(change_id: uuid.UUID) -> bool:
    """Whether a planned change came to pass, itself or in a plan that tried it once more."""
    tries = PlannedChange.objects.filter(Q(change_id=change_id) | Q(repeats=change_id)).values("change_id")
    return AuditEvent.objects.filter(change_id__in=tries, stage__in=ONCE, result__in=audit.MADE).exists()


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
    return plan.state in ("running", "stopping") and is_idle(plan) and is_late


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
