"""The status of a flow's migration, and the only table of its transitions.

`change_status` is the only code that changes a status. The database makes the update only if the
migration still has a status that allows the event, so that of two events at the same time one is
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
    from flows.migration.models import FlowMigration


class MigrationStatus(models.TextChoices):
    PREPARING = "preparing", "Being prepared"  # its address is being created, still off
    READY = "ready", "Ready to switch over"  # the address exists and is off; the flow still answers
    SWITCHING = "switching", "Being switched over"
    SWITCHED = "switched", "Switched over"  # the address answers; no user has tried it yet
    VERIFIED = "verified", "Verified"  # a user sent a test message and saw it arrive
    DELETING = "deleting", "Flow being deleted"
    DONE = "done", "Done"  # the flow is deleted: the end
    ROLLING_BACK = "rolling_back", "Being rolled back"
    # All is as it was before, or a user finished it by hand: the end.
    ROLLED_BACK = "rolled_back", "Rolled back"
    STUCK = "stuck", "Needs you"  # it can't go on by itself; `problem` says why


# Statuses in which a worker has something to do.
RUNNING_STATUSES: Final = (
    MigrationStatus.PREPARING,
    MigrationStatus.SWITCHING,
    MigrationStatus.DELETING,
    MigrationStatus.ROLLING_BACK,
)
ENDED_STATUSES: Final = (MigrationStatus.DONE, MigrationStatus.ROLLED_BACK)


class MigrationEvent(enum.StrEnum):
    PREPARED = "prepared"
    SWITCH = "switch"
    CANCEL_SWITCH = "cancel switch"  # before anything was sent
    SWITCHED = "switched"
    UNDO_SWITCH = "undo switch"  # a step failed
    UNDONE = "undone"
    VERIFY = "verify"
    DELETE = "delete"
    NOT_DELETED = "not deleted"
    FINISH = "finish"
    ROLL_BACK = "roll back"
    ROLLED_BACK = "rolled back"
    CANCEL_ROLLBACK = "cancel rollback"  # before anything was sent; the address still answers
    KEEP_ADDRESS = "keep address"  # the flow can't be turned on, so the address is again
    GET_STUCK = "get stuck"
    RESUME = "resume"  # to the status in which it got stuck
    CLOSE = "close"  # a user did by hand what was left


@dataclass(frozen=True, slots=True)
class Transition:
    """The statuses that allow an event, and the status after it, or the possible ones."""

    sources: tuple[MigrationStatus, ...]
    targets: tuple[MigrationStatus, ...]


_S = MigrationStatus
TRANSITIONS: Final[Mapping[MigrationEvent, Transition]] = {
    MigrationEvent.PREPARED: Transition((_S.PREPARING,), (_S.READY,)),
    MigrationEvent.SWITCH: Transition((_S.READY,), (_S.SWITCHING,)),
    MigrationEvent.CANCEL_SWITCH: Transition((_S.SWITCHING,), (_S.READY,)),
    MigrationEvent.SWITCHED: Transition((_S.SWITCHING,), (_S.SWITCHED,)),
    MigrationEvent.UNDO_SWITCH: Transition((_S.SWITCHING,), (_S.ROLLING_BACK,)),
    MigrationEvent.UNDONE: Transition((_S.ROLLING_BACK,), (_S.READY,)),
    MigrationEvent.VERIFY: Transition((_S.SWITCHED,), (_S.VERIFIED,)),
    MigrationEvent.DELETE: Transition((_S.VERIFIED,), (_S.DELETING,)),
    MigrationEvent.NOT_DELETED: Transition((_S.DELETING,), (_S.VERIFIED,)),
    MigrationEvent.FINISH: Transition((_S.DELETING,), (_S.DONE,)),
    MigrationEvent.ROLL_BACK: Transition(
        (_S.READY, _S.SWITCHED, _S.VERIFIED, _S.STUCK), (_S.ROLLING_BACK,)
    ),
    MigrationEvent.ROLLED_BACK: Transition((_S.ROLLING_BACK, _S.PREPARING), (_S.ROLLED_BACK,)),
    MigrationEvent.CANCEL_ROLLBACK: Transition((_S.ROLLING_BACK,), (_S.SWITCHED, _S.VERIFIED)),
    MigrationEvent.KEEP_ADDRESS: Transition((_S.ROLLING_BACK,), (_S.SWITCHING,)),
    MigrationEvent.GET_STUCK: Transition(RUNNING_STATUSES, (_S.STUCK,)),
    MigrationEvent.RESUME: Transition((_S.STUCK,), RUNNING_STATUSES),
    MigrationEvent.CLOSE: Transition((_S.STUCK,), (_S.ROLLED_BACK,)),
}


class TransitionNotAllowed(Exception):
    """The migration has a status that doesn't allow the event, or doesn't meet its condition."""


def change_status(
    migrations: QuerySet[FlowMigration],
    event: MigrationEvent,
    *,
    target: MigrationStatus | None = None,
    **values: Any,
) -> MigrationStatus:
    """Move the migration of a query to the status after an event, and set `values` with it.

    The query names one migration and can have more conditions. `target` is the status after an
    event that has several. Return the new status. Raises `TransitionNotAllowed`.
    """
    transition = TRANSITIONS[event]
    target = target or transition.targets[0]
    if target not in transition.targets:
        raise TransitionNotAllowed(event)
    values = {**_values_of_event(event, target, timezone.now()), **values}
    allowed = migrations.filter(status__in=transition.sources)
    if not allowed.update(status=target, **values):
        raise TransitionNotAllowed(event)
    return target


_ALL_TIMES: Final = ("prepared_at", "switched_at", "verified_at")
_TIMES_SET: Final[Mapping[MigrationEvent, str]] = {
    MigrationEvent.PREPARED: "prepared_at",
    MigrationEvent.SWITCHED: "switched_at",
    MigrationEvent.VERIFY: "verified_at",
    MigrationEvent.FINISH: "done_at",
}
_TIMES_EMPTIED: Final[Mapping[MigrationEvent, tuple[str, ...]]] = {
    MigrationEvent.UNDONE: ("switched_at",),
    MigrationEvent.KEEP_ADDRESS: ("verified_at",),
    MigrationEvent.ROLLED_BACK: _ALL_TIMES,
    MigrationEvent.CLOSE: _ALL_TIMES,
}


def _values_of_event(
    event: MigrationEvent, target: MigrationStatus, changed_at: datetime
) -> dict[str, Any]:
    """Return the values of the other fields that a migration gets with an event."""
    values: dict[str, Any] = {"problem": "", "begun_at": None}
    if event == MigrationEvent.UNDO_SWITCH:
        del values["begun_at"]  # the same worker goes on, and customers may be unserved
    if target in RUNNING_STATUSES:
        values["requested_at"] = changed_at
    if target in ENDED_STATUSES:
        values["ended_at"] = changed_at
    if event in _TIMES_SET:
        values[_TIMES_SET[event]] = changed_at
    return values | dict.fromkeys(_TIMES_EMPTIED.get(event, ()))
