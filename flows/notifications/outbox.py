"""The outbox: messages about the events that were committed since the last look at the log.

The log itself is the queue. An event that is committed is turned into messages, and an event that
is not was never there. So no change waits for notifications or fails with them. The position moves
in the transaction that writes the messages, so each event is turned into messages once.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from flows.audit import audit_log
from flows.audit.models import AuditEvent, Stage
from flows.notifications.matching import find_matching
from flows.notifications.models import Message, MessageStatus, OutboxPosition, Subscription
from flows.notifications.request_rules import find_recipients, subscription_of
from flows.notifications.sending import is_email_configured
from flows.plans.models import Plan
from flows.plans.status import ACTIVE_STATUSES

POSITION: Final = "notifications"
BATCH_SIZE: Final = 500  # events
MAX_SINGLE_OBSERVATIONS: Final = 5  # of one read of Twilio; more of them become one message
MAX_COLLECTING: Final = timedelta(hours=1)  # for a bulk change that takes longer


@dataclass(slots=True)
class _Group:
    """Events that become one message. `plan_id` is the bulk change that they belong to."""

    plan_id: uuid.UUID | None
    events: list[AuditEvent] = field(default_factory=list)


# A bulk change, the action and the account of observations, or the seq of a single event.
_GroupKey = uuid.UUID | tuple[str, str] | int


def start_position(seq: int) -> None:
    """Begin to read the log after this seq, unless it is read already."""
    OutboxPosition.objects.get_or_create(name=POSITION, defaults={"seq": seq})


def has_unread_events() -> bool:
    """Return True if there are events that were not turned into messages yet."""
    position = _position()
    return position is not None and position < audit_log.last_seq()


def collect(at: datetime) -> bool:
    """Turn the next events into messages. Return True if there may be more events.

    Messages about bulk changes are released once these have ended.
    """
    position = _position()
    if position is None:
        return False
    # Before the events: all events of a bulk change that has ended are in the log by now.
    active_plans = set(Plan.objects.filter(status__in=ACTIVE_STATUSES).values_list("pk", flat=True))
    events = list(
        AuditEvent.objects.filter(seq__gt=position)
        .order_by("seq")
        .select_related("payload")[:BATCH_SIZE]
    )
    # After the events: a subscription that is not there yet starts after them.
    subscriptions = list(Subscription.objects.filter(is_enabled=True, is_automatic=False))
    plan_ids = _find_plans(events)
    groups = {one.pk: _group(find_matching(one, events), plan_ids) for one in subscriptions}
    recipients = find_recipients(events) if is_email_configured() else []
    with transaction.atomic():
        if events and not _advance(position, events[-1].seq):
            return True  # another worker was faster
        for subscription in subscriptions:
            for group in groups[subscription.pk]:
                _add_message(subscription, group, at)
        for user, event in recipients:
            automatic = subscription_of(user)
            if automatic.is_enabled:
                _add_message(automatic, _Group(None, [event]), at)
        if len(events) < BATCH_SIZE:
            _release(active_plans, at)
    return len(events) == BATCH_SIZE


def _position() -> int | None:
    return OutboxPosition.objects.filter(name=POSITION).values_list("seq", flat=True).first()


def _advance(seq: int, to_seq: int) -> bool:
    """Move the position, unless another worker has. Its row is locked until the commit."""
    rows = OutboxPosition.objects.filter(name=POSITION, seq=seq)
    return bool(rows.update(seq=to_seq))


def _find_plans(events: Iterable[AuditEvent]) -> set[uuid.UUID]:
    """Return the ids of the bulk changes that these events belong to."""
    request_ids = {event.request_id for event in events if event.request_id}
    return set(Plan.objects.filter(pk__in=request_ids).values_list("pk", flat=True))


def _group(events: Sequence[AuditEvent], plan_ids: AbstractSet[uuid.UUID]) -> list[_Group]:
    """Return these events in groups: those of bulk changes and large reads, and single ones.

    The events of each object stay in order from group to group. So a bulk change or a read that goes
    on after another event of one of its objects has several groups.
    """
    keys = [_group_key(event, plan_ids) for event in events]
    sizes = Counter(keys)
    groups: list[_Group] = []
    open_groups: dict[_GroupKey, int] = {}  # the places of those that further events may join
    places: dict[str, int] = {}  # of the last group of each object
    for event, key in zip(events, keys, strict=True):
        place = open_groups.get(key, -1)
        if place < places.get(event.target_sid, 0):
            place = len(groups)
            groups.append(_Group(key if isinstance(key, uuid.UUID) else None))
        groups[place].events.append(event)
        if event.target_sid:
            places[event.target_sid] = place
        if isinstance(key, uuid.UUID) or sizes[key] > MAX_SINGLE_OBSERVATIONS:
            open_groups[key] = place
    return groups


def _group_key(event: AuditEvent, plan_ids: AbstractSet[uuid.UUID]) -> _GroupKey:
    """Return what an event can have in common with others: its bulk change, or what was read."""
    if event.request_id in plan_ids and event.request_id is not None:
        return event.request_id
    if event.stage == Stage.OBSERVED:
        return event.action, event.account_sid
    return event.seq


def _add_message(subscription: Subscription, group: _Group, at: datetime) -> None:
    """Write the message of a group, or add its events to the last message of its bulk change.

    They are not added if a message after it is about one of their objects: messages about an object
    are in the order of its events.
    """
    seqs = [event.seq for event in group.events]
    sids = {event.target_sid for event in group.events if event.target_sid}
    if group.plan_id is None:
        status = MessageStatus.PENDING
    else:
        status = MessageStatus.COLLECTING
        collecting = Message.objects.filter(
            subscription=subscription, plan_id=group.plan_id, status=status
        )
        # Locked, so that no other worker releases it while events are added.
        message = collecting.select_for_update().order_by("-id").first()
        if message is not None and not _is_overtaken(message, sids):
            message.event_seqs = [*message.event_seqs, *seqs]
            message.target_sids = sorted({*message.target_sids, *sids})
            message.save(update_fields=["event_seqs", "target_sids"])
            return
    Message.objects.create(
        subscription=subscription,
        event_seqs=seqs,
        target_sids=sorted(sids),
        plan_id=group.plan_id,
        status=status,
        queued_at=at,
        next_attempt_at=at,
    )


def _is_overtaken(message: Message, sids: AbstractSet[str]) -> bool:
    """Return True if a later message of the subscription is about one of these objects."""
    later = Message.objects.filter(subscription_id=message.subscription_id, pk__gt=message.pk)
    return any(
        not sids.isdisjoint(their_sids)
        for their_sids in later.values_list("target_sids", flat=True).iterator()
    )


def _release(active_plans: set[uuid.UUID], at: datetime) -> None:
    """Let the messages about bulk changes be sent that have ended, or that take too long."""
    collecting = Message.objects.filter(status=MessageStatus.COLLECTING)
    ended = collecting.exclude(plan_id__in=active_plans)
    ended.update(status=MessageStatus.PENDING, queued_at=at, next_attempt_at=at)
    late = collecting.filter(queued_at__lt=at - MAX_COLLECTING)
    late.update(status=MessageStatus.PENDING, queued_at=at, next_attempt_at=at)
