"""Texts about an event of the audit log: headline, result, actor and relation to other events."""

from __future__ import annotations

from typing import Any, Final

from django.utils import timezone

from flows.accounts.clients import ATTEMPT_TIMEOUT
from flows.audit import actions
from flows.audit.models import APPLIED_RESULTS, AuditEvent, Result, Stage
from flows.twilio.flex.flex_flow import FLEX_FLOW

_SHAPE_BY_RESULT: Final = {
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
_DECISION_LABELS: Final = {
    Result.APPLIED: "Marked as applied",
    Result.NOT_APPLIED: "Marked as not applied",
}
_WRITABLE_NAMES: Final = [entry.name for entry in FLEX_FLOW.writable_fields]
# Observations that need no action.
_OBSERVATION_LABELS: Final = {"flow.baseline": "Recorded", "account.field": "Recorded"}


def ending(event: AuditEvent) -> str:
    """Return the label of the event's result."""
    if event.stage == Stage.OBSERVED:
        return _OBSERVATION_LABELS.get(event.action, "External")
    if getattr(event, "needs_decision", False):
        return "Needs your decision"
    if event.stage == Stage.RECONCILED and event.actor_id and event.result in _DECISION_LABELS:
        return _DECISION_LABELS[Result(event.result)]
    return actions.RESULT_LABELS.get(_effective_result(event), event.result)


def stage_name(event: AuditEvent) -> str:
    """Return the label of the event's stage, or "Decision" if a user resolved the change."""
    if event.stage == Stage.RECONCILED and event.actor_id:
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
        return "none" if event.action in _OBSERVATION_LABELS else "doubt"
    if event.result not in Result.values:
        return "none"
    return _SHAPE_BY_RESULT[Result(_effective_result(event))]


def _effective_result(event: AuditEvent) -> str:
    """Return the event's result, or "unknown" for an attempt older than `ATTEMPT_TIMEOUT`."""
    if event.result != Result.PENDING or not event.at:
        return event.result
    has_timed_out = event.at < timezone.now() - ATTEMPT_TIMEOUT
    return Result.UNKNOWN if has_timed_out else event.result


def relation(event: AuditEvent, origin: AuditEvent) -> str:
    """Return the relation of an event to the one it refers to, as a verb such as "Reverts"."""
    if event.action == "flow.accept":
        return "Accepts"
    payload = getattr(event, "payload", None)
    origin_payload = getattr(origin, "payload", None)
    if origin_payload is None or event.result not in APPLIED_RESULTS:
        return "Refers to"
    if event.action == "flow.delete" and origin_payload.before is None:
        return "Reverts"
    state = payload and (payload.after or payload.requested)
    if not state:
        return "Refers to"
    names = origin.changed_fields or _WRITABLE_NAMES
    if _has_same_values(state, origin_payload.before, names):
        return "Reverts"
    if _has_same_values(state, origin_payload.after, _WRITABLE_NAMES):
        return "Restores"
    return "Refers to"


def _has_same_values(state: dict[str, Any], other: dict[str, Any] | None, names: list[str]) -> bool:
    if not other:
        return False
    return not FLEX_FLOW.differing_fields(other, state, names)


def who(event: AuditEvent) -> str:
    """Return the label of the actor. External changes have none."""
    if event.actor_label:
        return event.actor_label
    return "Outside this dashboard" if event.stage == Stage.OBSERVED else "The system"


def headline(event: AuditEvent) -> str:
    """Return the event as a short sentence, in the past tense only if it was applied."""
    is_applied = event.result in APPLIED_RESULTS
    if event.action == "flow.update":
        return _update_headline(event, is_applied=is_applied)
    if event.action == "flow.drift":
        return _drift_headline(event)
    if event.action == "account.field":
        return _field_headline(event)
    past, infinitive = actions.ACTION_LABELS.get(event.action, (event.action, event.action))
    return past if is_applied else infinitive


def _field_headline(event: AuditEvent) -> str:
    name = next(iter(event.changed_fields), "")
    if name in FLEX_FLOW.by_name:
        return f"Read-only field changed at Twilio: {_inline_label(FLEX_FLOW.label_of(name))}"
    label = actions.ACTION_LABELS[event.action][0]
    return f"{label}: {name}" if name else label


def _drift_headline(event: AuditEvent) -> str:
    if event.changed_fields:
        return f"Changed at Twilio: {_join_labels(event.changed_fields)}"
    payload = getattr(event, "payload", None)
    if payload is None or payload.erased_at:
        return actions.ACTION_LABELS[event.action][0]
    return "Deleted at Twilio" if payload.after is None else "Created at Twilio"


def _update_headline(event: AuditEvent, *, is_applied: bool) -> str:
    if event.changed_fields == ["enabled"]:
        verb = "Turned" if is_applied else "Turn"
        return f"{verb} {_switch_direction(event)}"
    verb = "Changed" if is_applied else "Change"
    return f"{verb} {_join_labels(event.changed_fields) or 'a flow'}"


def _switch_direction(event: AuditEvent) -> str:
    """Return "on" or "off", or "on or off" if the payload does not tell."""
    payload = getattr(event, "payload", None)
    state = payload and (payload.after or payload.requested)
    enabled = FLEX_FLOW.normalize_value("enabled", state.get("enabled")) if state else None
    if not isinstance(enabled, bool):
        return "on or off"
    return "on" if enabled else "off"


def _join_labels(names: list[str], limit: int = 3) -> str:
    """Return the labels of the first fields, and the number of the others."""
    field_labels = [_inline_label(FLEX_FLOW.label_of(name)) for name in names]
    text = ", ".join(field_labels[:limit])
    remaining = len(field_labels) - limit
    return f"{text} and {remaining} more" if remaining > 0 else text


def _inline_label(text: str) -> str:
    """Return a label in lower case, except for acronyms and product names at its start."""
    if text[1:2].isupper() or text.startswith(("Studio", "Flex", "API")):
        return text
    return text[:1].lower() + text[1:]
