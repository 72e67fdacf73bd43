"""The changes of an object at Twilio that a user can make: create, update and delete.

Each follows the write protocol. The object is read from Twilio and compared, the attempt is committed
to the audit log, one call is sent, its outcome is committed, and the mirror is updated. Nothing is
sent before its attempt is logged. No lock or transaction is held during the call.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final

from flows.accounts.clients import WRITE_DEADLINE, resource_client
from flows.audit import audit_log
from flows.audit.audit_log import Actor
from flows.audit.models import Result
from flows.changes.attempt import Change, ChangeAttempt, OutcomeNotRecorded
from flows.changes.merge import Merge, merge
from flows.mirror import live
from flows.redaction.json_masks import restore_parts
from flows.redaction.masking import has_mask, unmask
from flows.redaction.redacted import redact_snapshot
from flows.twilio.errors import FlexError, OutcomeUnknown
from flows.twilio.pickling import PicklableError
from flows.twilio.resource import Resource, Snapshot

ARCHIVED: Final = {"archived": True}  # what an archived object has

__all__ = [
    "Change",
    "ChangeAttempt",
    "Conflict",
    "FlowUnreadable",
    "NothingToChange",
    "OutcomeNotRecorded",
    "archive",
    "create",
    "delete",
    "update",
]


class Conflict(PicklableError):
    """The flow was changed at Twilio in the same fields that the user changed. Nothing was sent."""

    def __init__(self, merged: Merge, theirs: Snapshot) -> None:
        super().__init__("the flow was changed in the meantime")
        self.merged = merged
        self.theirs = theirs


class NothingToChange(Exception):
    """The flow at Twilio already has the requested values. Nothing was sent."""


class FlowUnreadable(PicklableError):
    """The flow could not be read from Twilio before the change. Nothing was sent."""

    def __init__(self, error: FlexError) -> None:
        super().__init__("the flow could not be read")
        self.error = error


def create(
    resource: Resource,
    *,
    values: Mapping[str, Any],
    reason: str,
    actor: Actor,
    change_id: uuid.UUID,
    account_sid: str,
    parent_sid: str = "",
    refers_to: uuid.UUID | None = None,
) -> Change:
    """Create an object in this account from the fields that have a value.

    The outcome's event has the new SID, and the attempt too if the request names it. For all changes here, `refers_to` is the event whose state
    the change restores, or which it reverts, and `parent_sid` the object that has the collection, for
    a resource below a parent.
    """
    requested = {
        name: value
        for name, value in values.items()
        if resource.normalize_value(name, value) is not None
    }
    attempt = ChangeAttempt(
        resource,
        "create",
        account_sid,
        actor,
        change_id,
        reason,
        resource.requested_sid(requested),
        requested=requested,
        refers_to=refers_to,
        parent_sid=parent_sid,
    )
    attempt.check_can_start()
    client = resource_client(resource, account_sid)
    return attempt.execute(lambda: client.create(requested, parent_sid=parent_sid))


def update(
    resource: Resource,
    *,
    sid: str,
    base: Mapping[str, Any] | None,
    values: Mapping[str, Any],
    reason: str,
    actor: Actor,
    change_id: uuid.UUID,
    account_sid: str,
    parent_sid: str = "",
    refers_to: uuid.UUID | None = None,
) -> Change:
    """Send the fields of `values` that differ from `base`, the object as the user saw it.

    Without a `base`, compare with the object at Twilio. Both may be masked, as a bulk change stores
    them; the secrets are then the object's own. `account_sid` is the object's account, in which the
    caller has checked the permission, here and in `delete`. Raise `Conflict` if someone else
    changed the same fields, `NothingToChange`, `FlowUnreadable`, and the errors of
    `ChangeAttempt.execute`.
    """
    attempt = _new_attempt(
        resource, "update", sid, account_sid, reason, actor, change_id, refers_to, parent_sid
    )
    theirs = _start_change(attempt, base, values)
    values = _restore_secrets(values, theirs)
    base = theirs if base is None else _restore_secrets(base, theirs)
    merged = merge(resource, base=base, theirs=theirs, mine=values)
    attempt.requested = merged.requested
    if merged.conflicts:
        attempt.requested = {conflict.name: conflict.mine for conflict in merged.conflicts}
        attempt.record_outcome(Result.CONFLICT, note=_describe_conflict(resource, merged))
        raise Conflict(merged, theirs)
    if not merged.requested:
        raise NothingToChange
    if any(map(has_mask, merged.requested.values())):
        raise ValueError("a mask would be sent in a secret's place")
    client = resource_client(resource, account_sid)
    attempt.carried = _values_of_each_update(resource, theirs, merged.requested)
    if None in attempt.carried.values():
        error = OutcomeUnknown("Twilio's answer lacks a value that each change has to repeat")
        attempt.record_outcome(Result.FAILED, error=error)
        raise FlowUnreadable(error)
    change = attempt.execute(lambda: client.update(sid, attempt.sent_values, parent_sid=parent_sid))
    change.merged_fields.extend(
        name
        for name in merged.their_fields
        if name not in merged.requested and resource.is_writable(name)
    )
    return change


def archive(
    resource: Resource,
    *,
    sid: str,
    base: Mapping[str, Any],
    reason: str,
    actor: Actor,
    change_id: uuid.UUID,
    account_sid: str,
    parent_sid: str = "",
    refers_to: uuid.UUID | None = None,
) -> Change:
    """Archive an object, or raise `Conflict` if a field of `base`, as the user saw it, has changed.

    Raise `NothingToChange` if it is archived already.
    """
    attempt = _new_attempt(
        resource, "archive", sid, account_sid, reason, actor, change_id, refers_to, parent_sid
    )
    theirs = _start_change(attempt, base, ARCHIVED)
    if resource.is_same_value("archived", theirs.get("archived"), True):
        raise NothingToChange
    _refuse_if_changed(attempt, base, theirs)
    attempt.requested = dict(ARCHIVED)
    client = resource_client(resource, account_sid)
    return attempt.execute(lambda: client.archive(sid, parent_sid=parent_sid))


def delete(
    resource: Resource,
    *,
    sid: str,
    base: Mapping[str, Any],
    reason: str,
    actor: Actor,
    change_id: uuid.UUID,
    account_sid: str,
    parent_sid: str = "",
    refers_to: uuid.UUID | None = None,
) -> Change:
    """Delete an object, or raise `Conflict` if a field of `base`, as the user saw it, has changed."""
    attempt = _new_attempt(
        resource, "delete", sid, account_sid, reason, actor, change_id, refers_to, parent_sid
    )
    before = _start_change(attempt, base, None)
    _refuse_if_changed(attempt, base, before)
    client = resource_client(resource, account_sid)
    return attempt.execute(lambda: client.delete(sid, parent_sid=parent_sid))


def _refuse_if_changed(attempt: ChangeAttempt, base: Mapping[str, Any], theirs: Snapshot) -> None:
    """Log and raise `Conflict` if the object isn't as the user saw it.

    The user saw it redacted, so both sides are compared redacted.
    """
    merged = merge(
        attempt.resource, base=redact_snapshot(base), theirs=redact_snapshot(theirs), mine={}
    )
    if merged.their_fields:
        note = _describe_conflict(attempt.resource, merged)
        attempt.record_outcome(Result.CONFLICT, note=note)
        raise Conflict(merged, theirs)


def _new_attempt(
    resource: Resource,
    operation: str,
    sid: str,
    account_sid: str,
    reason: str,
    actor: Actor,
    change_id: uuid.UUID,
    refers_to: uuid.UUID | None,
    parent_sid: str,
) -> ChangeAttempt:
    """Return a new change of an object, with its last stored state until it is read."""
    return ChangeAttempt(
        resource,
        operation,
        account_sid,
        actor,
        change_id,
        reason,
        sid,
        before=live.last_copy(resource, sid),
        refers_to=refers_to,
        parent_sid=parent_sid,
    )


def _start_change(
    attempt: ChangeAttempt, base: Mapping[str, Any] | None, values: Mapping[str, Any] | None
) -> Snapshot:
    """Read the object from Twilio and return it.

    A failed read is logged as the outcome and raises `FlowUnreadable`. That event has the flow as
    the user saw it and the fields that the user changed.
    """
    attempt.before = {**(attempt.before or {}), **(base or {})} or None
    if values is not None:
        names = values if base is None else attempt.resource.differing_fields(base, values, values)
        attempt.requested = {name: values[name] for name in names}
    attempt.check_can_start()
    attempt.read_seq = audit_log.last_seq()
    try:
        theirs = live.fetch(
            attempt.resource,
            attempt.sid,
            account_sid=attempt.account_sid,
            parent_sid=attempt.parent_sid,
            deadline=WRITE_DEADLINE,
            must_record=True,
        )
    except FlexError as error:
        attempt.record_outcome(Result.FAILED, error=error)
        raise FlowUnreadable(error) from error
    attempt.before = theirs
    attempt.requested = None
    return theirs


def _values_of_each_update(
    resource: Resource, theirs: Snapshot, requested: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the present values of unchanged fields that Twilio requires in every update."""
    return {
        field.name: resource.normalize_value(field.name, theirs.get(field.name))
        for field in resource.fields
        if field.is_sent_with_each_update and field.name not in requested
    }


def _restore_secrets(values: Mapping[str, Any], theirs: Snapshot) -> dict[str, Any]:
    """Return the values with the object's own secrets in place of their masks."""
    masked_snapshot = redact_snapshot(theirs)
    restored = {}
    for name, value in values.items():
        if isinstance(value, dict | list):
            restored[name] = restore_parts(value, masked_snapshot.get(name), theirs.get(name))
        else:
            restored[name] = unmask(value, theirs.get(name))
    return restored


def _describe_conflict(resource: Resource, merged: Merge) -> str:
    """Return a sentence with the labels of the fields in conflict, without their values."""
    names = merged.conflicting_names or merged.their_fields
    labels = ", ".join(resource.label_of(name) for name in names)
    return f"Someone else changed {labels} in the meantime. Nothing was sent."
