"""Maintenance of `OpenDrift`, the inbox of external changes, in the transactions of the events."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from flows.audit.log_actions import DriftAction
from flows.audit.models import UNIQUE_STAGES, AuditEvent, AuditPayload, OpenDrift
from flows.twilio.flex.flex_flow import FLEX_FLOW


def add(events: Iterable[AuditEvent]) -> None:
    """Put the external changes among these new events into the inbox."""
    OpenDrift.objects.bulk_create(
        OpenDrift(event=event, target_sid=event.target_sid)
        for event in events
        if event.action == DriftAction.DRIFT
    )


def resolve(event: AuditEvent, body: AuditPayload) -> None:
    """Take a flow's drift out of the inbox as far as this event accepts or reverts it."""
    if event.refers_to is None or not event.is_applied:
        return
    drift = OpenDrift.objects.filter(event__event_id=event.refers_to).first()
    if drift is None:
        return
    flow_drift = OpenDrift.objects.filter(target_sid=drift.target_sid)
    flow_drift = flow_drift.select_related("event__payload")
    if event.stage not in UNIQUE_STAGES:
        # An acceptance covers everything found of the flow before.
        flow_drift.filter(event__lte=drift.pk).delete()
    elif _can_resolve(event, drift, flow_drift):
        remaining = [item.pk for item in flow_drift if _is_present(item, event, body)]
        flow_drift.exclude(pk__in=remaining).delete()


def _can_resolve(event: AuditEvent, drift: OpenDrift, flow_drift: QuerySet[OpenDrift]) -> bool:
    """Return True if the change is of the drifted flow, or recreates it after its deletion."""
    if event.account_sid != drift.event.account_sid:
        return False
    if event.target_sid == drift.target_sid:
        return True
    last = flow_drift.order_by("event").last()
    is_deleted = last is not None and last.event.payload.after is None
    return event.action == "flow.create" and is_deleted


def _is_present(drift: OpenDrift, event: AuditEvent, body: AuditPayload) -> bool:
    """Return True if the flow still has the drifted values after this change."""
    drifted, current = drift.event.payload.after, body.after
    if drift.target_sid != event.target_sid or current is None or drifted is None:
        return False
    names = drift.event.changed_fields
    return not names or any(
        FLEX_FLOW.is_same_value(name, drifted.get(name), current.get(name)) for name in names
    )
