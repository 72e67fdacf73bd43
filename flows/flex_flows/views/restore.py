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
from flows.flex_flows.forms import writable_values
from flows.local_details.actions import is_about_details
from flows.mirror import drift
from flows.names.named_sids import name_sids
from flows.redaction.masking import has_mask
from flows.redaction.redacted import redact_fields
from flows.twilio import labels
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.webhook_tests.actions import is_webhook_test


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
        cls, request: Request, *, sid: str = "", live: Mapping[str, Any]
    ) -> Self | None:
        """Return the version in the address: `restore`, an event's id, and `state`.

        `live` is the flow at Twilio, or empty if it is to be created again. Return None if the
        event is not of this flow, or if its contents are not stored.
        """
        event = _find_event(request, sid)
        if event is None:
            return None
        versions = {"before": event.payload.before, "after": event.payload.after}
        state = carried_value(request, "state")
        if state not in versions:
            state = "after"
        version: Mapping[str, Any] | None = versions[state]
        if not version:
            return None
        if state == "before" and live:
            version = _exclude_own_changes(event, version, live)
        restore = cls(event, state)
        restore._add_fields(version, live)
        name_sids(((event.account_sid or "", row) for row in restore.rows), ["now", "then"])
        return restore

    def _add_fields(self, version: Mapping[str, Any], live: Mapping[str, Any]) -> None:
        """Add the fields of the version, compared with those of the flow at Twilio."""
        self.initial.update(writable_values(live))
        redacted = redact_fields(live)
        for name in FLEX_FLOW.differing_fields(version, redacted, FLEX_FLOW.writable_names):
            entry = FLEX_FLOW.by_name[name]
            value = version.get(name)
            is_empty = value in (None, "")
            if is_empty and not entry.is_clearable:
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


def _find_event(request: Request, sid: str) -> AuditEvent | None:
    """Return the event in the address, or None if it is not stored or not of this flow.

    For a flow to create, `sid` is empty, and the event may be of any flow. An event about a flow's
    owner, tags and note, or about a test of its webhook, has no version of the flow.
    """
    event = readable_event(carried_value(request, "restore"), request)
    if event is None or event.stored_payload is None:
        return None
    if is_about_details(event) or is_webhook_test(event):
        return None
    if sid and event.target_sid != sid:
        return None
    return event


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
