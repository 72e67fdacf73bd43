"""Delivery: which message is sent next, one at a time for each subscription, and its result.

A run holds the lease of a subscription while it sends. A run that dies lets it expire, and the
message is sent again with the same id: each message arrives at least once. Messages about the same
object keep their order, and one that fails holds up only those behind it.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from flows.audit import audit_log
from flows.audit.audit_log import Actor, Payload
from flows.audit.models import Result, Stage
from flows.notifications import backoff
from flows.notifications.actions import NotificationAction
from flows.notifications.models import Attempt, Message, MessageStatus, Subscription
from flows.notifications.sending import SendResult, send
from flows.outbound_http.pinned_post import PostOptions

LEASE_TIMEOUT: Final = timedelta(minutes=2)  # far longer than an attempt takes
MAX_TURN: Final = 20.0  # seconds until another subscription has its turn
MAX_SCANNED: Final = 1000  # messages of a subscription among which the next one is looked for
GONE: Final = "The receiver answered that it no longer exists (HTTP 410)."

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class MessageCounts:
    """The messages that wait and those that were given up, and how long the oldest has waited."""

    waiting: int
    failed: int
    oldest_seconds: float


def count_messages(at: datetime) -> MessageCounts:
    """Return the numbers for metrics."""
    waiting = Message.objects.filter(status=MessageStatus.PENDING)
    oldest = waiting.order_by("queued_at").values_list("queued_at", flat=True).first()
    return MessageCounts(
        waiting=waiting.count(),
        failed=Message.objects.filter(status=MessageStatus.FAILED).count(),
        oldest_seconds=0 if oldest is None else (at - oldest).total_seconds(),
    )


class LeaseLost(Exception):
    """Another run has taken the subscription over, because this one took too long."""


def deliver_due(clock: Clock = timezone.now, options: PostOptions | None = None) -> int:
    """Send the messages that are due, and return how many attempts were made."""
    count = 0
    for subscription in _find_due(clock()):
        count += _deliver(subscription, clock, options)
    return count


def _find_due(at: datetime) -> list[Subscription]:
    """Return the subscriptions with due messages that no other run is sending."""
    due = Message.objects.filter(status=MessageStatus.PENDING, next_attempt_at__lte=at)
    subscriptions = _free(at).filter(pk__in=due.values("subscription"))
    return list(subscriptions.order_by("failure_count", "pk"))


def _free(at: datetime) -> QuerySet[Subscription]:
    """Return the enabled subscriptions that aren't paused and have no run."""
    is_free = Q(lease_id=None) | Q(leased_at__lt=at - LEASE_TIMEOUT)
    is_running = Q(paused_until=None) | Q(paused_until__lte=at)
    return Subscription.objects.filter(is_free & is_running, is_enabled=True)


def _deliver(subscription: Subscription, clock: Clock, options: PostOptions | None) -> int:
    """Send due messages of a subscription until one fails or its turn ends."""
    lease_id = uuid.uuid4()
    count, ends_at = 0, time.monotonic() + MAX_TURN
    at = clock()
    if not _free(at).filter(pk=subscription.pk).update(lease_id=lease_id, leased_at=at):
        return 0
    try:
        while time.monotonic() < ends_at:
            message = next_message(subscription.pk, clock())
            if message is None or not _renew(subscription.pk, lease_id, clock()):
                break
            result = send(message, clock(), options)
            count += 1
            record(message, lease_id, result, clock())
            if result.problem and not result.is_final:
                break
    except LeaseLost:
        return count
    Subscription.objects.filter(pk=subscription.pk, lease_id=lease_id).update(lease_id=None)
    return count


def next_message(subscription_id: int, at: datetime) -> Message | None:
    """Return the message to send next, or None.

    Of those that are due and wait for no earlier message about the same object, it is the one with
    the fewest attempts: a message that a receiver never takes doesn't hold up the others.
    """
    open_messages = Message.objects.filter(
        subscription_id=subscription_id,
        status__in=(MessageStatus.PENDING, MessageStatus.COLLECTING),
    ).order_by("id")
    blocked_sids: set[str] = set()
    best: tuple[int, int] | None = None
    rows = open_messages.values_list(
        "attempt_count", "id", "status", "next_attempt_at", "target_sids"
    )
    for attempts, key, status, next_attempt_at, sids in rows[:MAX_SCANNED]:
        is_first = blocked_sids.isdisjoint(sids)
        blocked_sids.update(sids)
        is_due = status == MessageStatus.PENDING and next_attempt_at <= at
        if is_first and is_due and (best is None or (attempts, key) < best):
            best = attempts, key
    if best is None:
        return None
    return Message.objects.select_related("subscription").get(pk=best[1])


def record(message: Message, lease_id: uuid.UUID, result: SendResult, at: datetime) -> None:
    """Record the result of an attempt, and when the next one is. Raises `LeaseLost`."""
    own = Subscription.objects.filter(pk=message.subscription_id, lease_id=lease_id)
    with transaction.atomic():
        if not own.update(leased_at=at):
            raise LeaseLost
        Attempt.objects.create(
            message=message,
            at=at,
            duration_ms=result.duration_ms,
            status=result.status,
            problem=result.problem[:300],
        )
        if result.is_final:
            _finish(message, MessageStatus.FAILED, at)
        elif result.problem:
            _record_failure(message, own, result, at)
        else:
            _finish(message, MessageStatus.DELIVERED, at)
            own.update(failure_count=0, paused_until=None)
    if result.is_endpoint_gone:
        _disable(message.subscription_id, GONE)


def _record_failure(
    message: Message, own: QuerySet[Subscription], result: SendResult, at: datetime
) -> None:
    subscription = own.get()
    message.attempt_count += 1
    failure_count = subscription.failure_count + 1
    retry_after = backoff.parse_retry_after(result.retry_after, at)
    pause = max(backoff.receiver_pause(failure_count, random.random), retry_after)
    own.update(failure_count=failure_count, paused_until=at + pause)
    is_too_old = message.queued_at < at - backoff.MAX_AGE
    if message.attempt_count >= backoff.MAX_ATTEMPTS or is_too_old:
        _finish(message, MessageStatus.FAILED, at)
        return
    delay = max(backoff.retry_delay(message.attempt_count), retry_after)
    Message.objects.filter(pk=message.pk).update(
        attempt_count=message.attempt_count, next_attempt_at=at + delay
    )


def _finish(message: Message, status: MessageStatus, at: datetime) -> None:
    Message.objects.filter(pk=message.pk).update(
        status=status, attempt_count=message.attempt_count, finished_at=at
    )


def _renew(subscription_id: int, lease_id: uuid.UUID, at: datetime) -> bool:
    """Renew the lease. Return False if it is lost, or if the subscription was disabled."""
    own = Subscription.objects.filter(pk=subscription_id, lease_id=lease_id, is_enabled=True)
    return bool(own.update(leased_at=at))


def _disable(subscription_id: int, reason: str) -> None:
    """Disable a subscription whose receiver no longer exists, and record it without an actor."""
    with audit_log.transaction() as log:
        enabled = Subscription.objects.filter(pk=subscription_id, is_enabled=True)
        subscription = enabled.first()
        if subscription is None:
            return
        enabled.update(is_enabled=False, disabled_reason=reason)
        log.append(
            action=NotificationAction.DISABLE,
            stage=Stage.ACCESS,
            result=Result.SUCCEEDED,
            actor=Actor(id="", label=""),
            account_sid="",
            payload=Payload(friendly_name=subscription.name, message=reason),
        )
