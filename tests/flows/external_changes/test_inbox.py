"""External changes of many flows: groups, acceptance, and the bulk change that reverts them."""

import pytest

from flows.audit.audit_log import NotRecorded
from flows.audit.models import AuditEvent, OpenDrift
from flows.external_changes import inbox as external_changes
from flows.external_changes import reverting
from flows.external_changes.inbox import ExternalChange
from flows.mirror import drift
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.plans.models import Plan
from tests import ACCOUNT
from tests.faults.acting import (
    OMAR,
    SECRET_URL,
    assert_chain_intact,
    clock_ahead,
    drift_events,
    read_only_database,
    rename_flow,
)

pytestmark = pytest.mark.django_db
OTHER_URL = "https://hooks.example.com/elsewhere"


@pytest.fixture
def flows(sandbox):
    def make(count, **fields):
        flow_fields = {
            "integration_type": "studio",
            "integration_retry_count": 3,
            "enabled": True,
            **fields,
        }
        sids = [
            sandbox.add_flow(friendly_name=f"Flow {number:03}", **flow_fields)
            for number in range(count)
        ]
        sync_account(ACCOUNT)
        return sids

    return make


@pytest.fixture
def edit(sandbox):
    def every(sids, **fields):
        for sid in sids:
            sandbox.edit_flow(sid, **fields)
        sync_account(ACCOUNT)

    return every


def inbox():
    return [ExternalChange(events) for events in drift.load_inbox()]


def groups():
    """Return the kind and the size of each group in the inbox."""
    return [(members[0].kind, len(members)) for members in external_changes.group_similar(inbox())]


def test_same_change_of_many_flows_in_one_sync_is_one_group(flows, edit):
    edit(flows(300), integration_retry_count=1)

    assert groups() == [("changed", 300)]


def test_other_values_fields_kinds_and_times_are_groups_of_their_own(sandbox, flows, edit):
    sids = flows(12)
    edit(sids[:3], integration_retry_count=1)
    edit(sids[3:5], integration_retry_count=2)
    edit(sids[5:7], integration_retry_count=1, enabled=False)
    for sid in sids[7:9]:
        sandbox.remove_flow(sid)
    for _ in range(2):
        sandbox.add_flow()
    sync_account(ACCOUNT)
    with clock_ahead():
        edit(sids[9:11], integration_retry_count=1)

    assert sorted(groups()) == sorted(
        [
            ("changed", 3),
            ("changed", 2),
            ("changed", 2),
            ("changed", 2),
            ("deleted", 2),
            ("made", 2),
        ]
    )


def test_each_account_has_its_own_groups(sandbox, staging):
    for account in (sandbox, staging):
        sync_account(account.account_sid)
        account.add_flow()
        sync_account(account.account_sid)

    assert groups() == [("made", 1), ("made", 1)]


def test_group_is_accepted_with_one_event_a_flow_and_one_reason(flows, edit):
    edit(flows(30), integration_retry_count=1)

    events = external_changes.accept_all(inbox(), reason="Agreed", actor=OMAR)

    assert len(events) == 30
    assert {(event.action, event.reason, event.actor_label) for event in events} == {
        ("flow.accept", "Agreed", "omar")
    }
    assert {event.refers_to for event in events} == {event.event_id for event in drift_events()}
    assert not OpenDrift.objects.exists()
    assert_chain_intact()


@pytest.mark.django_db(transaction=True)
def test_group_that_can_not_be_recorded_is_not_accepted_at_all(flows, edit):
    edit(flows(3), integration_retry_count=1)

    with read_only_database(), pytest.raises(NotRecorded):
        external_changes.accept_all(inbox(), reason="", actor=OMAR)

    assert OpenDrift.objects.count() == 3
    assert not AuditEvent.objects.filter(action="flow.accept").exists()


def test_what_came_later_is_not_accepted(sandbox, flows, edit):
    (sid,) = flows(1)
    edit([sid], integration_retry_count=1)
    (drift_event,) = drift_events()
    edit([sid], integration_retry_count=2)

    external_changes.accept_all(
        external_changes.load_pending([drift_event.event_id]), reason="", actor=OMAR
    )

    assert [item.event_id for item in OpenDrift.objects.all()] == [drift_events()[-1].pk]


def test_change_of_many_flows_is_reverted_by_a_bulk_change(flows, edit):
    sids = flows(3)
    edit(sids, integration_retry_count=1)
    changes = inbox()

    plan = reverting.plan_revert(changes=changes, created_by="omar", reason="Not agreed")

    assert (plan.title, plan.reason, plan.status) == (
        "Revert 3 external changes",
        "Not agreed",
        "draft",
    )
    planned = list(plan.changes.all())
    assert {(one.action, one.skip_reason) for one in planned} == {("flow.update", "")}
    assert [one.requested for one in planned] == [{"integration_retry_count": 3}] * 3
    assert [one.before for one in planned] == [{"integration_retry_count": 1}] * 3
    assert {one.refers_to for one in planned} == {event.event_id for event in drift_events()}


def test_flows_that_were_created_are_deleted_and_deleted_ones_created_again(sandbox, flows):
    sids = flows(4)
    for sid in sids[:2]:
        sandbox.remove_flow(sid)
    new = [sandbox.add_flow() for _ in range(2)]
    sync_account(ACCOUNT)
    by_kind = {members[0].kind: members for members in external_changes.group_similar(inbox())}

    deletion = reverting.plan_revert(changes=by_kind["made"], created_by="omar")
    creation = reverting.plan_revert(changes=by_kind["deleted"], created_by="omar")

    assert deletion.title == "Delete 2 externally created flows"
    assert {(one.action, one.target_sid) for one in deletion.changes.all()} == {
        ("flow.delete", sid) for sid in new
    }
    assert creation.title == "Re-create 2 externally deleted flows"
    assert {(one.action, one.target_sid) for one in creation.changes.all()} == {("flow.create", "")}
    assert {one.requested["friendly_name"] for one in creation.changes.all()} == {
        "Flow 000",
        "Flow 001",
    }


@pytest.mark.parametrize(
    ("fields", "edited", "reason"),
    [
        ({"contact_identity": None}, {"contact_identity": "+1"}, "had no value before"),
        (
            {"integration_type": "external", "integration_url": SECRET_URL},
            {"integration_url": OTHER_URL},
            "secret",
        ),
    ],
)
def test_what_a_bulk_change_can_not_revert_is_skipped_and_says_why(
    flows, edit, fields, edited, reason
):
    edit(flows(1, **fields), **edited)

    (planned,) = reverting.build_reverts(inbox())

    assert reason in planned.skip_reason


def test_what_was_put_back_meanwhile_leaves_nothing_to_change(sandbox, flows, edit):
    (sid,) = flows(1)
    edit([sid], friendly_name="Theirs")
    rename_flow(sid, base=None, values={"friendly_name": "Flow 000"})

    (planned,) = reverting.build_reverts(inbox())

    assert planned.skip_reason == reverting.NOTHING_TO_REVERT


def test_accounts_where_the_person_may_not_change_flows_are_skipped(flows, edit):
    edit(flows(1), enabled=False)

    plan = reverting.plan_revert(changes=inbox(), created_by="omar", scope=frozenset())

    assert [one.skip_reason for one in plan.changes.all()] == [
        "You don't have permission in its account."
    ]
    assert Plan.objects.get() == plan
    assert Flow.objects.get().enabled is False
