"""Actions that the audit package records, and observations of flows, whose inbox it keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flows.audit.action_registry import Action
from flows.audit.field_labels import join_labels
from flows.audit.models import AuditEvent

# The content of an export of the log, as its event records it.
EVERY_EVENT: Final = "every event"
CHANGES: Final = "changes"


class AuditAction(Action):
    VIEW = "audit.view", "Viewed the audit log", "View the audit log"
    EXPORT = "audit.export", "Exported the audit log", "Export the audit log"
    FOLLOW = "audit.follow", "Followed the audit log", "Follow the audit log"
    VERIFY = "audit.verify", "Verified the audit log", "Verify the audit log"
    CHECKPOINT = (
        "audit.checkpoint",
        "Exported a signed checkpoint",
        "Export a signed checkpoint",
    )
    ERASE = "audit.erase", "Erased personal data", "Erase personal data"
    RESTORE = "audit.restore", "Restored database triggers", "Restore database triggers"

    def sentence(self, event: AuditEvent) -> str:
        """Return an event as a short sentence. An export says what the file has."""
        sentence = super().sentence(event)
        if self is AuditAction.EXPORT and event.stored_payload:
            return sentence + _describe_export(event.stored_payload.requested_values)
        return sentence


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


def _describe_export(requested: Mapping[str, Any]) -> str:
    """Return an export's content, such as ": changes from 2026-10-01 to 2026-10-31, CSV".

    It says whatever else the file leaves out. An older version didn't record which events the file
    has. Nothing is left of the content once the payload is erased.
    """
    if not requested:
        return ""
    filters = dict(requested.get("filters") or {})
    filters.pop("time zone", None)
    first_day, last_day = filters.pop("from", ""), filters.pop("to", "")
    account_sids = str(filters.pop("accounts", "")).split()
    parts = [
        requested.get("content", "events") + _describe_period(first_day, last_day),
        _describe_accounts(len(account_sids)),
        "filtered" if filters else "",
        f"after event {requested['after']}" if requested.get("after") else "",
        str(requested.get("format", "")).upper(),
    ]
    return ": " + ", ".join(filter(None, parts))


def _describe_accounts(number: int) -> str:
    """Return how many accounts an export is limited to, or "" without a limit."""
    if not number:
        return ""
    return "of 1 account" if number == 1 else f"of {number} accounts"


def _describe_period(first_day: str, last_day: str) -> str:
    """Return days as " from … to …", without a first day as " until …"."""
    if first_day and last_day:
        return f" from {first_day} to {last_day}"
    if first_day:
        return f" from {first_day}"
    return f" until {last_day}" if last_day else ""
