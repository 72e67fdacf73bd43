"""Sentences for users about a migration that doesn't go on: who is affected, why, and the way out."""

from __future__ import annotations

from collections.abc import Mapping

from flows.migration.models import FlowMigration, MigrationStep
from flows.migration.status import MigrationStatus
from flows.migration.step_kinds import StepKind
from flows.migration.step_states import StepState, load_states, load_steps
from flows.migration.unserved import Handler, find_handler
from flows.twilio.errors import FlexError

FINISHED_BY_HAND = (
    "A user finished this migration by hand and ended it here. Nothing more is sent, and the steps "
    "below are those that the dashboard made."
)
_UNCHANGED = "Nothing has changed for customers: the flow answers them."
_KEPT = "Rolled back only in part. "


def explain(error: Exception) -> str:
    """Return why the surroundings couldn't be read, or don't allow the migration."""
    return f"Couldn't read from Twilio: {error}." if isinstance(error, FlexError) else str(error)


def not_prepared(reason: str) -> str:
    return f"Not prepared. {reason} {_UNCHANGED}"


def not_switched(reason: str) -> str:
    return f"Not switched over. {reason} The steps that were made are rolled back."


def not_begun(reason: str) -> str:
    return f"Not switched over. {reason} {_UNCHANGED}"


def changed_meanwhile(change: str) -> str:
    return (
        f"Not switched over, and nothing was sent. {change} since this migration was prepared. "
        "Roll it back, then prepare the flow again."
    )


def not_deleted(reason: str) -> str:
    return f"The flow was not deleted. {reason} The address still answers."


def not_deleted_without_address(reason: str) -> str:
    return f"The flow was not deleted, and nothing was sent. {reason}"


def cannot_roll_back(reason: str) -> str:
    return f"Not rolled back, and nothing was sent. {reason} The address still answers."


def keeps_address(reason: str) -> str:
    return (
        f"{_KEPT}The flow couldn't be turned on, so the address answers again. {reason} Remove the "
        "cause, then roll back again. Test the address and verify it if you keep it."
    )


def is_about_kept_address(problem: str) -> bool:
    return problem.startswith(_KEPT)


def reads_again(step: MigrationStep, reason: str) -> str:
    return (
        f"{reason} The step {describe_step(step)} of the rollback is tried again in a minute, "
        "and nothing else is sent until then."
    )


def describe_step(step: MigrationStep) -> str:
    return f"“{StepKind(step.kind).label}”"


def waiting(step: MigrationStep, reason: str) -> str:
    return (
        f"{reason} Until reading from Twilio tells whether the step {describe_step(step)} was "
        "applied, nothing else is sent. That takes two reads, a minute apart."
    )


def undecided(step: MigrationStep, reason: str) -> str:
    return (
        f"The step {describe_step(step)} has an unknown outcome. {reason} Decide the outcome in the "
        "audit log, then select “Try again”."
    )


def failed_reversal(step: MigrationStep, reason: str) -> str:
    return (
        f"The step {describe_step(step)} of the rollback failed. {reason} Remove the "
        "cause, then select “Try again”."
    )


def stuck(migration: FlowMigration, reason: str) -> str:
    """Return the problem, after who is affected by it."""
    return f"{describe_service(migration)} {reason}"


def may_not_answer_yet(migration: FlowMigration) -> str:
    """Return who answers after a switch-over of which a user made a part by hand."""
    identity = migration.contact_identity or "this channel"
    return (
        f"The address is on for customers who write to {identity}. Whether it answers them depends "
        "on the steps by hand below, which the dashboard couldn't verify: send a test message."
    )


def flow_is_gone(migration: FlowMigration, handler: Handler) -> str:
    """Return who answers customers now that the flow was deleted outside this dashboard."""
    deleted = "The flow was deleted outside this dashboard"
    if handler == Handler.ADDRESS:
        return f"{describe_service(migration)} {deleted}, so this can't be rolled back."
    if migration.status == MigrationStatus.READY:
        return f"{deleted}, so it answers no one. Roll back to delete its prepared address."
    return f"{deleted}, so it answers no one. See who answers now in the Twilio Console."


def was_finished_by_hand(
    migration: FlowMigration, states: Mapping[MigrationStep, StepState]
) -> bool:
    """Return True if it ended with steps that the dashboard didn't take back itself."""
    in_effect = (StepState.DONE, StepState.UNKNOWN)
    return migration.status == MigrationStatus.ROLLED_BACK and any(
        state in in_effect for step, state in states.items() if step.reverses_id is None
    )


def describe_service(migration: FlowMigration) -> str:
    """Return who answers customers now."""
    identity = migration.contact_identity or "this channel"
    states = load_states(load_steps(migration))
    if was_finished_by_hand(migration, states):
        return f"A user finished this migration by hand, so it isn't known here who answers {identity}."
    match find_handler(states):
        case Handler.NONE:
            return f"Customers who write to {identity} get no answer at the moment."
        case Handler.UNKNOWN:
            return f"Customers who write to {identity} may get no answer at the moment."
        case Handler.ADDRESS:
            return f"The address answers customers who write to {identity}."
    return f"The flow answers customers who write to {identity}."
