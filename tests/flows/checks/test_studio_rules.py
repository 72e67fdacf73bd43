"""Rules about definitions of Studio Flows: each with one that breaks it, a sibling, and what is fine."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from flows.checks.account_rules import AccountState, check_account
from flows.checks.studio_rules import find_unknown_definitions
from flows.names.handling import (
    INCOMING_CONVERSATION,
    INCOMING_MESSAGE,
    TEMPLATE,
    SendToFlex,
    StudioFacts,
    Surroundings,
)
from flows.names.lookup import Name
from tests.flows.checks.complete_flows import flow

STUDIO_SID, WORKFLOW, CHANNEL = "FW" + "1" * 32, "WW" + "1" * 32, "TC" + "1" * 32
READ_AT = datetime(2026, 11, 20, tzinfo=UTC)
BOTH = frozenset({INCOMING_MESSAGE, INCOMING_CONVERSATION})
COMPLETE = ("studio_flow", "studio_definition", "workflow", "task_channel")
AGENT = SendToFlex("agent", WORKFLOW, CHANNEL, frozenset({INCOMING_MESSAGE}))
FACTS = StudioFacts(
    sid=STUDIO_SID,
    status="published",
    revision=3,
    latest_revision=3,
    trigger_events=frozenset({INCOMING_MESSAGE}),
    send_to_flex=(AGENT,),
    read_at=READ_AT,
    listed_at=READ_AT,
)
NAMES = {
    STUDIO_SID: Name(STUDIO_SID, "studio_flow", "Support", "published", "", is_gone=False),
    WORKFLOW: Name(WORKFLOW, "workflow", "Anyone", "", "", is_gone=False),
    CHANNEL: Name(CHANNEL, "task_channel", "Chat", "", "", is_gone=False),
}


def find(facts=FACTS, *, names=NAMES, complete=COMPLETE, **fields):
    """Return the ids of the rules that find something at a flow, and the sentences."""
    values = {"integration_flow_sid": STUDIO_SID, "enabled": True} | fields
    state = AccountState(
        {"FO1": flow(**({"kind": "studio", "channel": "web"} | values))},
        names,
        complete=complete,
        surroundings=Surroundings(studio_flows={STUDIO_SID: facts}),
    )
    found = [(rule.rule_id, text) for _, rule, text in check_account(state)]
    return [rule_id for rule_id, _ in found], [text for _, text in found]


def test_usual_definition_is_fine():
    assert find() == ([], [])


def test_trigger_without_a_transition_for_the_message():
    call = replace(FACTS, trigger_events=frozenset({"incomingCall"}), send_to_flex=())

    assert find(call) == (
        ["studio-flow-takes-no-message"],
        [
            (
                "The Studio Flow “Support” does nothing with an incoming message. "
                "Messages can't be handled."
            )
        ],
    )
    migrated = replace(call, trigger_events=frozenset({INCOMING_CONVERSATION}))
    assert "It only handles those of Conversations." in find(migrated)[1][0]


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "task"},  # has no Studio Flow, though its field is set
        {"integration_flow_sid": "FW" + "2" * 32},
        {"date_updated": "2026-11-21T00:00:00Z"},  # the list may be older than its repair
    ],
    ids=["task", "another Studio Flow", "changed since"],
)
def test_other_flows_are_fine(fields):
    silent = replace(FACTS, trigger_events=frozenset())

    assert find(silent)[0] == ["studio-flow-takes-no-message"]
    assert find(silent, **fields)[0] == []


@pytest.mark.parametrize(
    "change",
    [
        {"status": "draft"},  # customers get an earlier revision
        {"latest_revision": 4},  # published since
        {"revision": None, "latest_revision": None},
        {"listed_at": None},
    ],
)
def test_definition_that_is_not_known_to_be_published_is_not_judged(change):
    silent = replace(FACTS, trigger_events=frozenset(), **change)

    assert find(silent)[0] == []


def test_both_triggers_lead_to_flex():
    both = replace(FACTS, trigger_events=BOTH, send_to_flex=(replace(AGENT, events=BOTH),))

    assert find(both) == (
        ["studio-flow-both-triggers"],
        [
            (
                "The Studio Flow “Support” leads to Send to Flex from Incoming Message and from "
                "Incoming Conversation."
            )
        ],
    )
    two_widgets = (AGENT, replace(AGENT, events=frozenset({INCOMING_CONVERSATION})))
    assert find(replace(both, send_to_flex=two_widgets))[0] == ["studio-flow-both-triggers"]
    assert find(replace(both, send_to_flex=(AGENT,)))[0] == []  # one of them answers by itself


@pytest.mark.parametrize(("sid", "words"), [(WORKFLOW, "workflow"), (CHANNEL, "task channel")])
def test_target_of_send_to_flex_is_gone(sid, words):
    deleted = NAMES | {sid: replace(NAMES[sid], is_gone=True)}
    unlisted = {other: name for other, name in NAMES.items() if other != sid}

    assert find(names=deleted)[0] == ["send-to-flex-target-gone"]
    assert f"{words} “{NAMES[sid].name}”, which Twilio no longer has" in find(names=deleted)[1][0]
    assert find(names=unlisted)[0] == ["send-to-flex-target-gone"]


@pytest.mark.parametrize(
    "widget",
    [
        replace(AGENT, workflow=TEMPLATE, channel=TEMPLATE),
        replace(AGENT, workflow="", channel=""),
        replace(AGENT, events=frozenset({INCOMING_CONVERSATION})),
        replace(AGENT, events=frozenset()),
    ],
    ids=["templates", "nothing set", "for Conversations only", "never reached"],
)
def test_widget_that_a_flex_flow_may_not_reach_or_that_is_not_known_is_fine(widget):
    facts = replace(FACTS, send_to_flex=(widget,))

    assert find(facts, names={STUDIO_SID: NAMES[STUDIO_SID]})[0] == []


def test_what_was_not_listed_completely_is_not_gone():
    only_studio = {STUDIO_SID: NAMES[STUDIO_SID]}

    assert find(names=only_studio, complete=("studio_flow",))[0] == []
    silent = replace(FACTS, trigger_events=frozenset())
    assert find(silent, complete=("workflow", "task_channel"))[0] == []


def test_some_definitions_are_enough_to_judge_these():
    silent = replace(FACTS, trigger_events=frozenset())

    assert find(silent, complete=("studio_flow",))[0] == ["studio-flow-takes-no-message"]


def test_flow_that_is_off_is_no_error():
    state_of = find(replace(FACTS, trigger_events=frozenset()), enabled=False)

    assert state_of[0] == ["studio-flow-takes-no-message"]  # its severity is a warning then


def find_unknown(facts, *, complete=COMPLETE, name=NAMES[STUDIO_SID], **fields):
    """Return the SIDs of the flows whose published definition isn't known."""
    values = {"kind": "studio", "channel": "web", "integration_flow_sid": STUDIO_SID} | fields
    known = {STUDIO_SID: facts} if facts else {}
    state = AccountState(
        {"FO1": flow(**values)}, {STUDIO_SID: name}, complete=complete,
        surroundings=Surroundings(studio_flows=known),
    )  # fmt: skip
    return find_unknown_definitions(state)


@pytest.mark.parametrize(
    "facts",
    [
        replace(FACTS, status="draft", latest_revision=4),  # customers get an earlier revision
        replace(FACTS, latest_revision=4),  # published since
        None,  # not read, or not understood
    ],
)
def test_definition_that_is_not_known_is_counted_as_not_checked(facts):
    assert find_unknown(facts) == ["FO1"]


def test_definitions_that_are_known_or_that_no_flow_needs():
    draft = replace(FACTS, status="draft", latest_revision=4)
    deleted = replace(NAMES[STUDIO_SID], is_gone=True)
    unpublished = replace(NAMES[STUDIO_SID], status="draft", revision=1)

    assert find_unknown(FACTS) == []
    assert find_unknown(draft, kind="task") == []
    assert find_unknown(draft, integration_flow_sid="FW" + "2" * 32) == []
    assert find_unknown(None, name=deleted) == []
    assert find_unknown(None, name=unpublished) == []  # has a finding of its own
    assert find_unknown(None, complete=("studio_flow",)) == []  # the page says that none were read
