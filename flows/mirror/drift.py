"""Drift: what is found at Twilio and nobody made here. What was read is compared with the last state that the log
has of the flow; a difference becomes an observed event, attributed to nobody, and waits in the inbox until a
person accepts or undoes it. A flow's first state is its baseline, which is no drift.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max
from django.utils import timezone

from flows.accounts import twilio_accounts
from flows.audit import audit_log, log_paging
from flows.audit.audit_batch import BatchEvent, append_batch
from flows.audit.audit_log import Actor, Observation, Payload
from flows.audit.models import AuditEvent, AuditPayload, OpenDrift
from flows.mirror import readonly_fields, stale_reads
from flows.redaction.masking import redact, replace_unstorable
from flows.twilio.flex import flex_flow
from flows.twilio.flex.flex_flow import Snapshot

BATCH = 500


@dataclass(frozen=True, slots=True)
class RecordedState:
    """A flow as the log last has it, by the event `seq`: None once it is deleted. Not `is_known`: what the event
    said was erased, or Twilio gave no state with it."""

    seq: int
    snapshot: Snapshot | None
    is_known: bool


def last_recorded_states(sids: Iterable[str]) -> dict[str, RecordedState]:
    """The last state on record of each of these flows that has one."""
    found: dict[str, RecordedState] = {}
    wanted = list(sids)
    for start in range(0, len(wanted), BATCH):
        telling = AuditEvent.objects.filter(
            stale_reads.STATE_EVENTS, target_sid__in=wanted[start : start + BATCH]
        )
        newest = (
            telling.order_by()
            .values("target_sid")
            .annotate(last=Max("seq"))
            .values_list("last", flat=True)
        )
        rows = AuditPayload.objects.filter(event__in=list(newest)).values_list(
            "event__target_sid", "event__seq", "event__action", "after", "erased_at"
        )
        for sid, seq, action, after, erased_at in rows:
            is_known = erased_at is None and (
                after is not None or action in ("flow.delete", "flow.drift")
            )
            # Masked again: an older version masked less, and what has not changed must not look as if it had.
            found[sid] = RecordedState(seq, redact(after), is_known)
    return found


def changes_between(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    """Return the fields in which two states of a flow differ, those that nobody can write left out."""
    return flex_flow.changed_writable_fields(before, after)


def is_same(one: Snapshot | None, other: Snapshot | None) -> bool:
    """Whether two states of a flow say the same; None is one that Twilio does not have."""
    if one is None or other is None:
        return one is other
    return not changes_between(one, other)


def record_differences(
    found: Mapping[str, Snapshot | None],
    *,
    account_sid: str,
    read_at: int,
    is_baseline: bool,
    mirrored_snapshots: Mapping[str, Snapshot | None],
    at: datetime | None = None,
) -> dict[str, int]:
    """Puts on record what a read that began at `read_at` (a `last_seq`) found otherwise than the log has it; None
    stands for a flow that Twilio does not have. `is_baseline`: what is new was there before this dashboard. Where
    the log has nothing of a flow, what the copy has of it (`mirrored_snapshots`) is its last state. `at` is when the read began.
    The flows that the log now has as they were found, with the event that says so; the others are our own changes'
    to tell, or were read too early to count (settling.py)."""
    known = last_recorded_states(found)
    recent = stale_reads.recent_events(known, at=at or timezone.now())
    as_found: dict[str, int] = {}
    observations: list[Observation] = []
    fields: list[tuple[Snapshot | None, Snapshot]] = []
    for sid, snapshot in found.items():
        state = known.get(sid)
        if state is None and not is_baseline and (seen := mirrored_snapshots.get(sid)) is not None:
            state = RecordedState(
                0, seen, is_known=True
            )  # its baseline was held up by a change of ours
        if state and (state.seq > read_at or _is_stale_read(recent.get(sid), state, snapshot)):
            continue
        if snapshot is not None:
            fields.append(
                (mirrored_snapshots.get(sid) or (state.snapshot if state else None), snapshot)
            )
        is_as_known = (
            state.is_known and is_same(state.snapshot, snapshot) if state else snapshot is None
        )
        if is_as_known:
            as_found[sid] = state.seq if state else 0
        else:
            observations.append(
                _build_observation(account_sid, sid, state, snapshot, is_baseline=is_baseline)
            )
    for start in range(0, len(observations), BATCH):
        events = audit_log.observe(observations[start : start + BATCH], read_seq=read_at)
        as_found.update((event.target_sid, event.seq) for event in events)
    readonly_fields.record_new_fields(account_sid, fields)
    return as_found


def _is_stale_read(
    events: list[AuditEvent] | None, state: RecordedState, snapshot: Snapshot | None
) -> bool:
    return bool(
        events
        and state.is_known
        and stale_reads.find_contradiction(events, state.snapshot, snapshot) is not None
    )


def reject_stale_read(sid: str, seen: Snapshot | None, *, read_at: int, at: datetime) -> None:
    """Raise `StaleRead` if the log has something of the minute before `at` that this read does not show yet. What came
    after the read began (`read_at`, a `last_seq`) says nothing about it."""
    recent = stale_reads.recent_events([sid], at=at).get(sid, [])
    recent = [event for event in recent if event.seq <= read_at]
    if not recent:
        return
    state = last_recorded_states([sid])[sid]
    if state.is_known and (event := stale_reads.find_contradiction(recent, state.snapshot, seen)):
        raise stale_reads.StaleRead(event, confirmed=state.snapshot, seen=seen)


def dependent_fields(asked: Iterable[str]) -> set[str]:
    """The fields that a change of these may move: those of the integration hang on its type."""
    moved = set(asked)
    if "integration_type" in moved:
        moved.update(entry.name for entry in flex_flow.INTEGRATION_FIELDS)
    return moved


def find_concurrent_edit(
    sid: str, *, account_sid: str, before: Snapshot, asked: Iterable[str], after: Snapshot
) -> Observation | None:
    """What a flow has after one of our changes that it had not before and that was not `asked` for: somebody else's
    edit, made at Twilio between our reading and our writing. It goes on record with the change's outcome."""
    ours = dependent_fields(asked)
    before, after = redact(replace_unstorable(before)), redact(replace_unstorable(after))
    expected = {name: value for name, value in before.items() if name not in ours}
    expected |= {name: value for name, value in after.items() if name in ours}
    changed = changes_between(expected, after)
    if not changed:
        return None
    return Observation(
        action="flow.drift",
        account_sid=account_sid,
        target_sid=sid,
        changed_fields=changed,
        payload=_build_payload(expected, after),
    )


def accept(*, event: AuditEvent, reason: str, actor: Actor) -> AuditEvent:
    """Takes what was found of a flow, up to this event, for good: it leaves the inbox."""
    (accepted,) = append_batch([build_acceptance(event=event, reason=reason, actor=actor)])
    return accepted


def build_acceptance(*, event: AuditEvent, reason: str, actor: Actor) -> BatchEvent:
    """Return what the log says of an acceptance, for `append_together`."""
    return BatchEvent(
        action="flow.accept",
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
    """What nobody has dealt with yet, in these accounts: the events of each flow in order, the flow with the latest
    first."""
    waiting = log_paging.filter_accounts(OpenDrift.objects.all(), scope, "event")
    waiting = waiting.select_related("event__payload").order_by("event")
    flows: dict[str, list[AuditEvent]] = {}
    for item in waiting:
        flows.setdefault(item.target_sid, []).append(item.event)
    return sorted(flows.values(), key=lambda events: -events[-1].seq)


def net_change(events: Iterable[AuditEvent]) -> tuple[Snapshot, Snapshot]:
    """What the fields that these events of one flow found changed were before the first of them, and after the
    last: what we changed in between is ours, and not in it."""
    before: Snapshot = {}
    after: Snapshot = {}
    for event in events:
        for name in event.changed_fields:
            before.setdefault(name, (event.payload.before or {}).get(name))
            after[name] = (event.payload.after or {}).get(name)
    return before, after


def _build_observation(
    account_sid: str,
    sid: str,
    state: RecordedState | None,
    snapshot: Snapshot | None,
    *,
    is_baseline: bool,
) -> Observation:
    before = state.snapshot if state and state.is_known else None
    is_first = state is None or not state.is_known
    return Observation(
        action="flow.baseline"
        if is_first and (is_baseline or state) and snapshot
        else "flow.drift",
        account_sid=account_sid,
        target_sid=sid,
        changed_fields=changes_between(before, snapshot) if before and snapshot else [],
        created_at=flex_flow.parse_datetime((snapshot or {}).get("date_created")),
        payload=_build_payload(before, snapshot),
    )


def _build_payload(before: Snapshot | None, after: Snapshot | None) -> Payload:
    shown = after or before or {}
    return Payload(
        friendly_name=str(shown.get("friendly_name") or ""),
        contact_identity=str(shown.get("contact_identity") or ""),
        before=before,
        after=after,
    )
