"""The form fields that Twilio posts to the webhook of an external flow, filled in for a test.

Twilio posts them when a customer's message has arrived in a Programmable Chat channel (the event
onMessageSent of a channel's webhook).
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final

EVENT_TYPE: Final = "onMessageSent"
# Attributes of a real message are JSON, too. A handler can tell a test by this one.
TEST_ATTRIBUTES: Final = json.dumps({"proxied": True, "test": True})
DEFAULT_TEXT: Final = "This is a test from the Flex Flow dashboard. Please ignore it."


@dataclass(frozen=True, slots=True)
class PayloadField:
    """A field of the payload: its name, its value in this payload, and its meaning."""

    name: str
    value: str
    meaning: str


def build_payload(
    *, account_sid: str, chat_service_sid: str, text: str, at: datetime, test_id: uuid.UUID
) -> list[PayloadField]:
    """Return the fields of a test message, in the order in which Twilio documents them.

    SIDs of objects that don't exist are zeros, or end in the id of the test: a handler that
    remembers messages by their SID takes each test for a new message.
    """
    zeros = "0" * 32
    created_at = at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"
    rows = (
        ("EventType", EVENT_TYPE, "A message was added to the chat channel."),
        ("InstanceSid", chat_service_sid or f"IS{zeros}", "Chat service of the flow."),
        (
            "Attributes",
            TEST_ATTRIBUTES,
            "Attributes of the message, as JSON. Only a test has “test”.",
        ),
        ("DateCreated", created_at, "Time of the message, in UTC."),
        ("Index", "0", "Position of the message in the channel, from 0."),
        ("From", f"sms_{zeros}", "Chat identity of the sender, not their phone number."),
        ("MessageSid", f"IM{test_id.hex}", "SID of the message. Made up in a test."),
        ("AccountSid", account_sid, "Your Twilio account."),
        ("Source", "API", "API for customers and bots, SDK for agents and web chat."),
        ("ChannelSid", f"CH{zeros}", "SID of the chat channel. Zeros in a test."),
        ("RetryCount", "0", "Number of earlier tries to post this message."),
        ("WebhookType", "webhook", "Kind of the channel's webhook."),
        ("Body", text, "Text of the message."),
        ("WebhookSid", f"WH{zeros}", "SID of the channel's webhook. Zeros in a test."),
    )
    return [PayloadField(*row) for row in rows]


def as_form(payload: list[PayloadField]) -> dict[str, str]:
    """Return the values of a payload by name, as they are posted."""
    return {field.name: field.value for field in payload}
