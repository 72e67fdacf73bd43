"""Finds out what became of a change whose answer was lost, by reading and never by sending.

A change is in doubt if its outcome is "unknown", or if its process ended before there was one. What Twilio
has now is compared with what was asked for and with what was there before; of a creation, with every flow
that it may have made. What reading can't tell is a puzzle, and waits for a person. Where nothing can be read,
a person may decide too, and reading is tried again each time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from flows.accounts import twilio_accounts
from flows.accounts.clients import ATTEMPT_TIMEOUT
from flows.audit import audit_log, log_paging
from flows.audit.audit_log import Actor, AlreadyRecorded, Observation, Payload
from flows.audit.models import AuditEvent, OpenChange, Result, Stage
from flows.changes.readback import Readback, ReadUnavailable
from flows.mirror import drift, mirror
from flows.mirror.stale_reads import StaleRead, is_older
from flows.redaction.masking import redact, replace_unstorable
from flows.twilio.errors import FlexError
from flows.twilio.flex import flex_flow
from flows.twilio.flex.flex_flow import Snapshot

MAX_SHOWN_CANDIDATES = 4  # candidates whose fields are kept, to stand beside what was asked for

# A late apply is possible: that a change was not made takes two reads, this far apart.
CONFIRMATION_DELAY = timedelta(seconds=60)
RECONCILIATION_ACTOR = Actor(id="", label="reconciliation")
FLOW_DELETED = "The flow no longer exists at Twilio."
THIRD_VALUE = (
    "Twilio has neither the previous nor the requested values, so someone else changed the flow."
)
LATER_EDIT = "Twilio has the previous values, but the flow was changed since. This change may have been applied and reverted."
MULTIPLE_MATCHES = "More than one flow at Twilio matches the requested one."
CANDIDATE_DELETED = "A flow that this change may have created was deleted at Twilio."
PARTIAL_MATCH = "A flow was created at Twilio at that time, but it differs from the requested one."
REQUEST_ERASED = (
    "The requested values were erased as personal data, so there is nothing to compare."
)
# Without an answer for so long, a person may decide before Twilio can be read again.
UNREACHABLE_AFTER = timedelta(minutes=30)


class NotAmbiguous(Exception):
    """This change is settled, or reading can still tell what became of it."""


class NotACandidate(NotAmbiguous):
    """This flow can't be what the creation made: it was there before, or another change made it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a read says of a change: applied or not, or (None) a `puzzle` for a person."""

    applied: bool | None
    seen: Snapshot | None = None  # the flow as it was seen; None if it is gone or was never made
    puzzle: str = ""
    candidates: list[str] = field(default_factory=list)
    reading: dict[str, Snapshot | None] = field(
        default_factory=dict
    )  # by SID, what a person is shown of it


def reconcile(*, most: int = 50) -> list[AuditEvent]:
    """Looks at up to `most` changes in doubt and puts on record what it found out. A `FlexError` ends it for
    its account, where there is nothing to find out without Twilio, unless it is a refusal to show one thing:
    that change then waits for a person, and is looked at again next time. The first error is raised in the
    end."""
    readback = Readback()
    may_be_told = Q(puzzle="") | Q(action="flow.create") | Q(is_unreadable=True)
    changes = list(unresolved_changes().filter(may_be_told)[:most])
    events: list[AuditEvent | None] = []
    errors: list[FlexError] = []
    unreachable: set[str] = set()
    for change in changes:
        if change.attempt.account_sid not in unreachable:
            try:
                events.append(_reconcile_change(change, readback))
            except ReadUnavailable as refusal:
                errors.append(refusal.error)
            except FlexError as error:
                unreachable.add(change.attempt.account_sid)
                errors.append(error)
    if errors:
        raise errors[0]
    return [event for event in events if event is not None]


def reconcile_one(change: OpenChange) -> AuditEvent | None:
    """Looks at one change in doubt, a puzzle too; the event that settles it, if reading could tell. A
    `FlexError` says that Twilio could not be read, unless a person may decide without."""
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
    """The changes, in these accounts, that nobody knows the fate of, those that are not under way any more; puzzles
    last."""
    died = Q(attempt__at__lt=timezone.now() - ATTEMPT_TIMEOUT)
    changes = log_paging.filter_accounts(OpenChange.objects.all(), scope, "attempt")
    changes = changes.filter(Q(latest__result=Result.UNKNOWN) | died)
    return changes.prefetch_related("attempt__payload", "latest").order_by("puzzle", "attempt")


def resolve_manually(
    *, change: OpenChange, applied: bool, sid: str = "", reason: str, actor: Actor
) -> AuditEvent:
    """A person says what became of a change that reading can't tell: applied, of a creation as the flow
    `sid`, one of the candidates (or, where nothing can be read, any that the log does not account for); or
    not. What was known goes on record beside it. Raises `NotForAPerson`, `AlreadyRecorded`, `NotRecorded`,
    `FlexError`."""
    puzzles = OpenChange.objects.exclude(puzzle="").select_related("attempt__payload")
    puzzle = puzzles.filter(pk=change.pk).first()
    if puzzle is None:
        raise NotAmbiguous
    change, seen, updates_mirror = puzzle, None, True
    if applied and change.action == "flow.create":
        _check_candidate(change, sid)
        seen, updates_mirror = _read_created_flow(change, sid)
    elif applied and change.action == "flow.update":
        seen = _derive_updated_flow(change)
    said = f"Decided by a user. {change.puzzle}"
    result = Result.APPLIED if applied else Result.NOT_APPLIED
    return _record_resolution(
        change,
        result,
        seen,
        said,
        sid=sid if applied and change.action == "flow.create" else "",
        reason=reason,
        actor=actor,
        findings=collect_findings(change),
        updates_mirror=updates_mirror,
    )


def collect_findings(change: OpenChange) -> dict[str, Any]:
    """The knowledge about a change that waits for a person, as the decision's event keeps it."""
    return {
        "puzzle": change.puzzle,
        "is_unreadable": change.is_unreadable,
        "candidates": change.candidates,
        "reading": change.last_reading,
        "read_at": change.read_at.isoformat() if change.read_at else None,
    }


def _check_candidate(change: OpenChange, sid: str) -> None:
    """A creation made one of the candidates. One that another creation has been found to have made meanwhile
    is no candidate any more; where nothing can be read, a person may know of another flow."""
    may_be_named = sid in change.candidates or (
        change.is_unreadable and flex_flow.is_sid("FO", sid)
    )
    if not may_be_named or not _filter_unexplained([{"sid": sid}], change):
        raise NotACandidate


def _read_created_flow(change: OpenChange, sid: str) -> tuple[Snapshot | None, bool]:
    """The flow that a creation made as it came out of it, None if it is gone; and whether that could be seen."""
    try:
        seen = Readback().flow(sid, change.attempt.account_sid)
    except ReadUnavailable:
        return None, False
    except FlexError:
        if not change.is_unreadable:
            raise
        return None, False
    return seen and {**seen, **(change.attempt.payload.requested or {})}, True


def _derive_updated_flow(change: OpenChange) -> Snapshot:
    """A flow as it came out of an update; what somebody else did since is theirs, and found by the next read."""
    about, sid = change.attempt.payload, change.target_sid
    asked, live = about.requested or {}, change.last_reading.get(sid)
    if live is None and sid not in change.last_reading:
        with contextlib.suppress(ReadUnavailable, FlexError):
            live = Readback().flow(sid, change.attempt.account_sid)
    kind, live = "integration_type", live or {}
    is_typed = kind in asked and flex_flow.is_same_value(kind, asked[kind], live.get(kind))
    moved = {name: live.get(name) for name in drift.dependent_fields(asked)} if is_typed else {}
    return {**(about.before or {}), **moved, **asked}


def _reconcile_change(change: OpenChange, readback: Readback) -> AuditEvent | None:
    try:
        finding = _inspect(change, readback)
    except StaleRead as stale:
        if not _shows_requested_values(change, stale):
            return None  # what Twilio shows is from before another change: it says nothing of this one yet
        finding = Finding(True, stale.seen)
    except ReadUnavailable as refusal:
        _mark_unreadable(change, str(refusal))
        raise
    except FlexError as error:
        if change.attempt.at < timezone.now() - UNREACHABLE_AFTER:
            _mark_unreadable(change, f"Couldn't read from Twilio: {error}.")
        raise
    if finding.puzzle:
        OpenChange.objects.filter(pk=change.pk).update(
            puzzle=finding.puzzle,
            candidates=finding.candidates,
            not_applied_at=None,
            is_unreadable=False,
            last_reading=redact(replace_unstorable(finding.reading)),
            read_at=timezone.now(),
        )
        return None
    if not finding.applied and not _confirm_not_applied(change):
        return None
    result = Result.APPLIED if finding.applied else Result.NOT_APPLIED
    said = "Confirmed by reading from Twilio. Nothing was sent."
    sid = (finding.seen or {}).get("sid", "") if change.action == "flow.create" else ""
    try:
        return _record_resolution(change, result, finding.seen, said, sid=sid)
    except AlreadyRecorded:
        return None  # somebody else was faster


def _mark_unreadable(change: OpenChange, reason: str) -> None:
    """Put the change before a person, with what was read before; a first read that found it not applied
    counts on."""
    OpenChange.objects.filter(pk=change.pk).update(puzzle=reason[:200], is_unreadable=True)


def _inspect(change: OpenChange, readback: Readback) -> Finding:
    if change.action == "flow.create":
        return _find_created_flow(change, _list_with_candidates(change, readback))
    seen = readback.flow(change.target_sid, change.attempt.account_sid)
    if change.action == "flow.delete":
        return Finding(seen is None, seen)
    told: dict[str, Snapshot | None] = {change.target_sid: seen}
    if change.attempt.payload.erased_at:
        return Finding(None, puzzle=REQUEST_ERASED)
    if seen is None:
        return Finding(None, puzzle=FLOW_DELETED, reading=told)
    asked, before = change.attempt.payload.requested or {}, change.attempt.payload.before or {}
    if not flex_flow.differing_fields(asked, seen, asked):
        return Finding(True, seen)
    if flex_flow.differing_fields(before, seen, asked):
        return Finding(None, seen, THIRD_VALUE, reading=told)
    # Twilio's dates are whole seconds: an equal one proves nothing, but another one is the mark of a change.
    is_untouched = flex_flow.is_same_value(
        "date_updated", before.get("date_updated"), seen.get("date_updated")
    )
    return Finding(False, seen) if is_untouched else Finding(None, seen, LATER_EDIT, reading=told)


def _list_with_candidates(change: OpenChange, readback: Readback) -> list[Snapshot]:
    """Return the account's flows. A candidate that the list lacks is asked for: a list alone proves no absence."""
    account_sid = change.attempt.account_sid
    listing = list(readback.listing(account_sid))
    listed = {flow["sid"] for flow in listing}
    asked_for = [readback.flow(sid, account_sid) for sid in change.candidates if sid not in listed]
    return [*listing, *(flow for flow in asked_for if flow is not None)]


def _shows_requested_values(change: OpenChange, stale: StaleRead) -> bool:
    """Return True for a read that Twilio dates after all that is known, and that shows what the change asked for."""
    requested = change.attempt.payload.requested
    if not requested or stale.seen is None or stale.confirmed is None:
        return False
    is_as_requested = not flex_flow.differing_fields(requested, stale.seen, requested)
    return is_as_requested and is_older(stale.confirmed, stale.seen)


def _find_created_flow(change: OpenChange, listing: Sequence[Snapshot]) -> Finding:
    """The flows of that time that nobody accounts for: one that is as asked for is the one; none, and it was not
    made; anything else is a person's to decide."""
    near = [
        flow
        for flow in listing
        if change.may_have_created(flex_flow.parse_datetime(flow.get("date_created")))
    ]
    near = _filter_unexplained(near, change)
    there = {flow["sid"]: flow for flow in listing}
    gone: list[Snapshot] = [{"sid": sid} for sid in change.candidates if sid not in there]
    gone = _filter_unexplained(gone, change)
    if change.attempt.payload.erased_at:
        return Finding(
            None, puzzle=REQUEST_ERASED, candidates=[flow["sid"] for flow in (*near, *gone)]
        )
    alike = [flow for flow in near if _matches_request(change, flow)]
    if len(alike) == 1 and not gone:
        return Finding(True, alike[0])
    others = OpenChange.objects.filter(action="flow.create").exclude(pk=change.pk)
    creations = list(others.select_related("attempt__payload"))
    puzzling = alike or [
        flow for flow in near if not any(_matches_request(other, flow) for other in creations)
    ]
    if puzzling or gone:
        puzzle = CANDIDATE_DELETED if gone else MULTIPLE_MATCHES if alike else PARTIAL_MATCH
        candidates = [flow["sid"] for flow in (*puzzling, *gone)]
        told = {sid: there.get(sid) for sid in candidates[:MAX_SHOWN_CANDIDATES]}
        return Finding(None, puzzle=puzzle, candidates=candidates, reading=told)
    return Finding(False)


def _matches_request(change: OpenChange, flow: Mapping[str, Any]) -> bool:
    asked = change.attempt.payload.requested or {}
    return not flex_flow.differing_fields(asked, flow, asked)


def _filter_unexplained(flows: list[Snapshot], change: OpenChange) -> list[Snapshot]:
    """Without those that were there before, were found since as nobody's, or another creation made."""
    of_flows = AuditEvent.objects.filter(target_sid__in=[flow["sid"] for flow in flows])
    accounted = of_flows.filter(
        Q(seq__lt=change.attempt.seq)
        | Q(stage=Stage.OBSERVED)
        | Q(action="flow.create", result__in=audit_log.APPLIED_RESULTS)
    )
    sids = set(accounted.values_list("target_sid", flat=True))
    return [flow for flow in flows if flow["sid"] not in sids]


def _confirm_not_applied(change: OpenChange) -> bool:
    now = timezone.now()
    # What stood in the way of telling does not any more.
    nothing = {
        "puzzle": "",
        "candidates": [],
        "is_unreadable": False,
        "last_reading": {},
        "read_at": None,
    }
    if change.not_applied_at is None:
        OpenChange.objects.filter(pk=change.pk, not_applied_at=None).update(
            not_applied_at=now, **nothing
        )
        return False
    if now - change.not_applied_at >= CONFIRMATION_DELAY:
        return True
    OpenChange.objects.filter(pk=change.pk).exclude(puzzle="").update(**nothing)
    return False


def _record_resolution(
    change: OpenChange,
    result: Result,
    seen: Snapshot | None,
    said: str,
    *,
    sid: str = "",
    reason: str = "",
    actor: Actor = RECONCILIATION_ACTOR,
    findings: dict[str, Any] | None = None,
    updates_mirror: bool = True,
) -> AuditEvent:
    attempt = change.attempt
    about = attempt.payload
    if about.erased_at is not None:  # what was erased does not come back by its own outcome
        updates_mirror = updates_mirror and change.action == "flow.delete"
        seen = None
    event = audit_log.append(
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
        concurrent_edit=_find_concurrent_edit(change, seen) if result == Result.APPLIED else None,
        payload=Payload(
            friendly_name=about.friendly_name,
            contact_identity=about.contact_identity,
            before=about.before,
            requested=about.requested,
            after=seen,
            message=said,
            findings=findings,
        ),
    )
    if result == Result.APPLIED and updates_mirror:
        mirror.apply_result(seen, event)
    return event


def _find_concurrent_edit(change: OpenChange, seen: Snapshot | None) -> Observation | None:
    about = change.attempt.payload
    if seen is None or change.action != "flow.update":
        return None
    return drift.find_concurrent_edit(
        change.target_sid,
        account_sid=change.attempt.account_sid,
        before=about.before or {},
        requested=about.requested or {},
        after=seen,
    )
