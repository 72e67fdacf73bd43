"""Actions of reading flows from Twilio and of showing them."""

from __future__ import annotations

from flows.audit.action_registry import Action
from flows.audit.field_labels import inline_label
from flows.audit.models import AuditEvent
from flows.twilio.flex.flex_flow import FLEX_FLOW


class MirrorAction(Action):
    VIEW = "flow.view", "Viewed flows", "View flows"
    SYNC = "flow.sync", "Synced with Twilio", "Sync with Twilio"
    FIELD = "account.field", "New field at Twilio", "New field at Twilio", True

    def sentence(self, event: AuditEvent) -> str:
        """Return an event as a short sentence. A new field at Twilio is named."""
        if self is not MirrorAction.FIELD:
            return super().sentence(event)
        name = next(iter(event.changed_fields), "")
        if name in FLEX_FLOW.by_name:
            return f"Read-only field changed at Twilio: {inline_label(name)}"
        return f"{self.label}: {name}" if name else self.label
