"""The changes an operator makes: create_flow, update_flow, set_enabled, delete_flow.

Each follows the write protocol: the flow is read afresh and compared, the attempt is committed to the audit
log, one call goes out, its outcome is committed, the mirror takes it over. Nothing is sent that is not on
record first; no outcome is recorded that was not seen. No lock or transaction is held across the call.
"""

from __future__ import annotations

import contextlib
import logging
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from flows.flexapi import schema
from flows.flexapi.answers import Answer
from flows.flexapi.errors import FlexError, NeverSent, Refused, Unknown
from flows.flexapi.pickling import Picklable
from flows.flexapi.schema import Snapshot
from flows.masking import has_mask, masked, masked_quotes, storable, unmasked
from flows.models import AuditEvent, Flow, Result, Stage
from flows.services import audit, closures, drift, mirror
from flows.services.audit import Actor, NotRecorded, Observation, Payload
from flows.services.database import drop_if_lost
from flows.services.merge import Merge, merge
from flows.services.twilio import WRITE_DEADLINE, account_of, flex_client

log = logging.getLogger(__name__)

NOT_THERE = 404  # as the answer to a repeated deletion

# Longer than any call may take: an attempt that is older belongs to a process that died.
UNDER_WAY_FOR = timedelta(seconds=4 * WRITE_DEADLINE)


@dataclass(frozen=True, slots=True)
class Change:
    """A change whose attempt is on record. `event` is its latest event; `error` says why it did not succeed.
    `theirs`: fields that somebody else had changed meanwhile; `differs`: fields that Twilio answered
    otherwise than asked for."""

    event: AuditEvent
    after: Snapshot = field(default_factory=dict)
    error: FlexError | None = None
    theirs: list[str] = field(default_factory=list)
    differs: list[str] = field(default_factory=list)


class Conflict(Picklable):
    """The flow changed at Twilio where the operator changed it too. Nothing was sent."""

    def __init__(self, merged: Merge, theirs: Snapshot) -> None:
        super().__init__("the flow was changed in the meantime")
        self.merged = merged
        self.theirs = theirs


class NothingToChange(Exception):
    """The flow at Twilio is already as asked for. Nothing was sent."""


class NotRead(Picklable):
    """The flow could not be read from Twilio first, so nothing was sent."""

    def __init__(self, error: FlexError) -> None:
        super().__init__("the flow could not be read")
        self.error = error


class OutcomeNotRecorded(Picklable):
    """The change was sent, and its outcome could not be put on record. The attempt is on record."""

    def __init__(self, attempt: AuditEvent, error: FlexError | None) -> None:
        super().__init__("the change was sent, but its outcome is not recorded")
        self.attempt = attempt
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
    """Makes a flow of the fields that have a value, in that account. The new SID stands
    in the outcome's event. `refers_to`, of every verb: the event whose state this one restores, or which it undoes."""
    asked = {name: value for name, value in values.items() if schema.normalised(name, value) is not None}
    call = _Call("flow.create", account_sid, actor, change_id, reason, requested=asked, refers_to=refers_to)
    call.refuse()
    return call.carry_out(lambda: flex_client(account_sid).create(asked))


def update_flow(
    *,
    sid: str,
    base: Mapping[str, Any] | None,
    values: Mapping[str, Any],
    reason: str,
    actor: Actor,
    change_id: uuid.UUID,
    refers_to: uuid.UUID | None = None,
    account_sid: str = "",
) -> Change:
    """Sends the fields of `values` that differ from `base`, the flow as the operator saw it, unless somebody
    else changed the same ones meanwhile (`Conflict`). Without a `base`, it is the flow as it is now. Both may
    be masked, as a plan keeps them: the secrets are the flow's own. `account_sid`, of this and the next two:
    the account that the caller checked; without it the one that the flow is known to belong to."""
    call = _call_of("flow.update", sid, account_sid, reason, actor, change_id, refers_to)
    theirs = _begun(call, base, values)
    values = _with_secrets(values, theirs)
    merged = merge(base=theirs if base is None else _with_secrets(base, theirs), theirs=theirs, mine=values)
    call.requested = merged.to_send
    if merged.conflicts:
        call.requested = {conflict.name: conflict.mine for conflict in merged.conflicts}
        call.record(Stage.OUTCOME, Result.CONFLICT, note=_changed_meanwhile(merged))
        raise Conflict(merged, theirs)
    if not merged.to_send:
        raise NothingToChange
    if any(map(has_mask, merged.to_send.values())):
        raise ValueError("a mask would be sent in a secret's place")
    change = call.carry_out(lambda: flex_client(call.account_sid).update(sid, merged.to_send))
    change.theirs.extend(
        name for name in merged.theirs if name not in merged.to_send and schema.is_writable(name)
    )
    return change


def set_enabled(
    *,
    sid: str,
    enabled: bool,
    reason: str,
    actor: Actor,
    change_id: uuid.UUID,
    refers_to: uuid.UUID | None = None,
    account_sid: str = "",
) -> Change:
    """Switches a flow on or off. A switch has one other side, so nobody's edit can be overwritten by it."""
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
    refers_to: uuid.UUID | None = None,
    account_sid: str = "",
) -> Change:
    """Deletes a flow, if the fields of `base` (what the operator saw of it) are still what they were."""
    call = _call_of("flow.delete", sid, account_sid, reason, actor, change_id, refers_to)
    before = _begun(call, base, None)
    # The operator saw the flow as it is kept and shown: compare like with like.
    merged = merge(base=masked(storable(dict(base))), theirs=masked(storable(before)), mine={})
    if merged.theirs:
        call.record(Stage.OUTCOME, Result.CONFLICT, note=_changed_meanwhile(merged))
        raise Conflict(merged, before)
    return call.carry_out(lambda: flex_client(call.account_sid).delete(sid))


@dataclass(slots=True)
class _Call:
    """One change on its way: what both of its events say, and the steps from attempt to mirror."""

    action: str
    account_sid: str
    actor: Actor
    change_id: uuid.UUID
    reason: str
    sid: str = ""
    read_at: int | None = None  # the log's end when the flow was read
    before: Snapshot | None = None
    requested: dict[str, Any] | None = None
    refers_to: uuid.UUID | None = None
    attempt: AuditEvent | None = None

    def carry_out(self, send: Callable[[], Answer]) -> Change:
        try:
            self.attempt = attempt = self.record(Stage.ATTEMPT, Result.PENDING)
        except closures.Closed as closed:
            self.deny(closed.why)
            raise
        started = time.monotonic()
        answer: Answer | None = None
        error: FlexError | None = None
        try:
            answer = send()
        except FlexError as failure:
            error = failure
            error.message = masked_quotes(error.message, self.requested, self.before)
        except BaseException:  # a fault of ours, or the process is told to end: the request may have left
            with contextlib.suppress(NotRecorded):
                self.record(Stage.OUTCOME, Result.UNKNOWN, error=Unknown("internal error during the request"))
            raise
        milliseconds = round((time.monotonic() - started) * 1000)
        try:
            drop_if_lost()  # a connection that broke during the call must not cost it
            event = self.record(Stage.OUTCOME, _result(error), answer, error, milliseconds)
        except Exception as failure:
            # The kind alone: a database's own words can quote the row.
            log.error("the outcome of change %s is not recorded: %s", self.change_id, type(failure).__name__)
            raise OutcomeNotRecorded(attempt, error) from failure
        self._tell_the_mirror(event, answer, error)
        closures.hear(self.account_sid, self.action.removeprefix("flow."), error)
        after = answer.snapshot if answer else {}
        return Change(event, after, error, differs=self._differs(after))

    def record(
        self,
        stage: Stage,
        result: Result,
        answer: Answer | None = None,
        error: FlexError | None = None,
        milliseconds: int | None = None,
        note: str = "",
    ) -> AuditEvent:
        after = answer.snapshot if answer and answer.snapshot else None
        said = answer or error
        payload = self.payload(after, _said(answer, error) or note)
        return audit.append(
            action=self.action,
            stage=stage,
            result=result,
            actor=self.actor,
            change_id=self.change_id,
            account_sid=self.account_sid,
            target_sid=self.sid or (after or {}).get("sid", ""),
            changed_fields=sorted(self.requested or {}),
            reason=self.reason,
            remote_status=said.status if said else None,
            remote_code=error.code if error else None,
            remote_request_id=said.request_id if said else "",
            duration_ms=milliseconds,
            refers_to=self.refers_to,
            first=self.attempt is None,
            read_at=self.read_at,
            beside=self._came_between(after),
            payload=partial(self._unless_closed, payload) if stage == Stage.ATTEMPT else payload,
        )

    def payload(self, after: Snapshot | None, message: str) -> Payload:
        known = after or self.before or self.requested or {}
        return Payload(
            friendly_name=str(known.get("friendly_name") or ""),
            contact_identity=str(known.get("contact_identity") or ""),
            before=self.before,
            requested=self.requested,
            after=after,
            message=message,
        )

    def refuse(self) -> None:
        """Raise `AlreadyRecorded` for a change that was begun before, and `Closed`, on record, for one that
        can't be made now."""
        recorded = audit.story_of(self.change_id)
        if recorded is not None:
            raise audit.AlreadyRecorded(recorded)
        if why := closures.state_of(self.account_sid).why(self.action.removeprefix("flow.")):
            self.deny(why)
            raise closures.Closed(why)

    def deny(self, why: closures.Why) -> None:
        audit.append(
            action=self.action,
            stage=Stage.ACCESS,
            result=Result.DENIED,
            actor=self.actor,
            account_sid=self.account_sid,
            target_sid=self.sid,
            changed_fields=sorted(self.requested or {}),
            reason=self.reason,
            payload=self.payload(None, why.sentence),
        )

    def _unless_closed(self, payload: Payload) -> Payload:
        """Asked while nobody else can append: no attempt follows the event that closed the account."""
        if why := closures.state_of(self.account_sid).why(self.action.removeprefix("flow.")):
            raise closures.Closed(why)
        return payload

    def _tell_the_mirror(self, event: AuditEvent, answer: Answer | None, error: FlexError | None) -> None:
        if answer:
            mirror.keep(answer.snapshot or None, event)
        elif mirror.is_gone(error):
            mirror.miss(self.sid, read_at=event.seq, account_sid=self.account_sid)

    def _came_between(self, after: Snapshot | None) -> Observation | None:
        """A field that we did not ask for and that is not as it was read."""
        if not after or self.before is None or self.requested is None:
            return None
        return drift.beside(
            self.sid, account_sid=self.account_sid, before=self.before, asked=self.requested, after=after
        )

    def _differs(self, after: Snapshot) -> list[str]:
        expected = {**(self.before or {}), **(self.requested or {})}
        names = [name for name in (self.requested or {}) if after]
        return schema.differing(expected, after, names)


def _with_secrets(values: Mapping[str, Any], flow: Snapshot) -> dict[str, Any]:
    return {name: unmasked(value, flow.get(name)) for name, value in values.items()}


def _said(answer: Answer | None, error: FlexError | None) -> str:
    if answer and answer.status == NOT_THERE:
        return "The first response was lost. A retry found the flow deleted."
    return (error.message or str(error)) if error else ""


def _result(error: FlexError | None) -> Result:
    if error is None:
        return Result.SUCCEEDED
    return Result.FAILED if isinstance(error, Refused | NeverSent) else Result.UNKNOWN


def _call_of(
    action: str,
    sid: str,
    account_sid: str,
    reason: str,
    actor: Actor,
    change_id: uuid.UUID,
    refers_to: uuid.UUID | None,
) -> _Call:
    """A new change of a flow, with what is known of the flow until it is read."""
    account_sid = account_sid or account_of(sid)
    call = _Call(action, account_sid, actor, change_id, reason, sid, refers_to=refers_to)
    call.before = Flow.objects.filter(sid=sid).values_list("resource", flat=True).first()
    return call


def _begun(call: _Call, base: Mapping[str, Any] | None, values: Mapping[str, Any] | None) -> Snapshot:
    """The flow as it is now. Until it is read, the change is of the flow as the operator saw it; that it
    could not be read is an outcome too, which keeps that and what was asked for: nothing was sent."""
    call.before = {**(call.before or {}), **(base or {})} or None
    if values is not None:
        seen = dict(values) if base is None else schema.differing(base, values, values)
        call.requested = {name: values[name] for name in seen}
    call.refuse()
    call.read_at = audit.last_seq()
    try:
        call.before = before = mirror.fetch(
            call.sid, account_sid=call.account_sid, deadline=WRITE_DEADLINE, must_record=True
        )
    except FlexError as error:
        call.record(Stage.OUTCOME, Result.FAILED, error=error)
        raise NotRead(error) from error
    call.requested = None
    return before


def _changed_meanwhile(merged: Merge) -> str:
    """The fields that stood in the way of a change, by their labels: their values are the payload's to keep."""
    names = [item.name for item in merged.conflicts] or merged.theirs
    labels = ", ".join(schema.BY_NAME[name].label if name in schema.BY_NAME else name for name in names)
    return f"Someone else changed {labels} in the meantime. Nothing was sent."
