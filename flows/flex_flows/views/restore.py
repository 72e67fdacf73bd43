"""Bringing an earlier state back: what the edit form, or the form for a new flow, begins with. Saving it is a
change like any other, which refers to the event that the state is from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from flows.audit.access import Request, readable_event
from flows.audit.models import AuditEvent, OpenDrift
from flows.core.opened_forms import carried_value
from flows.mirror import drift
from flows.redaction.masking import has_mask, redact, replace_unstorable
from flows.twilio import labels
from flows.twilio.flex import flex_flow


@dataclass(frozen=True, slots=True)
class Restore:
    """A state of a flow from the log: how it was `after` the event, or `before` it. `initial` is for the form;
    `secrets` are fields whose value was masked and has to be typed again; `kept` are fields that had no value
    then and that Twilio does not let one empty; `rows` say what it would change."""

    event: AuditEvent
    state: str
    initial: dict[str, Any] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def asked_for(
        cls, request: Request, *, sid: str = "", live: Mapping[str, Any] | None
    ) -> Self | None:
        """From the address: `restore`, an event's id, and `state`. None if it is of no event of this flow, or its
        contents are not on record. `live` is the flow as it is now, None if it is to be made anew."""
        event = readable_event(carried_value(request, "restore"), request)
        if event is None or (sid and event.target_sid != sid) or not hasattr(event, "payload"):
            return None
        state = "before" if carried_value(request, "state") == "before" else "after"
        snapshot = getattr(event.payload, state)
        if snapshot and state == "before" and live is not None:
            snapshot = _exclude_own_changes(event, snapshot, live)
        return cls(event, state, *_build_proposal(snapshot, live)) if snapshot else None


def _exclude_own_changes(
    event: AuditEvent, snapshot: Mapping[str, Any], live: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Undoing what is in the inbox touches what was found changed, and not what we changed since."""
    waiting = OpenDrift.objects.filter(target_sid=event.target_sid).select_related("event__payload")
    events = [item.event for item in waiting.order_by("event")]
    if event not in events:
        return snapshot
    before, _ = drift.net_change(events[events.index(event) :])
    return {**redact(replace_unstorable(dict(live))), **before}


def _build_proposal(
    snapshot: Mapping[str, Any], live: Mapping[str, Any] | None
) -> tuple[dict[str, Any], list[str], list[str], list[dict[str, Any]]]:
    now = live or {}
    seen = redact(replace_unstorable(dict(now)))
    initial: dict[str, Any] = {}
    secrets, kept, rows = [], [], []
    for entry in flex_flow.WRITABLE_FIELDS:
        name, value = entry.name, snapshot.get(entry.name)
        if flex_flow.is_same_value(name, value, seen.get(name)):
            initial[name] = now.get(name)  # the secret itself, where there is one
            continue
        if value in (None, "") and entry.kind in ("enum", "boolean") and not entry.of_integration:
            kept.append(entry.label)
            initial[name] = now.get(name)
            continue
        if has_mask(value):
            secrets.append(entry.label)
        initial[name] = value
        rows.append(
            {
                "label": entry.label,
                "now": labels.display_value(name, seen.get(name)),
                "then": labels.display_value(name, value),
            }
        )
    return initial, secrets, kept, rows
