"""One run of a migration: it makes the steps of its status and decides what follows from them.

After a refusal, the steps of a switch-over that were made are taken back at once. After a lost
answer, the run ends until reading tells. What neither the worker nor reading can tell needs a user.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from django.utils import timezone

from flows.accounts.permissions import active_user, has_permission, role_of
from flows.audit import audit_log
from flows.audit.audit_log import Actor
from flows.migration import leases, planning, progress, reversals, sentences, target_checks
from flows.migration.models import FlowMigration, MigrationStep
from flows.migration.readings import CannotMigrate, Readings, read_surroundings
from flows.migration.sending import DONE, Outcome, StepResult, close_step, make_step
from flows.migration.status import MigrationEvent, MigrationStatus
from flows.migration.step_kinds import PREPARING_KINDS, SWITCHING_KINDS, StepKind
from flows.migration.step_states import load_steps
from flows.twilio.errors import FlexError


class LeaseLost(Exception):
    """Another run has taken over."""


class WaitForOutcome(Exception):
    """The outcome of a step is unknown. A later run reads again."""


class MigrationRun:
    """One run, as long as it holds the account's lease."""

    def __init__(self, migration: FlowMigration, lease_id: uuid.UUID) -> None:
        self.migration = migration
        self.lease_id = lease_id

    def run(self) -> None:
        """Make the steps of the present status.

        Raises `WaitForOutcome`, `LeaseLost`, `TransitionNotAllowed` or `NotRecorded`.
        """
        phases: dict[str, Callable[[], None]] = {
            MigrationStatus.PREPARING: self._prepare,
            MigrationStatus.SWITCHING: self._switch,
            MigrationStatus.ROLLING_BACK: self._roll_back,
            MigrationStatus.DELETING: self._delete,
        }
        while self.migration.is_running:
            phases[self.migration.status]()

    # Preparing: nothing changes for customers.

    def _prepare(self) -> None:
        if not self._begin("flows.change_flow", MigrationEvent.ROLLED_BACK):
            return
        if not self.migration.steps.exists() and not self._plan():
            return
        result = self._make_steps(self._unfinished(PREPARING_KINDS))
        if result.outcome == Outcome.DONE:
            address_sid = self._find_address_sid()
            self._move(MigrationEvent.PREPARED, address_sid=address_sid)
        elif result.outcome == Outcome.NOT_DONE:
            self._move(
                MigrationEvent.ROLLED_BACK,
                sentences.not_prepared(result.reason),
                change=lambda: self._give_up(result),
            )

    def _plan(self) -> bool:
        """Store the steps. Return False if the flow can't be migrated as it is."""
        try:
            drafts = planning.draft_steps(self._read())
        except (CannotMigrate, FlexError) as error:
            self._move(MigrationEvent.ROLLED_BACK, sentences.not_prepared(sentences.explain(error)))
            return False
        planning.store_steps(self.migration, drafts)
        return True

    def _give_up(self, result: StepResult) -> None:
        _close(result)
        planning.drop_unsent(self.migration)

    def _find_address_sid(self) -> str:
        """Return the SID of the address that was created or adopted."""
        (step,) = planning.steps_in_effect(self.migration, PREPARING_KINDS)
        event = audit_log.latest_event(step.change_id)
        return step.target_sid or (event.target_sid if event else "")

    # The switch-over.

    def _switch(self) -> None:
        is_unsent = not planning.has_sent(self.migration, SWITCHING_KINDS)
        if is_unsent and not self._begin("flows.change_flow", MigrationEvent.CANCEL_SWITCH):
            return
        if is_unsent and not self._check_unchanged():
            return
        result = self._make_steps(self._unfinished(SWITCHING_KINDS))
        if result.outcome == Outcome.DONE:
            problem = self.migration.problem
            is_kept = sentences.is_about_kept_address(problem)
            self._move(MigrationEvent.SWITCHED, problem if is_kept else "")
        elif result.outcome == Outcome.NOT_DONE:
            self._undo_switch(result)

    def _check_unchanged(self) -> bool:
        """Return True if all is as it was prepared. Otherwise go back without sending anything."""
        try:
            change = self._find_change(self._read())
        except (CannotMigrate, FlexError) as error:
            self._move(MigrationEvent.CANCEL_SWITCH, sentences.not_begun(sentences.explain(error)))
            return False
        if change:
            self._move(MigrationEvent.CANCEL_SWITCH, sentences.changed_meanwhile(change))
        return not change

    def _find_change(self, readings: Readings) -> str:
        steps = self._unfinished(SWITCHING_KINDS)
        (prepared,) = planning.steps_in_effect(self.migration, PREPARING_KINDS)
        address = {**prepared.requested, "sid": self.migration.address_sid}
        return planning.find_change(steps, readings) or planning.find_address_change(
            address, readings
        )

    def _undo_switch(self, result: StepResult) -> None:
        """Take back what the switch-over has done so far, at once."""
        steps_made = planning.steps_in_effect(self.migration, SWITCHING_KINDS)

        def change_steps() -> None:
            _close(result)
            planning.store_reversals(self.migration, steps_made)
            planning.plan_switch_again(self.migration)

        if steps_made:
            problem = sentences.not_switched(result.reason)
            self._move(MigrationEvent.UNDO_SWITCH, problem, change=change_steps)
        else:
            problem = sentences.not_begun(result.reason)
            self._move(MigrationEvent.CANCEL_SWITCH, problem, change=change_steps)

    # The rollback.

    def _roll_back(self) -> None:
        if self.migration.begun_at is None and not self._is_permitted("flows.change_flow"):
            progress.get_stuck(self.migration, self._not_permitted())
            return
        self._mark_begun()
        if not self._can_come_back():
            return
        result = self._make_steps(self._unfinished_reversals())
        if result.outcome == Outcome.NOT_DONE and result.step is not None:
            self._stop_rollback(result.step, result)
        elif result.outcome != Outcome.DONE:
            return
        elif planning.steps_in_effect(self.migration, PREPARING_KINDS):
            self._move(MigrationEvent.UNDONE, self.migration.problem)
        else:
            self._move(MigrationEvent.ROLLED_BACK)

    def _can_come_back(self) -> bool:
        """Return True unless a rollback would take away an address that nothing could follow."""
        try:
            reason = target_checks.find_obstacle(self.migration, self._unfinished_reversals())
        except target_checks.NotReadYet as unread:
            self._note(sentences.reads_again(unread.step, str(unread)))
            raise WaitForOutcome from unread
        if not reason:
            return True
        target = target_checks.status_with_address(self.migration)
        problem = sentences.cannot_roll_back(reason)
        drop = partial(planning.drop_unsent, self.migration)
        if target is None:
            progress.get_stuck(self.migration, problem)
        else:
            self._move(MigrationEvent.CANCEL_ROLLBACK, problem, change=drop, target=target)
        return False

    def _stop_rollback(self, step: MigrationStep, result: StepResult) -> None:
        """Read again later, or turn the address on again, or let a user remove the cause."""
        if result.is_unread and reversals.plan_after_failed_read(step):
            self._note(sentences.reads_again(step, result.reason))
            raise WaitForOutcome

        def keep_address() -> None:
            _close(result)
            reversals.plan_address_again(self.migration)

        if reversals.has_lost_address(self.migration, step):
            problem = sentences.keeps_address(result.reason)
            event, begun_at = MigrationEvent.KEEP_ADDRESS, timezone.now()  # no user can stop it
            self._move(event, problem, change=keep_address, begun_at=begun_at)
        else:
            reason = sentences.failed_reversal(step, result.reason)
            progress.get_stuck(self.migration, reason, lambda: _close(result))

    # The end.

    def _delete(self) -> None:
        drop = partial(planning.drop_unsent, self.migration, (StepKind.DELETE_FLOW,))
        if not self._begin("flows.delete_flow", MigrationEvent.NOT_DELETED, drop):
            return
        reason = target_checks.find_missing_address(self.migration)
        if reason:
            problem = sentences.not_deleted_without_address(reason)
            self._move(MigrationEvent.NOT_DELETED, problem, change=drop)
            return
        result = self._make_steps(self._unfinished((StepKind.DELETE_FLOW,)))
        if result.outcome == Outcome.DONE:
            self._move(MigrationEvent.FINISH)
        elif result.outcome == Outcome.NOT_DONE:
            self._move(
                MigrationEvent.NOT_DELETED,
                sentences.not_deleted(result.reason),
                change=lambda: _close(result),
            )

    # What the phases share.

    def _begin(
        self,
        permission: str,
        refusal: MigrationEvent,
        change: Callable[[], None] = lambda: None,
    ) -> bool:
        """Mark that a worker has begun, unless the user may no longer do it.

        What was begun is carried on in any case: to stop in the middle would help no one.
        """
        if self.migration.begun_at is None and not self._is_permitted(permission):
            self._move(refusal, self._not_permitted(), change=change)
            return False
        self._mark_begun()
        return True

    def _mark_begun(self) -> None:
        """Store that a worker has begun, if no user has stopped it before."""
        if self.migration.begun_at is not None:
            return
        current = FlowMigration.objects.filter(
            pk=self.migration.pk, status=self.migration.status, begun_at=None
        )
        if not current.update(begun_at=timezone.now()):
            raise LeaseLost
        self.migration.refresh_from_db()

    def _not_permitted(self) -> str:
        label = self.migration.actor.get("label", "")
        return f"{label} no longer has permission to do this. Nothing was sent."

    def _is_permitted(self, permission: str) -> bool:
        user = active_user(str(self.migration.actor.get("id", "")))
        return user is not None and has_permission(user, permission, self.migration.account_sid)

    def _make_steps(self, steps: Iterable[MigrationStep]) -> StepResult:
        """Make these steps back to back, up to the first that isn't done, and return its result."""
        actor = self._current_actor()
        for step in steps:
            if not leases.renew_lease(self.migration.account_sid, self.lease_id):
                raise LeaseLost
            if not self._is_unchanged():
                raise LeaseLost
            result = make_step(step, reason=self.migration.reason, actor=actor)
            if result.outcome == Outcome.UNKNOWN:
                self._note(sentences.waiting(step, result.reason))
                raise WaitForOutcome
            if result.outcome == Outcome.UNDECIDED:
                progress.get_stuck(self.migration, sentences.undecided(step, result.reason))
            if result.outcome != Outcome.DONE:
                return result
        return DONE

    def _is_unchanged(self) -> bool:
        """Return True if the migration has the status that the run works on, and its data."""
        current = FlowMigration.objects.filter(pk=self.migration.pk, erased_at=None)
        return current.filter(status=self.migration.status).exists()

    def _note(self, problem: str) -> None:
        """Let the page say why nothing moves. The reason of a rollback stays."""
        current = FlowMigration.objects.filter(pk=self.migration.pk, problem="")
        current.update(problem=problem)

    def _read(self) -> Readings:
        return read_surroundings(
            self.migration.account_sid, self.migration.flow_sid, self.migration.deployment_key
        )

    def _move(self, event: MigrationEvent, problem: str = "", **values: Any) -> None:
        progress.move(self.migration, event, problem=problem, **values)

    def _current_actor(self) -> Actor:
        """Return the user in whose name the steps are sent, with the present role."""
        actor = progress.stored_actor(self.migration)
        user = active_user(actor.id)
        return replace(actor, role=role_of(user, self.migration.account_sid)) if user else actor

    def _unfinished(self, kinds: tuple[StepKind, ...]) -> list[MigrationStep]:
        """Return the steps of these kinds that are left, in the order in which they are made."""
        steps = [step for step in load_steps(self.migration) if step.done_at is None]
        left = [step for step in steps if step.kind in kinds]
        return sorted(left, key=lambda step: kinds.index(StepKind(step.kind)))

    def _unfinished_reversals(self) -> list[MigrationStep]:
        steps = load_steps(self.migration)
        return [step for step in steps if step.reverses_id is not None and step.done_at is None]


def _close(result: StepResult) -> None:
    if result.step is not None:
        close_step(result.step)
