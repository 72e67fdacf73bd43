"""An account as its rules see it: flows, names, and what surrounds them. Nothing here reads."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flows.checks.findings import Rule
from flows.checks.target_rules import NamesBySid
from flows.names.handling import Surroundings
from flows.twilio.cleaning import to_text
from flows.twilio.flex.flex_flow import FLEX_FLOW, is_on
from flows.twilio.values import parse_datetime

FlowRuleMatch = tuple[str, Rule, str]  # the SID of a flow, the rule, and a sentence


@dataclass(frozen=True, slots=True)
class AccountState:
    """An account as the rules see it.

    `flows` are the snapshots of its flows by SID, without deleted ones. `names` are the objects at
    Twilio by SID. `complete` are the names of the resources of which every object is known, and
    `read_at` are the times when they were read. `changed_at` are the times of the last changes of
    flows by SID. A flow that is only planned has none.
    `left_hosts` are the hosts of webhooks that several flows used before (`flows.checks.left_hosts`).
    """

    flows: Mapping[str, Mapping[str, Any]]
    names: NamesBySid = field(default_factory=dict)
    references: Mapping[str, str] = field(default_factory=dict)  # of numbers and others, by SID
    complete: Collection[str] = ()
    surroundings: Surroundings = field(default_factory=Surroundings)
    left_hosts: Collection[str] = ()
    read_at: Mapping[str, datetime] = field(default_factory=dict)
    changed_at: Mapping[str, datetime] = field(default_factory=dict)

    def has_all(self, *resources: str) -> bool:
        """Return True if every object of these resources is known."""
        return all(resource in self.complete for resource in resources)

    def is_outdated(self, rule: Rule, sid: str) -> bool:
        """Return True if a flow was changed after the readings that a rule needs."""
        changed_at = self.changed_at.get(sid)
        if changed_at is None:
            return False
        return any(changed_at > self.read_at.get(need, changed_at) for need in rule.needs)


def channel_of(flow: Mapping[str, Any]) -> str:
    """Return the channel of a flow as the mirror's column has it."""
    return to_text(FLEX_FLOW.normalize_value("channel_type", flow.get("channel_type")))


def identities_on(state: AccountState, channel: str) -> Iterator[tuple[str, str]]:
    """Yield the SID and the identity of each flow that is on for this channel."""
    for sid, flow in state.flows.items():
        identity = FLEX_FLOW.identity_of(flow)
        if identity and channel_of(flow) == channel and is_on(flow):
            yield sid, identity


def is_read_since(flow: Mapping[str, Any], read_at: datetime | None) -> bool:
    """Return True if something was read after the last change of a flow.

    An older reading may not have what the flow was set up with.
    """
    if read_at is None:
        return False
    changed_at = parse_datetime(flow.get("date_updated"))
    return changed_at is None or read_at >= changed_at
