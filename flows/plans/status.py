"""The status of a plan, and the only table of its transitions.

`change_status` is the only code that changes a status. The database makes the update only if the
plan still has a status that allows the event, so that of two events at the same time one is
refused.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from django.db import models
from django.db.models import QuerySet
from django.utils import timezone

if TYPE_CHECKING:
    from flows.plans.models import Plan


class PlanStatus(models.TextChoices):
    DRAFT = "draft", "Draft"
    RUNNING = "running", "In progress"
    STOPPING = "stopping", "Stopping"  # the current change is the last one
    STOPPED = "stopped", "Stopped"  # some changes remain
    DONE = "done", "Finished"


# The statuses in which a run makes changes, or will make them.
ACTIVE_STATUSES: Final = (PlanStatus.RUNNING, PlanStatus.STOPPING)
ENDED_STATUSES: Final = (PlanStatus.STOPPED, PlanStatus.DONE)


class PlanEvent(enum.StrEnum):
    START = "start"  # of a draft, or again after a stop
    RESTART = "restart"  # after a run died
    REQUEST_STOP = "request stop"
    STOP = "stop"  # on request, or because of a problem
    FINISH = "finish"


@dataclass(frozen=True, slots=True)
class Transition:
    """The statuses that allow an event, and the status after it."""

    sources: frozenset[PlanStatus]
    target: PlanStatus


TRANSITIONS: Final[Mapping[PlanEvent, Transition]] = {
    PlanEvent.START: Transition(
        frozenset({PlanStatus.DRAFT, PlanStatus.STOPPED}), PlanStatus.RUNNING
    ),
    PlanEvent.RESTART: Transition(frozenset(ACTIVE_STATUSES), PlanStatus.RUNNING),
    PlanEvent.REQUEST_STOP: Transition(frozenset({PlanStatus.RUNNING}), PlanStatus.STOPPING),
    PlanEvent.STOP: Transition(frozenset(ACTIVE_STATUSES), PlanStatus.STOPPED),
    PlanEvent.FINISH: Transition(frozenset(ACTIVE_STATUSES), PlanStatus.DONE),
}


class TransitionNotAllowed(Exception):
    """The plan has a status that doesn't allow the event, or doesn't meet its condition."""


def change_status(plans: QuerySet[Plan], event: PlanEvent, **values: Any) -> None:
    """Move the plan of a query to the status after an event, and set `values` with it.

    The query names one plan and can have more conditions, such as the lease of a run. Raises
    `TransitionNotAllowed` if it is empty or the plan's status doesn't allow the event.
    """
    transition = TRANSITIONS[event]
    values = {**_values_of_status(transition.target, timezone.now()), **values}
    allowed = plans.filter(status__in=transition.sources)
    if not allowed.update(status=transition.target, **values):
        raise TransitionNotAllowed(event)


def _values_of_status(status: PlanStatus, changed_at: datetime) -> dict[str, Any]:
    """Return the values of the other fields that a plan gets with a status."""
    if status == PlanStatus.RUNNING:
        return {
            "started_at": changed_at,
            "stop_requested_at": None,
            "ended_at": None,
            "stop_reason": "",
            "lease_id": None,
            "heartbeat_at": changed_at,
        }
    if status == PlanStatus.STOPPING:
        return {"stop_requested_at": changed_at}
    return {"ended_at": changed_at, "lease_id": None}
