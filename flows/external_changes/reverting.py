"""A bulk change that reverts external changes.

A changed flow gets its former values, a created flow is deleted, and a deleted one is re-created.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from flows.accounts import twilio_accounts
from flows.audit.models import AuditEvent
from flows.changes import in_flight
from flows.core.database import split_batches
from flows.external_changes.inbox import CHANGED, CREATED, DELETED, ExternalChange
from flows.mirror.models import Flow
from flows.plans import collisions, drafts
from flows.plans.drafts import SkipFlow
from flows.plans.models import Plan, PlannedChange
from flows.redaction.masking import has_mask
from flows.twilio.flex.flex_flow import FLEX_FLOW

NOTHING_TO_REVERT: Final = "Nothing to change: already as before."
NO_EARLIER_STATE: Final = "No earlier version in the audit log."
_ACTION_BY_KIND: Final = {CHANGED: "flow.update", CREATED: "flow.delete", DELETED: "flow.create"}
_TITLE_BY_KIND: Final = {
    CHANGED: "Revert {count} external change{s}",
    CREATED: "Delete {count} externally created flow{s}",
    DELETED: "Re-create {count} externally deleted flow{s}",
}


def plan_revert(
    *,
    changes: Sequence[ExternalChange],
    created_by: str,
    reason: str = "",
    scope: twilio_accounts.Scope = None,
) -> Plan:
    """Save a draft of the bulk change that reverts these, the newest first. Nothing is sent.

    `scope` are the accounts where the user may change flows.
    """
    reverts = build_reverts(changes)
    for revert in reverts:
        if scope is not None and revert.account_sid not in scope:
            revert.skip_reason = "You don't have permission in its account."
    collisions.skip_collisions(reverts)
    kinds = {change.kind for change in changes}
    title = _TITLE_BY_KIND[kinds.pop() if len(kinds) == 1 else CHANGED]
    title = title.format(count=len(changes), s="" if len(changes) == 1 else "s")
    return drafts.save_draft(title, reverts, created_by=created_by, reason=reason)


def build_reverts(changes: Sequence[ExternalChange]) -> list[PlannedChange]:
    """Return the planned change that reverts each of these, with a reason where it is skipped."""
    sids = [change.last.target_sid for change in changes]
    flows: dict[str, Flow] = {}
    open_changes: dict[str, AuditEvent] = {}
    for batch in split_batches(sids):
        flows |= {flow.sid: flow for flow in Flow.objects.filter(sid__in=batch)}
        open_changes |= in_flight.open_changes_by_flow(batch)
    return [
        _build_revert(change, flows.get(change.last.target_sid), open_changes) for change in changes
    ]


def _build_revert(
    change: ExternalChange, flow: Flow | None, open_changes: Mapping[str, AuditEvent]
) -> PlannedChange:
    event = change.last
    revert = PlannedChange(
        action=_ACTION_BY_KIND[change.kind],
        account_sid=event.account_sid,
        target_sid="" if change.kind == DELETED else event.target_sid,
        friendly_name=event.payload.friendly_name,
        refers_to=change.first.event_id,
    )
    try:
        _fill_revert(revert, change, flow, open_changes)
    except SkipFlow as reason:
        revert.skip_reason = str(reason)
    return revert


def _fill_revert(
    revert: PlannedChange,
    change: ExternalChange,
    flow: Flow | None,
    open_changes: Mapping[str, AuditEvent],
) -> None:
    """Set the values before and after, or raise `SkipFlow` if the change can't be reverted."""
    if change.kind == DELETED:
        if flow is not None and flow.gone_at is None:
            raise SkipFlow(NOTHING_TO_REVERT)
        _request_recreation(revert, change)
        return
    if flow is None:
        raise SkipFlow("No flow with this SID has been synced.")
    if flow.gone_at is not None:
        raise SkipFlow("Deleted at Twilio." if change.kind == CHANGED else NOTHING_TO_REVERT)
    drafts.check_changeable(flow, open_changes)
    if change.kind == CREATED:
        revert.before = drafts.writable_values(flow.resource)
    else:
        _request_former_values(revert, change, flow)


def _request_recreation(revert: PlannedChange, change: ExternalChange) -> None:
    former_state = change.first.payload.before
    if former_state is None:
        raise SkipFlow(NO_EARLIER_STATE)
    drafts.prepare_recreation(revert, former_state)


def _request_former_values(revert: PlannedChange, change: ExternalChange, flow: Flow) -> None:
    former_values = {
        name: before
        for name, (before, _) in change.values.items()
        if not FLEX_FLOW.is_same_value(name, flow.resource.get(name), before)
    }
    if not former_values:
        raise SkipFlow(NOTHING_TO_REVERT)
    empty_names = [name for name, value in former_values.items() if value in (None, "")]
    if empty_names:
        empty_labels = ", ".join(FLEX_FLOW.label_of(name) for name in empty_names)
        raise SkipFlow(
            f"{empty_labels} had no value before, but Twilio may not allow clearing it. "
            "Revert it manually."
        )
    if any(map(has_mask, former_values.values())):
        raise SkipFlow("Its webhook contained a secret, which isn't stored. Revert it manually.")
    revert.before = {name: flow.resource.get(name) for name in former_values}
    revert.requested = former_values
