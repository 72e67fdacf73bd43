"""Drafts of bulk changes: one action for many flows, and the steps that all drafts share.

A draft is built from the mirror and nothing is sent. Running it (execution.py) reads each flow from
Twilio again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from django.db import transaction
from django.utils import timezone

from flows.accounts import twilio_accounts
from flows.changes import in_flight
from flows.core.database import BATCH_SIZE, split_batches
from flows.mirror.models import Flow
from flows.plans import collisions, held_flows, titles
from flows.plans.models import Plan, PlannedChange
from flows.plans.skip_rules import (
    ALREADY_SET,
    NOT_STORED,
    NOT_SYNCED,
    SkipFlow,
    check_changeable,
    check_permission,
    check_without_masks,
    record_skip,
)
from flows.plans.status import PlanStatus
from flows.redaction.masking import find_masks, redact, redact_note, replace_unstorable
from flows.redaction.redacted import redact_fields
from flows.twilio.flex.flex_flow import FLEX_FLOW, INTEGRATION_TYPES

# The most flows that one bulk change can have: Twilio allows 2,500 in an account.
MAX_FLOWS: Final = 10_000
ENABLE: Final = "enable"
DISABLE: Final = "disable"
RETRY_COUNT: Final = "retry_count"
WEBHOOK_HOST: Final = "webhook_host"
STUDIO_FLOW: Final = "studio_flow"
DELETE: Final = "delete"
# The field that an action sets to a value which the user enters; "" for actions without a value.
FIELD_BY_KIND: Final[Mapping[str, str]] = {
    ENABLE: "",
    DISABLE: "",
    RETRY_COUNT: "integration_retry_count",
    WEBHOOK_HOST: "integration_url",
    STUDIO_FLOW: "integration_flow_sid",
    DELETE: "",
}


@dataclass(frozen=True, slots=True)
class BulkAction:
    """One action for many flows: a key of `FIELD_BY_KIND`, and the value if it takes one."""

    kind: str
    value: Any = None

    @property
    def sentence(self) -> str:
        """The title of the bulk change, with the placeholder `{flows}`."""
        value = str(self.value).replace("{", "").replace("}", "")
        return {
            ENABLE: "Turn on {flows}",
            DISABLE: "Turn off {flows}",
            RETRY_COUNT: f"Set the retry count of {{flows}} to {value}",
            WEBHOOK_HOST: f"Change the webhook host of {{flows}} to {value}",
            STUDIO_FLOW: f"Route {{flows}} to Studio Flow {value}",
            DELETE: "Delete {flows}",
        }[self.kind]

    @property
    def title(self) -> str:
        return self.sentence.format(flows="flows")

    def requested_values(self, flow: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields to set on a flow, which is a snapshot with its secrets masked.

        Raises `SkipFlow` if the action doesn't apply to this flow.
        """
        if self.kind in (ENABLE, DISABLE):
            return {"enabled": self.kind == ENABLE}
        name = FIELD_BY_KIND[self.kind]
        integration_type = FLEX_FLOW.variant_of(flow)
        if not FLEX_FLOW.by_name[name].is_applicable(integration_type):
            handler = INTEGRATION_TYPES.get(integration_type, integration_type) or "nothing"
            raise SkipFlow(f"Has no {inline_label(name)} (handled by {handler}).")
        if self.kind == WEBHOOK_HOST:
            return {name: replace_host(flow.get(name), str(self.value))}
        return {name: self.value}


def replace_host(url: Any, host: str) -> str:
    """Return a URL with another host, and with its port if `host` has one.

    Scheme, credentials, path and query stay. Raises `SkipFlow` if there is no URL.
    """
    try:
        parts = urlsplit(str(url or ""))
    except ValueError:
        parts = urlsplit("")
    if not parts.netloc:
        raise SkipFlow("Has no webhook URL.")
    credentials, separator, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=credentials + separator + host))


def plan_bulk_action(
    *,
    action: BulkAction,
    sids: Sequence[str],
    created_by: str,
    reason: str = "",
    editable_scope: twilio_accounts.Scope = None,
) -> Plan:
    """Draft one action for many flows, sorted by name.

    `editable_scope` holds the accounts where the user may change flows.
    """
    sids = list(dict.fromkeys(sids))
    flows = flows_by_sid(sids)
    open_changes = in_flight.open_changes_by_flow(list(flows))
    planned = [
        _plan_action(action, flow, open_changes, editable_scope) for flow in sort_by_name(flows)
    ]
    return save_selection_draft(
        action.sentence, planned, sids, created_by=created_by, reason=reason
    )


def sort_by_name(flows: Mapping[str, Flow]) -> list[Flow]:
    return sorted(flows.values(), key=lambda flow: (flow.name_folded, flow.sid))


def save_selection_draft(
    sentence: str,
    planned: list[PlannedChange],
    sids: Sequence[str],
    *,
    created_by: str,
    reason: str = "",
) -> Plan:
    """Store one action for the selected flows; those that aren't planned haven't been synced.

    `sentence` is the title, with the placeholder `{flows}`.
    """
    planned_sids = {change.target_sid for change in planned}
    not_synced = [
        PlannedChange(action="flow.update", target_sid=sid, skip_reason=NOT_SYNCED)
        for sid in sids
        if sid not in planned_sids
    ]
    all_planned = planned + not_synced
    held_flows.skip_held_flows(all_planned)
    collisions.skip_collisions(all_planned)
    title = titles.title_of_change(sentence, all_planned)
    return save_draft(title, all_planned, created_by=created_by, reason=reason)


def _plan_action(
    action: BulkAction,
    flow: Flow,
    open_changes: Mapping[str, Any],
    editable_scope: twilio_accounts.Scope,
) -> PlannedChange:
    is_deletion = action.kind == DELETE
    change = build_change(flow, "flow.delete" if is_deletion else "flow.update")
    with record_skip(change):
        verb = titles.VERB_BY_ACTION[change.action]
        check_permission(flow.account_sid, editable_scope, verb)
        check_changeable(flow, open_changes)
        if is_deletion:
            prepare_deletion(change, flow.resource)
        else:
            request_values(change, flow, action.requested_values(flow.resource))
    return change


def discard_draft(*, plan: Plan) -> bool:
    """Delete a bulk change that was never started. Return False if it was started or requested."""
    with transaction.atomic():
        drafts = Plan.objects.filter(pk=plan.pk, status=PlanStatus.DRAFT, change_request=None)
        draft = drafts.select_for_update(of=("self",)).first()
        if draft is not None:
            draft.delete()
    return draft is not None


def flows_by_sid(
    sids: Iterable[str], visible_scope: twilio_accounts.Scope = None
) -> dict[str, Flow]:
    """Return the flows of the mirror that have these SIDs and are in the scope, by SID."""
    visible_flows = twilio_accounts.filter_scope(Flow.objects.all(), visible_scope)
    flows: dict[str, Flow] = {}
    for batch in split_batches(list(dict.fromkeys(sids))):
        flows |= visible_flows.in_bulk(batch)
    return flows


def build_change(flow: Flow, action: str) -> PlannedChange:
    return PlannedChange(
        action=action,
        account_sid=flow.account_sid,
        target_sid=flow.sid,
        friendly_name=flow.friendly_name,
    )


def prepare_deletion(change: PlannedChange, snapshot: Mapping[str, Any]) -> None:
    """Turn a planned change into the deletion of a flow that is like this snapshot.

    A deletion compares every writable field with Twilio first: if one has changed, it is a
    conflict.
    """
    change.action = "flow.delete"
    change.before = redact_fields(pick_values(snapshot, FLEX_FLOW.writable_names))


def prepare_recreation(change: PlannedChange, former: Mapping[str, Any]) -> None:
    """Turn a planned change into the creation of a flow as it was before its deletion.

    Raises `SkipFlow` if the flow had a secret.
    """
    change.action = "flow.create"
    change.target_sid = ""
    former_values = pick_values(former, FLEX_FLOW.writable_names)
    change.requested = redact_fields(without_empty_values(former_values))
    check_without_masks(change.requested)


def pick_values(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the values of these fields. A field that is missing has the value None."""
    return {name: values.get(name) for name in names}


def without_empty_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that a creation sends."""
    return {name: value for name, value in values.items() if value not in (None, "")}


def empty_names(values: Mapping[str, Any]) -> list[str]:
    """Return the names of the fields without a value. Twilio may not allow clearing those."""
    return [name for name, value in values.items() if value in (None, "")]


def request_values(change: PlannedChange, flow: Flow, values: Mapping[str, Any]) -> None:
    """Set the fields of a planned change that differ from the mirror.

    Raises `SkipFlow` if nothing differs, or if a value holds a mask that the flow doesn't have:
    the secret behind it is unknown.
    """
    requested = redact_fields(values)
    if has_unknown_secret(requested, flow.resource):
        raise SkipFlow(NOT_STORED)
    names = FLEX_FLOW.differing_fields(flow.resource, requested, requested)
    if not names:
        raise SkipFlow(ALREADY_SET)
    change.before = redact_fields(pick_values(flow.resource, names))
    change.requested = redact_fields(pick_values(requested, names))


def has_unknown_secret(requested: Mapping[str, Any], current: Mapping[str, Any]) -> bool:
    """Return True if a requested value holds a mask that the current value doesn't have."""
    return any(
        find_masks(value) - find_masks(current.get(name)) for name, value in requested.items()
    )


def inline_label(name: str) -> str:
    """Return a field's label in lower case, for the middle of a sentence."""
    label = FLEX_FLOW.label_of(name)
    if label.startswith("Studio"):
        return label
    return re.sub(r"^[A-Z](?=[a-z])", lambda match: match[0].lower(), label)


def save_draft(
    title: str,
    planned: Sequence[PlannedChange],
    *,
    created_by: str,
    reason: str = "",
    rollback_of: Plan | None = None,
) -> Plan:
    """Store a bulk change and its planned changes in this order.

    Raises `ValueError` if a value holds a secret that isn't masked.
    """
    plan = build_draft(
        title, planned, created_by=created_by, reason=reason, rollback_of=rollback_of
    )
    store_draft(plan, planned)
    return plan


def build_draft(
    title: str,
    planned: Sequence[PlannedChange],
    *,
    created_by: str,
    reason: str = "",
    rollback_of: Plan | None = None,
) -> Plan:
    """Return a bulk change of these planned changes, in this order, without storing it.

    Raises `ValueError` if a value holds a secret that isn't masked.
    """
    held_flows.skip_held_flows(planned)
    plan = Plan(
        title=title[:200],
        created_at=timezone.now(),
        created_by=created_by[:150],
        reason=redact_note(replace_unstorable(reason))[:200],
        rollback_of=rollback_of,
    )
    for position, change in enumerate(planned):
        change.plan = plan
        change.position = position
        change.skip_reason = replace_unstorable(change.skip_reason)[:300]
        change.friendly_name = replace_unstorable(change.friendly_name)
        change.requested = replace_unstorable(change.requested)
        if redact(change.requested) != change.requested:
            raise ValueError("a bulk change would store a secret")
    return plan


def store_draft(plan: Plan, planned: Sequence[PlannedChange]) -> None:
    """Store a bulk change that `build_draft` returned."""
    with transaction.atomic():
        plan.save(force_insert=True)
        PlannedChange.objects.bulk_create(planned, batch_size=BATCH_SIZE)
