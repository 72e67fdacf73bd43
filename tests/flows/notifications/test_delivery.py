"""Nothing is lost, and what is sent twice has the same id, whatever the receiver does."""

from datetime import timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from flows.audit.models import AuditEvent
from flows.notifications import backoff, delivery, services, worker
from flows.notifications.models import Attempt, Message, MessageStatus, Subscription
from tests.flows.notifications.conftest import FLOW_A, FLOW_B
from tests.flows.notifications.receiver import Receiver

pytestmark = pytest.mark.django_db


def sent_seqs(receiver):
    """Return the seqs of the events that the receiver accepted, in the order of their arrival."""
    return [one.payload["data"]["seq"] for one in receiver.accepted]


def problems():
    return [attempt.problem for attempt in Attempt.objects.order_by("pk")]


def log_rows():
    return list(AuditEvent.objects.order_by("seq").values_list("seq", "hash", "action"))


def test_message_is_signed_as_the_reference_library_verifies(receiver, subscribe, change_flow, run):
    _, secret = subscribe(receiver.url)
    event = change_flow()

    run()

    (sent,) = receiver.deliveries
    verified = Webhook(secret).verify(sent.body, dict(sent.headers))
    assert verified["type"] == "flow.update"
    assert verified["data"]["seq"] == event.seq
    assert verified["data"]["name"] == "Réclamations"
    assert verified["data"]["reason"] == "Holidays"
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(sent.body + b" ", dict(sent.headers))


def test_rotated_secret_and_the_previous_one_are_valid_for_a_day(
    receiver, subscribe, change_flow, run, clock, actor
):
    subscription, old = subscribe(receiver.url)
    new = services.rotate_secret(subscription, actor=actor, reason="")
    change_flow()

    run()
    sent = receiver.deliveries[-1]
    for secret in (old, new):
        Webhook(secret).verify(sent.body, dict(sent.headers))

    Subscription.objects.update(previous_secret_until=clock.now)
    change_flow()
    run()
    sent = receiver.deliveries[-1]
    Webhook(new).verify(sent.body, dict(sent.headers))
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(sent.body, dict(sent.headers))


def test_receiver_that_is_down_for_an_hour_gets_every_message_once_and_in_order(
    receiver, subscribe, change_flow, run, clock
):
    with Receiver() as stopped:
        url, port = stopped.url, stopped.port
    subscribe(url)
    seqs, before = [], clock.now
    while clock.now < before + timedelta(hours=1):
        seqs.append(change_flow(FLOW_A).seq)
        seqs.append(change_flow(FLOW_B).seq)
        run()
        clock.advance(minutes=3)
    rows = log_rows()
    assert set(problems()) == {"The host didn't accept the connection."}

    with Receiver(port) as restarted:
        for _ in range(120):
            run()
            clock.advance(minutes=5)

    assert log_rows() == rows  # deliveries are no events
    assert sorted(sent_seqs(restarted)) == seqs
    for start in (0, 1):  # each flow in its own order
        assert [seq for seq in sent_seqs(restarted) if seq in seqs[start::2]] == seqs[start::2]
    assert len({one.message_id for one in restarted.deliveries}) == len(seqs)
    assert not Message.objects.exclude(status=MessageStatus.DELIVERED).exists()


def test_message_that_is_answered_with_500_is_sent_again_with_the_same_id(
    receiver, subscribe, change_flow, run, clock
):
    subscribe(receiver.url)
    change_flow()
    receiver.status = 500
    run()
    assert run() == 0  # not before the pause has ended
    clock.advance(seconds=4)
    assert run() == 0

    clock.advance(seconds=2)
    run()
    receiver.status = 200
    clock.advance(minutes=6)
    run()

    assert [one.status for one in receiver.deliveries] == [500, 500, 200]
    assert len({one.message_id for one in receiver.deliveries}) == 1
    assert problems() == ["It answered with HTTP 500."] * 2 + [""]


def test_slow_receiver_is_given_up_in_time_and_gets_the_message_again(
    receiver, subscribe, change_flow, run, clock
):
    subscribe(receiver.url)
    change_flow()
    receiver.hold.clear()
    run(deadline=0.2)
    assert problems() == ["No complete answer came in time. The message may have arrived."]

    receiver.hold.set()
    clock.advance(seconds=10)
    run()

    assert len(receiver.deliveries) == 2
    assert len({one.message_id for one in receiver.deliveries}) == 1
    assert Message.objects.get().status == MessageStatus.DELIVERED


def test_redirect_to_a_private_address_is_a_failure_and_is_not_followed(
    receiver, subscribe, change_flow, run
):
    with Receiver() as private:
        subscribe(receiver.url)
        receiver.status, receiver.headers = 307, {"Location": private.url}
        change_flow()
        run()

        assert private.deliveries == []
    assert problems() == ["It answered with a redirect (HTTP 307), which is not followed."]
    assert Message.objects.get().status == MessageStatus.PENDING


def test_private_address_that_is_not_allowed_gets_nothing(
    receiver, subscribe, change_flow, clock, settings
):
    settings.NOTIFICATION_ALLOWED_NETWORKS = ()
    subscribe(receiver.url)
    change_flow()

    worker.run_once(clock)

    assert receiver.deliveries == []
    assert "NOTIFICATION_ALLOWED_NETWORKS" in problems()[0]


def test_answer_410_disables_the_subscription_and_records_it(
    receiver, subscribe, change_flow, run, clock
):
    subscription, _ = subscribe(receiver.url)
    change_flow()
    receiver.status = 410
    run()
    clock.advance(days=2)
    assert run() == 0

    subscription.refresh_from_db()
    assert not subscription.is_enabled
    assert "no longer exists" in subscription.disabled_reason
    event = AuditEvent.objects.order_by("seq").last()
    assert (event.action, event.actor_id) == ("notification.disable", "")


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_obeyed(receiver, subscribe, change_flow, run, clock, status):
    subscribe(receiver.url)
    change_flow()
    receiver.status, receiver.headers = status, {"Retry-After": "1800"}
    run()

    receiver.status = 200
    clock.advance(minutes=29)
    assert run() == 0
    clock.advance(minutes=2)
    assert run() == 1


def test_process_that_dies_between_send_and_record_sends_the_same_id_again(
    receiver, subscribe, change_flow, run, clock, monkeypatch
):
    subscribe(receiver.url)
    change_flow()
    rows = log_rows()

    def die(*_args):
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(delivery, "record", die)
        with pytest.raises(SystemExit):
            run()
    assert Attempt.objects.count() == 0
    assert run() == 0  # the lease of the dead process still holds

    clock.advance(minutes=3)
    run()

    assert len(receiver.deliveries) == 2
    assert len({one.message_id for one in receiver.deliveries}) == 1
    assert Message.objects.get().status == MessageStatus.DELIVERED
    assert log_rows() == rows


def test_failing_message_holds_up_its_own_flow_only(receiver, subscribe, change_flow, run, clock):
    subscribe(receiver.url)
    first, second, other = change_flow(FLOW_A), change_flow(FLOW_A), change_flow(FLOW_B)
    receiver.choose_status = lambda payload: 500 if payload["data"]["seq"] == first.seq else 200
    run()
    clock.advance(seconds=10)
    run()
    assert sent_seqs(receiver) == [other.seq]

    receiver.choose_status = None
    clock.advance(hours=1)
    run()

    assert sent_seqs(receiver) == [other.seq, first.seq, second.seq]


def test_message_is_given_up_after_the_last_attempt_and_can_be_sent_again(
    receiver, subscribe, change_flow, run, clock, actor
):
    subscribe(receiver.url)
    change_flow()
    receiver.status = 400
    started_at = clock.now
    run()
    while Message.objects.get().status == MessageStatus.PENDING:
        run()
        clock.advance(minutes=30)
    message = Message.objects.get()
    assert message.status == MessageStatus.FAILED
    assert len(receiver.deliveries) == backoff.MAX_ATTEMPTS
    assert clock.now - started_at > timedelta(days=3)

    receiver.status = 200
    services.replay(message, actor=actor, reason="Mended")
    clock.now = Message.objects.get().next_attempt_at
    run()

    assert receiver.accepted[0].message_id == receiver.deliveries[0].message_id
    assert AuditEvent.objects.order_by("seq").last().action == "notification.replay"


def test_failure_of_notifications_leaves_the_log_as_it_is(
    receiver, subscribe, change_flow, clock, monkeypatch, caplog
):
    subscribe(receiver.url)
    event = change_flow()

    def fail(*_args, **_kwargs):
        raise RuntimeError("broken")

    with monkeypatch.context() as patch:
        patch.setattr(worker.outbox, "collect", fail)
        worker.run_once(clock)
    assert "Notifications could not be processed: RuntimeError" in caplog.text
    later = change_flow()
    assert later.seq == event.seq + 1

    worker.run_once(clock)  # nothing was lost
    assert sent_seqs(receiver) == [event.seq, later.seq]


def test_worker_of_a_site_without_new_events_makes_five_queries(
    db, change_flow, clock, django_assert_num_queries
):
    change_flow()
    worker.run_once(clock)
    with django_assert_num_queries(5):
        worker.run_once(clock)


def test_lease_keeps_a_second_worker_from_the_subscription(
    receiver, subscribe, change_flow, run, clock, monkeypatch
):
    subscribe(receiver.url)
    change_flow()
    send = delivery.send
    counts = []

    def send_beside_another_worker(message, at, options):
        with monkeypatch.context() as patch:
            patch.setattr(delivery, "send", send)
            counts.append(delivery.deliver_due(clock, options))
        return send(message, at, options)

    monkeypatch.setattr(delivery, "send", send_beside_another_worker)
    run()

    assert counts == [0]
    assert len(receiver.deliveries) == 1
