"""Register of open changes: in progress, or with an unknown outcome.

A flow takes one change at a time. `claim` and `release` are called in the transaction of the event
that opens or closes a change, so the register agrees with the log.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import F, Q, QuerySet

from flows.audit.audit_log import APPLIED_RESULTS
from flows.audit.models import (
    UNIQUE_STAGES,
    AuditEvent,
    AuditPayload,
    OpenChange,
    Result,
    Stage,
)
from flows.mirror.models import LookedUpObject
from flows.twilio.pickling import PicklableError
from flows.twilio.registry import resource_of_action
from flows.twilio.values import parse_datetime


class ConcurrentChange(PicklableError):
    """Another change of the flow is open, or was sent since the flow was read.

    For a creation: a similar creation is open. `event` is the latest event of the other change.
    """

    def __init__(self, event: AuditEvent) -> None:
        super().__init__("another change of this flow is open")
        self.event = event


def claim(attempt: AuditEvent, *, read_seq: int | None = None) -> None:
    """Register the change of this attempt, in the transaction that appended the attempt.

    `read_seq` is the log's `last_seq` when the flow was read. Raises `ConcurrentChange` if the flow
    has an open change, if a change of it was sent after `read_seq`, or if a similar creation is
    open. The transaction is then rolled back.
    """
    other = _find_concurrent_change(attempt, read_seq)
    if other is not None:
        raise ConcurrentChange(other)
    OpenChange.objects.create(
        change_id=_change_id(attempt),
        attempt=attempt,
        latest=attempt,
        action=attempt.action,
        target_sid=attempt.target_sid,
    )


def release(event: AuditEvent) -> None:
    """Remove the change of this outcome from the register, or keep it if the outcome is unknown.

    It is called in the transaction that appended the outcome. A change that was never claimed,
    because nothing was sent, needs no release.
    """
    changes = OpenChange.objects.filter(change_id=_change_id(event))
    if event.result == Result.UNKNOWN:
        changes.update(latest=event)
    else:
        changes.delete()


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


def _change_id(event: AuditEvent) -> uuid.UUID:
    if event.change_id is None:
        raise ValueError("the event belongs to no change")
    return event.change_id


def _find_concurrent_change(attempt: AuditEvent, read_seq: int | None) -> AuditEvent | None:
    """Return the latest event of the change that prevents this attempt, or None."""
    if not attempt.target_sid:
        return _open_duplicate(attempt)
    other = _open_change_of_object(attempt)
    if other is None and read_seq is not None:
        other = _change_sent_after(read_seq, attempt)
    return other


def _open_change_of_object(attempt: AuditEvent) -> AuditEvent | None:
    """Return the latest event of the open change of this object, or that may have created it."""
    changes = OpenChange.objects.select_related("latest", "attempt__payload")
    changes = changes.order_by("-latest")
    of_object = list(changes.filter(target_sid=attempt.target_sid))
    if not of_object and not _is_object_in_log(attempt.target_sid):
        action = resource_of_action(attempt.action).action("create")
        creations = changes.filter(action=action, target_sid="")
        of_object = _possible_creations(creations, attempt)
    return of_object[0].latest if of_object else None


def _possible_creations(creations: Iterable[OpenChange], attempt: AuditEvent) -> list[OpenChange]:
    """Return those of these creations that may have made the object, by its account and date."""
    before: dict[str, Any] = attempt.payload.before or {}
    created_at = parse_datetime(before.get("date_created"))
    seen_at = first_look_up(attempt.account_sid, attempt.target_sid)
    return [
        creation
        for creation in creations
        if creation.attempt.account_sid == attempt.account_sid
        and creation.attempt.parent_sid == attempt.parent_sid
        and creation.may_have_created(created_at)
        and (seen_at is None or seen_at > creation.attempt.at)
    ]


def first_look_up(account_sid: str, sid: str) -> datetime | None:
    """Return when the object was first looked up here, so that it existed, or None."""
    look_ups = LookedUpObject.objects.filter(account_sid=account_sid, sid=sid)
    return look_ups.values_list("first_at", flat=True).first()


def _change_sent_after(read_seq: int, attempt: AuditEvent) -> AuditEvent | None:
    """Return the latest other change of the flow that was sent after the read.

    The state that was read may be older than that change, and sending now could undo it.
    """
    is_sent = Q(stage=Stage.ATTEMPT) | Q(
        stage__in=UNIQUE_STAGES, result__in=(*APPLIED_RESULTS, Result.UNKNOWN)
    )
    events = AuditEvent.objects.filter(is_sent, target_sid=attempt.target_sid)
    later = events.filter(seq__gt=read_seq, seq__lt=attempt.seq)
    return later.order_by("-seq").first()


def _is_object_in_log(sid: str) -> bool:
    """Return True if the log proves that the object existed. If not, an open creation may be its."""
    is_proof = Q(stage=Stage.OBSERVED) | Q(stage__in=UNIQUE_STAGES, result__in=APPLIED_RESULTS)
    return AuditEvent.objects.filter(is_proof, target_sid=sid).exists()


def _open_duplicate(attempt: AuditEvent) -> AuditEvent | None:
    """Return the latest event of an open creation that may be the same one."""
    changes = OpenChange.objects.select_related("latest", "attempt__payload").filter(
        target_sid="", action=attempt.action, attempt__account_sid=attempt.account_sid
    )
    for change in changes.order_by("-latest"):
        if change.attempt.parent_sid == attempt.parent_sid and _may_be_duplicate(
            change.attempt.payload, attempt.payload
        ):
            return change.latest
    return None


def _may_be_duplicate(one: AuditPayload, other: AuditPayload) -> bool:
    """Return True if two creations have the same name or the same contact identity.

    Without names and identities, all their values have to be the same.
    """
    if not one.friendly_name and not one.contact_identity:
        return bool(one.requested_values) and one.requested_values == other.requested_values
    has_same_name = one.friendly_name and one.friendly_name == other.friendly_name
    has_same_identity = one.contact_identity and one.contact_identity == other.contact_identity
    return bool(has_same_name or has_same_identity)
