"""Who answers a migrated number: the flow, the address, or no one. And for how long at most."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import Final

from flows.accounts.clients import ATTEMPT_TIMEOUT, WRITE_DEADLINE
from flows.changes.reconcile import CONFIRMATION_DELAY
from flows.migration.models import FlowMigration, MigrationStep
from flows.migration.step_kinds import SWITCHING_KINDS, StepKind
from flows.migration.step_states import StepState, load_states, load_steps


class Handler(enum.Enum):
    FLOW = "the flow"
    ADDRESS = "the address"
    NONE = "no one"
    UNKNOWN = "unknown"


def find_handler(states: Mapping[MigrationStep, StepState]) -> Handler:
    """Return who answers customers, from the states of a migration's steps."""
    switching = {step: state for step, state in states.items() if step.kind in SWITCHING_KINDS}
    reversals = [step for step in states if step.reverses_id is not None]
    if any(
        states[step] == StepState.UNKNOWN
        for step in (*switching, *reversals)
        if (step.reverses.kind if step.reverses else step.kind) in SWITCHING_KINDS
    ):
        return Handler.UNKNOWN
    in_effect = {
        StepKind(step.kind) for step, state in switching.items() if state == StepState.DONE
    }
    if StepKind.TURN_ON_ADDRESS in in_effect:
        return Handler.ADDRESS
    return Handler.NONE if in_effect else Handler.FLOW


def longest_unserved_seconds(steps: Iterable[MigrationStep]) -> int:
    """Return how long customers are unserved at most while a switch-over makes these steps.

    Each call may take until its deadline, and each but the first follows a read that may as well.
    The read before the first call changes nothing.
    """
    calls = sum(step.kind in SWITCHING_KINDS for step in steps)
    return round(WRITE_DEADLINE * max(2 * calls - 1, 0))


def describe_seconds(seconds: float) -> str:
    """Return a duration in words, such as "45 seconds" or "1 minute 45 seconds"."""
    minutes, rest = divmod(round(seconds), 60)
    parts = []
    if minutes:
        parts.append(f"{minutes} minute{'' if minutes == 1 else 's'}")
    if rest or not minutes:
        parts.append(f"{rest} second{'' if rest == 1 else 's'}")
    return " ".join(parts)


def rollback_unserved(migration: FlowMigration) -> str:
    """Return in words how long a rollback leaves customers unserved at most, or "" if it doesn't.

    It takes each step of the switch-over back. Before a switch-over, the flow answers all the time.
    """
    states = load_states(load_steps(migration))
    if find_handler(states) != Handler.ADDRESS:
        return ""
    steps_made = [step for step, state in states.items() if state == StepState.DONE]
    return describe_seconds(longest_unserved_seconds(steps_made))


# After a lost answer, reading tells at the latest after two reads. After a kill, another run takes
# over first.
LOST_ANSWER: Final = describe_seconds(CONFIRMATION_DELAY.total_seconds())
KILLED_RUN: Final = describe_seconds((ATTEMPT_TIMEOUT + CONFIRMATION_DELAY).total_seconds())
