"""Drift: changes of others are recorded once, and our own changes are never taken for theirs.

Baselines are tested in test_baseline.py, the inbox in test_inbox.py.
"""

from functools import partial

import pytest

from flows.audit import audit_log
from flows.audit.models import AuditEvent, OpenChange, OpenDrift
from flows.changes import reconcile
from flows.changes.flow_changes import Conflict
from flows.mirror import drift, mirror
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.twilio.errors import RequestRefused
from flows.twilio.flex.flex_flow import FLEX_FLOW
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


def delete_and_restore(sandbox, sid, **fields):
    """Delete the flow at Twilio and create it again."""
    was = FLEX_FLOW.decode(sandbox.flows[sid])
    sandbox.remove_flow(sid)
    sync_account(ACCOUNT)
    sandbox.add_flow(**{**was, **fields})


def test_edit_is_recorded(sandbox, flow_sid):
    sandbox.edit_flow(flow_sid, janitor_enabled=True, friendly_name="Theirs")

    assert sync_account(ACCOUNT).changed == 1

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


def test_creation_is_recorded(sandbox, flow_sid):
    sid = sandbox.add_flow(friendly_name="Theirs")

    sync_account(ACCOUNT)

    assert [summarize_drift(event) for event in drift_events()] == [(sid, [], None, "Theirs")]


def test_deletion_is_recorded(sandbox, flow_sid):
    sandbox.remove_flow(flow_sid)

    sync_account(ACCOUNT)

    (event,) = drift_events()
    assert summarize_drift(event) == (flow_sid, [], "Réclamations Lyon", None)
    assert (event.payload.friendly_name, event.payload.after) == ("Réclamations Lyon", None)
    assert Flow.objects.get().gone_at is not None


def test_reappearance_is_recorded(sandbox, flow_sid):
    delete_and_restore(sandbox, flow_sid, enabled=False)

    with clock_ahead():
        sync_account(ACCOUNT)

    _, back = drift_events()
    assert summarize_drift(back) == (flow_sid, [], None, "Réclamations Lyon")
    assert Flow.objects.get().gone_at is None


def test_reappearance_of_a_flow_that_we_deleted_is_recorded(sandbox, flow_sid):
    was = FLEX_FLOW.decode(sandbox.flows[flow_sid])
    delete_flow(flow_sid)
    sandbox.add_flow(**was)

    with clock_ahead():
        sync_account(ACCOUNT)

    assert [summarize_drift(event) for event in drift_events()] == [
        (flow_sid, [], None, "Réclamations Lyon")
    ]


def test_edit_and_its_revert_are_two_events(sandbox, flow_sid):
    for minute, enabled in enumerate((False, True)):
        sandbox.edit_flow(flow_sid, enabled=enabled, date_updated=f"2026-12-01T10:0{minute}:00Z")
        sync_account(ACCOUNT)

    assert [event.payload.after["enabled"] for event in drift_events()] == [False, True]
    assert [event.payload.before["enabled"] for event in drift_events()] == [True, False]


def test_edit_in_the_same_second_as_our_change_is_recorded(sandbox, flow_sid):
    ours = switch_flow(flow_sid).after
    sandbox.edit_flow(flow_sid, friendly_name="Theirs", date_updated=ours["date_updated"])

    sync_account(ACCOUNT)

    assert [summarize_drift(event) for event in drift_events()] == [
        (flow_sid, ["friendly_name"], "Réclamations Lyon", "Theirs")
    ]


@pytest.mark.parametrize("same_second", [False, True])
def test_edit_between_opening_and_saving_the_form_is_recorded(sandbox, flow_sid, same_second):
    base = Flow.objects.get().resource
    date = {"date_updated": base["date_updated"]} if same_second else {}
    sandbox.edit_flow(flow_sid, integration_retry_count=1, **date)

    created = rename_flow(flow_sid, base=base).event

    (event,) = drift_events()
    assert event.changed_fields == ["integration_retry_count"]
    assert event.payload.before == base
    attempt = AuditEvent.objects.get(stage="attempt")
    assert event.seq < attempt.seq < created.seq
    assert not sync_account(ACCOUNT).has_changes
    assert len(drift_events()) == 1


def test_edit_that_conflicts_with_our_change_is_recorded(sandbox, flow_sid):
    base = Flow.objects.get().resource
    sandbox.edit_flow(flow_sid, friendly_name="Theirs")

    with pytest.raises(Conflict):
        rename_flow(flow_sid, base=base)

    assert [summarize_drift(event) for event in drift_events()] == [
        (flow_sid, ["friendly_name"], "Réclamations Lyon", "Theirs")
    ]
    assert Flow.objects.get().friendly_name == "Theirs"


def test_no_difference_is_recorded_twice(sandbox, flow_sid):
    sandbox.edit_flow(flow_sid, friendly_name="Theirs")
    created = sandbox.add_flow(friendly_name="Made")
    with pytest.raises(RequestRefused):
        mirror.fetch("FO" + "0" * 32, account_sid=ACCOUNT)  # never was: nothing to tell

    mirror.fetch(flow_sid, account_sid=ACCOUNT)
    sync_account(ACCOUNT)
    mirror.fetch(created, account_sid=ACCOUNT)
    sync_account(ACCOUNT)
    rename_flow(flow_sid, values={"friendly_name": "Ours"})
    sync_account(ACCOUNT)

    assert [event.target_sid for event in drift_events()] == [flow_sid, created]


@pytest.mark.django_db(transaction=True)
def test_concurrent_reads_record_a_difference_once(sandbox, flow_sid):
    gone, created = sandbox.add_flow(), sandbox.add_flow()
    sync_account(ACCOUNT)
    recorded = len(drift_events())
    sandbox.edit_flow(flow_sid, friendly_name="Theirs")
    sandbox.remove_flow(gone)

    with clock_ahead():
        run_concurrently(
            *[partial(sync_account, ACCOUNT)] * 2,
            *[
                lambda sid=sid: mirror.fetch(sid, account_sid=ACCOUNT)
                for sid in (flow_sid, gone, created)
            ]
            * 3,
        )
        sync_account(ACCOUNT)

    assert sorted(event.target_sid for event in drift_events()[recorded:]) == sorted(
        [flow_sid, gone]
    )
    assert Flow.objects.get(sid=flow_sid).friendly_name == "Theirs"
    assert Flow.objects.get(sid=gone).gone_at is not None
    assert_chain_intact()


def test_date_alone_is_no_drift(sandbox, flow_sid):
    sandbox.edit_flow(flow_sid, date_updated="2020-01-01T00:00:00Z")

    sync_account(ACCOUNT)

    assert drift_events() == []
    assert Flow.objects.get().resource["date_updated"] == "2020-01-01T00:00:00Z"


@pytest.mark.parametrize(("name", "value"), [
    ("friendly_name", None), ("enabled", None), ("integration_retry_count", None), ("long_lived", True),
    ("contact_identity", ""),
])  # fmt: skip
def test_every_writable_field_counts(sandbox, flow_sid, name, value):
    sandbox.edit_flow(flow_sid, **{name: value})

    sync_account(ACCOUNT)

    assert [event.changed_fields for event in drift_events()] == [[name]]


def test_changed_secret_shows_by_its_mask(sandbox):
    sid = sandbox.add_flow(integration_type="external", integration_url=SECRET_URL)
    sync_account(ACCOUNT)
    sandbox.edit_flow(sid, integration_url=OTHER_URL)

    sync_account(ACCOUNT)

    (event,) = drift_events()
    before, after = event.payload.before["integration_url"], event.payload.after["integration_url"]
    assert event.changed_fields == ["integration_url"]
    assert before != after
    assert "masked-" in before
    assert "masked-" in after
    assert SECRET not in dump_tables()
    assert "kestrel" not in dump_tables()
    assert not sync_account(ACCOUNT).has_changes
    assert len(drift_events()) == 1


@pytest.mark.django_db(transaction=True)
def test_difference_that_cannot_be_recorded_is_not_stored_and_recorded_later(sandbox, flow_sid):
    sandbox.edit_flow(flow_sid, friendly_name="Theirs")

    with failing_inserts("flows_auditevent"):
        assert mirror.fetch(flow_sid, account_sid=ACCOUNT)["friendly_name"] == "Theirs"
        with pytest.raises(audit_log.NotRecorded):
            sync_account(ACCOUNT)

    assert (Flow.objects.get().friendly_name, drift_events()) == ("Réclamations Lyon", [])
    sync_account(ACCOUNT)
    assert (Flow.objects.get().friendly_name, len(drift_events())) == ("Theirs", 1)


@pytest.mark.parametrize(
    "read",
    [
        partial(sync_account, ACCOUNT),
        lambda: mirror.fetch(Flow.objects.get().sid, account_sid=ACCOUNT),
    ],
    ids=["sync", "fetch"],
)
def test_flow_with_an_open_change_is_compared_after_the_change(sandbox, flow_sid, read):
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
def test_sync_during_our_change_records_no_drift(sandbox, flow_sid, verb):
    """Twilio has applied the change, and its response is still on the way during the sync."""
    sandbox.inject(
        Fault(FaultKind.APPLY_THEN_HANG, method="DELETE" if verb == "delete" else "POST")
    )
    change = BackgroundCall(lambda: VERBS[verb](flow_sid))
    wait_for(lambda: applied_writes(sandbox))
    before = Flow.objects.get().resource

    sync_account(ACCOUNT)

    assert drift_events() == []
    assert (Flow.objects.get().resource, Flow.objects.get().gone_at) == (before, None)
    sandbox.release()
    change.outcome()
    reconcile.reconcile()
    assert not OpenChange.objects.exists()
    assert not sync_account(ACCOUNT).has_changes
    assert drift_events() == []
    assert_chain_intact()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verb", VERBS)
def test_our_change_during_a_sync_is_no_drift(sandbox, flow_sid, verb):
    """The list was made before the change, and its last bytes arrive after it."""
    sandbox.inject(Fault(FaultKind.DRIP, method="GET", path="/FlexFlows", seconds=60))
    listed = len(sandbox.requests)
    sync = BackgroundCall(partial(sync_account, ACCOUNT))
    wait_for(lambda: len(sandbox.requests) > listed and sandbox.requests[listed].status)

    change = VERBS[verb](flow_sid)

    sandbox.release()
    assert not sync.outcome().has_changes
    assert change.event.result == "succeeded"
    assert not sync_account(ACCOUNT).has_changes
    assert drift_events() == []


def test_concurrent_edit_of_a_refused_change_is_recorded(sandbox, flow_sid):
    base = Flow.objects.get().resource
    sandbox.edit_flow(flow_sid, integration_retry_count=1)
    sandbox.inject(Fault(FaultKind.REFUSE, method="POST"))
    assert rename_flow(flow_sid, base=base).event.result == "failed"

    sync_account(ACCOUNT)

    assert [event.changed_fields for event in drift_events()] == [["integration_retry_count"]]


def test_404_to_our_change_is_recorded_as_a_deletion_by_somebody_else(sandbox, flow_sid):
    sandbox.inject(Fault(FaultKind.REFUSE, method="POST", status=404, code=20404))
    assert switch_flow(flow_sid).event.result == "failed"

    assert [summarize_drift(event) for event in drift_events()] == [
        (flow_sid, [], "Réclamations Lyon", None)
    ]
    assert Flow.objects.get().gone_at is not None


def test_last_recorded_state_comes_from_the_last_event_with_a_state(sandbox, flow_sid):
    sandbox.edit_flow(flow_sid, enabled=False)
    sync_account(ACCOUNT)
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
