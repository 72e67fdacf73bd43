"""Reversals that were not made: planned again with new ids, and how long without a user."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from flows.migration import planning
from flows.migration.models import FlowMigration, MigrationStep
from flows.migration.sending import close_step
from flows.migration.step_kinds import REVERSALS, StepKind
from flows.migration.step_states import StepState, load_states, load_steps

REVERSAL_KINDS: Final = tuple(REVERSALS.values())
# So long a reversal is tried again if Twilio can't be read before it.
PATIENCE: Final = timedelta(minutes=4)


def plan_again(migration: FlowMigration) -> None:
    """Plan the reversals that were refused or not sent, in their order, with new ids."""
    states = load_states(load_steps(migration))
    reversals = [step for step in states if step.reverses_id is not None]
    if any(states[step] == StepState.UNKNOWN for step in reversals):
        return  # the worker resolves it first, by reading
    reversed_ids = {step.reverses_id for step in reversals}
    remaining_steps = [
        step
        for step, state in states.items()
        if step.pk in reversed_ids and state == StepState.DONE
    ]
    close_unmade(migration)
    planning.drop_unsent(migration, REVERSAL_KINDS)
    planning.store_reversals(migration, remaining_steps)


def close_unmade(migration: FlowMigration) -> None:
    """Close the reversals that are known not to be made, such as by a user's decision.

    A worker would otherwise take one of them before those that follow it.
    """
    for step, state in load_states(load_steps(migration)).items():
        is_open = step.reverses_id is not None and step.done_at is None
        if is_open and state == StepState.NOT_DONE:
            close_step(step)


def plan_after_failed_read(step: MigrationStep) -> bool:
    """Plan a reversal again before which Twilio couldn't be read. Return False after a while."""
    tried_before = MigrationStep.objects.filter(
        migration=step.migration,
        reverses=step.reverses,
        done_at__gte=F("migration__requested_at"),
        done_at__lte=timezone.now() - PATIENCE,
    )
    if tried_before.exists():
        return False
    with transaction.atomic():
        close_step(step)
        plan_again(step.migration)
    return True


def has_lost_address(migration: FlowMigration, step: MigrationStep) -> bool:
    """Return True if the flow can't be turned on after the address was turned off for it."""
    if step.kind != StepKind.TURN_ON_FLOW:
        return False
    states = load_states(load_steps(migration))
    turned_on = [each for each in states if each.kind == StepKind.TURN_ON_ADDRESS]
    return bool(turned_on) and states[turned_on[-1]] == StepState.REVERSED


def plan_address_again(migration: FlowMigration) -> None:
    """Replace the reversals that are left by a step that turns the address on again."""
    planning.drop_unsent(migration)
    planning.store_steps(migration, [planning.TURN_ON_ADDRESS])
