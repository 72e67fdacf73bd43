"""The status of a change request, and the only table of its transitions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.db import models

from flows.approvals.actions import RequestAction


class RequestStatus(models.TextChoices):
    IN_REVIEW = "in_review", "In review"
    APPROVED = "approved", "Approved"
    IN_PROGRESS = "in_progress", "In progress"
    SUSPENDED = "suspended", "Suspended"  # Twilio has other values now
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    REJECTED = "rejected", "Rejected"
    CANCELLED = "cancelled", "Cancelled"
    EXPIRED = "expired", "Expired"


# A request of these can still be decided about.
WAITING: Final = (RequestStatus.IN_REVIEW, RequestStatus.APPROVED, RequestStatus.SUSPENDED)
OPEN: Final = (*WAITING, RequestStatus.IN_PROGRESS)
ENDED: Final = tuple(status for status in RequestStatus if status not in OPEN)
_REVIEWED: Final = frozenset({RequestStatus.IN_REVIEW, RequestStatus.APPROVED})


@dataclass(frozen=True, slots=True)
class Transition:
    """The statuses that allow an action, and those that can follow it."""

    sources: frozenset[RequestStatus]
    targets: frozenset[RequestStatus]


TRANSITIONS: Final[Mapping[RequestAction, Transition]] = {
    RequestAction.REVISE: Transition(frozenset(WAITING), _REVIEWED),
    RequestAction.APPROVE: Transition(frozenset({RequestStatus.IN_REVIEW}), _REVIEWED),
    RequestAction.VOID: Transition(frozenset(WAITING), frozenset(WAITING)),
    RequestAction.REEVALUATE: Transition(_REVIEWED, _REVIEWED),
    RequestAction.COMMENT: Transition(frozenset(RequestStatus), frozenset(RequestStatus)),
    RequestAction.REJECT: Transition(frozenset(WAITING), frozenset({RequestStatus.REJECTED})),
    RequestAction.CANCEL: Transition(frozenset(WAITING), frozenset({RequestStatus.CANCELLED})),
    RequestAction.EXPIRE: Transition(frozenset(WAITING), frozenset({RequestStatus.EXPIRED})),
    RequestAction.APPLY: Transition(
        frozenset({RequestStatus.APPROVED}), frozenset({RequestStatus.IN_PROGRESS})
    ),
    RequestAction.BREAK_GLASS: Transition(_REVIEWED, frozenset({RequestStatus.IN_PROGRESS})),
    RequestAction.RETURN: Transition(frozenset({RequestStatus.IN_PROGRESS}), _REVIEWED),
    RequestAction.SUSPEND: Transition(
        _REVIEWED | {RequestStatus.IN_PROGRESS}, frozenset({RequestStatus.SUSPENDED})
    ),
    RequestAction.FINISH: Transition(
        frozenset({RequestStatus.IN_PROGRESS}), frozenset({RequestStatus.DONE})
    ),
    RequestAction.FAIL: Transition(
        frozenset({RequestStatus.IN_PROGRESS}), frozenset({RequestStatus.FAILED})
    ),
}
