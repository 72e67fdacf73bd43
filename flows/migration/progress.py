"""Transitions that the worker makes. Each is recorded in the audit log in the same transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from flows.audit import audit_log
from flows.audit.audit_log import Actor, Payload
from flows.audit.models import Result, Stage
from flows.migration import sentences
from flows.migration.actions import MigrationAction
from flows.migration.models import FlowMigration
from flows.migration.status import MigrationEvent, MigrationStatus, change_status
from flows.redaction.redacted import redact_fields


def move(
    migration: FlowMigration,
    event: MigrationEvent,
    *,
    problem: str = "",
    change: Callable[[], None] = lambda: None,
    **values: Any,
) -> None:
    """Change the status, and with `change` also the steps, and record it.

    `problem` is the reason if it is one. Raises `TransitionNotAllowed` or `NotRecorded`; nothing
    is changed then.
    """
    with audit_log.transaction() as log:
        change()
        current = FlowMigration.objects.filter(pk=migration.pk)
        status = change_status(current, event, problem=problem, **values)
        log.append(
            action=MigrationAction.PROGRESS,
            stage=Stage.ACCESS,
            result=Result.FAILED if problem else Result.SUCCEEDED,
            actor=stored_actor(migration),
            account_sid=migration.account_sid,
            target_sid=migration.flow_sid,
            reason=migration.reason,
            payload=payload(migration, status, problem),
        )
    migration.refresh_from_db()


def get_stuck(
    migration: FlowMigration, reason: str, change: Callable[[], None] = lambda: None
) -> None:
    """Stop at a problem that needs a user. The sentence says who is affected."""
    move(
        migration,
        MigrationEvent.GET_STUCK,
        problem=sentences.stuck(migration, reason),
        change=change,
        interrupted_status=migration.status,
    )


def stored_actor(migration: FlowMigration) -> Actor:
    """Return the user in whose name the steps are sent. All events of a migration have its id."""
    return Actor(**migration.actor | {"request_id": str(migration.pk)})


# In the payload of a rollback in an account whose policy requires approvals.
WITHOUT_APPROVAL: Final = {"Approval": "None, though the policy requires it"}


def payload(
    migration: FlowMigration,
    status: MigrationStatus,
    message: str = "",
    details: Mapping[str, str] = MappingProxyType({}),
) -> Payload:
    """Return the payload of an event about a migration, with further details."""
    details = {"Status": status.label, **details}
    if migration.address_sid:
        details["Address configuration SID"] = migration.address_sid
    return Payload(
        friendly_name=migration.friendly_name,
        contact_identity=migration.contact_identity,
        requested=redact_fields(details),
        message=message,
    )
