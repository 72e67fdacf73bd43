"""Several events in one transaction of the audit log: all of them are committed, or none. It is a part of audit.py, for
decisions of a person about many flows at once.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import Error, transaction

from flows.audit import audit_log
from flows.audit.audit_log import Actor, NotRecorded, Payload
from flows.audit.models import AuditEvent, Result, Stage
from flows.core.database import drop_if_lost
from flows.redaction.masking import masked_note, storable


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A decision of a person about one flow, which sends nothing to Twilio."""

    action: str
    actor: Actor
    account_sid: str
    target_sid: str
    payload: Payload
    reason: str = ""
    refers_to: uuid.UUID | None = None
    changed_fields: list[str] = field(default_factory=list)


def append_together(entries: Sequence[Entry]) -> list[AuditEvent]:
    """Commit these events in order, in one durable transaction. Raises `NotRecorded`; then none is committed."""
    pairs = [(_event(entry), audit_log._payload_row(entry.payload)) for entry in entries]
    try:
        with transaction.atomic(durable=True):
            head = audit_log._locked_head()
            for event, body in pairs:
                audit_log._add(event, body, head)
                audit_log._keep_what_is_open(event, body)
            head.save()
    except Error as error:
        drop_if_lost()
        raise NotRecorded("the audit log cannot be written") from error
    return [event for event, _ in pairs]


def _event(entry: Entry) -> AuditEvent:
    actor = entry.actor
    return AuditEvent(
        event_id=uuid.uuid4(),
        request_id=uuid.UUID(actor.request_id) if actor.request_id else None,
        stage=Stage.ACCESS,
        action=entry.action,
        result=Result.SUCCEEDED,
        actor_id=actor.id,
        actor_label=storable(actor.label)[:150],
        actor_role=actor.role,
        source_ip=actor.source_ip[:45],
        user_agent=storable(actor.user_agent)[:256],
        account_sid=entry.account_sid,
        target_sid=entry.target_sid,
        changed_fields=entry.changed_fields,
        reason=str(masked_note(storable(entry.reason)))[:200],
        refers_to=entry.refers_to,
    )
