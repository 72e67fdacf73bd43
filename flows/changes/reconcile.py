"""Resolution of changes with an unknown outcome, by reading from Twilio and never by sending.

An outcome is unknown if Twilio's response was lost, or if the process ended before it arrived. An
outcome that reading can't determine is ambiguous and needs a user's decision. Where Twilio can't be
read at all, a user may decide too, and each later run reads again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from flows.accounts import twilio_accounts
from flows.accounts.clients import ATTEMPT_TIMEOUT
from flows.audit import audit_log, log_paging
from flows.audit.audit_log import Actor, AlreadyRecorded, Observation, Payload
from flows.audit.models import AuditEvent, OpenChange, Result, Stage
from flows.changes import in_flight
from flows.changes.readback import Readback, ReadUnavailable
from flows.changes.unknown_outcomes import (
    Finding,
    fetch_object,
    filter_unexplained,
    inspect_change,
    shows_requested_values,
)
from flows.mirror import live
from flows.mirror.stale_reads import StaleRead
from flows.redaction.redacted import Redacted, redact_fields, redact_snapshot
from flows.twilio.errors import FlexError

# Twilio may apply a change late: "not applied" takes two reads, this far apart.
CONFIRMATION_DELAY = timedelta(seconds=60)
# After so long without a response, a user may decide before Twilio can be read again.
UNREACHABLE_AFTER = timedelta(minutes=30)
RECONCILIATION_ACTOR = Actor(id="", label="reconciliation")


class NotAmbiguous(Exception):
    """This change is resolved, or reading can still determine its outcome."""


class NotACandidate(NotAmbiguous):
    """The creation can't have made this flow: it existed before, or another change created it."""


def reconcile(*, limit: int = 50) -> list[AuditEvent]:
    """Try to resolve up to `limit` changes and return the events that resolve them.

    After a `FlexError`, the other changes of that account are skipped. A `ReadUnavailable` skips
    one change only, which then needs a user's decision. The first error is raised at the end.
    """
    readback = Readback()
    can_resolve = Q(ambiguity="") | Q(action__endswith=".create") | Q(is_unreadable=True)
    changes = list(unresolved_changes().filter(can_resolve)[:limit])
    events: list[AuditEvent] = []
    errors: list[FlexError] = []
    unreachable_accounts: set[str] = set()
    for change in changes:
        account_sid = change.attempt.account_sid
        if account_sid in unreachable_accounts:
            continue
        try:
            event = _reconcile_change(change, readback)
        except ReadUnavailable as refusal:
            errors.append(refusal.error)
        except FlexError as error:
            unreachable_accounts.add(account_sid)
            errors.append(error)
        else:
            if event is not None:
                events.append(event)
    if errors:
        raise errors[0]
    return events


def reconcile_one(change: OpenChange) -> AuditEvent | None:
    """Try to resolve one change, even an ambiguous one. Return the event that resolves it, or None.

    Raise a `FlexError` if Twilio could not be read and a user can't decide yet.
    """
    if not unresolved_changes().filter(pk=change.pk).exists():
        return None
    try:
        return _reconcile_change(change, Readback())
    except ReadUnavailable:
        return None
    except FlexError:
        if OpenChange.objects.filter(pk=change.pk, is_unreadable=True).exists():
            return None
        raise


def unresolved_changes(scope: twilio_accounts.Scope = None) -> QuerySet[OpenChange]:
    """Return these accounts' changes with an unknown outcome, ambiguous ones last.

    An attempt without an outcome counts once its process must have ended.
    """
    is_abandoned = Q(attempt__at__lt=timezone.now() - ATTEMPT_TIMEOUT)
    changes = log_paging.filter_accounts(OpenChange.objects.all(), scope, "attempt")
    changes = changes.filter(Q(latest__result=Result.UNKNOWN) | is_abandoned)
    return changes.prefetch_related("attempt__payload", "latest").order_by("ambiguity", "attempt")


def resolve_manually(
    *, change: OpenChange, applied: bool, sid: str = "", reason: str, actor: Actor
) -> AuditEvent:
    """Log a user's decision about a change that reading can't resolve.

    `sid` is the flow that an applied creation made: one of the candidates, or any unexplained flow
    if Twilio can't be read. The event also has what was known when the user decided. Raise
    `NotAmbiguous`, `NotACandidate`, `AlreadyRecorded`, `NotRecorded` or `FlexError`.
    """
    ambiguous = OpenChange.objects.exclude(ambiguity="").select_related("attempt__payload")
    current = ambiguous.filter(pk=change.pk).first()
    if current is None:
        raise NotAmbiguous
    flow: Redacted | None = None
    created_sid, updates_mirror = "", True
    if applied and current.operation == "create":
        created_sid = current.target_sid or sid
        if current.creates_unknown_sid:
            _check_candidate(current, sid)
        flow, updates_mirror = _read_created_flow(current, created_sid)
    elif applied and current.operation == "update":
        flow = _derive_updated_flow(current)
    return _record_resolution(
        current,
        Result.APPLIED if applied else Result.NOT_APPLIED,
        flow,
        f"Decided by a user. {current.ambiguity}",
        sid=created_sid,
        reason=reason,
        actor=actor,
        findings=collect_findings(current),
        updates_mirror=updates_mirror,
    )


def collect_findings(change: OpenChange) -> Redacted:
    """Return what is known about an ambiguous change, as the event of the decision stores it."""
    findings = {
        "puzzle": change.ambiguity,
        "is_unreadable": change.is_unreadable,
        "candidates": change.candidates,
        "reading": change.last_reading,
        "read_at": change.read_at.isoformat() if change.read_at else None,
    }
    return redact_fields(findings)


def _check_candidate(change: OpenChange, sid: str) -> None:
    """Raise `NotACandidate` if the creation can't have made this flow.

    Another creation may have been found to have made a candidate meanwhile. If Twilio can't be
    read, or lists no such objects, the user may know of one that is not a candidate.
    """
    may_be_unlisted = change.may_be_unlisted and change.resource.is_sid(sid)
    is_possible = sid in change.candidates or may_be_unlisted
    if not is_possible or not filter_unexplained([redact_fields({"sid": sid})], change):
        raise NotACandidate


def _read_created_flow(change: OpenChange, sid: str) -> tuple[Redacted | None, bool]:
    """Return the flow as the creation made it, None if it is deleted, and whether it was read."""
    try:
        live_flow = fetch_object(change, sid, Readback())
    except ReadUnavailable:
        return None, False
    except FlexError:
        if not change.is_unreadable:
            raise
        return None, False
    if not live_flow and "list" not in change.resource.operations:
        raise NotACandidate  # only its SID could show that there was such an object
    if not live_flow:
        return live_flow, True
    requested = change.attempt.payload.requested_values
    rewritten = {entry.name for entry in change.resource.fields if entry.is_rewritten}
    verbatim_values = {name: requested[name] for name in requested.keys() - rewritten}
    return redact_snapshot({**live_flow, **verbatim_values}), True


def _derive_updated_flow(change: OpenChange) -> Redacted:
    """Return the flow as the update made it.

    Later edits by someone else are omitted; the next sync finds them.
    """
    payload = change.attempt.payload
    requested = payload.requested_values
    live_flow: Mapping[str, Any] = _last_reading(change) or {}

    # Twilio sets further fields by itself when the variant changes.
    dependent_values = {}
    resource, variant = change.resource, change.resource.variant_field
    has_new_variant = variant in requested and resource.is_same_value(
        variant, requested[variant], live_flow.get(variant)
    )
    if has_new_variant:
        names = resource.dependent_names(requested)
        dependent_values = {name: live_flow.get(name) for name in names}
    return redact_snapshot({**payload.values_before, **dependent_values, **requested})


def _last_reading(change: OpenChange) -> Redacted | None:
    """Return the changed flow as last read, else as it can be read now, else None."""
    sid = change.target_sid
    if sid in change.last_reading:
        reading: Redacted | None = change.last_reading[sid]
        return reading
    with contextlib.suppress(ReadUnavailable, FlexError):
        return fetch_object(change, sid, Readback())
    return None


def _reconcile_change(change: OpenChange, readback: Readback) -> AuditEvent | None:
    """Read, and log the outcome if reading can tell. Return that event, or None."""
    finding = _read_finding(change, readback)
    if finding is None:
        return None
    if finding.ambiguity:
        _mark_ambiguous(change, finding)
        return None
    if not finding.is_applied and not _confirm_not_applied(change):
        return None
    result = Result.APPLIED if finding.is_applied else Result.NOT_APPLIED
    message = "Confirmed by reading from Twilio. Nothing was sent."
    sid = ""
    if change.operation == "create" and finding.flow:
        sid = finding.flow.get("sid", "")
    try:
        return _record_resolution(change, result, finding.flow, message, sid=sid)
    except AlreadyRecorded:
        return None  # another process has resolved it


def _read_finding(change: OpenChange, readback: Readback) -> Finding | None:
    """Return what reading says about the change, or None if it says nothing yet.

    Note on the change if Twilio can't be read, and raise the error.
    """
    try:
        return inspect_change(change, readback)
    except StaleRead as stale:
        if shows_requested_values(change, stale):
            return Finding(True, stale.seen)
        return None  # Twilio shows the flow from before another change
    except ReadUnavailable as refusal:
        _mark_unreadable(change, str(refusal))
        raise
    except FlexError as error:
        if change.attempt.at < timezone.now() - UNREACHABLE_AFTER:
            _mark_unreadable(change, f"Couldn't read from Twilio: {error}.")
        raise


def _mark_ambiguous(change: OpenChange, finding: Finding) -> None:
    OpenChange.objects.filter(pk=change.pk).update(
        ambiguity=finding.ambiguity,
        candidates=finding.candidates,
        not_applied_at=None,
        is_unreadable=False,
        last_reading=finding.readings,
        read_at=timezone.now() if finding.was_read else None,
    )


def _mark_unreadable(change: OpenChange, reason: str) -> None:
    """Let a user decide. Earlier readings stay, and so does a first read that found no change."""
    OpenChange.objects.filter(pk=change.pk).update(ambiguity=reason[:200], is_unreadable=True)


def _confirm_not_applied(change: OpenChange) -> bool:
    """Return True for the second of two reads that are far enough apart, and note the first."""
    checked_at = timezone.now()
    # Reading can tell again, so any earlier ambiguity is cleared.
    no_ambiguity = {
        "ambiguity": "",
        "candidates": [],
        "is_unreadable": False,
        "last_reading": {},
        "read_at": None,
    }
    if change.not_applied_at is None:
        OpenChange.objects.filter(pk=change.pk, not_applied_at=None).update(
            not_applied_at=checked_at, **no_ambiguity
        )
        return False
    if checked_at - change.not_applied_at >= CONFIRMATION_DELAY:
        return True
    OpenChange.objects.filter(pk=change.pk).exclude(ambiguity="").update(**no_ambiguity)
    return False


def _record_resolution(
    change: OpenChange,
    result: Result,
    flow: Redacted | None,
    message: str,
    *,
    sid: str = "",
    reason: str = "",
    actor: Actor = RECONCILIATION_ACTOR,
    findings: Redacted | None = None,
    updates_mirror: bool = True,
) -> AuditEvent:
    """Append the event that resolves a change, and update the mirror if it was applied."""
    attempt = change.attempt
    payload = attempt.payload
    if payload.erased_at is not None:  # the outcome must not bring erased values back
        updates_mirror = updates_mirror and change.operation == "delete"
        flow = None
    concurrent_edit = _find_concurrent_edit(change, flow) if result == Result.APPLIED else None
    with audit_log.transaction() as log:
        event = log.append(
            action=attempt.action,
            stage=Stage.RECONCILED,
            result=result,
            actor=actor,
            change_id=change.change_id,
            account_sid=attempt.account_sid,
            target_sid=attempt.target_sid or sid,
            changed_fields=attempt.changed_fields,
            reason=reason,
            refers_to=attempt.refers_to,
            payload=Payload(
                friendly_name=payload.friendly_name,
                contact_identity=payload.contact_identity,
                before=payload.before,
                requested=payload.requested,
                after=flow,
                message=message,
                findings=findings,
            ),
        )
        in_flight.release(event)
        if concurrent_edit is not None:
            log.append_observations([concurrent_edit])
    if result == Result.APPLIED and updates_mirror:
        live.store_result(change.resource, flow, event)
    return event


def _find_concurrent_edit(change: OpenChange, flow: Redacted | None) -> Observation | None:
    """Return the edit of someone else that an updated flow shows, or None."""
    if flow is None or change.operation != "update":
        return None
    payload = change.attempt.payload
    return live.find_concurrent_edit(
        change.resource,
        change.target_sid,
        account_sid=change.attempt.account_sid,
        before=payload.before or redact_fields({}),
        requested=payload.requested_values,
        after=flow,
    )
