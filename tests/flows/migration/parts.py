"""Parts of the world of routing's situations that matter for a migration.

The Studio Flow that flows have by default hands the messages of both triggers to something, but to no
Send to Flex of its own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flows.names.handling import ChatServices, SendToFlex
from tests.data import EXAMPLES
from tests.flows.routing.world import READ_AT, Part, World, flow

STUDIO_SID = EXAMPLES["integration_flow_sid"]
FLEX_SERVICE = EXAMPLES["chat_service_sid"]
OTHER_SERVICE = "IS" + "7" * 32
MESSAGE, CONVERSATION = "incomingMessage", "incomingConversationMessage"
WORKFLOW, CHANNEL = EXAMPLES["integration_workflow_sid"], "TC" + "1" * 32


def moving(letter: str = "a", **fields: Any) -> Part:
    """A flow with nothing that an address lacks."""
    plain = {"long_lived": False, "janitor_enabled": False, "integration_retry_count": 0}
    return flow(letter, **{**plain, **fields})


def definition(**facts: Any) -> Part:
    """Other facts about the definition of the Studio Flow."""

    def add(world: World) -> None:
        world.studio_flows[STUDIO_SID] = replace(world.studio_flows[STUDIO_SID], **facts)

    return add


def to_flex(*events: str, workflow: str = WORKFLOW, channel: str = "") -> Part:
    """Events that lead to Send to Flex in the Studio Flow."""
    return definition(send_to_flex=(SendToFlex("send", workflow, channel, frozenset(events)),))


def no_definition() -> Part:
    """The Studio Flow's definition was not read."""

    def add(world: World) -> None:
        del world.studio_flows[STUDIO_SID]

    return add


def chat_services(flex: str = FLEX_SERVICE, default: str = FLEX_SERVICE) -> Part:
    def add(world: World) -> None:
        world.chat_services = ChatServices(flex, default, READ_AT if flex or default else None)

    return add
