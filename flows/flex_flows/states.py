"""States of a flow (on, off and what lies between) as words, shapes and sentences. What Twilio does not say,
or says in a way that nobody understands, is never taken for on or off."""

from __future__ import annotations

from typing import Any, Final

from flows.twilio.flex import flex_flow

# By state: the class that gives it its shape and colour, and its word.
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
    """The state of a row of the mirror: one of `STATUSES`."""
    if flow.gone_at:
        return "gone"
    sent = flow.value("enabled")
    enabled = (
        flow.enabled if flow.enabled is not None else flex_flow.normalize_value("enabled", sent)
    )
    if isinstance(enabled, bool):
        return "on" if enabled else "off"
    return "unset" if flex_flow.is_readable("enabled", sent) else "unread"
