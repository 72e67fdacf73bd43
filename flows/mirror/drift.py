"""Drift: changes of flows that were made at Twilio and not in this dashboard.

A flow read from Twilio is compared with its last recorded state. A difference is recorded as an
observed event without an actor, and stays in the inbox until a user accepts or reverts it. The
first state of a flow is its baseline, which is not drift.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Max

from flows.accounts import twilio_accounts
from flows.audit import audit_log, log_paging
from flows.audit.actions import DriftAction
from flows.audit.audit_log import Actor, Observation, Payload
from flows.audit.models import AuditEvent, AuditPayload, OpenDrift, Result, Stage
from flows.core.database import split_batches
from flows.mirror import readonly_fields, stale_reads
from flows.mirror.stale_reads import ReadStart
from flows.redaction.redacted import Redacted, redact_fields
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.values import parse_datetime

# An event of one of these actions records a deletion if it has no `after`.
DELETING_ACTIONS: Final = frozenset({"flow.delete", DriftAction.DRIFT})


@dataclass(frozen=True, slots=True)
class RecordedState:
    """The last recorded state of a flow, from the event `seq`.

    The snapshot of a deleted flow is None. `is_known` is False if the event's content was erased,
    or if Twilio sent no state with it.
    """

    seq: int
    snapshot: Redacted | None
    is_known: bool

    @property
    def known_snapshot(self) -> Redacted | None:
        return self.snapshot if self.is_known else None

    def matches(self, snapshot: Redacted | None) -> bool:
        """Return True if the log does not need another event to have this state."""
        return self.is_known and is_same(self.snapshot, snapshot)


# The state of a flow that was never recorded.
UNRECORDED: Final = RecordedState(seq=0, snapshot=None, is_known=True)


def last_recorded_states(sids: Iterable[str]) -> dict[str, RecordedState]:
    """Return the last recorded state of each of these flows that has one, by SID."""
    states: dict[str, RecordedState] = {}
    for batch in split_batches(list(sids)):
        payloads = AuditPayload.objects.filter(event__in=_last_state_seqs(batch).values())
        rows = payloads.values_list(
            "event__target_sid", "event__seq", "event__action", "after", "erased_at"
        )
        for sid, seq, action, after, erased_at in rows:
            has_state = after is not None or action in DELETING_ACTIONS
            # Masked again: an older version masked less, which must not look like a change.
            states[sid] = RecordedState(seq, redact_fields(after), has_state and erased_at is None)
    return states


def last_recorded_seqs(sids: Iterable[str]) -> dict[str, int]:
    """Return the `seq` of each flow's last recorded state, by SID, without reading the state."""
    seqs: dict[str, int] = {}
    for batch in split_batches(list(sids)):
        seqs |= _last_state_seqs(batch)
    return seqs


def _last_state_seqs(sids: Sequence[str]) -> dict[str, int]:
    """Return the `seq` of the last event that recorded the state of each of these flows."""
    state_events = AuditEvent.objects.filter(stale_reads.STATE_EVENTS, target_sid__in=sids)
    last_by_sid = state_events.order_by().values("target_sid").annotate(last=Max("seq"))
    return dict(last_by_sid.values_list("target_sid", "last"))


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
    read: ReadStart,
    *,
    account_sid: str,
    is_baseline: bool,
    mirrored_snapshots: Mapping[str, Redacted | None],
) -> dict[str, int]:
    """Record how a read of Twilio differs from the log.

    `states` has the flows as they were read, None for a flow that Twilio does not have. With
    `is_baseline`, flows without a recorded state existed before this dashboard. The mirror's
    snapshot stands in for a state that the log lacks.

    Return the flows that the log now has in the state read, each with the `seq` of the event that
    recorded it (0 without one). Flows whose read does not count are omitted.
    """
    comparable = _select_comparable(
        states, read, is_baseline=is_baseline, mirrored_snapshots=mirrored_snapshots
    )
    recorded_seqs: dict[str, int] = {}
    observations: list[Observation] = []
    for sid, last in comparable.items():
        if last.matches(states[sid]):
            recorded_seqs[sid] = last.seq
        else:
            observation = _build_observation(
                account_sid, sid, last, states[sid], is_baseline=is_baseline
            )
            observations.append(observation)
    for batch in split_batches(observations):
        events = audit_log.observe(batch, read_seq=read.seq)
        recorded_seqs.update((event.target_sid, event.seq) for event in events)
    field_pairs = _pair_snapshots(states, comparable, mirrored_snapshots)
    readonly_fields.record_new_fields(account_sid, field_pairs)
    return recorded_seqs


def _pair_snapshots(
    states: Mapping[str, Redacted | None],
    comparable: Mapping[str, RecordedState],
    mirrored_snapshots: Mapping[str, Redacted | None],
) -> Iterator[tuple[Redacted | None, Redacted]]:
    """Yield the snapshots of each existing flow before and after a read."""
    for sid, last in comparable.items():
        snapshot = states[sid]
        if snapshot is not None:
            yield mirrored_snapshots.get(sid) or last.snapshot, snapshot


def _select_comparable(
    states: Mapping[str, Redacted | None],
    read: ReadStart,
    *,
    is_baseline: bool,
    mirrored_snapshots: Mapping[str, Redacted | None],
) -> dict[str, RecordedState]:
    """Return the flows whose read counts, each with its last state.

    A read does not count if an event was recorded after it began, or if it is stale.
    """
    recorded = last_recorded_states(states)
    recent = stale_reads.recent_events(recorded, at=read.at)
    comparable: dict[str, RecordedState] = {}
    for sid, snapshot in states.items():
        mirrored = mirrored_snapshots.get(sid)
        last = recorded.get(sid) or _state_without_event(mirrored, is_baseline=is_baseline)
        is_superseded = last.seq > read.seq
        if not is_superseded and not _is_stale_read(recent.get(sid, []), last, snapshot):
            comparable[sid] = last
    return comparable


def _state_without_event(mirrored: Redacted | None, *, is_baseline: bool) -> RecordedState:
    """Return the state of a flow that the log does not have.

    It is the mirror's if a change of ours delayed the flow's baseline.
    """
    if mirrored is None or is_baseline:
        return UNRECORDED
    return RecordedState(0, mirrored, is_known=True)


def _is_stale_read(
    events: Sequence[AuditEvent], last: RecordedState, snapshot: Redacted | None
) -> bool:
    if not last.is_known:
        return False
    return stale_reads.find_contradiction(events, last.snapshot, snapshot) is not None


def reject_stale_read(sid: str, snapshot: Redacted | None, read: ReadStart) -> None:
    """Raise `StaleRead` if a read of one flow does not show an event of the minute before it.

    Events after the start of the read are ignored.
    """
    events = stale_reads.recent_events([sid], at=read.at).get(sid, [])
    recent = [event for event in events if event.seq <= read.seq]
    if not recent:
        return
    last = last_recorded_states([sid])[sid]
    if not last.is_known or last.seq > read.seq:
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
    last: RecordedState,
    snapshot: Redacted | None,
    *,
    is_baseline: bool,
) -> Observation:
    before = last.known_snapshot
    payload = _build_payload(before, snapshot)
    if snapshot is None:
        return Observation(
            action=DriftAction.DRIFT, account_sid=account_sid, target_sid=sid, payload=payload
        )
    is_first_state = _is_first_state(last, is_baseline=is_baseline)
    return Observation(
        action=DriftAction.BASELINE if is_first_state else DriftAction.DRIFT,
        account_sid=account_sid,
        target_sid=sid,
        changed_fields=changes_between(before, snapshot) if before else [],
        created_at=parse_datetime(snapshot.get("date_created")),
        payload=payload,
    )


def _is_first_state(last: RecordedState, *, is_baseline: bool) -> bool:
    """Return True if a state has no usable predecessor and its flow is not new at Twilio."""
    if last is UNRECORDED:
        return is_baseline
    return not last.is_known


def _build_payload(before: Redacted | None, after: Redacted | None) -> Payload:
    described: Mapping[str, Any] = after or before or {}
    return Payload(
        friendly_name=FLEX_FLOW.name_of(described),
        contact_identity=FLEX_FLOW.identity_of(described),
        before=before,
        after=after,
    )
