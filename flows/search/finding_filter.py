"""The list's filter by check: the flows at which a check found something, as it is stored.

The findings are in an upper package (flows/checks), which registers them here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Q, QuerySet

ANY: Final = "any"  # the value of the filter for flows with a finding of any check


@dataclass(frozen=True, slots=True)
class StoredFindings:
    """The ids of all checks, and a query for what they found, with `sid` and `rule_id`.

    What someone accepts for now is not among it.
    """

    rule_ids: Collection[str]
    query: Callable[[], QuerySet[Any]]


_findings: Final[list[StoredFindings]] = []


def register(findings: StoredFindings) -> None:
    """Let the list filter by these findings."""
    _findings.append(findings)


def allowed_values() -> set[str]:
    return {ANY}.union(*(each.rule_ids for each in _findings))


def finding_filter(check: str) -> Q:
    """Return a condition for entries, by `sid`, of flows at which a check found something."""
    condition = Q()
    for each in _findings:
        rows = each.query() if check == ANY else each.query().filter(rule_id=check)
        condition |= Q(sid__in=rows.values("sid"))
    return condition
