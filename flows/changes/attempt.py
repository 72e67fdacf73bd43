"""One change on its way to Twilio: its attempt, the call, its outcome and the mirror.

Both events of a change, attempt and outcome, are written here, so they say the same about it.
"""

from __future__ import annotations

import contextlib
import logging
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from flows.audit import audit_log
from flows.audit.audit_log import Actor, NotRecorded, Observation, Payload
from flows.audit.models import AuditEvent, Result, Stage
from flows.availability import restrictions
from flows.changes import change_guard, flow_holds, in_flight
from flows.core.database import close_lost_connection
from flows.mirror import flow_reads, live
from flows.redaction.masking import redact_quotes
from flows.redaction.redacted import redact_snapshot
from flows.twilio.errors import FlexError, NotSent, OutcomeUnknown, RequestRefused
from flows.twilio.pickling import PicklableError
from flows.twilio.resource import Resource, Snapshot
from flows.twilio.responses import ApiResponse

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Change:
    """A change that was sent, with its latest event.

    `error` is the reason of a failure. `merged_fields` were changed by someone else meanwhile and
    kept. Of `unexpected_fields`, Twilio returned another value than requested.
    """

    event: AuditEvent
    after: Snapshot
    error: FlexError | None = None
    merged_fields: list[str] = field(default_factory=list)
    unexpected_fields: list[str] = field(default_factory=list)


class OutcomeNotRecorded(PicklableError):
    """The change was sent, but its outcome could not be logged. Its attempt is in the log."""

    def __init__(self, attempt: AuditEvent, error: FlexError | None) -> None:
        super().__init__("the change was sent, but its outcome is not recorded")
        self.attempt = attempt
        self.error = error


@dataclass(slots=True)
class ChangeAttempt:
    """The contents of a change's events, and the steps from its attempt to the mirror."""

    resource: Resource
    operation: str  # the kind of API call: create, update or delete
    account_sid: str
    actor: Actor
    change_id: uuid.UUID
    reason: str
    sid: str = ""
    read_seq: int | None = None  # the log's last event before the object was read
    before: dict[str, Any] | None = None  # unmasked once the object was read
    requested: dict[str, Any] | None = None
    carried: dict[str, Any] = field(default_factory=dict)  # sent as well, though unchanged
    refers_to: uuid.UUID | None = None
    parent_sid: str = ""  # the object that this one belongs to
    attempt_event: AuditEvent | None = None

    @property
    def action(self) -> str:
        """The action of the change's events, such as `flow.update`."""
        return self.resource.action(self.operation)

    @property
    def sent_values(self) -> dict[str, Any]:
        """The values that the request has: what was requested, and what it carries along."""
        return {**self.carried, **(self.requested or {})}

    @property
    def _recorded_request(self) -> dict[str, Any]:
        """Return the request's values. Those of a creation include the object's parent."""
        is_creation = self.operation == "create"
        parent = {self.resource.parent_field: self.parent_sid} if self.resource.parent else {}
        return {**parent, **self.sent_values} if is_creation else self.sent_values

    @property
    def proposal(self) -> change_guard.ProposedChange:
        """The change as the guard judges it."""
        return change_guard.ProposedChange(
            resource=self.resource,
            operation=self.operation,
            account_sid=self.account_sid,
            sid=self.sid,
            parent_sid=self.parent_sid,
            before=self.before,
            requested=self.requested,
            reason=self.reason,
            actor=self.actor,
            change_id=self.change_id,
            refers_to=self.refers_to,
        )

    @property
    def changed_fields(self) -> list[str]:
        """The names of the requested fields, as the change's events store them."""
        return sorted(self.requested or {})

    def execute(self, send: Callable[[], ApiResponse]) -> Change:
        """Log the attempt, call `send` once, log the outcome and update the mirror.

        Raise `OperationUnavailable`, its subclass `RequestRequired` or `NotRecorded` if nothing was
        sent, and `OutcomeNotRecorded` if only the outcome could not be logged.
        """
        try:
            attempt_event = self.record_attempt()
        except change_guard.RequestRequired:
            raise  # the caller makes a request of it, or logs the denial
        except restrictions.OperationUnavailable as unavailable:
            self.log_denied(unavailable.restriction)
            raise
        self.attempt_event = attempt_event

        started_at = time.monotonic()
        response, error = self._send(send)
        duration_ms = round((time.monotonic() - started_at) * 1000)
        try:
            close_lost_connection()  # a database connection can break during the call
            result = _classify_result(error)
            event = self.record_outcome(result, response, error, duration_ms)
        except Exception as failure:
            # Only the error's type: a database's message can quote the row.
            logger.error(
                "the outcome of change %s is not recorded: %s",
                self.change_id,
                type(failure).__name__,
            )
            raise OutcomeNotRecorded(attempt_event, error) from failure

        self._update_mirror(event, response, error)
        live.record_response(self.resource, self.account_sid, self.operation, error)
        after = _response_snapshot(response)
        unexpected_fields = self._find_unexpected_fields(after)
        return Change(event, after or Snapshot({}), error, unexpected_fields=unexpected_fields)

    def record_attempt(self) -> AuditEvent:
        """Append the attempt and claim its flow, unless the change is unavailable.

        The availability and the policy are checked under the log's lock, so no attempt can follow
        the event that made the account read-only, or that voided an approval.
        """
        with audit_log.transaction() as log:
            restriction = self._restriction()
            if restriction:
                raise restrictions.OperationUnavailable(restriction)
            change_guard.check(self.proposal)
            fields = self._event_fields(Stage.ATTEMPT, Result.PENDING)
            event = log.append(**fields, payload=self.payload(None, ""))
            in_flight.claim(event, read_seq=self.read_seq)
        return event

    def record_outcome(
        self,
        result: Result,
        response: ApiResponse | None = None,
        error: FlexError | None = None,
        duration_ms: int | None = None,
        note: str = "",
    ) -> AuditEvent:
        """Append the outcome and release the flow. `note` is its message if Twilio gave none."""
        after = _response_snapshot(response)
        fields = self._event_fields(Stage.OUTCOME, result)
        fields["target_sid"] = self.sid or (after.get("sid", "") if after else "")
        message = _outcome_message(self.resource, response, error) or note
        concurrent_edit = self._find_concurrent_edit(after)
        with audit_log.transaction() as log:
            event = log.append(
                **fields,
                **_remote_details(response, error),
                duration_ms=duration_ms,
                starts_change=self.attempt_event is None,
                payload=self.payload(after, message),
            )
            in_flight.release(event)
            if concurrent_edit is not None:
                log.append_observations([concurrent_edit])
        return event

    def payload(self, after: Snapshot | None, message: str) -> Payload:
        """Return the payload of an event, named after the latest known state of the flow."""
        latest_state: Mapping[str, Any] = after or self.before or self.requested or {}
        requested = None if self.requested is None else redact_snapshot(self._recorded_request)
        return Payload(
            friendly_name=self.resource.name_of(latest_state),
            contact_identity=self.resource.identity_of(latest_state),
            before=redact_snapshot(self.before),
            requested=requested,
            after=redact_snapshot(after),
            message=message,
        )

    def check_can_start(self) -> None:
        """Raise `AlreadyRecorded` for a used change id, or log and raise `OperationUnavailable`."""
        recorded = audit_log.latest_event(self.change_id)
        if recorded is not None:
            raise audit_log.AlreadyRecorded(recorded)
        restriction = self._restriction()
        if restriction:
            self.log_denied(restriction)
            raise restrictions.OperationUnavailable(restriction)

    def log_denied(self, restriction: restrictions.Restriction) -> None:
        """Append the denial of a change that is unavailable in its account."""
        audit_log.append(
            action=self.action,
            stage=Stage.ACCESS,
            result=Result.DENIED,
            actor=self.actor,
            account_sid=self.account_sid,
            target_sid=self.sid,
            changed_fields=self.changed_fields,
            reason=self.reason,
            payload=self.payload(None, restriction.sentence),
        )

    def _event_fields(self, stage: Stage, result: Result) -> dict[str, Any]:
        """Return the fields that the attempt and the outcome have in common."""
        return {
            "action": self.action,
            "stage": stage,
            "result": result,
            "actor": self.actor,
            "change_id": self.change_id,
            "account_sid": self.account_sid,
            "target_sid": self.sid,
            "changed_fields": self.changed_fields,
            "reason": self.reason,
            "refers_to": self.refers_to,
        }

    def _send(self, send: Callable[[], ApiResponse]) -> tuple[ApiResponse | None, FlexError | None]:
        """Return Twilio's response or its error. Log any other exception as an unknown outcome."""
        try:
            return send(), None
        except FlexError as error:
            error.message = redact_quotes(error.message, self.requested, self.before)
            return None, error
        except BaseException:  # a bug, or a signal to exit: the request may have been sent
            internal_error = OutcomeUnknown("internal error during the request")
            with contextlib.suppress(NotRecorded):
                self.record_outcome(Result.UNKNOWN, error=internal_error)
            raise

    def _restriction(self) -> restrictions.Restriction | None:
        return live.find_restriction(
            self.resource, self.account_sid, self.operation
        ) or flow_holds.find_restriction(self.sid, self.operation, self.requested, self.change_id)

    def _update_mirror(
        self, event: AuditEvent, response: ApiResponse | None, error: FlexError | None
    ) -> None:
        if response:
            live.store_result(self.resource, redact_snapshot(_response_snapshot(response)), event)
        elif flow_reads.is_not_found(error):
            live.store_absence(
                self.resource, self.sid, account_sid=self.account_sid, read_seq=event.seq
            )

    def _find_concurrent_edit(self, after: Snapshot | None) -> Observation | None:
        """Return the edit of someone else that Twilio's response shows, or None."""
        if not after or self.before is None or self.requested is None:
            return None
        return live.find_concurrent_edit(
            self.resource,
            self.sid,
            account_sid=self.account_sid,
            before=redact_snapshot(self.before),
            requested=self.requested,
            after=redact_snapshot(after),
        )

    def _find_unexpected_fields(self, after: Snapshot | None) -> list[str]:
        if not after:
            return []
        requested = self.requested or {}
        expected = {**(self.before or {}), **requested}
        names = requested.keys() - self.resource.unreturned_names
        return self.resource.differing_fields(expected, after, names)


def _response_snapshot(response: ApiResponse | None) -> Snapshot | None:
    """Return the object in a response, or None without one, as after a deletion."""
    if response is None:
        return None
    return response.snapshot or None


def _remote_details(response: ApiResponse | None, error: FlexError | None) -> dict[str, Any]:
    """Return Twilio's status, error code and request id for the log."""
    remote = response or error
    return {
        "remote_status": remote.status if remote else None,
        "remote_code": error.code if error else None,
        "remote_request_id": remote.request_id if remote else "",
    }


def _outcome_message(
    resource: Resource, response: ApiResponse | None, error: FlexError | None
) -> str:
    if response and response.status == HTTPStatus.NOT_FOUND:
        return f"The first response was lost. A retry found the {resource.noun} deleted."
    if error is None:
        return ""
    return error.message or str(error)


def _classify_result(error: FlexError | None) -> Result:
    if error is None:
        return Result.SUCCEEDED
    return Result.FAILED if isinstance(error, RequestRefused | NotSent) else Result.UNKNOWN
