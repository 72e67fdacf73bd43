"""Creations of a bulk change that something else made since the change was drafted.

Two drafts of one desired state would otherwise create each new flow twice. A draft with two equal
flows means two flows, so what the bulk change itself created doesn't count.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from flows.audit.models import AuditEvent, is_change_stage
from flows.core.identities import normalize_identity
from flows.mirror.flow_rows import NAME_MAX
from flows.mirror.models import Flow
from flows.plans.models import PlannedChange
from flows.redaction.masking import has_mask
from flows.redaction.redacted import Redacted

CREATED_MEANWHILE: Final = (
    "A flow with this name, channel and contact identity was created in the meantime."
)
_CREATION: Final = "flow.create"
_KEY_FIELDS: Final = ("friendly_name", "channel_type", "contact_identity")
# Name, channel and normalized contact identity.
FlowKey = tuple[str, str, str]


def find_skip_reason(change: PlannedChange) -> str:
    """Return why a creation isn't sent now, or "" also for any other change."""
    if change.action != _CREATION:
        return ""
    key = _build_key(change.requested)
    if key is None:
        return ""
    name, channel, _ = key
    candidates = Flow.objects.filter(
        account_sid=change.account_sid,
        channel_type=channel,
        friendly_name=name[:NAME_MAX],
        gone_at=None,
    )
    for flow in candidates:
        if _build_key(flow.resource) == key and _is_created_meanwhile(flow, change):
            return CREATED_MEANWHILE
    return ""


def _build_key(values: Redacted) -> FlowKey | None:
    """Return what makes two flows equal, or None without a name or with a masked value.

    A mask doesn't tell for sure that two secrets are equal. Web channels have no identity: "".
    """
    name, channel, identity = (_as_text(values.get(field)) for field in _KEY_FIELDS)
    if not name or any(map(has_mask, (name, channel, identity))):
        return None
    return name, channel, normalize_identity(identity)


def _is_created_meanwhile(flow: Flow, change: PlannedChange) -> bool:
    """Return True if a flow came after the draft, and not from the same bulk change."""
    plan = change.plan
    events = AuditEvent.objects.filter(target_sid=flow.sid)
    first_event = events.order_by("seq").first()
    if first_event is not None and first_event.at <= plan.created_at:
        return False
    own_changes = plan.changes.values("change_id")
    if events.filter(action=_CREATION, change_id__in=own_changes).exists():
        return False
    if first_event is not None and _is_made_here(first_event):
        return True  # Twilio's clock can differ from ours, so its date doesn't count
    return _is_after(flow.date_created, plan.created_at)


def _is_made_here(event: AuditEvent) -> bool:
    return event.action == _CREATION and is_change_stage(event.change_id, event.stage)


def _is_after(date: datetime | None, moment: datetime) -> bool:
    return date is not None and date > moment


def _as_text(value: Any) -> str:
    return "" if value is None else str(value)
