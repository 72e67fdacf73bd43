"""Reads of the latest test of a flow's webhook, and the values of a test's event for its page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from flows.audit.models import AuditEvent, AuditPayload, Result
from flows.webhook_tests.actions import WebhookTestAction, is_result

LABELS: Final = {
    "integration_url": "Webhook URL",
    "text": "Message text",
    "signed": "Signed",
    "status": "HTTP status",
    "milliseconds": "Milliseconds",
    "answer": "Start of the answer",
}


@dataclass(frozen=True, slots=True)
class LatestTest:
    """A test's latest event. `has_result` is False while the result is not recorded."""

    event: AuditEvent
    has_result: bool
    status: int | None = None
    milliseconds: int | None = None
    answer: str = ""
    message: str = ""


def load_latest_test(sid: str) -> LatestTest | None:
    """Return the latest test that was sent to the webhook of a flow, or None."""
    test_events = AuditEvent.objects.filter(target_sid=sid, action=WebhookTestAction.TEST).exclude(
        result__in=(Result.DENIED, Result.CONFLICT)
    )
    event = test_events.select_related("payload").order_by("-seq").first()
    return read_test(event) if event else None


def read_test(event: AuditEvent) -> LatestTest:
    """Return a test by its latest event."""
    payload = event.stored_payload
    if payload is None or not is_result(event):
        return LatestTest(event, has_result=is_result(event))
    after = payload.values_after
    return LatestTest(
        event,
        has_result=True,
        status=after.get("status"),
        milliseconds=after.get("milliseconds"),
        answer=str(after.get("answer") or ""),
        message=payload.message,
    )


def recorded_values(payload: AuditPayload) -> dict[str, Any]:
    """Return what a test posted and what came back, by label."""
    values = {**payload.requested_values, **payload.values_after}
    return {label: values[name] for name, label in LABELS.items() if values.get(name) is not None}
