"""Which flow an entry without a SID means, so that a second apply creates nothing.

A flow is found by account, channel, contact identity and name. One that was renamed since an earlier
apply created it is found in the log.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from flows.audit.audit_log import APPLIED_RESULTS
from flows.audit.models import AuditEvent, OpenChange
from flows.core.identities import normalize_identity
from flows.desired_state.actions import DesiredStateAction
from flows.mirror.models import Flow
from flows.plans.models import Plan, PlannedChange


@dataclass(frozen=True, slots=True)
class FlowKey:
    """The fields by which a flow without a SID is found."""

    account_sid: str
    channel_type: str
    identity: str
    friendly_name: str


def build_key(account_sid: str, values: Mapping[str, Any]) -> FlowKey:
    """Return the key of a flow's values. An identity has the same key in all of its spellings."""
    return FlowKey(
        account_sid,
        str(values.get("channel_type") or ""),
        normalize_identity(str(values.get("contact_identity") or "")),
        str(values.get("friendly_name") or "").strip(),
    )


@dataclass(slots=True)
class KnownFlows:
    """The flows of some accounts, and the creations by earlier applies.

    `failed_creations` are the change ids of creations that were not applied. `open_creations` are the
    keys of creations whose outcome is unknown.
    """

    flows: dict[str, Flow]
    sids_by_key: dict[FlowKey, list[str]] = field(default_factory=lambda: defaultdict(list))
    created_sids: dict[FlowKey, str] = field(default_factory=dict)
    failed_creations: dict[FlowKey, UUID] = field(default_factory=dict)
    open_creations: set[FlowKey] = field(default_factory=set)

    def find_sids(self, key: FlowKey, claimed: Collection[str]) -> list[str]:
        """Return the flows that have a key, except those that other entries mean."""
        return [sid for sid in self.sids_by_key.get(key, ()) if sid not in claimed]

    def find_created_sid(self, key: FlowKey, claimed: Collection[str]) -> str:
        """Return the flow that an earlier apply created with a key, or "".

        It may have another name now. A flow that other entries mean is omitted.
        """
        sid = self.created_sids.get(key, "")
        return "" if sid in claimed else sid


def load_known_flows(account_sids: Iterable[str]) -> KnownFlows:
    """Load the flows that exist in these accounts, and what earlier applies created there."""
    accounts = list(account_sids)
    rows = Flow.objects.filter(account_sid__in=accounts, gone_at=None).order_by("sid")
    known_flows = KnownFlows({flow.sid: flow for flow in rows})
    for sid, flow in known_flows.flows.items():
        known_flows.sids_by_key[build_key(flow.account_sid, flow.resource)].append(sid)
    _add_creations(known_flows, accounts)
    for change in _open_creations(accounts):
        payload = change.attempt.payload
        known_flows.open_creations.add(
            build_key(change.attempt.account_sid, payload.requested_values)
        )
    return known_flows


def earlier_applies() -> QuerySet[Plan]:
    """Return the bulk changes that an apply started."""
    starts = AuditEvent.objects.filter(action=DesiredStateAction.APPLY)
    return Plan.objects.filter(pk__in=starts.values("request_id"))


def _open_creations(account_sids: list[str]) -> QuerySet[OpenChange]:
    creations = OpenChange.objects.filter(
        action="flow.create", target_sid="", attempt__account_sid__in=account_sids
    )
    return creations.select_related("attempt__payload")


def _add_creations(known_flows: KnownFlows, account_sids: list[str]) -> None:
    """Add the creations of earlier applies and their retries, the latest of each key."""
    first_tries = PlannedChange.objects.filter(plan__in=earlier_applies(), action="flow.create")
    is_of_apply = Q(pk__in=first_tries) | Q(retry_of__in=first_tries.values("change_id"))
    creations = PlannedChange.objects.filter(is_of_apply, account_sid__in=account_sids)
    processed = creations.filter(done_at__isnull=False, skip_reason="").exclude(requested={})
    created_sids = _created_sids(processed)
    for change in processed.order_by("done_at", "pk"):
        key = build_key(change.account_sid, change.requested)
        sid = created_sids.get(change.change_id)
        if sid is None:
            known_flows.failed_creations[key] = change.retry_of or change.change_id
            continue
        known_flows.failed_creations.pop(key, None)
        if sid in known_flows.flows:
            known_flows.created_sids[key] = sid


def _created_sids(creations: QuerySet[PlannedChange]) -> dict[UUID, str]:
    """Return the flows that these changes created, by change id."""
    applied = AuditEvent.objects.filter(
        change_id__in=creations.values("change_id"), result__in=APPLIED_RESULTS
    )
    pairs = applied.exclude(target_sid="").order_by("seq").values_list("change_id", "target_sid")
    return {change_id: sid for change_id, sid in pairs if change_id is not None}
