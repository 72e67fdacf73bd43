"""Actions of read-only mode and of what Twilio refuses."""

from __future__ import annotations

from flows.audit.action_registry import Action


class AvailabilityAction(Action):
    SET_READ_ONLY = "account.close", "Made read-only", "Make read-only"
    LIFT_READ_ONLY = "account.reopen", "Lifted read-only", "Lift read-only"
    RETRY_ENDPOINTS = "account.ask_again", "Retried Twilio", "Retry Twilio"
