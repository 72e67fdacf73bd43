"""Bulk changes of owners and tags: drafted, run without Twilio, rolled back and retried."""

import pytest

from flows.audit.models import AuditEvent
from flows.availability import restrictions
from flows.availability.models import Closure
from flows.local_details.fields import Details
from flows.local_details.reading import load_details
from flows.mirror.sync import sync_account
from flows.plans import consistency, follow_ups
from flows.plans.details_drafts import DetailsAction, plan_details_action
from tests import ACCOUNT
from tests.faults.acting import OMAR, append_attempt
from tests.flows.local_details.changing import set_details
from tests.flows.plans.running import run_to_end

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sids(sandbox, db):
    sids = [sandbox.add_flow(friendly_name=f"Flow {number}") for number in range(3)]
    sync_account(ACCOUNT)
    return sids


def make_draft(sids, kind, value, **scope):
    action = DetailsAction(kind, value)
    return plan_details_action(action=action, sids=sids, created_by="omar", **scope)


def changes(plan):
    return list(plan.changes.order_by("position"))


def all_details(sids):
    return [load_details(sid) for sid in sids]


def test_owner_is_set_on_each_flow_and_recorded_without_a_request(sandbox, sids, operator_actor):
    plan = make_draft(sids, "owner", "Claims")
    requests = len(sandbox.requests)

    assert run_to_end(plan, operator_actor, reason="New team") == ["made"] * 3

    assert plan.title == "Set the owner of 3 flows to Claims"
    assert all_details(sids) == [Details("Claims")] * 3
    assert len(sandbox.requests) == requests
    events = AuditEvent.objects.filter(action="flow.details", request_id=plan.pk)
    assert [(event.reason, event.actor_label, event.result) for event in events] == [
        ("New team", "operator", "succeeded")
    ] * 3
    assert list(consistency.bulk_changes()) == []


@pytest.mark.parametrize(
    ("kind", "value", "title", "requested"),
    [
        ("owner", "", "Remove the owner of 1 flow", {"owner": ""}),
        (
            "owner",
            "{flows} {0} x",
            "Set the owner of 1 flow to {flows} {0} x",
            {"owner": "{flows} {0} x"},
        ),
        ("add_tag", "{", "Add the tag { to 1 flow", {"tags": ["vip", "{"]}),
        ("add_tag", "lyon", "Add the tag lyon to 1 flow", {"tags": ["lyon", "vip"]}),
        ("add_tag", "a, vip", "Add the tags a, vip to 1 flow", {"tags": ["a", "vip"]}),
        ("remove_tag", "vip", "Remove the tag vip from 1 flow", {"tags": []}),
    ],
)
def test_draft_shows_the_value_before_and_after(sids, kind, value, title, requested):
    set_details(sids[0], owner="Claims", tags=["vip"])

    plan = make_draft(sids[:1], kind, value)

    (change,) = changes(plan)
    assert plan.title == title
    assert change.requested == requested
    assert change.before == {"owner": "Claims"} if kind == "owner" else {"tags": ["vip"]}


def test_flows_that_are_like_that_or_have_no_room_are_skipped(sids):
    set_details(sids[0], tags=["vip"])
    set_details(sids[1], tags=[f"tag {number}" for number in range(10)])

    plan = make_draft([*sids, "FO" + "9" * 32], "add_tag", "vip")

    assert [change.skip_reason for change in changes(plan)] == [
        "Already set.",
        "A flow can have 10 tags at most.",
        "",
        "No flow with this SID has been synced.",
    ]


def test_flows_of_accounts_that_the_user_cannot_change_are_skipped(sids):
    plan = make_draft(sids[:1], "owner", "Claims", editable_scope=frozenset())

    assert changes(plan)[0].skip_reason.startswith("You don't have permission to change flows")


def test_deleted_flow_and_flow_with_an_open_change_are_not_skipped(sandbox, sids, operator_actor):
    sandbox.remove_flow(sids[0])
    sync_account(ACCOUNT)
    append_attempt(sids[1])
    plan = make_draft(sids, "add_tag", "former")

    assert run_to_end(plan, operator_actor) == ["made"] * 3
    assert all_details(sids) == [Details(tags=("former",))] * 3


def test_owner_changed_since_the_preview_is_a_conflict_and_can_be_retried(sids, operator_actor):
    plan = make_draft(sids, "owner", "Claims")
    set_details(sids[0], owner="Sales")

    assert run_to_end(plan, operator_actor) == ["conflict", "made", "made"]
    assert load_details(sids[0]) == Details("Sales")
    retry = follow_ups.plan_retry(plan=plan, created_by="omar")
    assert [change.before for change in changes(retry)] == [{"owner": "Sales"}]
    assert run_to_end(retry, operator_actor) == ["made"]
    assert all_details(sids) == [Details("Claims")] * 3


def test_tags_added_since_the_preview_are_kept(sids, operator_actor):
    plan = make_draft(sids[:1], "add_tag", "vip")
    set_details(sids[0], tags=["lyon"])

    assert run_to_end(plan, operator_actor) == ["made"]
    assert load_details(sids[0]).tags == ("lyon", "vip")


def test_tags_without_room_since_the_preview_are_a_conflict_and_no_retry(sids, operator_actor):
    plan = make_draft(sids[:1], "add_tag", "vip")
    tags = sorted(f"tag {number}" for number in range(10))
    set_details(sids[0], tags=tags)

    assert run_to_end(plan, operator_actor) == ["conflict"]

    assert load_details(sids[0]).tags == tuple(tags)
    retry = follow_ups.plan_retry(plan=plan, created_by="omar")
    assert changes(retry)[0].skip_reason == "A flow can have 10 tags at most."


def test_owner_set_since_the_preview_is_skipped(sids, operator_actor):
    plan = make_draft(sids[:1], "owner", "Claims")
    set_details(sids[0], owner="Claims")

    assert run_to_end(plan, operator_actor) == ["skipped"]
    assert changes(plan)[0].skip_reason == "Already set when its turn came."


def test_rollback_restores_owners_and_keeps_later_tags(sids, operator_actor):
    set_details(sids[0], owner="Sales")
    owner_plan = make_draft(sids, "owner", "Claims")
    tag_plan = make_draft(sids, "add_tag", "vip")
    run_to_end(owner_plan, operator_actor)
    run_to_end(tag_plan, operator_actor)
    set_details(sids[1], tags=["lyon", "vip"])

    for plan in (owner_plan, tag_plan):
        rollback = follow_ups.plan_rollback(plan=plan, created_by="omar")
        assert run_to_end(rollback, operator_actor) == ["made"] * 3

    assert all_details(sids) == [Details("Sales"), Details(tags=("lyon",)), Details()]
    second = follow_ups.plan_rollback(plan=owner_plan, created_by="omar")
    assert {change.skip_reason for change in changes(second)} == {"Already rolled back."}


def test_read_only_mode_stops_it_and_a_refusal_of_twilio_does_not(sids, operator_actor):
    for kind in ("fetch", "update"):
        Closure.objects.create(
            account_sid=ACCOUNT, kind=kind, since="2026-11-25T00:00:00Z", status=410
        )
    assert run_to_end(make_draft(sids[:1], "owner", "Claims"), operator_actor) == ["made"]
    restrictions.set_read_only(account_sid=ACCOUNT, reason="Freeze", actor=OMAR)

    plan = make_draft(sids[1:], "owner", "Claims")

    assert run_to_end(plan, operator_actor) == ["planned", "planned"]
    assert plan.status == "stopped"
    assert "Freeze" in plan.stop_reason
