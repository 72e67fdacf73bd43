"""Drift: changes of flows that were made at Twilio and not in this dashboard.

A flow read from Twilio is compared with its last recorded state. A difference is recorded as an
observed event without an actor, and stays in the inbox until a user accepts or reverts it. The
first state of a flow is its baseline, which is not drift.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max
from django.utils import timezone

from flows.accounts import twilio_accounts
from flows.audit import audit_log, log_paging
from flows.audit.audit_log import Actor, Observation, Payload
from flows.audit.log_actions import DriftAction
from flows.audit.models import AuditEvent, AuditPayload, OpenDrift, Result, Stage
from flows.mirror import readonly_fields, stale_reads
from flows.redaction.redacted import Redacted, redact_fields
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.values import parse_datetime

BATCH = 500


@dataclass(frozen=True, slots=True)
class RecordedState:
    """The last recorded state of a flow, from the event `seq`.

    The snapshot of a deleted flow is None. `is_known` is False if the event's content was erased,
    or if Twilio sent no state with it.
    """

    seq: int
    snapshot: Redacted | None
    is_known: bool


def last_recorded_states(sids: Iterable[str]) -> dict[str, RecordedState]:
    """Return the last recorded state of each of these flows that has one, by SID."""
    states: dict[str, RecordedState] = {}
    all_sids = list(sids)
    for start in range(0, len(all_sids), BATCH):
        state_events = AuditEvent.objects.filter(
            stale_reads.STATE_EVENTS, target_sid__in=all_sids[start : start + BATCH]
        )
        last_seqs = (
            state_events.order_by()
            .values("target_sid")
            .annotate(last=Max("seq"))
            .values_list("last", flat=True)
        )
        rows = AuditPayload.objects.filter(event__in=list(last_seqs)).values_list(
            "event__target_sid", "event__seq", "event__action", "after", "erased_at"
        )
        for sid, seq, action, after, erased_at in rows:
            has_state = after is not None or action in ("flow.delete", DriftAction.DRIFT)
            # Masked again: an older version masked less, which must not look like a change.
            states[sid] = RecordedState(seq, redact_fields(after), has_state and erased_at is None)
    return states


def changes_between(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    """Return the writable fields in which two states of a flow differ."""
    return FLEX_FLOW.changed_writable_fields(before, after)


def is_same(one: Redacted | None, other: Redacted | None) -> bool:
    """Return True if no writable field differs. None is a flow that Twilio does not have."""
    if one is None or other is None:
        return one is other
    return not changes_between(one, other)


def record_differences(
    states: Mapping[str, Redacted | None],
    *,
    account_sid: str,
    read_seq: int,
    is_baseline: bool,
    mirrored_snapshots: Mapping[str, Redacted | None],
    at: datetime | None = None,
) -> dict[str, int]:
    """Record how a read of Twilio differs from the log.

    `states` has the flows as they were read, None for a flow that Twilio does not have. The read
    began at the time `at`, when `read_seq` was the log's last event. With `is_baseline`, flows
    without a recorded state existed before this dashboard. The mirror's snapshot stands in for a
    state that the log lacks.

    Return the flows that the log now has in the state read, each with the `seq` of the event that
    recorded it (0 without one). Flows whose read does not count are omitted.
    """
    comparable = _select_comparable(
        states,
        read_seq=read_seq,
        is_baseline=is_baseline,
        mirrored_snapshots=mirrored_snapshots,
        at=at or timezone.now(),
    )
    recorded_seqs: dict[str, int] = {}
    observations: list[Observation] = []
    field_pairs: list[tuple[Redacted | None, Redacted]] = []
    for sid, last in comparable.items():
        snapshot = states[sid]
        if snapshot is not None:
            before = mirrored_snapshots.get(sid) or (last.snapshot if last else None)
            field_pairs.append((before, snapshot))
        if _is_recorded(last, snapshot):
            recorded_seqs[sid] = last.seq if last else 0
        else:
            observations.append(
                _build_observation(account_sid, sid, last, snapshot, is_baseline=is_baseline)
            )
    for start in range(0, len(observations), BATCH):
        events = audit_log.observe(observations[start : start + BATCH], read_seq=read_seq)
        recorded_seqs.update((event.target_sid, event.seq) for event in events)
    readonly_fields.record_new_fields(account_sid, field_pairs)
    return recorded_seqs


def _select_comparable(
    states: Mapping[str, Redacted | None],
    *,
    read_seq: int,
    is_baseline: bool,
    mirrored_snapshots: Mapping[str, Redacted | None],
    at: datetime,
) -> dict[str, RecordedState | None]:
    """Return the flows whose read counts, each with its last state.

    A read does not count if an event was recorded after it began, or if it is stale.
    """
    recorded = last_recorded_states(states)
    recent = stale_reads.recent_events(recorded, at=at)
    comparable: dict[str, RecordedState | None] = {}
    for sid, snapshot in states.items():
        last = recorded.get(sid)
        mirrored = mirrored_snapshots.get(sid)
        if last is None and mirrored is not None and not is_baseline:
            # A change of ours delayed the flow's baseline.
            last = RecordedState(0, mirrored, is_known=True)
        if last is None:
            comparable[sid] = None
        elif last.seq <= read_seq and not _is_stale_read(recent.get(sid), last, snapshot):
            comparable[sid] = last
    return comparable


def _is_recorded(last: RecordedState | None, snapshot: Redacted | None) -> bool:
    if last is None:
        return snapshot is None
    return last.is_known and is_same(last.snapshot, snapshot)


def _is_stale_read(
    events: list[AuditEvent] | None, last: RecordedState, snapshot: Redacted | None
) -> bool:
    if not events or not last.is_known:
        return False
    return stale_reads.find_contradiction(events, last.snapshot, snapshot) is not None


def reject_stale_read(sid: str, snapshot: Redacted | None, *, read_seq: int, at: datetime) -> None:
    """Raise `StaleRead` if a read of one flow does not show an event of the minute before it.

    The read began at the time `at`, when `read_seq` was the log's last event. Later events are
    ignored.
    """
    events = stale_reads.recent_events([sid], at=at).get(sid, [])
    recent = [event for event in events if event.seq <= read_seq]
    if not recent:
        return
    last = last_recorded_states([sid])[sid]
    if not last.is_known or last.seq > read_seq:
        return
    event = stale_reads.find_contradiction(recent, last.snapshot, snapshot)
    if event is not None:
        raise stale_reads.StaleRead(event, confirmed=last.snapshot, seen=snapshot)


def find_concurrent_edit(
    sid: str, *, account_sid: str, before: Redacted, requested: Iterable[str], after: Redacted
) -> Observation | None:
    """Return somebody's edit at Twilio between our read of a flow and our change of it, or None.

    The edit is every difference between `before` and `after` outside the `requested` fields. It is
    recorded together with the outcome of our change.
    """
    own_fields = FLEX_FLOW.dependent_names(requested)
    expected = {name: value for name, value in before.items() if name not in own_fields}
    expected |= {name: value for name, value in after.items() if name in own_fields}
    changed = changes_between(expected, after)
    if not changed:
        return None
    return Observation(
        action=DriftAction.DRIFT,
        account_sid=account_sid,
        target_sid=sid,
        changed_fields=changed,
        payload=_build_payload(redact_fields(expected), after),
    )


def accept(*, event: AuditEvent, reason: str, actor: Actor) -> AuditEvent:
    """Accept a flow's external changes up to this event: they leave the inbox."""
    with audit_log.transaction() as log:
        return append_acceptance(log, event=event, reason=reason, actor=actor)


def append_acceptance(
    log: audit_log.LogTransaction, *, event: AuditEvent, reason: str, actor: Actor
) -> AuditEvent:
    """Append the acceptance of a flow's external changes up to this event, and return it."""
    return log.append(
        action=DriftAction.ACCEPT,
        stage=Stage.ACCESS,
        result=Result.SUCCEEDED,
        actor=actor,
        account_sid=event.account_sid,
        target_sid=event.target_sid,
        changed_fields=event.changed_fields,
        reason=reason,
        refers_to=uuid.UUID(str(event.event_id)),
        payload=Payload(
            friendly_name=event.payload.friendly_name,
            contact_identity=event.payload.contact_identity,
        ),
    )


def load_inbox(scope: twilio_accounts.Scope = None) -> list[list[AuditEvent]]:
    """Return the external changes in these accounts that nobody has accepted or reverted.

    Each item has the events of one flow in order. The flow with the latest event comes first.
    """
    open_drift = log_paging.filter_accounts(OpenDrift.objects.all(), scope, "event")
    open_drift = open_drift.select_related("event__payload").order_by("event")
    events_by_flow: dict[str, list[AuditEvent]] = {}
    for item in open_drift:
        events_by_flow.setdefault(item.target_sid, []).append(item.event)
    return sorted(events_by_flow.values(), key=lambda events: -events[-1].seq)


def net_change(events: Iterable[AuditEvent]) -> tuple[Redacted, Redacted]:
    """Return the changed fields before the first and after the last of a flow's drift events.

    Changes that this dashboard made between two events are not part of it.
    """
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for event in events:
        for name in event.changed_fields:
            before.setdefault(name, event.payload.values_before.get(name))
            after[name] = event.payload.values_after.get(name)
    return redact_fields(before), redact_fields(after)


def _build_observation(
    account_sid: str,
    sid: str,
    last: RecordedState | None,
    snapshot: Redacted | None,
    *,
    is_baseline: bool,
) -> Observation:
    before = last.snapshot if last and last.is_known else None
    action = DriftAction.DRIFT
    if snapshot and _is_first_state(last, is_baseline=is_baseline):
        action = DriftAction.BASELINE
    return Observation(
        action=action,
        account_sid=account_sid,
        target_sid=sid,
        changed_fields=changes_between(before, snapshot) if before and snapshot else [],
        created_at=parse_datetime(snapshot.get("date_created")) if snapshot else None,
        payload=_build_payload(before, snapshot),
    )


def _is_first_state(last: RecordedState | None, *, is_baseline: bool) -> bool:
    """Return True if a state has no usable predecessor and its flow is not new at Twilio."""
    if last is None:
        return is_baseline
    return not last.is_known


def _build_payload(before: Redacted | None, after: Redacted | None) -> Payload:
    described: Mapping[str, Any] = after or before or {}
    return Payload(
        friendly_name=str(described.get("friendly_name") or ""),
        contact_identity=str(described.get("contact_identity") or ""),
        before=before,
        after=after,
    )
