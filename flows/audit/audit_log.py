"""Write access to the audit log.

`transaction` holds the log's lock, and `append` on it writes events. The functions `append` and
`observe` do it for one event, and for the states of one read. `flows.erasure` empties payloads.

Each event is linked to the one before it by its hash (chain.py). The list's entries, the inbox
of external changes and the digests of keyed requests are written in the same transaction. `changes.in_flight` keeps the register of
open changes.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Unpack

from django.db import Error
from django.db.transaction import atomic
from django.utils import timezone

from flows.accounts import twilio_accounts
from flows.audit import keyed_requests, log_entries, open_drift, own_changes, reserved_ids
from flows.audit.audit_types import Actor as Actor
from flows.audit.audit_types import AlreadyRecorded as AlreadyRecorded
from flows.audit.audit_types import EventFields
from flows.audit.audit_types import NotRecorded as NotRecorded
from flows.audit.audit_types import Observation as Observation
from flows.audit.audit_types import Payload as Payload
from flows.audit.audit_types import ReservedId as ReservedId
from flows.audit.chain import GENESIS, event_hash, payload_hash
from flows.audit.models import APPLIED_RESULTS as APPLIED_RESULTS
from flows.audit.models import (
    AuditEvent,
    AuditPayload,
    ChainHead,
    Result,
    Stage,
    is_change_stage,
)
from flows.core.bulk_insert import insert_rows
from flows.core.database import close_lost_connection
from flows.redaction.masking import redact, redact_note, replace_unstorable
from flows.redaction.redacted import redact_fields

CHAIN_NAME = "audit"


class LogTransaction:
    """The log while its lock is held: nobody else can append until the transaction ends."""

    def __init__(self, head: ChainHead) -> None:
        self._head = head

    @property
    def last_seq(self) -> int:
        """The seq of the last event, those of this transaction included."""
        return self._head.seq

    def append(self, **fields: Unpack[EventFields]) -> AuditEvent:
        """Write an event and return it.

        Raises `AlreadyRecorded` if the change has this stage already, or if this event starts the
        change and it has any, and `ReservedId` if its id is the one of a planned change.
        """
        event, body = _build_rows(fields)
        starts_change = fields.get("starts_change", False) or event.stage == Stage.ATTEMPT
        _reject_duplicate(event, starts_change=starts_change)
        is_first = starts_change or event.stage == Stage.ACCESS
        if event.change_id and is_first:
            reserved_ids.check(event.change_id, fields["actor"])
        _write_event(event, body, self._head)
        open_drift.resolve(event, body)
        if event.change_id and is_first:
            keyed_requests.remember(event.change_id, fields["actor"].request_digest)
        return event

    def append_observations(self, observations: Sequence[Observation]) -> list[AuditEvent]:
        """Write an event without an actor for each of these, and return the events."""
        return _write_observations(observations, self._head)


@contextmanager
def transaction() -> Iterator[LogTransaction]:
    """Hold the log's lock in a durable transaction. It is committed when the block ends.

    All writes of the block are committed or rolled back with its events. Nothing may be sent to
    Twilio in the block. Raises `NotRecorded` if the database fails; nothing is committed then.
    """
    try:
        with atomic(durable=True):
            head = _lock_chain_head()
            first_seq = head.seq
            yield LogTransaction(head)
            if head.seq > first_seq:
                head.save()
    except Error as error:
        close_lost_connection()
        raise NotRecorded("the audit log cannot be written") from error


def append(**fields: Unpack[EventFields]) -> AuditEvent:
    """Commit one event in a transaction of its own, and return it.

    Raises `NotRecorded`, and the errors of `LogTransaction.append`.
    """
    with transaction() as log:
        return log.append(**fields)


def observe(observations: Sequence[Observation], *, read_seq: int) -> list[AuditEvent]:
    """Commit what a read of Twilio found, without an actor, and return the events.

    `read_seq` is the `last_seq` when the read began. Observations that a change of our own may
    explain are dropped: the flow has an open change, was changed or observed since, or may come
    from an open creation. Raises `NotRecorded` if the events can't be committed.
    """
    with transaction() as log:
        external = own_changes.filter_external(observations, read_seq)
        return log.append_observations(external)


def last_seq() -> int:
    """Return the seq of the log's last event, or 0."""
    return ChainHead.objects.filter(name=CHAIN_NAME).values_list("seq", flat=True).first() or 0


def chain_end() -> tuple[int, str]:
    """Return the seq and the hash of the log's last event."""
    head = ChainHead.objects.filter(name=CHAIN_NAME).first()
    if head is None:
        return 0, GENESIS
    return head.seq, head.hash


def latest_event(change_id: uuid.UUID) -> AuditEvent | None:
    """Return the latest event of a change, or None."""
    return AuditEvent.objects.filter(change_id=change_id).order_by("-seq").first()


def _only_account_sid() -> str:
    """Return the SID of the site's only account, or "" if there are several."""
    account = twilio_accounts.only_account()
    return account.sid if account else ""


def _build_rows(fields: EventFields) -> tuple[AuditEvent, AuditPayload]:
    """Return the event with these fields, which has no place in the log yet, and its payload."""
    actor, account_sid = fields["actor"], fields.get("account_sid")
    event = AuditEvent(
        event_id=uuid.uuid4(),
        change_id=fields.get("change_id"),
        request_id=uuid.UUID(actor.request_id) if actor.request_id else None,
        stage=fields["stage"],
        action=str(fields["action"]),
        result=fields["result"],
        actor_id=actor.id,
        actor_label=replace_unstorable(actor.label)[:150],
        actor_role=actor.role,
        source_ip=actor.source_ip[:45],
        user_agent=replace_unstorable(actor.user_agent)[:256],
        account_sid=_only_account_sid() if account_sid is None else account_sid,
        target_sid=fields.get("target_sid", ""),
        changed_fields=fields.get("changed_fields", []),
        reason=redact_note(replace_unstorable(fields.get("reason", "")))[:200],
        remote_status=fields.get("remote_status"),
        remote_code=fields.get("remote_code"),
        remote_request_id=replace_unstorable(fields.get("remote_request_id", ""))[:64],
        duration_ms=fields.get("duration_ms"),
        refers_to=fields.get("refers_to"),
        token_key=actor.token_key or None,
    )
    return event, _build_payload_row(fields.get("payload") or Payload())


def _build_payload_row(payload: Payload) -> AuditPayload:
    """Return a row with secrets masked, unstorable characters replaced, and a salt."""
    return AuditPayload(
        salt=secrets.token_hex(16),
        friendly_name=redact(replace_unstorable(payload.friendly_name)),
        contact_identity=redact(replace_unstorable(payload.contact_identity)),
        before=redact_fields(payload.before),
        requested=redact_fields(payload.requested),
        after=redact_fields(payload.after),
        message=redact(replace_unstorable(payload.message)),
        findings=redact_fields(payload.findings),
    )


def _lock_chain_head() -> ChainHead:
    """Return the end of the chain, locked until the transaction ends."""
    heads = ChainHead.objects.select_for_update().filter(name=CHAIN_NAME)
    head = heads.first()
    if head is None:
        ChainHead.objects.get_or_create(name=CHAIN_NAME, defaults={"seq": 0, "hash": GENESIS})
        head = heads.get()
    return head


def _reject_duplicate(event: AuditEvent, *, starts_change: bool) -> None:
    """Raise `AlreadyRecorded` if the change has the event's stage, or has started already."""
    if not is_change_stage(event.change_id, event.stage):
        return
    duplicates = AuditEvent.objects.filter(change_id=event.change_id)
    if not starts_change:
        duplicates = duplicates.filter(stage=event.stage)
    duplicate = duplicates.order_by("-seq").first()
    if duplicate is not None:
        raise AlreadyRecorded(duplicate)


def _build_observed_rows(item: Observation) -> tuple[AuditEvent, AuditPayload]:
    event = AuditEvent(
        event_id=uuid.uuid4(),
        stage=item.stage,
        action=item.action,
        result=Result.APPLIED if item.stage == Stage.OBSERVED else Result.SUCCEEDED,
        account_sid=item.account_sid,
        target_sid=item.target_sid,
        changed_fields=item.changed_fields,
    )
    return event, _build_payload_row(item.payload)


def _write_observations(observations: Sequence[Observation], head: ChainHead) -> list[AuditEvent]:
    """Write events after the head, their payloads, entries of the list and open drift."""
    pairs = [_build_observed_rows(item) for item in observations]
    for event, body in pairs:
        _link_to_chain(event, body, head)
    events = [event for event, _ in pairs]
    insert_rows(AuditEvent, map(vars, events))
    insert_rows(AuditPayload, (vars(body) for _, body in pairs))
    log_entries.add_entries(pairs)
    open_drift.add(events)
    return events


def _write_event(event: AuditEvent, body: AuditPayload, head: ChainHead) -> None:
    """Write one event after the head, its payload, and its entry of the list."""
    _link_to_chain(event, body, head)
    event.save(force_insert=True)
    body.save(force_insert=True)
    log_entries.update_entry(event, body)


def _link_to_chain(event: AuditEvent, body: AuditPayload, head: ChainHead) -> None:
    """Set the event's seq, time, hashes and payload, and move the head to it."""
    event.seq = head.seq + 1
    event.at = timezone.now()
    event.payload_hash = payload_hash(body)
    event.previous_hash = head.hash
    event.hash = event_hash(event)
    body.event = event
    head.seq, head.hash = event.seq, event.hash
