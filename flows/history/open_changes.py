"""Changes that had no known outcome at a moment of the past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from flows.accounts import twilio_accounts
from flows.audit.models import UNIQUE_STAGES, AuditEvent, Result, Stage
from flows.core.database import split_batches
from flows.history.moments import LogPosition
from flows.twilio.flex.flex_flow import FLEX_FLOW

_OPEN_RESULTS: Final = (Result.PENDING, Result.UNKNOWN)


@dataclass(frozen=True, slots=True)
class OpenThen:
    """A change that was open at a moment. `result` is its outcome as known today, or ""."""

    event_id: UUID  # of the attempt
    change_id: UUID
    action: str
    at: datetime
    result: str = ""


def open_at(position: LogPosition, attempt_seqs: Sequence[int]) -> dict[str, OpenThen]:
    """Return those of these attempts without a known outcome at a moment, by their flow's SID.

    A flow takes one change at a time, so only its last attempt can be open.
    """
    changes: dict[str, OpenThen] = {}
    for batch in split_batches(attempt_seqs):
        attempts = AuditEvent.objects.filter(seq__in=batch)
        changes |= _load_open(attempts, position)
    return changes


def creations_open_at(
    position: LogPosition, scope: twilio_accounts.Scope
) -> dict[str, list[OpenThen]]:
    """Return the creations without a known outcome at a moment, by account.

    Each may have made a flow that the dashboard did not know then.
    """
    attempts = AuditEvent.objects.filter(
        action=FLEX_FLOW.action("create"), stage=Stage.ATTEMPT, seq__lte=position.seq
    )
    creations: dict[str, list[OpenThen]] = {}
    rows = list(_filter_open(attempts, position).order_by("seq"))
    results = _results_today([row.change_id for row in rows])
    for row in rows:
        if scope is None or row.account_sid in scope:
            change = _to_open_change(row, results)
            creations.setdefault(row.account_sid, []).append(change)
    return creations


def _load_open(attempts: QuerySet[AuditEvent], position: LogPosition) -> dict[str, OpenThen]:
    rows = list(_filter_open(attempts, position))
    results = _results_today([row.change_id for row in rows])
    return {row.target_sid: _to_open_change(row, results) for row in rows}


def _to_open_change(attempt: AuditEvent, results: dict[Any, str]) -> OpenThen:
    change_id: Any = attempt.change_id
    return OpenThen(
        attempt.event_id, change_id, attempt.action, attempt.at, results.get(change_id, "")
    )


def _filter_open(attempts: QuerySet[AuditEvent], position: LogPosition) -> QuerySet[AuditEvent]:
    """Return the attempts whose change had no known outcome yet."""
    outcomes = _outcomes().filter(change_id=OuterRef("change_id"), seq__lte=position.seq)
    return attempts.filter(~Exists(outcomes))


def _results_today(change_ids: Sequence[Any]) -> dict[Any, str]:
    """Return the outcome of each of these changes that has one by now."""
    results: dict[Any, str] = {}
    for batch in split_batches(change_ids):
        results |= dict(_outcomes().filter(change_id__in=batch).values_list("change_id", "result"))
    return results


def _outcomes() -> QuerySet[AuditEvent]:
    """Return the events that give a change its known outcome."""
    stages = AuditEvent.objects.filter(stage__in=UNIQUE_STAGES).exclude(stage=Stage.ATTEMPT)
    return stages.exclude(result__in=_OPEN_RESULTS)
