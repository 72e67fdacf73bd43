"""Flows as they would be after changes that are only planned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flows.core.database import split_batches
from flows.mirror.models import Flow
from flows.redaction.masking import replace_unstorable
from flows.twilio.flex.flex_flow import FLEX_FLOW

PLANNED_SID: Final = "planned"  # begins the SID of a flow that has none yet

# The values to set on flows by SID, or None for a flow to be deleted. The SID of a flow to be
# created is a `planned_sid`.
PlannedValues = Mapping[str, Mapping[str, Any] | None]
Snapshots = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class ChangingFlows:
    """Snapshots of the flows that planned changes concern, by SID: as they are, and as they would be."""

    before: Snapshots
    after: Snapshots


def planned_sid(position: int = 0) -> str:
    """Return what stands for the SID of a flow to be created."""
    return f"{PLANNED_SID}-{position}"


def is_planned_sid(sid: str) -> bool:
    return sid.startswith(PLANNED_SID)


def set_values(before: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a flow after these values are set, as Twilio's reference describes it.

    `before` is its snapshot, empty for a flow to be created. A new integration type has none of the
    parameters of the earlier type. A required field without a value gets Twilio's default.
    """
    snapshot = {**before, **replace_unstorable(dict(values))}
    variant = FLEX_FLOW.variant_of(snapshot)
    has_new_variant = bool(variant) and variant != FLEX_FLOW.variant_of(before)
    if before and has_new_variant:
        snapshot = {
            name: value
            for name, value in snapshot.items()
            if name not in FLEX_FLOW.by_name or FLEX_FLOW.by_name[name].is_applicable(variant)
        }
    for field in FLEX_FLOW.nested_fields_of(variant):
        is_set_now = has_new_variant or field.name in values
        if field.is_required(variant) and is_set_now and snapshot.get(field.name) in (None, ""):
            snapshot[field.name] = field.default
    return snapshot


def load_changing_flows(account_sid: str, planned: PlannedValues) -> ChangingFlows:
    """Return the flows that planned changes concern. Those that the mirror doesn't have are ignored."""
    before = load_snapshots(account_sid, [sid for sid in planned if not is_planned_sid(sid)])
    after: Snapshots = {}
    for sid, values in planned.items():
        if values is not None and (sid in before or is_planned_sid(sid)):
            after[sid] = set_values(before.get(sid, {}), values)
    return ChangingFlows(before, after)


def load_snapshots(account_sid: str, sids: Iterable[str]) -> Snapshots:
    """Return the snapshots of the account's flows that have these SIDs and aren't deleted."""
    flows = Flow.objects.filter(account_sid=account_sid, gone_at=None)
    snapshots: Snapshots = {}
    for batch in split_batches(list(sids)):
        snapshots.update(flows.filter(sid__in=batch).values_list("sid", "resource"))
    return snapshots
