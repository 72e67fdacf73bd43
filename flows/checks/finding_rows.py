"""Stored findings and those of a new check, compared. Nothing here reads or writes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final, NamedTuple

from flows.checks import handling_rules, missing_targets, studio_rules, target_rules
from flows.checks.account_rules import find_outdated
from flows.checks.account_state import AccountState
from flows.checks.checking import RULES, RULES_BY_ID, find_all


class FindingRow(NamedTuple):
    """A finding as the table has it. `pk` is None for one that isn't stored."""

    sid: str
    rule_id: str
    severity: str
    digest: str
    message: str
    pk: int | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """The finding's identity. The digest says nothing of whether the flow is on."""
        return self.sid, self.digest, self.severity


# Rules that say of each flow whether they could judge it, and those that need names alone.
_JUDGED_BY_FLOW: Final = frozenset(
    rule.rule_id
    for rule in (
        *studio_rules.RULES,
        handling_rules.HANDLED_TWICE,
        handling_rules.NOT_WITH_PROXY,
        target_rules.TARGET_GONE,
    )
)
_JUDGED_BY_NAMES: Final = frozenset(rule.rule_id for rule in target_rules.RULES)
COLUMNS: Final = ("sid", "rule_id", "severity", "digest", "message", "pk")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The findings of all rules in an account, and the parts that couldn't be judged.

    `sids` are the flows that exist. `unmet` are the ids of rules without the readings that they
    need. `outdated` are findings, as SID and id of the rule, about flows that were changed after
    the reading: they may be true or not. `skipped` are SIDs and ids of rules that judge flow by
    flow, and couldn't judge this one. `named` are the flows whose targets are all known by name.
    """

    findings: Sequence[FindingRow]
    sids: Collection[str]
    unmet: frozenset[str]
    outdated: frozenset[tuple[str, str]]
    skipped: frozenset[tuple[str, str]] = frozenset()
    named: frozenset[str] = frozenset()

    def is_unjudged(self, row: FindingRow) -> bool:
        """Return True if nothing can be said of a finding that is no longer found."""
        place = row.sid, row.rule_id
        if place in self.outdated or place in self.skipped:
            return True
        if row.rule_id in _JUDGED_BY_FLOW:
            return False
        if row.rule_id in _JUDGED_BY_NAMES and row.sid in self.named:
            return False
        return row.rule_id in self.unmet


@dataclass(slots=True)
class Differences:
    """The differences between the findings of a check and the stored ones.

    `reworded` are those that only say something else: as they are stored, and as they are now.
    `removed` belong to flows or rules that no longer exist. `unjudged` couldn't be judged now.
    """

    appeared: list[FindingRow] = field(default_factory=list)
    cleared: list[FindingRow] = field(default_factory=list)
    reworded: list[tuple[FindingRow, FindingRow]] = field(default_factory=list)
    removed: list[FindingRow] = field(default_factory=list)
    unjudged: list[FindingRow] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.appeared or self.cleared or self.reworded or self.removed)


def evaluate_state(account_sid: str, state: AccountState) -> Evaluation:
    """Return what all rules find in an account."""
    rows = {}
    for each in find_all(account_sid, state):
        row = FindingRow(
            each.sid, each.rule.rule_id, each.severity.value, each.finding.digest, each.message
        )
        rows[row.key] = row
    return Evaluation(
        findings=list(rows.values()),
        sids=state.flows.keys(),
        unmet=frozenset(rule.rule_id for rule in RULES if not state.has_all(*rule.needs)),
        outdated=frozenset((sid, rule.rule_id) for sid, rule, _ in find_outdated(state)),
        skipped=frozenset(
            (sid, rule.rule_id)
            for sid, rule in chain(
                missing_targets.find_unjudged(state),
                studio_rules.find_unjudged(state),
                handling_rules.find_unjudged(state),
            )
        ),
        named=frozenset(
            sid
            for sid, flow in state.flows.items()
            if target_rules.knows_targets(flow, state.names)
        ),
    )


def compare(stored: Iterable[FindingRow], evaluation: Evaluation) -> Differences:
    """Return how an evaluation differs from the stored findings.

    A finding of the same rule at the same flow that says something else has neither appeared nor
    cleared, unless its severity is another one.
    """
    differences = Differences()
    found_keys = {row.key for row in evaluation.findings}
    stored_keys: set[tuple[str, str, str]] = set()
    former: dict[tuple[str, str, str], list[FindingRow]] = defaultdict(list)
    for row in stored:
        stored_keys.add(row.key)
        if row.sid not in evaluation.sids or row.rule_id not in RULES_BY_ID:
            differences.removed.append(row)
        elif row.key not in found_keys:
            former[row[:3]].append(row)
    for row in evaluation.findings:
        if row.key in stored_keys:
            continue
        counterparts = former.get(row[:3])
        if counterparts:
            differences.reworded.append((counterparts.pop(), row))
        else:
            differences.appeared.append(row)
    _sort_out_former(chain.from_iterable(former.values()), evaluation, differences)
    return differences


def _sort_out_former(
    former: Iterable[FindingRow], evaluation: Evaluation, differences: Differences
) -> None:
    """Add the stored findings without a counterpart to those that cleared or couldn't be judged."""
    changed = {(row.sid, row.rule_id) for row in differences.appeared}
    for row in former:
        has_other_severity = (row.sid, row.rule_id) in changed
        if evaluation.is_unjudged(row) and not has_other_severity:
            differences.unjudged.append(row)
        else:
            differences.cleared.append(row)


def count_rows(rows: Iterable[FindingRow]) -> list[list[Any]]:
    """Return the numbers of flows and of findings by rule and severity, as `CheckedAccount` has them."""
    flows: dict[tuple[str, str], set[str]] = defaultdict(set)
    findings: Counter[tuple[str, str]] = Counter()
    for row in rows:
        flows[row.rule_id, row.severity].add(row.sid)
        findings[row.rule_id, row.severity] += 1
    return [
        [rule_id, severity, len(sids), findings[rule_id, severity]]
        for (rule_id, severity), sids in sorted(flows.items())
    ]
