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
from flows.plans import collisions, drafts, skip_rules
from flows.plans.models import Plan, PlannedChange
from flows.plans.skip_rules import SkipFlow
from flows.redaction.masking import has_mask
from flows.redaction.redacted import redact_fields
from flows.twilio.flex.flex_flow import FLEX_FLOW

NOTHING_TO_REVERT: Final = "Nothing to change: already as before."
NO_EARLIER_STATE: Final = "No earlier version in the audit log."
FINAL_SKIP_REASONS: Final = (NOTHING_TO_REVERT, NO_EARLIER_STATE)  # no form can revert it either
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
    title = _plan_title(changes)
    return drafts.save_draft(title, reverts, created_by=created_by, reason=reason)


def _plan_title(changes: Sequence[ExternalChange]) -> str:
    """Return the title of the bulk change. It reverts "changes" if their kinds differ."""
    kinds = {change.kind for change in changes}
    kind = kinds.pop() if len(kinds) == 1 else CHANGED
    plural_ending = "" if len(changes) == 1 else "s"
    return _TITLE_BY_KIND[kind].format(count=len(changes), s=plural_ending)


def build_reverts(changes: Sequence[ExternalChange]) -> list[PlannedChange]:
    """Return the planned change that reverts each of these, with a reason where it is skipped."""
    sids = [change.last.target_sid for change in changes]
    flows: dict[str, Flow] = {}
    open_changes: dict[str, AuditEvent] = {}
    for batch in split_batches(sids):
        flows |= Flow.objects.in_bulk(batch)
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
    with skip_rules.record_skip(revert):
        _fill_revert(revert, change, flow, open_changes)
    return revert


def _fill_revert(
    revert: PlannedChange,
    change: ExternalChange,
    flow: Flow | None,
    open_changes: Mapping[str, AuditEvent],
) -> None:
    """Set the values before and after, or raise `SkipFlow` if the change can't be reverted."""
    if change.kind == DELETED:
        _request_recreation(revert, change, flow)
        return
    if flow is None:
        raise SkipFlow("No flow with this SID has been synced.")
    if change.kind == CREATED:
        _request_deletion(revert, flow, open_changes)
    else:
        _request_former_values(revert, change, flow, open_changes)


def _request_recreation(revert: PlannedChange, change: ExternalChange, flow: Flow | None) -> None:
    if flow is not None and flow.gone_at is None:
        raise SkipFlow(NOTHING_TO_REVERT)
    former_state = change.first.payload.before
    if former_state is None:
        raise SkipFlow(NO_EARLIER_STATE)
    drafts.prepare_recreation(revert, former_state)


def _request_deletion(
    revert: PlannedChange, flow: Flow, open_changes: Mapping[str, AuditEvent]
) -> None:
    if flow.gone_at is not None:
        raise SkipFlow(NOTHING_TO_REVERT)
    skip_rules.check_changeable(flow, open_changes)
    drafts.prepare_deletion(revert, flow.resource)


def _request_former_values(
    revert: PlannedChange,
    change: ExternalChange,
    flow: Flow,
    open_changes: Mapping[str, AuditEvent],
) -> None:
    skip_rules.check_changeable(flow, open_changes)
    values_before = {name: before for name, (before, _) in change.values.items()}
    names = FLEX_FLOW.differing_fields(values_before, flow.resource, values_before)
    if not names:
        raise SkipFlow(NOTHING_TO_REVERT)
    former_values = drafts.pick_values(values_before, names)
    empty_labels = ", ".join(map(FLEX_FLOW.label_of, drafts.empty_names(former_values)))
    if empty_labels:
        raise SkipFlow(
            f"{empty_labels} had no value before, but Twilio may not allow clearing it. "
            "Revert it manually."
        )
    if any(map(has_mask, former_values.values())):
        raise SkipFlow("Its webhook contained a secret, which isn't stored. Revert it manually.")
    revert.before = redact_fields(drafts.pick_values(flow.resource, names))
    revert.requested = redact_fields(former_values)
