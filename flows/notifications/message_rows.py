"""The rows of messages on a subscription's page, and the status of a subscription in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.utils import timezone

from flows.notifications.contents import build_content, load_events
from flows.notifications.matching import can_read
from flows.notifications.models import Attempt, Message, MessageStatus, Subscription

WORKER_PATIENCE: Final = timedelta(minutes=1)
_SHAPES: Final = {
    MessageStatus.COLLECTING: "busy",
    MessageStatus.PENDING: "busy",
    MessageStatus.DELIVERED: "good",
    MessageStatus.FAILED: "bad",
}


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message with its subject, the label and the CSS class of its status, and its attempts."""

    message: Message
    subject: str
    label: str
    shape: str
    attempts: list[Attempt]

    @property
    def is_finished(self) -> bool:
        return self.message.finished_at is not None

    @property
    def is_retried(self) -> bool:
        """True for a message that failed and is tried again."""
        return self.message.status == MessageStatus.PENDING and bool(self.attempts)


def build_rows(messages: Iterable[Message], user: Any) -> list[MessageRow]:
    """Return the rows of these messages, without the subjects of those that the user can't read."""
    return [
        MessageRow(
            message=message,
            subject=_subject(message, user),
            label=MessageStatus(message.status).label,
            shape=_SHAPES[MessageStatus(message.status)],
            attempts=sorted(message.attempts.all(), key=lambda attempt: attempt.pk),
        )
        for message in messages
    ]


def is_without_worker(subscription: Subscription) -> bool:
    """Return True if a message has been due for a while and no worker has tried to send it."""
    if not subscription.is_enabled or subscription.failure_count:
        return False
    due = Message.objects.filter(subscription=subscription, status=MessageStatus.PENDING)
    return due.filter(next_attempt_at__lt=timezone.now() - WORKER_PATIENCE).exists()


def _subject(message: Message, user: Any) -> str:
    events = load_events(message)
    if not all(can_read(user, event) for event in events):
        return "Not available to your role"
    return build_content(message, events).subject


def state(subscription: Subscription) -> tuple[str, str]:
    """Return the CSS class and the label of a subscription's status."""
    if not subscription.is_enabled:
        return "off", "Disabled"
    paused_until = subscription.paused_until
    if paused_until is not None and paused_until > timezone.now():
        return "doubt", "Failing"
    return "on", "Enabled"
