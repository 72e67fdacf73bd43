"""Stored findings as pages count and filter them: those that nobody accepts for now."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db.models import Count, Exists, OuterRef, QuerySet, TextField
from django.db.models.functions import Cast

from flows.accounts import twilio_accounts
from flows.accounts.twilio_accounts import Scope
from flows.checks.checking import RULES_BY_ID
from flows.checks.findings import Severity
from flows.checks.models import CheckedAccount, StoredFinding
from flows.checks.suppressions import active_rows
from flows.search.finding_filter import StoredFindings


class CheckState(NamedTuple):
    """The last check of an account, as the list reads it."""

    account_sid: str
    checked_at: datetime | None
    failed_at: datetime | None
    counts: list[list[Any]]
    unmet_rules: list[str]
    outdated_flows: dict[str, int]


@dataclass(frozen=True, slots=True)
class SeverityCounts:
    """The numbers of findings of an account that are errors and warnings."""

    errors: int
    warnings: int


def active_findings() -> QuerySet[StoredFinding]:
    """Return the stored findings that aren't suppressed today."""
    suppressions = active_rows().annotate(digest_text=Cast("digests", TextField()))
    suppressions = suppressions.filter(
        sid=OuterRef("sid"), rule_id=OuterRef("rule_id"), digest_text__contains=OuterRef("digest")
    )
    return StoredFinding.objects.filter(~Exists(suppressions))


def load_check_states(scope: Scope) -> list[CheckState]:
    """Return the last checks of these accounts. One that was never checked has none."""
    accounts = twilio_accounts.filter_scope(CheckedAccount.objects.all(), scope)
    checked = accounts.filter(checked_at__isnull=False).order_by("account_sid")
    return [CheckState(*values) for values in checked.values_list(*CheckState._fields)]


def count_by_rule(states: Iterable[CheckState]) -> Counter[str]:
    """Return the number of flows that each rule found, suppressed findings included."""
    counts: Counter[str] = Counter()
    for state in states:
        for rule_id, _severity, flows, _findings in state.counts:
            if rule_id in RULES_BY_ID:
                counts[rule_id] += flows
    return counts


def count_active_by_rule(scope: Scope, account_sid: str) -> Counter[str]:
    """Return the number of flows that each rule found, without suppressed findings.

    An empty `account_sid` stands for all accounts of the scope.
    """
    rows = twilio_accounts.filter_scope(active_findings(), scope)
    if account_sid:
        rows = rows.filter(account_sid=account_sid)
    pairs = rows.values_list("rule_id").annotate(flows=Count("sid", distinct=True))
    return Counter({rule_id: flows for rule_id, flows in pairs if rule_id in RULES_BY_ID})


def load_severities(scope: Scope) -> tuple[list[CheckState], dict[str, SeverityCounts]]:
    """Return the last checks of these accounts, and what they found and no one accepts, by account.

    It takes one query if nothing is suppressed, as on most sites.
    """
    accounts = twilio_accounts.filter_scope(CheckedAccount.objects.all(), scope)
    checked = accounts.filter(checked_at__isnull=False).order_by("account_sid")
    columns = checked.annotate(has_suppressions=Exists(active_rows()))
    rows = list(columns.values_list(*CheckState._fields, "has_suppressions"))
    states = [CheckState(*values) for *values, _ in rows]
    if any(has_suppressions for *_, has_suppressions in rows):
        return states, _count_active_severities(scope)
    return states, {
        state.account_sid: _to_severity_counts(_sum_severities(state)) for state in states
    }


def _sum_severities(state: CheckState) -> Counter[str]:
    """Return the number of findings of each severity."""
    counts: Counter[str] = Counter()
    for _rule_id, severity, _flows, findings in state.counts:
        counts[severity] += findings
    return counts


def _to_severity_counts(counts: Counter[str]) -> SeverityCounts:
    return SeverityCounts(counts[Severity.ERROR.value], counts[Severity.WARNING.value])


def _count_active_severities(scope: Scope) -> dict[str, SeverityCounts]:
    rows = twilio_accounts.filter_scope(active_findings(), scope)
    numbers = rows.order_by().values_list("account_sid", "severity").annotate(number=Count("pk"))
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for account_sid, severity, number in numbers:
        counts[account_sid][severity] += number
    return {account_sid: _to_severity_counts(each) for account_sid, each in counts.items()}


stored_findings: Final = StoredFindings(RULES_BY_ID.keys(), active_findings)
