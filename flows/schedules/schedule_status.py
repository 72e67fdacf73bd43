"""The status of a schedule, and the only table of its transitions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.db import models

from flows.schedules.actions import ScheduleAction


class ScheduleStatus(models.TextChoices):
    WAITING = "waiting", "Scheduled"
    STARTED = "started", "In progress"
    DONE = "done", "Done"
    SUSPENDED = "suspended", "Suspended"  # not made; a user has to decide
    CANCELLED = "cancelled", "Cancelled"


@dataclass(frozen=True, slots=True)
class Transition:
    """The statuses that allow an action, and the one that follows it."""

    sources: frozenset[ScheduleStatus]
    target: ScheduleStatus


_PENDING: Final = frozenset({ScheduleStatus.WAITING, ScheduleStatus.SUSPENDED})
TRANSITIONS: Final[Mapping[ScheduleAction, Transition]] = {
    # A new time can be set until the schedule starts, and after it was suspended or cancelled.
    ScheduleAction.SET: Transition(_PENDING | {ScheduleStatus.CANCELLED}, ScheduleStatus.WAITING),
    ScheduleAction.START: Transition(frozenset({ScheduleStatus.WAITING}), ScheduleStatus.STARTED),
    ScheduleAction.FINISH: Transition(frozenset({ScheduleStatus.STARTED}), ScheduleStatus.DONE),
    ScheduleAction.SUSPEND: Transition(
        frozenset({ScheduleStatus.WAITING, ScheduleStatus.STARTED}), ScheduleStatus.SUSPENDED
    ),
    ScheduleAction.CANCEL: Transition(_PENDING, ScheduleStatus.CANCELLED),
}
