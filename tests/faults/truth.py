"""Comparison of the sandbox's knowledge with the log, for tests with random histories.

The sandbox's request record has our writes, `outside` those of others. Each check returns sentences
about violations.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flows.audit import verification
from flows.audit.models import UNIQUE_STAGES, AuditEvent, OpenChange, OpenDrift
from flows.mirror import drift
from flows.mirror.models import Flow
from flows.redaction.masking import redact, replace_unstorable
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.sandbox.request_log import RequestRecord
from flows.twilio.sandbox.server import Sandbox

APPLIED_RESULTS = ("succeeded", "applied")
NOT_APPLIED_RESULTS = ("failed", "not_applied", "conflict", "denied")
INTEGRATION_FIELDS = {entry.name for entry in FLEX_FLOW.nested_fields}


@dataclass
class ExternalChanges:
    """Changes of others at Twilio: created and deleted flows, and every value set in a field."""

    made: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    edits: set[tuple[str, str, Any]] = field(default_factory=set)


def applied_requests(sandbox: Sandbox, sent: Mapping[int, UUID]) -> dict[UUID, list[RequestRecord]]:
    """Return the requests that the sandbox applied, by the change that sent them."""
    by_change: dict[UUID, list[RequestRecord]] = {}
    for request in sandbox.requests:
        if request.applied and request.n in sent:
            by_change.setdefault(sent[request.n], []).append(request)
    return by_change


def find_violations(
    sandbox: Sandbox, sent: Mapping[int, UUID], outside: ExternalChanges
) -> list[str]:
    """Return violations of the rules that hold at any moment."""
    applied = applied_requests(sandbox, sent)
    events = list(AuditEvent.objects.select_related("payload").order_by("seq"))
    verdict = verification.verify()
    return [
        *([f"event {verdict.bad_seq} {verdict.fault}"] if verdict.bad_seq else []),
        *_check_changes(events, applied),
        *_check_open_changes(events),
        *_check_inbox(events),
        *_check_external_changes(events, applied, outside),
        *_check_continuity(events),
    ]


def find_differences(sandbox: Sandbox) -> list[str]:
    """Return differences of mirror and log from the sandbox, once every change is resolved."""
    twilio_flows = {sid: to_stored(flow) for sid, flow in sandbox.flows.items()}
    rows = {flow.sid: None if flow.gone_at else flow.resource for flow in Flow.objects.all()}
    recorded_states = drift.last_recorded_states({*twilio_flows, *rows})
    differences = []
    for sid in {*twilio_flows, *rows}:
        flow, state = twilio_flows.get(sid), recorded_states.get(sid)
        if drop_url(rows.get(sid)) != flow:
            differences.append(f"the copy of {sid} is {rows.get(sid)}, the flow {flow}")
        if state is None or not state.is_known or _differing_fields(state.snapshot, flow):
            differences.append(f"the log's last state of {sid} is {state}, the flow {flow}")
    return differences


def to_stored(flow: Mapping[str, Any]) -> dict[str, Any]:
    return dict(redact(replace_unstorable(FLEX_FLOW.decode(flow))))


def drop_url(snapshot: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return snapshot and {name: value for name, value in snapshot.items() if name != "url"}


def _differing_fields(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> list[str]:
    if one is None or other is None:
        return [] if one is other else ["sid"]
    return drift.changes_between(one, other)


def _check_changes(
    events: list[AuditEvent], applied: dict[UUID, list[RequestRecord]]
) -> Iterator[str]:
    attempted = {event.change_id for event in events if event.stage == "attempt"}
    for change_id, requests in applied.items():
        if change_id not in attempted:
            yield f"applied without an attempt: {requests}"
        if len(requests) > 1:
            yield f"applied twice: {requests}"
    for event in events:
        if event.stage not in UNIQUE_STAGES:
            continue
        if event.result in NOT_APPLIED_RESULTS and event.change_id in applied:
            yield f"recorded {event.result}, but applied: {event}"
        if event.result in APPLIED_RESULTS and event.change_id not in applied:
            yield f"recorded {event.result}, but not applied: {event}"
        applied_sids = [request.sid for request in applied.get(event.change_id, [])]
        if event.result in APPLIED_RESULTS and applied_sids and applied_sids != [event.target_sid]:
            yield f"recorded of another flow than the one that was changed: {event}, {applied_sids}"


def _check_open_changes(events: list[AuditEvent]) -> Iterator[str]:
    latest: dict[UUID, AuditEvent] = {}
    settled = set()
    for event in events:
        if event.change_id and event.stage in UNIQUE_STAGES:
            latest[event.change_id] = event
            if event.stage != "attempt" and event.result != "unknown":
                settled.add(event.change_id)
    expected = {
        change_id: event.seq for change_id, event in latest.items() if change_id not in settled
    }
    open_changes = dict(OpenChange.objects.values_list("change_id", "latest"))
    if open_changes != expected:
        yield f"open by the log: {expected}, by the table: {open_changes}"


def _check_inbox(events: list[AuditEvent]) -> Iterator[str]:
    """Check that external changes stay in the inbox until a user handles them or their flow."""
    by_id = {event.event_id: event for event in events}
    dealt_with = [
        (event, by_id[event.refers_to])
        for event in events
        if event.refers_to in by_id and event.result in APPLIED_RESULTS
    ]
    accepted = [one for event, one in dealt_with if event.action == "flow.accept"]
    drift_events = [event for event in events if event.action == "flow.drift"]
    inbox = set(OpenDrift.objects.values_list("event", flat=True))
    if extra := inbox - {event.seq for event in drift_events}:
        yield f"in the inbox, and nothing that others did: {extra}"
    for event in drift_events:
        if event.seq in inbox and event in accepted:
            yield f"accepted, and yet in the inbox: {event}"
        if event.seq not in inbox and not any(
            by.seq > event.seq and one.target_sid == event.target_sid for by, one in dealt_with
        ):
            yield f"gone from the inbox, and nobody dealt with it: {event}"


def _check_external_changes(
    events: list[AuditEvent], applied: dict[UUID, list[RequestRecord]], outside: ExternalChanges
) -> Iterator[str]:
    """Check that drift events describe changes of others and none of ours."""
    made_here = {
        request.sid
        for requests in applied.values()
        for request in requests
        if request.method == "POST" and request.path.endswith("/FlexFlows")
    }
    for event in events:
        if event.stage != "observed":
            continue
        before, after = event.payload.before, event.payload.after
        if before is None and (
            event.target_sid in made_here or event.target_sid not in outside.made
        ):
            yield f"observed as made by others: {event}"
        if after is None and event.target_sid not in outside.deleted:
            yield f"observed as deleted by others: {event}"
        if before and after:
            for name in event.changed_fields:
                if (event.target_sid, name, after.get(name)) not in outside.edits:
                    yield f"observed as changed by others: {event} {name} {before.get(name)} {after.get(name)}"


def _check_continuity(events: list[AuditEvent]) -> Iterator[str]:
    """Check that each recorded state is the previous one plus the event's own changes."""
    telling = [
        event
        for event in events
        if event.stage == "observed"
        or (event.stage in UNIQUE_STAGES and event.result in APPLIED_RESULTS)
    ]
    states: dict[str, Any] = {}
    owed: dict[str, tuple[AuditEvent, list[str]]] = {}
    for event in telling:
        sid, payload = event.target_sid, event.payload
        after = payload.after
        if event.stage == "observed":
            if sid in owed:
                expected = owed.pop(sid)[1]
                if not set(expected) <= set(event.changed_fields):
                    yield f"leap: {event} tells not of {expected}"
            elif event.action == "flow.drift" and _differing_fields(
                states.get(sid), payload.before
            ):
                yield f"leap: {event} begins elsewhere than where the log was: {states.get(sid)}, {payload.before}"
        elif event.action != "flow.delete":
            before = after if event.action == "flow.create" else states.get(sid)
            expected = {**(before or {}), **(payload.requested or {})}
            names = set(payload.requested or {})
            ignored = INTEGRATION_FIELDS if "integration_type" in names else set()
            leap = [name for name in _differing_fields(expected, after) if name not in ignored]
            if sid in owed:
                yield f"leap: nothing tells of {owed.pop(sid)}"
            if leap:
                owed[sid] = (event, leap)
        states[sid] = after
    for event, names in owed.values():
        yield f"leap: nothing tells of {names} in {event}"
