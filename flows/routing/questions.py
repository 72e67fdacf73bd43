"""The question that the routing page answers: which message, on which channel, in which direction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from flows.checks.account_rules import NUMBER_CHANNELS, channel_of, comparable_identity
from flows.twilio.flex.flex_flow import FLEX_FLOW


class Direction(Enum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


# The channels that can be asked about, and the type of an Address Configuration for each.
ADDRESS_TYPES: Final = {
    "sms": "sms",
    "whatsapp": "whatsapp",
    "facebook": "messenger",
    "web": "chat",
}
CHANNELS_OF_ADDRESSES: Final = {kind: channel for channel, kind in ADDRESS_TYPES.items()}


@dataclass(frozen=True, slots=True)
class Question:
    """A message to or from a contact identity. The identity of a web chat is ""."""

    channel: str
    identity: str = ""
    direction: Direction = Direction.INBOUND

    @property
    def key(self) -> str:
        """The identity in the form that all its spellings share."""
        return comparable_identity(self.channel, self.identity)


def question_of_flow(flow: Mapping[str, Any]) -> Question | None:
    """Return the question of who else gets a flow's incoming messages.

    There is none for a flow without a contact identity, and for channels that no one can ask about.
    """
    channel, identity = channel_of(flow), FLEX_FLOW.identity_of(flow)
    if channel == "web":
        return Question("web")
    return Question(channel, identity) if channel in ADDRESS_TYPES and identity else None


def path_key(channel: str, identity: str) -> tuple[bool, str]:
    """Return what flows, addresses and questions about one contact identity share.

    A number is one key for all channels of numbers, and web chat is one key for all its flows.
    """
    if channel == "web":
        return False, "web"
    return channel in NUMBER_CHANNELS, comparable_identity(channel, identity)
