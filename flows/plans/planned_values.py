"""The values that the remaining changes of a bulk change set, by account and flow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from flows.checks.planned_flows import PlannedValues, planned_sid
from flows.plans.items import ItemStatus, PlanItem
from flows.plans.models import PlannedChange

# The actions that change a flow at Twilio. Owners and tags are kept here only.
TWILIO_ACTIONS: Final = frozenset({"flow.create", "flow.update", "flow.delete"})


def changes_twilio(items: Iterable[PlanItem]) -> bool:
    """Return True if these changes change a flow at Twilio."""
    return any(_is_remaining(item) for item in items)


def collect_values(items: Iterable[PlanItem]) -> dict[str, PlannedValues]:
    """Return what the changes that aren't started yet set, by account SID.

    They are taken to be applied all together.
    """
    planned: dict[str, dict[str, Mapping[str, Any] | None]] = defaultdict(dict)
    for item in items:
        if _is_remaining(item):
            _add_change(planned[item.change.account_sid], item.change)
    return dict(planned)


def _is_remaining(item: PlanItem) -> bool:
    return item.status == ItemStatus.PLANNED and item.change.action in TWILIO_ACTIONS


def _add_change(planned: dict[str, Mapping[str, Any] | None], change: PlannedChange) -> None:
    """Add a planned change to those of its account, after an earlier one of the same flow."""
    sid = change.target_sid or planned_sid(change.position)
    if change.action == "flow.delete":
        planned[sid] = None
    else:
        planned[sid] = {**(planned.get(sid) or {}), **change.requested}
