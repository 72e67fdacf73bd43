"""Changes that a bulk change skips because a migration works on their flow."""

from __future__ import annotations

from collections.abc import Sequence

from flows.changes import flow_holds
from flows.plans.models import PlannedChange


def skip_held_flows(planned: Sequence[PlannedChange]) -> None:
    """Skip the planned changes that a migration of their flow forbids or warns about."""
    left = [change for change in planned if not change.skip_reason and change.target_sid]
    holds = flow_holds.find_holds(change.target_sid for change in left)
    for change in left:
        change.skip_reason = _describe(change, holds.get(change.target_sid))


def find_skip_reason(change: PlannedChange) -> str:
    """Return why a change isn't sent now, or ""."""
    return _describe(change, flow_holds.find_hold(change.target_sid))


def _describe(change: PlannedChange, hold: flow_holds.FlowHold | None) -> str:
    """Return the refusal. A bulk change can't ask about one flow, so a warning is one as well."""
    if hold is None:
        return ""
    _, _, operation = change.action.partition(".")
    requested = change.requested
    return hold.find_refusal(operation, requested) or hold.find_warning(operation, requested)
