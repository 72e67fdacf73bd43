"""The action that records what Twilio's Monitor says about an external change."""

from __future__ import annotations

from flows.audit.action_registry import Action
from flows.audit.models import AuditEvent


class MonitorAction(Action):
    ANSWER = (
        "external_change.attributed",
        "Events at Twilio Monitor about an external change",
        "Events at Twilio Monitor about an external change",
    )


def is_monitor_answer(event: AuditEvent) -> bool:
    """Return True for an event with what Twilio's Monitor says, which changes nothing itself."""
    return event.action == MonitorAction.ANSWER
