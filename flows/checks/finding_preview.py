"""Findings that planned changes would create or clear, by the rules of the checks.

The changes are applied to the mirror's flows, and both states of the account are checked. Only the
flows that change are loaded, and those that share a name or an identity with them before or after:
the findings of all others stay the same. Names and numbers are those of the last reading.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import Q

from flows.checks.account_rules import AccountState, channel_of, comparable_identity
from flows.checks.checking import FlowFinding, find_all
from flows.checks.handling_rules import find_unjudged
from flows.checks.left_hosts import find_sids_at_hosts, predict_left_hosts
from flows.checks.planned_flows import PlannedValues, load_changing_flows, load_snapshots
from flows.checks.stored_state import load_names, load_readings
from flows.checks.suppressions import load_suppressions
from flows.core.normalization import normalize_text
from flows.mirror.flow_rows import CHANNEL_MAX, IDENTITY_MAX, NAME_MAX
from flows.mirror.models import Flow
from flows.names.load_handling import load_surroundings
from flows.twilio.flex.flex_flow import FLEX_FLOW, is_on

# What flows have in common that the rules compare: a name, or a channel and an identity.
SharedKey = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FindingChanges:
    """The findings that changes create, clear or change.

    `changed` are findings that stay but say something else, such as another number of flows, or have
    another severity: as they are now, and as they would be. `unjudged_sids` are those of changing
    flows for which checks of numbers and senders can't be made.
    """

    created: list[FlowFinding] = field(default_factory=list)
    cleared: list[FlowFinding] = field(default_factory=list)
    changed: list[tuple[FlowFinding, FlowFinding]] = field(default_factory=list)
    unjudged_sids: set[str] = field(default_factory=set)

    @property
    def is_incomplete(self) -> bool:
        return bool(self.unjudged_sids)

    @property
    def worse(self) -> list[FlowFinding]:
        """The created findings and those that turn into errors, the worst first."""
        pairs = self.changed
        return sort_findings(
            [*self.created, *(b for a, b in pairs if b.severity.rank < a.severity.rank)]
        )

    @property
    def better(self) -> list[FlowFinding]:
        """The cleared findings and those that are no longer errors, the worst first."""
        pairs = self.changed
        return sort_findings(
            [*self.cleared, *(a for a, b in pairs if b.severity.rank > a.severity.rank)]
        )

    def add(self, other: FindingChanges) -> None:
        """Add the changes of another account."""
        self.created.extend(other.created)
        self.cleared.extend(other.cleared)
        self.changed.extend(other.changed)
        self.unjudged_sids.update(other.unjudged_sids)


def preview_findings(account_sid: str, planned: PlannedValues) -> FindingChanges:
    """Return what planned changes of an account's flows change about its findings.

    Suppressed findings don't count. Flows that the mirror doesn't have are ignored.
    """
    current_state, later_state = build_states(account_sid, planned)
    suppressions = load_suppressions(account_sids=[account_sid])
    found_now, found_later = (
        [each for each in find_all(account_sid, state) if each.key not in suppressions]
        for state in (current_state, later_state)
    )
    changes = compare_findings(found_now, found_later)
    changes.unjudged_sids.update(sid for sid, _ in find_unjudged(later_state) if sid in planned)
    return changes


def build_states(account_sid: str, planned: PlannedValues) -> tuple[AccountState, AccountState]:
    """Return the part of an account that planned changes concern, as it is and as it would be."""
    changing = load_changing_flows(account_sid, planned)
    before, after = changing.before, changing.after
    shared = {
        key for flow in (*before.values(), *after.values()) for key in _keys_of_snapshot(flow)
    }
    left_hosts, later_left_hosts = predict_left_hosts(account_sid, planned, changing)
    other_sids = {
        *_find_sharing(account_sid, shared),
        *find_sids_at_hosts(account_sid, left_hosts ^ later_left_hosts),
    }
    other_flows = load_snapshots(account_sid, other_sids - before.keys())
    names, references = load_names(account_sid, Q())
    readings = load_readings(account_sid)
    current_state = AccountState(
        flows=_sorted({**other_flows, **before}),
        names=names,
        references=references,
        complete=readings.keys(),
        read_at=readings,
        surroundings=load_surroundings(account_sid),
        left_hosts=left_hosts,
    )
    later_flows = _sorted({**other_flows, **after})
    return current_state, replace(current_state, flows=later_flows, left_hosts=later_left_hosts)


def compare_findings(
    current: Iterable[FlowFinding], later: Iterable[FlowFinding]
) -> FindingChanges:
    """Return the differences between the findings of two states of an account."""
    current_by_key, later_by_key = (
        {each.key: each for each in state_findings} for state_findings in (current, later)
    )
    former = _group(each for key, each in current_by_key.items() if key not in later_by_key)
    changes = FindingChanges()
    for key, each in later_by_key.items():
        if key in current_by_key:
            continue
        counterparts = former.get((each.sid, each.rule.rule_id))
        if counterparts:
            changes.changed.append((counterparts.pop(0), each))
        else:
            changes.created.append(each)
    changes.cleared.extend(each for group in former.values() for each in group)
    return changes


def sort_findings(findings: Iterable[FlowFinding]) -> list[FlowFinding]:
    """Return findings with the worst first, those of a rule together."""
    return sorted(
        findings, key=lambda each: (each.severity.rank, each.rule.rule_id, each.flow_name, each.sid)
    )


def _group(findings: Iterable[FlowFinding]) -> dict[tuple[str, str], list[FlowFinding]]:
    """Return findings by the SID of their flow and the id of their rule."""
    groups: dict[tuple[str, str], list[FlowFinding]] = defaultdict(list)
    for each in findings:
        groups[each.sid, each.rule.rule_id].append(each)
    return groups


def _find_sharing(account_sid: str, shared: set[SharedKey]) -> list[str]:
    """Return the SIDs of the flows that share one of these names or identities."""
    flows = Flow.objects.filter(account_sid=account_sid, gone_at=None)
    rows = flows.values_list("sid", "name_folded", "channel_type", "contact_identity", "enabled")
    return [
        sid
        for sid, name, channel, identity, enabled in rows.iterator()
        if not shared.isdisjoint(_keys(name, channel, identity, is_enabled=enabled is True))
    ]


def _keys_of_snapshot(flow: Mapping[str, Any]) -> Iterable[SharedKey]:
    """Return what a flow can share with others, as the mirror's columns have it."""
    name = normalize_text(FLEX_FLOW.name_of(flow))[:NAME_MAX]
    identity = FLEX_FLOW.identity_of(flow)[:IDENTITY_MAX]
    return _keys(name, channel_of(flow)[:CHANNEL_MAX], identity, is_enabled=is_on(flow))


def _keys(name: str, channel: str, identity: str, *, is_enabled: bool) -> Iterable[SharedKey]:
    """Return what a flow can share with others: its name, and its identity while it is on."""
    if name:
        yield (name,)
    if identity and is_enabled:
        yield (channel, comparable_identity(channel, identity))


def _sorted(flows: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return flows in the order in which the checks of a whole account have them."""
    return dict(sorted(flows.items()))
