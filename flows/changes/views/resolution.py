"""A change with an unknown outcome on its event's page: what is known so far, the form for a user's decision,
and afterwards who decided, why, and on what they relied. Everything shown was read before; no page reads
Twilio for it."""

from __future__ import annotations

from collections.abc import Mapping
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
from flows.twilio.flex import flex_flow


def resolution_context(
    request: Request, event: AuditEvent, form: DecisionForm | None
) -> dict[str, Any]:
    """The open state of this event's change: "under_way", "in_doubt", "puzzle", or nothing ("")."""
    open_changes = OpenChange.objects.select_related("attempt__payload", "latest__payload")
    change = open_changes.filter(change_id=event.change_id).first() if event.change_id else None
    if change is None:
        return {"fate": ""}
    is_old = change.attempt.at < timezone.now() - ATTEMPT_TIMEOUT
    if change.latest.result == Result.PENDING and not is_old:
        return {"fate": "under_way", "change": change}
    lost = {
        "change": change,
        "lost": change.latest if change.latest.result == Result.UNKNOWN else None,
    }
    if not change.puzzle:
        return {
            "fate": "in_doubt",
            **lost,
            "quiet": int(reconcile.CONFIRMATION_DELAY.total_seconds()),
        }
    can_decide = has_permission(request.user, "flows.change_flow", event.account_sid)
    return {
        "fate": "puzzle",
        **lost,
        "form": form or (decision_form(change) if can_decide else None),
        "read_at": change.read_at,
        "is_unreadable": change.is_unreadable,
        **_comparison_context(change.attempt.payload, change.last_reading),
    }


def decision_form(change: OpenChange, data: Mapping[str, Any] | None = None) -> DecisionForm:
    return DecisionForm(
        data,
        candidates=change.candidates,
        is_creation=change.action == "flow.create",
        is_unreadable=change.is_unreadable,
        puzzle=change.puzzle,
        reading=change.last_reading,
        auto_id="decide_%s",
    )


def decision_context(stages: list[AuditEvent]) -> dict[str, Any]:
    """The decision that a user took on this change, with what was known then; nothing if none did."""
    decided = next((one for one in stages if one.stage == Stage.RECONCILED and one.actor_id), None)
    if decided is None:
        return {}
    payload = AuditPayload.objects.filter(pk=decided.pk).first() or AuditPayload()
    findings = payload.findings or {}
    return {
        "decision": decided,
        "is_erased": payload.erased_at is not None,
        "known": findings.get("puzzle") or payload.message,
        "is_unreadable": findings.get("is_unreadable", False),
        "others": [sid for sid in findings.get("candidates", []) if sid != decided.target_sid],
        "read_at": _parse_datetime(findings.get("read_at")),
        **_comparison_context(payload, findings.get("reading") or {}),
    }


def _comparison_context(asked_for: AuditPayload, reading: Mapping[str, Any]) -> dict[str, Any]:
    """The flow before, the requested values and the flow as last read, field by field."""
    before, asked = asked_for.before, asked_for.requested or {}
    columns: list[tuple[str, Mapping[str, Any] | None]] = list(reading.items())
    if before is not None and reading:
        columns.insert(0, ("Before", before))
    names = flex_flow.differing_fields({}, dict.fromkeys(asked, "there"))
    return {
        "columns": [
            {"title": title, "is_sid": title in reading, "is_there": seen is not None}
            for title, seen in columns
        ],
        "requested_rows": [
            {
                "label": labels.field_label(name),
                "asked": labels.display_value(name, asked.get(name)),
                "cells": [_comparison_cell(title, name, seen, asked) for title, seen in columns],
            }
            for name in names
        ],
    }


def _comparison_cell(
    title: str, name: str, seen: Mapping[str, Any] | None, asked: Mapping[str, Any]
) -> dict[str, Any]:
    is_there = seen is not None
    return {
        "title": title,
        "value": labels.display_value(name, (seen or {}).get(name)),
        "is_there": is_there,
        "is_as_requested": is_there
        and flex_flow.is_same_value(name, asked.get(name), (seen or {}).get(name)),
    }


def _parse_datetime(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
