"""Texts about an event of the audit log: headline, result, actor and relation to other events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.utils import timezone

from flows.accounts.clients import ATTEMPT_TIMEOUT
from flows.audit import action_registry
from flows.audit.actions import DriftAction
from flows.audit.models import AuditEvent, Result, Stage
from flows.twilio.registry import is_about_resource, resource_of_action

# Observations are shown with these in place of their result.
_ROUTINE: Final = "routine"
_EXTERNAL: Final = "external"
_SHAPES: Final[Mapping[str, str]] = {
    Result.PENDING: "busy",
    Result.SUCCEEDED: "good",
    Result.FAILED: "bad",
    Result.UNKNOWN: "doubt",
    Result.APPLIED: "good",
    Result.NOT_APPLIED: "none",
    Result.CONFLICT: "doubt",
    Result.DENIED: "stop",
    _ROUTINE: "none",
    _EXTERNAL: "doubt",
}
_ENDINGS: Final[Mapping[str, str]] = {
    **action_registry.RESULT_LABELS,
    _ROUTINE: "Recorded",
    _EXTERNAL: "External",
}
# A user's decision must not look like a result that was read from Twilio.
_ENDINGS_OF_DECISIONS: Final[Mapping[str, str]] = {
    **_ENDINGS,
    Result.APPLIED: "Marked as applied",
    Result.NOT_APPLIED: "Marked as not applied",
}


def ending(event: AuditEvent) -> str:
    """Return the label of the event's result."""
    if getattr(event, "needs_decision", False):
        return "Needs your decision"
    labels = _ENDINGS_OF_DECISIONS if event.is_decision else _ENDINGS
    return labels.get(_displayed_result(event), event.result)


def stage_name(event: AuditEvent) -> str:
    """Return the label of the event's stage, or "Decision" if a user resolved the change."""
    if event.is_decision:
        return "Decision"
    return action_registry.STAGE_LABELS.get(event.stage, event.stage)


def refusal(event: AuditEvent) -> str:
    """Return the status and code of Twilio's response, such as "HTTP 410, Twilio error 20410".

    It is empty without a response.
    """
    parts = [("HTTP", event.remote_status), ("Twilio error", event.remote_code)]
    return ", ".join(f"{name} {number}" for name, number in parts if number)


def shape(event: AuditEvent) -> str:
    """Return the CSS class for the shape and colour of the result."""
    return _SHAPES.get(_displayed_result(event), "none")


def _displayed_result(event: AuditEvent) -> str:
    """Return the result that pages show. An attempt that has timed out is shown as unknown."""
    if _is_routine(event):
        return _ROUTINE
    if event.stage == Stage.OBSERVED:
        return _EXTERNAL
    if _has_timed_out(event):
        return Result.UNKNOWN
    return event.result


def _is_routine(event: AuditEvent) -> bool:
    """Return True for an observation that needs no action."""
    action = action_registry.find(event.action)
    return action is not None and action.is_routine


def _has_timed_out(event: AuditEvent) -> bool:
    """Return True for an attempt without an outcome that is older than `ATTEMPT_TIMEOUT`."""
    if event.result != Result.PENDING or not event.at:
        return False
    return event.at < timezone.now() - ATTEMPT_TIMEOUT


def relation(event: AuditEvent, origin: AuditEvent) -> str:
    """Return the relation of an event to the one it refers to, as a verb such as "Reverts"."""
    if event.action == DriftAction.ACCEPT:
        return "Accepts"
    origin_payload = origin.stored_payload
    if origin_payload is None or not event.is_applied:
        return "Refers to"
    if _reverts(event, origin_payload.before, origin.changed_fields):
        return "Reverts"
    if _results_in(event, origin_payload.after):
        return "Restores"
    return "Refers to"


def _reverts(event: AuditEvent, before: dict[str, Any] | None, changed_names: list[str]) -> bool:
    """Return True if the event undid another one, given the state before that and its changes."""
    if before is None:
        return event.operation == "delete"
    return _results_in(event, before, changed_names)


def _results_in(
    event: AuditEvent, values: dict[str, Any] | None, names: Sequence[str] = ()
) -> bool:
    """Return True if an object had these values after the event.

    Only the fields of these `names` are compared, or else all that can be written.
    """
    payload = event.stored_payload
    state = payload.resulting_values if payload else {}
    if not state or not values or not is_about_resource(event.action):
        return False
    resource = resource_of_action(event.action)
    return not resource.differing_fields(values, state, names or resource.writable_names)


def actor_name(event: AuditEvent) -> str:
    """Return the label of the actor. External changes have none."""
    if event.actor_label:
        return event.actor_label
    return "Outside this dashboard" if event.stage == Stage.OBSERVED else "The system"


def headline(event: AuditEvent) -> str:
    """Return the event as a short sentence, or its action if no package registers that."""
    action = action_registry.find(event.action)
    return action.sentence(event) if action else event.action
