"""The reason why a change of a bulk change was not applied, from its event in the audit log."""

from __future__ import annotations

from typing import Final

from flows.audit.event_text import refusal
from flows.audit.models import AuditEvent, Result

_CONFLICT_MESSAGE: Final = "It has changed at Twilio since the preview. Nothing was sent."


def failure_message(event: AuditEvent) -> str:
    """Return the event's message with Twilio's status and code."""
    message = event.payload.message
    twilio_error = refusal(event)
    if twilio_error:
        return f"{message} ({twilio_error})".lstrip()
    if event.result == Result.CONFLICT:
        return message or _CONFLICT_MESSAGE  # old events don't name the fields
    return message
