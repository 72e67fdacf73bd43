"""Drafts that follow a finished bulk change: its rollback, and the retry of what failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flows.audit.models import AuditEvent
from flows.changes import in_flight
from flows.local_details.actions import LocalDetailsAction, is_about_details
from flows.mirror.models import Flow
from flows.plans import collisions, titles
from flows.plans.details_drafts import request_details_again, request_former_details
from flows.plans.drafts import (
    empty_names,
    flows_by_sid,
    has_unknown_secret,
    inline_label,
    pick_values,
    prepare_deletion,
    prepare_recreation,
    request_values,
    save_draft,
)
from flows.plans.items import (
    ItemStatus,
    PlanItem,
    is_rolled_back,
    plan_items,
    retryable_items,
    with_status,
)
from flows.plans.models import Plan, PlannedChange
from flows.plans.skip_rules import (
    ALREADY_ROLLED_BACK,
    DATA_ERASED,
    NOT_STORED,
    NOT_SYNCED,
    SkipFlow,
    check_changeable,
    check_without_masks,
    record_skip,
)
from flows.redaction.redacted import redact_fields

# A change that may have been applied is part of the rollback, but skipped.
_ROLLBACK_STATUSES: Final = (ItemStatus.APPLIED, ItemStatus.UNKNOWN, ItemStatus.RUNNING)


def plan_rollback(*, plan: Plan, created_by: str) -> Plan:
    """Draft the rollback of a bulk change, in reverse order, from the states in the audit log."""
    items = with_status(plan_items(plan, with_payloads=True), *_ROLLBACK_STATUSES)
    planned = [_build_rollback(item) for item in reversed(items)]
    collisions.skip_collisions(planned)
    return save_draft(f"Roll back: {plan.title}", planned, created_by=created_by, rollback_of=plan)


def _build_rollback(item: PlanItem) -> PlannedChange:
    change = _copy_change(item.change)
    with record_skip(change):
        if item.event is None or item.status != ItemStatus.APPLIED:
            raise SkipFlow("Unknown outcome. Can't be rolled back yet.")
        _request_rollback(change, item.event)
    return change


def _request_rollback(change: PlannedChange, event: AuditEvent) -> None:
    """Request the reverse of the change that the event records. Raises `SkipFlow`."""
    change.refers_to = event.event_id
    change.account_sid = event.account_sid
    change.target_sid = event.target_sid
    change.friendly_name = event.payload.friendly_name
    if event.payload.erased_at:
        raise SkipFlow(DATA_ERASED)
    if is_rolled_back(event.event_id):
        raise SkipFlow(ALREADY_ROLLED_BACK)
    before: Mapping[str, Any] = event.payload.before or {}
    after: Mapping[str, Any] = event.payload.after or {}
    if event.action == "flow.create":
        prepare_deletion(change, after)
    elif event.action == "flow.delete":
        prepare_recreation(change, before)
    elif is_about_details(event):
        request_former_details(change, event)
    else:
        _request_former_values(change, before, after, event.changed_fields)


def _request_former_values(
    change: PlannedChange, before: Mapping[str, Any], after: Mapping[str, Any], names: list[str]
) -> None:
    """Request the values before an update. Raises `SkipFlow` if they can't be requested."""
    change.before = redact_fields(pick_values(after, names))
    change.requested = redact_fields(pick_values(before, names))
    empty_labels = ", ".join(map(inline_label, empty_names(change.requested)))
    if empty_labels:
        raise SkipFlow(
            f"Had no {empty_labels} before, but Twilio may not allow clearing it. "
            "Change it manually."
        )
    if has_unknown_secret(change.requested, change.before):
        raise SkipFlow(NOT_STORED)


def plan_retry(*, plan: Plan, created_by: str) -> Plan:
    """Draft the failed and conflicting changes of a bulk change again.

    Changes that were never started are omitted if the plan itself can be resumed for those.
    """
    retryable = [item.change for item in retryable_items(plan, plan_items(plan))]
    flows = flows_by_sid(change.target_sid for change in retryable)
    open_changes = in_flight.open_changes_by_flow(list(flows))
    planned = [
        _build_retry(original, flows.get(original.target_sid), open_changes)
        for original in retryable
    ]
    collisions.skip_collisions(planned)
    title = titles.title_of_retry(plan.title, len(planned))
    return save_draft(
        title, planned, created_by=created_by, reason=plan.reason, rollback_of=plan.rollback_of
    )


def _build_retry(
    original: PlannedChange, flow: Flow | None, open_changes: Mapping[str, Any]
) -> PlannedChange:
    change = _copy_change(original)
    change.refers_to = original.refers_to
    change.retry_of = original.retry_of or original.change_id
    with record_skip(change):
        if original.action == "flow.create":
            _request_creation_again(change, original)
        elif original.action == LocalDetailsAction.CHANGE:
            _request_details_again(change, original)
        else:
            _request_again(change, original, flow, open_changes)
    return change


def _request_creation_again(change: PlannedChange, original: PlannedChange) -> None:
    """Request the flow that the original change should have created. Raises `SkipFlow`."""
    if not original.requested:
        raise SkipFlow(DATA_ERASED)
    change.requested = redact_fields(original.requested)
    check_without_masks(change.requested)


def _request_details_again(change: PlannedChange, original: PlannedChange) -> None:
    """Request the owner or the tags that the original requested. Raises `SkipFlow`."""
    if not original.requested:
        raise SkipFlow(DATA_ERASED)
    request_details_again(change, original)


def _request_again(
    change: PlannedChange,
    original: PlannedChange,
    flow: Flow | None,
    open_changes: Mapping[str, Any],
) -> None:
    """Request the update or the deletion that the original requested. Raises `SkipFlow`."""
    is_deletion = original.action == "flow.delete"
    if not is_deletion and not original.requested:
        raise SkipFlow(DATA_ERASED)
    if flow is None:
        raise SkipFlow(NOT_SYNCED)
    check_changeable(flow, open_changes)
    if is_deletion:
        prepare_deletion(change, flow.resource)
    else:
        request_values(change, flow, original.requested)


def _copy_change(original: PlannedChange) -> PlannedChange:
    return PlannedChange(
        action=original.action,
        account_sid=original.account_sid,
        target_sid=original.target_sid,
        friendly_name=original.friendly_name,
    )
