"""Drafts that follow a finished bulk change: its rollback, and the retry of what failed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flows.audit import audit_log
from flows.audit.models import AuditEvent
from flows.changes import in_flight
from flows.mirror.models import Flow
from flows.plans import collisions, titles
from flows.plans.drafts import (
    flows_by_sid,
    has_unknown_secret,
    inline_label,
    prepare_recreation,
    request_values,
    save_draft,
    without_empty_values,
    writable_values,
)
from flows.plans.items import RETRYABLE_STATUSES, ItemStatus, is_rolled_back, plan_items
from flows.plans.models import Plan, PlannedChange
from flows.plans.skip_rules import (
    ALREADY_ROLLED_BACK,
    DATA_ERASED,
    NOT_STORED,
    NOT_SYNCED,
    SkipFlow,
    check_changeable,
)
from flows.redaction.masking import has_mask
from flows.redaction.redacted import Redacted, redact_fields


def plan_rollback(*, plan: Plan, created_by: str) -> Plan:
    """Draft the rollback of a bulk change, in reverse order, from the states in the audit log."""
    planned = []
    for item in reversed(plan_items(plan, with_payloads=True)):
        if item.event is not None and item.event.result in audit_log.APPLIED_RESULTS:
            planned.append(_build_rollback(item.change, item.event))
        elif item.status in (ItemStatus.UNKNOWN, ItemStatus.RUNNING):
            change = _copy_change(item.change)
            change.skip_reason = "Unknown outcome. Can't be rolled back yet."
            planned.append(change)
    collisions.skip_collisions(planned)
    return save_draft(f"Roll back: {plan.title}", planned, created_by=created_by, rollback_of=plan)


def _build_rollback(original: PlannedChange, event: AuditEvent) -> PlannedChange:
    payload = event.payload
    before: Mapping[str, Any] = payload.before or {}
    after: Mapping[str, Any] = payload.after or {}
    change = _copy_change(original)
    change.refers_to = event.event_id
    change.account_sid = event.account_sid
    change.target_sid = event.target_sid
    change.friendly_name = payload.friendly_name
    if payload.erased_at:
        change.skip_reason = DATA_ERASED
    elif is_rolled_back(event.event_id):
        change.skip_reason = ALREADY_ROLLED_BACK
    elif event.action == "flow.create":
        change.action = "flow.delete"
        change.before = redact_fields(writable_values(after))
    elif event.action == "flow.delete":
        prepare_recreation(change, before)
    else:
        change.before = _pick_values(after, event.changed_fields)
        change.requested = _pick_values(before, event.changed_fields)
        _check_former_values(change)
    return change


def _check_former_values(change: PlannedChange) -> None:
    """Skip a change back to former values that can't be requested."""
    if has_unknown_secret(change.requested, change.before):
        change.skip_reason = NOT_STORED
    given_names = without_empty_values(change.requested).keys()
    empty = [inline_label(name) for name in change.requested if name not in given_names]
    if empty:
        change.skip_reason = (
            f"Had no {', '.join(empty)} before, but Twilio may not allow clearing it. "
            "Change it manually."
        )


def _pick_values(snapshot: Mapping[str, Any], names: Iterable[str]) -> Redacted:
    return redact_fields({name: snapshot.get(name) for name in names})


def plan_retry(*, plan: Plan, created_by: str) -> Plan:
    """Draft the failed and conflicting changes of a bulk change again.

    Changes that were never started are omitted: the plan itself can be resumed for those.
    """
    retryable = [item.change for item in plan_items(plan) if item.status in RETRYABLE_STATUSES]
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
    try:
        _request_again(change, original, flow, open_changes)
    except SkipFlow as skip:
        change.skip_reason = str(skip)
    return change


def _request_again(
    change: PlannedChange,
    original: PlannedChange,
    flow: Flow | None,
    open_changes: Mapping[str, Any],
) -> None:
    """Request what the original change requested. Raises `SkipFlow`."""
    if not original.requested and original.action != "flow.delete":
        raise SkipFlow(DATA_ERASED)
    if original.action == "flow.create":
        change.requested = redact_fields(original.requested)
        if any(map(has_mask, change.requested.values())):
            raise SkipFlow(NOT_STORED)
        return
    if flow is None:
        raise SkipFlow(NOT_SYNCED)
    check_changeable(flow, open_changes)
    change.before = redact_fields(writable_values(flow.resource))
    if original.action == "flow.update":
        request_values(change, flow, original.requested)


def _copy_change(original: PlannedChange) -> PlannedChange:
    return PlannedChange(
        action=original.action,
        account_sid=original.account_sid,
        target_sid=original.target_sid,
        friendly_name=original.friendly_name,
    )
