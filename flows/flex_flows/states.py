"""States of a flow and of its open change, with their labels.

A value of `enabled` that Twilio doesn't send, or that can't be read, never counts as on or off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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


def is_on(flow: Mapping[str, Any]) -> bool:
    """Return True if this snapshot of a flow is on, however Twilio wrote the value."""
    return FLEX_FLOW.normalize_value("enabled", flow.get("enabled")) is True


def find_turn_off(sid: str, history: Iterable[AuditEvent]) -> AuditEvent | None:
    """Return the event that turned a flow off last, or None if that is not in its history.

    `history` has applied and other events, the latest first.
    """
    for event in history:
        is_own = event.target_sid == sid and event.is_applied
        if is_own and "enabled" in event.changed_fields:
            return event if _turns_off(event) else None
    return None


def _turns_off(event: AuditEvent) -> bool:
    """Return True if the flow was on before the event and isn't after it."""
    payload = event.stored_payload
    if payload is None or not is_on(payload.values_before):
        return False
    return not is_on(payload.resulting_values)


def mark_under_way(event: AuditEvent | None) -> AuditEvent | None:
    """Set `is_under_way` on the latest event of an open change.

    An attempt that is older than any call can be is no longer under way.
    """
    if event is None:
        return None
    is_recent = event.at >= timezone.now() - ATTEMPT_TIMEOUT
    is_pending = event.result == Result.PENDING
    event.is_under_way = is_pending and is_recent  # type: ignore[attr-defined]
    return event
