"""Targets of flows that their account doesn't have: no reading ever named their SID.

A complete list proves that, if it was read since the flow's last change. What wasn't read isn't judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from flows.checks.account_state import AccountState, FlowRuleMatch, is_read_since
from flows.checks.findings import Rule
from flows.checks.target_rules import LISTED_TARGETS, TARGET_GONE, describe_missing
from flows.mirror.targets import TargetKind, find_target_values
from flows.twilio.sids import is_sid


def check_missing_targets(state: AccountState) -> Iterator[FlowRuleMatch]:
    """Yield each target that the complete list of its resource doesn't have."""
    for sid, flow in state.flows.items():
        for kind, value in _find_unnamed(state, flow):
            if _is_listed_whole(state, flow, kind):
                yield sid, TARGET_GONE, describe_missing(kind, value)


def find_unjudged(state: AccountState) -> Iterator[tuple[str, Rule]]:
    """Yield the SIDs of flows with a target of which neither a name nor a list tells, with the rule."""
    for sid, flow in state.flows.items():
        unnamed = _find_unnamed(state, flow)
        if any(not _is_listed_whole(state, flow, kind) for kind, _ in unnamed):
            yield sid, TARGET_GONE


CHECKS: Final = (check_missing_targets,)


def _find_unnamed(state: AccountState, flow: Mapping[str, Any]) -> Iterator[tuple[TargetKind, str]]:
    """Yield the targets of a flow that are SIDs without a name."""
    for kind, value in find_target_values(flow):
        resource = LISTED_TARGETS.get(kind)
        if resource and value not in state.names and is_sid(resource.sid_prefix, value):
            yield kind, value


def _is_listed_whole(state: AccountState, flow: Mapping[str, Any], kind: TargetKind) -> bool:
    """Return True if every object of a kind was read since the flow's last change."""
    name = LISTED_TARGETS[kind].name
    return state.has_all(name) and is_read_since(flow, state.read_at.get(name))
