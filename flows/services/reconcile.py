"""Finds out what became of a change whose answer was lost, by reading and never by sending.

A change is in doubt if its outcome is "unknown", or if its process ended before there was one. What Twilio shows
now, or showed just before our next change of the same flow, is compared with what was asked for and with what was
there before. Creations are not settled here yet: they stay visibly unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils import timezone

from flows.flexapi import schema
from flows.flexapi.errors import FlexError
from flows.masking import masked, storable
from flows.models import AuditEvent, Doubt, Result, Stage
from flows.services import audit, mirror
from flows.services.audit import Actor, AlreadyRecorded, Payload
from flows.services.changes import HELD_BACK_FOR

# A late apply is possible: that a change was not made takes two reads, this far apart.
QUIET = timedelta(seconds=60)
ITSELF = Actor(id="", label="reconciliation")


@dataclass(frozen=True, slots=True)
class Finding:
    """What a read says of a change: applied, not applied, or neither (`applied` None: a person has to look)."""

    applied: bool | None
    seen: Mapping[str, Any] | None  # the flow as it was seen; None if it is gone


def reconcile(*, actor: Actor = ITSELF, most: int = 50) -> list[AuditEvent]:
    """Looks at up to `most` changes in doubt and puts on record what it found out. Changes that it can't settle
    stay in doubt. A `FlexError` ends it: without Twilio there is nothing to find out."""
    settled = []
    for attempt in list(in_doubt()[:most]):
        finding = _look(attempt)
        result = _judged(attempt, finding)
        if result is None:
            continue
        try:
            settled.append(_record(attempt, finding, result, actor))
        except AlreadyRecorded:
            continue  # somebody else was faster
    Doubt.objects.filter(change_id__in=[event.change_id for event in settled if event.change_id]).delete()
    return settled


def in_doubt() -> Any:
    """The attempts of changes of flows that nobody knows the fate of, the newest first: what can't be settled must not stand in its way."""
    of_change = AuditEvent.objects.filter(change_id=OuterRef("change_id"))
    outcome = of_change.filter(stage=Stage.OUTCOME)
    attempts = AuditEvent.objects.filter(
        ~Exists(of_change.filter(stage=Stage.RECONCILED)),
        stage=Stage.ATTEMPT,
        action__in=("flow.update", "flow.delete"),
    )
    answered_unknown = attempts.filter(Exists(outcome.filter(result=Result.UNKNOWN)))
    never_answered = attempts.filter(~Exists(outcome), at__lt=timezone.now() - HELD_BACK_FOR)
    return (answered_unknown | never_answered).select_related("payload").order_by("-seq")


def _look(attempt: AuditEvent) -> Finding:
    """What the flow shows. If one of our later changes touched the same fields, only what was read just before
    that one can tell."""
    for later in _later_attempts(attempt):
        seen = later.payload.before or {}
        if _shows(attempt, seen):
            return Finding(True, seen)
        if set(later.changed_fields) & set(attempt.changed_fields):
            return Finding(None, seen)
    try:
        live = masked(storable(mirror.fetch(attempt.target_sid)))
    except FlexError as error:
        if not mirror.is_gone(error):
            raise
        # Of a flow that is gone, an update's fate can't be read any more.
        return Finding(True if attempt.action == "flow.delete" else None, None)
    if _shows(attempt, live):
        return Finding(True, live)
    return Finding(False if _is_as_before(attempt, live) else None, live)


def _later_attempts(attempt: AuditEvent) -> Iterator[AuditEvent]:
    later = AuditEvent.objects.filter(target_sid=attempt.target_sid, stage=Stage.ATTEMPT, seq__gt=attempt.seq)
    yield from later.select_related("payload").order_by("seq")


def _shows(attempt: AuditEvent, seen: Mapping[str, Any]) -> bool:
    requested = attempt.payload.requested or {}
    return attempt.action == "flow.update" and not schema.differing(requested, seen, requested)


def _is_as_before(attempt: AuditEvent, seen: Mapping[str, Any]) -> bool:
    requested = attempt.payload.requested or {}
    return attempt.action == "flow.delete" or not schema.differing(
        attempt.payload.before or {}, seen, requested
    )


def _judged(attempt: AuditEvent, finding: Finding) -> Result | None:
    if finding.applied:
        return Result.APPLIED
    if finding.applied is None or attempt.change_id is None:
        return None
    now = timezone.now()
    doubt, _ = Doubt.objects.get_or_create(change_id=attempt.change_id, defaults={"not_applied_at": now})
    return Result.NOT_APPLIED if now - doubt.not_applied_at >= QUIET else None


def _record(attempt: AuditEvent, finding: Finding, result: Result, actor: Actor) -> AuditEvent:
    about = attempt.payload
    return audit.append(
        action=attempt.action,
        stage=Stage.RECONCILED,
        result=result,
        actor=actor,
        change_id=attempt.change_id,
        target_sid=attempt.target_sid,
        changed_fields=attempt.changed_fields,
        payload=Payload(
            friendly_name=about.friendly_name,
            contact_identity=about.contact_identity,
            before=about.before,
            requested=about.requested,
            after=dict(finding.seen) if finding.seen is not None else None,
            message="Found out by reading the flow; nothing was sent.",
        ),
    )
