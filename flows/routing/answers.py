"""The answer to a routing question: who gets the message, who was considered, and what is uncertain.

Reasons and doubts are sentences of their own, so that every answer says the same thing in the same
words. A reason may name a host, a service or a status in place of its {}.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum


class Verdict(Enum):
    """The number of handlers that get the message, as far as the dashboard knows."""

    NONE = "none"
    ONE = "one"
    SEVERAL = "several"


class Quality(Enum):
    """The quality of an answer, the worst first. The value is the class of its mark."""

    BAD = "bad"  # no one gets the message, or a handler can't handle it
    UNCLEAR = "doubt"  # several handlers can get it
    GOOD = "good"

    @property
    def rank(self) -> int:
        return list(Quality).index(self)


class Reason(Enum):
    """The reason why a flow or an address gets the message or doesn't."""

    ON = "It is on for this channel and identity."
    OFF = "It is off."
    OTHER_CHANNEL = "It is for another channel: {}."
    NOT_OWNED = "This account doesn't own the number, so Twilio passes on no messages."
    NO_SMS = "The number can't receive SMS."
    SENDER_MISSING = "This account has no WhatsApp sender with this number."
    SENDER_OFFLINE = "The WhatsApp sender isn't online: {}."
    WEBHOOK_TAKES_IT = "Messages go to the webhook at {} instead of Flex."
    APPLICATION_TAKES_IT = "Messages go to the TwiML application {} instead of Flex."
    NO_WEBHOOK = "“A message comes in” is empty in the Console, so messages don't get to Flex."
    SERVICE_TAKES_IT = "The Messaging Service sends messages to {} instead of Flex."
    SERVICE_KEEPS_IT = "The Messaging Service doesn't pass incoming messages on."
    WEBSITE_NAMES_IT = "It is on. It gets the chats of websites that use its SID."
    SENDER_NAMES_IT = "A conversation can be started with its SID, even while it is off."
    ADDRESS_ON = "It starts a conversation for each new message."
    ADDRESS_OFF = "It doesn't start conversations: automatic creation is off."
    INBOUND_ONLY = "Addresses are for incoming messages only."


class Doubt(Enum):
    """A reason why an answer is uncertain."""

    TWO_FLOWS_ON = (
        "Several flows are on. Twilio documents only one per contact identity, so it isn't known "
        "which of them gets the message."
    )
    NUMBERS_UNREAD = (
        "The account's phone numbers were not read, so it isn't known whether it owns this one and "
        "where its messages go."
    )
    SENDERS_UNREAD = (
        "The account's WhatsApp senders were not read, so it isn't known whether this is one of them "
        "and where its messages go."
    )
    WEBHOOKS_UNREAD = (
        "The webhook of this number or sender was not read yet. Its messages may not get to Flex."
    )
    SERVICES_UNREAD = (
        "The account's Messaging Services were not read. If the number is in one, its messages may "
        "not get to Flex."
    )
    SERVICE_SETTING_UNREAD = (
        "The Messaging Service may leave messages to the number's own webhook. That setting was "
        "not read."
    )
    ADDRESSES_UNREAD = (
        "The account's Address Configurations were not read. One of them may answer as well."
    )
    TARGET_UNREAD = "What a handler points to was not read, so it may no longer exist."
    NOT_A_NUMBER = "Short codes and sender names aren't among the numbers that the dashboard reads."
    PAGE_UNREAD = (
        "No API shows whether a Messenger page is connected to Twilio. Check it in the Console."
    )
    APPLICATION_UNREAD = (
        "A TwiML application takes the number's messages. The dashboard doesn't read what it does "
        "with them."
    )
    ADDRESS_AND_OTHERS = (
        "Twilio's documentation contradicts itself about numbers with an address and another "
        "handler. Twilio customers report that both answer."
    )
    ADDRESS_IN_SERVICE = (
        "Twilio advises against an address for a number in a Messaging Service. It may not answer."
    )
    SENDER_IN_SERVICE = (
        "The Messaging Service is set to leave messages to the sender, but Twilio customers "
        "report that the service's own URL is called as well."
    )
    WEBSITE_CHOOSES = (
        "A website uses a flow by its SID. The dashboard can't see which one, so check the "
        "website's configuration."
    )
    SENDER_CHOOSES = "Which of them is used depends on the SID that a conversation is started with."
    MIRROR_INCOMPLETE = "The last sync didn't compare every flow with Twilio."
    OPEN_CHANGE = "A change to one of these flows has an unknown outcome."


class HandlerKind(Enum):
    """The kind of a handler, which can get messages."""

    FLOW = "Flow"
    ADDRESS = "Address"
    WEBHOOK = "Webhook"
    APPLICATION = "TwiML application"
    SERVICE = "Messaging Service"


@dataclass(frozen=True, slots=True)
class Problem:
    """The reason why a handler can't do anything with a message that it gets.

    `rule_id` is the check's.
    """

    rule_id: str
    message: str


@dataclass(frozen=True, slots=True)
class Step:
    """One stop of a message on its way: what it is, its name, and what to know about it.

    `sid` is that of a flow or of what it points to, so that a page can link to it. A broken stop
    is the end of the way.
    """

    kind: str
    text: str
    note: str = ""
    sid: str = ""
    is_broken: bool = False


@dataclass(frozen=True, slots=True)
class Handler:
    """Something that gets the message. `key` is a SID or a host, `target` the stop behind it.

    `is_doubtful` says that it may not get it, or not alone.
    """

    kind: HandlerKind
    key: str
    name: str
    target: Step | None = None
    problems: tuple[Problem, ...] = ()
    is_doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A flow or an address that was considered, with the reason for or against it."""

    kind: HandlerKind
    sid: str
    name: str
    reason: Reason
    detail: str = ""
    gets_it: bool = False

    @property
    def sentence(self) -> str:
        return self.reason.value.format(self.detail)


@dataclass(frozen=True, slots=True)
class Answer:
    """The handlers that get a message.

    `steps` are the stops that all handlers share, the sender's side first.
    """

    steps: Sequence[Step] = ()
    handlers: Sequence[Handler] = ()
    candidates: Sequence[Candidate] = ()
    doubts: Sequence[Doubt] = field(default_factory=tuple)

    @property
    def verdict(self) -> Verdict:
        if len(self.handlers) > 1:
            return Verdict.SEVERAL
        return Verdict.ONE if self.handlers else Verdict.NONE

    @property
    def is_certain(self) -> bool:
        return not self.doubts

    @property
    def is_broken(self) -> bool:
        """True if a handler gets the message but can't do anything with it."""
        return any(handler.problems for handler in self.handlers)

    @property
    def is_answered(self) -> bool:
        """True if a handler gets the message and can do something with it."""
        return any(not handler.problems for handler in self.handlers)

    @property
    def quality(self) -> Quality:
        if not self.handlers or self.is_broken:
            return Quality.BAD
        return Quality.GOOD if len(self.handlers) == 1 else Quality.UNCLEAR
