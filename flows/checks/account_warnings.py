"""The warnings at flows of a list that come from rules over whole accounts.

They are the stored findings of the last checks. The rules over single flows are judged for each row
instead, with the row's own values.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from flows.checks.account_rules import RULES
from flows.checks.finding_counts import CheckState
from flows.checks.findings import Severity
from flows.checks.models import StoredFinding

_RULE_IDS: Final = tuple(rule.rule_id for rule in RULES if rule.severity != Severity.INFORMATION)


def have_account_warnings(states: Iterable[CheckState]) -> bool:
    """Return True if the last checks of these accounts have such warnings at any flow."""
    return any(
        rule_id in _RULE_IDS and severity != Severity.INFORMATION.value
        for state in states
        for rule_id, severity, _flows, _findings in state.counts
    )


def load_account_warnings(
    sids: Iterable[str],
    account_sids: Iterable[str],
    suppressed: Mapping[str, frozenset[str]],
) -> dict[str, tuple[str, ...]]:
    """Return the sentences at these flows by SID, the worst first.

    `suppressed` are the digests of the findings that don't count, by the flow's SID.
    """
    findings = StoredFinding.objects.filter(
        account_sid__in=list(account_sids), sid__in=list(sids), rule_id__in=_RULE_IDS
    ).exclude(severity=Severity.INFORMATION.value)
    rows = findings.values_list("severity", "sid", "digest", "message")
    sentences = defaultdict(list)
    for _severity, sid, digest, message in sorted(rows, key=lambda row: Severity(row[0]).rank):
        if digest not in suppressed.get(sid, ()):
            sentences[sid].append(message)
    return {sid: tuple(messages) for sid, messages in sentences.items()}
