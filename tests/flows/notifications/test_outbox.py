"""Each event that a subscription is about becomes part of one message, and no other event does."""

import uuid
from dataclasses import replace
from random import Random

import pytest

from flows.audit import audit_log
from flows.audit.actions import DriftAction
from flows.audit.audit_log import Actor, Observation, Payload
from flows.audit.models import Result, Stage
from flows.local_details.models import FlowTag, LocalDetails
from flows.mirror.models import Flow
from flows.notifications import outbox, services
from flows.notifications.models import Message, MessageStatus
from flows.plans.models import Plan
from flows.plans.status import PlanStatus
from flows.redaction.redacted import redact_fields
from tests import ACCOUNT
from tests.flows.notifications.conftest import FLOW_A, FLOW_B

pytestmark = pytest.mark.django_db
OTHER_ACCOUNT = "AC" + "0e" * 16
NO_ACTOR = Actor(id="", label="")  # of what a sync finds


@pytest.fixture
def collect(clock):
    """Function that turns all new events into messages."""

    def run():
        while outbox.collect(clock()):
            pass

    return run


def queued_seqs():
    """Return the seqs of the events of each message, in order."""
    return list(Message.objects.order_by("id").values_list("event_seqs", flat=True))


@pytest.mark.parametrize(
    ("values", "is_sent"),
    [
        ({}, True),
        ({"actions": []}, True),
        ({"actions": ["flow.delete"]}, False),
        ({"results": ["succeeded"]}, True),
        ({"results": ["failed", "unknown"]}, False),
        ({"account_sids": [ACCOUNT]}, True),
        ({"account_sids": [OTHER_ACCOUNT]}, False),
        ({"query": "owner=Lyon"}, True),
        ({"query": "owner=Paris"}, False),
        ({"query": "tag=vip&channel=sms"}, True),
        ({"query": "tag=vip&channel=whatsapp"}, False),
        ({"query": "q=Nothing"}, False),
        ({"query": "enabled=nonsense"}, False),
    ],
)
def test_subscription_gets_the_events_that_it_is_about(
    subscribe, change_flow, collect, flow_sid, values, is_sent
):
    details = LocalDetails.objects.create(
        sid=flow_sid, account_sid=ACCOUNT, owner="Lyon", owner_folded="lyon"
    )
    FlowTag.objects.create(details=details, account_sid=ACCOUNT, name="vip", name_folded="vip")
    subscribe("https://example.com/", **values)
    event = change_flow(flow_sid)
    collect()

    assert queued_seqs() == ([[event.seq]] if is_sent else [])


def test_deletion_is_about_a_flow_that_the_filter_found(
    subscribe, change_flow, collect, flow_sid, clock
):
    subscribe("https://example.com/", query="q=Lyon")
    Flow.objects.update(gone_at=clock.now)
    event = change_flow(flow_sid)
    collect()

    assert queued_seqs() == [[event.seq]]


def test_attempts_and_earlier_events_are_not_sent(subscribe, change_flow, collect):
    change_flow()
    subscribe("https://example.com/")
    change_flow(stage=Stage.ATTEMPT, result=Result.PENDING)
    event = change_flow()
    collect()
    collect()

    assert queued_seqs() == [[event.seq]]


def test_test_of_a_subscription_is_sent_to_others_only_if_they_ask(subscribe, collect, actor):
    tested, _ = subscribe()
    asking, _ = subscribe(actions=["notification.test"])
    everything, _ = subscribe(actions=[])

    services.send_test(tested, actor=actor, reason="")
    collect()

    assert not everything.messages.exists()
    assert asking.messages.count() == 1


def test_events_of_a_disabled_subscription_are_not_sent(subscribe, change_flow, collect, actor):
    subscription, _ = subscribe("https://example.com/")
    services.set_enabled(subscription, is_enabled=False, actor=actor, reason="")
    change_flow()
    services.set_enabled(subscription, is_enabled=True, actor=actor, reason="")
    event = change_flow()
    collect()

    assert queued_seqs() == [[event.seq]]


def test_two_workers_at_once_queue_an_event_once(
    subscribe, change_flow, clock, collect, monkeypatch
):
    subscribe("https://example.com/")
    event = change_flow()
    find_plans = outbox._find_plans

    def find_plans_beside_another_worker(events):
        monkeypatch.setattr(outbox, "_find_plans", find_plans)
        collect()  # the other one, which is faster
        return find_plans(events)

    monkeypatch.setattr(outbox, "_find_plans", find_plans_beside_another_worker)
    collect()

    assert queued_seqs() == [[event.seq]]


def test_own_subscription_gets_only_events_that_its_owner_may_read(
    subscribe, change_flow, collect, person, settings
):
    user = person("viewer", "vera", ACCOUNT)
    user.email = "vera@example.com"
    user.save()
    subscribe(user=user, channel="own_email", actions=[])
    readable = change_flow()
    change_flow(account_sid=OTHER_ACCOUNT)
    change_flow(account_sid="")
    collect()
    assert queued_seqs() == [[readable.seq]]

    user.is_active = False
    user.save()
    change_flow()
    collect()
    assert queued_seqs() == [[readable.seq]]


def test_bulk_change_of_200_flows_is_one_message_after_its_end(
    receiver, subscribe, change_flow, collect, actor, run, clock
):
    subscribe(receiver.url)
    plan = Plan.objects.create(title="Turn off", status=PlanStatus.RUNNING, created_at=clock.now)
    own = replace(actor, request_id=str(plan.pk))
    seqs = []
    for number in range(200):
        result = Result.FAILED if number < 3 else Result.SUCCEEDED
        seqs.append(change_flow(f"FO{number:032x}", actor=own, result=result).seq)
        if number == 100:
            collect()
    single = change_flow(FLOW_A)
    run()
    assert [one.payload["data"].get("seq") for one in receiver.deliveries] == [single.seq]

    Plan.objects.update(status=PlanStatus.DONE)
    run()

    assert queued_seqs() == [seqs, [single.seq]]
    data = receiver.deliveries[-1].payload["data"]
    assert len(receiver.deliveries) == 2
    assert data["count"] == 200
    assert {(one["result"], one["count"]) for one in data["counts"]} == {
        ("succeeded", 197),
        ("failed", 3),
    }
    assert data["url"].endswith(f"/flows/plans/{plan.pk}/")
    assert len(receiver.deliveries[-1].body) < 20_000


def test_message_about_a_bulk_change_that_takes_long_is_sent_after_an_hour(
    subscribe, change_flow, collect, actor, clock
):
    subscribe("https://example.com/")
    plan = Plan.objects.create(title="Turn off", status=PlanStatus.RUNNING, created_at=clock.now)
    own = replace(actor, request_id=str(plan.pk))
    change_flow(FLOW_A, actor=own)
    collect()
    clock.advance(minutes=61)
    collect()
    assert Message.objects.get().status == MessageStatus.PENDING

    change_flow(FLOW_B, actor=own)
    collect()
    assert Message.objects.count() == 2


@pytest.mark.parametrize(("number", "message_count"), [(5, 5), (6, 1)])
def test_many_external_changes_of_one_read_are_one_message(
    subscribe, collect, number, message_count
):
    subscribe("https://example.com/", actions=["flow.drift"])
    audit_log.observe(
        [
            Observation(
                action=DriftAction.DRIFT,
                account_sid=ACCOUNT,
                target_sid=f"FO{position:032x}",
                payload=Payload(
                    before=redact_fields({"enabled": True}), after=redact_fields({"enabled": False})
                ),
                changed_fields=["enabled"],
            )
            for position in range(number)
        ],
        read_seq=audit_log.last_seq(),
    )
    collect()

    assert Message.objects.count() == message_count
    assert len({seq for seqs in queued_seqs() for seq in seqs}) == number


def test_request_of_no_bulk_change_is_no_digest(subscribe, change_flow, collect, actor):
    subscribe("https://example.com/")
    own = replace(actor, request_id=str(uuid.uuid4()))
    events = [change_flow(sid, actor=own) for sid in (FLOW_A, FLOW_B)]
    collect()

    assert queued_seqs() == [[event.seq] for event in events]


def test_event_of_a_bulk_change_follows_the_earlier_event_of_its_flow(
    receiver, subscribe, change_flow, run, actor, clock
):
    subscribe(receiver.url)
    plan = Plan.objects.create(title="Turn off", status=PlanStatus.DONE, created_at=clock.now)
    own = replace(actor, request_id=str(plan.pk))
    seqs = [change_flow(FLOW_A).seq, change_flow(FLOW_A, actor=own).seq]
    run()

    assert queued_seqs() == [[seqs[0]], [seqs[1]]]
    assert [one.payload["data"]["seq"] for one in receiver.deliveries] == seqs


@pytest.mark.parametrize("is_one_batch", [True, False])
def test_bulk_change_that_another_event_interrupts_is_two_messages(
    subscribe, change_flow, collect, actor, clock, is_one_batch
):
    subscribe("https://example.com/")
    plan = Plan.objects.create(title="Turn off", status=PlanStatus.RUNNING, created_at=clock.now)
    own = replace(actor, request_id=str(plan.pk))
    seqs = []
    for sid, of in ((FLOW_A, own), (FLOW_B, actor), (FLOW_A, own), (FLOW_B, own), (FLOW_A, own)):
        seqs.append(change_flow(sid, actor=of).seq)
        if not is_one_batch:
            collect()
    collect()

    assert queued_seqs() == [[seqs[0], seqs[2]], [seqs[1]], [seqs[3], seqs[4]]]


@pytest.mark.parametrize("seed", range(20))
def test_messages_have_each_event_once_and_those_of_each_flow_in_order(
    subscribe, change_flow, collect, actor, clock, monkeypatch, seed
):
    random = Random(seed)
    monkeypatch.setattr(outbox, "MAX_SINGLE_OBSERVATIONS", 2)
    subscription, _ = subscribe("https://example.com/", actions=["flow.update", "flow.drift"])
    plans = [
        Plan.objects.create(title="Turn off", status=PlanStatus.RUNNING, created_at=clock.now)
        for _ in range(2)
    ]
    sids = [f"FO{number:032x}" for number in range(random.choice([2, 4, 9]))]
    flows_of = {}

    def record(sid, **fields):
        flows_of[change_flow(sid, **fields).seq] = sid

    for _ in range(40):
        kind = random.choice(["single", "bulk", "bulk", "bulk", "read", "batch"])
        if kind == "single":
            record(random.choice(sids))
        elif kind == "bulk":
            own = replace(actor, request_id=str(random.choice(plans).pk))
            record(random.choice(sids), actor=own)
        elif kind == "read":
            for sid in random.sample(sids, random.randint(1, len(sids))):
                record(sid, stage=Stage.OBSERVED, action=DriftAction.DRIFT, actor=NO_ACTOR)
        else:
            monkeypatch.setattr(outbox, "BATCH_SIZE", random.randint(2, 20))
            clock.advance(minutes=random.choice([1, 1, 40]))
            collect()
            Plan.objects.filter(pk=random.choice(plans).pk).update(
                status=random.choice([PlanStatus.RUNNING, PlanStatus.DONE])
            )
    collect()

    sent = [seq for seqs in queued_seqs() for seq in seqs]
    assert sorted(sent) == sorted(flows_of)
    for sid in sids:
        of_flow = [seq for seq in sent if flows_of[seq] == sid]
        assert of_flow == sorted(of_flow)
    for message in subscription.messages.all():
        assert message.target_sids == sorted({flows_of[seq] for seq in message.event_seqs})


@pytest.mark.parametrize("interrupted", [False, True])
def test_large_read_is_one_message_unless_a_flow_changes_between(
    subscribe, change_flow, collect, interrupted
):
    subscribe("https://example.com/", actions=["flow.update", "flow.drift"])
    sids = [f"FO{number:032x}" for number in range(8)]
    seqs = []
    for sid in sids:
        if interrupted and sid == sids[6]:
            seqs.append(change_flow(sid).seq)
        observed = change_flow(sid, stage=Stage.OBSERVED, action=DriftAction.DRIFT, actor=NO_ACTOR)
        seqs.append(observed.seq)
    collect()

    assert queued_seqs() == ([seqs[:6], [seqs[6]], seqs[7:]] if interrupted else [seqs])
