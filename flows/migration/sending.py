"""One step: its single call to Twilio, and what is known of its outcome.

Only the audit log has the outcome of a step. A step with an event is never sent again.
"""

from __future__ import annotations

import enum
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from django.utils import timezone

from flows.audit import audit_log
from flows.audit.audit_log import Actor, AlreadyRecorded
from flows.audit.event_text import refusal
from flows.audit.models import APPLIED_RESULTS, AuditEvent, OpenChange, Result, Stage
from flows.availability import restrictions
from flows.availability.restrictions import OperationUnavailable
from flows.changes import change_guard, operations, reconcile
from flows.changes.in_flight import ConcurrentChange
from flows.changes.operations import (
    Conflict,
    FlowUnreadable,
    NothingToChange,
    OutcomeNotRecorded,
)
from flows.migration.models import FlowMigration, MigrationStep
from flows.migration.readings import CannotMigrate, is_same_identity, plan_address
from flows.migration.step_kinds import ADDRESS_KINDS, CALLS, StepKind
from flows.mirror import flow_reads, live, stale_reads
from flows.redaction.redacted import redact_snapshot
from flows.twilio.errors import FlexError
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.resource import Snapshot

IDENTITY_FIELDS: Final = ("type", "address")
ALREADY_SET: Final = "Twilio had these values already."
ALREADY_DELETED: Final = "It was deleted already."
NOT_VISIBLE_YET: Final = "Twilio may not show yet what was changed less than a minute ago."

# Steps that have nothing left to do if their object no longer exists.
ENDED_BY_DELETION: Final = (
    StepKind.DELETE_FLOW,
    StepKind.TURN_OFF_ADDRESS,
    StepKind.RESTORE_ADDRESS,
    StepKind.DELETE_ADDRESS,
)


class Outcome(enum.Enum):
    DONE = "done"
    NOT_DONE = "not done"  # known: nothing was sent, or it was refused
    UNKNOWN = "unknown"  # reading will tell
    UNDECIDED = "undecided"  # only a user can tell


@dataclass(frozen=True, slots=True)
class StepResult:
    """The outcome of a step. `reason` is a sentence if it isn't done.

    `is_unread` is True if nothing was sent because no reading showed the object as it is now.
    """

    outcome: Outcome
    reason: str = ""
    step: MigrationStep | None = None
    is_unread: bool = False


DONE: Final = StepResult(Outcome.DONE)


def make_step(step: MigrationStep, *, reason: str, actor: Actor) -> StepResult:
    """Send a step, or return its outcome if it was sent before.

    Raises `NotRecorded` if the audit log can't be written. Nothing was sent then.
    """
    if step.skip_reason:
        return DONE
    result = None
    if audit_log.latest_event(step.change_id) is None:
        result = _send(step, reason, actor)
    result = replace(result or find_result(step), step=step)
    if result.outcome == Outcome.DONE:
        close_step(step)
    return result


def find_result(step: MigrationStep) -> StepResult:
    """Return the outcome of a step that was sent. An unknown outcome is resolved by reading."""
    event = audit_log.latest_event(step.change_id)
    if event is None:
        return StepResult(Outcome.NOT_DONE, "Nothing was sent.")
    if _is_open(event):
        event = _reconcile(step) or event
    return _read_event(step, event)


def _read_event(step: MigrationStep, event: AuditEvent) -> StepResult:
    if event.result in APPLIED_RESULTS:
        return DONE
    if step.kind in ENDED_BY_DELETION and _shows_deletion(step, event):
        step.skip_reason = ALREADY_DELETED
        return DONE
    if not _is_open(event):
        is_unread = _is_unread(step, event)
        return StepResult(Outcome.NOT_DONE, describe_failure(event), is_unread=is_unread)
    change = OpenChange.objects.filter(change_id=step.change_id).first()
    if change is not None and change.ambiguity:
        return StepResult(Outcome.UNDECIDED, change.ambiguity)
    return StepResult(Outcome.UNKNOWN, "Twilio's answer was lost.")


def _shows_deletion(step: MigrationStep, event: AuditEvent) -> bool:
    """Return True if Twilio answered that it has no such object, as far as its 404 proves that."""
    if event.result != Result.FAILED or event.remote_status != HTTPStatus.NOT_FOUND:
        return False
    if event.remote_code not in flow_reads.NOT_FOUND_CODES or _was_changed_lately(step, event.at):
        return False
    if step.kind in ADDRESS_KINDS:
        return True
    availability = restrictions.account_availability(step.migration.account_sid)
    return availability.restriction_of("list") is None  # else any flow may get a 404


def _is_unread(step: MigrationStep, event: AuditEvent) -> bool:
    """Return True if the read before a step failed, or may have shown an older state."""
    if AuditEvent.objects.filter(change_id=step.change_id, stage=Stage.ATTEMPT).exists():
        return False
    if _was_changed_lately(step, event.at):
        return True
    is_refusal = event.remote_status is not None and 400 <= event.remote_status < 500
    is_passing = event.remote_status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
    return event.result == Result.FAILED and (is_passing or not is_refusal)


def _was_changed_lately(step: MigrationStep, at: datetime) -> bool:
    """Return True if Twilio confirmed a change of the step's object in the minute before `at`."""
    sid = target_sid(step)
    events = stale_reads.recent_events([sid], at=at).get(sid, [])
    return any(map(stale_reads.is_own_change, events))


def _is_open(event: AuditEvent) -> bool:
    return event.stage == Stage.ATTEMPT or event.result == Result.UNKNOWN


def describe_failure(event: AuditEvent) -> str:
    """Return why a step was not applied, with Twilio's status and code."""
    message = event.payload.message.strip()
    if message and message[-1] not in ".!?":
        message += "."
    twilio_error = refusal(event)
    return f"{message} ({twilio_error})".strip() if twilio_error else message


def _reconcile(step: MigrationStep) -> AuditEvent | None:
    """Read the outcome of a step from Twilio. Return the event that resolves it, or None."""
    change = OpenChange.objects.filter(change_id=step.change_id).first()
    if change is None:
        return audit_log.latest_event(step.change_id)
    try:
        return reconcile.reconcile_one(change)
    except FlexError:
        return None  # the next run reads again
    except AlreadyRecorded as resolved:  # a sync, or a user, was faster
        return resolved.event


def close_step(step: MigrationStep) -> None:
    """Store that the outcome of a step is known, so that no later run looks at it again."""
    step.done_at = timezone.now()
    step.save(update_fields=["done_at", "skip_reason"])


def _send(step: MigrationStep, reason: str, actor: Actor) -> StepResult | None:
    """Send a step. Return its result if the log has none, or None if the log has it."""
    now = timezone.now()
    try:
        _SENDERS[CALLS[StepKind(step.kind)].operation](step, _common(step, reason, actor))
    except NothingToChange:
        # Of a flow, `live` refuses an older state by itself.
        if step.reverses and step.kind != StepKind.TURN_ON_FLOW and _was_changed_lately(step, now):
            return StepResult(Outcome.NOT_DONE, NOT_VISIBLE_YET, is_unread=True)
        step.skip_reason = ALREADY_SET
        return DONE
    except change_guard.RequestRequired as required:
        change_guard.log_denial(required)
        return StepResult(Outcome.NOT_DONE, required.restriction.sentence)
    except OperationUnavailable as unavailable:
        return StepResult(Outcome.NOT_DONE, unavailable.restriction.sentence)
    except ConcurrentChange as concurrent:
        if concurrent.event.change_id != step.change_id:
            sentence = "Another change to the same object was in progress, or had just been sent."
            return StepResult(Outcome.NOT_DONE, sentence, is_unread=True)
    except CannotMigrate as refused:
        return StepResult(Outcome.NOT_DONE, str(refused))
    except FlexError as error:  # of a read before the step
        return StepResult(Outcome.NOT_DONE, f"Couldn't read from Twilio: {error}.")
    except (Conflict, FlowUnreadable, OutcomeNotRecorded, AlreadyRecorded):
        pass
    return None


def _common(step: MigrationStep, reason: str, actor: Actor) -> dict[str, Any]:
    call = CALLS[StepKind(step.kind)]
    return {
        "reason": reason,
        "actor": actor,
        "change_id": step.change_id,
        "account_sid": step.migration.account_sid,
        "parent_sid": step.parent_sid,
        "refers_to": _reversed_event_id(step),
    } | ({} if call.operation == "create" else {"sid": target_sid(step)})


def _reversed_event_id(step: MigrationStep) -> uuid.UUID | None:
    """Return the event of the step that this one takes back."""
    if step.reverses is None:
        return None
    event = audit_log.latest_event(step.reverses.change_id)
    return event.event_id if event else None


def target_sid(step: MigrationStep) -> str:
    """Return the SID of the object that a step is about, "" before it exists."""
    if step.target_sid or step.kind not in ADDRESS_KINDS:
        return step.target_sid
    return step.migration.address_sid or _created_sid(step)


def _created_sid(step: MigrationStep) -> str:
    """Return the SID of the address that a preparation created and then got stuck, or ""."""
    event = audit_log.latest_event((step.reverses or step).change_id)
    return event.target_sid if event else ""


def _create(step: MigrationStep, common: dict[str, Any]) -> None:
    resource = CALLS[StepKind(step.kind)].resource
    if step.kind == StepKind.CREATE_ADDRESS:
        operations.create(resource, values=_read_planned_address(step), **common)
    else:
        operations.create(resource, values=step.requested, **common)


def _update(step: MigrationStep, common: dict[str, Any]) -> None:
    resource = CALLS[StepKind(step.kind)].resource
    values: Mapping[str, Any] = step.requested
    base: Mapping[str, Any] | None = step.before
    if step.kind == StepKind.ADOPT_ADDRESS:
        planned = _read_planned_address(step)
        values = {name: planned[name] for name in step.requested}
    elif step.kind == StepKind.TURN_ON_FLOW:
        values = {"enabled": True}  # of the fields that were stored, the only one to put back
    if step.kind in (StepKind.TURN_OFF_FLOW, StepKind.TURN_ON_FLOW):
        base = None  # one boolean can't overwrite an edit unseen
    operations.update(resource, base=base, values=values, **common)


def _delete(step: MigrationStep, common: dict[str, Any]) -> None:
    resource = CALLS[StepKind(step.kind)].resource
    base: Mapping[str, Any] = step.before
    if step.kind == StepKind.DELETE_ADDRESS:
        # One that someone turned on or changed stays. Twilio may write the identity in another way.
        prepared = {name: value for name, value in base.items() if name not in IDENTITY_FIELDS}
        base = {**prepared, "auto_creation_enabled": False}
    operations.delete(resource, base=base, **common)


_SENDERS: Final[Mapping[str, Callable[[MigrationStep, dict[str, Any]], None]]] = {
    "create": _create,
    "update": _update,
    "delete": _delete,
}


def _read_planned_address(step: MigrationStep) -> dict[str, Any]:
    """Return the values of the address from the flow at Twilio, secrets included.

    Raises `CannotMigrate` if they aren't those that were planned, or `FlexError`.
    """
    migration: FlowMigration = step.migration
    flow: Snapshot = live.fetch(FLEX_FLOW, migration.flow_sid, account_sid=migration.account_sid)
    planned = plan_address(flow, migration.deployment_key)
    spelled = str(step.requested.get("address") or "")
    if planned["type"] in ("sms", "whatsapp") and is_same_identity(planned["address"], spelled):
        planned["address"] = spelled  # as the number or the sender is written
    resource = CALLS[StepKind(step.kind)].resource
    if resource.differing_fields(step.requested, redact_snapshot(planned), step.requested):
        raise CannotMigrate("The flow was changed while its address was being prepared.")
    return planned
