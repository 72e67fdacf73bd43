"""The audit log's way in: `append` for what somebody does, `observe` for what is found at Twilio. The ground
floor of the services; nothing else writes its tables, but for erasure.py, which empties payloads.

Each event is sealed to the one before it (seal.py). What it was about goes into the payload, masked. What is open
(changes whose fate is not known, drift that nobody has dealt with) is kept beside the log in the same transaction.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import Error, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from flows import accounts
from flows.flexapi import schema
from flows.flexapi.pickling import Picklable
from flows.masking import masked, masked_note, storable
from flows.models import (
    ONCE,
    AuditEvent,
    AuditPayload,
    ChainHead,
    OpenChange,
    OpenDrift,
    Result,
    Stage,
)
from flows.services import log_entries
from flows.services.database import drop_if_lost
from flows.services.seal import GENESIS, event_hash, payload_hash

HEAD = "audit"
MADE = (Result.SUCCEEDED, Result.APPLIED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who does it, and from where, as text that outlives the account."""

    id: str
    label: str
    role: str = ""
    source_ip: str = ""
    user_agent: str = ""
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What it is about. Secrets in web addresses are masked before any of it is kept."""

    friendly_name: str = ""
    contact_identity: str = ""
    before: dict[str, Any] | None = None
    requested: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    message: str = ""
    findings: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What was read at Twilio and is not on record yet: `before` and `after` in the payload, None where there
    was no such flow. `created_at` is Twilio's, of a flow that is new here."""

    action: str
    account_sid: str
    target_sid: str
    payload: Payload
    changed_fields: list[str] = field(default_factory=list)
    created_at: datetime | None = None


class NotRecorded(Exception):
    """The event could not be committed. If it was an attempt, nothing has been sent."""


class AlreadyRecorded(Picklable):
    """This change_id has been used: the change is the one on record, not a new one."""

    def __init__(self, event: AuditEvent) -> None:
        super().__init__("this change is already recorded")
        self.event = event


class ChangeOpen(Picklable):
    """Another change of the same flow (or a creation like this one) is open, or was made since the flow was read.
    `event` is its latest."""

    def __init__(self, event: AuditEvent) -> None:
        super().__init__("another change of this flow is open")
        self.event = event


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
    first: bool = False,
    read_at: int | None = None,
    beside: Observation | None = None,
) -> AuditEvent:
    """Commits one event, in a durable transaction of its own, and returns it.

    A change has one beginning, and each stage once: an attempt, or an outcome that is the `first` of its change
    because nothing was sent, raises `AlreadyRecorded` if its `change_id` is on record, any other if its stage
    is. An attempt of a flow that has an open change, or that was sent one after `read_at` (a `last_seq`), and a
    creation like an open one, raise `ChangeOpen`. What can't be committed raises `NotRecorded`. A `payload` that is
    a function is called in that transaction, while nobody else can append: what it writes stands or falls with
    the event. `account_sid`: None where it is about no single account. `beside`: what was found at Twilio in the same breath, appended with it.
    """
    event = AuditEvent(
        event_id=uuid.uuid4(),
        change_id=change_id,
        request_id=uuid.UUID(actor.request_id) if actor.request_id else None,
        stage=stage,
        action=action,
        result=result,
        actor_id=actor.id,
        actor_label=storable(actor.label)[:150],
        actor_role=actor.role,
        source_ip=actor.source_ip[:45],
        user_agent=storable(actor.user_agent)[:256],
        account_sid=_sole_account() if account_sid is None else account_sid,
        target_sid=target_sid,
        changed_fields=changed_fields or [],
        reason=masked_note(storable(reason))[:200],
        remote_status=remote_status,
        remote_code=remote_code,
        remote_request_id=storable(remote_request_id)[:64],
        duration_ms=duration_ms,
        refers_to=refers_to,
    )
    body = _payload_row(Payload() if payload is None or callable(payload) else payload)
    try:
        with transaction.atomic(durable=True):
            head = _locked_head()
            if callable(payload):
                body = _payload_row(payload())
            _refuse_a_second(event, first=first or stage == Stage.ATTEMPT)
            if stage == Stage.ATTEMPT:
                _refuse_beside_another(event, body, read_at)
            _add(event, body, head)
            if beside is not None:
                _append_observed([beside], head)
            head.save()
            _keep_what_is_open(event, body)
    except Error as error:
        drop_if_lost()
        raise NotRecorded("the audit log cannot be written") from error
    return event


def observe(observations: Sequence[Observation], *, read_at: int) -> list[AuditEvent]:
    """Commits what was found at Twilio by a read that began at `read_at` (a `last_seq`), attributed to nobody.
    Left out is what one of our own changes may account for: the flow has an open one, was changed or observed
    since, or may be what an open creation made. What can't be committed raises `NotRecorded`."""
    try:
        with transaction.atomic(durable=True):
            head = _locked_head()
            is_ours = _accounted_for(read_at)
            events = _append_observed([item for item in observations if not is_ours(item)], head)
            if events:
                head.save()
    except Error as error:
        drop_if_lost()
        raise NotRecorded("the audit log cannot be written") from error
    return events


def last_seq() -> int:
    """The place of the log's last event, 0 if there is none."""
    return ChainHead.objects.filter(name=HEAD).values_list("seq", flat=True).first() or 0


def story_of(change_id: uuid.UUID) -> AuditEvent | None:
    """The latest event of a change, or None if it never began."""
    return AuditEvent.objects.filter(change_id=change_id).order_by("-seq").first()


def open_attempts() -> QuerySet[AuditEvent]:
    """Attempts that nothing has followed yet."""
    unanswered = OpenChange.objects.filter(latest=F("attempt"))
    return AuditEvent.objects.filter(seq__in=unanswered.values("attempt"))


def unsettled(sids: Iterable[str]) -> dict[str, AuditEvent]:
    """For each of these flows that has one, the latest event of the change whose fate is not known: its attempt,
    if no outcome came, or its outcome, if that was "unknown"."""
    changes = OpenChange.objects.filter(target_sid__in=list(sids))
    changes = changes.prefetch_related("latest__payload")  # mostly there is none, and nothing to look up
    return {change.target_sid: change.latest for change in changes.order_by("latest")}


def _sole_account() -> str:
    account = accounts.sole()
    return account.sid if account else ""


def _payload_row(payload: Payload) -> AuditPayload:
    return AuditPayload(
        salt=secrets.token_hex(16),
        friendly_name=masked(storable(payload.friendly_name)),
        contact_identity=masked(storable(payload.contact_identity)),
        before=masked(storable(payload.before)),
        requested=masked(storable(payload.requested)),
        after=masked(storable(payload.after)),
        message=masked(storable(payload.message)),
        findings=masked(storable(payload.findings)),
    )


def _locked_head() -> ChainHead:
    ChainHead.objects.get_or_create(name=HEAD, defaults={"seq": 0, "hash": GENESIS})
    return ChainHead.objects.select_for_update().get(name=HEAD)


def _refuse_a_second(event: AuditEvent, *, first: bool) -> None:
    if event.change_id is None or event.stage not in ONCE:
        return
    story = AuditEvent.objects.filter(change_id=event.change_id)
    recorded = (story if first else story.filter(stage=event.stage)).order_by("-seq").first()
    if recorded is not None:
        raise AlreadyRecorded(recorded)


def _refuse_beside_another(event: AuditEvent, body: AuditPayload, read_at: int | None) -> None:
    others = OpenChange.objects.select_related("latest", "attempt__payload").order_by("-latest")
    if event.target_sid:
        in_the_way = Q(target_sid=event.target_sid)
        if _is_news(event.target_sid):
            in_the_way |= Q(action="flow.create")
        other = next((change.latest for change in others.filter(in_the_way)), None)
    else:
        alike = others.filter(target_sid="", action=event.action)
        other = next((change.latest for change in alike if _is_like(change.attempt.payload, body)), None)
    if other is None and event.target_sid and read_at is not None:
        # What was read may be older than what this one sent: sending now could undo it unseen.
        may_have_changed = Q(stage=Stage.ATTEMPT) | Q(stage__in=ONCE, result__in=(*MADE, Result.UNKNOWN))
        later = AuditEvent.objects.filter(may_have_changed, target_sid=event.target_sid, seq__gt=read_at)
        other = later.order_by("-seq").first()
    if other is not None:
        raise ChangeOpen(other)


def _is_news(sid: str) -> bool:
    """Whether the log has never had this flow: it may be what an open creation made."""
    told = Q(stage=Stage.OBSERVED) | Q(stage__in=ONCE, result__in=MADE)
    return not AuditEvent.objects.filter(told, target_sid=sid).exists()


def _is_like(one: AuditPayload, other: AuditPayload) -> bool:
    """Whether two creations may be the same one tried twice: by their name, or the identity they would take."""
    return bool(
        (one.friendly_name and one.friendly_name == other.friendly_name)
        or (one.contact_identity and one.contact_identity == other.contact_identity)
    )


def _keep_what_is_open(event: AuditEvent, body: AuditPayload) -> None:
    if event.change_id is not None and event.stage == Stage.ATTEMPT:
        OpenChange.objects.create(
            change_id=event.change_id,
            attempt=event,
            latest=event,
            action=event.action,
            target_sid=event.target_sid,
        )
    elif event.change_id is not None and event.stage in ONCE:
        change = OpenChange.objects.filter(change_id=event.change_id)
        if event.result == Result.UNKNOWN:
            change.update(latest=event)
        else:
            change.delete()
    if event.refers_to is not None and event.result in MADE:
        drift = OpenDrift.objects.filter(event__event_id=event.refers_to).first()
        if drift is not None:
            of_flow = OpenDrift.objects.filter(target_sid=drift.target_sid).select_related("event__payload")
            if event.stage not in ONCE:  # accepted, with all that was found of the flow before
                of_flow.filter(event__lte=drift.pk).delete()
            elif _can_undo(event, drift, of_flow):  # what this change left as it was found stays in the inbox
                still_there = [item.pk for item in of_flow if _is_still_there(item, event, body)]
                of_flow.exclude(pk__in=still_there).delete()


def _can_undo(event: AuditEvent, drift: OpenDrift, of_flow: QuerySet[OpenDrift]) -> bool:
    """Whether the change is of the drifted flow, or makes it anew because it was deleted."""
    last = of_flow.order_by("event").last()
    is_gone = last is not None and last.event.payload.after is None
    if event.account_sid != drift.event.account_sid:
        return False
    return event.target_sid == drift.target_sid or (event.action == "flow.create" and is_gone)


def _is_still_there(drift: OpenDrift, event: AuditEvent, body: AuditPayload) -> bool:
    """Whether the flow is still as it was found, after this change."""
    found, found_after, after = drift.event, drift.event.payload.after, body.after
    if drift.target_sid != event.target_sid or after is None or found_after is None:
        return False
    names = found.changed_fields
    return not names or any(schema.same(name, found_after.get(name), after.get(name)) for name in names)


def _accounted_for(read_at: int) -> Callable[[Observation], bool]:
    is_open = list(OpenChange.objects.select_related("attempt"))
    busy = {change.target_sid for change in is_open if change.target_sid}
    creations = [change for change in is_open if not change.target_sid]
    since = AuditEvent.objects.filter(seq__gt=read_at).exclude(stage=Stage.ACCESS)
    busy.update(since.values_list("target_sid", flat=True))

    def is_ours(item: Observation) -> bool:
        may_be_new = item.payload.before is None and item.payload.after is not None
        return item.target_sid in busy or (
            may_be_new and any(change.may_have_made(item.created_at) for change in creations)
        )

    return is_ours


def _observed(item: Observation) -> tuple[AuditEvent, AuditPayload]:
    event = AuditEvent(
        event_id=uuid.uuid4(),
        stage=Stage.OBSERVED,
        action=item.action,
        result=Result.APPLIED,
        account_sid=item.account_sid,
        target_sid=item.target_sid,
        changed_fields=item.changed_fields,
    )
    return event, _payload_row(item.payload)


def _append_observed(observations: Sequence[Observation], head: ChainHead) -> list[AuditEvent]:
    pairs = [_observed(item) for item in observations]
    for event, body in pairs:
        _seal(event, body, head)
    events = [event for event, _ in pairs]
    AuditEvent.objects.bulk_create(events, batch_size=500)
    for event, body in pairs:
        body.event = event
    AuditPayload.objects.bulk_create([body for _, body in pairs], batch_size=500)
    log_entries.record_many(pairs)
    OpenDrift.objects.bulk_create(
        OpenDrift(event=event, target_sid=event.target_sid)
        for event in events
        if event.action == "flow.drift"
    )
    return events


def _add(event: AuditEvent, body: AuditPayload, head: ChainHead) -> None:
    """Write one event after the head, its payload, and its row of the log's list."""
    _seal(event, body, head)
    event.save(force_insert=True)
    body.event = event
    body.save(force_insert=True)
    log_entries.record(event, body)


def _seal(event: AuditEvent, body: AuditPayload, head: ChainHead) -> None:
    event.seq = head.seq + 1
    event.at = timezone.now()
    event.payload_hash = payload_hash(body)
    event.previous_hash = head.hash
    event.hash = event_hash(event)
    head.seq, head.hash = event.seq, event.hash
