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
from functools import partial
from typing import Any

from flows.accounts.clients import WRITE_DEADLINE, flex_client
from flows.audit import audit_log
from flows.audit.audit_log import Actor, NotRecorded, Observation, Payload
from flows.audit.models import AuditEvent, Result, Stage
from flows.availability import restrictions
from flows.changes.merge import Merge, merge
from flows.core.database import close_lost_connection
from flows.mirror import drift, first_contact, mirror
from flows.mirror.models import Flow
from flows.mirror.ownership import find_account_sid
from flows.redaction.masking import has_mask, redact, redact_quotes, replace_unstorable, unmask
from flows.twilio.errors import FlexError, NotSent, OutcomeUnknown, RequestRefused
from flows.twilio.flex import flex_flow
from flows.twilio.flex.flex_flow import Snapshot
from flows.twilio.pickling import PicklableError
from flows.twilio.responses import ApiResponse

log = logging.getLogger(__name__)

NOT_FOUND = 404  # as the answer to a repeated deletion


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


class Conflict(PicklableError):
    """The flow changed at Twilio where the operator changed it too. Nothing was sent."""

    def __init__(self, merged: Merge, theirs: Snapshot) -> None:
        super().__init__("the flow was changed in the meantime")
        self.merged = merged
        self.theirs = theirs


class NothingToChange(Exception):
    """The flow at Twilio is already as asked for. Nothing was sent."""


class FlowUnreadable(PicklableError):
    """The flow could not be read from Twilio first, so nothing was sent."""

    def __init__(self, error: FlexError) -> None:
        super().__init__("the flow could not be read")
        self.error = error


class OutcomeNotRecorded(PicklableError):
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
    asked = {
        name: value
        for name, value in values.items()
        if flex_flow.normalize_value(name, value) is not None
    }
    call = ChangeAttempt(
        "flow.create", account_sid, actor, change_id, reason, requested=asked, refers_to=refers_to
    )
    call.refuse()
    return call.execute(lambda: flex_client(account_sid).create(asked))


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
    call = _new_attempt("flow.update", sid, account_sid, reason, actor, change_id, refers_to)
    theirs = _start_change(call, base, values)
    values = _restore_secrets(values, theirs)
    merged = merge(
        base=theirs if base is None else _restore_secrets(base, theirs), theirs=theirs, mine=values
    )
    call.requested = merged.requested
    if merged.conflicts:
        call.requested = {conflict.name: conflict.mine for conflict in merged.conflicts}
        call.record(Stage.OUTCOME, Result.CONFLICT, note=_describe_conflict(merged))
        raise Conflict(merged, theirs)
    if not merged.requested:
        raise NothingToChange
    if any(map(has_mask, merged.requested.values())):
        raise ValueError("a mask would be sent in a secret's place")
    change = call.execute(lambda: flex_client(call.account_sid).update(sid, merged.requested))
    change.theirs.extend(
        name
        for name in merged.theirs
        if name not in merged.requested and flex_flow.is_writable(name)
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
    call = _new_attempt("flow.delete", sid, account_sid, reason, actor, change_id, refers_to)
    before = _start_change(call, base, None)
    # The operator saw the flow as it is kept and shown: compare like with like.
    merged = merge(
        base=redact(replace_unstorable(dict(base))),
        theirs=redact(replace_unstorable(before)),
        mine={},
    )
    if merged.theirs:
        call.record(Stage.OUTCOME, Result.CONFLICT, note=_describe_conflict(merged))
        raise Conflict(merged, before)
    return call.execute(lambda: flex_client(call.account_sid).delete(sid))


@dataclass(slots=True)
class ChangeAttempt:
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

    def execute(self, send: Callable[[], ApiResponse]) -> Change:
        try:
            self.attempt = attempt = self.record(Stage.ATTEMPT, Result.PENDING)
        except restrictions.OperationUnavailable as closed:
            self.log_denied(closed.restriction)
            raise
        started = time.monotonic()
        answer: ApiResponse | None = None
        error: FlexError | None = None
        try:
            answer = send()
        except FlexError as failure:
            error = failure
            error.message = redact_quotes(error.message, self.requested, self.before)
        except (
            BaseException
        ):  # a fault of ours, or the process is told to end: the request may have left
            with contextlib.suppress(NotRecorded):
                self.record(
                    Stage.OUTCOME,
                    Result.UNKNOWN,
                    error=OutcomeUnknown("internal error during the request"),
                )
            raise
        milliseconds = round((time.monotonic() - started) * 1000)
        try:
            close_lost_connection()  # a connection that broke during the call must not cost it
            event = self.record(Stage.OUTCOME, _classify_result(error), answer, error, milliseconds)
        except Exception as failure:
            # The kind alone: a database's own words can quote the row.
            log.error(
                "the outcome of change %s is not recorded: %s",
                self.change_id,
                type(failure).__name__,
            )
            raise OutcomeNotRecorded(attempt, error) from failure
        self._update_mirror(event, answer, error)
        first_contact.record_response(self.account_sid, self.action.removeprefix("flow."), error)
        after = answer.snapshot if answer else {}
        return Change(event, after, error, differs=self._find_unexpected_fields(after))

    def record(
        self,
        stage: Stage,
        result: Result,
        answer: ApiResponse | None = None,
        error: FlexError | None = None,
        milliseconds: int | None = None,
        note: str = "",
    ) -> AuditEvent:
        after = answer.snapshot if answer and answer.snapshot else None
        said = answer or error
        payload = self.payload(after, _outcome_message(answer, error) or note)
        return audit_log.append(
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
            starts_change=self.attempt is None,
            read_seq=self.read_at,
            concurrent_edit=self._find_concurrent_edit(after),
            payload=partial(self._check_available, payload) if stage == Stage.ATTEMPT else payload,
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
        recorded = audit_log.latest_event(self.change_id)
        if recorded is not None:
            raise audit_log.AlreadyRecorded(recorded)
        if why := restrictions.account_availability(self.account_sid).why(
            self.action.removeprefix("flow.")
        ):
            self.log_denied(why)
            raise restrictions.OperationUnavailable(why)

    def log_denied(self, why: restrictions.Restriction) -> None:
        audit_log.append(
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

    def _check_available(self, payload: Payload) -> Payload:
        """Asked while nobody else can append: no attempt follows the event that closed the account."""
        if why := restrictions.account_availability(self.account_sid).why(
            self.action.removeprefix("flow.")
        ):
            raise restrictions.OperationUnavailable(why)
        return payload

    def _update_mirror(
        self, event: AuditEvent, answer: ApiResponse | None, error: FlexError | None
    ) -> None:
        if answer:
            mirror.apply_result(answer.snapshot or None, event)
        elif mirror.is_not_found(error):
            mirror.mark_deleted(self.sid, read_seq=event.seq, account_sid=self.account_sid)

    def _find_concurrent_edit(self, after: Snapshot | None) -> Observation | None:
        """A field that we did not ask for and that is not as it was read."""
        if not after or self.before is None or self.requested is None:
            return None
        return drift.find_concurrent_edit(
            self.sid,
            account_sid=self.account_sid,
            before=self.before,
            requested=self.requested,
            after=after,
        )

    def _find_unexpected_fields(self, after: Snapshot) -> list[str]:
        expected = {**(self.before or {}), **(self.requested or {})}
        names = [name for name in (self.requested or {}) if after]
        return flex_flow.differing_fields(expected, after, names)


def _restore_secrets(values: Mapping[str, Any], flow: Snapshot) -> dict[str, Any]:
    return {name: unmask(value, flow.get(name)) for name, value in values.items()}


def _outcome_message(answer: ApiResponse | None, error: FlexError | None) -> str:
    if answer and answer.status == NOT_FOUND:
        return "The first response was lost. A retry found the flow deleted."
    return (error.message or str(error)) if error else ""


def _classify_result(error: FlexError | None) -> Result:
    if error is None:
        return Result.SUCCEEDED
    return Result.FAILED if isinstance(error, RequestRefused | NotSent) else Result.UNKNOWN


def _new_attempt(
    action: str,
    sid: str,
    account_sid: str,
    reason: str,
    actor: Actor,
    change_id: uuid.UUID,
    refers_to: uuid.UUID | None,
) -> ChangeAttempt:
    """A new change of a flow, with what is known of the flow until it is read."""
    account_sid = account_sid or find_account_sid(sid)
    call = ChangeAttempt(action, account_sid, actor, change_id, reason, sid, refers_to=refers_to)
    call.before = Flow.objects.filter(sid=sid).values_list("resource", flat=True).first()
    return call


def _start_change(
    call: ChangeAttempt, base: Mapping[str, Any] | None, values: Mapping[str, Any] | None
) -> Snapshot:
    """The flow as it is now. Until it is read, the change is of the flow as the operator saw it; that it
    could not be read is an outcome too, which keeps that and what was asked for: nothing was sent."""
    call.before = {**(call.before or {}), **(base or {})} or None
    if values is not None:
        seen = dict(values) if base is None else flex_flow.differing_fields(base, values, values)
        call.requested = {name: values[name] for name in seen}
    call.refuse()
    call.read_at = audit_log.last_seq()
    try:
        call.before = before = mirror.fetch(
            call.sid, account_sid=call.account_sid, deadline=WRITE_DEADLINE, must_record=True
        )
    except FlexError as error:
        call.record(Stage.OUTCOME, Result.FAILED, error=error)
        raise FlowUnreadable(error) from error
    call.requested = None
    return before


def _describe_conflict(merged: Merge) -> str:
    """The fields that stood in the way of a change, by their labels: their values are the payload's to keep."""
    names = [item.name for item in merged.conflicts] or merged.theirs
    labels = ", ".join(
        flex_flow.FIELDS_BY_NAME[name].label if name in flex_flow.FIELDS_BY_NAME else name
        for name in names
    )
    return f"Someone else changed {labels} in the meantime. Nothing was sent."
