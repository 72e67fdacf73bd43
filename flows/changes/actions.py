"""Actions that change a flow at Twilio, and the decision about an unknown outcome."""

from __future__ import annotations

from flows.audit.action_registry import Action
from flows.audit.field_labels import join_labels
from flows.audit.models import AuditEvent
from flows.twilio.flex.flex_flow import FLEX_FLOW


class ChangeAction(Action):
    CREATE = "flow.create", "Created", "Create"
    UPDATE = "flow.update", "Changed", "Change"
    DELETE = "flow.delete", "Deleted", "Delete"
    DECIDE = "flow.decide", "Decided an outcome", "Decide an outcome"

    def sentence(self, event: AuditEvent) -> str:
        """Return an event as a short sentence. An update names the changed fields."""
        if self is not ChangeAction.UPDATE:
            return super().sentence(event)
        if event.changed_fields == ["enabled"]:
            verb = "Turned" if event.is_applied else "Turn"
            return f"{verb} {_switch_direction(event)}"
        changed = join_labels(event.changed_fields) or "a flow"
        return f"{super().sentence(event)} {changed}"


def _switch_direction(event: AuditEvent) -> str:
    """Return "on" or "off", or "on or off" if the payload does not tell."""
    payload = event.stored_payload
    values = payload.resulting_values if payload else {}
    enabled = FLEX_FLOW.normalize_value("enabled", values.get("enabled"))
    if not isinstance(enabled, bool):
        return "on or off"
    return "on" if enabled else "off"
