"""The action that tests the webhook of a flow. A test has two events: its start and its result."""

from __future__ import annotations

from flows.audit.action_registry import Action
from flows.audit.models import AuditEvent, Result


class WebhookTestAction(Action):
    TEST = "flow.webhook_test", "Tested the webhook", "Test the webhook"

    def sentence(self, event: AuditEvent) -> str:
        """Return an event as a short sentence. A result has the status of the answer."""
        if is_start(event):
            return "Started a test of the webhook"
        payload = event.stored_payload
        status = payload.values_after.get("status") if payload else None
        if status:
            return f"{self.label}: HTTP {status}"
        return self.label if is_result(event) else self.infinitive


def is_webhook_test(event: AuditEvent) -> bool:
    """Return True for an event about a test of a flow's webhook, not about the flow itself."""
    return event.action == WebhookTestAction.TEST


def is_start(event: AuditEvent) -> bool:
    """Return True for the event that is recorded before a test is posted."""
    return event.result == Result.SUCCEEDED and event.refers_to is None


def is_result(event: AuditEvent) -> bool:
    """Return True for the event with the result of a test."""
    return event.refers_to is not None
