"""Findings by rule, as pages show many of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from flows.checks.checking import FlowFinding
from flows.checks.findings import Rule, Severity
from flows.checks.planned_flows import is_planned_sid
from flows.checks.stored_state import oldest_reading

MAX_SHOWN: Final = 20  # findings of a group that a page names
# The class of the mark of each severity.
SHAPES: Final = {
    Severity.ERROR: "bad",
    Severity.WARNING: "doubt",
    Severity.INFORMATION: "none",
}


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """The findings of one rule and severity. `rows` are the first, each with True if it is at a flow
    that exists.
    """

    rule: Rule
    severity: Severity
    shape: str
    count: int
    rows: list[tuple[FlowFinding, bool]]

    @property
    def omitted(self) -> int:
        return self.count - len(self.rows)


def group_findings(findings: Iterable[FlowFinding]) -> list[FindingGroup]:
    """Return sorted findings in groups, in the same order."""
    groups = []
    for (severity, rule), members in groupby(findings, lambda each: (each.severity, each.rule)):
        group = list(members)
        rows = [(each, not is_planned_sid(each.sid)) for each in group[:MAX_SHOWN]]
        groups.append(FindingGroup(rule, severity, SHAPES[severity], len(group), rows))
    return groups


def changes_context(
    created: Sequence[FlowFinding],
    cleared: Sequence[FlowFinding],
    account_sids: Iterable[str],
    *,
    is_incomplete: bool,
) -> dict[str, Any]:
    """Return the context of checks/_finding_changes.html.

    `is_incomplete` is that of `FindingChanges`.
    """
    has_changes = bool(created or cleared)
    return {
        "created_findings": group_findings(created),
        "created_count": len(created),
        "cleared_findings": group_findings(cleared),
        "cleared_count": len(cleared),
        "is_incomplete": is_incomplete,
        "is_worse": any(each.severity != Severity.INFORMATION for each in created),
        "names_read_at": oldest_reading(list(account_sids)) if has_changes else None,
    }
