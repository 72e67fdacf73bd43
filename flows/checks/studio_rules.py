"""Rules about the Studio Flows that flows point to: what their published definition does.

They follow from facts about definitions (`flows.names.studio_definitions`). A definition that isn't
the published one, or that was listed before the flow last changed, is not judged. The first are
counted (`find_unknown_definitions`), so that the page can say what was not checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from flows.checks.account_state import AccountState, FlowRuleMatch, is_read_since
from flows.checks.findings import Rule, Severity
from flows.core.safe_text import short
from flows.mirror.targets import TargetKind, find_target_values, target_field_name
from flows.names.handling import (
    INCOMING_CONVERSATION,
    INCOMING_MESSAGE,
    TEMPLATE,
    SendToFlex,
    StudioFacts,
)
from flows.names.lookup import Name
from flows.twilio.studio.studio_definition import STUDIO_DEFINITION
from flows.twilio.studio.studio_flow import STUDIO_FLOW
from flows.twilio.taskrouter.task_channel import TASK_CHANNEL
from flows.twilio.taskrouter.workflow import WORKFLOW

_DEFINITIONS: Final = (STUDIO_FLOW.name, STUDIO_DEFINITION.name)
_STUDIO_FIELD: Final = target_field_name(TargetKind.STUDIO_FLOW)

TAKES_NO_MESSAGE: Final = Rule(
    "studio-flow-takes-no-message",
    Severity.ERROR,
    "Points to a Studio Flow that does nothing with its message",
    "A Flex Flow starts the Incoming Message trigger. It leads nowhere, so customers get no answer.",
    "Connect the Incoming Message trigger in Studio and publish the Studio Flow, or choose another.",
    needs=_DEFINITIONS,
    judged_with=(STUDIO_FLOW.name,),
)
FLEX_TARGET_GONE: Final = Rule(
    "send-to-flex-target-gone",
    Severity.ERROR,
    "The Studio Flow sends to a workflow or task channel that Twilio no longer has",
    "TaskRouter can't make a task, so no agent sees the message.",
    "Choose another workflow or task channel in the Send to Flex widget, and publish the Studio Flow.",
    needs=(*_DEFINITIONS, WORKFLOW.name, TASK_CHANNEL.name),
    judged_with=(STUDIO_FLOW.name,),
)
BOTH_TRIGGERS: Final = Rule(
    "studio-flow-both-triggers",
    Severity.INFORMATION,
    "Both message triggers of the Studio Flow lead to Send to Flex",
    "After a move to Conversations, Twilio customers report two tasks for each message.",
    "Before you move the address, let only one of the two triggers lead to Send to Flex.",
    needs=_DEFINITIONS,
    judged_with=(STUDIO_FLOW.name,),
)
RULES: Final = (TAKES_NO_MESSAGE, FLEX_TARGET_GONE, BOTH_TRIGGERS)


def check_studio_flows(state: AccountState) -> Iterator[FlowRuleMatch]:
    """Yield what is wrong with the definitions that flows point to, as far as they were read."""
    if not state.has_all(STUDIO_FLOW.name):
        return
    problems: dict[str, list[tuple[Rule, str]]] = {}
    for sid, flow in state.flows.items():
        facts = _find_facts(state, flow)
        if facts is None or not is_read_since(flow, facts.listed_at):
            continue
        if facts.sid not in problems:
            # Several widgets may hand over to the same missing workflow, which is told once.
            problems[facts.sid] = list(dict.fromkeys(_check_facts(state, facts)))
        for rule, sentence in problems[facts.sid]:
            yield sid, rule, sentence


def find_unknown_definitions(state: AccountState) -> list[str]:
    """Return the SIDs of flows whose Studio Flow has a published definition that isn't known.

    The latest revision is a draft, or the definition was read before the latest was published. If
    no definitions could be read at all, that is an unmet need of the rules.
    """
    if not state.has_all(*_DEFINITIONS):
        return []
    studio_sids = {
        name.sid
        for name in state.names.values()
        if name.resource == STUDIO_FLOW.name and not name.is_gone
        if not _is_never_published(name)
    }
    studio_sids -= {
        sid for sid, facts in state.surroundings.studio_flows.items() if facts.is_current
    }
    return [
        sid
        for sid, flow in state.flows.items()
        if flow.get(_STUDIO_FIELD) in studio_sids and _points_to_studio(flow)
    ]


def find_unjudged(state: AccountState) -> Iterator[tuple[str, Rule]]:
    """Yield the SIDs of flows that `check_studio_flows` skips or judges in part, with each rule."""
    has_flows = state.has_all(STUDIO_FLOW.name)
    has_flex_targets = state.has_all(WORKFLOW.name, TASK_CHANNEL.name)
    for sid, flow in state.flows.items():
        if not _points_to_studio(flow) or _lacks_definition(state, flow):
            continue
        facts = _find_facts(state, flow)
        if not has_flows or facts is None or not is_read_since(flow, facts.listed_at):
            yield from ((sid, rule) for rule in RULES)
        elif not has_flex_targets:
            yield sid, FLEX_TARGET_GONE


CHECKS: Final[tuple[Callable[[AccountState], Iterator[FlowRuleMatch]], ...]] = (check_studio_flows,)


def _points_to_studio(flow: Mapping[str, Any]) -> bool:
    return any(kind == TargetKind.STUDIO_FLOW for kind, _ in find_target_values(flow))


def _lacks_definition(state: AccountState, flow: Mapping[str, Any]) -> bool:
    """Return True if the Studio Flow is gone, unpublished, or not in the list read since."""
    studio_sid = flow.get(_STUDIO_FIELD)
    name = state.names.get(studio_sid) if isinstance(studio_sid, str) else None
    if name is not None:
        return name.is_gone or _is_never_published(name)
    is_listed_whole = state.has_all(STUDIO_FLOW.name)
    return is_listed_whole and is_read_since(flow, state.read_at.get(STUDIO_FLOW.name))


def _is_never_published(name: Name) -> bool:
    """Return True for a Studio Flow whose only revision is a draft."""
    return name.status == "draft" and name.revision == 1


def _find_facts(state: AccountState, flow: object) -> StudioFacts | None:
    """Return the facts about the published definition that a flow's messages use, if known."""
    if not state.surroundings.studio_flows or not isinstance(flow, dict):
        return None
    for kind, value in find_target_values(flow):
        facts = state.surroundings.studio_flows.get(value)
        if kind == TargetKind.STUDIO_FLOW and facts is not None and facts.is_current:
            return facts
    return None


def _check_facts(state: AccountState, facts: StudioFacts) -> Iterator[tuple[Rule, str]]:
    name = state.names.get(facts.sid)
    title = f"The Studio Flow “{name.name}”" if name and name.name else "The Studio Flow"
    if INCOMING_MESSAGE not in facts.trigger_events:
        sentence = f"{title} does nothing with an incoming message. Messages can't be handled."
        if INCOMING_CONVERSATION in facts.trigger_events:
            sentence += " It only handles those of Conversations."
        yield TAKES_NO_MESSAGE, sentence
    if facts.events_to_flex >= {INCOMING_MESSAGE, INCOMING_CONVERSATION}:
        yield (
            BOTH_TRIGGERS,
            f"{title} leads to Send to Flex from Incoming Message and from Incoming Conversation.",
        )
    for widget in facts.send_to_flex:
        if INCOMING_MESSAGE in widget.events:
            yield from _check_widget(state, title, widget)


def _check_widget(
    state: AccountState, title: str, widget: SendToFlex
) -> Iterator[tuple[Rule, str]]:
    """Check the workflow and the task channel of a widget. Templates can't be checked."""
    targets = (
        (WORKFLOW.name, "workflow", widget.workflow),
        (TASK_CHANNEL.name, "task channel", widget.channel),
    )
    for resource, words, target_sid in targets:
        if target_sid in ("", TEMPLATE) or not _is_gone(state, resource, target_sid):
            continue
        target_name = state.names.get(target_sid)
        named = f"“{target_name.name}”" if target_name and target_name.name else short(target_sid)
        sentence = f"{title} sends to the {words} {named}, which Twilio no longer has."
        yield FLEX_TARGET_GONE, f"{sentence} No agent gets the message."


def _is_gone(state: AccountState, resource: str, sid: str) -> bool:
    """Return True for a deleted object, and for one that a complete list doesn't have."""
    name = state.names.get(sid)
    return name.is_gone if name else state.has_all(resource)
