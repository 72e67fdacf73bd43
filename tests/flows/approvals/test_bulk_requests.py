"""Bulk changes under a policy: their requests, what is approved, and how they end."""

from datetime import time

import pytest

from flows.approvals import bulk_contents, bulk_requests, reading, requests, validity
from flows.approvals.models import ChangeRequest
from flows.approvals.request_status import RequestStatus
from flows.approvals.requests import ContentChanged, NotPermitted
from flows.approvals.terms import Hours, Terms, load_terms
from flows.approvals.transitions import TransitionNotAllowed
from flows.audit.models import AuditEvent, Stage
from flows.audit.verification import verify
from flows.availability.restrictions import OperationUnavailable
from flows.changes import reconcile
from flows.mirror.sync import sync_account
from flows.plans import access, drafts, follow_ups, start_and_stop
from flows.plans.models import Plan, PlannedChange
from flows.plans.status import PlanStatus
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.conftest import form_data
from tests.flows.approvals.acting import (
    ANY,
    actor_of,
    apply,
    approve,
    current,
    event_actions,
    request_rename,
    request_switch,
    set_policy,
    writes,
)
from tests.flows.approvals.test_views import text
from tests.flows.plans.running import make_plan, run_worker, values_of

NIGHT = Hours(days=(0,), opens_at=time(3), closes_at=time(3, 1), time_zone="Europe/Berlin")

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def plan(sandbox):
    """A bulk change that turns three flows off, under a policy of one approval."""
    plan = make_plan(sandbox)
    set_policy(ANY)
    return plan


@pytest.fixture
def bulk_request(plan, omar, ana):
    return submit(plan, omar)


def submit(plan, user):
    return bulk_requests.submit(plan.pk, reason="Holidays", actor=actor_of(user))


def run(request, user, bypass_reason=""):
    """Apply a request, let a worker make its changes, and return the request as it is then."""
    apply(request, user, bypass_reason=bypass_reason)
    run_worker()
    return current(request)


def test_approved_bulk_change_is_sent_and_its_request_is_done(sandbox, bulk_request, omar, ana):
    assert bulk_request.status == RequestStatus.IN_REVIEW
    approve(bulk_request, ana)
    assert apply(bulk_request, omar).status == RequestStatus.IN_PROGRESS
    run_worker()

    assert current(bulk_request).status == RequestStatus.DONE
    assert current(bulk_request).note == ""
    assert event_actions(bulk_request) == [
        "request.submit",
        "request.approve",
        "request.apply",
        "request.finish",
    ]
    assert set(values_of(sandbox, "enabled").values()) == {False}
    attempts = AuditEvent.objects.filter(stage=Stage.ATTEMPT)
    assert {event.request_id for event in attempts} == {bulk_request.plan_id}
    assert not verify().table_faults


def test_start_and_its_request_are_one_transaction(bulk_request, omar, ana):
    approve(bulk_request, ana)
    apply(bulk_request, omar)
    actions = AuditEvent.objects.order_by("-seq").values_list("action", flat=True)[:2]
    assert list(actions) == ["plan.start", "request.apply"]


def test_second_submission_leads_to_the_same_request(bulk_request, plan, ana):
    assert submit(plan, ana) == bulk_request
    assert ChangeRequest.objects.count() == 1


def test_without_approval_nothing_starts(sandbox, bulk_request, plan, omar):
    with pytest.raises(TransitionNotAllowed):
        apply(bulk_request, omar)
    with pytest.raises(OperationUnavailable, match="which is in review"):
        start_and_stop.start(plan=plan, reason="Holidays", actor=actor_of(omar))
    run_worker()
    assert Plan.objects.get().status == PlanStatus.DRAFT
    assert writes(sandbox) == []


def test_requester_can_not_approve(bulk_request, omar):
    with pytest.raises(NotPermitted, match="your own"):
        approve(bulk_request, omar)


def test_bulk_change_of_several_accounts_can_not_be_requested(plan, omar):
    change = plan.changes.first()
    PlannedChange.objects.filter(pk=change.pk).update(account_sid="AC" + "9" * 32)
    decision = access.judge(plan)
    assert "select flows of one account only" in decision.refusal
    assert not decision.can_request
    with pytest.raises(OperationUnavailable, match="one account"):
        submit(plan, omar)


def test_approval_outlives_no_rewriting_of_a_row(sandbox, bulk_request, plan, omar, ana):
    """The row is rewritten after its approval, as no code of ours does."""
    approve(bulk_request, ana)
    row = plan.changes.last()
    PlannedChange.objects.filter(pk=row.pk).update(requested={"enabled": True})

    assert validity.review(bulk_request.pk).status == RequestStatus.SUSPENDED
    assert "not the one that was requested" in current(bulk_request).note
    with pytest.raises((ContentChanged, TransitionNotAllowed)):
        apply(bulk_request, omar)
    assert writes(sandbox) == []


def test_row_that_is_rewritten_after_the_start_is_not_sent(sandbox, bulk_request, plan, omar, ana):
    approve(bulk_request, ana)
    apply(bulk_request, omar)
    row = plan.changes.order_by("position").last()
    PlannedChange.objects.filter(pk=row.pk).update(
        before={"friendly_name": row.friendly_name}, requested={"friendly_name": "Rewritten"}
    )
    run_worker()

    ended = current(bulk_request)
    assert ended.status == RequestStatus.FAILED
    assert "not the one that was approved" in ended.note
    assert len(writes(sandbox)) == 2


def test_row_that_is_added_after_the_start_is_not_sent(sandbox, bulk_request, plan, omar, ana):
    approve(bulk_request, ana)
    apply(bulk_request, omar)
    first = plan.changes.order_by("position").first()
    PlannedChange.objects.create(
        plan=plan,
        position=99,
        action="flow.update",
        account_sid=ACCOUNT,
        target_sid=first.target_sid,
        before={"friendly_name": first.friendly_name},
        requested={"friendly_name": "Added"},
    )
    run_worker()
    assert len(writes(sandbox)) == 3
    assert Plan.objects.get().status == PlanStatus.STOPPED


def test_change_of_the_same_field_at_twilio_suspends_it(sandbox, bulk_request, plan, omar, ana):
    approve(bulk_request, ana)
    sandbox.edit_flow(plan.changes.first().target_sid, enabled=False)
    sync_account(ACCOUNT)

    suspended = current(bulk_request)
    assert suspended.status == RequestStatus.SUSPENDED
    assert suspended.note.startswith("Someone else changed Status of 1 flow since")
    with pytest.raises(TransitionNotAllowed):
        apply(bulk_request, omar)


def test_change_of_another_field_at_twilio_keeps_the_approval(sandbox, bulk_request, plan, ana):
    approve(bulk_request, ana)
    sandbox.edit_flow(plan.changes.first().target_sid, friendly_name="Renamed")
    sync_account(ACCOUNT)
    assert current(bulk_request).status == RequestStatus.APPROVED


def test_stricter_policy_voids_the_approval(sandbox, bulk_request, omar, ana):
    approve(bulk_request, ana)
    set_policy(Terms(kinds=("any",), approvals_required=2))
    with pytest.raises(TransitionNotAllowed):
        apply(bulk_request, omar)
    assert current(bulk_request).status == RequestStatus.IN_REVIEW
    assert "request.void" in event_actions(bulk_request)


def test_stricter_policy_after_the_start_stops_it(sandbox, bulk_request, omar, ana):
    approve(bulk_request, ana)
    apply(bulk_request, omar)
    set_policy(Terms(kinds=("any",), approvals_required=2))
    run_worker()
    assert writes(sandbox) == []
    assert current(bulk_request).status == RequestStatus.FAILED
    assert "too few valid approvals" in current(bulk_request).note


def test_break_glass_sends_it_without_approval(sandbox, bulk_request, omar, adam):
    with pytest.raises(NotPermitted):
        apply(bulk_request, omar, bypass_reason="Outage")
    ended = run(bulk_request, adam, bypass_reason="Outage")
    assert (ended.status, ended.is_without_approval) == (RequestStatus.DONE, True)
    assert "request.break_glass" in event_actions(bulk_request)
    assert len(writes(sandbox)) == 3


def test_it_is_not_edited_but_cancelled(bulk_request, plan, omar):
    with pytest.raises(NotPermitted, match="can't be edited"):
        requests.revise(
            bulk_request.pk,
            content_hash=bulk_request.content_hash,
            values={},
            reason="",
            actor=actor_of(omar),
        )
    requests.cancel(bulk_request.pk, actor=actor_of(omar))
    assert not drafts.discard_draft(plan=plan)
    decision = access.judge(plan)
    assert "has ended (cancelled)" in decision.refusal
    assert not decision.can_request


def test_some_that_fail_are_said_in_words(sandbox, bulk_request, omar, ana):
    approve(bulk_request, ana)
    sandbox.inject(Fault(FaultKind.REFUSE, method="POST", status=422, code=45008, times=1))
    ended = run(bulk_request, omar)
    assert ended.status == RequestStatus.FAILED
    assert ended.note == "2 of 3 changes applied: 1 failed."


def test_some_that_are_set_already_are_done(sandbox, bulk_request, plan, omar, ana):
    approve(bulk_request, ana)
    apply(bulk_request, omar)
    sandbox.edit_flow(plan.changes.first().target_sid, enabled=False)
    run_worker()
    assert current(bulk_request).status == RequestStatus.DONE
    assert current(bulk_request).note == "2 of 3 changes applied: 1 not needed."


def test_unknown_outcome_keeps_it_in_progress(sandbox, bulk_request, omar, ana):
    approve(bulk_request, ana)
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST", times=1))
    assert run(bulk_request, omar).status == RequestStatus.IN_PROGRESS
    sync_account(ACCOUNT)
    reconcile.reconcile()
    validity.on_account_updated(account_sid=ACCOUNT)
    assert current(bulk_request).status == RequestStatus.DONE


def test_stopped_bulk_change_is_not_resumed_without_a_new_approval(
    sandbox, bulk_request, plan, omar, ana
):
    approve(bulk_request, ana)
    apply(bulk_request, omar)
    plan.refresh_from_db()
    assert start_and_stop.stop(plan=plan, actor=actor_of(omar))

    ended = current(bulk_request)
    assert ended.status == RequestStatus.FAILED
    assert ended.note == "Stopped. 0 of 3 changes applied: 3 not started."
    with pytest.raises(OperationUnavailable, match="has ended"):
        start_and_stop.start(plan=plan, reason="Again", actor=actor_of(omar))
    run_worker()
    assert writes(sandbox) == []

    retry = follow_ups.plan_retry(plan=plan, created_by="omar")
    assert retry.included_changes.count() == 3
    assert access.judge(retry).can_request


def test_rollback_is_a_request_of_its_own(sandbox, bulk_request, plan, omar, ana, adam):
    approve(bulk_request, ana)
    run(bulk_request, omar)
    plan.refresh_from_db()
    rollback = follow_ups.plan_rollback(plan=plan, created_by="omar")
    assert access.judge(rollback).can_request
    with_glass = run(submit(rollback, omar), adam, bypass_reason="Customers are unserved")
    assert with_glass.status == RequestStatus.DONE
    assert set(values_of(sandbox, "enabled").values()) == {True}


def test_deletions_and_creations_are_checked_row_by_row(sandbox, omar, ana):
    plan = make_plan(sandbox, 2, kind="delete")
    set_policy(Terms(kinds=("delete", "switch")))
    request = submit(plan, omar)
    approve(request, ana)
    assert run(request, omar).status == RequestStatus.DONE
    rollback = follow_ups.plan_rollback(plan=Plan.objects.get(), created_by="omar")
    assert access.judge(rollback).can_request  # the flows were on
    recreation = submit(rollback, omar)
    approve(recreation, ana)
    assert run(recreation, omar).status == RequestStatus.DONE
    assert len(sandbox.flows) == 2


def test_bulk_change_of_more_flows_than_the_limit_needs_approval(sandbox, omar, ana):
    set_policy(Terms(bulk_limit=2))
    large = make_plan(sandbox, 3)
    assert access.judge(large).can_request
    # Started all the same, as if the policy was set then.
    Plan.objects.filter(pk=large.pk).update(status=PlanStatus.DRAFT)
    start_and_stop.start(plan=large, reason="", actor=actor_of(omar))
    run_worker()
    assert writes(sandbox) == []

    sids = [change.target_sid for change in large.changes.all()]
    small = drafts.plan_bulk_action(
        action=drafts.BulkAction("disable"), sids=sids[:2], created_by="omar"
    )
    assert access.judge(small).refusal == ""
    start_and_stop.start(plan=small, reason="", actor=actor_of(omar))
    run_worker()
    assert len(writes(sandbox)) == 2


def test_outside_the_hours_it_is_a_request_that_needs_no_approval(sandbox, omar):
    plan = make_plan(sandbox, 2)
    set_policy(Terms(hours=NIGHT))
    assert access.judge(plan).can_request
    request = submit(plan, omar)
    assert request.status == RequestStatus.APPROVED
    with pytest.raises(NotPermitted, match="sent"):
        apply(request, omar)
    assert writes(sandbox) == []


def test_conflicting_requests_are_named(bulk_request, plan, omar):
    sid = plan.changes.first().target_sid
    assert reading.find_conflicts(request_rename(omar, sid)) == []  # of another field
    switch = request_switch(omar, sid)
    assert reading.find_conflicts(switch) == [bulk_request]
    assert reading.find_conflicts(bulk_request) == [switch]


def test_one_change_costs_the_same_in_a_large_bulk_change(
    sandbox, omar, ana, django_assert_max_num_queries
):
    plan = make_plan(sandbox, 30)
    set_policy(ANY)
    request = submit(plan, omar)
    row = plan.changes.first()
    with django_assert_max_num_queries(2):
        assert bulk_contents.is_row_intact(bulk_contents.find_row(row.change_id))
    assert bulk_contents.count_flows(request) == 30


def test_page_offers_to_request_it_and_shows_its_request(sandbox, plan, client_of):
    client = client_of("operator", "omar")
    page = client.get(f"/flows/plans/{plan.pk}/")
    assert "requires 1 approval" in text(page)
    assert "Request approval…" in text(page)
    answer = client.post(f"/flows/plans/{plan.pk}/request/", {"reason": "Holidays"})
    request = ChangeRequest.objects.get()
    assert answer["Location"] == f"/requests/{request.pk}/"
    assert (request.reason, request.requester_label) == ("Holidays", "omar")

    page = client.get(f"/flows/plans/{plan.pk}/")
    assert "It starts from its change request, which is in review." in text(page)
    assert f'href="/requests/{request.pk}/"' in page.content.decode()
    assert "Discard draft" not in text(page)
    assert client.post(f"/flows/plans/{plan.pk}/start/", {"reason": "x"}).status_code == 403
    assert client.post(f"/flows/plans/{plan.pk}/discard/").status_code == 302
    assert Plan.objects.exists()
    assert writes(sandbox) == []


def test_request_page_shows_the_first_flows_and_what_they_would_do(bulk_request, client_of):
    page = client_of("operator", "ana").get(f"/requests/{bulk_request.pk}/")
    assert "Bulk change of 3 flows" in text(page)
    assert all(f"Flow 00{number}" in text(page) for number in range(3))
    assert "The checks would find" in text(page) or "What the checks would find" in text(page)
    assert f'href="/flows/plans/{bulk_request.plan_id}/"' in page.content.decode()


def test_request_of_many_flows_links_to_all_of_them(sandbox, omar, client_of):
    plan = make_plan(sandbox, 51)
    set_policy(ANY)
    page = client_of("viewer").get(f"/requests/{submit(plan, omar).pk}/")
    assert "The first 50 of 51 flows are shown." in text(page)


def test_page_starts_an_approved_one(sandbox, bulk_request, ana, client_of):
    approve(bulk_request, ana)
    client = client_of("operator", "omar")
    data = {"content_hash": bulk_request.content_hash}
    page = client.post(f"/requests/{bulk_request.pk}/apply/", data, follow=True)
    assert "Started. The page of the bulk change shows its progress." in text(page)
    run_worker()
    assert "Done" in text(client.get(f"/requests/{bulk_request.pk}/"))


def test_deletions_are_confirmed_when_they_are_requested(sandbox, client_of):
    plan = make_plan(sandbox, 2, kind="delete")
    set_policy(ANY)
    client = client_of("operator", "omar")
    page = client.post(f"/flows/plans/{plan.pk}/request/", {"reason": "Old", "confirm": "3"})
    assert page.status_code == 422
    assert "Enter 2 to confirm." in text(page)
    assert not ChangeRequest.objects.exists()


def test_erased_row_can_not_be_approved(bulk_request, plan, client_of):
    plan.changes.update(before={}, requested={})
    page = client_of("operator", "ana").get(f"/requests/{bulk_request.pk}/")
    assert "Personal data erased" in text(page)


def test_policy_form_has_the_limit(client_of):
    client = client_of("admin")
    page = client.get(f"/requests/policies/{ACCOUNT}/")
    data = {**form_data(page), "bulk_limit": "20", "reason": "Four eyes"}
    assert client.post(f"/requests/policies/{ACCOUNT}/", data).status_code == 302
    assert load_terms(ACCOUNT).bulk_limit == 20
    assert "bulk changes of more than 20 flows" in text(client.get("/requests/policies/"))
    data["bulk_limit"] = "0"
    assert client.post(f"/requests/policies/{ACCOUNT}/", data).status_code == 422


@pytest.mark.parametrize(
    ("now", "earlier", "is_stricter"),
    [(10, None, True), (10, 20, True), (20, 10, False), (None, 10, False), (10, 10, False)],
)
def test_lower_limit_is_stricter(now, earlier, is_stricter):
    approved_under = Terms(bulk_limit=earlier).for_approvals
    assert Terms(bulk_limit=now).is_stricter_than(approved_under) is is_stricter


def test_approvals_from_before_there_was_a_limit_still_count():
    approved_under = ANY.for_approvals
    del approved_under["bulk_limit"]
    assert not ANY.is_stricter_than(approved_under)
