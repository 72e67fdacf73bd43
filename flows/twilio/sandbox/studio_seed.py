"""Definitions of the seeded Studio Flows: most take a Flex Flow's message, and some have a flaw.

A definition can hold secrets, as real ones do. Every secret is fictional.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flows.twilio.sandbox.named_bodies import SECRET, make_sid

if TYPE_CHECKING:
    from flows.twilio.sandbox.rules import Body

# By the position of a Studio Flow, so that the first ones, which most tests use, have none.
BOTH_TRIGGERS_POSITION = 1
CONVERSATIONS_ONLY_POSITION = 3
WORKFLOW_GONE_POSITION = 4
OLD_VARIABLES_POSITION = 6


def make_definition(position: int, workflow_sid: str, channel_sid: str) -> Body:
    """Return the definition of the Studio Flow at this position. Its last widget is Send to Flex."""
    if position == WORKFLOW_GONE_POSITION:
        workflow_sid = make_sid("WW", "deleted")
    takes_message = position != CONVERSATIONS_ONLY_POSITION
    takes_conversation = position in (BOTH_TRIGGERS_POSITION, CONVERSATIONS_ONLY_POSITION)
    body = "Thank you! We will answer soon."
    if position == OLD_VARIABLES_POSITION:
        body += " ({{trigger.message.ChannelSid}})"
    return {
        "description": "A made-up Studio Flow",
        "states": [
            _state(
                "Trigger",
                "trigger",
                {
                    "incomingMessage": "greeting" if takes_message else None,
                    "incomingCall": None,
                    "incomingConversationMessage": "greeting" if takes_conversation else None,
                    "incomingRequest": None,
                    "incomingParent": None,
                },
                {"offset": {"x": 0, "y": 0}},
            ),
            _state("greeting", "send-message", {"sent": "look_up", "failed": None}, {"body": body}),
            _state(
                "look_up",
                "make-http-request",
                {"success": "agent", "failed": "agent"},
                {"url": f"https://crm.example.com/customers?token={SECRET}", "method": "GET"},
            ),
            _state(
                "agent",
                "send-to-flex",
                {"callComplete": None, "failedToEnqueue": None, "callFailure": None},
                {
                    "workflow": workflow_sid,
                    "channel": channel_sid,
                    "attributes": '{"name": "{{trigger.message.ChannelAttributes.from}}"}'
                    if position == OLD_VARIABLES_POSITION
                    else '{"type": "inbound"}',
                },
            ),
        ],
        "initial_state": "Trigger",
        "flags": {"allow_concurrent_calls": True},
    }


def _state(
    name: str, kind: str, transitions: dict[str, str | None], properties: dict[str, Any]
) -> dict[str, Any]:
    return {
        "name": name,
        "type": kind,
        "transitions": [
            {"event": event} | ({"next": following} if following else {})
            for event, following in transitions.items()
        ],
        "properties": properties,
    }
