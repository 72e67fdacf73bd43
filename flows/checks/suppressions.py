"""Suppressions: findings that someone accepts until a day, with a recorded reason.

A suppressed finding is neither counted nor a warning at its flow. It comes back by itself when its
last day has passed, or when it says something else, such as another target. Nothing is sent to
Twilio. Read-only mode prevents both changes.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import QuerySet
from django.utils import timezone

from flows.audit import audit_log
from flows.audit.audit_log import Actor, AlreadyRecorded, LogTransaction, Payload
from flows.audit.models import AuditEvent, Result, Stage
from flows.availability import restrictions
from flows.availability.restrictions import OperationUnavailable
from flows.checks.actions import FindingAction
from flows.checks.findings import Finding, Rule
from flows.checks.models import Suppression
from flows.mirror.models import Flow
from flows.redaction.redacted import redact_fields

OPERATION: Final = "details"  # for restrictions: a change that Twilio doesn't know
DEFAULT_PERIOD: Final = timedelta(days=30)
MAX_PERIOD: Final = timedelta(days=366)
NO_VALUES: Final[Mapping[str, str]] = {}
# By the SID of the flow and the digest of the finding.
Suppressions = dict[tuple[str, str], Suppression]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingChange:
    """A user's request to change the suppression of one finding."""

    account_sid: str
    sid: str
    rule: Rule
    reason: str
    actor: Actor
    change_id: uuid.UUID


def today(at: datetime | None = None) -> date:
    """Return the current day in UTC."""
    return (at or timezone.now()).date()


def load_suppressions(
    *, account_sids: Collection[str] | None = None, sids: Collection[str] | None = None
) -> Suppressions:
    """Return the suppressions that hold today, of these accounts or of these flows."""
    rows = active_rows()
    if account_sids is not None:
        rows = rows.filter(account_sid__in=account_sids)
    if sids is not None:
        rows = rows.filter(sid__in=sids)
    return {(row.sid, digest): row for row in rows for digest in row.digests}


def active_rows() -> QuerySet[Suppression]:
    """Return the suppressions that hold today."""
    return Suppression.objects.filter(until__gte=today())


def suppressed_digests(sids: Collection[str] | None) -> dict[str, frozenset[str]]:
    """Return the digests of the findings that are suppressed today, by SID of these flows or all."""
    digests: dict[str, set[str]] = defaultdict(set)
    for sid, digest in load_suppressions(sids=sids):
        digests[sid].add(digest)
    return {sid: frozenset(values) for sid, values in digests.items()}


def suppress(change: FindingChange, findings: Iterable[Finding], until: date) -> AuditEvent:
    """Suppress these findings of a rule until a day, in place of earlier ones, and record it.

    Raises `AlreadyRecorded` for a `change_id` that was used before, `OperationUnavailable` or
    `NotRecorded`. In each case nothing is changed.
    """
    with audit_log.transaction() as log:
        result = _check(log, change, FindingAction.SUPPRESS)
        if isinstance(result, AuditEvent):
            raise AlreadyRecorded(result)
        if result is None:
            accepted = list(findings)
            values = {
                "Finding": " ".join(each.message for each in accepted),
                "Until": until.isoformat(),
            }
            event = _append(log, change, FindingAction.SUPPRESS, Result.SUCCEEDED, values=values)
            Suppression.objects.update_or_create(
                sid=change.sid,
                rule_id=change.rule.rule_id,
                defaults={
                    "account_sid": change.account_sid,
                    "digests": [each.digest for each in accepted],
                    "until": until,
                    "event_id": event.event_id,
                },
            )
            return event
    raise result  # after the transaction, which commits the refusal


def end_suppression(change: FindingChange) -> AuditEvent | None:
    """End a suppression and record it, or return None if the finding isn't suppressed.

    Raises the same errors as `suppress`.
    """
    with audit_log.transaction() as log:
        result = _check(log, change, FindingAction.END)
        if isinstance(result, AuditEvent):
            raise AlreadyRecorded(result)
        if result is None:
            rows = Suppression.objects.filter(
                sid=change.sid, rule_id=change.rule.rule_id, until__gte=today()
            )
            if not rows.delete()[0]:
                return None
            return _append(log, change, FindingAction.END, Result.SUCCEEDED)
    raise result


def _check(
    log: LogTransaction, change: FindingChange, action: FindingAction
) -> AuditEvent | OperationUnavailable | None:
    """Return the earlier event of the same form, or the refusal that is recorded, or None."""
    earlier_event = audit_log.latest_event(change.change_id)
    if earlier_event is not None:
        return earlier_event
    restriction = restrictions.find_restriction(change.account_sid, OPERATION)
    if restriction is None:
        return None
    _append(log, change, action, Result.DENIED, message=restriction.sentence)
    return OperationUnavailable(restriction)


def _append(
    log: LogTransaction,
    change: FindingChange,
    action: FindingAction,
    result: Result,
    *,
    values: Mapping[str, str] = NO_VALUES,
    message: str = "",
) -> AuditEvent:
    flow = Flow.objects.filter(sid=change.sid).first() or Flow()
    requested = {"Check": change.rule.title, **values}
    return log.append(
        action=action,
        stage=Stage.ACCESS,
        result=result,
        actor=change.actor,
        account_sid=change.account_sid,
        target_sid=change.sid,
        change_id=None if result == Result.DENIED else change.change_id,
        reason=change.reason,
        payload=Payload(
            friendly_name=flow.friendly_name,
            contact_identity=flow.contact_identity,
            requested=redact_fields(requested),
            message=message,
        ),
    )
