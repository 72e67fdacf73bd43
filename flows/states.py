"""States of a flow (on, off and what lies between) as words, shapes and sentences. What Twilio does not say,
or says in a way that nobody understands, is never taken for on or off."""

from __future__ import annotations

from typing import Any, Final

from flows.flexapi import schema

# By state: the class that gives it its shape and colour, and its word.
STATUSES: Final = {
    "gone": ("gone", "Deleted"),
    "on": ("on", "On"),
    "off": ("off", "Off"),
    "unset": ("none", "Not set"),
    "unread": ("doubt", "Unclear"),
}
RECEPTIONS: Final = {
    "gone": "Deleted at Twilio",
    "on": "Receiving messages",
    "off": "Not receiving messages",
    "unset": "Twilio doesn't say whether it receives messages",
    "unread": "Unclear whether it receives messages",
}


def state_of(flow: Any) -> str:
    """The state of a row of the mirror: one of `STATUSES`."""
    if flow.gone_at:
        return "gone"
    sent = flow.value("enabled")
    enabled = flow.enabled if flow.enabled is not None else schema.normalised("enabled", sent)
    if isinstance(enabled, bool):
        return "on" if enabled else "off"
    return "unset" if schema.is_understood("enabled", sent) else "unread"
