"""Facts about definitions of Studio Flows, also of odd ones."""

import json

import pytest

from flows.names.handling import INCOMING_CONVERSATION, INCOMING_MESSAGE, TEMPLATE
from flows.names.studio_definitions import summarize_definition
from flows.twilio.sandbox.named_bodies import SECRET
from flows.twilio.sandbox.studio_seed import make_definition

WORKFLOW, CHANNEL = "WW" + "1a" * 16, "TC" + "1a" * 16


def state(name, kind="send-message", properties=None, **transitions):
    return {
        "name": name,
        "type": kind,
        "transitions": [{"event": event, "next": name} for event, name in transitions.items()],
        "properties": properties or {},
    }


def definition(*states):
    return {"states": list(states), "initial_state": "Trigger"}


def to_flex(name="agent", workflow=WORKFLOW, channel=CHANNEL):
    return state(name, "send-to-flex", {"workflow": workflow, "channel": channel})


def test_facts_of_a_usual_definition():
    facts = summarize_definition(make_definition(0, WORKFLOW, CHANNEL))

    assert facts == {
        "trigger_events": [INCOMING_MESSAGE],
        "send_to_flex": [
            {
                "widget": "agent",
                "workflow": WORKFLOW,
                "channel": CHANNEL,
                "events": [INCOMING_MESSAGE],
            }
        ],
        "old_variables": [],
        "widget_count": 3,
    }
    assert SECRET not in json.dumps(facts)


def test_each_event_has_the_widgets_that_can_come_after_it():
    facts = summarize_definition(
        definition(
            state(
                "Trigger",
                "trigger",
                incomingMessage="ask",
                incomingConversationMessage="b",
                incomingCall="ask",
            ),
            state("ask", noMatch="ask", match="a"),  # a loop
            to_flex("a"),
            to_flex("b", workflow="{{flow.variables.workflow}}", channel=None),
            to_flex("never"),
        )
    )

    assert facts["trigger_events"] == ["incomingCall", INCOMING_CONVERSATION, INCOMING_MESSAGE]
    assert [
        (one["widget"], one["workflow"], one["channel"], one["events"])
        for one in facts["send_to_flex"]
    ] == [
        ("a", WORKFLOW, CHANNEL, [INCOMING_MESSAGE]),
        ("b", TEMPLATE, "", [INCOMING_CONVERSATION]),
        ("never", WORKFLOW, CHANNEL, []),
    ]
    assert facts["widget_count"] == 4


def test_variables_that_a_conversation_lacks_are_found_anywhere():
    facts = summarize_definition(
        definition(
            state("Trigger", "trigger"),
            state("send", properties={"parts": [{"body": "{{trigger.message.InstanceSid}}"}]}),
            state(
                "other",
                properties={"body": "{{trigger.message.Body}} {{trigger.message.ChannelSidX}}"},
            ),
        )
    )

    assert facts["old_variables"] == ["InstanceSid"]


@pytest.mark.parametrize(
    "odd",
    [
        None,
        7,
        "x",
        [],
        {},
        {"states": None},
        {"states": [None, 1, {"name": 3}]},
        {"states": [{"name": "a", "type": "send-to-flex"}]},
        definition(state("A", "trigger"), state("B", "trigger")),
    ],
)
def test_what_has_no_trigger_is_no_definition(odd):
    assert summarize_definition(odd) is None


@pytest.mark.parametrize(
    "odd",
    [
        None,
        7,
        "x",
        {},
        [None],
        [{}],
        [{"event": 1, "next": "a"}],
        [{"event": "incomingMessage", "next": {}}],
    ],
)
def test_odd_transitions_lead_nowhere(odd):
    trigger = {"name": "Trigger", "type": "trigger", "transitions": odd, "properties": odd}

    assert summarize_definition({"states": [trigger]})["trigger_events"] == []
