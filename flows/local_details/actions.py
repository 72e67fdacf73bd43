"""The action that changes a flow's owner, tags or note."""

from __future__ import annotations

from flows.audit.action_registry import Action
from flows.audit.models import AuditEvent
from flows.local_details.fields import LABELS


class LocalDetailsAction(Action):
    CHANGE = "flow.details", "Changed owner, tags or note", "Change owner, tags or note"

    def sentence(self, event: AuditEvent) -> str:
        """Return an event as a short sentence that names the changed fields."""
        names = [LABELS[name].lower() for name in event.changed_fields if name in LABELS]
        if not names:
            return super().sentence(event)
        verb = "Changed" if event.is_applied else "Change"
        return f"{verb} {', '.join(names)}"


def is_about_details(event: AuditEvent) -> bool:
    """Return True for an event about a flow's owner, tags or note, not about the flow itself."""
    return event.action == LocalDetailsAction.CHANGE
