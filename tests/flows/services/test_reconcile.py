"""What became of a change whose answer was lost is found out by reading: what is said is what the sandbox did,
what can't be known stays in doubt, and nothing is ever sent."""

import uuid
from datetime import timedelta
from unittest import mock

import pytest
from django.utils import timezone

from flows.flexapi.errors import FlexError
from flows.flexapi.sandbox import Fault, FaultKind
from flows.models import AuditEvent, Doubt, Flow
from flows.services import audit, changes, mirror, reconcile

pytestmark = pytest.mark.django_db

LOST = {"applied": FaultKind.APPLY_THEN_DROP, "dropped": FaultKind.DROP}


@pytest.fixture
def rename(flow_sid, actor):
    """Renames the flow; with a fault, the answer is lost."""

    def make(sandbox, name="New", fault=None, **values):
        if fault:
            sandbox.inject(Fault(fault, method="POST"))
        return changes.update_flow(
            sid=flow_sid, base=None, values=values or {"friendly_name": name}, reason="", actor=actor,
            change_id=uuid.uuid4(),
        ).event  # fmt: skip

    return make


def later(minutes=2):
    return mock.patch("django.utils.timezone.now", return_value=timezone.now() + timedelta(minutes=minutes))


def writes(sandbox):
    return len([request for request in sandbox.requests if request.method != "GET"])


def results():
    return [event.result for event in reconcile.reconcile()]


def test_update_that_was_applied_is_found_out(sandbox, flow_sid, rename):
    lost = rename(sandbox, fault=FaultKind.APPLY_THEN_DROP)
    sent = writes(sandbox)

    (event,) = reconcile.reconcile()

    assert (event.stage, event.result, event.change_id) == ("reconciled", "applied", lost.change_id)
    assert (event.target_sid, event.changed_fields) == (flow_sid, ["friendly_name"])
    assert event.payload.after["friendly_name"] == "New"
    assert Flow.objects.get().friendly_name == "New"
    assert audit.unsettled([flow_sid]) == {}
    assert writes(sandbox) == sent
    assert reconcile.reconcile() == []


def test_update_that_was_not_applied_takes_two_reads_some_time_apart(sandbox, flow_sid, rename):
    rename(sandbox, fault=FaultKind.DROP)

    assert results() == results() == []
    with later():
        assert results() == ["not_applied"]

    assert audit.unsettled([flow_sid]) == {}
    assert not Doubt.objects.exists()


def test_update_that_is_applied_late_is_found_out(sandbox, flow_sid, rename):
    rename(sandbox, fault=FaultKind.DROP)
    assert results() == []
    sandbox.edit_flow(flow_sid, friendly_name="New")

    with later():
        assert results() == ["applied"]


def test_update_of_a_flow_that_shows_neither_stays_in_doubt(sandbox, flow_sid, rename):
    rename(sandbox, fault=FaultKind.APPLY_THEN_DROP)
    sandbox.edit_flow(flow_sid, friendly_name="Third")

    found = results()
    with later():
        found += results()

    assert found == []
    assert flow_sid in audit.unsettled([flow_sid])


def test_update_of_a_flow_that_is_gone_stays_in_doubt(sandbox, flow_sid, rename):
    rename(sandbox, fault=FaultKind.APPLY_THEN_DROP)
    sandbox.remove_flow(flow_sid)

    assert results() == []


@pytest.mark.parametrize(("how", "expected"), [("applied", ["applied"]), ("dropped", [])])
def test_update_followed_by_one_of_the_same_field_is_judged_by_what_that_one_read(
    sandbox, rename, how, expected
):
    rename(sandbox, fault=LOST[how])
    rename(sandbox, name="Réclamations Lyon" if how == "applied" else "Third")

    with later():
        assert results() == expected


def test_update_whose_field_was_changed_to_and_fro_since_stays_in_doubt(sandbox, rename):
    rename(sandbox, fault=FaultKind.DROP)
    rename(sandbox, name="Other")
    rename(sandbox, name="Réclamations Lyon")

    found = results()
    with later():
        found += results()

    assert found == []


@pytest.mark.parametrize(("how", "expected"), [("applied", "applied"), ("dropped", "not_applied")])
def test_update_followed_by_one_of_another_field(sandbox, rename, how, expected):
    rename(sandbox, fault=LOST[how])
    rename(sandbox, integration_retry_count=1)

    found = results()
    with later():
        found += results()

    assert found == [expected]


def test_update_of_a_secret_is_found_out_though_only_its_mask_is_kept(sandbox, flow_sid, rename):
    sandbox.edit_flow(flow_sid, integration_type="external", integration_url="https://a.example/?token=one")
    rename(sandbox, fault=FaultKind.APPLY_THEN_DROP, integration_url="https://a.example/?token=two")

    assert results() == ["applied"]


@pytest.mark.parametrize(("how", "expected"), [("applied", "applied"), ("dropped", "not_applied")])
def test_deletion(sandbox, flow_sid, actor, how, expected):
    sandbox.inject(Fault(LOST[how], method="DELETE"))
    sandbox.inject(Fault(FaultKind.DROP, method="DELETE", times=None))
    event = changes.delete_flow(sid=flow_sid, base={}, reason="", actor=actor, change_id=uuid.uuid4()).event
    assert event.result == "unknown"

    found = results()
    with later():
        found += results()

    assert found == [expected]
    assert (flow_sid in sandbox.flows) == (expected == "not_applied")


def test_change_whose_process_died_is_found_out_once_it_can_be_no_longer_under_way(sandbox, flow_sid, actor):
    seen = mirror.fetch(flow_sid)
    audit.append(
        action="flow.update", stage="attempt", result="pending", actor=actor, change_id=uuid.uuid4(),
        target_sid=flow_sid, changed_fields=["friendly_name"],
        payload=audit.Payload(before=seen, requested={"friendly_name": "New"}),
    )  # fmt: skip
    sandbox.edit_flow(flow_sid, friendly_name="New")

    assert results() == []
    with later():
        assert results() == ["applied"]


def test_changes_that_are_settled_are_left_alone(sandbox, rename):
    rename(sandbox)
    rename(sandbox, name="Refused", fault=FaultKind.REFUSE)
    read = len(sandbox.requests)

    assert results() == []
    assert len(sandbox.requests) == read


def test_without_twilio_nothing_is_found_out(sandbox, flow_sid, rename):
    rename(sandbox, fault=FaultKind.APPLY_THEN_DROP)
    sandbox.inject(Fault(FaultKind.SERVER_ERROR, times=None))

    with pytest.raises(FlexError):
        reconcile.reconcile()

    assert not AuditEvent.objects.filter(stage="reconciled").exists()


def test_two_that_find_out_at_once_record_it_once(sandbox, rename, monkeypatch):
    rename(sandbox, fault=FaultKind.APPLY_THEN_DROP)
    fetch = mirror.fetch

    def overtaken(sid):
        monkeypatch.setattr(mirror, "fetch", fetch)
        assert results() == ["applied"]
        return fetch(sid)

    monkeypatch.setattr(mirror, "fetch", overtaken)

    assert results() == []
    assert AuditEvent.objects.filter(stage="reconciled").count() == 1


def test_creation_stays_visibly_unknown(sandbox, actor):
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    values = {"friendly_name": "x", "channel_type": "sms", "chat_service_sid": "IS" + "1" * 32}
    changes.create_flow(values=values, reason="", actor=actor, change_id=uuid.uuid4())

    assert results() == []
