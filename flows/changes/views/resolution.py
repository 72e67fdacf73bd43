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
from flows.accounts.permissions import can_decide
from flows.audit.access import Request
from flows.audit.models import AuditEvent, AuditPayload, OpenChange, Result
from flows.audit.object_links import object_url
from flows.changes import reconcile
from flows.changes.forms.decision import DecisionForm
from flows.twilio import labels
from flows.twilio.registry import resource_of_action
from flows.twilio.resource import Resource


def find_open_change(event: AuditEvent) -> OpenChange | None:
    """Return the open change that an event belongs to, or None."""
    if event.change_id is None:
        return None
    changes = OpenChange.objects.select_related("attempt__payload", "latest__payload")
    return changes.filter(change_id=event.change_id).first()


def resolution_context(
    request: Request, event: AuditEvent, form: DecisionForm | None
) -> dict[str, Any]:
    """Return the state of the event's open change and what its notice needs.

    The state, `resolution`, is "in_progress", "unknown", "ambiguous" (needs a decision), or "" if
    the change is not open.
    """
    change = find_open_change(event)
    if change is None:
        return {"resolution": ""}
    is_abandoned = change.attempt.at < timezone.now() - ATTEMPT_TIMEOUT
    if change.latest.result == Result.PENDING and not is_abandoned:
        return {"resolution": "in_progress", "change": change}

    has_outcome = change.latest.result == Result.UNKNOWN
    context = {"change": change, "unknown_outcome": change.latest if has_outcome else None}
    if not change.ambiguity:
        seconds = int(reconcile.CONFIRMATION_DELAY.total_seconds())
        return {**context, "resolution": "unknown", "confirmation_seconds": seconds}
    if form is None and can_decide(request.user, change.resource, event.account_sid or ""):
        form = decision_form(change)
    return {
        **context,
        "resolution": "ambiguous",
        "form": form,
        "read_at": change.read_at,
        "is_unreadable": change.is_unreadable,
        **_comparison_context(change.attempt, change.last_reading, change.candidates),
    }


def decision_form(change: OpenChange, data: Mapping[str, Any] | None = None) -> DecisionForm:
    """Return the form for a decision about this change."""
    return DecisionForm(
        data,
        resource=change.resource,
        candidates=change.candidates,
        is_creation=change.creates_unknown_sid,
        may_be_unlisted=change.may_be_unlisted,
        is_unreadable=change.is_unreadable,
        ambiguity=change.ambiguity,
        reading=change.last_reading,
        auto_id="decide_%s",
    )


def decision_context(stages: list[AuditEvent]) -> dict[str, Any]:
    """Return the user's decision about this change and the findings at that time, or nothing."""
    decision = next((stage for stage in stages if stage.is_decision), None)
    if decision is None:
        return {}
    payload = decision.stored_payload or AuditPayload()
    # An older version stored no findings with a decision.
    findings: Mapping[str, Any] = {
        "puzzle": "",
        "candidates": [],
        "reading": {},
        **(payload.findings or {}),
    }
    candidates = findings["candidates"]
    return {
        "decision": decision,
        "is_erased": payload.erased_at is not None,
        "ambiguity": findings["puzzle"] or payload.message,
        "is_unreadable": findings.get("is_unreadable", False),
        "other_candidates": [sid for sid in candidates if sid != decision.target_sid],
        "read_at": _parse_datetime(findings.get("read_at")),
        **_comparison_context(decision, findings["reading"], candidates),
    }


def _comparison_context(
    event: AuditEvent, readings: Mapping[str, Any], candidates: Sequence[str]
) -> dict[str, Any]:
    """Return a table with a row for each requested field.

    Its columns are the object before the change, then each object as last read, by SID. Objects of
    which a match proves nothing are also told by the date of their creation.
    """
    resource = resource_of_action(event.action)
    payload = event.stored_payload or AuditPayload()
    states = _compared_states(payload, readings, candidates)
    columns = [
        {
            "title": title,
            "is_sid": title in readings,
            "url": object_url(
                resource, title, event.account_sid or "", parent_sid=event.parent_sid
            ),
            "is_there": state is not None,
        }
        for title, state in states
    ]
    requested = payload.requested_values
    names = resource.in_order(requested)
    if event.operation == "create" and not resource.match_proves_creation:
        names += [name for name in ("date_created",) if name in resource.by_name]
    rows = [_comparison_row(resource, name, requested.get(name), states) for name in names]
    return {"columns": columns, "requested_rows": rows}


def _compared_states(
    payload: AuditPayload, readings: Mapping[str, Any], candidates: Sequence[str]
) -> list[tuple[str, Mapping[str, Any] | None]]:
    """Return the title and the state of each column.

    Candidates come in their own order: PostgreSQL doesn't keep that of a JSON object's keys.
    """
    sids = [sid for sid in candidates if sid in readings] or list(readings)
    states: list[tuple[str, Mapping[str, Any] | None]] = [(sid, readings[sid]) for sid in sids]
    if payload.before is not None and readings:
        states.insert(0, ("Before", payload.before))
    return states


def _comparison_row(
    resource: Resource,
    name: str,
    requested: Any,
    states: Sequence[tuple[str, Mapping[str, Any] | None]],
) -> dict[str, Any]:
    cells = []
    for title, state in states:
        is_there = state is not None
        value = state.get(name) if state is not None else None
        if name in resource.unreturned_names and is_there:
            value = labels.PlaceholderText("Not shown by Twilio")
        cell = {
            "title": title,
            "value": labels.display_value(resource, name, value),
            "is_there": is_there,
            "is_as_requested": is_there and resource.is_same_value(name, requested, value),
        }
        cells.append(cell)
    return {
        "label": resource.label_of(name),
        "requested": labels.display_value(resource, name, requested),
        "cells": cells,
    }


def _parse_datetime(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
