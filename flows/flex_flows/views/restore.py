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
from flows.redaction.masking import has_mask
from flows.redaction.redacted import redact_fields
from flows.twilio import labels
from flows.twilio.fields import Field
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
        if event is None or not hasattr(event, "payload"):
            return None
        if sid and event.target_sid != sid:
            return None
        state = "after"
        version: Mapping[str, Any] | None = event.payload.after
        if carried_value(request, "state") == "before":
            state = "before"
            version = event.payload.before
        if not version:
            return None
        if state == "before" and live is not None:
            version = _exclude_own_changes(event, version, live)
        restore = cls(event, state)
        restore._add_fields(version, live or {})
        return restore

    def _add_fields(self, version: Mapping[str, Any], live: Mapping[str, Any]) -> None:
        self.initial.update({name: live.get(name) for name in FLEX_FLOW.writable_names})
        redacted = redact_fields(live)
        for name in FLEX_FLOW.differing_fields(version, redacted, FLEX_FLOW.writable_names):
            entry = FLEX_FLOW.by_name[name]
            value = version.get(name)
            if _is_unclearable(entry) and value in (None, ""):
                self.unclearable.append(entry.label)
                continue
            if has_mask(value):
                self.secrets.append(entry.label)
            self.initial[name] = value
            row = {
                "label": entry.label,
                "now": labels.display_value(FLEX_FLOW, name, redacted.get(name)),
                "then": labels.display_value(FLEX_FLOW, name, value),
            }
            self.rows.append(row)


def _is_unclearable(entry: Field) -> bool:
    """Return True for a choice, which Twilio allows to change but not to clear."""
    return entry.kind in ("enum", "boolean") and not entry.is_nested


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
    return {**redact_fields(live), **before}
