"""Reasons of a verdict on moving a flow to an address: their sentences, and what to do about each.

A reason may name a channel, a host, a SID or the like in place of its {}.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Effect(Enum):
    """What a reason does to the verdict, the strongest effect first."""

    BLOCKS = "Blocks it"
    NEEDS_HAND = "By hand"
    UNREAD = "Not known yet"
    INFORMATION = "For information"


@dataclass(frozen=True, slots=True)
class ReasonText:
    """The words of a reason. `to_do` is "" if there is nothing to do."""

    effect: Effect
    sentence: str
    to_do: str = ""
    changes_flow: bool = False  # what to do changes the flow, so it has to be prepared again


def _blocks(sentence: str, to_do: str) -> ReasonText:
    return ReasonText(Effect.BLOCKS, sentence, to_do)


def _by_hand(sentence: str, to_do: str, *, changes_flow: bool = False) -> ReasonText:
    return ReasonText(Effect.NEEDS_HAND, sentence, to_do, changes_flow)


def _unread(sentence: str, to_do: str = "Refresh the names on the accounts page.") -> ReasonText:
    return ReasonText(Effect.UNREAD, sentence, to_do)


def _information(sentence: str, to_do: str = "") -> ReasonText:
    return ReasonText(Effect.INFORMATION, sentence, to_do)


class Reason(Enum):
    """Why a flow can't be moved, needs a user, or may be moved."""

    # No address can be created for the flow as it is.
    CHANNEL = _blocks(
        "Addresses don't have the channel {}.",
        "Take its messages with code of your own that creates Interactions, or keep the flow.",
    )
    NO_CHANNEL = _blocks(
        "The flow has no channel.", "Sync with Twilio, or re-create the flow with a channel."
    )
    TASK = _blocks(
        "Its messages become TaskRouter tasks directly, which an address can't do.",
        "Make a Studio Flow that sends to the same workflow with Send to Flex, and change the flow "
        "to it. Then it can be moved.",
    )
    NO_INTEGRATION = _blocks(
        "Addresses don't have the flow's integration type.",
        "Change the flow to a Studio Flow or a webhook.",
    )
    NO_IDENTITY = _blocks(
        "The flow has no contact identity, so there is no address to create.",
        "Set the number or page in the flow, or delete the flow if nothing uses it.",
    )
    NO_TARGET = _blocks(
        "The flow has no {}, so an address would have none either.", "Set it in the flow."
    )

    # The Studio Flow isn't ready.
    STUDIO_GONE = _by_hand(
        "The Studio Flow {} no longer exists at Twilio.",
        "Change the flow to a Studio Flow that exists.",
        changes_flow=True,
    )
    STUDIO_DRAFT = _by_hand(
        "The Studio Flow {} was never published.",
        "Publish it in Studio, then refresh the names.",
    )
    STUDIO_NEWER_DRAFT = _by_hand(
        "The latest revision of the Studio Flow {} is a draft. Messages use the last published one, "
        "if there is one, and what that does with a conversation can't be read.",
        "Publish the draft in Studio, then refresh the names. Or look in Studio where Incoming "
        "Conversation leads in the published revision.",
    )
    NO_CONVERSATION_TRIGGER = _by_hand(
        "The Studio Flow {} does nothing with a conversation: its trigger Incoming Conversation "
        "leads nowhere.",
        "Connect Incoming Conversation in Studio and publish. Leave Incoming Message connected "
        "until the switch-over.",
    )
    CONVERSATION_NOT_TO_FLEX = _by_hand(
        "In the Studio Flow {}, Incoming Message leads to Send to Flex, but Incoming Conversation "
        "doesn't.",
        "Connect Incoming Conversation to Send to Flex in Studio and publish, unless something else "
        "is meant to answer.",
    )
    FLEX_TARGET_GONE = _by_hand(
        "The Studio Flow hands conversations to {}, which Twilio no longer has.",
        "Choose another one in the Send to Flex widget and publish.",
    )
    OLD_VARIABLES = _by_hand(
        "The Studio Flow uses variables that a conversation's message doesn't have: {}.",
        "Replace them in Studio by those of trigger.conversation, such as ConversationSid for "
        "ChannelSid, and publish. Some Studio Flows work as they are: try it with a test message.",
    )

    # The flow does something that an address doesn't.
    EXTERNAL = _by_hand(
        "Twilio will post different fields to its webhook, and will no longer create a task.",
        "Change the webhook's code to read the new field names, and to create an Interaction, so "
        "that agents get a task.",
    )
    WEB = _by_hand(
        "A web chat's address is a deployment key, which only the Console creates, and the website "
        "has to use it.",
        "Create a deployment key in the Console under Channel management, then change the website's "
        "embed code to Webchat 3.",
    )
    LONG_LIVED = _by_hand(
        "It is long-lived. Addresses have no such setting.",
        "Decide what is to happen when a customer returns. Parked conversations are the nearest.",
    )
    PAGE = _by_hand(
        "No API shows whether the Messenger page is connected to Twilio.",
        "Look at the page's connection in the Console.",
    )
    SHORT_CODE = _by_hand(
        "An address of a short code needs its country, which the flow doesn't have.",
        "Create the address by hand with its country, with auto-creation off.",
    )
    NOT_A_NUMBER = _by_hand(
        "Its contact identity is not a phone number.",
        "Check the contact identity. An SMS address takes a number such as +14155551234.",
    )
    CHAT_SERVICE = _by_hand(
        "Its chat service {} is not Flex's own. Conversations would start there, where agents may "
        "not see them.",
        "Change the flow to the chat service of Flex, unless the other one is meant.",
        changes_flow=True,
    )
    DEFAULT_SERVICE = _by_hand(
        "The default service of Conversations in this account is not the one of Flex.",
        "Make Flex's service the default in the Console, under Conversations.",
    )

    # The number or the sender.
    NUMBER_NOT_OWNED = _by_hand(
        "This account doesn't own the number.",
        "Check the number, or buy it for this account.",
    )
    NO_SMS = _by_hand("The number can't receive SMS.", "Use a number that can.")
    SENDER_MISSING = _by_hand(
        "This account has no such WhatsApp sender. Twilio refuses an address without one.",
        "Check the number, or register it as a sender in the Console.",
    )
    SENDER_OFFLINE = _by_hand(
        "The WhatsApp sender isn't online: {}.", "See in the Console why it is offline."
    )
    NUMBER_WEBHOOK = _by_hand(
        "The number has a webhook of its own at {}. The switch-over removes it, unless its URL "
        "contains a secret: the dashboard couldn't put that back, so it doesn't prepare the flow.",
        "Make sure that Flex is to answer from now on. If the URL contains a secret, note the whole "
        "URL and remove it in the Console first.",
    )
    SERVICE_URL = _by_hand(
        "The number's Messaging Service sends its messages to {}. The switch-over takes the number "
        "out of the service, so that they no longer get there.",
        "Make sure that Flex is to answer from now on.",
    )
    SENDER_WITH_PROXY = _by_hand(
        "The sender's webhook leads to Flex Proxy, which hands messages to Flex Flows. The dashboard "
        "can't remove it.",
        "Remove the sender's webhook in the Console right before you switch over, because customers "
        "get no answer in between. Note its URL first.",
    )
    SENDER_WEBHOOK = _by_hand(
        "The sender's own webhook at {} takes its messages. The dashboard can't remove it.",
        "Remove the sender's webhook in the Console right before you switch over, if Flex is to "
        "answer. Note its URL first.",
    )
    SENDER_IN_SERVICE = _by_hand(
        "The sender is in the Messaging Service {}. Twilio customers report that its URL is called "
        "whatever its settings say.",
        "Take the sender out of the service in the Console.",
    )

    # What else has the identity.
    ADDRESS_ON = _by_hand(
        "The address {} is on while the flow is. Either it was moved already, or both answer.",
        "Send a test message and see who answers. Then turn one of them off.",
    )
    ALREADY_MOVED = _by_hand(
        "It seems to be moved already: the address {} is on, and the flow is off.",
        "Send a test message. If it arrives as it should, delete the flow.",
    )
    ADDRESS_DIFFERS = _by_hand(
        "The address {} exists, is off, and leads to something other than the flow.",
        "Change the address to what the flow does, or delete it.",
    )
    TWO_ON = _by_hand(
        "{} also on for this identity, and there can be only one address.",
        "Decide which flow the address is to replace, and turn the others off.",
    )
    OTHER_ON = _by_hand(
        "{} on for this identity, and this flow isn't. There can be only one address.",
        "Move the other flow. Delete this one if nothing uses it.",
    )

    # What isn't known.
    STATE_UNKNOWN = _unread(
        "Twilio doesn't say whether the flow is on.", "Turn it on or off, then sync."
    )
    OPEN_CHANGE = _unread(
        "A change of the flow has an unknown outcome.", "Resolve it on the flow's page."
    )
    MIRROR_INCOMPLETE = _unread(
        "The flows could not all be compared with Twilio, so another one may have this identity.",
        "Sync with Twilio, and see the last sync.",
    )
    STUDIO_UNREAD = _unread("What the Studio Flow {} does with a conversation was not read yet.")
    FLEX_TARGET_UNREAD = _unread(
        "Whether the workflows and task channels of the Studio Flow exist was not read yet."
    )
    NUMBERS_UNREAD = _unread("The account's phone numbers were not read yet.")
    SENDERS_UNREAD = _unread("The account's WhatsApp senders were not read yet.")
    WEBHOOKS_UNREAD = _unread("Where its messages go now was not read yet.")
    SERVICES_UNREAD = _unread(
        "The account's Messaging Services were not read yet. One of them may have this number."
    )
    ADDRESSES_UNREAD = _unread(
        "The account's Address Configurations were not read yet. One of them may have this identity."
    )
    CHAT_SERVICES_UNREAD = _unread(
        "Which chat service is Flex's own, and which is the default, was not read yet."
    )

    # For information.
    OFF = _information("The flow is off, so there are no messages to switch over.")
    BOTH_TO_FLEX = _information(
        "In the Studio Flow {}, both Incoming Message and Incoming Conversation lead to Send to "
        "Flex. Twilio customers report two tasks for each message.",
        "Look for a second task when you test. Once no Flex Flow uses the Studio Flow, disconnect "
        "Incoming Message.",
    )
    JANITOR = _information(
        "Its janitor has no counterpart: conversations stay open until something closes them.",
        "Set the timers of conversations in the Console.",
    )
    RETRIES = _information(
        "Twilio tries its webhook again up to {} times. An address doesn't set that for a webhook."
    )
    APPLICATION = _information(
        "The TwiML application {} takes the number's messages. The switch-over removes it from the "
        "number, and a rollback puts it back."
    )
    IN_SERVICE = _information(
        "The number is in the Messaging Service {}. The switch-over takes it out, and a rollback "
        "puts it back."
    )
    NO_WEBHOOK = _information(
        "Nothing hands its messages to the flow now, so there is nothing to detach."
    )
    ADDRESS_OFF = _information(
        "The address {} exists already and is off. It would be used instead of a new one."
    )


@dataclass(frozen=True, slots=True)
class Found:
    """A reason that applies to a flow. `detail` is what its sentence names."""

    reason: Reason
    detail: str = ""

    @property
    def effect(self) -> Effect:
        return self.reason.value.effect

    @property
    def sentence(self) -> str:
        return self.reason.value.sentence.format(self.detail)

    @property
    def to_do(self) -> str:
        return self.reason.value.to_do

    @property
    def to_do_after_preparing(self) -> str:
        """What to do once the address is prepared, which a change of the flow makes useless."""
        if not self.reason.value.changes_flow:
            return self.to_do
        return (
            f"{self.to_do} Roll this migration back first and prepare it again afterwards: a flow "
            "that was changed since it was prepared isn't switched over."
        )
