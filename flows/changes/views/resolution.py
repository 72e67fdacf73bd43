"""A change with an unknown outcome on its event's page: what is known so far, the form for a user's decision,
and afterwards who decided, why, and on what they relied. Everything shown was read before; no page reads
Twilio for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from flows.accounts.clients import ATTEMPT_TIMEOUT
from flows.accounts.permissions import may
from flows.audit.access import Request
from flows.audit.models import AuditEvent, AuditPayload, OpenChange, Result, Stage
from flows.changes import reconcile
from flows.changes.forms.decision import DecisionForm
from flows.twilio import labels
from flows.twilio.flex import flex_flow


def fate_of(request: Request, event: AuditEvent, form: DecisionForm | None) -> dict[str, Any]:
    """The open state of this event's change: "under_way", "in_doubt", "puzzle", or nothing ("")."""
    open_changes = OpenChange.objects.select_related("attempt__payload", "latest__payload")
    change = open_changes.filter(change_id=event.change_id).first() if event.change_id else None
    if change is None:
        return {"fate": ""}
    is_old = change.attempt.at < timezone.now() - ATTEMPT_TIMEOUT
    if change.latest.result == Result.PENDING and not is_old:
        return {"fate": "under_way", "change": change}
    lost = {"change": change, "lost": change.latest if change.latest.result == Result.UNKNOWN else None}
    if not change.puzzle:
        return {"fate": "in_doubt", **lost, "quiet": int(reconcile.QUIET.total_seconds())}
    may_decide = may(request.user, "flows.change_flow", event.account_sid)
    return {
        "fate": "puzzle",
        **lost,
        "form": form or (decision_form(change) if may_decide else None),
        "read_at": change.read_at,
        "is_unreadable": change.is_unreadable,
        **_side_by_side(change.attempt.payload, change.last_reading),
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


def decision_of(stages: list[AuditEvent]) -> dict[str, Any]:
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
        "read_at": _moment(findings.get("read_at")),
        **_side_by_side(payload, findings.get("reading") or {}),
    }


def _side_by_side(asked_for: AuditPayload, reading: Mapping[str, Any]) -> dict[str, Any]:
    """The flow before, the requested values and the flow as last read, field by field."""
    before, asked = asked_for.before, asked_for.requested or {}
    columns: list[tuple[str, Mapping[str, Any] | None]] = list(reading.items())
    if before is not None and reading:
        columns.insert(0, ("Before", before))
    names = flex_flow.differing({}, dict.fromkeys(asked, "there"))
    return {
        "columns": [
            {"title": title, "is_sid": title in reading, "is_there": seen is not None}
            for title, seen in columns
        ],
        "asked_rows": [
            {
                "label": labels.label(name),
                "asked": labels.shown(name, asked.get(name)),
                "cells": [_cell(title, name, seen, asked) for title, seen in columns],
            }
            for name in names
        ],
    }


def _cell(title: str, name: str, seen: Mapping[str, Any] | None, asked: Mapping[str, Any]) -> dict[str, Any]:
    is_there = seen is not None
    return {
        "title": title,
        "value": labels.shown(name, (seen or {}).get(name)),
        "is_there": is_there,
        "is_as_asked": is_there and flex_flow.same(name, asked.get(name), (seen or {}).get(name)),
    }


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
