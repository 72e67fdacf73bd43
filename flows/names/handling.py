"""Everything that could answer a message to a number or a sender, as it was last read from Twilio.

Values are typed and pure, so that rules and pages work with them without a database. A host stands
for a webhook, because the rest of its address can hold secrets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from flows.core.identities import normalize_identity

# Trigger events of a Studio Flow. A Flex Flow's message comes as the first, one of an Address
# Configuration as the second.
INCOMING_MESSAGE: Final = "incomingMessage"
INCOMING_CONVERSATION: Final = "incomingConversationMessage"
TEMPLATE: Final = "template"  # stands for a value that is known only when a message comes
NO_HOST: Final = "an address without a host"  # stands for the host of a malformed URL


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """The Messaging Service that a number or a sender is in, if any.

    Hosts and SIDs are "" where there is none. None stands for what Twilio didn't say. `read_at` is
    when the number or the sender was last read.
    """

    messaging_service_sid: str = ""
    service_inbound_host: str = ""
    service_is_proxy: bool = False
    service_uses_number_webhook: bool | None = None
    service_read_at: datetime | None = None
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NumberHandling(Handling):
    """The settings of a number of the account that decide what answers an SMS to it.

    `is_proxy` says that the number's own URL is that of Flex Proxy, which hands messages to Flex
    Flows. Twilio ignores that URL if there is an `application_sid`.
    """

    phone_number: str
    owned_sid: str
    can_receive_sms: bool | None = None
    sms_url_host: str = ""
    is_proxy: bool = False
    application_sid: str = ""


@dataclass(frozen=True, slots=True)
class SenderHandling(Handling):
    """The settings of a WhatsApp sender of the account that decide what answers its messages.

    `status` is Twilio's, such as "ONLINE". `offline_reasons` are Twilio's codes.
    """

    sender_id: str
    owned_sid: str
    status: str = ""
    offline_reasons: tuple[str, ...] = ()
    webhook_host: str = ""
    is_proxy: bool = False


@dataclass(frozen=True, slots=True)
class SendToFlex:
    """A widget that hands a conversation to Flex, and the trigger events that can lead to it.

    A workflow or a channel is a SID, "" if there is none, or `TEMPLATE` if it can't be told.
    """

    widget: str
    workflow: str
    channel: str
    events: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class StudioFacts:
    """The definition of a Studio Flow, as far as it is about incoming messages.

    `trigger_events` are the events of the trigger that lead somewhere. `old_variables` are the parts of
    `trigger.message` that a Conversation doesn't have. The definition is that of `revision`. It is
    what messages use only if `status` is "published" and no later revision was (`is_current`), as
    the list of Studio Flows said at `listed_at`.
    """

    sid: str
    status: str
    revision: int | None
    latest_revision: int | None
    trigger_events: frozenset[str]
    send_to_flex: tuple[SendToFlex, ...] = ()
    old_variables: frozenset[str] = frozenset()
    widget_count: int = 0
    read_at: datetime | None = None
    listed_at: datetime | None = None

    @property
    def events_to_flex(self) -> frozenset[str]:
        """The events that can lead to Send to Flex in this Studio Flow itself."""
        return frozenset(event for widget in self.send_to_flex for event in widget.events)

    @property
    def is_current(self) -> bool:
        """True if this definition is the published one, as far as the list of Studio Flows says."""
        is_latest = self.revision is not None and self.revision == self.latest_revision
        return self.status == "published" and is_latest


@dataclass(frozen=True, slots=True)
class ChatServices:
    """The chat services that belong to Flex in an account, "" for one that wasn't read."""

    flex_sid: str = ""  # of the Flex configuration
    default_sid: str = ""  # of the configuration of Conversations
    read_at: datetime | None = None  # of the older one

    @property
    def own_sids(self) -> frozenset[str]:
        return frozenset(sid for sid in (self.flex_sid, self.default_sid) if sid)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The numbers, senders, Studio Flows and services around the flows of an account.

    Look numbers and senders up by any spelling. `studio_flows` are by SID, without those whose
    definition wasn't read.
    """

    numbers: Mapping[str, NumberHandling] = field(default_factory=dict)
    senders: Mapping[str, SenderHandling] = field(default_factory=dict)
    studio_flows: Mapping[str, StudioFacts] = field(default_factory=dict)
    chat_services: ChatServices = ChatServices()

    def find_number(self, identity: str) -> NumberHandling | None:
        """Return what answers an SMS to a number, or None if the account isn't known to own it."""
        return self.numbers.get(normalize_identity(identity))

    def find_sender(self, identity: str) -> SenderHandling | None:
        """Return what answers a message to a WhatsApp sender, or None for an unknown one."""
        return self.senders.get(normalize_identity(identity))
