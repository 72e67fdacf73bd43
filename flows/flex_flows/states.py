"""States of a flow and of its open change, with their labels.

A value of `enabled` that Twilio doesn't send, or that can't be read, never counts as on or off.
"""

from __future__ import annotations

from typing import Any, Final

from django.utils import timezone

from flows.accounts.clients import ATTEMPT_TIMEOUT
from flows.audit.models import AuditEvent, Result
from flows.twilio.flex.flex_flow import FLEX_FLOW

# By state: its CSS class and its label.
STATE_LABELS: Final = {
    "gone": ("gone", "Deleted"),
    "on": ("on", "On"),
    "off": ("off", "Off"),
    "unset": ("none", "Not set"),
    "unread": ("doubt", "Unclear"),
}
STATE_DESCRIPTIONS: Final = {
    "gone": "Deleted at Twilio",
    "on": "Receiving messages",
    "off": "Not receiving messages",
    "unset": "Twilio doesn't say whether it receives messages",
    "unread": "Unclear whether it receives messages",
}


def flow_state(flow: Any) -> str:
    """Return the state of a row of the mirror, a key of `STATE_LABELS`."""
    if flow.gone_at:
        return "gone"
    enabled = _enabled_value(flow)
    if enabled is True:
        return "on"
    if enabled is False:
        return "off"
    if enabled is None:
        return "unset"
    return "unread"


def _enabled_value(flow: Any) -> Any:
    """Return a boolean, None if Twilio doesn't say, or a value that can't be read."""
    if flow.enabled is not None:
        return flow.enabled
    return FLEX_FLOW.normalize_value("enabled", flow.value("enabled"))


def mark_under_way(event: AuditEvent | None) -> AuditEvent | None:
    """Set `is_under_way` on the latest event of an open change.

    An attempt that is older than any call can be is no longer in progress.
    """
    if event is None:
        return None
    is_recent = event.at >= timezone.now() - ATTEMPT_TIMEOUT
    is_pending = event.result == Result.PENDING
    event.is_under_way = is_pending and is_recent  # type: ignore[attr-defined]
    return event
