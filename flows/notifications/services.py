"""What users change about subscriptions. Each change and its event are one transaction.

No event has an address with a secret, only its host. Each function raises `NotRecorded` if the event
can't be written; nothing is changed then.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from django.contrib.auth.models import User
from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone

from flows.accounts import permissions, twilio_accounts
from flows.audit import action_registry, audit_log
from flows.audit.audit_log import Actor, LogTransaction, Payload
from flows.audit.models import Result, Stage
from flows.notifications import outbox, secret_box
from flows.notifications.actions import NotificationAction
from flows.notifications.models import Channel, Message, MessageStatus, Subscription
from flows.redaction.redacted import redact_fields

MANAGE: Final = "flows.manage_subscription"
# A receiver has this long to learn the new secret. Messages have both signatures meanwhile.
ROTATION_PERIOD: Final = timedelta(hours=24)
FAILURES_TO_SHOW: Final = 3  # in a row, about five minutes
AUTOMATIC_EVENTS: Final = (
    "Change requests that you can approve and your own, new policies, and rollbacks that no one "
    "approved"
)
URL_CHANNELS: Final = (Channel.SLACK, Channel.TEAMS, Channel.WEBHOOK)


class NameTaken(Exception):
    """The user, or the site, has another subscription of this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionValues:
    """The values of a subscription's form. An empty `url` keeps the stored one."""

    name: str
    channel: str
    recipients: list[str]
    url: str
    actions: list[str]
    results: list[str]
    account_sids: list[str]
    query: str


def can_manage(user: Any) -> bool:
    """Return True if the user may manage the subscriptions of the site."""
    return permissions.has_permission_everywhere(user, MANAGE)


def visible_subscriptions(user: User) -> QuerySet[Subscription]:
    """Return the user's own subscriptions, and those of the site if they manage them."""
    own = Subscription.objects.filter(owner=user)
    if can_manage(user):
        own = own | Subscription.objects.filter(owner=None)
    return own.order_by("owner", "name")


def with_message_counts(subscriptions: QuerySet[Subscription]) -> QuerySet[Subscription]:
    """Return subscriptions with `waiting` and `failed`, numbers of messages, and `delivered_at`."""
    waiting = Q(messages__status=MessageStatus.PENDING)
    failed = Q(messages__status=MessageStatus.FAILED)
    delivered = Q(messages__status=MessageStatus.DELIVERED)
    return subscriptions.annotate(
        waiting=Count("messages", filter=waiting),
        failed=Count("messages", filter=failed),
        delivered_at=Max("messages__finished_at", filter=delivered),
    )


def failing_subscriptions(user: User) -> QuerySet[Subscription]:
    """Return those of the user's subscriptions whose messages don't arrive.

    A receiver that failed once or twice may only have been restarted.
    """
    is_failing = Q(is_enabled=True, failure_count__gte=FAILURES_TO_SHOW)
    was_disabled = Q(is_enabled=False) & ~Q(disabled_reason="")
    return visible_subscriptions(user).filter(is_failing | was_disabled)


def create(
    values: SubscriptionValues, *, user: User, actor: Actor, reason: str
) -> tuple[Subscription, str]:
    """Create a subscription, and return it with the signing secret of a webhook, or "".

    One by the user's own e-mail is theirs, any other is the site's. Raises `NameTaken`.
    """
    owner = user if values.channel == Channel.OWN_EMAIL else None
    secret = ""
    with audit_log.transaction() as log:
        _refuse_taken_name(owner, values.name)
        outbox.start_position(log.last_seq)
        subscription = Subscription(owner=owner, channel=values.channel)
        _assign(subscription, values)
        if values.channel == Channel.WEBHOOK:
            secret = secret_box.generate_signing_secret()
            subscription.encrypted_secret = secret_box.encrypt(secret)
        event = _append(log, NotificationAction.CREATE, subscription, actor, reason)
        subscription.start_seq = event.seq
        subscription.save(force_insert=True)
    return subscription, secret


def change(
    subscription: Subscription, values: SubscriptionValues, *, actor: Actor, reason: str
) -> None:
    """Change a subscription. Its channel stays. Raises `NameTaken`."""
    with audit_log.transaction() as log:
        current = _lock(subscription)
        if current.name != values.name:
            _refuse_taken_name(current.owner, values.name)
        before = describe(current)
        _assign(current, values)
        _append(log, NotificationAction.CHANGE, current, actor, reason, before=before)
        current.save(
            update_fields=[
                "name",
                "recipients",
                "encrypted_url",
                "host",
                "actions",
                "results",
                "account_sids",
                "query",
            ]
        )


def set_enabled(subscription: Subscription, *, is_enabled: bool, actor: Actor, reason: str) -> None:
    """Enable or disable a subscription. Events while it was disabled are never sent."""
    action = NotificationAction.ENABLE if is_enabled else NotificationAction.DISABLE
    with audit_log.transaction() as log:
        current = _lock(subscription)
        if current.is_enabled == is_enabled:
            return
        event = _append(log, action, current, actor, reason)
        current.is_enabled, current.disabled_reason = is_enabled, ""
        current.failure_count, current.paused_until = 0, None
        current.start_seq = event.seq
        current.save(
            update_fields=[
                "is_enabled",
                "disabled_reason",
                "failure_count",
                "paused_until",
                "start_seq",
            ]
        )


def delete(subscription: Subscription, *, actor: Actor, reason: str) -> None:
    """Delete a subscription with its messages. Those that wait are never sent."""
    with audit_log.transaction() as log:
        current = _lock(subscription)
        _append(log, NotificationAction.DELETE, current, actor, reason, before=describe(current))
        current.delete()


def rotate_secret(subscription: Subscription, *, actor: Actor, reason: str) -> str:
    """Give a webhook a new signing secret and return it. The previous one stays valid for a day."""
    secret = secret_box.generate_signing_secret()
    with audit_log.transaction() as log:
        current = _lock(subscription)
        _append(log, NotificationAction.ROTATE, current, actor, reason)
        current.encrypted_previous_secret = current.encrypted_secret
        current.previous_secret_until = timezone.now() + ROTATION_PERIOD
        current.encrypted_secret = secret_box.encrypt(secret)
        current.save(
            update_fields=[
                "encrypted_secret",
                "encrypted_previous_secret",
                "previous_secret_until",
            ]
        )
    return secret


def send_test(subscription: Subscription, *, actor: Actor, reason: str) -> None:
    """Queue a test message, and let it be sent at once."""
    with audit_log.transaction() as log:
        current = _lock(subscription)
        _append(log, NotificationAction.TEST, current, actor, reason)
        at = timezone.now()
        Message.objects.create(subscription=current, queued_at=at, next_attempt_at=at)
        _end_pause(current)


def replay(message: Message, *, actor: Actor, reason: str) -> None:
    """Queue a finished message again. It keeps its id, so that a receiver can tell it was there."""
    with audit_log.transaction() as log:
        current = _lock(message.subscription)
        finished = Message.objects.filter(
            pk=message.pk, status__in=(MessageStatus.DELIVERED, MessageStatus.FAILED)
        )
        at = timezone.now()
        updated = finished.update(
            status=MessageStatus.PENDING,
            attempt_count=0,
            queued_at=at,
            next_attempt_at=at,
            finished_at=None,
        )
        if updated:
            values = {"Message": f"msg_{message.message_id.hex}"}
            _append(log, NotificationAction.REPLAY, current, actor, reason, values=values)
            _end_pause(current)


def describe(subscription: Subscription) -> dict[str, str]:
    """Return the values of a subscription for the log and for pages. Empty ones are missing.

    The log doesn't keep e-mail addresses, only their number.
    """
    labels = action_labels()
    values = {
        "Events": AUTOMATIC_EVENTS * subscription.is_automatic,
        "Channel": Channel(subscription.channel).label,
        "Host": subscription.host,
        "Recipients": _count_recipients(subscription.recipients),
        "Actions": ", ".join(labels.get(one, one) for one in subscription.actions),
        "Results": ", ".join(
            action_registry.RESULT_LABELS.get(one, one) for one in subscription.results
        ),
        "Accounts": ", ".join(map(twilio_accounts.account_label, subscription.account_sids)),
        "Flows": subscription.query,
    }
    return {name: value for name, value in values.items() if value}


def action_labels() -> dict[str, str]:
    """Return the labels of all actions, by value. The log's own for flows don't name the object."""
    flow_actions = {f"flow.{verb}": f"{verb.capitalize()} a flow" for verb in ("create", "delete")}
    return {**action_registry.infinitives(), **flow_actions, "flow.update": "Change a flow"}


def _count_recipients(recipients: list[str]) -> str:
    if not recipients:
        return ""
    return "1 e-mail address" if len(recipients) == 1 else f"{len(recipients)} e-mail addresses"


def _end_pause(subscription: Subscription) -> None:
    Subscription.objects.filter(pk=subscription.pk).update(paused_until=None)


def _lock(subscription: Subscription) -> Subscription:
    """Return a subscription as it is while the log is locked. Raises `DoesNotExist`."""
    return Subscription.objects.select_for_update().get(pk=subscription.pk)


def _refuse_taken_name(owner: User | None, name: str) -> None:
    if Subscription.objects.filter(owner=owner, name=name, is_automatic=False).exists():
        raise NameTaken


def _assign(subscription: Subscription, values: SubscriptionValues) -> None:
    subscription.name = values.name
    subscription.recipients = values.recipients
    subscription.actions = values.actions
    subscription.results = values.results
    subscription.account_sids = values.account_sids
    subscription.query = values.query
    if values.url:
        subscription.encrypted_url = secret_box.encrypt(values.url)
        subscription.host = urlsplit(values.url).hostname or ""


def _append(
    log: LogTransaction,
    action: NotificationAction,
    subscription: Subscription,
    actor: Actor,
    reason: str,
    *,
    before: dict[str, str] | None = None,
    values: dict[str, str] | None = None,
) -> Any:
    is_deletion = action == NotificationAction.DELETE
    requested = None if is_deletion else redact_fields(values or describe(subscription))
    return log.append(
        action=action,
        stage=Stage.ACCESS,
        result=Result.SUCCEEDED,
        actor=actor,
        account_sid="",  # a subscription belongs to the site, not to an account
        change_id=uuid.uuid4(),
        reason=reason,
        payload=Payload(
            friendly_name=subscription.name,
            before=None if before is None else redact_fields(before),
            requested=requested,
        ),
    )
