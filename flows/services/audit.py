"""The audit log's one way in: `append`. The ground floor of the services; nothing else writes its tables.

An event is sealed into a chain (`hash` over everything it says and the hash before it) by an HMAC whose key
is not in the database. What the change was about goes into the payload, masked, hashed with a salt.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import Error, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from flows.masking import masked, storable
from flows.models import ONCE, AuditEvent, AuditPayload, ChainHead, Result, Stage

GENESIS = "0" * 64
HEAD = "audit"
SETTLED = (Stage.OUTCOME, Stage.RECONCILED)


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


class NotRecorded(Exception):
    """The event could not be committed. If it was an attempt, nothing has been sent."""


class AlreadyRecorded(Exception):
    """This change_id has been used: the change is the one on record, not a new one."""

    def __init__(self, event: AuditEvent) -> None:
        super().__init__("this change is on record already")
        self.event = event


class ChangeOpen(Exception):
    """Another change of the same flow is under way, or was made since the flow was read."""

    def __init__(self, event: AuditEvent) -> None:
        super().__init__("another change of this flow is under way")
        self.event = event


def append(
    *,
    action: str,
    stage: Stage,
    result: Result,
    actor: Actor,
    payload: Payload | None = None,
    change_id: uuid.UUID | None = None,
    target_sid: str = "",
    changed_fields: list[str] | None = None,
    reason: str = "",
    remote_status: int | None = None,
    remote_code: int | None = None,
    remote_request_id: str = "",
    duration_ms: int | None = None,
    first: bool = False,
    held_back_since: datetime | None = None,
    read_at: int | None = None,
) -> AuditEvent:
    """Commits one event, in a durable transaction of its own, and returns it.

    A change has one beginning, and each stage once: an attempt, or an outcome that is the `first` of its change
    because nothing was sent, raises `AlreadyRecorded` if its `change_id` is on record, any other if its stage
    is. An attempt of a flow that has another one open since `held_back_since`, or that was sent a change
    after `read_at` (a `last_seq`), raises `ChangeOpen`. What can't be committed raises `NotRecorded`.
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
        account_sid=settings.TWILIO_ACCOUNT_SID,
        target_sid=target_sid,
        changed_fields=changed_fields or [],
        reason=str(masked(storable(reason)))[:200],
        remote_status=remote_status,
        remote_code=remote_code,
        remote_request_id=storable(remote_request_id)[:64],
        duration_ms=duration_ms,
    )
    body = _payload_row(payload or Payload())
    try:
        with transaction.atomic(durable=True):
            head = _locked_head()
            _refuse_a_second(event, first=first or stage == Stage.ATTEMPT)
            if stage == Stage.ATTEMPT and target_sid:
                _refuse_beside_another(target_sid, held_back_since, read_at)
            _seal(event, body, head)
            event.save(force_insert=True)
            body.event = event
            body.save(force_insert=True)
    except Error as error:
        raise NotRecorded("the audit log cannot be written") from error
    return event


def last_seq() -> int:
    """The place of the log's last event, 0 if there is none."""
    return ChainHead.objects.filter(name=HEAD).values_list("seq", flat=True).first() or 0


def story_of(change_id: uuid.UUID) -> AuditEvent | None:
    """The latest event of a change, or None if it never began."""
    return AuditEvent.objects.filter(change_id=change_id).order_by("-seq").first()


def open_attempts(*, since: datetime | None = None) -> QuerySet[AuditEvent]:
    """Attempts that nothing has settled yet; with `since`, only those made after it."""
    later = AuditEvent.objects.filter(change_id=OuterRef("change_id"), stage__in=SETTLED)
    attempts = AuditEvent.objects.filter(~Exists(later), stage=Stage.ATTEMPT)
    return attempts.filter(at__gte=since) if since else attempts


def unsettled(sids: Iterable[str]) -> dict[str, AuditEvent]:
    """For each of these flows that has one, the latest change whose fate is not known: its attempt, if no
    outcome came, or its outcome, if that was "unknown"."""
    reconciled = AuditEvent.objects.filter(change_id=OuterRef("change_id"), stage=Stage.RECONCILED)
    doubtful = AuditEvent.objects.filter(~Exists(reconciled), stage=Stage.OUTCOME, result=Result.UNKNOWN)
    found: dict[str, AuditEvent] = {}
    for events in (open_attempts(), doubtful):
        for event in events.filter(target_sid__in=list(sids)):
            known = found.get(event.target_sid)
            found[event.target_sid] = event if known is None or known.seq < event.seq else known
    return found


# What the seal is over, for good: a column that comes later is not in it, or every older seal would break.
SEALED = (
    "seq", "event_id", "change_id", "request_id", "stage", "action", "result", "at", "actor_id", "actor_label",
    "actor_role", "source_ip", "user_agent", "account_sid", "target_sid", "changed_fields", "reason",
    "remote_status", "remote_code", "remote_request_id", "duration_ms", "payload_hash", "previous_hash",
)  # fmt: skip


def event_hash(event: AuditEvent) -> str:
    """The seal over everything the event says, `previous_hash` included."""
    return sealed({name: getattr(event, name) for name in SEALED})


def payload_hash(body: AuditPayload) -> str:
    """The salted seal over a payload; an erased payload no longer matches its event's."""
    names = ("salt", "friendly_name", "contact_identity", "before", "requested", "after", "message")
    return sealed({name: getattr(body, name) for name in names})


def canonical(value: Any) -> bytes:
    """JSON with one spelling for one meaning: sorted keys, no spaces, UTC times with microseconds."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=_plain, allow_nan=False
    ).encode()


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return str(value)


def sealed(value: Any) -> str:
    return hmac.new(settings.AUDIT_KEY.encode(), canonical(value), hashlib.sha256).hexdigest()


def _payload_row(payload: Payload) -> AuditPayload:
    return AuditPayload(
        salt=secrets.token_hex(16),
        friendly_name=masked(storable(payload.friendly_name)),
        contact_identity=masked(storable(payload.contact_identity)),
        before=masked(storable(payload.before)),
        requested=masked(storable(payload.requested)),
        after=masked(storable(payload.after)),
        message=masked(storable(payload.message)),
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


def _refuse_beside_another(sid: str, since: datetime | None, read_at: int | None) -> None:
    other = open_attempts(since=since).filter(target_sid=sid).order_by("-seq").first()
    if other is None and read_at is not None:
        # What was read may be older than what this one sent: sending now could undo it unseen.
        may_have_changed = Q(stage=Stage.ATTEMPT) | Q(
            stage__in=ONCE, result__in=(Result.SUCCEEDED, Result.UNKNOWN, Result.APPLIED)
        )
        later = AuditEvent.objects.filter(may_have_changed, target_sid=sid, seq__gt=read_at)
        other = later.order_by("-seq").first()
    if other is not None:
        raise ChangeOpen(other)


def _seal(event: AuditEvent, body: AuditPayload, head: ChainHead) -> None:
    event.seq = head.seq + 1
    event.at = timezone.now()
    event.payload_hash = payload_hash(body)
    event.previous_hash = head.hash
    event.hash = event_hash(event)
    head.seq, head.hash = event.seq, event.hash
    head.save()
