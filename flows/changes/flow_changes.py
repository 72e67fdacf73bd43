"""The changes of a flow that a user can make: create, update, turn on or off, delete.

Each follows the write protocol. The flow is read from Twilio and compared, the attempt is committed
to the audit log, one call is sent, its outcome is committed, and the mirror is updated. Nothing is
sent before its attempt is logged. No lock or transaction is held during the call.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from flows.accounts.clients import WRITE_DEADLINE, flex_client
from flows.audit import audit_log
from flows.audit.audit_log import Actor
from flows.audit.models import Result
from flows.changes.actions import ChangeAction
from flows.changes.attempt import Change, ChangeAttempt, OutcomeNotRecorded
from flows.changes.merge import Merge, merge
from flows.mirror import mirror
from flows.mirror.models import Flow
from flows.redaction.masking import has_mask, redact, replace_unstorable, unmask
from flows.twilio.errors import FlexError
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.pickling import PicklableError
from flows.twilio.resource import Snapshot

__all__ = [
    "Change",
    "ChangeAttempt",
    "Conflict",
    "FlowUnreadable",
    "NothingToChange",
    "OutcomeNotRecorded",
    "create_flow",
    "delete_flow",
    "set_enabled",
    "update_flow",
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


def create_flow(
    *,
    values: Mapping[str, Any],
    reason: str,
    actor: Actor,
    change_id: uuid.UUID,
    account_sid: str,
    refers_to: uuid.UUID | None = None,
) -> Change:
    """Create a flow in this account from the fields that have a value.

    The outcome's event has the new SID. For all changes here, `refers_to` is the event whose state
    the change restores, or which it reverts.
    """
    requested = {
        name: value
        for name, value in values.items()
        if FLEX_FLOW.normalize_value(name, value) is not None
    }
    attempt = ChangeAttempt(
        ChangeAction.CREATE,
        account_sid,
        actor,
        change_id,
        reason,
        requested=requested,
        refers_to=refers_to,
    )
    attempt.check_can_start()
    return attempt.execute(lambda: flex_client(account_sid).create(requested))


def update_flow(
    *,
    sid: str,
    base: Mapping[str, Any] | None,
    values: Mapping[str, Any],
    reason: str,
    actor: Actor,
    change_id: uuid.UUID,
    account_sid: str,
    refers_to: uuid.UUID | None = None,
) -> Change:
    """Send the fields of `values` that differ from `base`, the flow as the user saw it.

    Without a `base`, compare with the flow at Twilio. Both may be masked, as a bulk change stores
    them; the secrets are then the flow's own. `account_sid` is the flow's account, in which the
    caller has checked the permission, here and in the next two functions. Raise `Conflict` if
    someone else changed the same fields, `NothingToChange`, `FlowUnreadable`, and the errors of
    `ChangeAttempt.execute`.
    """
    attempt = _new_attempt(
        ChangeAction.UPDATE, sid, account_sid, reason, actor, change_id, refers_to
    )
    theirs = _start_change(attempt, base, values)
    values = _restore_secrets(values, theirs)
    base = theirs if base is None else _restore_secrets(base, theirs)
    merged = merge(base=base, theirs=theirs, mine=values)
    attempt.requested = merged.requested
    if merged.conflicts:
        attempt.requested = {conflict.name: conflict.mine for conflict in merged.conflicts}
        attempt.record_outcome(Result.CONFLICT, note=_describe_conflict(merged))
        raise Conflict(merged, theirs)
    if not merged.requested:
        raise NothingToChange
    if any(map(has_mask, merged.requested.values())):
        raise ValueError("a mask would be sent in a secret's place")
    change = attempt.execute(lambda: flex_client(attempt.account_sid).update(sid, merged.requested))
    change.merged_fields.extend(
        name
        for name in merged.their_fields
        if name not in merged.requested and FLEX_FLOW.is_writable(name)
    )
    return change


def set_enabled(
    *,
    sid: str,
    enabled: bool,
    reason: str,
    actor: Actor,
    change_id: uuid.UUID,
    account_sid: str,
    refers_to: uuid.UUID | None = None,
) -> Change:
    """Turn a flow on or off. No base is needed: one boolean can't overwrite an edit unseen."""
    return update_flow(
        sid=sid,
        base=None,
        values={"enabled": enabled},
        reason=reason,
        actor=actor,
        change_id=change_id,
        refers_to=refers_to,
        account_sid=account_sid,
    )


def delete_flow(
    *,
    sid: str,
    base: Mapping[str, Any],
    reason: str,
    actor: Actor,
    change_id: uuid.UUID,
    account_sid: str,
    refers_to: uuid.UUID | None = None,
) -> Change:
    """Delete a flow, or raise `Conflict` if a field of `base`, as the user saw it, has changed."""
    attempt = _new_attempt(
        ChangeAction.DELETE, sid, account_sid, reason, actor, change_id, refers_to
    )
    before = _start_change(attempt, base, None)
    # The user saw the flow redacted, so both sides are compared redacted.
    merged = merge(
        base=redact(replace_unstorable(dict(base))),
        theirs=redact(replace_unstorable(before)),
        mine={},
    )
    if merged.their_fields:
        attempt.record_outcome(Result.CONFLICT, note=_describe_conflict(merged))
        raise Conflict(merged, before)
    return attempt.execute(lambda: flex_client(attempt.account_sid).delete(sid))


def _new_attempt(
    action: str,
    sid: str,
    account_sid: str,
    reason: str,
    actor: Actor,
    change_id: uuid.UUID,
    refers_to: uuid.UUID | None,
) -> ChangeAttempt:
    """Return a new change of a flow, with the mirror's state of the flow until it is read."""
    attempt = ChangeAttempt(action, account_sid, actor, change_id, reason, sid, refers_to=refers_to)
    attempt.before = Flow.objects.filter(sid=sid).values_list("resource", flat=True).first()
    return attempt


def _start_change(
    attempt: ChangeAttempt, base: Mapping[str, Any] | None, values: Mapping[str, Any] | None
) -> Snapshot:
    """Read the flow from Twilio and return it.

    A failed read is logged as the outcome and raises `FlowUnreadable`. That event has the flow as
    the user saw it and the fields that the user changed.
    """
    attempt.before = {**(attempt.before or {}), **(base or {})} or None
    if values is not None:
        names = values if base is None else FLEX_FLOW.differing_fields(base, values, values)
        attempt.requested = {name: values[name] for name in names}
    attempt.check_can_start()
    attempt.read_seq = audit_log.last_seq()
    try:
        live = mirror.fetch(
            attempt.sid,
            account_sid=attempt.account_sid,
            deadline=WRITE_DEADLINE,
            must_record=True,
        )
    except FlexError as error:
        attempt.record_outcome(Result.FAILED, error=error)
        raise FlowUnreadable(error) from error
    attempt.before = live
    attempt.requested = None
    return live


def _restore_secrets(values: Mapping[str, Any], flow: Snapshot) -> dict[str, Any]:
    return {name: unmask(value, flow.get(name)) for name, value in values.items()}


def _describe_conflict(merged: Merge) -> str:
    """Return a sentence with the labels of the fields in conflict, without their values."""
    names = [conflict.name for conflict in merged.conflicts] or merged.their_fields
    labels = ", ".join(_field_label(name) for name in names)
    return f"Someone else changed {labels} in the meantime. Nothing was sent."


def _field_label(name: str) -> str:
    """Return the label of a field, or the name of one that this dashboard doesn't know."""
    known_field = FLEX_FLOW.by_name.get(name)
    return known_field.label if known_field else name
