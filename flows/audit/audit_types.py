"""Values that callers pass to the audit log, and the errors that the log raises."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Required, TypedDict

from flows.audit.models import AuditEvent, Result, Stage
from flows.redaction.redacted import Redacted
from flows.twilio.pickling import PicklableError

COMMAND_PREFIX: Final = "CLI ("  # no username can have a parenthesis


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """The user or program behind an event, as text that outlives the account."""

    id: str
    label: str
    role: str = ""
    source_ip: str = ""
    user_agent: str = ""
    request_id: str | None = None
    token_key: str = ""  # the key of the API token that the user's program used
    request_digest: str = ""  # of a request with an Idempotency-Key (keyed_requests.py)

    @property
    def is_command(self) -> bool:
        """True for a user of the machine who runs a command (`flows.management.command_line`)."""
        return not self.id and self.label.startswith(COMMAND_PREFIX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """The content of an event. Secrets in web addresses are masked before it is stored."""

    friendly_name: str = ""
    contact_identity: str = ""
    before: Redacted | None = None
    requested: Redacted | None = None
    after: Redacted | None = None
    message: str = ""
    findings: Redacted | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """A state read at Twilio that the log does not have yet.

    `before` or `after` of the payload is None where the flow did not exist. `created_at` is
    Twilio's creation date of a flow that is new to the log. What the site found out about a flow
    without a new state of it has another `stage` than a state that was observed.
    """

    action: str
    account_sid: str
    target_sid: str
    payload: Payload
    changed_fields: list[str] = field(default_factory=list)
    created_at: datetime | None = None
    stage: Stage = Stage.OBSERVED

    @property
    def is_new(self) -> bool:
        """True for a flow that did not exist before."""
        return self.payload.before is None and self.payload.after is not None


class EventFields(TypedDict, total=False):
    """The fields of a new event.

    account_sid: None for the site's only account; "" for an event of no single account.
    starts_change: the event is the first of its change. True of every attempt, and of an outcome
        without an attempt because nothing was sent.
    """

    action: Required[str]
    stage: Required[Stage]
    result: Required[Result]
    actor: Required[Actor]
    payload: Payload | None
    change_id: uuid.UUID | None
    account_sid: str | None
    target_sid: str
    changed_fields: list[str]
    reason: str
    remote_status: int | None
    remote_code: int | None
    remote_request_id: str
    duration_ms: int | None
    refers_to: uuid.UUID | None
    starts_change: bool


class NotRecorded(Exception):
    """The event could not be committed. If it was an attempt, nothing has been sent."""


class ReservedId(NotRecorded):
    """The id belongs to a change that the site has planned (reserved_ids.py). Nothing was sent."""


class AlreadyRecorded(PicklableError):
    """The change_id has been used before. `event` is the recorded event."""

    def __init__(self, event: AuditEvent) -> None:
        super().__init__("this change is already recorded")
        self.event = event
