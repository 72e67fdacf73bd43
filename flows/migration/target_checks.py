"""What is read from Twilio before the one that answers customers is taken away.

A rollback needs the flow, its number and its services to come back to. A deletion of the flow needs
an address that is on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.utils import timezone

from flows.audit import audit_log
from flows.migration.models import FlowMigration, MigrationStep
from flows.migration.reversals import PATIENCE
from flows.migration.sending import target_sid
from flows.migration.status import MigrationStatus
from flows.migration.step_kinds import CALLS, StepKind
from flows.migration.step_states import load_states, load_steps
from flows.migration.unserved import Handler, find_handler
from flows.mirror import flow_reads, live
from flows.twilio.conversations.address_configuration import ADDRESS_CONFIGURATION
from flows.twilio.errors import FlexError, RequestRefused
from flows.twilio.handling_resources import SERVICE_HANDLING
from flows.twilio.pickling import PicklableError
from flows.twilio.resource import Resource

RETURNING_KINDS: Final = (StepKind.TURN_ON_FLOW, StepKind.ATTACH_NUMBER, StepKind.JOIN_SERVICE)


class NotReadYet(PicklableError):
    """Twilio couldn't be read before this step. A later read may tell. The message says why."""

    def __init__(self, step: MigrationStep, reason: str) -> None:
        super().__init__(reason)
        self.step = step


def find_obstacle(migration: FlowMigration, reversals: Iterable[MigrationStep]) -> str:
    """Return why nothing could answer in the address's place, with what to do, or "".

    It reads what the reversals change, as long as the address still answers. Raises `NotReadYet`.
    """
    if find_handler(load_states(load_steps(migration))) != Handler.ADDRESS:
        return ""
    for step in reversals:
        if step.kind in RETURNING_KINDS:
            reason = _find_obstacle_of(step)
            if reason:
                return reason
    return ""


def _find_obstacle_of(step: MigrationStep) -> str:
    resource, sid = _target(step)
    try:
        live.fetch(resource, sid, account_sid=step.migration.account_sid)
    except FlexError as error:
        if flow_reads.is_not_found(error):
            return (
                f"Twilio no longer has the {resource.noun} {sid}, so customers couldn't be "
                "answered as before. Keep the address, and test and verify it."
            )
        is_patient = timezone.now() - (step.migration.requested_at or timezone.now()) < PATIENCE
        if is_patient and not isinstance(error, RequestRefused):
            raise NotReadYet(step, f"Couldn't read the {resource.noun} {sid}: {error}.") from error
        return (
            f"Couldn't read the {resource.noun} {sid}: {error}. Without it, customers may get no "
            "answer after a rollback. Remove the cause, then roll back again."
        )
    return ""


def _target(step: MigrationStep) -> tuple[Resource, str]:
    if step.kind == StepKind.JOIN_SERVICE:
        return SERVICE_HANDLING, step.parent_sid
    return CALLS[StepKind(step.kind)].resource, target_sid(step)


def status_with_address(migration: FlowMigration) -> MigrationStatus | None:
    """Return the status that a migration had while its address answered, None if it had neither."""
    if migration.verified_at:
        return MigrationStatus.VERIFIED
    return MigrationStatus.SWITCHED if migration.switched_at else None


def find_missing_address(migration: FlowMigration) -> str:
    """Return why no address would answer after the flow's deletion, with what to do, or "".

    Once the deletion was sent, nothing is read.
    """
    steps = migration.steps.filter(kind=StepKind.DELETE_FLOW, done_at=None)
    if any(audit_log.latest_event(step.change_id) for step in steps):
        return ""
    address = f"The address {migration.address_sid}"
    try:
        snapshot = live.fetch(
            ADDRESS_CONFIGURATION, migration.address_sid, account_sid=migration.account_sid
        )
    except FlexError as error:
        if flow_reads.is_not_found(error):
            return f"{address} no longer exists, so customers get no answer. Roll back."
        return f"{address} couldn't be read: {error}. Delete the flow again later."
    if not ADDRESS_CONFIGURATION.normalize_value(
        "auto_creation_enabled", snapshot.get("auto_creation_enabled")
    ):
        return f"{address} is off, so customers get no answer. Turn it on, then delete the flow."
    return ""
