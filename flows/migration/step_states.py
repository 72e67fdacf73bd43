"""The state of each step of a migration, read from the audit log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import models

from flows.audit.models import APPLIED_RESULTS, UNIQUE_STAGES, AuditEvent, Result, Stage
from flows.migration.models import FlowMigration, MigrationStep


class StepState(models.TextChoices):
    PLANNED = "planned", "Planned"
    DONE = "done", "Done"
    NOT_DONE = "not_done", "Not done"
    UNKNOWN = "unknown", "Outcome unknown"
    REVERSED = "reversed", "Rolled back"


def load_steps(migration: FlowMigration) -> list[MigrationStep]:
    """Return the steps in their order."""
    return list(migration.steps.select_related("reverses", "migration").order_by("position"))


def load_events(steps: Iterable[MigrationStep]) -> dict[MigrationStep, AuditEvent]:
    """Return the latest event of each step that has one."""
    by_change = {step.change_id: step for step in steps}
    events = AuditEvent.objects.filter(change_id__in=list(by_change), stage__in=UNIQUE_STAGES)
    events = events.select_related("payload").order_by("seq")
    return {by_change[event.change_id]: event for event in events if event.change_id in by_change}


def load_states(steps: Sequence[MigrationStep]) -> dict[MigrationStep, StepState]:
    """Return the state of each of a migration's steps."""
    events = load_events(steps)
    own = {step: _own_state(step, events.get(step)) for step in steps}
    reversed_ids = {
        step.reverses_id
        for step, state in own.items()
        if state == StepState.DONE and step.reverses_id
    }
    return {
        step: StepState.REVERSED if state == StepState.DONE and step.pk in reversed_ids else state
        for step, state in own.items()
    }


def _own_state(step: MigrationStep, event: AuditEvent | None) -> StepState:
    if step.skip_reason:
        return StepState.DONE
    if event is None:
        return StepState.NOT_DONE if step.done_at else StepState.PLANNED
    if event.result in APPLIED_RESULTS:
        return StepState.DONE
    is_open = event.stage == Stage.ATTEMPT or event.result == Result.UNKNOWN
    return StepState.UNKNOWN if is_open else StepState.NOT_DONE
