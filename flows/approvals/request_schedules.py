"""The schedules of change requests, as far as requests depend on them.

Schedules are in an upper package, which registers itself here (flows/apps.py).
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Protocol

from flows.approvals.actions import RequestAction
from flows.approvals.models import ChangeRequest
from flows.audit.audit_log import Actor, LogTransaction


class RequestSchedules(Protocol):
    """The questions to the schedules, and the message that a request has taken a step."""

    def is_kept_open(self, request: ChangeRequest, now: datetime, /) -> bool:
        """Return True if the request doesn't expire because of its schedule."""

    def earlier_request(self, request: ChangeRequest, /) -> ChangeRequest | None:
        """Return the request of the first change if this one is its return, or None."""

    def paired_ids(self, request: ChangeRequest, /) -> Collection[uuid.UUID]:
        """Return the request of the first change, or of the return."""

    def waiting_ids(self) -> Iterable[uuid.UUID]:
        """Return the requests that wait for their time, and so for no user."""

    def after_step(
        self,
        log: LogTransaction,
        request: ChangeRequest,
        action: RequestAction,
        actor: Actor,
        message: str,
        /,
    ) -> None:
        """Update the schedule in the transaction of the step. `request` has its new status."""


class NoSchedules:
    """Stands in until the schedules are registered."""

    def is_kept_open(self, _request: ChangeRequest, _now: datetime) -> bool:
        return False

    def earlier_request(self, _request: ChangeRequest) -> ChangeRequest | None:
        return None

    def paired_ids(self, _request: ChangeRequest) -> Collection[uuid.UUID]:
        return ()

    def waiting_ids(self) -> Iterable[uuid.UUID]:
        return ()

    def after_step(
        self,
        _log: LogTransaction,
        _request: ChangeRequest,
        _action: RequestAction,
        _actor: Actor,
        _message: str,
    ) -> None:
        """Do nothing."""


_registered: list[RequestSchedules] = [NoSchedules()]


def register(schedules: RequestSchedules) -> None:
    """Use these schedules."""
    _registered[:] = [schedules]


def schedules() -> RequestSchedules:
    return _registered[0]
