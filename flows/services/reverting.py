"""A bulk change that reverts external changes: each flow's fields go back to what they were, a new flow is deleted, and a
deleted one created again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from flows import accounts, words
from flows.flexapi import schema
from flows.masking import has_mask
from flows.models import Flow, Plan, PlannedChange
from flows.services import audit, collisions, planning
from flows.services.external_changes import CHANGED, DELETED, MADE, ExternalChange
from flows.services.planning import LeftOut

UNCHANGED: Final = "Nothing to change: already as before."
NO_STATE: Final = "No earlier version in the audit log."
_TITLES: Final = {
    CHANGED: "Revert {count} external change{s}",
    MADE: "Delete {count} externally created flow{s}",
    DELETED: "Re-create {count} externally deleted flow{s}",
}


def plan_revert(
    *, changes: Sequence[ExternalChange], made_by: str, reason: str = "", within: accounts.Scope = None
) -> Plan:
    """Draft the bulk change that takes these back, the newest first. `within`: the accounts where the person may
    change flows. Nothing is sent."""
    planned = reverts(changes)
    for change in planned:
        if within is not None and change.account_sid not in within:
            change.skipped = "You don't have permission in its account."
    collisions.skip_colliding(planned)
    kinds = {change.kind for change in changes}
    title = _TITLES[kinds.pop() if len(kinds) == 1 else CHANGED]
    title = title.format(count=len(changes), s="" if len(changes) == 1 else "s")
    return planning._save(title, planned, made_by=made_by, reason=reason)


def reverts(changes: Sequence[ExternalChange]) -> list[PlannedChange]:
    """Return the change that reverts each of these; one that can't be made says why it is skipped."""
    sids = [change.last.target_sid for change in changes]
    rows = {row.sid: row for batch in _batches(sids) for row in Flow.objects.filter(sid__in=batch)}
    unresolved = {sid: event for batch in _batches(sids) for sid, event in audit.unsettled(batch).items()}
    return [_revert(change, rows.get(change.last.target_sid), unresolved) for change in changes]


def _revert(change: ExternalChange, row: Flow | None, unresolved: Mapping[str, Any]) -> PlannedChange:
    event = change.last
    planned = PlannedChange(
        action={CHANGED: "flow.update", MADE: "flow.delete", DELETED: "flow.create"}[change.kind],
        account_sid=event.account_sid,
        target_sid="" if change.kind == DELETED else event.target_sid,
        friendly_name=event.payload.friendly_name,
        refers_to=change.first.event_id,
    )
    try:
        if row is not None and (row.gone_at is None) == (change.kind == DELETED):
            raise LeftOut(UNCHANGED if change.kind != CHANGED else "Deleted at Twilio.")
        if change.kind == DELETED:
            _create_again(planned, change)
        elif row is None:
            raise LeftOut("No flow with this SID has been synced.")
        else:
            planning._refuse_held(row, unresolved)
            if change.kind == MADE:
                planned.before = planning._written(row.resource)
            else:
                _set_back(planned, change, row)
    except LeftOut as why:
        planned.skipped = str(why)
    return planned


def _create_again(planned: PlannedChange, change: ExternalChange) -> None:
    former = change.first.payload.before
    if former is None:
        raise LeftOut(NO_STATE)
    planning._make_anew(planned, former)


def _set_back(planned: PlannedChange, change: ExternalChange, row: Flow) -> None:
    former = {
        name: before
        for name, (before, _) in change.values.items()
        if not schema.same(name, row.resource.get(name), before)
    }
    if not former:
        raise LeftOut(UNCHANGED)
    if empty := [name for name, value in former.items() if value in (None, "")]:
        labels = ", ".join(words.label(name) for name in empty)
        raise LeftOut(
            f"{labels} had no value before, but Twilio may not allow clearing it. Revert it manually."
        )
    if any(map(has_mask, former.values())):
        raise LeftOut("Its webhook contained a secret, which isn't stored. Revert it manually.")
    planned.before = {name: row.resource.get(name) for name in former}
    planned.asked = former


def _batches(sids: Sequence[str]) -> list[Sequence[str]]:
    return [sids[start : start + planning.BATCH] for start in range(0, len(sids), planning.BATCH)]
