"""The worker's thread delivers, and the rest of the site counts and tidies up messages."""

import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from flexadmin.ops import housekeeping
from flows.audit import audit_log
from flows.audit.chain import GENESIS
from flows.audit.models import AuditEvent
from flows.notifications import backoff, delivery, worker
from flows.notifications.models import Message, MessageStatus
from tests.patience import HANG_TIMEOUT


@pytest.mark.django_db(transaction=True)
def test_thread_delivers_and_ends(receiver, subscribe, change_flow):
    subscribe(receiver.url)
    change_flow()
    arrived = threading.Event()

    def accept(_payload):
        arrived.set()
        return 200

    receiver.choose_status = accept
    stop = worker.start(0.01)
    try:
        assert arrived.wait(HANG_TIMEOUT)
    finally:
        stop.set()
        for thread in threading.enumerate():
            if thread.name == "notifications":
                thread.join(HANG_TIMEOUT)

    assert Message.objects.get().status == MessageStatus.DELIVERED
    hashes = list(AuditEvent.objects.order_by("seq").values_list("previous_hash", "hash"))
    assert [previous for previous, _ in hashes] == [GENESIS, *(own for _, own in hashes[:-1])]
    assert audit_log.chain_end() == (len(hashes), hashes[-1][1])


def test_metrics_count_messages_that_wait_and_those_given_up(
    db, client, settings, subscribe, clock
):
    settings.METRICS_TOKEN = "metrics-token-0123"
    subscription, _ = subscribe("https://example.com/")
    queued_at = timezone.now() - timedelta(minutes=10)
    for status in (MessageStatus.PENDING, MessageStatus.PENDING, MessageStatus.FAILED):
        Message.objects.create(
            subscription=subscription, status=status, queued_at=queued_at, next_attempt_at=queued_at
        )

    page = client.get("/metrics", headers={"Authorization": "Bearer metrics-token-0123"})
    text = page.content.decode()

    assert 'flexflow_notifications{status="waiting"} 2.0' in text
    assert 'flexflow_notifications{status="failed"} 1.0' in text
    assert delivery.count_messages(queued_at + timedelta(hours=1)).oldest_seconds == 3600


def test_finished_messages_are_deleted_after_30_days(db, subscribe):
    subscription, _ = subscribe("https://example.com/")
    now = timezone.now()
    for age in (29, 31):
        finished_at = now - timedelta(days=age)
        Message.objects.create(
            subscription=subscription,
            status=MessageStatus.DELIVERED,
            queued_at=finished_at,
            next_attempt_at=finished_at,
            finished_at=finished_at,
        )
    waiting = Message.objects.create(
        subscription=subscription,
        queued_at=now - timedelta(days=40),
        next_attempt_at=now - timedelta(days=40),
    )
    housekeeping.remove_expired()

    assert Message.objects.count() == 2
    assert Message.objects.filter(pk=waiting.pk).exists()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", 0),
        ("120", 120),
        (" 7 ", 7),
        ("-5", 0),
        ("soon", 0),
        ("9" * 40, 86_400),
        ("Fri, 27 Nov 2026 12:01:00 GMT", 60),
        ("Fri, 27 Nov 2026 11:00:00 GMT", 0),
        ("Fri, 27 Nov 2099 11:00:00 GMT", 86_400),
    ],
)
def test_retry_after_is_seconds_or_a_date_of_a_day_at_most(header, seconds):
    at = timezone.datetime(2026, 11, 27, 12, 0, tzinfo=timezone.get_default_timezone())

    assert backoff.parse_retry_after(header, at) == timedelta(seconds=seconds)


def test_pauses_grow_as_standard_webhooks_proposes():
    delays = [backoff.retry_delay(count, lambda: 0.0) for count in range(backoff.MAX_ATTEMPTS)]

    assert [delay.total_seconds() for delay in delays] == [
        *(0, 5, 300, 1800, 7200),
        *(18_000, 36_000, 50_400, 72_000, 86_400),
    ]
    assert backoff.retry_delay(1, lambda: 1.0) == timedelta(seconds=5.5)
    assert backoff.receiver_pause(9, lambda: 0.0) == timedelta(minutes=15)
