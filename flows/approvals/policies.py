"""The change of an account's policy, recorded in the audit log."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils import timezone

from flows.approvals.actions import PolicyAction
from flows.approvals.models import ChangePolicy
from flows.approvals.terms import Terms, load_terms
from flows.audit import audit_log
from flows.audit.audit_log import Actor, AlreadyRecorded, Payload
from flows.audit.models import AuditEvent, Result, Stage
from flows.redaction.redacted import redact_fields


def set_policy(
    *, account_sid: str, terms: Terms, reason: str, actor: Actor, change_id: uuid.UUID
) -> AuditEvent | None:
    """Set the policy of an account and record it, or return None if it has these terms already.

    Raises `AlreadyRecorded` for a `change_id` that was used before, and `NotRecorded`. Nothing is
    changed then.
    """
    with audit_log.transaction() as log:
        earlier_event = audit_log.latest_event(change_id)
        if earlier_event is not None:
            raise AlreadyRecorded(earlier_event)
        earlier = load_terms(account_sid)
        if earlier == terms:
            return None
        event = log.append(
            action=PolicyAction.SET,
            stage=Stage.ACCESS,
            result=Result.SUCCEEDED,
            actor=actor,
            account_sid=account_sid,
            change_id=change_id,
            reason=reason,
            payload=Payload(
                before=redact_fields(_describe(earlier)), requested=redact_fields(_describe(terms))
            ),
        )
        ChangePolicy.objects.update_or_create(
            account_sid=account_sid, defaults={**_columns(terms), **_record(event)}
        )
    return event


def _columns(terms: Terms) -> dict[str, Any]:
    hours = terms.hours
    return {
        "requires_reason": terms.requires_reason,
        "kinds": list(terms.kinds),
        "bulk_limit": terms.bulk_limit,
        "approvals_required": terms.approvals_required,
        "approver_permission": terms.approver_permission,
        "days": list(hours.days) if hours else [],
        "opens_at": hours.opens_at if hours else None,
        "closes_at": hours.closes_at if hours else None,
        "time_zone": hours.time_zone if hours else "",
    }


def _record(event: AuditEvent) -> dict[str, Any]:
    return {"event_id": event.event_id, "set_at": timezone.now()}


def _describe(terms: Terms) -> dict[str, str]:
    """Return the terms as the log records them."""
    sentences = " ".join(terms.sentences)
    return {"Policy": sentences or "None: changes are sent at once."}
