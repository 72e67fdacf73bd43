"""Appending to the audit log: stored fields, stages of a change, refused events, observations."""

import uuid

import pytest

from flows.audit import audit_log, chain
from flows.audit.audit_log import Actor, AlreadyRecorded, Observation, Payload
from flows.audit.models import AuditEvent, ChainHead, OpenDrift
from tests.faults.acting import SECRET, SECRET_URL, assert_chain_intact, dump_tables
from tests.flows.audit.appending import SID, append, attempt, observe_flows, reloaded


@pytest.mark.django_db
def test_append_orders_and_chains_events():
    events = [append() for _ in range(3)]

    assert [event.seq for event in events] == [1, 2, 3]
    assert events[0].previous_hash == chain.GENESIS
    assert_chain_intact(3)
    assert ChainHead.objects.get().hash == events[-1].hash
    assert str(events[1]) == "2 flow.update access denied"
    assert (str(events[1].payload), str(ChainHead.objects.get())) == ("payload of 2", "audit 3")


@pytest.mark.django_db
def test_append_stores_every_argument():
    change, request = uuid.uuid4(), uuid.uuid4()
    actor = Actor(
        id="9",
        label="ada",
        role="admin",
        source_ip="2001:db8::1",
        user_agent="curl",
        request_id=str(request),
    )

    event = reloaded(append(
        stage="outcome", result="failed", actor=actor, change_id=change, target_sid=SID, reason="why",
        changed_fields=["enabled"], remote_status=400, remote_code=20001, remote_request_id="RQ1",
        duration_ms=12, payload=Payload(friendly_name="A", contact_identity="+1", before={"a": 1},
        requested={"a": 2}, after={"a": 3}, message="no"),
    ))  # fmt: skip

    assert (event.change_id, event.request_id, event.account_sid) == (
        change,
        request,
        "AC" + "5a" * 16,
    )
    assert (event.actor_id, event.actor_label, event.actor_role) == ("9", "ada", "admin")
    assert (event.source_ip, event.user_agent, event.target_sid) == ("2001:db8::1", "curl", SID)
    assert (event.remote_status, event.remote_code, event.remote_request_id) == (400, 20001, "RQ1")
    assert (event.reason, event.changed_fields, event.duration_ms) == ("why", ["enabled"], 12)
    body = event.payload
    assert (body.friendly_name, body.contact_identity, body.message) == ("A", "+1", "no")
    assert (body.before, body.requested, body.after) == ({"a": 1}, {"a": 2}, {"a": 3})


@pytest.mark.django_db
def test_secrets_are_stored_nowhere():
    flow = {"integration_url": SECRET_URL, "unknown": [{"deep": f"see {SECRET_URL} there"}]}

    append(
        reason=f"because {SECRET_URL}",
        payload=Payload(
            friendly_name=f"Hook {SECRET_URL}", contact_identity=SECRET_URL, before=flow, requested=flow,
            after=flow, message=f"Invalid parameter Integration.Url: '{SECRET_URL}'",
        ),
    )  # fmt: skip

    assert SECRET not in dump_tables()
    assert "hooks.example.com" in dump_tables()
    assert_chain_intact(1)


@pytest.mark.django_db
def test_secret_at_the_end_of_a_long_reason_is_masked_before_truncation():
    append(reason="x" * 181 + f"https://{SECRET}@hooks.example.com/")

    assert SECRET not in dump_tables()


@pytest.mark.django_db
@pytest.mark.parametrize("first", [
    {"stage": "attempt", "result": "pending"},
    {"stage": "outcome", "result": "failed"},
])  # fmt: skip
@pytest.mark.parametrize("second", [
    {"stage": "attempt", "result": "pending"},
    {"stage": "outcome", "result": "conflict", "starts_change": True},
])  # fmt: skip
def test_change_starts_once(first, second):
    change_id = uuid.uuid4()
    recorded = append(**first, change_id=change_id)

    with pytest.raises(AlreadyRecorded) as raised:
        append(**second, change_id=change_id)

    assert raised.value.event == recorded
    assert_chain_intact(1)


@pytest.mark.django_db
@pytest.mark.parametrize("stage", ["outcome", "reconciled"])
def test_change_has_each_stage_once(stage):
    change_id = attempt().change_id
    recorded = append(stage=stage, result="unknown", change_id=change_id)

    with pytest.raises(AlreadyRecorded) as raised:
        append(stage=stage, result="applied", change_id=change_id)

    assert raised.value.event == recorded
    assert_chain_intact(2)


@pytest.mark.django_db
def test_outcome_may_come_after_the_reconciliation():
    change_id = attempt().change_id
    append(stage="reconciled", result="applied", change_id=change_id)

    append(stage="outcome", result="succeeded", change_id=change_id)

    assert_chain_intact(3)
    assert audit_log.latest_event(change_id).stage == "outcome"


@pytest.mark.django_db
def test_observed_and_access_may_repeat():
    change_id = uuid.uuid4()

    for stage in ("observed", "access", "observed", "access"):
        append(stage=stage, change_id=change_id)

    assert AuditEvent.objects.count() == 4
    assert_chain_intact()


@pytest.mark.django_db
def test_latest_event_of_an_unknown_change_is_none():
    assert audit_log.latest_event(uuid.uuid4()) is None


@pytest.mark.django_db
def test_observed_events_are_chained_like_any_other():
    append()

    events = observe_flows(SID, "FO" + "2" * 32)

    assert [(event.seq, event.target_sid) for event in events] == [(2, SID), (3, "FO" + "2" * 32)]
    assert [item.event for item in OpenDrift.objects.order_by("event")] == events
    append()
    assert AuditEvent.objects.count() == 4
    assert_chain_intact()


@pytest.mark.django_db
def test_flow_observed_since_the_read_is_not_observed_twice():
    read_seq = audit_log.last_seq()
    observe_flows(SID)

    events = audit_log.observe(
        [Observation(action="flow.drift", account_sid="AC1", target_sid=SID, payload=Payload())],
        read_seq=read_seq,
    )

    assert events == []
    assert AuditEvent.objects.count() == ChainHead.objects.get().seq == 1


@pytest.mark.django_db
def test_baseline_is_not_in_the_inbox():
    observe_flows(SID, action="flow.baseline")

    assert not OpenDrift.objects.exists()
