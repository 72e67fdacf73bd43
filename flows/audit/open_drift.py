"""Maintenance of `OpenDrift`, the inbox of external changes, in the transactions of the events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from flows.audit.actions import DriftAction
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
    if event.stage not in UNIQUE_STAGES:
        # An acceptance covers everything found of the flow before.
        flow_drift.filter(event__lte=drift.pk).delete()
    elif event.account_sid != drift.event.account_sid:
        return
    elif event.target_sid == drift.target_sid:
        _delete_reverted(flow_drift, body.after)
    elif _is_recreated(event, flow_drift):
        flow_drift.delete()


def _delete_reverted(flow_drift: QuerySet[OpenDrift], current: dict[str, Any] | None) -> None:
    """Delete the drift of which a flow has no value left. `current` is None for a deleted flow."""
    drift_with_state = flow_drift.select_related("event__payload")
    remaining = [drift.pk for drift in drift_with_state if _is_present(drift, current)]
    flow_drift.exclude(pk__in=remaining).delete()


def _is_recreated(event: AuditEvent, flow_drift: QuerySet[OpenDrift]) -> bool:
    """Return True if the flow was deleted at Twilio, and this event creates it with a new SID."""
    latest = flow_drift.select_related("event__payload").latest("event")
    return event.action == "flow.create" and latest.event.payload.after is None


def _is_present(drift: OpenDrift, current: dict[str, Any] | None) -> bool:
    """Return True if a flow still has a value that the drift brought."""
    drifted = drift.event.payload.after
    if current is None or drifted is None:
        return False
    names = set(drift.event.changed_fields)
    reverted_names = set(FLEX_FLOW.differing_fields(drifted, current, names))
    return not names or reverted_names != names
