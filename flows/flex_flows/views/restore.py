"""An earlier version of a flow as the start of the edit form, or of the form for a new flow.

Saving it is a change like any other. It refers to the event that the version is from.
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
from flows.twilio.flex.flex_flow import FLEX_FLOW


@dataclass(frozen=True, slots=True)
class Restore:
    """A version of a flow from the log: `after` an event, or `before` it (`state`).

    `initial` is for the form, and `rows` are the fields that would change. `secrets` are fields to
    enter again, because their value is masked. `unclearable` are fields that were empty, but that
    Twilio doesn't allow to clear.
    """

    event: AuditEvent
    state: str
    initial: dict[str, Any] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)
    unclearable: list[str] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def from_request(
        cls, request: Request, *, sid: str = "", live: Mapping[str, Any] | None
    ) -> Self | None:
        """Return the version in the address: `restore`, an event's id, and `state`.

        `live` is the flow at Twilio, or None if it is to be created again. Return None if the event
        is not of this flow, or if its contents are not stored.
        """
        event = readable_event(carried_value(request, "restore"), request)
        if event is None or (sid and event.target_sid != sid) or not hasattr(event, "payload"):
            return None
        state = "before" if carried_value(request, "state") == "before" else "after"
        version = getattr(event.payload, state)
        if not version:
            return None
        if state == "before" and live is not None:
            version = _exclude_own_changes(event, version, live)
        restore = cls(event, state)
        restore._add_fields(version, live or {})
        return restore

    def _add_fields(self, version: Mapping[str, Any], live: Mapping[str, Any]) -> None:
        redacted = redact(replace_unstorable(dict(live)))
        for entry in FLEX_FLOW.writable_fields:
            name = entry.name
            value, live_value = version.get(name), redacted.get(name)
            if FLEX_FLOW.is_same_value(name, value, live_value):
                self.initial[name] = live.get(name)  # unmasked
                continue
            is_choice = entry.kind in ("enum", "boolean") and not entry.is_nested
            if is_choice and value in (None, ""):
                self.unclearable.append(entry.label)
                self.initial[name] = live.get(name)
                continue
            if has_mask(value):
                self.secrets.append(entry.label)
            self.initial[name] = value
            row = {
                "label": entry.label,
                "now": labels.display_value(FLEX_FLOW, name, live_value),
                "then": labels.display_value(FLEX_FLOW, name, value),
            }
            self.rows.append(row)


def _exclude_own_changes(
    event: AuditEvent, version: Mapping[str, Any], live: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return the version that reverts only external changes, if the event is in the inbox.

    Changes that were made here since then stay.
    """
    drift_items = OpenDrift.objects.filter(target_sid=event.target_sid).select_related(
        "event__payload"
    )
    events = [item.event for item in drift_items.order_by("event")]
    if event not in events:
        return version
    before, _ = drift.net_change(events[events.index(event) :])
    return {**redact(replace_unstorable(dict(live))), **before}
