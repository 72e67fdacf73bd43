"""What users do with migrations. Each is recorded in the audit log before a worker sends anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from django.utils import timezone

from flows.audit import audit_log
from flows.audit.audit_log import Actor, LogTransaction
from flows.audit.models import AuditEvent, Result, Stage
from flows.changes import change_guard
from flows.migration import execution, planning, progress, reversals, sentences
from flows.migration.actions import MigrationAction
from flows.migration.erasing import DATA_ERASED
from flows.migration.models import FlowMigration
from flows.migration.planning import StepDraft
from flows.migration.status import (
    ENDED_STATUSES,
    RUNNING_STATUSES,
    MigrationEvent,
    MigrationStatus,
    TransitionNotAllowed,
    change_status,
)
from flows.migration.step_kinds import (
    PREPARING_KINDS,
    SWITCHING_KINDS,
    StepKind,
)
from flows.migration.step_states import StepState, load_states, load_steps
from flows.mirror.models import Flow
from flows.redaction.masking import redact_note, replace_unstorable

# So long after the verification, the flow can be deleted.
DELETION_DELAY: Final = timedelta(days=7)


class NotPossible(Exception):
    """The migration can't do this now. The message says why. Nothing was changed."""


def open_migration(flow_sid: str) -> FlowMigration | None:
    """Return the flow's migration that hasn't ended, or None."""
    return (
        FlowMigration.objects.exclude(status__in=ENDED_STATUSES).filter(flow_sid=flow_sid).first()
    )


def latest_migration(flow_sid: str) -> FlowMigration | None:
    """Return the flow's migration that hasn't ended, else the last one that has, or None."""
    return open_migration(flow_sid) or FlowMigration.objects.filter(flow_sid=flow_sid).first()


def prepare(*, flow: Flow, deployment_key: str, reason: str, actor: Actor) -> FlowMigration | None:
    """Let a worker prepare a flow's migration. Return None if it has one already.

    Raises `NotRecorded`.
    """
    with audit_log.transaction() as log:
        if open_migration(flow.sid) is not None:
            return None
        migration = FlowMigration.objects.create(
            account_sid=flow.account_sid,
            flow_sid=flow.sid,
            friendly_name=flow.friendly_name,
            channel_type=flow.channel_type,
            contact_identity=flow.contact_identity,
            deployment_key=deployment_key,
            created_at=timezone.now(),
            **_request(reason, actor),
        )
        _record(log, MigrationAction.PREPARE, migration, MigrationStatus.PREPARING, actor, reason)
        execution.enqueue(migration.account_sid)
    return migration


def switch(*, migration: FlowMigration, reason: str, actor: Actor) -> None:
    """Let a worker switch over. Raises `NotPossible` or `NotRecorded`."""
    _act(MigrationAction.SWITCH, MigrationEvent.SWITCH, migration, reason, actor)


def stop(*, account_sid: str, reason: str, actor: Actor) -> int:
    """Stop the switch-overs of an account that no worker has begun. Return their number.

    The one that a worker is making is finished: to stop in its middle would leave customers
    unserved. Raises `NotRecorded`.
    """
    stopped = 0
    for migration in execution.waiting_migrations(account_sid):
        if migration.status == MigrationStatus.SWITCHING and migration.begun_at is None:
            try:
                _stop(migration, reason, actor)
            except NotPossible:  # a worker has begun
                continue
            stopped += 1
    return stopped


def _stop(migration: FlowMigration, reason: str, actor: Actor) -> None:
    _act(
        MigrationAction.STOP,
        MigrationEvent.CANCEL_SWITCH,
        migration,
        reason,
        actor,
        conditions={"begun_at": None},
    )


def verify(*, migration: FlowMigration, reason: str, actor: Actor) -> None:
    """Record that a user sent a test message and saw it arrive. Raises as `switch`.

    Nothing is sent, so what was requested before stays. `verification` has who it was.
    """
    _act(MigrationAction.VERIFY, MigrationEvent.VERIFY, migration, reason, actor, is_request=False)


def verification(migration: FlowMigration) -> AuditEvent | None:
    """Return the event of the verification that is in force, or None."""
    if migration.verified_at is None:
        return None
    return (
        AuditEvent.objects.filter(
            action=MigrationAction.VERIFY,
            target_sid=migration.flow_sid,
            request_id=migration.pk,
            result=Result.SUCCEEDED,
        )
        .order_by("-seq")
        .first()
    )


def roll_back(*, migration: FlowMigration, reason: str, actor: Actor) -> None:
    """Let a worker take back all steps that were made. Raises as `switch`."""

    def change() -> None:
        reject_open_steps(migration)
        if migration.interrupted_status == MigrationStatus.DELETING and _is_stuck(migration):
            raise NotPossible("The flow's deletion was sent already, so select “Try again” first.")
        reversals.close_unmade(migration)
        planning.drop_unsent(migration)
        steps_made = planning.steps_in_effect(migration, (*PREPARING_KINDS, *SWITCHING_KINDS))
        planning.store_reversals(migration, steps_made)

    is_unapproved = change_guard.guard().requires_approvals(migration.account_sid)
    mark: dict[str, Any] = {"unapproved_rollback_at": timezone.now()} if is_unapproved else {}
    _act(
        MigrationAction.ROLL_BACK,
        MigrationEvent.ROLL_BACK,
        migration,
        reason,
        actor,
        change,
        details=progress.WITHOUT_APPROVAL if is_unapproved else {},
        **mark,
    )


def delete(*, migration: FlowMigration, reason: str, actor: Actor) -> None:
    """Let a worker delete the flow, days after the verification. Raises as `switch`."""
    possible_at = deletion_possible_at(migration)
    if possible_at is None or possible_at > timezone.now():
        raise NotPossible("The flow can be deleted 7 days after the verification.")

    def change() -> None:
        draft = StepDraft(
            kind=StepKind.DELETE_FLOW, target_sid=migration.flow_sid, before={"enabled": False}
        )
        planning.drop_unsent(migration, (StepKind.DELETE_FLOW,))
        planning.store_steps(migration, [draft])

    _act(MigrationAction.DELETE, MigrationEvent.DELETE, migration, reason, actor, change)


def deletion_possible_at(migration: FlowMigration) -> datetime | None:
    """Return when the flow can be deleted, or None before the verification."""
    return migration.verified_at + DELETION_DELAY if migration.verified_at else None


def resume(*, migration: FlowMigration, reason: str, actor: Actor) -> None:
    """Let a worker try again what is left. Raises as `switch`.

    What was refused gets a new step. What was sent and is unknown does not.
    """
    target = MigrationStatus(migration.interrupted_status or MigrationStatus.ROLLING_BACK)

    def change() -> None:
        if target == MigrationStatus.ROLLING_BACK:
            reversals.plan_again(migration)

    _act(
        MigrationAction.RESUME,
        MigrationEvent.RESUME,
        migration,
        reason,
        actor,
        change,
        target=target,
        # The worker checks the permission to roll back. What else was begun is carried on.
        begun_at=None if target == MigrationStatus.ROLLING_BACK else timezone.now(),
    )


def close(*, migration: FlowMigration, reason: str, actor: Actor) -> None:
    """End a stuck migration that a user finished by hand, erased or not. Raises as `switch`.

    Nothing is sent. A step with an unknown outcome stays open in the audit log.
    """
    _act(
        MigrationAction.CLOSE,
        MigrationEvent.CLOSE,
        migration,
        reason,
        actor,
        lambda: planning.drop_unsent(migration),
        can_be_erased=True,
        problem=sentences.FINISHED_BY_HAND,
    )


def reject_open_steps(migration: FlowMigration) -> None:
    """Raise `NotPossible` if a step has an unknown outcome, so that nothing can be built on it."""
    states = load_states(load_steps(migration))
    if StepState.UNKNOWN in states.values():
        raise NotPossible(
            "A step has an unknown outcome. Decide it in the audit log first, or select “Try "
            "again”, which reads from Twilio."
        )


def _is_stuck(migration: FlowMigration) -> bool:
    return migration.status == MigrationStatus.STUCK


def _act(
    action: MigrationAction,
    event: MigrationEvent,
    migration: FlowMigration,
    reason: str,
    actor: Actor,
    change: Callable[[], None] = lambda: None,
    *,
    conditions: dict[str, Any] | None = None,
    can_be_erased: bool = False,
    is_request: bool = True,
    details: Mapping[str, str] = MappingProxyType({}),
    **values: Any,
) -> None:
    """Change the status with `change` and record it, all in one transaction, and start a worker.

    `details` are recorded with it.
    """
    if migration.erased_at is not None and not can_be_erased:
        raise NotPossible(DATA_ERASED)
    try:
        with audit_log.transaction() as log:
            current = FlowMigration.objects.filter(pk=migration.pk, **(conditions or {}))
            if not can_be_erased:
                current = current.filter(erased_at=None)
            if is_request:
                values = {**_request(reason, actor), **values}
            status = change_status(current, event, **values)
            change()
            _record(log, action, migration, status, actor, reason, details)
            if status in RUNNING_STATUSES:
                execution.enqueue(migration.account_sid)
    except TransitionNotAllowed as error:
        raise NotPossible("The migration has moved on in the meantime.") from error
    migration.refresh_from_db()


def _request(reason: str, actor: Actor) -> dict[str, Any]:
    stored_reason = redact_note(replace_unstorable(reason))[:200]
    return {"reason": stored_reason, "actor": asdict(actor), "requested_at": timezone.now()}


def _record(
    log: LogTransaction,
    action: MigrationAction,
    migration: FlowMigration,
    status: MigrationStatus,
    actor: Actor,
    reason: str,
    details: Mapping[str, str] = MappingProxyType({}),
) -> None:
    log.append(
        action=action,
        stage=Stage.ACCESS,
        result=Result.SUCCEEDED,
        actor=replace(actor, request_id=str(migration.pk)),
        account_sid=migration.account_sid,
        target_sid=migration.flow_sid,
        reason=reason,
        payload=progress.payload(migration, status, details=details),
    )
