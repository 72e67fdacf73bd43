"""The checks of whole accounts: every rule over the mirror's flows and the names from Twilio.

Nothing is read from Twilio and nothing is stored: findings are as old as the mirror and the names.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flows.accounts.twilio_accounts import Account
from flows.checks import account_rules, flow_rules, studio_rules, target_rules
from flows.checks.account_rules import AccountState, check_account, find_outdated
from flows.checks.findings import Finding, Rule, Severity
from flows.checks.flow_rules import check_flow
from flows.checks.models import Suppression
from flows.checks.stored_state import load_state
from flows.checks.studio_rules import find_unknown_definitions
from flows.checks.suppressions import load_suppressions
from flows.names.readings import inline_plural
from flows.twilio.flex.flex_flow import FLEX_FLOW, is_on
from flows.twilio.surrounding_resources import READ_RESOURCES

RULES: Final = sorted(
    (*target_rules.RULES, *account_rules.RULES, *flow_rules.RULES),
    key=lambda rule: rule.severity.rank,
)
RULES_BY_ID: Final = {rule.rule_id: rule for rule in RULES}


@dataclass(frozen=True, slots=True)
class FlowFinding:
    """A finding with the flow that has it."""

    account_sid: str
    sid: str
    flow_name: str
    finding: Finding

    @property
    def key(self) -> tuple[str, str]:
        """The key of a suppression of this finding."""
        return self.sid, self.finding.digest

    @property
    def rule(self) -> Rule:
        return self.finding.rule

    @property
    def severity(self) -> Severity:
        return self.finding.severity

    @property
    def message(self) -> str:
        return self.finding.message


@dataclass(frozen=True, slots=True)
class UnmetNeed:
    """A rule that an account was not checked for, and what couldn't be read for it, as a plural.

    `is_partial` says that the rule judged a part of the flows all the same.
    """

    rule: Rule
    account_sid: str
    unread: str
    is_partial: bool = False


@dataclass(frozen=True, slots=True)
class OutdatedNeed:
    """A rule that some flows weren't checked for: they were changed after what it needs was read.

    If `is_about_definitions`, the published definition of their Studio Flow isn't known instead.
    """

    rule: Rule
    account_sid: str
    flow_count: int
    is_about_definitions: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """All findings in some accounts, the worst first, and the rules that weren't checked.

    `suppressed` are the findings that someone accepts for now, which are not among `findings`.
    """

    findings: list[FlowFinding]
    flow_count: int
    unmet: list[UnmetNeed]
    suppressed: list[tuple[FlowFinding, Suppression]]
    outdated: list[OutdatedNeed]

    def count_by_rule(self) -> Counter[str]:
        """Return the number of flows that each rule found, by the rule's id."""
        return Counter(
            rule_id for rule_id, _ in {(each.rule.rule_id, each.sid) for each in self.findings}
        )

    def count_by_severity(self) -> Counter[Severity]:
        return Counter(each.severity for each in self.findings)


def check_accounts(accounts: Iterable[Account]) -> Report:
    """Return what all rules find in these accounts."""
    all_findings: list[FlowFinding] = []
    unmet: list[UnmetNeed] = []
    outdated: list[OutdatedNeed] = []
    flow_count = 0
    account_sids = [account.sid for account in accounts]
    for account_sid in account_sids:
        state = load_state(account_sid)
        flow_count += len(state.flows)
        all_findings += find_all(account_sid, state)
        unmet += _find_unmet(account_sid, state)
        outdated += _count_outdated(account_sid, state)
    all_findings.sort(key=lambda each: (each.severity.rank, each.rule.rule_id, each.flow_name))
    suppressions = load_suppressions(account_sids=account_sids)
    suppressed_sids = {sid for sid, _ in suppressions}
    findings: list[FlowFinding] = []
    suppressed: list[tuple[FlowFinding, Suppression]] = []
    for each in all_findings:
        row = suppressions.get(each.key) if each.sid in suppressed_sids else None
        if row is None:
            findings.append(each)
        else:
            suppressed.append((each, row))
    return Report(findings, flow_count, unmet, suppressed, outdated)


def find_all(account_sid: str, state: AccountState) -> Iterator[FlowFinding]:
    """Yield what all rules find in an account, in no particular order."""
    for sid, snapshot in state.flows.items():
        for finding in check_flow(snapshot, state.names):
            yield _at_flow(account_sid, sid, snapshot, finding)
    for sid, rule, message in check_account(state):
        snapshot = state.flows[sid]
        finding = Finding(rule, message, is_on=is_on(snapshot))
        yield _at_flow(account_sid, sid, snapshot, finding)


def _at_flow(
    account_sid: str, sid: str, snapshot: Mapping[str, Any], finding: Finding
) -> FlowFinding:
    return FlowFinding(account_sid, sid, FLEX_FLOW.name_of(snapshot), finding)


def _find_unmet(account_sid: str, state: AccountState) -> Iterator[UnmetNeed]:
    """Yield the rules that an account wasn't checked for."""
    plurals = {resource.name: resource.plural for resource in READ_RESOURCES}
    named = {name.resource for name in state.names.values()}
    for rule in RULES:
        is_partial = any(resource in state.complete for resource in rule.judged_with)
        if rule in target_rules.RULES:  # they judge every object that has ever been named
            is_partial |= not named.isdisjoint(rule.needs)
        for need in rule.needs:
            if need not in state.complete:
                unread = inline_plural(plurals[need])
                yield UnmetNeed(rule, account_sid, unread, is_partial=is_partial)


def _count_outdated(account_sid: str, state: AccountState) -> Iterator[OutdatedNeed]:
    """Yield the rules that flows of an account weren't checked for, the worst first."""
    sids: dict[str, set[str]] = defaultdict(set)
    for sid, rule, _message in find_outdated(state):
        sids[rule.rule_id].add(sid)
    for rule in RULES:
        if rule.rule_id in sids:
            yield OutdatedNeed(rule, account_sid, len(sids[rule.rule_id]))
    unknown_count = len(find_unknown_definitions(state))
    for rule in studio_rules.RULES if unknown_count else ():
        yield OutdatedNeed(rule, account_sid, unknown_count, is_about_definitions=True)
