"""Lookups: which external changes Twilio's Monitor is asked about, and when.

A sync asks about a few changes of the last day, each with one request. An event may appear at
Twilio later than its change, so a change without an answer is asked about again, a few times.
Nothing here delays or changes the record of the external change itself.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from flows.audit import audit_log
from flows.audit.actions import DriftAction
from flows.audit.audit_log import Actor, Payload
from flows.audit.models import (
    APPLIED_RESULTS,
    CLOCK_SKEW,
    UNIQUE_STAGES,
    AuditEvent,
    AuditPayload,
    Result,
    Stage,
)
from flows.monitor_events import reading
from flows.monitor_events.actions import MonitorAction
from flows.monitor_events.models import MonitorLookup, MonitorState
from flows.monitor_events.reading import MonitorAnswer
from flows.redaction.redacted import redact_fields
from flows.twilio.errors import FlexError
from flows.twilio.monitor.monitor_event import RETENTION_DAYS

log = logging.getLogger(__name__)

MAX_LOOKUPS: Final = 10  # flows that one sync asks about
TIMEOUT: Final = 10.0  # seconds after which a sync sends no further request
LOOKUP_PERIOD: Final = timedelta(days=1)  # after an external change was noticed
# After an attempt without events, the time until the next one. After the last there is none.
RETRY_DELAYS: Final = (timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=4))
MAX_ATTEMPTS: Final = len(RETRY_DELAYS) + 1
FAILURE_PAUSE: Final = timedelta(minutes=15)  # without a request for the account
RETENTION: Final = timedelta(days=RETENTION_DAYS)
NO_ACTOR: Final = Actor(id="", label="")


def ask_twilio(account_sid: str, *, previous_sync_at: datetime | None) -> None:
    """Ask Twilio's Monitor about some external changes of an account, if the site is set to.

    `previous_sync_at` is the end of the last complete sync before the one that has just ended. A
    failure is logged and stored for the pages. It is never raised.
    """
    if not settings.TWILIO_MONITOR_EVENTS:
        return
    try:
        _add_lookups(account_sid, previous_sync_at)
        if not _is_paused(account_sid):
            _ask_in_turn(account_sid)
    except Exception:  # the flows are synced, whatever is wrong with a lookup
        log.exception("Twilio's Monitor could not be asked for %s.", account_sid)


def _add_lookups(account_sid: str, previous_sync_at: datetime | None) -> None:
    """Add the lookups of the newest external changes that have none."""
    new_changes = AuditEvent.objects.filter(
        action=DriftAction.DRIFT,
        account_sid=account_sid,
        at__gt=timezone.now() - LOOKUP_PERIOD,
        payload__erased_at=None,
        monitor_lookup=None,
    ).order_by("-seq")[:MAX_LOOKUPS]
    lookups = [
        MonitorLookup(
            event=event,
            account_sid=account_sid,
            since=_start_of_period(event, previous_sync_at),
            until=event.at + CLOCK_SKEW,
        )
        for event in new_changes
    ]
    MonitorLookup.objects.bulk_create(lookups, ignore_conflicts=True)


def _start_of_period(event: AuditEvent, previous_sync_at: datetime | None) -> datetime:
    """Return when the flow was last known to be as it was before an external change.

    It was in its last recorded state then. The sync before saw that state, too, unless the flow is
    gone: a sync can miss a flow for a while until its deletion is proven.
    """
    candidates = [event.at - RETENTION]
    last_state = _last_state_before(event)
    if last_state is not None:
        candidates.append(last_state.at - CLOCK_SKEW)
    is_deletion = event.payload.after is None
    if previous_sync_at is not None and previous_sync_at < event.at and not is_deletion:
        candidates.append(previous_sync_at - CLOCK_SKEW)
    return max(candidates)


def _last_state_before(event: AuditEvent) -> AuditEvent | None:
    """Return the event that recorded the flow's state before an external change, or None."""
    states = AuditEvent.objects.filter(
        target_sid=event.target_sid,
        seq__lt=event.seq,
        stage__in=(*UNIQUE_STAGES, Stage.OBSERVED),
        result__in=APPLIED_RESULTS,
    )
    return states.order_by("-seq").first()


def _is_paused(account_sid: str) -> bool:
    """Return True for a while after a failed request."""
    return MonitorState.objects.filter(
        account_sid=account_sid, failed_at__gt=timezone.now() - FAILURE_PAUSE
    ).exists()


def _ask_in_turn(account_sid: str) -> None:
    """Ask about the changes that are due, until one request fails or the time is over."""
    ends_at = time.monotonic() + TIMEOUT
    for lookup in _due_lookups(account_sid):
        if time.monotonic() >= ends_at or not _claim(lookup):
            break
        event = lookup.event
        try:
            answer = reading.read_events(account_sid, event.target_sid, lookup.since, lookup.until)
        except FlexError as error:
            log.info("Twilio's Monitor could not be asked about event %d: %s", event.seq, error)
            _store_failure(account_sid, error)
            break
        _store_answer(lookup, answer)


def _due_lookups(account_sid: str) -> list[MonitorLookup]:
    """Return the lookups whose time has come, those never tried first, then the newest."""
    at = timezone.now()
    is_due = Q(attempts=0)
    for attempts, delay in enumerate(RETRY_DELAYS, start=1):
        is_due |= Q(attempts=attempts, asked_at__lte=at - delay)
    lookups = MonitorLookup.objects.filter(
        is_due,
        account_sid=account_sid,
        answer=None,
        event__at__gt=at - LOOKUP_PERIOD,
        event__payload__erased_at=None,
    )
    return list(
        lookups.select_related("event__payload").order_by("attempts", "-event")[:MAX_LOOKUPS]
    )


def _claim(lookup: MonitorLookup) -> bool:
    """Count an attempt before its request. Return False if another process just made it."""
    return bool(
        MonitorLookup.objects.filter(pk=lookup.pk, attempts=lookup.attempts, answer=None).update(
            attempts=lookup.attempts + 1, asked_at=timezone.now()
        )
    )


def _store_failure(account_sid: str, error: FlexError) -> None:
    values = {
        "failed_at": timezone.now(),
        "status": error.status,
        "code": error.code,
        "error": str(error),
    }
    MonitorState.objects.update_or_create(account_sid=account_sid, defaults=values)


def _store_answer(lookup: MonitorLookup, answer: MonitorAnswer) -> None:
    """Store that Twilio answered, and record the events of the answer, if any."""
    at = timezone.now()
    values = {"answered_at": at, "failed_at": None, "status": None, "code": None, "error": ""}
    MonitorState.objects.update_or_create(account_sid=lookup.account_sid, defaults=values)
    MonitorLookup.objects.filter(pk=lookup.pk).update(answered_at=at)
    if answer.events:
        _record_answer(lookup, answer)


def _record_answer(lookup: MonitorLookup, answer: MonitorAnswer) -> None:
    """Record Twilio's events, unless the external change was erased in the meantime."""
    change, payload = lookup.event, lookup.event.payload
    answered_values = {"events": answer.events, "has_more": answer.has_more}
    request_values = {
        "event": change.seq,
        "from": lookup.since.isoformat(timespec="seconds"),
        "until": lookup.until.isoformat(timespec="seconds"),
    }
    with audit_log.transaction() as log_transaction:
        if not AuditPayload.objects.filter(pk=change.pk, erased_at=None).exists():
            return
        event = log_transaction.append(
            action=MonitorAction.ANSWER,
            stage=Stage.ACCESS,
            result=Result.SUCCEEDED,
            actor=NO_ACTOR,
            account_sid=change.account_sid,
            target_sid=change.target_sid,
            payload=Payload(
                friendly_name=payload.friendly_name,
                contact_identity=payload.contact_identity,
                requested=redact_fields(request_values),
                after=redact_fields(answered_values),
            ),
        )
        MonitorLookup.objects.filter(pk=lookup.pk).update(answer=event)
