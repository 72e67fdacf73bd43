"""An event of the audit log in words: what happened, how it ended, and who did it."""

from __future__ import annotations

from typing import Final

from django.utils import timezone

from flows.accounts.clients import ATTEMPT_TIMEOUT
from flows.audit import actions
from flows.audit.models import AuditEvent, Result, Stage
from flows.twilio import labels as words
from flows.twilio.flex import flex_flow

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
# A user's word is not what reading found.
_DECISION_LABELS: Final = {
    Result.APPLIED: "Marked as applied",
    Result.NOT_APPLIED: "Marked as not applied",
}
_APPLIED_RESULTS: Final = (Result.SUCCEEDED, Result.APPLIED)
# What was observed and asks nothing of anybody.
_OBSERVATION_LABELS: Final = {"flow.baseline": "Recorded", "account.field": "Recorded"}


def ending(event: AuditEvent) -> str:
    """How the event ended, in a word."""
    if event.stage == Stage.OBSERVED:
        return _OBSERVATION_LABELS.get(event.action, "External")
    if getattr(event, "needs_decision", False):
        return "Needs your decision"
    if event.stage == Stage.RECONCILED and event.actor_id and event.result in _DECISION_LABELS:
        return _DECISION_LABELS[Result(event.result)]
    return actions.RESULT_LABELS.get(_effective_result(event), event.result)


def stage_name(event: AuditEvent) -> str:
    """Name the stage of an event: "Confirmed later", or "Decision" where a user resolved the change."""
    if event.stage == Stage.RECONCILED and event.actor_id:
        return "Decision"
    return actions.STAGES.get(event.stage, event.stage)


def refusal(event: AuditEvent) -> str:
    """Status and code of Twilio's answer to a change: "HTTP 410, Twilio error 20410"; empty where none came."""
    parts = [("HTTP", event.remote_status), ("Twilio error", event.remote_code)]
    return ", ".join(f"{name} {number}" for name, number in parts if number)


def shape(event: AuditEvent) -> str:
    """The class that gives it its shape and colour."""
    if event.stage == Stage.OBSERVED:
        return "none" if event.action in _OBSERVATION_LABELS else "doubt"
    return (
        _SHAPE_BY_RESULT[Result(_effective_result(event))]
        if event.result in Result.values
        else "none"
    )


def _effective_result(event: AuditEvent) -> str:
    """An event's result; of an attempt that is older than any call takes, that its outcome is unknown."""
    is_dead = (
        event.result == Result.PENDING and event.at and event.at < timezone.now() - ATTEMPT_TIMEOUT
    )
    return Result.UNKNOWN if is_dead else event.result


def relation(event: AuditEvent, origin: AuditEvent) -> str:
    """What an event is to the one that it refers to: "Reverts", "Restores", or no more than that it refers to it."""
    if event.action == "flow.accept":
        return "Accepts"
    left, found = getattr(event, "payload", None), getattr(origin, "payload", None)
    state = left and (left.after or left.requested)
    if (
        found
        and event.action == "flow.delete"
        and found.before is None
        and event.result in _APPLIED_RESULTS
    ):
        return "Reverts"
    if found and state and event.result in _APPLIED_RESULTS:
        names = origin.changed_fields or [entry.name for entry in flex_flow.WRITABLE_FIELDS]
        if found.before and not flex_flow.differing_fields(found.before, state, names):
            return "Reverts"
        if found.after and not flex_flow.differing_fields(
            found.after, state, [entry.name for entry in flex_flow.WRITABLE_FIELDS]
        ):
            return "Restores"
    return "Refers to"


def who(event: AuditEvent) -> str:
    """Who did it. What was found at Twilio is nobody's."""
    return event.actor_label or (
        "Outside this dashboard" if event.stage == Stage.OBSERVED else "The system"
    )


def headline(event: AuditEvent) -> str:
    """What the event was, as a sentence: in the past where it came to pass, else as what was tried."""
    happened = event.result in _APPLIED_RESULTS
    if event.action == "flow.update":
        return _update_headline(event, happened=happened)
    if event.action == "flow.drift":
        return _drift_headline(event)
    if event.action == "account.field":
        return _field_headline(event)
    done, tried = actions.ACTION_LABELS.get(event.action, (event.action, event.action))
    return done if happened else tried


def _field_headline(event: AuditEvent) -> str:
    name = next(iter(event.changed_fields), "")
    if name in flex_flow.FIELDS_BY_NAME:
        return f"Read-only field changed at Twilio: {_inline_label(words.field_label(name))}"
    return (
        f"{actions.ACTION_LABELS[event.action][0]}: {name}"
        if name
        else actions.ACTION_LABELS[event.action][0]
    )


def _drift_headline(event: AuditEvent) -> str:
    if event.changed_fields:
        return f"Changed at Twilio: {_join_labels(event.changed_fields)}"
    payload = getattr(event, "payload", None)
    if payload is None or payload.erased_at:
        return actions.ACTION_LABELS[event.action][0]
    return "Deleted at Twilio" if payload.after is None else "Created at Twilio"


def _update_headline(event: AuditEvent, *, happened: bool) -> str:
    if event.changed_fields == ["enabled"]:
        payload = getattr(event, "payload", None)
        seen = (payload and (payload.after or payload.requested)) or {}
        enabled = flex_flow.normalize_value("enabled", seen.get("enabled"))
        if isinstance(enabled, bool):
            target = "on" if enabled else "off"
            return f"Turned {target}" if happened else f"Turn {target}"
        return "Turned on or off" if happened else "Turn on or off"
    word = "Changed" if happened else "Change"
    return f"{word} {_join_labels(event.changed_fields) or 'a flow'}"


def _join_labels(names: list[str], most: int = 3) -> str:
    labels = [_inline_label(words.field_label(name)) for name in names]
    more = len(labels) - most
    return ", ".join(labels[:most]) + (f" and {more} more" if more > 0 else "")


def _inline_label(text: str) -> str:
    """ "Friendly name" -> "friendly name", but "SID of …" and "Studio Flow SID" stay."""
    return (
        text
        if text[1:2].isupper() or text.startswith(("Studio", "Flex", "API"))
        else text[:1].lower() + text[1:]
    )
