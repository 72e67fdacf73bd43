"""Lines of text for a terminal: what an apply would change, and the result of each change.

The values are redacted. Characters that could control a terminal are escaped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

from flows.accounts import twilio_accounts
from flows.core.terminal_text import escape_line
from flows.desired_state.planning import Preparation
from flows.plans.failure_text import failure_message
from flows.plans.items import ItemStatus, PlanItem, nonzero_counts
from flows.plans.models import PlannedChange
from flows.plans.titles import format_count
from flows.twilio.flex.flex_flow import FLEX_FLOW

_MARK_BY_ACTION: Final = {"flow.create": "+ create", "flow.update": "~ update"}
_DELETION: Final = "- delete"
_DONE_BY_ACTION: Final = {
    "flow.create": "Created",
    "flow.update": "Updated",
    "flow.delete": "Deleted",
}
_VERB_BY_ACTION: Final = {"flow.create": "create", "flow.update": "update", "flow.delete": "delete"}
_STATUS_LABELS: Final = {
    ItemStatus.PLANNED: "Not started",
    ItemStatus.RUNNING: "In progress",
    ItemStatus.FAILED: "Failed",
    ItemStatus.CONFLICT: "Conflict",
    ItemStatus.UNKNOWN: "Unknown outcome",
    ItemStatus.SKIPPED: "Skipped",
}


def describe_changes(preparation: Preparation) -> Iterator[str]:
    """Yield the lines of each change with its fields, then one line for each skipped flow."""
    for change in preparation.included:
        mark = _MARK_BY_ACTION.get(change.action, _DELETION)
        yield escape_line(f"{mark} {_flow(change)}")
        for name, value in change.requested.items():
            yield escape_line(f"    {name}: {_difference(change, name, value)}")
    for change in preparation.skipped:
        yield escape_line(f"! skip {_flow(change)}: {change.skip_reason}")


def summarize(preparation: Preparation) -> str:
    """Return the numbers of changes as one sentence, such as "1 to create, 3 unchanged."."""
    counts = Counter(change.action for change in preparation.included)
    parts = [
        f"{number:,} to {_VERB_BY_ACTION[action]}"
        for action, number in nonzero_counts(counts, _VERB_BY_ACTION)
    ]
    if not parts:
        parts = ["No changes"]
    if preparation.unchanged:
        parts.append(f"{len(preparation.unchanged):,} unchanged")
    if preparation.skipped:
        parts.append(f"{len(preparation.skipped):,} skipped")
    return f"{', '.join(parts)}."


def describe_results(items: Iterable[PlanItem]) -> Iterator[str]:
    """Yield the line of each change that was not skipped when it was planned."""
    for item in items:
        if item.status == ItemStatus.APPLIED:
            yield escape_line(f"{_DONE_BY_ACTION[item.change.action]} {_flow(item.change, item)}.")
        else:
            label, reason = _STATUS_LABELS[item.status], _reason(item)
            yield escape_line(f"{label}: {_flow(item.change, item)}. {reason}".rstrip())


def summarize_problems(items: Iterable[PlanItem]) -> str:
    """Return the numbers of changes that were not applied, or ""."""
    counts = Counter(item.status for item in items)
    parts = [
        f"{number:,} {_STATUS_LABELS[status].lower()}"
        for status, number in nonzero_counts(counts, _STATUS_LABELS)
    ]
    return ", ".join(parts)


def count_flows(number: int) -> str:
    return format_count(number)


def _flow(change: PlannedChange, item: PlanItem | None = None) -> str:
    """Return a flow's SID and name, and its account if the site has several."""
    created_sid = item.event.target_sid if item is not None and item.event else ""
    name = change.friendly_name or FLEX_FLOW.name_of(change.requested)
    parts = [change.target_sid or created_sid, f"“{name}”"]
    if twilio_accounts.only_account() is None and change.account_sid:
        parts.append(f"in {twilio_accounts.account_or_removed(change.account_sid)}")
    return " ".join(filter(None, parts))


def _difference(change: PlannedChange, name: str, value: Any) -> str:
    if change.action == "flow.create":
        return _value(value)
    return f"{_value(change.before.get(name))} → {_value(value)}"


def _value(value: Any) -> str:
    if value in (None, ""):
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _reason(item: PlanItem) -> str:
    if item.change.skip_reason:
        return item.change.skip_reason
    return failure_message(item.event) if item.event is not None else ""
