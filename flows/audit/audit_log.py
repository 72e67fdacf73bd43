"""Write access to the audit log: `append` for actions, `observe` for states read at Twilio.

Only this module and `audit_batch` write events. `flows.erasure` empties payloads. Each event is
linked to the one before it by its hash (chain.py). The tables of open changes and open drift are
updated in the same transaction as the event.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Iterable, Sequence

from django.db import Error, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from flows.accounts import twilio_accounts
from flows.audit import log_entries
from flows.audit.audit_types import Actor as Actor
from flows.audit.audit_types import AlreadyRecorded as AlreadyRecorded
from flows.audit.audit_types import ConcurrentChange as ConcurrentChange
from flows.audit.audit_types import NotRecorded as NotRecorded
from flows.audit.audit_types import Observation as Observation
from flows.audit.audit_types import Payload as Payload
from flows.audit.chain import GENESIS, event_hash, payload_hash
from flows.audit.models import (
    UNIQUE_STAGES,
    AuditEvent,
    AuditPayload,
    ChainHead,
    OpenChange,
    OpenDrift,
    Result,
    Stage,
)
from flows.core.database import close_lost_connection
from flows.redaction.masking import redact, redact_note, replace_unstorable
from flows.twilio.flex.flex_flow import FLEX_FLOW

CHAIN_NAME = "audit"
APPLIED_RESULTS = (Result.SUCCEEDED, Result.APPLIED)


def append(
    *,
    action: str,
    stage: Stage,
    result: Result,
    actor: Actor,
    payload: Payload | Callable[[], Payload] | None = None,
    change_id: uuid.UUID | None = None,
    account_sid: str | None = None,
    target_sid: str = "",
    changed_fields: list[str] | None = None,
    reason: str = "",
    remote_status: int | None = None,
    remote_code: int | None = None,
    remote_request_id: str = "",
    duration_ms: int | None = None,
    refers_to: uuid.UUID | None = None,
    starts_change: bool = False,
    read_seq: int | None = None,
    concurrent_edit: Observation | None = None,
) -> AuditEvent:
    """Commit one event in a durable transaction of its own, and return it.

    payload: a function is called in the transaction, while nothing else can append. Its writes are
        committed or rolled back with the event.
    account_sid: None for the site's only account; "" for an event of no single account.
    starts_change: the event is the first of its change. True of every attempt, and of an outcome
        without an attempt because nothing was sent.
    read_seq: the `last_seq` when the flow was read.
    concurrent_edit: an edit of somebody else, found together with this event and appended after it.

    Raises:
        AlreadyRecorded: the change has this stage already, or has any event if this one starts it.
        ConcurrentChange: an attempt meets an open change of its flow, a change of it sent after
            `read_seq`, or an open creation like its own.
        NotRecorded: the event could not be committed.
    """
    event = AuditEvent(
        event_id=uuid.uuid4(),
        change_id=change_id,
        request_id=uuid.UUID(actor.request_id) if actor.request_id else None,
        stage=stage,
        action=action,
        result=result,
        actor_id=actor.id,
        actor_label=replace_unstorable(actor.label)[:150],
        actor_role=actor.role,
        source_ip=actor.source_ip[:45],
        user_agent=replace_unstorable(actor.user_agent)[:256],
        account_sid=_only_account_sid() if account_sid is None else account_sid,
        target_sid=target_sid,
        changed_fields=changed_fields or [],
        reason=redact_note(replace_unstorable(reason))[:200],
        remote_status=remote_status,
        remote_code=remote_code,
        remote_request_id=replace_unstorable(remote_request_id)[:64],
        duration_ms=duration_ms,
        refers_to=refers_to,
    )
    body = _build_payload_row(Payload() if payload is None or callable(payload) else payload)
    try:
        with transaction.atomic(durable=True):
            head = _lock_chain_head()
            if callable(payload):
                body = _build_payload_row(payload())
            _reject_duplicate(event, starts_change=starts_change or stage == Stage.ATTEMPT)
            if stage == Stage.ATTEMPT:
                _reject_concurrent_change(event, body, read_seq)
            _write_event(event, body, head)
            if concurrent_edit is not None:
                _append_observations([concurrent_edit], head)
            head.save()
            _update_in_flight(event, body)
    except Error as error:
        close_lost_connection()
        raise NotRecorded("the audit log cannot be written") from error
    return event


def observe(observations: Sequence[Observation], *, read_seq: int) -> list[AuditEvent]:
    """Commit what a read of Twilio found, without an actor, and return the events.

    `read_seq` is the `last_seq` when the read began. Observations that a change of our own may
    explain are dropped: the flow has an open change, was changed or observed since, or may come
    from an open creation. Raises `NotRecorded` if the events can't be committed.
    """
    try:
        with transaction.atomic(durable=True):
            head = _lock_chain_head()
            is_own_change = _own_change_predicate(read_seq)
            external = [item for item in observations if not is_own_change(item)]
            events = _append_observations(external, head)
            if events:
                head.save()
    except Error as error:
        close_lost_connection()
        raise NotRecorded("the audit log cannot be written") from error
    return events


def last_seq() -> int:
    """Return the seq of the log's last event, or 0."""
    return ChainHead.objects.filter(name=CHAIN_NAME).values_list("seq", flat=True).first() or 0


def latest_event(change_id: uuid.UUID) -> AuditEvent | None:
    """Return the latest event of a change, or None."""
    return AuditEvent.objects.filter(change_id=change_id).order_by("-seq").first()


def pending_attempts() -> QuerySet[AuditEvent]:
    """Return the attempts without an outcome."""
    pending = OpenChange.objects.filter(latest=F("attempt"))
    return AuditEvent.objects.filter(seq__in=pending.values("attempt"))


def open_changes_by_flow(sids: Iterable[str]) -> dict[str, AuditEvent]:
    """Return the latest event of the open change of each of these flows, by SID.

    It is the attempt if no outcome came, or the outcome "unknown". Flows without one are omitted.
    """
    changes = OpenChange.objects.filter(target_sid__in=list(sids))
    # A prefetch, not a join: mostly there is no open change and so nothing to look up.
    changes = changes.prefetch_related("latest__payload")
    return {change.target_sid: change.latest for change in changes.order_by("latest")}


def _only_account_sid() -> str:
    """Return the SID of the site's only account, or "" if there are several."""
    account = twilio_accounts.only_account()
    return account.sid if account else ""


def _build_payload_row(payload: Payload) -> AuditPayload:
    """Return a row with secrets masked, unstorable characters replaced, and a salt."""
    return AuditPayload(
        salt=secrets.token_hex(16),
        friendly_name=redact(replace_unstorable(payload.friendly_name)),
        contact_identity=redact(replace_unstorable(payload.contact_identity)),
        before=redact(replace_unstorable(payload.before)),
        requested=redact(replace_unstorable(payload.requested)),
        after=redact(replace_unstorable(payload.after)),
        message=redact(replace_unstorable(payload.message)),
        findings=redact(replace_unstorable(payload.findings)),
    )


def _lock_chain_head() -> ChainHead:
    """Return the end of the chain, locked until the transaction ends."""
    ChainHead.objects.get_or_create(name=CHAIN_NAME, defaults={"seq": 0, "hash": GENESIS})
    return ChainHead.objects.select_for_update().get(name=CHAIN_NAME)


def _reject_duplicate(event: AuditEvent, *, starts_change: bool) -> None:
    """Raise `AlreadyRecorded` if the change has the event's stage, or has started already."""
    if event.change_id is None or event.stage not in UNIQUE_STAGES:
        return
    duplicates = AuditEvent.objects.filter(change_id=event.change_id)
    if not starts_change:
        duplicates = duplicates.filter(stage=event.stage)
    duplicate = duplicates.order_by("-seq").first()
    if duplicate is not None:
        raise AlreadyRecorded(duplicate)


def _reject_concurrent_change(event: AuditEvent, body: AuditPayload, read_seq: int | None) -> None:
    """Raise `ConcurrentChange` if another change of the flow prevents this attempt."""
    if event.target_sid:
        other = _open_change_of_flow(event.target_sid)
        if other is None and read_seq is not None:
            other = _change_sent_after(event.target_sid, read_seq)
    else:
        other = _open_duplicate(event.action, body)
    if other is not None:
        raise ConcurrentChange(other)


def _open_change_of_flow(sid: str) -> AuditEvent | None:
    """Return the latest event of the open change that is of this flow, or may have created it."""
    is_of_flow = Q(target_sid=sid)
    if not _is_flow_in_log(sid):
        is_of_flow |= Q(action="flow.create")
    changes = OpenChange.objects.select_related("latest").filter(is_of_flow)
    change = changes.order_by("-latest").first()
    return change.latest if change else None


def _change_sent_after(sid: str, read_seq: int) -> AuditEvent | None:
    """Return the latest change of a flow that was sent after the read.

    The state that was read may be older than that change, and sending now could undo it.
    """
    is_sent = Q(stage=Stage.ATTEMPT) | Q(
        stage__in=UNIQUE_STAGES, result__in=(*APPLIED_RESULTS, Result.UNKNOWN)
    )
    events = AuditEvent.objects.filter(is_sent, target_sid=sid, seq__gt=read_seq)
    return events.order_by("-seq").first()


def _open_duplicate(action: str, body: AuditPayload) -> AuditEvent | None:
    """Return the latest event of an open creation that may be the same one."""
    changes = OpenChange.objects.select_related("latest", "attempt__payload")
    for change in changes.filter(target_sid="", action=action).order_by("-latest"):
        if _may_be_duplicate(change.attempt.payload, body):
            return change.latest
    return None


def _is_flow_in_log(sid: str) -> bool:
    """Return True if the log proves that the flow existed. If not, an open creation may be its."""
    is_proof = Q(stage=Stage.OBSERVED) | Q(stage__in=UNIQUE_STAGES, result__in=APPLIED_RESULTS)
    return AuditEvent.objects.filter(is_proof, target_sid=sid).exists()


def _may_be_duplicate(one: AuditPayload, other: AuditPayload) -> bool:
    """Return True if two creations have the same name or the same contact identity."""
    has_same_name = one.friendly_name and one.friendly_name == other.friendly_name
    has_same_identity = one.contact_identity and one.contact_identity == other.contact_identity
    return bool(has_same_name or has_same_identity)


def _update_in_flight(event: AuditEvent, body: AuditPayload) -> None:
    """Update the tables of open changes and open drift for a new event."""
    if event.change_id is not None:
        _update_open_change(event.change_id, event)
    if event.refers_to is not None and event.result in APPLIED_RESULTS:
        drift = OpenDrift.objects.filter(event__event_id=event.refers_to).first()
        if drift is not None:
            _resolve_drift(drift, event, body)


def _update_open_change(change_id: uuid.UUID, event: AuditEvent) -> None:
    """Open a change with its attempt. Close it with its outcome, unless that is unknown."""
    if event.stage == Stage.ATTEMPT:
        OpenChange.objects.create(
            change_id=change_id,
            attempt=event,
            latest=event,
            action=event.action,
            target_sid=event.target_sid,
        )
    elif event.stage in UNIQUE_STAGES:
        changes = OpenChange.objects.filter(change_id=change_id)
        if event.result == Result.UNKNOWN:
            changes.update(latest=event)
        else:
            changes.delete()


def _resolve_drift(drift: OpenDrift, event: AuditEvent, body: AuditPayload) -> None:
    """Take a flow's drift out of the inbox as far as this event accepts or reverts it."""
    flow_drift = OpenDrift.objects.filter(target_sid=drift.target_sid)
    flow_drift = flow_drift.select_related("event__payload")
    if event.stage not in UNIQUE_STAGES:
        # An acceptance covers everything found of the flow before.
        flow_drift.filter(event__lte=drift.pk).delete()
    elif _can_resolve_drift(event, drift, flow_drift):
        remaining = [item.pk for item in flow_drift if _is_drift_present(item, event, body)]
        flow_drift.exclude(pk__in=remaining).delete()


def _can_resolve_drift(
    event: AuditEvent, drift: OpenDrift, flow_drift: QuerySet[OpenDrift]
) -> bool:
    """Return True if the change is of the drifted flow, or recreates it after its deletion."""
    if event.account_sid != drift.event.account_sid:
        return False
    if event.target_sid == drift.target_sid:
        return True
    last = flow_drift.order_by("event").last()
    is_deleted = last is not None and last.event.payload.after is None
    return event.action == "flow.create" and is_deleted


def _is_drift_present(drift: OpenDrift, event: AuditEvent, body: AuditPayload) -> bool:
    """Return True if the flow still has the drifted values after this change."""
    drifted, current = drift.event.payload.after, body.after
    if drift.target_sid != event.target_sid or current is None or drifted is None:
        return False
    names = drift.event.changed_fields
    return not names or any(
        FLEX_FLOW.is_same_value(name, drifted.get(name), current.get(name)) for name in names
    )


def _own_change_predicate(read_seq: int) -> Callable[[Observation], bool]:
    """Return a function that says if a change of our own may explain an observation."""
    changes = list(OpenChange.objects.select_related("attempt"))
    creations = [change for change in changes if not change.target_sid]
    busy_sids = {change.target_sid for change in changes if change.target_sid}
    later = AuditEvent.objects.filter(seq__gt=read_seq).exclude(stage=Stage.ACCESS)
    busy_sids.update(later.values_list("target_sid", flat=True))

    def is_own_change(item: Observation) -> bool:
        if item.target_sid in busy_sids:
            return True
        is_new = item.payload.before is None and item.payload.after is not None
        return is_new and any(change.may_have_created(item.created_at) for change in creations)

    return is_own_change


def _build_observed_rows(item: Observation) -> tuple[AuditEvent, AuditPayload]:
    event = AuditEvent(
        event_id=uuid.uuid4(),
        stage=Stage.OBSERVED,
        action=item.action,
        result=Result.APPLIED,
        account_sid=item.account_sid,
        target_sid=item.target_sid,
        changed_fields=item.changed_fields,
    )
    return event, _build_payload_row(item.payload)


def _append_observations(observations: Sequence[Observation], head: ChainHead) -> list[AuditEvent]:
    """Write events after the head, their payloads, entries of the list and open drift."""
    pairs = [_build_observed_rows(item) for item in observations]
    for event, body in pairs:
        _link_to_chain(event, body, head)
    events = [event for event, _ in pairs]
    AuditEvent.objects.bulk_create(events, batch_size=500)
    for event, body in pairs:
        body.event = event
    AuditPayload.objects.bulk_create([body for _, body in pairs], batch_size=500)
    log_entries.add_entries(pairs)
    OpenDrift.objects.bulk_create(
        OpenDrift(event=event, target_sid=event.target_sid)
        for event in events
        if event.action == "flow.drift"
    )
    return events


def _write_event(event: AuditEvent, body: AuditPayload, head: ChainHead) -> None:
    """Write one event after the head, its payload, and its entry of the list."""
    _link_to_chain(event, body, head)
    event.save(force_insert=True)
    body.event = event
    body.save(force_insert=True)
    log_entries.update_entry(event, body)


def _link_to_chain(event: AuditEvent, body: AuditPayload, head: ChainHead) -> None:
    """Set the event's seq, time and hashes, and move the head to it."""
    event.seq = head.seq + 1
    event.at = timezone.now()
    event.payload_hash = payload_hash(body)
    event.previous_hash = head.hash
    event.hash = event_hash(event)
    head.seq, head.hash = event.seq, event.hash
