"""A bulk change that reverts external changes: each flow's fields go back to what they were, a new flow is deleted, and a
deleted one created again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from flows.accounts import twilio_accounts
from flows.audit import audit_log
from flows.core.database import split_batches
from flows.external_changes.inbox import CHANGED, CREATED, DELETED, ExternalChange
from flows.mirror.models import Flow
from flows.plans import collisions, drafts
from flows.plans.drafts import SkipFlow
from flows.plans.models import Plan, PlannedChange
from flows.redaction.masking import has_mask
from flows.twilio import labels as words
from flows.twilio.flex import flex_flow

NOTHING_TO_REVERT: Final = "Nothing to change: already as before."
NO_EARLIER_STATE: Final = "No earlier version in the audit log."
_TITLE_BY_KIND: Final = {
    CHANGED: "Revert {count} external change{s}",
    CREATED: "Delete {count} externally created flow{s}",
    DELETED: "Re-create {count} externally deleted flow{s}",
}


def plan_revert(
    *,
    changes: Sequence[ExternalChange],
    made_by: str,
    reason: str = "",
    within: twilio_accounts.Scope = None,
) -> Plan:
    """Draft the bulk change that takes these back, the newest first. `within`: the accounts where the person may
    change flows. Nothing is sent."""
    planned = build_reverts(changes)
    for change in planned:
        if within is not None and change.account_sid not in within:
            change.skipped = "You don't have permission in its account."
    collisions.skip_collisions(planned)
    kinds = {change.kind for change in changes}
    title = _TITLE_BY_KIND[kinds.pop() if len(kinds) == 1 else CHANGED]
    title = title.format(count=len(changes), s="" if len(changes) == 1 else "s")
    return drafts.save_draft(title, planned, made_by=made_by, reason=reason)


def build_reverts(changes: Sequence[ExternalChange]) -> list[PlannedChange]:
    """Return the change that reverts each of these; one that can't be made says why it is skipped."""
    sids = [change.last.target_sid for change in changes]
    rows = {
        row.sid: row for batch in split_batches(sids) for row in Flow.objects.filter(sid__in=batch)
    }
    unresolved = {
        sid: event
        for batch in split_batches(sids)
        for sid, event in audit_log.open_changes_by_flow(batch).items()
    }
    return [
        _build_revert(change, rows.get(change.last.target_sid), unresolved) for change in changes
    ]


def _build_revert(
    change: ExternalChange, row: Flow | None, unresolved: Mapping[str, Any]
) -> PlannedChange:
    event = change.last
    planned = PlannedChange(
        action={CHANGED: "flow.update", CREATED: "flow.delete", DELETED: "flow.create"}[
            change.kind
        ],
        account_sid=event.account_sid,
        target_sid="" if change.kind == DELETED else event.target_sid,
        friendly_name=event.payload.friendly_name,
        refers_to=change.first.event_id,
    )
    try:
        if row is not None and (row.gone_at is None) == (change.kind == DELETED):
            raise SkipFlow(NOTHING_TO_REVERT if change.kind != CHANGED else "Deleted at Twilio.")
        if change.kind == DELETED:
            _request_recreation(planned, change)
        elif row is None:
            raise SkipFlow("No flow with this SID has been synced.")
        else:
            drafts.check_changeable(row, unresolved)
            if change.kind == CREATED:
                planned.before = drafts.writable_values(row.resource)
            else:
                _request_former_values(planned, change, row)
    except SkipFlow as why:
        planned.skipped = str(why)
    return planned


def _request_recreation(planned: PlannedChange, change: ExternalChange) -> None:
    former = change.first.payload.before
    if former is None:
        raise SkipFlow(NO_EARLIER_STATE)
    drafts.prepare_recreation(planned, former)


def _request_former_values(planned: PlannedChange, change: ExternalChange, row: Flow) -> None:
    former = {
        name: before
        for name, (before, _) in change.values.items()
        if not flex_flow.is_same_value(name, row.resource.get(name), before)
    }
    if not former:
        raise SkipFlow(NOTHING_TO_REVERT)
    if empty := [name for name, value in former.items() if value in (None, "")]:
        labels = ", ".join(words.field_label(name) for name in empty)
        raise SkipFlow(
            f"{labels} had no value before, but Twilio may not allow clearing it. Revert it manually."
        )
    if any(map(has_mask, former.values())):
        raise SkipFlow("Its webhook contained a secret, which isn't stored. Revert it manually.")
    planned.before = {name: row.resource.get(name) for name in former}
    planned.asked = former
