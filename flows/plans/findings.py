"""Findings of the checks that starting a bulk change would create or clear."""

from __future__ import annotations

from collections.abc import Iterable

from flows.checks.finding_preview import FindingChanges, preview_findings
from flows.plans.items import PlanItem
from flows.plans.planned_values import collect_values


def preview_plan(items: Iterable[PlanItem]) -> FindingChanges:
    """Return what the changes that aren't started yet would change about the findings.

    The accounts are checked one by one.
    """
    changes = FindingChanges()
    for account_sid, values_by_sid in collect_values(items).items():
        changes.add(preview_findings(account_sid, values_by_sid))
    return changes
