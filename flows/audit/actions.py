"""Actions that the audit package records, and observations of flows, whose inbox it keeps."""

from __future__ import annotations

from flows.audit.action_registry import Action
from flows.audit.field_labels import join_labels
from flows.audit.models import AuditEvent


class AuditAction(Action):
    VIEW = "audit.view", "Viewed the audit log", "View the audit log"
    EXPORT = "audit.export", "Exported the audit log", "Export the audit log"
    VERIFY = "audit.verify", "Verified the audit log", "Verify the audit log"
    CHECKPOINT = (
        "audit.checkpoint",
        "Exported a signed checkpoint",
        "Export a signed checkpoint",
    )
    ERASE = "audit.erase", "Erased personal data", "Erase personal data"
    RESTORE = "audit.restore", "Restored database triggers", "Restore database triggers"


class DriftAction(Action):
    DRIFT = "flow.drift", "External change", "External change"
    BASELINE = "flow.baseline", "First synced", "First sync", True
    ACCEPT = "flow.accept", "Accepted an external change", "Accept an external change"

    def sentence(self, event: AuditEvent) -> str:
        """Return an event as a short sentence. Drift says what changed at Twilio."""
        if self is DriftAction.DRIFT:
            return _drift_sentence(event)
        return super().sentence(event)


def _drift_sentence(event: AuditEvent) -> str:
    """Return what changed at Twilio, as far as the event and its payload still tell it."""
    if event.changed_fields:
        return f"Changed at Twilio: {join_labels(event.changed_fields)}"
    payload = event.stored_payload
    if payload is None or payload.erased_at:
        return DriftAction.DRIFT.label
    if payload.after is None:
        return "Deleted at Twilio"
    return "Created at Twilio"
