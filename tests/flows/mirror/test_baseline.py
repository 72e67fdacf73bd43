"""The baseline: the first state of each flow is recorded once, without an actor."""

import pytest
from django.utils import timezone

from flows.audit.models import AuditEvent
from flows.mirror import drift, flow_reads, flow_rows, mirror
from flows.mirror.models import Flow, SyncState
from flows.mirror.sync import sync_account
from flows.twilio.errors import RequestRefused
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import (
    append_attempt,
    assert_chain_intact,
    create_flow,
    drift_events,
    summarize_drift,
)

pytestmark = pytest.mark.django_db


def baselines():
    return list(AuditEvent.objects.filter(action="flow.baseline").order_by("seq"))


def fill_mirror_without_baselines(sandbox):
    """Store the flows as an old version did, which recorded nothing."""
    flows = flow_reads.fetch_all(sandbox.account_sid)
    flow_rows.save_snapshots({flow["sid"]: flow for flow in flows}, sandbox.account_sid)
    SyncState.objects.create(account_sid=sandbox.account_sid, synced_at=timezone.now())


def test_first_sync_is_a_baseline_of_every_flow_and_no_drift(sandbox):
    sids = {sandbox.add_flow() for _ in range(3)}

    sync_account(ACCOUNT)

    events = baselines()
    assert {event.target_sid for event in events} == sids
    assert AuditEvent.objects.count() == 3
    for event in events:
        assert (event.stage, event.result, event.actor_label, event.change_id) == (
            "observed",
            "applied",
            "",
            None,
        )
        assert event.payload.before is None
        assert event.payload.after == Flow.objects.get(sid=event.target_sid).resource
    assert drift.load_inbox() == []
    assert SyncState.objects.get().baseline_at is not None
    assert_chain_intact()


def test_first_sync_of_an_empty_account_is_the_baseline_too(sandbox):
    sync_account(ACCOUNT)
    sid = sandbox.add_flow(friendly_name="Made later")

    sync_account(ACCOUNT)

    assert [summarize_drift(event) for event in drift_events()] == [(sid, [], None, "Made later")]
    assert baselines() == []


def test_first_sync_that_fails_is_not_the_baseline(sandbox):
    sid = sandbox.add_flow()
    sandbox.inject(Fault(FaultKind.REFUSE, status=403))
    with pytest.raises(RequestRefused):
        sync_account(ACCOUNT)

    sync_account(ACCOUNT)

    assert [event.target_sid for event in baselines()] == [sid]
    assert drift_events() == []


def test_flow_fetched_before_the_first_sync_has_one_baseline(sandbox):
    sid = sandbox.add_flow()
    mirror.fetch(sid, account_sid=ACCOUNT)

    sync_account(ACCOUNT)

    assert [event.target_sid for event in baselines()] == [sid]
    assert drift_events() == []


def test_flow_created_here_before_the_first_sync_needs_no_baseline(sandbox):
    create_flow()

    sync_account(ACCOUNT)

    assert (baselines(), drift_events()) == ([], [])


def test_mirror_without_baselines_gets_them_at_the_next_sync_without_a_change(sandbox):
    sids = {sandbox.add_flow() for _ in range(3)}
    fill_mirror_without_baselines(sandbox)

    assert not sync_account(ACCOUNT).has_changes

    assert {event.target_sid for event in baselines()} == sids
    assert drift_events() == []
    sync_account(ACCOUNT)
    assert len(baselines()) == 3


def test_outdated_mirror_without_baselines_gets_them_and_no_drift(sandbox):
    sid = sandbox.add_flow(friendly_name="Old")
    fill_mirror_without_baselines(sandbox)
    sandbox.edit_flow(sid, friendly_name="New")

    sync_account(ACCOUNT)

    assert [event.payload.after["friendly_name"] for event in baselines()] == ["New"]
    assert drift_events() == []
    assert Flow.objects.get().friendly_name == "New"


@pytest.mark.parametrize("act", ["edit", "remove"])
def test_flow_whose_baseline_was_delayed_by_our_change_is_compared_with_the_mirror(sandbox, act):
    sid = sandbox.add_flow(friendly_name="Old")
    fill_mirror_without_baselines(sandbox)
    open_change = append_attempt(sid)
    sync_account(ACCOUNT)
    assert baselines() == []
    append_attempt(sid, stage="reconciled", result="not_applied", change_id=open_change.change_id)

    sandbox.edit_flow(sid, friendly_name="New") if act == "edit" else sandbox.remove_flow(sid)
    sync_account(ACCOUNT)

    expected = (["friendly_name"], "Old", "New") if act == "edit" else ([], "Old", None)
    assert [summarize_drift(event) for event in drift_events()] == [(sid, *expected)]
