"""How the payload of an external flow's webhook changes once an address takes its messages.

Source: Twilio's page on Flex Flows for the old fields. Twilio has no list of the new ones; these are
from the schema of its event streams, its code examples and handlers in public repositories, read
2026-11. Fields that none of them has are said to be unknown, not missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

UNCHANGED: Final = "Unchanged"
RENAMED: Final = "Renamed"
NEW: Final = "New"
UNKNOWN: Final = "Not known"


@dataclass(frozen=True, slots=True)
class PayloadChange:
    """A field of the payload before and after. `old` or `new` is "" where there is none."""

    old: str
    new: str
    meaning: str

    @property
    def kind(self) -> str:
        if not self.old:
            return NEW
        if not self.new:
            return UNKNOWN
        return UNCHANGED if self.old == self.new else RENAMED


def _unchanged(name: str, meaning: str) -> PayloadChange:
    return PayloadChange(name, name, meaning)


PAYLOAD_CHANGES: Final = (
    PayloadChange(
        "EventType: onMessageSent",
        "EventType: onMessageAdded",
        "A message was added. Code that compares the old value ignores every message.",
    ),
    PayloadChange("ChannelSid", "ConversationSid", "The conversation. It still starts with CH."),
    PayloadChange("InstanceSid", "ChatServiceSid", "The chat service. It still starts with IS."),
    PayloadChange("From", "Author", "The author of the message."),
    PayloadChange("", "ParticipantSid", "The author as a participant of the conversation."),
    PayloadChange("", "MessagingServiceSid", "The Messaging Service, if there is one."),
    PayloadChange("WebhookType", "", "The kind of webhook. No source has it after the migration."),
    _unchanged("MessageSid", "The message. It still starts with IM."),
    _unchanged("Body", "Text of the message."),
    _unchanged("Attributes", "Attributes of the message, as JSON."),
    _unchanged("Index", "Position of the message, from 0."),
    _unchanged("DateCreated", "Time of the message, in UTC."),
    _unchanged("Source", "API or SDK: where the message was written."),
    _unchanged("AccountSid", "Your Twilio account."),
    _unchanged("RetryCount", "Number of earlier tries to post this message."),
    _unchanged("WebhookSid", "The webhook of the conversation."),
)
