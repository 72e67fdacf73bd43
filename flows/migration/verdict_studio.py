"""Rules of the verdict about a flow's Studio Flow: whether it can take conversations in its place."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.text import get_text_list

from flows.migration.verdict_case import Case
from flows.migration.verdict_reasons import Found, Reason
from flows.names.handling import INCOMING_CONVERSATION, INCOMING_MESSAGE, TEMPLATE, StudioFacts
from flows.twilio.studio.studio_flow import STUDIO_FLOW
from flows.twilio.taskrouter.task_channel import TASK_CHANNEL
from flows.twilio.taskrouter.workflow import WORKFLOW


def check_studio_flow(case: Case) -> Iterator[Found]:
    """Yield what a flow's Studio Flow lacks, as far as its published definition was read."""
    sid = case.text("integration_flow_sid")
    if not sid:
        yield Found(Reason.NO_TARGET, "Studio Flow")
        return
    studio_flow = case.state.account.names.get(sid)
    has_read_all = case.has_read(STUDIO_FLOW.name)
    facts = case.state.surroundings.studio_flows.get(sid)
    is_missing = studio_flow is None and case.has_read_since_change(STUDIO_FLOW.name)
    if is_missing or (studio_flow and studio_flow.is_gone):
        yield Found(Reason.STUDIO_GONE, case.name_of(sid))
    elif studio_flow and studio_flow.status == "draft" and has_read_all:
        # As in flows/checks: only a first revision proves that none was published.
        is_first = studio_flow.revision == 1
        yield Found(
            Reason.STUDIO_DRAFT if is_first else Reason.STUDIO_NEWER_DRAFT, case.name_of(sid)
        )
    elif facts is None or not facts.is_current or not has_read_all:
        yield Found(Reason.STUDIO_UNREAD, case.name_of(sid))
    else:
        yield from _check_definition(case, facts)


def _check_definition(case: Case, facts: StudioFacts) -> Iterator[Found]:
    name = case.name_of(facts.sid)
    to_flex = facts.events_to_flex
    if INCOMING_CONVERSATION not in facts.trigger_events:
        yield Found(Reason.NO_CONVERSATION_TRIGGER, name)
    elif INCOMING_MESSAGE in to_flex and INCOMING_CONVERSATION not in to_flex:
        yield Found(Reason.CONVERSATION_NOT_TO_FLEX, name)
    elif INCOMING_MESSAGE in to_flex and INCOMING_CONVERSATION in to_flex:
        yield Found(Reason.BOTH_TO_FLEX, name)
    if facts.old_variables:
        variables = [f"trigger.message.{each}" for each in sorted(facts.old_variables)]
        yield Found(Reason.OLD_VARIABLES, str(get_text_list(variables, "and")))
    yield from _check_flex_targets(case, facts)


def _check_flex_targets(case: Case, facts: StudioFacts) -> Iterator[Found]:
    """Yield the workflows and task channels of Send to Flex that are gone, each once."""
    targets = {
        (resource, words, target_sid)
        for widget in facts.send_to_flex
        if INCOMING_CONVERSATION in widget.events
        for resource, words, target_sid in (
            (WORKFLOW.name, "the workflow", widget.workflow),
            (TASK_CHANNEL.name, "the task channel", widget.channel),
        )
        if target_sid not in ("", TEMPLATE)
    }
    is_unread = False
    for resource, words, target_sid in sorted(targets):
        target = case.state.account.names.get(target_sid)
        if target and not target.is_gone:
            continue
        if target or case.has_read(resource):
            yield Found(Reason.FLEX_TARGET_GONE, f"{words} {case.name_of(target_sid)}")
        else:
            is_unread = True
    if is_unread:
        yield Found(Reason.FLEX_TARGET_UNREAD)
