"""The part of an account that planned changes concern: its paths as they are, and as they would be.

Only flows are read that share a contact identity with one that changes, before or after: the paths
of all other messages stay the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from flows.accounts.twilio_accounts import Account
from flows.checks.account_rules import NUMBER_CHANNELS
from flows.checks.planned_flows import (
    ChangingFlows,
    PlannedValues,
    load_changing_flows,
    load_snapshots,
)
from flows.mirror.models import Flow
from flows.names.load_handling import load_surroundings
from flows.routing.explain import Router
from flows.routing.load_routing import build_state, load_addresses
from flows.routing.path_changes import PathChange, find_path_changes
from flows.routing.questions import Question, path_key, question_of_flow
from flows.routing.routing_state import RoutingState

MAX_IDENTITIES: Final = 100  # to ask the database about. With more, all numbers are loaded.


@dataclass(frozen=True, slots=True)
class PlannedPaths:
    """An account now and after planned changes, and the questions that they may answer otherwise."""

    now: RoutingState
    later: RoutingState
    questions: list[Question]

    def find_changes(self) -> list[PathChange]:
        """Return the questions with another answer, the worst first."""
        return find_path_changes(Router(self.now), Router(self.later), self.questions)


def load_planned(
    account: Account, planned: PlannedValues, question: Question | None = None
) -> PlannedPaths:
    """Return what planned changes concern, or only what one question is about."""
    changing = load_changing_flows(account.sid, planned)
    questions = [question] if question else list(_find_questions(changing))
    keys = {path_key(each.channel, each.identity) for each in questions}
    sids = _find_flows(account.sid, questions, keys)
    before = {**load_snapshots(account.sid, sids)}
    other_flows = {sid: flow for sid, flow in before.items() if sid not in changing.before}
    after = {sid: flow for sid, flow in changing.after.items() if _key_of(flow) in keys}
    identities = [each.identity for each in questions]
    current_state = build_state(
        account,
        _sorted(before),
        surroundings=load_surroundings(
            account.sid, identities=identities if len(identities) <= MAX_IDENTITIES else None
        ),
        addresses=load_addresses(account.sid),
    )
    later_state = replace(
        current_state,
        account=replace(current_state.account, flows=_sorted({**other_flows, **after})),
    )
    return PlannedPaths(current_state, later_state, questions)


def _find_questions(changing: ChangingFlows) -> Iterable[Question]:
    """Return the question of each contact identity that changing flows have, before or after."""
    questions: dict[tuple[str, str], Question] = {}
    for sid in dict.fromkeys((*changing.before, *changing.after)):
        states = changing.before.get(sid), changing.after.get(sid)
        if states[0] == states[1]:
            continue
        for flow in states:
            question = question_of_flow(flow) if flow else None
            if question:
                questions.setdefault((question.channel, question.key), question)
    return questions.values()


def _find_flows(
    account_sid: str, questions: Iterable[Question], keys: set[tuple[bool, str]]
) -> list[str]:
    """Return the SIDs of the flows that have one of these keys."""
    channels = {each.channel for each in questions}
    if not channels.isdisjoint(NUMBER_CHANNELS):
        channels |= {*NUMBER_CHANNELS}
    flows = Flow.objects.filter(account_sid=account_sid, gone_at=None, channel_type__in=channels)
    rows = flows.values_list("sid", "channel_type", "contact_identity")
    return [
        sid
        for sid, channel, identity in rows.iterator()
        if (identity or channel == "web") and path_key(channel, identity) in keys
    ]


def _key_of(flow: Mapping[str, Any]) -> tuple[bool, str] | None:
    question = question_of_flow(flow)
    return path_key(question.channel, question.identity) if question else None


def _sorted(flows: Mapping[str, Any]) -> dict[str, Any]:
    """Return flows in the order in which questions about one identity have them."""
    return dict(sorted(flows.items()))
