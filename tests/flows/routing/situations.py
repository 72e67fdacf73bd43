"""Situations at Twilio, and who answers a message in each of them: the routing page's table of truth.

It was written from Twilio's documentation and from operators' reports, before the code. A flow, an
address or another handler is known by a letter. `expected` has the verdict, the handlers in order,
the reason of each flow and address that was considered, the doubts, and the rules that a handler
breaks.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from flows.routing.answers import Doubt, Reason, Verdict
from flows.routing.questions import Direction
from tests.flows.routing.world import (
    WHATSAPP,
    N,
    address,
    flow,
    number,
    open_change,
    sender,
    stale_mirror,
    studio,
    task_channel,
    unread,
    workflow,
)

ONE, SEVERAL, NONE = Verdict.ONE, Verdict.SEVERAL, Verdict.NONE
PROXY = "proxy"


@dataclass(frozen=True)
class Situation:
    title: str
    world: list[Any]
    verdict: Verdict
    handlers: list[str]
    reasons: dict[str, Reason] = field(default_factory=dict)
    doubts: set[Doubt] = field(default_factory=set)
    problems: dict[str, set[str]] = field(default_factory=dict)
    channel: str = "sms"
    identity: str = N
    direction: Direction = Direction.INBOUND


PROXIED = number(webhook=PROXY)

SMS = [
    Situation("a flow that is on", [PROXIED, flow("a")], ONE, ["a"], {"a": Reason.ON}),
    Situation("a flow that is off", [PROXIED, flow("a", on=False)], NONE, [], {"a": Reason.OFF}),
    Situation(
        "two flows that are on", [PROXIED, flow("a"), flow("b")], SEVERAL, ["a", "b"],
        {"a": Reason.ON, "b": Reason.ON}, {Doubt.TWO_FLOWS_ON},
    ),
    Situation(
        "one flow on and one off, as documented for outbound messages",
        [PROXIED, flow("a"), flow("b", on=False)], ONE, ["a"], {"a": Reason.ON, "b": Reason.OFF},
    ),
    Situation("no flow at all", [PROXIED], NONE, []),
    Situation("a flow of another number", [PROXIED, flow("a", identity="+14155550199")], NONE, []),
    Situation(
        "a flow that has no identity", [PROXIED, flow("a", identity="")], NONE, []
    ),
    Situation(
        "a flow of this number for another channel",
        [PROXIED, flow("a", channel="whatsapp", identity=WHATSAPP)], NONE, [],
        {"a": Reason.OTHER_CHANNEL},
    ),
    Situation(
        "a flow whose identity has another spelling", [PROXIED, flow("a", identity="+1 (415) 555-0123")],
        ONE, ["a"], {"a": Reason.ON},
    ),
    Situation(
        "a number that is asked for in another spelling", [PROXIED, flow("a")], ONE, ["a"],
        {"a": Reason.ON}, identity="001 415 555 0123",
    ),
    Situation(
        "a number that the account doesn't own", [flow("a")], NONE, [], {"a": Reason.NOT_OWNED}
    ),
    Situation(
        "a number that the account doesn't own, with an address",
        [flow("a", on=False), address("x")], NONE, [], {"a": Reason.OFF, "x": Reason.NOT_OWNED},
    ),
    Situation(
        "numbers that could not be read", [flow("a"), unread("phone_number")], ONE, ["a"],
        {"a": Reason.ON}, {Doubt.NUMBERS_UNREAD},
    ),
    Situation(
        "numbers that could not be read, and no flow", [unread("phone_number")], NONE, [], {},
        {Doubt.NUMBERS_UNREAD},
    ),
    Situation(
        "a number whose webhooks were never read", [number(is_read=False), flow("a")], ONE, ["a"],
        {"a": Reason.ON}, {Doubt.WEBHOOKS_UNREAD},
    ),
    Situation(
        "a number without SMS", [number(webhook=PROXY, sms=False), flow("a")], NONE, [],
        {"a": Reason.NO_SMS},
    ),
    Situation(
        "a number with a webhook of its own", [number(webhook="bot.example.com"), flow("a")],
        ONE, ["bot.example.com"], {"a": Reason.WEBHOOK_TAKES_IT},
    ),
    Situation(
        "a number with an application beside the address of Flex",
        [number(webhook=PROXY, application="AP1"), flow("a")], ONE, ["application"],
        {"a": Reason.APPLICATION_TAKES_IT}, {Doubt.APPLICATION_UNREAD},
    ),
    Situation(
        "a number that passes its messages to nobody", [number(), flow("a")], NONE, [],
        {"a": Reason.NO_WEBHOOK},
    ),
    Situation(
        "a number in a Messaging Service with an inbound URL",
        [number(webhook=PROXY, service="service.example.com"), flow("a")],
        ONE, ["service.example.com"], {"a": Reason.SERVICE_TAKES_IT},
    ),
    Situation(
        "a number in a Messaging Service that leaves it to the number",
        [number(webhook=PROXY, service="service.example.com", uses_number=True), flow("a")],
        ONE, ["a"], {"a": Reason.ON},
    ),
    Situation(
        "a number in a Messaging Service without an inbound URL",
        [number(webhook=PROXY, service=""), flow("a")], NONE, [], {"a": Reason.SERVICE_KEEPS_IT},
    ),
    Situation(
        "a number in a Messaging Service whose inbound URL is that of Flex",
        [number(webhook="bot.example.com", service=PROXY), flow("a")], ONE, ["a"], {"a": Reason.ON},
    ),
    Situation(
        "a number in a Messaging Service, of which it isn't known whether it uses the number's webhook",
        [number(webhook=PROXY, service="service.example.com", uses_number=None), flow("a")],
        ONE, ["service.example.com"], {"a": Reason.SERVICE_TAKES_IT}, {Doubt.SERVICE_SETTING_UNREAD},
    ),
    Situation(
        "Messaging Services that could not be read", [PROXIED, flow("a"), unread("messaging_service")],
        ONE, ["a"], {"a": Reason.ON}, {Doubt.SERVICES_UNREAD},
    ),
    Situation(
        "a short code", [flow("a", identity="12345")], ONE, ["a"], {"a": Reason.ON},
        {Doubt.NOT_A_NUMBER}, identity="12345",
    ),
    Situation(
        "a mirror that could not be synced", [PROXIED, flow("a"), stale_mirror()], ONE, ["a"],
        {"a": Reason.ON}, {Doubt.MIRROR_INCOMPLETE},
    ),
    Situation(
        "a flow with a change whose outcome is unknown", [PROXIED, flow("a"), open_change("a")],
        ONE, ["a"], {"a": Reason.ON}, {Doubt.OPEN_CHANGE},
    ),
    Situation(
        "a flow that is off, with a change whose outcome is unknown",
        [PROXIED, flow("a", on=False), open_change("a")], NONE, [], {"a": Reason.OFF},
        {Doubt.OPEN_CHANGE},
    ),
]  # fmt: skip

ADDRESSES = [
    Situation("an address that is on", [number(), address("x")], ONE, ["x"], {"x": Reason.ADDRESS_ON}),
    Situation(
        "an address that is off", [number(), address("x", on=False)], NONE, [], {"x": Reason.ADDRESS_OFF}
    ),
    Situation(
        "an address that is off beside a flow that is on",
        [PROXIED, flow("a"), address("x", on=False)], ONE, ["a"],
        {"a": Reason.ON, "x": Reason.ADDRESS_OFF},
    ),
    Situation(
        "an address beside a flow, both on", [PROXIED, flow("a"), address("x")], SEVERAL, ["a", "x"],
        {"a": Reason.ON, "x": Reason.ADDRESS_ON}, {Doubt.ADDRESS_AND_OTHERS},
    ),
    Situation(
        "an address beside a flow that is off", [PROXIED, flow("a", on=False), address("x")],
        ONE, ["x"], {"a": Reason.OFF, "x": Reason.ADDRESS_ON},
    ),
    Situation(
        "an address beside a webhook of the number", [number(webhook="bot.example.com"), address("x")],
        SEVERAL, ["bot.example.com", "x"], {"x": Reason.ADDRESS_ON}, {Doubt.ADDRESS_AND_OTHERS},
    ),
    Situation(
        "an address of a number in a Messaging Service",
        [number(service="service.example.com"), address("x")], SEVERAL, ["service.example.com", "x"],
        {"x": Reason.ADDRESS_ON}, {Doubt.ADDRESS_AND_OTHERS, Doubt.ADDRESS_IN_SERVICE},
    ),
    Situation(
        "an address of another channel", [number(), address("x", kind="whatsapp", of=WHATSAPP)],
        NONE, [], {"x": Reason.OTHER_CHANNEL},
    ),
    Situation(
        "addresses that could not be read", [PROXIED, flow("a"), unread("address_configuration")],
        ONE, ["a"], {"a": Reason.ON}, {Doubt.ADDRESSES_UNREAD},
    ),
    Situation(
        "an address that only opens a conversation", [number(), address("x", integration="default")],
        ONE, ["x"], {"x": Reason.ADDRESS_ON}, problems={"x": {"address-without-handover"}},
    ),
    Situation(
        "an address whose Studio Flow was deleted",
        [number(), address("x", studio="s"), studio("s", is_gone=True)], ONE, ["x"],
        {"x": Reason.ADDRESS_ON}, problems={"x": {"target-gone"}},
    ),
    Situation(
        "an address whose Studio Flow doesn't listen to conversations",
        [number(), address("x", studio="s"), studio("s", events=["incomingMessage"])], ONE, ["x"],
        {"x": Reason.ADDRESS_ON}, problems={"x": {"studio-flow-takes-no-message"}},
    ),
    Situation(
        "an address without the webhook that it needs",
        [number(), address("x", integration="webhook", host="")], ONE, ["x"],
        {"x": Reason.ADDRESS_ON}, problems={"x": {"required-value-missing"}},
    ),
]  # fmt: skip

TARGETS = [
    Situation(
        "a Studio Flow that was never published", [PROXIED, flow("a", studio="s"), studio("s", status="draft", revision=1)],
        ONE, ["a"], {"a": Reason.ON}, problems={"a": {"studio-flow-never-published"}},
    ),
    Situation(
        "a Studio Flow whose latest revision is a draft",
        [PROXIED, flow("a", studio="s"), studio("s", status="draft", revision=7)],
        ONE, ["a"], {"a": Reason.ON},
    ),
    Situation(
        "a Studio Flow that was deleted", [PROXIED, flow("a", studio="s"), studio("s", is_gone=True)],
        ONE, ["a"], {"a": Reason.ON}, problems={"a": {"target-gone"}},
    ),
    Situation(
        "a Studio Flow that nobody has a name for", [PROXIED, flow("a", studio="unnamed")],
        ONE, ["a"], {"a": Reason.ON}, {Doubt.TARGET_UNREAD},
    ),
    Situation(
        "a flow without its Studio Flow", [PROXIED, flow("a", integration_flow_sid=None)],
        ONE, ["a"], {"a": Reason.ON}, problems={"a": {"required-value-missing"}},
    ),
    Situation("a webhook", [PROXIED, flow("a", kind="external")], ONE, ["a"], {"a": Reason.ON}),
    Situation(
        "a flow without its webhook", [PROXIED, flow("a", kind="external", integration_url="")],
        ONE, ["a"], {"a": Reason.ON}, problems={"a": {"required-value-missing"}},
    ),
    Situation(
        "a workflow of another workspace",
        [PROXIED, flow("a", kind="task"), workflow(workspace="another"), task_channel()], ONE, ["a"],
        {"a": Reason.ON}, problems={"a": {"workflow-in-another-workspace"}},
    ),
    Situation(
        "an unknown task channel",
        [PROXIED, flow("a", kind="task", integration_channel="fax"), workflow(), task_channel()],
        ONE, ["a"], {"a": Reason.ON}, problems={"a": {"task-channel-unknown"}},
    ),
]  # fmt: skip

WHATSAPPS = [
    Situation("a flow and its sender", [sender(webhook=PROXY), flow("a")], ONE, ["a"], {"a": Reason.ON}),
    Situation("an unknown sender", [flow("a")], NONE, [], {"a": Reason.SENDER_MISSING}),
    Situation(
        "a sender that is offline", [sender(webhook=PROXY, status="OFFLINE"), flow("a")], NONE, [],
        {"a": Reason.SENDER_OFFLINE},
    ),
    Situation(
        "a sender with a webhook of its own", [sender(webhook="bot.example.com"), flow("a")],
        ONE, ["bot.example.com"], {"a": Reason.WEBHOOK_TAKES_IT},
    ),
    Situation("a sender without a webhook", [sender(), flow("a")], NONE, [], {"a": Reason.NO_WEBHOOK}),
    Situation(
        "a sender in a Messaging Service that leaves it to the sender",
        [sender(webhook=PROXY, service="service.example.com", uses_number=True), flow("a")],
        SEVERAL, ["a", "service.example.com"], {"a": Reason.ON}, {Doubt.SENDER_IN_SERVICE},
    ),
    Situation(
        "a sender in a Messaging Service", [sender(webhook=PROXY, service="service.example.com"), flow("a")],
        ONE, ["service.example.com"], {"a": Reason.SERVICE_TAKES_IT},
    ),
    Situation(
        "senders that could not be read", [flow("a"), unread("whatsapp_sender")], ONE, ["a"],
        {"a": Reason.ON}, {Doubt.SENDERS_UNREAD},
    ),
    Situation(
        "a sender whose webhook was never read", [sender(is_read=False), flow("a")], ONE, ["a"],
        {"a": Reason.ON}, {Doubt.WEBHOOKS_UNREAD},
    ),
    Situation(
        "two flows that are on", [sender(webhook=PROXY), flow("a"), flow("b")], SEVERAL, ["a", "b"],
        {"a": Reason.ON, "b": Reason.ON}, {Doubt.TWO_FLOWS_ON},
    ),
    Situation(
        "an address beside a flow, both on", [sender(webhook=PROXY), flow("a"), address("x")],
        SEVERAL, ["a", "x"], {"a": Reason.ON, "x": Reason.ADDRESS_ON}, {Doubt.ADDRESS_AND_OTHERS},
    ),
    Situation(
        "an SMS flow of the number", [sender(webhook=PROXY), flow("a", channel="sms", identity=N)],
        NONE, [], {"a": Reason.OTHER_CHANNEL},
    ),
]  # fmt: skip

MESSENGER = [
    Situation(
        "a flow that is on", [flow("a")], ONE, ["a"], {"a": Reason.ON}, {Doubt.PAGE_UNREAD}
    ),
    Situation("a flow that is off", [flow("a", on=False)], NONE, [], {"a": Reason.OFF}, {Doubt.PAGE_UNREAD}),
    Situation(
        "an address beside a flow, both on", [flow("a"), address("x")], SEVERAL, ["a", "x"],
        {"a": Reason.ON, "x": Reason.ADDRESS_ON}, {Doubt.PAGE_UNREAD, Doubt.ADDRESS_AND_OTHERS},
    ),
    Situation("nothing", [], NONE, [], {}, {Doubt.PAGE_UNREAD}),
]  # fmt: skip

WEB = [
    Situation(
        "a flow that is on", [flow("a", identity="")], ONE, ["a"], {"a": Reason.WEBSITE_NAMES_IT},
        {Doubt.WEBSITE_CHOOSES},
    ),
    Situation(
        "two flows that are on", [flow("a", identity=""), flow("b", identity="web")],
        SEVERAL, ["a", "b"], {"a": Reason.WEBSITE_NAMES_IT, "b": Reason.WEBSITE_NAMES_IT},
        {Doubt.WEBSITE_CHOOSES},
    ),
    Situation(
        "a flow that is off", [flow("a", on=False)], NONE, [], {"a": Reason.OFF}, {Doubt.WEBSITE_CHOOSES}
    ),
    Situation(
        "a flow beside an address", [flow("a"), address("x")], SEVERAL, ["a", "x"],
        {"a": Reason.WEBSITE_NAMES_IT, "x": Reason.ADDRESS_ON}, {Doubt.WEBSITE_CHOOSES},
    ),
    Situation(
        "a flow beside an address that is off", [flow("a"), address("x", on=False)], ONE, ["a"],
        {"a": Reason.WEBSITE_NAMES_IT, "x": Reason.ADDRESS_OFF}, {Doubt.WEBSITE_CHOOSES},
    ),
    Situation("only an SMS flow", [PROXIED, flow("a", channel="sms", identity=N)], NONE, [], {}, {Doubt.WEBSITE_CHOOSES}),
]  # fmt: skip

OUTBOUND = [
    Situation(
        "a flow that is on", [PROXIED, flow("a")], ONE, ["a"], {"a": Reason.SENDER_NAMES_IT}
    ),
    Situation(
        "a flow that is off", [PROXIED, flow("a", on=False)], ONE, ["a"], {"a": Reason.SENDER_NAMES_IT}
    ),
    Situation(
        "one flow on and one off", [PROXIED, flow("a"), flow("b", on=False)], SEVERAL, ["a", "b"],
        {"a": Reason.SENDER_NAMES_IT, "b": Reason.SENDER_NAMES_IT}, {Doubt.SENDER_CHOOSES},
    ),
    Situation("a number that the account doesn't own", [flow("a")], NONE, [], {"a": Reason.NOT_OWNED}),
    Situation("no flow", [PROXIED], NONE, []),
    Situation(
        "a number in a Messaging Service, which matters only for what comes in",
        [number(webhook=PROXY, service="service.example.com"), flow("a")], ONE, ["a"],
        {"a": Reason.SENDER_NAMES_IT},
    ),
    Situation(
        "an address, which is for what comes in", [number(), address("x")], NONE, [],
        {"x": Reason.INBOUND_ONLY},
    ),
]  # fmt: skip


def _of(situations: list[Situation], **values: Any) -> list[Situation]:
    return [replace(each, **values) for each in situations]


SITUATIONS = [
    *SMS,
    *ADDRESSES,
    *TARGETS,
    *_of(WHATSAPPS, channel="whatsapp", identity=WHATSAPP),
    *_of(MESSENGER, channel="facebook", identity="messenger:1234567"),
    *_of(WEB, channel="web", identity=""),
    *_of(OUTBOUND, direction=Direction.OUTBOUND),
]
