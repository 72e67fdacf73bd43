"""The log of one flow: its latest changes, who turned it off, and the change that can be undone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from flows.accounts import twilio_accounts
from flows.audit import log_paging
from flows.audit.actions import DriftAction
from flows.audit.models import APPLIED_RESULTS, AuditEvent, Result
from flows.checks.actions import FindingAction
from flows.local_details.actions import LocalDetailsAction
from flows.monitor_events.actions import MonitorAction
from flows.twilio.flex.flex_flow import is_on
from flows.webhook_tests.actions import WebhookTestAction, is_webhook_test

HISTORY_LENGTH: Final = 20  # events
UNDO_WINDOW: Final = timedelta(minutes=10)  # to undo one's own last change from the flow's page


def latest_changes(sid: str, scope: twilio_accounts.Scope) -> list[AuditEvent]:
    """Return the flow's changes, the latest first, each once with its latest outcome.

    Flows that were created from one of its versions are included. Of a test of its webhook, only
    the result is, once it is recorded.
    """
    entries = _readable_entries(scope)
    # What Twilio's Monitor says stands at the external change that it is about.
    own_changes = entries.filter(target_sid=sid).exclude(action=MonitorAction.ANSWER)
    own_entries = list(own_changes.order_by("-seq")[:HISTORY_LENGTH])
    own_event_ids = AuditEvent.objects.filter(target_sid=sid).values("event_id")
    referring_entries = (
        entries.filter(refers_to__isnull=False, refers_to__in=own_event_ids)
        .exclude(target_sid=sid)
        .order_by("-seq")[:HISTORY_LENGTH]
    )
    history = [*_without_started_tests(own_entries), *referring_entries]
    return sorted(history, key=lambda event: -event.seq)[:HISTORY_LENGTH]


def find_turn_off(sid: str, scope: twilio_accounts.Scope) -> AuditEvent | None:
    """Return the event that turned the flow off, however long ago.

    None if no event did, or if its contents have been erased. Accepting an external change turns
    nothing off.
    """
    applied = _readable_entries(scope).filter(target_sid=sid, result__in=APPLIED_RESULTS)
    applied = applied.exclude(action=DriftAction.ACCEPT)
    switches = applied.annotate(field_names=Cast("changed_fields", TextField())).filter(
        field_names__contains='"enabled"'
    )
    last_switch = switches.order_by("-seq").first()
    return last_switch if last_switch and _turns_off(last_switch) else None


def find_undoable_change(sid: str, user: User) -> AuditEvent | None:
    """Return the flow's last change if the user made it a moment ago, else None."""
    flow_events = AuditEvent.objects.filter(target_sid=sid).exclude(
        action__in=(
            LocalDetailsAction.CHANGE,
            WebhookTestAction.TEST,
            MonitorAction.ANSWER,
            *FindingAction,
        )
    )
    last_event = flow_events.order_by("-seq").first()
    return last_event if last_event and _is_undoable(last_event, user) else None


def _without_started_tests(events: Sequence[AuditEvent]) -> list[AuditEvent]:
    """Return the events without the starts of tests whose result is among them."""
    tests = [event for event in events if is_webhook_test(event)]
    started_ids = {event.refers_to for event in tests if event.refers_to}
    return [event for event in events if event.event_id not in started_ids]


def _readable_entries(scope: twilio_accounts.Scope) -> QuerySet[AuditEvent]:
    entries = AuditEvent.objects.filter(entry__isnull=False)
    return log_paging.filter_accounts(entries, scope).select_related("payload", "entry__start")


def _turns_off(event: AuditEvent) -> bool:
    """Return True if the flow was on before the event and isn't after it."""
    payload = event.stored_payload
    if payload is None or not is_on(payload.values_before):
        return False
    return not is_on(payload.resulting_values)


def _is_undoable(event: AuditEvent, user: User) -> bool:
    """Return True for a successful update that this user made a moment ago."""
    is_own = event.actor_id == str(user.pk)
    is_update = event.action == "flow.update" and event.result == Result.SUCCEEDED
    is_recent = timezone.now() - event.at < UNDO_WINDOW
    return is_own and is_update and is_recent
