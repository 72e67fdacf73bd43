"""Texts about an event of the audit log: headline, result, actor and relation to other events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.utils import timezone

from flows.accounts.clients import ATTEMPT_TIMEOUT
from flows.audit import actions
from flows.audit.log_actions import DriftAction
from flows.audit.models import AuditEvent, Result, Stage
from flows.twilio.registry import is_about_resource, resource_of_action
from flows.twilio.resource import Resource

_SHAPE_BY_RESULT: Final[Mapping[str, str]] = {
    Result.PENDING: "busy",
    Result.SUCCEEDED: "good",
    Result.FAILED: "bad",
    Result.UNKNOWN: "doubt",
    Result.APPLIED: "good",
    Result.NOT_APPLIED: "none",
    Result.CONFLICT: "doubt",
    Result.DENIED: "stop",
}
# Labels of a user's decision, which must not look like a result that was read from Twilio.
_DECISION_LABELS: Final[Mapping[str, str]] = {
    Result.APPLIED: "Marked as applied",
    Result.NOT_APPLIED: "Marked as not applied",
}


def ending(event: AuditEvent) -> str:
    """Return the label of the event's result."""
    if event.stage == Stage.OBSERVED:
        return "Recorded" if _is_routine(event) else "External"
    if getattr(event, "needs_decision", False):
        return "Needs your decision"
    if event.is_decision and event.result in _DECISION_LABELS:
        return _DECISION_LABELS[event.result]
    return actions.RESULT_LABELS.get(_effective_result(event), event.result)


def stage_name(event: AuditEvent) -> str:
    """Return the label of the event's stage, or "Decision" if a user resolved the change."""
    if event.is_decision:
        return "Decision"
    return actions.STAGE_LABELS.get(event.stage, event.stage)


def refusal(event: AuditEvent) -> str:
    """Return the status and code of Twilio's response, such as "HTTP 410, Twilio error 20410".

    It is empty without a response.
    """
    parts = [("HTTP", event.remote_status), ("Twilio error", event.remote_code)]
    return ", ".join(f"{name} {number}" for name, number in parts if number)


def shape(event: AuditEvent) -> str:
    """Return the CSS class for the shape and colour of the result."""
    if event.stage == Stage.OBSERVED:
        return "none" if _is_routine(event) else "doubt"
    return _SHAPE_BY_RESULT.get(_effective_result(event), "none")


def _is_routine(event: AuditEvent) -> bool:
    """Return True for an observation that needs no action."""
    action = actions.find(event.action)
    return action is not None and action.is_routine


def _effective_result(event: AuditEvent) -> str:
    """Return the event's result, or "unknown" for an attempt older than `ATTEMPT_TIMEOUT`."""
    if event.result != Result.PENDING or not event.at:
        return event.result
    has_timed_out = event.at < timezone.now() - ATTEMPT_TIMEOUT
    return Result.UNKNOWN if has_timed_out else event.result


def relation(event: AuditEvent, origin: AuditEvent) -> str:
    """Return the relation of an event to the one it refers to, as a verb such as "Reverts"."""
    if event.action == DriftAction.ACCEPT:
        return "Accepts"
    origin_payload = origin.stored_payload
    if origin_payload is None or not event.is_applied:
        return "Refers to"
    if event.operation == "delete" and origin_payload.before is None:
        return "Reverts"
    if not is_about_resource(event.action):
        return "Refers to"
    resource, state = resource_of_action(event.action), _resulting_state(event)
    writable_names = resource.writable_names
    changed_names = origin.changed_fields or writable_names
    if _has_same_values(resource, state, origin_payload.before, changed_names):
        return "Reverts"
    if _has_same_values(resource, state, origin_payload.after, writable_names):
        return "Restores"
    return "Refers to"


def _resulting_state(event: AuditEvent) -> dict[str, Any]:
    """Return the flow after the change, or the requested values, or {} if neither is stored."""
    payload = event.stored_payload
    return payload.resulting_values if payload else {}


def _has_same_values(
    resource: Resource,
    state: dict[str, Any],
    other: dict[str, Any] | None,
    names: Sequence[str],
) -> bool:
    if not state or not other:
        return False
    return not resource.differing_fields(other, state, names)


def actor_name(event: AuditEvent) -> str:
    """Return the label of the actor. External changes have none."""
    if event.actor_label:
        return event.actor_label
    return "Outside this dashboard" if event.stage == Stage.OBSERVED else "The system"


def headline(event: AuditEvent) -> str:
    """Return the event as a short sentence, or its action if no package registers that."""
    action = actions.find(event.action)
    return action.sentence(event) if action else event.action
