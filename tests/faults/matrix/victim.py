"""Process that makes one change, or reconciles, and kills itself at a given step.

Victims are forked from a server that has loaded Django and has no threads (multiprocessing's
"forkserver").
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess
from typing import Any

import tests.faults.ready  # noqa: F401 - Django comes first
from tests import ACCOUNT

# isort: split
from django.conf import settings
from django.db import connections
from django.db.models.signals import post_save
from django.utils import timezone

from flows.audit.audit_log import Actor
from flows.audit.models import AuditPayload
from flows.changes import flow_changes, reconcile
from flows.mirror import mirror
from flows.twilio.client import ResourceClient

STEPS_KILLED_BY_PARENT = (
    "while it reads the flow first",
    "while the call is held",
)  # it knows when a call is held


@dataclass(frozen=True, slots=True, kw_only=True)
class Instructions:
    """Change to make, and the step at which to die."""

    step: str
    verb: str  # of the change, or "reconcile"
    sid: str
    before: dict[str, Any]
    values: dict[str, Any]
    actor: Actor
    change_id: uuid.UUID
    api: str
    database: str
    ahead: timedelta  # of its clock


def make_change(
    verb: str,
    sid: str,
    before: dict[str, Any],
    values: dict[str, Any],
    actor: Actor,
    change_id: uuid.UUID,
) -> None:
    """Make one change by its service."""
    common: dict[str, Any] = {"reason": "the matrix", "actor": actor, "change_id": change_id}
    if verb == "create":
        flow_changes.create_flow(account_sid=ACCOUNT, values=values, **common)
    elif verb == "update":
        flow_changes.update_flow(sid=sid, account_sid=ACCOUNT, base=before, values=values, **common)
    elif verb == "set_enabled":
        flow_changes.set_enabled(sid=sid, account_sid=ACCOUNT, enabled=values["enabled"], **common)
    else:
        flow_changes.delete_flow(
            sid=sid, account_sid=ACCOUNT, base={"friendly_name": before["friendly_name"]}, **common
        )


def start_victim(orders: Instructions) -> BaseProcess:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=_run, args=(orders,), daemon=True)
    process.start()
    return process


def _run(orders: Instructions) -> None:
    settings.FLEX_API_URL = orders.api
    connections["default"].settings_dict["NAME"] = orders.database
    timezone.now = lambda: datetime.now(UTC) + orders.ahead
    if orders.step not in STEPS_KILLED_BY_PARENT:
        _STEPS[orders.step]()
    if orders.verb == "reconcile":
        reconcile.reconcile()
    else:
        make_change(
            orders.verb, orders.sid, orders.before, orders.values, orders.actor, orders.change_id
        )


def _kill_self(*_args: Any, **_kwargs: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _kill_within(stage: str) -> Callable[[], None]:
    """Die at an event that is written but not committed."""

    def saved(instance: AuditPayload, **_: Any) -> None:
        if instance.event.stage == stage:
            _kill_self()

    return lambda: post_save.connect(saved, sender=AuditPayload, weak=False)


def _kill_before_call() -> None:
    for verb in ("create", "update", "delete"):
        setattr(ResourceClient, verb, _kill_self)


def _kill_after_response() -> None:
    def then_die(call: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **options: _kill_self(call(*args, **options))

    for verb in ("create", "update", "delete"):
        setattr(ResourceClient, verb, then_die(getattr(ResourceClient, verb)))


def _kill_before_mirror() -> None:
    mirror.apply_result = _kill_self


_STEPS: dict[str, Callable[[], None]] = {
    "before the attempt is committed": _kill_within("attempt"),
    "after the attempt, before the call": _kill_before_call,
    "after the answer, before the outcome": _kill_after_response,
    "before the outcome is committed": _kill_within("outcome"),
    "after the outcome, before the copy": _kill_before_mirror,
    "before what reconciling found is committed": _kill_within("reconciled"),
    "after what reconciling found, before the copy": _kill_before_mirror,
}
