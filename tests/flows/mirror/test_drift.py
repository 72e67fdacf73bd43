"""Drift: what others change at Twilio is found once and told truly, what we change is never taken for
theirs. The first state of a flow is in test_baseline.py; the inbox and what leaves it are in test_inbox.py.
"""

from functools import partial

import pytest

from flows.audit import audit_log
from flows.audit.models import AuditEvent, OpenChange, OpenDrift
from flows.changes import reconcile
from flows.changes.flow_changes import Conflict
from flows.mirror import drift, mirror
from flows.mirror.models import Flow
from flows.twilio.errors import RequestRefused
from flows.twilio.flex.flex_flow import from_response
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import (
    OMAR,
    SECRET,
    SECRET_URL,
    VERBS,
    BackgroundCall,
    append_attempt,
    applied_writes,
    assert_chain_intact,
    clock_ahead,
    delete_flow,
    drift_events,
    dump_tables,
    failing_inserts,
    rename_flow,
    run_concurrently,
    summarize_drift,
    switch_flow,
    wait_for,
)

pytestmark = pytest.mark.django_db
OTHER_URL = SECRET_URL.replace("canary", "kestrel")


def make_again(sandbox, sid, **fields):
    """Deletes the flow and has it reappear."""
    was = from_response(sandbox.flows[sid])
    sandbox.remove_flow(sid)
    mirror.sync(ACCOUNT)
    sandbox.add_flow(**{**was, **fields})


def test_edit_is_found(sandbox, flow_sid):
    sandbox.edit_flow(flow_sid, janitor_enabled=True, friendly_name="Theirs")

    assert mirror.sync(ACCOUNT).changed == 1

    (event,) = drift_events()
    assert summarize_drift(event) == (
        flow_sid,
        ["friendly_name", "janitor_enabled"],
        "Réclamations Lyon",
        "Theirs",
    )
    assert (event.stage, event.result, event.account_sid) == (
        "observed",
        "applied",
        sandbox.account_sid,
    )
    assert (event.actor_id, event.actor_label, event.actor_role, event.reason) == ("", "", "", "")
    assert (event.payload.friendly_name, event.payload.contact_identity) == (
        "Theirs",
        "+33199000123",
    )
    assert event.payload.after == Flow.objects.get().resource
    assert [item.target_sid for item in OpenDrift.objects.all()] == [flow_sid]
    assert_chain_intact()


def test_creation_is_found(sandbox, flow_sid):
    sid = sandbox.add_flow(friendly_name="Theirs")

    mirror.sync(ACCOUNT)

    assert [summarize_drift(event) for event in drift_events()] == [(sid, [], None, "Theirs")]


def test_deletion_is_found(sandbox, flow_sid):
    sandbox.remove_flow(flow_sid)

    mirror.sync(ACCOUNT)

    (event,) = drift_events()
    assert summarize_drift(event) == (flow_sid, [], "Réclamations Lyon", None)
    assert (event.payload.friendly_name, event.payload.after) == ("Réclamations Lyon", None)
    assert Flow.objects.get().gone_at is not None


def test_reappearance_is_found(sandbox, flow_sid):
    make_again(sandbox, flow_sid, enabled=False)

    with clock_ahead():
        mirror.sync(ACCOUNT)

    _, back = drift_events()
    assert summarize_drift(back) == (flow_sid, [], None, "Réclamations Lyon")
    assert Flow.objects.get().gone_at is None


def test_reappearance_of_what_we_deleted_is_found(sandbox, flow_sid):
    was = from_response(sandbox.flows[flow_sid])
    delete_flow(flow_sid)
    sandbox.add_flow(**was)

    with clock_ahead():
        mirror.sync(ACCOUNT)

    assert [summarize_drift(event) for event in drift_events()] == [
        (flow_sid, [], None, "Réclamations Lyon")
    ]


def test_edit_and_its_undoing_are_two(sandbox, flow_sid):
    for minute, enabled in enumerate((False, True)):
        sandbox.edit_flow(flow_sid, enabled=enabled, date_updated=f"2026-12-01T10:0{minute}:00Z")
        mirror.sync(ACCOUNT)

    assert [event.payload.after["enabled"] for event in drift_events()] == [False, True]
    assert [event.payload.before["enabled"] for event in drift_events()] == [True, False]


def test_edit_within_the_same_second_as_one_of_ours_is_found(sandbox, flow_sid):
    ours = switch_flow(flow_sid).after
    sandbox.edit_flow(flow_sid, friendly_name="Theirs", date_updated=ours["date_updated"])

    mirror.sync(ACCOUNT)

    assert [summarize_drift(event) for event in drift_events()] == [
        (flow_sid, ["friendly_name"], "Réclamations Lyon", "Theirs")
    ]


@pytest.mark.parametrize("same_second", [False, True])
def test_edit_between_opening_the_form_and_saving_it_is_found(sandbox, flow_sid, same_second):
    base = Flow.objects.get().resource
    date = {"date_updated": base["date_updated"]} if same_second else {}
    sandbox.edit_flow(flow_sid, integration_retry_count=1, **date)

    made = rename_flow(flow_sid, base=base).event

    (event,) = drift_events()
    assert event.changed_fields == ["integration_retry_count"]
    assert event.payload.before == base
    attempt = AuditEvent.objects.get(stage="attempt")
    assert event.seq < attempt.seq < made.seq
    assert not mirror.sync(ACCOUNT).moved
    assert len(drift_events()) == 1


def test_edit_that_conflicts_with_ours_is_found(sandbox, flow_sid):
    base = Flow.objects.get().resource
    sandbox.edit_flow(flow_sid, friendly_name="Theirs")

    with pytest.raises(Conflict):
        rename_flow(flow_sid, base=base)

    assert [summarize_drift(event) for event in drift_events()] == [
        (flow_sid, ["friendly_name"], "Réclamations Lyon", "Theirs")
    ]
    assert Flow.objects.get().friendly_name == "Theirs"


def test_nothing_is_told_twice(sandbox, flow_sid):
    sandbox.edit_flow(flow_sid, friendly_name="Theirs")
    made = sandbox.add_flow(friendly_name="Made")
    with pytest.raises(RequestRefused):
        mirror.fetch("FO" + "0" * 32)  # never was: nothing to tell

    mirror.fetch(flow_sid)
    mirror.sync(ACCOUNT)
    mirror.fetch(made)
    mirror.sync(ACCOUNT)
    rename_flow(flow_sid, values={"friendly_name": "Ours"})
    mirror.sync(ACCOUNT)

    assert [event.target_sid for event in drift_events()] == [flow_sid, made]


@pytest.mark.django_db(transaction=True)
def test_what_many_find_at_once_is_told_once(sandbox, flow_sid):
    gone, made = sandbox.add_flow(), sandbox.add_flow()
    mirror.sync(ACCOUNT)
    told = len(drift_events())
    sandbox.edit_flow(flow_sid, friendly_name="Theirs")
    sandbox.remove_flow(gone)

    with clock_ahead():
        run_concurrently(
            *[partial(mirror.sync, ACCOUNT)] * 2,
            *[lambda sid=sid: mirror.fetch(sid) for sid in (flow_sid, gone, made)] * 3,
        )
        mirror.sync(ACCOUNT)

    assert sorted(event.target_sid for event in drift_events()[told:]) == sorted([flow_sid, gone])
    assert Flow.objects.get(sid=flow_sid).friendly_name == "Theirs"
    assert Flow.objects.get(sid=gone).gone_at is not None
    assert_chain_intact()


def test_date_alone_is_no_drift(sandbox, flow_sid):
    sandbox.edit_flow(flow_sid, date_updated="2020-01-01T00:00:00Z")

    mirror.sync(ACCOUNT)

    assert drift_events() == []
    assert Flow.objects.get().resource["date_updated"] == "2020-01-01T00:00:00Z"


@pytest.mark.parametrize(("name", "value"), [
    ("friendly_name", None), ("enabled", None), ("integration_retry_count", None), ("long_lived", True),
    ("contact_identity", ""),
])  # fmt: skip
def test_every_writable_field_counts(sandbox, flow_sid, name, value):
    sandbox.edit_flow(flow_sid, **{name: value})

    mirror.sync(ACCOUNT)

    assert [event.changed_fields for event in drift_events()] == [[name]]


def test_secret_that_was_changed_shows_by_its_mask(sandbox):
    sid = sandbox.add_flow(integration_type="external", integration_url=SECRET_URL)
    mirror.sync(ACCOUNT)
    sandbox.edit_flow(sid, integration_url=OTHER_URL)

    mirror.sync(ACCOUNT)

    (event,) = drift_events()
    before, after = event.payload.before["integration_url"], event.payload.after["integration_url"]
    assert event.changed_fields == ["integration_url"]
    assert before != after
    assert "masked-" in before
    assert "masked-" in after
    assert SECRET not in dump_tables()
    assert "kestrel" not in dump_tables()
    assert not mirror.sync(ACCOUNT).moved
    assert len(drift_events()) == 1


@pytest.mark.django_db(transaction=True)
def test_what_can_not_go_on_record_is_not_taken_over_and_found_again(sandbox, flow_sid):
    sandbox.edit_flow(flow_sid, friendly_name="Theirs")

    with failing_inserts("flows_auditevent"):
        assert mirror.fetch(flow_sid)["friendly_name"] == "Theirs"
        with pytest.raises(audit_log.NotRecorded):
            mirror.sync(ACCOUNT)

    assert (Flow.objects.get().friendly_name, drift_events()) == ("Réclamations Lyon", [])
    mirror.sync(ACCOUNT)
    assert (Flow.objects.get().friendly_name, len(drift_events())) == ("Theirs", 1)


@pytest.mark.parametrize(
    "read",
    [partial(mirror.sync, ACCOUNT), lambda: mirror.fetch(Flow.objects.get().sid)],
    ids=["sync", "fetch"],
)
def test_while_a_change_is_open_the_flow_is_left_alone_and_looked_at_afterwards(
    sandbox, flow_sid, read
):
    open_one = append_attempt(flow_sid)
    sandbox.edit_flow(flow_sid, friendly_name="Theirs or ours")

    read()

    assert (Flow.objects.get().friendly_name, drift_events()) == ("Réclamations Lyon", [])
    append_attempt(flow_sid, stage="reconciled", result="not_applied", change_id=open_one.change_id)
    read()
    assert Flow.objects.get().friendly_name == "Theirs or ours"
    assert [event.changed_fields for event in drift_events()] == [["friendly_name"]]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verb", VERBS)
def test_sync_while_our_change_is_carried_out_reports_no_drift(sandbox, flow_sid, verb):
    """Twilio has carried it out, and its answer is on its way while the sync reads."""
    sandbox.inject(
        Fault(FaultKind.APPLY_THEN_HANG, method="DELETE" if verb == "delete" else "POST")
    )
    change = BackgroundCall(lambda: VERBS[verb](flow_sid))
    wait_for(lambda: applied_writes(sandbox))
    before = Flow.objects.get().resource

    mirror.sync(ACCOUNT)

    assert drift_events() == []
    assert (Flow.objects.get().resource, Flow.objects.get().gone_at) == (before, None)
    sandbox.release()
    change.outcome()
    reconcile.reconcile()
    assert not OpenChange.objects.exists()
    assert not mirror.sync(ACCOUNT).moved
    assert drift_events() == []
    assert_chain_intact()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verb", VERBS)
def test_our_change_while_a_sync_reads_is_no_drift(sandbox, flow_sid, verb):
    """The list was made before the change, and its last bytes come after it."""
    sandbox.inject(Fault(FaultKind.DRIP, method="GET", path="/FlexFlows", seconds=60))
    listed = len(sandbox.requests)
    sync = BackgroundCall(partial(mirror.sync, ACCOUNT))
    wait_for(lambda: len(sandbox.requests) > listed and sandbox.requests[listed].status)

    change = VERBS[verb](flow_sid)

    sandbox.release()
    assert not sync.outcome().moved
    assert change.event.result == "succeeded"
    assert not mirror.sync(ACCOUNT).moved
    assert drift_events() == []


def test_edit_beside_a_change_that_was_refused_is_not_lost(sandbox, flow_sid):
    base = Flow.objects.get().resource
    sandbox.edit_flow(flow_sid, integration_retry_count=1)
    sandbox.inject(Fault(FaultKind.REFUSE, method="POST"))
    assert rename_flow(flow_sid, base=base).event.result == "failed"

    mirror.sync(ACCOUNT)

    assert [event.changed_fields for event in drift_events()] == [["integration_retry_count"]]


def test_flow_found_gone_by_our_own_call_was_deleted_by_somebody_else(sandbox, flow_sid):
    sandbox.inject(Fault(FaultKind.REFUSE, method="POST", status=404, code=20404))
    assert switch_flow(flow_sid).event.result == "failed"

    assert [summarize_drift(event) for event in drift_events()] == [
        (flow_sid, [], "Réclamations Lyon", None)
    ]
    assert Flow.objects.get().gone_at is not None


def test_states_are_those_of_the_last_event_that_tells_one(sandbox, flow_sid):
    sandbox.edit_flow(flow_sid, enabled=False)
    mirror.sync(ACCOUNT)
    switch_flow(flow_sid, enabled=True)
    sandbox.inject(Fault(FaultKind.REFUSE, method="POST"))
    rename_flow(flow_sid)
    audit_log.append(
        action="flow.update", stage="access", result="denied", actor=OMAR, target_sid=flow_sid
    )

    state = drift.last_recorded_states([flow_sid, "FO" + "0" * 32])

    assert list(state) == [flow_sid]
    assert state[flow_sid].snapshot["enabled"] is True
    assert state[flow_sid].snapshot["friendly_name"] == "Réclamations Lyon"
    assert state[flow_sid].seq == AuditEvent.objects.get(stage="outcome", result="succeeded").seq
