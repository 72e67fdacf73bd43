"""Several events in one transaction of the audit log: all of them are committed, or none.

It belongs to audit_log.py and serves a user's decisions about many flows at once.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import Error, transaction

from flows.audit import audit_log
from flows.audit.audit_log import Actor, NotRecorded, Payload
from flows.audit.models import AuditEvent, Result, Stage
from flows.core.database import close_lost_connection
from flows.redaction.masking import redact_note, replace_unstorable


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchEvent:
    """A user's decision about one flow, which sends nothing to Twilio."""

    action: str
    actor: Actor
    account_sid: str
    target_sid: str
    payload: Payload
    reason: str = ""
    refers_to: uuid.UUID | None = None
    changed_fields: list[str] = field(default_factory=list)


def append_batch(entries: Sequence[BatchEvent]) -> list[AuditEvent]:
    """Commit these events in order, in one durable transaction.

    Raises `NotRecorded` if they can't be committed. Then none of them is.
    """
    pairs = [
        (_build_event(entry), audit_log._build_payload_row(entry.payload)) for entry in entries
    ]
    try:
        with transaction.atomic(durable=True):
            head = audit_log._lock_chain_head()
            for event, body in pairs:
                audit_log._write_event(event, body, head)
                audit_log._update_in_flight(event, body)
            head.save()
    except Error as error:
        close_lost_connection()
        raise NotRecorded("the audit log cannot be written") from error
    return [event for event, _ in pairs]


def _build_event(entry: BatchEvent) -> AuditEvent:
    actor = entry.actor
    return AuditEvent(
        event_id=uuid.uuid4(),
        request_id=uuid.UUID(actor.request_id) if actor.request_id else None,
        stage=Stage.ACCESS,
        action=entry.action,
        result=Result.SUCCEEDED,
        actor_id=actor.id,
        actor_label=replace_unstorable(actor.label)[:150],
        actor_role=actor.role,
        source_ip=actor.source_ip[:45],
        user_agent=replace_unstorable(actor.user_agent)[:256],
        account_sid=entry.account_sid,
        target_sid=entry.target_sid,
        changed_fields=entry.changed_fields,
        reason=str(redact_note(replace_unstorable(entry.reason)))[:200],
        refers_to=entry.refers_to,
    )
