"""Comparison of Twilio's flows with a change whose outcome is unknown.

An update is compared with the requested and the previous values. A creation is compared with every
flow that it may have created. Nothing is stored here; `reconcile` logs the findings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import Q

from flows.audit import audit_log
from flows.audit.models import AuditEvent, OpenChange, Stage
from flows.changes.readback import Readback
from flows.mirror.stale_reads import StaleRead, is_older
from flows.redaction.redacted import Redacted, redact_fields
from flows.twilio.values import parse_datetime

MAX_SHOWN_CANDIDATES = 4  # candidates whose fields are stored, for the page that compares them

# Reasons for a decision by a user.
FLOW_DELETED = "The flow no longer exists at Twilio."
THIRD_VALUE = (
    "Twilio has neither the previous nor the requested values, so someone else changed the flow."
)
LATER_EDIT = (
    "Twilio has the previous values, but the flow was changed since. "
    "This change may have been applied and reverted."
)
MULTIPLE_MATCHES = "More than one flow at Twilio matches the requested one."
CANDIDATE_DELETED = "A flow that this change may have created was deleted at Twilio."
PARTIAL_MATCH = "A flow was created at Twilio at that time, but it differs from the requested one."
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


def inspect_change(change: OpenChange, readback: Readback) -> Finding:
    """Read from Twilio and return the finding about a change.

    Raise `StaleRead`, `ReadUnavailable` or another `FlexError` if nothing can be told yet.
    """
    if change.operation == "create":
        return _find_created_flow(change, _list_with_candidates(change, readback))
    live = readback.fetch(change.resource, change.target_sid, change.attempt.account_sid)
    if change.operation == "delete":
        return Finding(live is None, live)
    return _inspect_update(change, live)


def _inspect_update(change: OpenChange, live: Redacted | None) -> Finding:
    readings = {change.target_sid: live}
    payload = change.attempt.payload
    if payload.erased_at:
        return Finding(None, ambiguity=REQUEST_ERASED)
    if live is None:
        return Finding(None, ambiguity=FLOW_DELETED, readings=readings)
    if _has_requested_values(change, live):
        return Finding(True, live)
    before = payload.values_before
    if change.resource.differing_fields(before, live, payload.requested_values):
        return Finding(None, live, THIRD_VALUE, readings=readings)
    # Twilio's dates are whole seconds: an equal one proves nothing, but another one proves an edit.
    is_untouched = change.resource.is_same_value(
        "date_updated", before.get("date_updated"), live.get("date_updated")
    )
    if is_untouched:
        return Finding(False, live)
    return Finding(None, live, LATER_EDIT, readings=readings)


def _has_requested_values(change: OpenChange, flow: Redacted) -> bool:
    requested = change.attempt.payload.requested_values
    return not change.resource.differing_fields(requested, flow, requested)


def _list_with_candidates(change: OpenChange, readback: Readback) -> list[Redacted]:
    """Return the account's flows.

    A candidate that the list lacks is read by its SID: a list alone doesn't prove absence.
    """
    account_sid = change.attempt.account_sid
    flows = list(readback.list(change.resource, account_sid))
    for sid in _candidates_outside(flows, change):
        flow = readback.fetch(change.resource, sid, account_sid)
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
    """
    nearby = _unexplained_nearby(change, flows)
    deleted = _unexplained_deleted(change, flows)
    if change.attempt.payload.erased_at:
        candidates = _sids_of([*nearby, *deleted])
        return Finding(None, ambiguity=REQUEST_ERASED, candidates=candidates)

    matches = _select_matching(change, nearby)
    possible = matches or _exclude_other_creations(change, nearby)
    if deleted:
        return _ambiguous_creation(CANDIDATE_DELETED, possible, deleted)
    if not possible:
        return Finding(False)
    if len(matches) == 1:
        return Finding(True, matches[0])
    ambiguity = MULTIPLE_MATCHES if matches else PARTIAL_MATCH
    return _ambiguous_creation(ambiguity, possible)


def _ambiguous_creation(
    ambiguity: str, existing: Sequence[Redacted], deleted: Sequence[Redacted] = ()
) -> Finding:
    """Return the finding that these candidates need a user's decision."""
    readings: dict[str, Redacted | None] = {flow["sid"]: flow for flow in existing}
    readings |= dict.fromkeys(_sids_of(deleted))
    candidates = list(readings)
    shown = candidates[:MAX_SHOWN_CANDIDATES]
    return Finding(
        None,
        ambiguity=ambiguity,
        candidates=candidates,
        readings={sid: readings[sid] for sid in shown},
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
    dashboard, or if another creation made it.
    """
    events = AuditEvent.objects.filter(target_sid__in=_sids_of(flows))
    explaining = events.filter(
        Q(seq__lt=change.attempt.seq)
        | Q(stage=Stage.OBSERVED)
        | Q(action=change.resource.action("create"), result__in=audit_log.APPLIED_RESULTS)
    )
    explained_sids = set(explaining.values_list("target_sid", flat=True))
    return _exclude_sids(flows, explained_sids)


def _sids_of(flows: Sequence[Redacted]) -> list[str]:
    return [flow["sid"] for flow in flows]


def _exclude_sids(flows: Sequence[Redacted], sids: set[str]) -> list[Redacted]:
    return [flow for flow in flows if flow["sid"] not in sids]
