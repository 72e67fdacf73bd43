"""Reconciliation: the outcome in the log is what the sandbox did.

What can't be known stays unknown, and nothing is ever sent.
"""

import uuid

import pytest

from flows.audit import audit_log
from flows.audit.models import AuditEvent, OpenChange
from flows.changes import flow_changes, in_flight, reconcile, unknown_outcomes
from flows.changes.in_flight import ConcurrentChange
from flows.mirror import mirror
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.twilio.errors import FlexError
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import append_stage, clock_ahead, drift_events

pytestmark = pytest.mark.django_db

LOST_RESPONSES = {"applied": FaultKind.APPLY_THEN_DROP, "dropped": FaultKind.DROP}
ANOTHER_DAY = "2020-01-01T00:00:00Z"


@pytest.fixture
def rename(flow_sid, actor):
    """Rename the flow. With a fault, the response is lost."""

    def make(sandbox, name="New", fault=None, **values):
        if fault:
            sandbox.inject(Fault(fault, method="POST"))
        return flow_changes.update_flow(
            sid=flow_sid, account_sid=ACCOUNT, base=None, values=values or {"friendly_name": name}, reason="", actor=actor,
            change_id=uuid.uuid4(),
        ).event  # fmt: skip

    return make


def writes(sandbox):
    return len([request for request in sandbox.requests if request.method != "GET"])


def results():
    return [event.result for event in reconcile.reconcile()]


def test_update_that_was_applied_is_found_out(sandbox, flow_sid, rename):
    unknown_event = rename(sandbox, fault=FaultKind.APPLY_THEN_DROP)
    write_count = writes(sandbox)

    (event,) = reconcile.reconcile()

    assert (event.stage, event.result, event.change_id) == (
        "reconciled",
        "applied",
        unknown_event.change_id,
    )
    assert (event.target_sid, event.changed_fields) == (flow_sid, ["friendly_name"])
    assert event.payload.after["friendly_name"] == "New"
    assert Flow.objects.get().friendly_name == "New"
    assert in_flight.open_changes_by_flow([flow_sid]) == {}
    assert writes(sandbox) == write_count
    assert reconcile.reconcile() == []


def test_update_that_was_not_applied_takes_two_reads_some_time_apart(sandbox, flow_sid, rename):
    rename(sandbox, fault=FaultKind.DROP)

    assert results() == results() == []
    with clock_ahead():
        assert results() == ["not_applied"]

    assert in_flight.open_changes_by_flow([flow_sid]) == {}
    assert not OpenChange.objects.exists()


def test_update_that_is_applied_late_is_found_out(sandbox, flow_sid, rename):
    rename(sandbox, fault=FaultKind.DROP)
    assert results() == []
    sandbox.edit_flow(flow_sid, friendly_name="New")

    with clock_ahead():
        assert results() == ["applied"]


@pytest.mark.parametrize("fault", LOST_RESPONSES.values(), ids=LOST_RESPONSES)
def test_update_of_a_flow_that_shows_neither_is_a_puzzle(sandbox, flow_sid, rename, fault):
    rename(sandbox, fault=fault)
    sandbox.edit_flow(flow_sid, friendly_name="Third")

    outcomes = results()
    with clock_ahead():
        outcomes += results()

    assert outcomes == []
    assert flow_sid in in_flight.open_changes_by_flow([flow_sid])
    assert OpenChange.objects.get().ambiguity == unknown_outcomes.THIRD_VALUE.format(noun="flow")


@pytest.mark.parametrize("fault", LOST_RESPONSES.values(), ids=LOST_RESPONSES)
def test_update_of_a_flow_that_is_gone_is_a_puzzle(sandbox, flow_sid, rename, fault):
    rename(sandbox, fault=fault)
    sandbox.remove_flow(flow_sid)

    assert results() == []

    assert OpenChange.objects.get().ambiguity == unknown_outcomes.OBJECT_DELETED.format(noun="flow")
    assert Flow.objects.get().gone_at is None  # the copy waits until it is settled
    assert drift_events() == []


@pytest.mark.parametrize("fault", LOST_RESPONSES.values(), ids=LOST_RESPONSES)
def test_next_change_waits_until_the_doubt_is_settled(sandbox, flow_sid, rename, fault):
    unknown_event = rename(sandbox, fault=fault)

    with pytest.raises(ConcurrentChange) as raised:
        rename(sandbox, integration_retry_count=1)

    assert raised.value.event == unknown_event
    outcomes = results()
    with clock_ahead():
        outcomes += results()
    assert len(outcomes) == 1
    assert rename(sandbox, integration_retry_count=1).result == "succeeded"
    assert drift_events() == []


@pytest.mark.parametrize("fault", LOST_RESPONSES.values(), ids=LOST_RESPONSES)
def test_update_that_may_have_been_undone_since_is_a_puzzle(sandbox, flow_sid, rename, fault):
    """The previous value is back, so nobody can tell whether the change was applied in between."""
    rename(sandbox, fault=fault)
    sandbox.edit_flow(flow_sid, friendly_name="Réclamations Lyon", date_updated=ANOTHER_DAY)

    assert results() == []
    with clock_ahead():
        assert results() == []

    assert OpenChange.objects.get().ambiguity == unknown_outcomes.LATER_EDIT.format(noun="flow")


def test_update_that_was_applied_beside_an_edit_of_somebody_else(sandbox, flow_sid, rename):
    rename(sandbox, fault=FaultKind.APPLY_THEN_DROP)
    sandbox.edit_flow(flow_sid, integration_retry_count=1)

    assert results() == ["applied"]

    (drift,) = drift_events()
    assert (drift.target_sid, drift.changed_fields) == (flow_sid, ["integration_retry_count"])
    assert drift.payload.before["friendly_name"] == drift.payload.after["friendly_name"] == "New"
    assert not sync_account(ACCOUNT).has_changes
    assert drift_events() == [drift]


def test_update_that_was_not_applied_beside_an_edit_of_somebody_else_in_the_same_second(
    sandbox, flow_sid, rename
):
    date = Flow.objects.get().resource["date_updated"]
    rename(sandbox, fault=FaultKind.DROP)
    sandbox.edit_flow(flow_sid, integration_retry_count=1, date_updated=date)
    assert results() == []

    with clock_ahead():
        assert results() == ["not_applied"]

    sync_account(ACCOUNT)
    (drift,) = drift_events()
    assert drift.changed_fields == ["integration_retry_count"]


def test_integration_of_another_type_is_no_drift(sandbox, flow_sid, rename):
    """Fields that Twilio sets or clears along with a new type are part of the change."""
    values = {"integration_type": "external", "integration_url": "https://a.example/"}
    rename(sandbox, fault=FaultKind.APPLY_THEN_DROP, **values)

    assert results() == ["applied"]

    assert "integration_flow_sid" not in Flow.objects.get().resource
    assert not sync_account(ACCOUNT).has_changes
    assert drift_events() == []


def test_update_of_a_secret_is_found_out_though_only_its_mask_is_kept(sandbox, flow_sid, rename):
    sandbox.edit_flow(
        flow_sid, integration_type="external", integration_url="https://a.example/?token=one"
    )
    rename(sandbox, fault=FaultKind.APPLY_THEN_DROP, integration_url="https://a.example/?token=two")

    assert results() == ["applied"]


@pytest.mark.parametrize(
    ("fault", "expected"), [("applied", "applied"), ("dropped", "not_applied")]
)
def test_deletion(sandbox, flow_sid, actor, fault, expected):
    sandbox.inject(Fault(LOST_RESPONSES[fault], method="DELETE"))
    sandbox.inject(Fault(FaultKind.DROP, method="DELETE", times=None))
    event = flow_changes.delete_flow(
        sid=flow_sid, account_sid=ACCOUNT, base={}, reason="", actor=actor, change_id=uuid.uuid4()
    ).event
    assert event.result == "unknown"

    outcomes = results()
    with clock_ahead():
        outcomes += results()

    assert outcomes == [expected]
    assert (flow_sid in sandbox.flows) == (expected == "not_applied")


def test_change_whose_process_died_is_found_out_once_it_can_be_no_longer_under_way(
    sandbox, flow_sid, actor
):
    live = mirror.fetch(flow_sid, account_sid=ACCOUNT)
    append_stage(
        action="flow.update", stage="attempt", result="pending", actor=actor, change_id=uuid.uuid4(),
        target_sid=flow_sid, changed_fields=["friendly_name"],
        payload=audit_log.Payload(before=live, requested={"friendly_name": "New"}),
    )  # fmt: skip
    sandbox.edit_flow(flow_sid, friendly_name="New")

    assert results() == []
    with clock_ahead():
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

    def overtaken(sid, **fields):
        monkeypatch.setattr(mirror, "fetch", fetch)
        assert results() == ["applied"]
        return fetch(sid, **fields)

    monkeypatch.setattr(mirror, "fetch", overtaken)

    assert results() == []
    assert AuditEvent.objects.filter(stage="reconciled").count() == 1
