"""Flows in all kinds of surroundings, and the verdict on moving each to an address.

The table was written before the code, from Twilio's documentation and from operators' reports. Each
situation is about the flow "a". `reasons` are all reasons of the verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flows.migration.verdict_reasons import Reason
from flows.migration.verdicts import Verdict
from tests.flows.migration.parts import (
    CHANNEL,
    CONVERSATION,
    MESSAGE,
    OTHER_SERVICE,
    WORKFLOW,
    chat_services,
    definition,
    moving,
    no_definition,
    to_flex,
)
from tests.flows.routing.world import (
    WHATSAPP,
    N,
    address,
    number,
    open_change,
    sender,
    stale_mirror,
    studio,
    unread,
    workflow,
)

AUTOMATIC, BY_HAND = Verdict.AUTOMATIC, Verdict.BY_HAND
BLOCKED, UNCERTAIN = Verdict.BLOCKED, Verdict.UNCERTAIN
PROXY = "proxy"
PROXIED = number(webhook=PROXY)
PAGE = "messenger:1234567"
OLD = "FW" + "8" * 32
R = Reason


@dataclass(frozen=True)
class Situation:
    title: str
    world: list[Any]
    verdict: Verdict
    reasons: set[Reason]
    channel: str = "sms"
    identity: str = N


CHANNELS = [
    Situation("an SMS flow with a Studio Flow that is ready", [PROXIED, moving()], AUTOMATIC, set()),
    Situation(
        "an SMS flow whose number has another spelling",
        [PROXIED, moving(identity="+1 (415) 555-0123")], AUTOMATIC, set(),
    ),
    Situation(
        "a WhatsApp flow whose sender has no webhook", [sender(), moving()],
        AUTOMATIC, {R.NO_WEBHOOK}, "whatsapp", WHATSAPP,
    ),
    Situation(
        "a LINE flow", [moving(channel="line", identity="store-1")], BLOCKED, {R.CHANNEL},
        "line", "store-1",
    ),
    Situation(
        "a flow of a custom channel", [moving(channel="custom", identity="store-1")],
        BLOCKED, {R.CHANNEL}, "custom", "store-1",
    ),
    Situation(
        "a flow of a channel that no one knows", [moving(channel="carrier-pigeon", identity="coo")],
        BLOCKED, {R.CHANNEL}, "carrier-pigeon", "coo",
    ),
    Situation("a flow without a channel", [moving(channel_type="")], BLOCKED, {R.NO_CHANNEL}),
    Situation("a flow without an identity", [moving(identity="")], BLOCKED, {R.NO_IDENTITY}),
    Situation("a web flow", [moving()], BY_HAND, {R.WEB}, "web", ""),
    Situation("a web flow that is off", [moving(on=False)], BY_HAND, {R.WEB, R.OFF}, "web", ""),
    Situation("a Messenger flow", [moving()], BY_HAND, {R.PAGE}, "facebook", PAGE),
    Situation(
        "a short code", [moving()], BY_HAND, {R.SHORT_CODE}, "sms", "12345",
    ),
    Situation(
        "an SMS flow with a name in place of a number", [moving()], BY_HAND, {R.NOT_A_NUMBER},
        "sms", "ACME Shop",
    ),
    Situation(
        "an SMS flow with a short name in place of a number", [moving()], BY_HAND,
        {R.NOT_A_NUMBER}, "sms", "ACME",
    ),
    Situation(
        "an SMS flow with a name that has a digit", [moving()], BY_HAND, {R.NOT_A_NUMBER},
        "sms", "24 Hours",
    ),
]  # fmt: skip

INTEGRATIONS = [
    Situation("a TaskRouter task", [PROXIED, moving(kind="task")], BLOCKED, {R.TASK}),
    Situation(
        "a TaskRouter task on LINE", [moving(kind="task", channel="line", identity="store-1")],
        BLOCKED, {R.TASK, R.CHANNEL}, "line", "store-1",
    ),
    Situation(
        "an integration type that no one knows", [PROXIED, moving(integration_type="pigeon")],
        BLOCKED, {R.NO_INTEGRATION},
    ),
    Situation("an external webhook", [PROXIED, moving(kind="external")], BY_HAND, {R.EXTERNAL}),
    Situation(
        "an external webhook that Twilio tries again",
        [PROXIED, moving(kind="external", integration_retry_count=3)],
        BY_HAND, {R.EXTERNAL, R.RETRIES},
    ),
    Situation(
        "an external flow without a URL", [PROXIED, moving(kind="external", integration_url="")],
        BLOCKED, {R.EXTERNAL, R.NO_TARGET},
    ),
    Situation(
        "a Studio integration without a Studio Flow", [PROXIED, moving(integration_flow_sid=None)],
        BLOCKED, {R.NO_TARGET},
    ),
    Situation("a long-lived flow", [PROXIED, moving(long_lived=True)], BY_HAND, {R.LONG_LIVED}),
    Situation(
        "a flow with the janitor", [PROXIED, moving(janitor_enabled="true")],
        AUTOMATIC, {R.JANITOR},
    ),
    Situation("a flow that is off", [PROXIED, moving(on=False)], AUTOMATIC, {R.OFF}),
    Situation(
        "a flow of which Twilio doesn't say whether it is on", [PROXIED, moving(on=None)],
        UNCERTAIN, {R.STATE_UNKNOWN},
    ),
]  # fmt: skip

STUDIO = [
    Situation(
        "a Studio Flow that was deleted", [studio("x", is_gone=True), PROXIED, moving(studio="x")],
        BY_HAND, {R.STUDIO_GONE},
    ),
    Situation(
        "a Studio Flow that the complete list doesn't have",
        [PROXIED, moving(integration_flow_sid=OLD)], BY_HAND, {R.STUDIO_GONE},
    ),
    Situation(
        "a Studio Flow that an incomplete list doesn't have",
        [PROXIED, moving(integration_flow_sid=OLD), unread("studio_flow")],
        UNCERTAIN, {R.STUDIO_UNREAD},
    ),
    Situation(
        "a Studio Flow that was never published",
        [studio("x", status="draft", revision=1), PROXIED, moving(studio="x")], BY_HAND,
        {R.STUDIO_DRAFT},
    ),
    Situation(
        "a Studio Flow with a draft after a published revision",
        [studio("x", status="draft", revision=3), PROXIED, moving(studio="x")], BY_HAND,
        {R.STUDIO_NEWER_DRAFT},
    ),
    Situation(
        "a Studio Flow that does nothing with a conversation",
        [studio("x", events=[MESSAGE]), PROXIED, moving(studio="x")],
        BY_HAND, {R.NO_CONVERSATION_TRIGGER},
    ),
    Situation(
        "a Studio Flow whose definition was not read", [no_definition(), PROXIED, moving()],
        UNCERTAIN, {R.STUDIO_UNREAD},
    ),
    Situation(
        "a Studio Flow that was published after its definition was read",
        [definition(latest_revision=4), PROXIED, moving()], UNCERTAIN, {R.STUDIO_UNREAD},
    ),
    Situation(
        "a Studio Flow that hands both to Flex", [to_flex(MESSAGE, CONVERSATION), workflow(),
        PROXIED, moving()], AUTOMATIC, {R.BOTH_TO_FLEX},
    ),
    Situation(
        "a Studio Flow that hands only conversations to Flex",
        [to_flex(CONVERSATION), workflow(), PROXIED, moving()], AUTOMATIC, set(),
    ),
    Situation(
        "a Studio Flow that hands only messages to Flex",
        [to_flex(MESSAGE), workflow(), PROXIED, moving()], BY_HAND, {R.CONVERSATION_NOT_TO_FLEX},
    ),
    Situation(
        "a Studio Flow that hands conversations to a workflow that is gone",
        [to_flex(CONVERSATION, workflow="WW" + "4" * 32), PROXIED, moving()],
        BY_HAND, {R.FLEX_TARGET_GONE},
    ),
    Situation(
        "a Studio Flow that hands conversations to a task channel that is gone",
        [to_flex(CONVERSATION, channel=CHANNEL), workflow(), PROXIED, moving()],
        BY_HAND, {R.FLEX_TARGET_GONE},
    ),
    Situation(
        "a Studio Flow that hands conversations to a workflow from a template",
        [to_flex(CONVERSATION, workflow="template"), PROXIED, moving()], AUTOMATIC, set(),
    ),
    Situation(
        "a Studio Flow that hands conversations to a workflow that was not read",
        [to_flex(CONVERSATION, workflow=WORKFLOW), unread("workflow"), PROXIED, moving()],
        UNCERTAIN, {R.FLEX_TARGET_UNREAD},
    ),
    Situation(
        "a Studio Flow that uses the old variables",
        [definition(old_variables=frozenset({"ChannelSid"})), PROXIED, moving()],
        BY_HAND, {R.OLD_VARIABLES},
    ),
    Situation(
        "a Studio Flow that is not ready in two ways",
        [studio("x", events=[MESSAGE]), PROXIED, moving(studio="x", long_lived=True)],
        BY_HAND, {R.NO_CONVERSATION_TRIGGER, R.LONG_LIVED},
    ),
]  # fmt: skip

SERVICES = [
    Situation(
        "a chat service that is not Flex's", [PROXIED, moving(chat_service_sid=OTHER_SERVICE)],
        BY_HAND, {R.CHAT_SERVICE},
    ),
    Situation("a flow without a chat service", [PROXIED, moving(chat_service_sid="")],
              AUTOMATIC, set()),
    Situation(
        "a default service that is not Flex's",
        [chat_services(default=OTHER_SERVICE), PROXIED, moving()], BY_HAND, {R.DEFAULT_SERVICE},
    ),
    Situation(
        "chat services that were not read", [chat_services("", ""), PROXIED, moving()],
        UNCERTAIN, {R.CHAT_SERVICES_UNREAD},
    ),
    Situation(
        "only the service of Flex was read", [chat_services(default=""), PROXIED, moving()],
        UNCERTAIN, {R.CHAT_SERVICES_UNREAD},
    ),
]  # fmt: skip

NUMBERS = [
    Situation("a number that the account doesn't own", [moving()], BY_HAND, {R.NUMBER_NOT_OWNED}),
    Situation(
        "a number without its plus that the account doesn't own", [moving()], BY_HAND,
        {R.NUMBER_NOT_OWNED}, "sms", "14155550123",
    ),
    Situation(
        "numbers that were not read", [moving(), unread("phone_number")],
        UNCERTAIN, {R.NUMBERS_UNREAD},
    ),
    Situation(
        "a number without SMS", [number(webhook=PROXY, sms=False), moving()], BY_HAND, {R.NO_SMS}
    ),
    Situation(
        "a number whose webhook was not read", [number(is_read=False), moving()],
        UNCERTAIN, {R.WEBHOOKS_UNREAD},
    ),
    Situation(
        "a number with a webhook of its own", [number(webhook="bot.example.com"), moving()],
        BY_HAND, {R.NUMBER_WEBHOOK},
    ),
    Situation(
        "a number with a TwiML application", [number(webhook=PROXY, application="AP1"), moving()],
        AUTOMATIC, {R.APPLICATION},
    ),
    Situation(
        "a number that passes its messages to no one", [number(), moving()],
        AUTOMATIC, {R.NO_WEBHOOK},
    ),
    Situation(
        "a number in a Messaging Service that leaves it to the number",
        [number(webhook=PROXY, service="", uses_number=True), moving()],
        AUTOMATIC, {R.IN_SERVICE},
    ),
    Situation(
        "a number in a Messaging Service with a URL of its own",
        [number(webhook=PROXY, service="service.example.com"), moving()],
        BY_HAND, {R.SERVICE_URL},
    ),
    Situation(
        "a number in a Messaging Service that leads to Flex",
        [number(webhook=PROXY, service=PROXY), moving()], AUTOMATIC, {R.IN_SERVICE},
    ),
    Situation(
        "Messaging Services that were not read", [PROXIED, moving(), unread("messaging_service")],
        UNCERTAIN, {R.SERVICES_UNREAD},
    ),
]  # fmt: skip

SENDERS = [
    Situation(
        "a sender that the account doesn't have", [moving()], BY_HAND, {R.SENDER_MISSING},
        "whatsapp", WHATSAPP,
    ),
    Situation(
        "senders that were not read", [moving(), unread("whatsapp_sender")],
        UNCERTAIN, {R.SENDERS_UNREAD}, "whatsapp", WHATSAPP,
    ),
    Situation(
        "a sender that is offline", [sender(status="OFFLINE"), moving()],
        BY_HAND, {R.SENDER_OFFLINE, R.NO_WEBHOOK}, "whatsapp", WHATSAPP,
    ),
    Situation(
        "a sender that is being changed", [sender(status="ONLINE:UPDATING"), moving()],
        AUTOMATIC, {R.NO_WEBHOOK}, "whatsapp", WHATSAPP,
    ),
    Situation(
        "a sender whose webhook was not read", [sender(is_read=False), moving()],
        UNCERTAIN, {R.WEBHOOKS_UNREAD}, "whatsapp", WHATSAPP,
    ),
    Situation(
        "a sender that leads to Flex", [sender(webhook=PROXY), moving()],
        BY_HAND, {R.SENDER_WITH_PROXY}, "whatsapp", WHATSAPP,
    ),
    Situation(
        "a sender with a webhook of its own", [sender(webhook="bot.example.com"), moving()],
        BY_HAND, {R.SENDER_WEBHOOK}, "whatsapp", WHATSAPP,
    ),
    Situation(
        "a sender in a Messaging Service with a URL",
        [sender(service="service.example.com", uses_number=True), moving()],
        BY_HAND, {R.SENDER_IN_SERVICE, R.NO_WEBHOOK}, "whatsapp", WHATSAPP,
    ),
    Situation(
        "a sender in a Messaging Service without a URL", [sender(service=""), moving()],
        BY_HAND, {R.SENDER_IN_SERVICE, R.NO_WEBHOOK}, "whatsapp", WHATSAPP,
    ),
]  # fmt: skip

ADDRESSES = [
    Situation(
        "an address of the number that is off", [PROXIED, moving(), address("x", on=False)],
        AUTOMATIC, {R.ADDRESS_OFF},
    ),
    Situation(
        "an address of the number that is on", [PROXIED, moving(), address("x")],
        BY_HAND, {R.ADDRESS_ON},
    ),
    Situation(
        "an address that is on beside a flow that is off",
        [PROXIED, moving(on=False), address("x")], BY_HAND, {R.ALREADY_MOVED, R.OFF},
    ),
    Situation(
        "an address that starts another Studio Flow",
        [studio("y"), PROXIED, moving(), address("x", on=False, studio="y")],
        BY_HAND, {R.ADDRESS_DIFFERS},
    ),
    Situation(
        "an address that posts to a webhook in place of the Studio Flow",
        [PROXIED, moving(), address("x", on=False, integration="webhook", host="a.example.com")],
        BY_HAND, {R.ADDRESS_DIFFERS},
    ),
    Situation(
        "an address that posts to the same webhook",
        [PROXIED, moving(kind="external", integration_url="https://hooks.example.com/in"),
         address("x", on=False, integration="webhook", host="hooks.example.com")],
        BY_HAND, {R.EXTERNAL, R.ADDRESS_OFF},
    ),
    Situation(
        "an address of the same number for another channel",
        [PROXIED, moving(), address("x", kind="whatsapp", of=WHATSAPP)], AUTOMATIC, set(),
    ),
    Situation(
        "an address of another number", [PROXIED, moving(), address("x", of="+14155550199")],
        AUTOMATIC, set(),
    ),
    Situation(
        "a web chat address beside a web flow", [moving(), address("x", of="CV1")],
        BY_HAND, {R.WEB}, "web", "",
    ),
    Situation(
        "addresses that were not read", [PROXIED, moving(), unread("address_configuration")],
        UNCERTAIN, {R.ADDRESSES_UNREAD},
    ),
]  # fmt: skip

OTHERS = [
    Situation(
        "another flow on for the number", [PROXIED, moving(), moving("b")], BY_HAND, {R.TWO_ON}
    ),
    Situation(
        "another flow on for the number in another spelling",
        [PROXIED, moving(), moving("b", identity="001 415 555 0123")], BY_HAND, {R.TWO_ON},
    ),
    Situation(
        "another flow off for the number", [PROXIED, moving(), moving("b", on=False)],
        AUTOMATIC, set(),
    ),
    Situation(
        "a flow that is off beside one that is on",
        [PROXIED, moving(on=False), moving("b")], BY_HAND, {R.OFF, R.OTHER_ON},
    ),
    Situation(
        "a WhatsApp flow of the same number",
        [PROXIED, moving(), moving("b", channel="whatsapp", identity=WHATSAPP)], AUTOMATIC, set(),
    ),
    Situation(
        "two web flows on", [moving(), moving("b")], BY_HAND, {R.WEB}, "web", ""
    ),
    Situation(
        "a mirror that could not be synced", [PROXIED, moving(), stale_mirror()],
        UNCERTAIN, {R.MIRROR_INCOMPLETE},
    ),
    Situation(
        "a change of the flow with an unknown outcome", [PROXIED, moving(), open_change("a")],
        UNCERTAIN, {R.OPEN_CHANGE},
    ),
    Situation(
        "a change of another flow with an unknown outcome",
        [PROXIED, moving(), open_change("b")], AUTOMATIC, set(),
    ),
    Situation(
        "a step by hand and something that was not read",
        [PROXIED, moving(long_lived=True), unread("messaging_service")],
        BY_HAND, {R.LONG_LIVED, R.SERVICES_UNREAD},
    ),
    Situation(
        "a block and something that was not read",
        [PROXIED, moving(kind="task"), unread("messaging_service")],
        BLOCKED, {R.TASK, R.SERVICES_UNREAD},
    ),
]  # fmt: skip

SITUATIONS = [
    *CHANNELS, *INTEGRATIONS, *STUDIO, *SERVICES, *NUMBERS, *SENDERS, *ADDRESSES, *OTHERS,
]  # fmt: skip
