"""The contents of an event as its page shows them: fields before and after it, and other values."""

from __future__ import annotations

from typing import Any

from flows.accounts import twilio_accounts
from flows.audit import log_entries
from flows.audit.models import AuditEvent, AuditPayload, Stage
from flows.local_details.actions import is_about_details
from flows.local_details.fields import LABELS, display_value
from flows.monitor_events.actions import is_monitor_answer
from flows.twilio import labels
from flows.twilio.registry import is_about_resource, resource_of_action
from flows.twilio.resource import Resource
from flows.webhook_tests import reading as webhook_tests
from flows.webhook_tests.actions import is_webhook_test


def readable_payload(event: AuditEvent) -> AuditPayload | None:
    """Return the payload, or None if it is erased or missing."""
    payload = event.stored_payload
    if payload is None or payload.erased_at is not None:
        return None
    return payload


def field_rows(event: AuditEvent, payload: AuditPayload) -> list[dict[str, Any]]:
    """Return a row for each field with its value before, requested and after.

    Fields that only Twilio sets, such as its dates, are omitted, but not the SID of the object that
    it belongs to.
    """
    if not is_about_resource(event.action) or is_webhook_test(event):
        return []
    if is_about_details(event):
        return [_details_row(event, payload, name) for name in LABELS]
    resource = resource_of_action(event.action)
    names = {*payload.values_before, *payload.requested_values, *payload.values_after}
    rows = []
    for name in resource.in_order(names):
        known_field = resource.by_name.get(name)
        if known_field is None or known_field.wire or name == resource.parent_field:
            rows.append(_field_row(resource, event, payload, name))
    return rows


def recorded_values(event: AuditEvent, payload: AuditPayload) -> dict[str, Any]:
    """Return the values of an event that is not about a flow, such as an export or a new role.

    A value that changed reads "before → after". Accounts have their names.
    """
    if is_webhook_test(event):
        return webhook_tests.recorded_values(payload)
    if is_about_resource(event.action):
        return {}
    if is_monitor_answer(event):  # the page shows Twilio's events by themselves
        return payload.requested_values
    values = {**payload.requested_values, **payload.values_after}
    for name, value_before in payload.values_before.items():
        value_after = values.setdefault(name, None)
        if value_before != value_after:
            values[name] = f"{value_before} → {value_after or 'none'}"
    return {_name_account(name): value for name, value in values.items()}


def restorable_states(event: AuditEvent, payload: AuditPayload) -> list[dict[str, str]]:
    """Return the states of the flow that can be restored: after the event, and before it.

    The owner, tags and note are no part of a flow's state. A test of its webhook changes nothing.
    """
    if is_about_details(event) or is_webhook_test(event) or not is_about_resource(event.action):
        return []
    if not event.target_sid or not event.is_applied:
        return []
    if not resource_of_action(event.action).is_mirrored:
        return []
    states = []
    if payload.after:
        states.append({"state": "after", "label": "Restore this version"})
    if payload.before:
        states.append({"state": "before", "label": "Restore previous version"})
    return states


def is_deletion(event: AuditEvent, payload: AuditPayload) -> bool:
    """Return True if the flow was deleted, from here or outside this dashboard."""
    was_observed_deleted = event.stage == Stage.OBSERVED and not payload.after
    return event.operation == "delete" or was_observed_deleted


def _details_row(event: AuditEvent, payload: AuditPayload, name: str) -> dict[str, Any]:
    """Return the row of an owner, tags or note. What was only requested is shown as such."""
    before, requested, after = (
        display_value(name, values.get(name)) or None
        for values in (payload.values_before, payload.requested_values, payload.values_after)
    )
    is_requested = name in payload.requested_values and requested != before
    return {
        "name": name,
        "label": LABELS[name],
        "before": before,
        "requested": requested if is_requested else None,
        "after": after,
        "is_changed": name in event.changed_fields,
        "differs": False,
    }


def _field_row(
    resource: Resource, event: AuditEvent, payload: AuditPayload, name: str
) -> dict[str, Any]:
    requested = payload.requested_values
    before, after = payload.values_before.get(name), _value_after(event, payload, name)
    is_unreturned = name in resource.unreturned_names and event.is_applied
    if is_unreturned and name in requested:
        after = labels.PlaceholderText("Not shown by Twilio")
    is_same = is_unreturned or resource.is_same_value(name, before, after)
    is_as_requested = resource.is_same_value(name, requested.get(name), after)
    has_result_of_request = bool(payload.after) and name in requested
    return {
        "name": name,
        "label": resource.label_of(name),
        "before": labels.display_value(resource, name, before),
        "requested": labels.display_value(resource, name, requested.get(name)),
        "after": labels.display_value(resource, name, after),
        "is_changed": event.is_applied and not is_same,
        "differs": has_result_of_request and not is_as_requested and not is_unreturned,
    }


def _value_after(event: AuditEvent, payload: AuditPayload, name: str) -> Any:
    """Return a field's value after the event. A change that failed leaves it as it was."""
    value_before = payload.values_before.get(name)
    was_deletion = is_deletion(event, payload)
    if event.is_applied:
        if payload.after or was_deletion:
            return payload.values_after.get(name)
        return payload.requested_values.get(name, value_before)
    is_affected = name in payload.requested_values or was_deletion
    if is_affected and event.result in log_entries.INCONCLUSIVE_RESULTS:
        return labels.PlaceholderText("Unknown")
    return value_before


def _name_account(text: str) -> str:
    """Replace the SID of an account in a text such as "role on AC…" by its name."""
    return " ".join(map(twilio_accounts.account_label, text.split(" ")))
