"""The parts of an event's page about a change with an unknown outcome.

These are the findings so far, the form for a user's decision, and afterwards the decision with the
findings that it relied on. Everything was read before; none of this reads from Twilio.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from flows.accounts.clients import ATTEMPT_TIMEOUT
from flows.accounts.permissions import has_permission
from flows.audit.access import Request
from flows.audit.models import AuditEvent, AuditPayload, OpenChange, Result, Stage
from flows.changes import reconcile
from flows.changes.forms.decision import DecisionForm
from flows.twilio import labels
from flows.twilio.registry import resource_of_action
from flows.twilio.resource import Resource


def resolution_context(
    request: Request, event: AuditEvent, form: DecisionForm | None
) -> dict[str, Any]:
    """Return the state of the event's open change and what its notice needs.

    The state, `fate`, is "under_way", "in_doubt", "puzzle" (needs a decision), or "" if the change
    is not open.
    """
    change = None
    if event.change_id:
        open_changes = OpenChange.objects.select_related("attempt__payload", "latest__payload")
        change = open_changes.filter(change_id=event.change_id).first()
    if change is None:
        return {"fate": ""}
    is_abandoned = change.attempt.at < timezone.now() - ATTEMPT_TIMEOUT
    if change.latest.result == Result.PENDING and not is_abandoned:
        return {"fate": "under_way", "change": change}

    has_outcome = change.latest.result == Result.UNKNOWN
    context = {"change": change, "lost": change.latest if has_outcome else None}
    if not change.puzzle:
        seconds = int(reconcile.CONFIRMATION_DELAY.total_seconds())
        return {**context, "fate": "in_doubt", "quiet": seconds}
    if form is None and has_permission(request.user, "flows.change_flow", event.account_sid):
        form = decision_form(change)
    return {
        **context,
        "fate": "puzzle",
        "form": form,
        "read_at": change.read_at,
        "is_unreadable": change.is_unreadable,
        **_comparison_context(
            change.resource, change.attempt.payload, change.last_reading, change.candidates
        ),
    }


def decision_form(change: OpenChange, data: Mapping[str, Any] | None = None) -> DecisionForm:
    """Return the form for a decision about this change."""
    return DecisionForm(
        data,
        resource=change.resource,
        candidates=change.candidates,
        is_creation=change.operation == "create",
        is_unreadable=change.is_unreadable,
        puzzle=change.puzzle,
        reading=change.last_reading,
        auto_id="decide_%s",
    )


def decision_context(stages: list[AuditEvent]) -> dict[str, Any]:
    """Return the user's decision about this change and the findings at that time, or nothing."""
    decisions = [stage for stage in stages if stage.stage == Stage.RECONCILED and stage.actor_id]
    if not decisions:
        return {}
    decision = decisions[0]
    payload = AuditPayload.objects.filter(pk=decision.pk).first() or AuditPayload()
    findings: Mapping[str, Any] = payload.findings or {}
    candidates = findings.get("candidates", [])
    return {
        "decision": decision,
        "is_erased": payload.erased_at is not None,
        "known": findings.get("puzzle") or payload.message,
        "is_unreadable": findings.get("is_unreadable", False),
        "others": [sid for sid in candidates if sid != decision.target_sid],
        "read_at": _parse_datetime(findings.get("read_at")),
        **_comparison_context(
            resource_of_action(decision.action), payload, findings.get("reading") or {}, candidates
        ),
    }


def _comparison_context(
    resource: Resource,
    payload: AuditPayload,
    readings: Mapping[str, Any],
    candidates: Sequence[str],
) -> dict[str, Any]:
    """Return a table with a row for each requested field.

    Its columns are the flow before the change, then each flow as last read, by SID. Candidates
    come in their own order: PostgreSQL doesn't keep that of a JSON object's keys.
    """
    before = payload.before
    requested: Mapping[str, Any] = payload.requested or {}
    sids = [sid for sid in candidates if sid in readings] or list(readings)
    states: list[tuple[str, Mapping[str, Any] | None]] = [(sid, readings[sid]) for sid in sids]
    if before is not None and readings:
        states.insert(0, ("Before", before))
    columns = [
        {"title": title, "is_sid": title in readings, "is_there": state is not None}
        for title, state in states
    ]
    names = resource.differing_fields({}, dict.fromkeys(requested, "present"))
    rows = [
        {
            "label": resource.label_of(name),
            "asked": labels.display_value(resource, name, requested.get(name)),
            "cells": [
                _comparison_cell(resource, title, name, state, requested) for title, state in states
            ],
        }
        for name in names  # in the schema's order
    ]
    return {"columns": columns, "requested_rows": rows}


def _comparison_cell(
    resource: Resource,
    title: str,
    name: str,
    state: Mapping[str, Any] | None,
    requested: Mapping[str, Any],
) -> dict[str, Any]:
    value = state.get(name) if state is not None else None
    is_same = resource.is_same_value(name, requested.get(name), value)
    return {
        "title": title,
        "value": labels.display_value(resource, name, value),
        "is_there": state is not None,
        "is_as_requested": state is not None and is_same,
    }


def _parse_datetime(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
