"""Comparison of Twilio's objects with a change whose outcome is unknown.

An update is compared with the requested and the previous values. A creation is compared with every
flow that it may have created, or with the object whose SID it named. Nothing is stored here; `reconcile` logs the findings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from flows.audit import audit_log
from flows.audit.models import AuditEvent, OpenChange, Stage
from flows.changes.readback import Readback
from flows.mirror.models import LookedUpObject
from flows.mirror.stale_reads import StaleRead, is_older
from flows.redaction.masking import has_mask
from flows.redaction.redacted import Redacted, redact_fields
from flows.twilio.values import parse_datetime

# So long after a creation, an object that it made may have been deleted by others.
ABSENCE_WINDOW = timedelta(minutes=10)
MAX_SHOWN_CANDIDATES = 4  # candidates whose fields are stored, for the page that compares them

# Reasons for a decision by a user. `{noun}` is the word for an object of the resource, `{nouns}` the
# one for several.
OBJECT_DELETED = "The {noun} no longer exists at Twilio."
THIRD_VALUE = (
    "Twilio has neither the previous nor the requested values, so someone else changed the {noun}."
)
LATER_EDIT = (
    "Twilio has the previous values, but the {noun} was changed since. "
    "This change may have been applied and reverted."
)
UNRETURNED_VALUES = "Twilio doesn't show the values that were sent, so reading can't tell."
MULTIPLE_MATCHES = "More than one {noun} at Twilio matches the requested one."
UNPROVEN_MATCH = (
    "Twilio has a {noun} that this change may have created, but others may have created it as well."
)
UNDATED_VALUES = (
    "Twilio has the previous values, but doesn't say when the {noun} last changed. "
    "This change may have been applied and reverted."
)
LATE_ABSENCE = (
    "Twilio has no {noun} that this change may have created, but one may have been deleted since."
)
CANDIDATE_DELETED = "A {noun} that this change may have created was deleted at Twilio."
PARTIAL_MATCH = (
    "A {noun} was created at Twilio at that time, but it differs from the requested one."
)
UNLISTED = "Twilio has no list of {nouns} to look in, so reading can't tell."
OTHER_DATE = (
    "Twilio has the {noun}, but doesn't date it at the time of this change, so reading can't tell."
)
REQUEST_ERASED = (
    "The requested values were erased as personal data, so there is nothing to compare."
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Result of reading from Twilio to resolve a change with an unknown outcome.

    `is_applied` is None if only a user can tell; `ambiguity` is then the reason. `flow` is the flow
    as read, or None if there is none. `readings` are flows by SID to show to that user.
    """

    is_applied: bool | None
    flow: Redacted | None = None
    ambiguity: str = ""
    candidates: list[str] = field(default_factory=list)
    readings: dict[str, Redacted | None] = field(default_factory=dict)
    was_read: bool = True  # False if Twilio has nothing that could be read


def inspect_change(change: OpenChange, readback: Readback) -> Finding:
    """Read from Twilio and return the finding about a change.

    Raise `StaleRead`, `ReadUnavailable` or another `FlexError` if nothing can be told yet.
    """
    if change.operation == "create" and change.target_sid:
        return _inspect_creation_of(change.target_sid, change, readback)
    if change.operation == "create" and "list" not in change.resource.operations:
        return Finding(None, ambiguity=_reason(change, UNLISTED), was_read=False)
    if change.operation == "create":
        flows = _find_by_key(change, readback) or _list_with_candidates(change, readback)
        return _find_created_flow(change, flows)
    live = fetch_object(change, change.target_sid, readback)
    if change.operation == "delete":
        return Finding(live is None, live)
    return _inspect_update(change, live)


def _inspect_creation_of(sid: str, change: OpenChange, readback: Readback) -> Finding:
    """Look for the object whose SID a creation named.

    The log may well have earlier events of this SID. An object with another date is one that was
    there before, or the state from before its deletion.
    """
    live = fetch_object(change, sid, readback)
    if live is None or change.may_have_created(parse_datetime(live.get("date_created"))):
        return Finding(live is not None, live)
    return Finding(None, live, _reason(change, OTHER_DATE), readings={sid: live})


def fetch_object(change: OpenChange, sid: str, readback: Readback) -> Redacted | None:
    """Return an object that the change may be about, or None if it is deleted.

    Raise `ReadUnavailable` or another `FlexError` if it can't be read.
    """
    return readback.fetch(
        change.resource, sid, change.attempt.account_sid, change.attempt.parent_sid
    )


def _inspect_update(change: OpenChange, live: Redacted | None) -> Finding:
    readings = {change.target_sid: live}
    payload = change.attempt.payload
    if payload.erased_at:
        return Finding(None, ambiguity=REQUEST_ERASED)
    if live is None:
        return Finding(None, ambiguity=_reason(change, OBJECT_DELETED), readings=readings)
    if payload.requested_values.keys() <= change.resource.unreturned_names:
        return Finding(None, live, UNRETURNED_VALUES, readings=readings)
    if _has_requested_values(change, live):
        return Finding(True, live)
    before = payload.values_before
    if change.resource.differing_fields(before, live, payload.requested_values):
        return Finding(None, live, _reason(change, THIRD_VALUE), readings=readings)
    has_dates = bool(before.get("date_updated") and live.get("date_updated"))
    if change.operation == "update" and not has_dates:
        text = _reason(change, UNDATED_VALUES)
        return Finding(None, live, text, readings=readings)
    # Twilio's dates are whole seconds: an equal one proves nothing, but another one proves an edit.
    is_untouched = change.resource.is_same_value(
        "date_updated", before.get("date_updated"), live.get("date_updated")
    )
    if is_untouched:
        return Finding(False, live)
    return Finding(None, live, _reason(change, LATER_EDIT), readings=readings)


def _reason(change: OpenChange, text: str) -> str:
    """Return the reason for a decision, with the word for the object of the change."""
    return text.format(noun=change.resource.noun, nouns=change.resource.noun_plural)


def _has_requested_values(change: OpenChange, flow: Redacted) -> bool:
    requested = change.attempt.payload.requested_values
    names = requested.keys() - change.resource.unreturned_names
    return not change.resource.differing_fields(requested, flow, names)


def _find_by_key(change: OpenChange, readback: Readback) -> list[Redacted]:
    """Return the object with the key that a creation requested, or none.

    Twilio can write a key in another way than it was entered, so that only the list proves absence.
    """
    key = change.resource.key_of(change.attempt.payload.requested_values)
    if not key or has_mask(key):
        return []
    account_sid = change.attempt.account_sid
    flow = readback.fetch_by_key(change.resource, key, account_sid)
    return [flow] if flow is not None else []


def _list_with_candidates(change: OpenChange, readback: Readback) -> list[Redacted]:
    """Return the account's flows.

    A candidate that the list lacks is read by its SID: a list alone doesn't prove absence.
    """
    account_sid = change.attempt.account_sid
    flows = list(readback.list(change.resource, account_sid, change.attempt.parent_sid))
    for sid in _candidates_outside(flows, change):
        flow = fetch_object(change, sid, readback)
        if flow is not None:
            flows.append(flow)
    return flows


def shows_requested_values(change: OpenChange, stale: StaleRead) -> bool:
    """Return True if a stale read still proves that the change was applied.

    It does if it has the requested values, and Twilio dates it after the state that is confirmed.
    """
    if stale.seen is None or stale.confirmed is None:
        return False
    if not change.attempt.payload.requested_values:
        return False
    return is_older(stale.confirmed, stale.seen) and _has_requested_values(change, stale.seen)


def _find_created_flow(change: OpenChange, flows: Sequence[Redacted]) -> Finding:
    """Look for the flow that a creation made among the account's flows.

    Only unexplained flows of that time count. Exactly one that matches the request is the created
    flow. If there is none at all, the creation was not applied. Otherwise a user has to decide.
    Objects that others create all the time, such as channels, are only candidates if they match.
    """
    nearby = _unexplained_nearby(change, flows)
    deleted = _unexplained_deleted(change, flows)
    if change.attempt.payload.erased_at:
        candidates = _sids_of([*nearby, *deleted])
        return Finding(None, ambiguity=REQUEST_ERASED, candidates=candidates)

    matches = _select_matching(change, nearby)
    possible = matches or _exclude_other_creations(change, nearby)
    if deleted:
        return _ambiguous_creation(_reason(change, CANDIDATE_DELETED), possible, deleted)
    if not possible:
        return _find_absence(change)
    is_proven = change.resource.match_proves_creation
    if len(matches) == 1 and is_proven:
        return Finding(True, matches[0])
    if matches:
        text = MULTIPLE_MATCHES if is_proven else UNPROVEN_MATCH
        return _ambiguous_creation(_reason(change, text), matches)
    if is_proven:
        return _ambiguous_creation(_reason(change, PARTIAL_MATCH), possible)
    namesakes = _select_namesakes(change, nearby)
    if namesakes:
        return _ambiguous_creation(_reason(change, UNPROVEN_MATCH), namesakes)
    return _find_absence(change)


def _find_absence(change: OpenChange) -> Finding:
    """Return the finding that the list has no object that the creation may have made.

    Objects that others create and delete all the time may be gone before they are looked for. Their
    absence only counts soon after the creation.
    """
    is_late = change.attempt.at < timezone.now() - ABSENCE_WINDOW
    if is_late and not change.resource.match_proves_creation and change.not_applied_at is None:
        return Finding(None, ambiguity=_reason(change, LATE_ABSENCE))
    return Finding(False)


def _select_namesakes(change: OpenChange, flows: Sequence[Redacted]) -> list[Redacted]:
    """Return the objects with the requested name, if Twilio's answers have names."""
    resource = change.resource
    name = resource.name_of(change.attempt.payload.requested_values)
    if not name or resource.name_field in resource.unreturned_names:
        return []
    return [flow for flow in flows if resource.name_of(flow) == name]


def _ambiguous_creation(
    ambiguity: str, existing: Sequence[Redacted], deleted: Sequence[Redacted] = ()
) -> Finding:
    """Return the finding that these candidates need a user's decision."""
    readings: dict[str, Redacted | None] = {flow["sid"]: flow for flow in existing}
    readings |= dict.fromkeys(_sids_of(deleted))
    candidates = list(readings)
    first_candidates = candidates[:MAX_SHOWN_CANDIDATES]
    return Finding(
        None,
        ambiguity=ambiguity,
        candidates=candidates,
        readings={sid: readings[sid] for sid in first_candidates},
    )


def _unexplained_nearby(change: OpenChange, flows: Sequence[Redacted]) -> list[Redacted]:
    """Return the unexplained flows that were created at about the time of the change."""
    nearby = []
    for flow in flows:
        created_at = parse_datetime(flow.get("date_created"))
        if change.may_have_created(created_at):
            nearby.append(flow)
    return filter_unexplained(nearby, change)


def _unexplained_deleted(change: OpenChange, flows: Sequence[Redacted]) -> list[Redacted]:
    """Return the candidates that no longer exist, as flows with a SID only."""
    deleted = [redact_fields({"sid": sid}) for sid in _candidates_outside(flows, change)]
    return filter_unexplained(deleted, change)


def _candidates_outside(flows: Sequence[Redacted], change: OpenChange) -> list[str]:
    """Return the SIDs of the candidates that are not among these flows."""
    sids = set(_sids_of(flows))
    return [sid for sid in change.candidates if sid not in sids]


def _exclude_other_creations(change: OpenChange, flows: Sequence[Redacted]) -> list[Redacted]:
    """Return the flows that don't match the request of another open creation."""
    creations = OpenChange.objects.filter(action=change.action).exclude(pk=change.pk)
    sids_of_others: set[str] = set()
    for creation in creations.select_related("attempt__payload"):
        sids_of_others.update(_sids_of(_select_matching(creation, flows)))
    return _exclude_sids(flows, sids_of_others)


def _select_matching(change: OpenChange, flows: Sequence[Redacted]) -> list[Redacted]:
    """Return the flows that have all values that the change requested."""
    return [flow for flow in flows if _has_requested_values(change, flow)]


def filter_unexplained(flows: list[Redacted], change: OpenChange) -> list[Redacted]:
    """Return the flows whose origin the log doesn't explain.

    A flow is explained if it existed before the change, if it was observed as created outside this
    dashboard, or if another creation made it. What was looked up before existed before.
    """
    events = AuditEvent.objects.filter(target_sid__in=_sids_of(flows))
    explaining = events.filter(
        Q(seq__lt=change.attempt.seq)
        | Q(stage=Stage.OBSERVED)
        | Q(action=change.resource.action("create"), result__in=audit_log.APPLIED_RESULTS)
    )
    explained_sids = set(explaining.values_list("target_sid", flat=True))
    looked_up = LookedUpObject.objects.filter(
        account_sid=change.attempt.account_sid,
        sid__in=_sids_of(flows),
        first_at__lt=change.attempt.at,
    )
    explained_sids.update(looked_up.values_list("sid", flat=True))
    return _exclude_sids(flows, explained_sids)


def _sids_of(flows: Sequence[Redacted]) -> list[str]:
    return [flow["sid"] for flow in flows]


def _exclude_sids(flows: Sequence[Redacted], sids: set[str]) -> list[Redacted]:
    return [flow for flow in flows if flow["sid"] not in sids]
