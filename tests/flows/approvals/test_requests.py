"""Change requests: a change under policy is sent with valid approvals of exactly its content only."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from flexadmin.users.services import set_active, set_roles
from flows.approvals import requests, validity
from flows.approvals.models import Approval, ChangeRequest
from flows.approvals.request_status import RequestStatus
from flows.approvals.requests import ContentChanged, NotPermitted
from flows.approvals.terms import ApproverPermission, Terms
from flows.approvals.transitions import TransitionNotAllowed
from flows.audit.models import AuditEvent, OpenChange, Result, Stage
from flows.audit.verification import verify
from flows.changes import change_guard, flow_changes, reconcile
from flows.mirror.models import Flow
from flows.mirror.name_sync import sync_with_names
from flows.mirror.sync import sync_account
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.flows.approvals import acting
from tests.flows.approvals.acting import (
    ANY,
    actor_of,
    apply,
    approve,
    current,
    event_actions,
    request_deletion,
    request_rename,
    request_switch,
    revise,
    set_policy,
    writes,
)

pytestmark = pytest.mark.django_db(transaction=True)


def age(model, field, by):
    """Move a time of all rows of a model into the past."""
    model.objects.update(**{field: timezone.now() - by})


def name_at_twilio(sandbox, sid):
    return sandbox.flows[sid]["friendly_name"]


def test_change_under_policy_becomes_a_request_and_nothing_is_sent(sandbox, request_):
    assert writes(sandbox) == []
    assert request_.status == RequestStatus.IN_REVIEW
    assert request_.requested == {"friendly_name": "New name"}
    assert request_.before["friendly_name"] == "Réclamations Lyon"
    assert event_actions(request_) == ["request.submit"]
    assert not AuditEvent.objects.filter(stage=Stage.ATTEMPT).exists()


def test_same_form_twice_is_one_request(flow_sid, omar):
    set_policy(ANY)
    change_id = uuid.uuid4()
    first, second = (
        acting.request_change(
            omar, flow_changes.set_enabled, sid=flow_sid, enabled=False, change_id=change_id
        )
        for _ in range(2)
    )
    assert first.pk == second.pk
    assert event_actions(first) == ["request.submit"]


def test_approved_request_is_applied_with_its_reason_and_linked_events(
    sandbox, request_, flow_sid, omar, ana
):
    assert approve(request_, ana, "Looks right").status == RequestStatus.APPROVED

    assert apply(request_, omar).status == RequestStatus.DONE

    assert name_at_twilio(sandbox, flow_sid) == "New name"
    assert event_actions(request_) == [
        "request.submit",
        "request.approve",
        "request.apply",
        "flow.update attempt",
        "flow.update outcome",
        "request.finish",
    ]
    outcome = AuditEvent.objects.get(action="flow.update", stage=Stage.OUTCOME)
    assert outcome.reason == "A reason"
    approval = AuditEvent.objects.get(action="request.approve")
    assert (approval.actor_label, approval.reason) == ("ana", "Looks right")


@pytest.mark.parametrize("ask", [request_switch, request_deletion])
def test_other_operations_are_requested_and_applied(sandbox, flow_sid, omar, ana, ask):
    set_policy(ANY)
    request = ask(omar, flow_sid)
    assert writes(sandbox) == []
    approve(request, ana)

    assert apply(request, omar).status == RequestStatus.DONE

    flow = sandbox.flows.get(flow_sid)
    assert flow is None if ask is request_deletion else flow["enabled"] is False


def test_creation_is_requested_and_applied(sandbox, flow_sid, omar, ana):
    set_policy(ANY)
    values = {
        "friendly_name": "Hotline",
        "channel_type": "sms",
        "contact_identity": "+33199000999",
        "chat_service_sid": "IS" + "1" * 32,
        "integration_type": "studio",
        "integration_flow_sid": "FW" + "1" * 32,
    }
    request = acting.request_change(omar, flow_changes.create_flow, values=values)
    approve(request, ana)

    assert apply(request, ana).status == RequestStatus.DONE
    assert [one["friendly_name"] for one in sandbox.flows.values()].count("Hotline") == 1


def test_nobody_applies_it_without_approval(sandbox, request_, omar):
    with pytest.raises(TransitionNotAllowed):
        apply(request_, omar)

    assert writes(sandbox) == []
    assert event_actions(request_) == ["request.submit"]


def test_two_approvals_are_of_two_users(request_, ana, adam):
    set_policy(Terms(kinds=("any",), approvals_required=2))

    assert approve(request_, ana).status == RequestStatus.IN_REVIEW
    with pytest.raises(NotPermitted):
        approve(request_, ana)
    assert approve(request_, adam).status == RequestStatus.APPROVED


def test_role_of_the_policy_approves_only(request_, ana, adam):
    set_policy(Terms(kinds=("any",), approver_permission=ApproverPermission.SET_POLICY))

    with pytest.raises(NotPermitted):
        approve(request_, ana)
    assert approve(request_, adam).status == RequestStatus.APPROVED


def test_page_that_showed_other_content_approves_nothing(request_, omar, ana):
    content_hash = request_.content_hash
    revise(request_, omar, friendly_name="Third name")

    with pytest.raises(ContentChanged):
        requests.approve(request_.pk, content_hash=content_hash, actor=actor_of(ana))
    assert not Approval.objects.exists()


def test_merge_keeps_what_others_changed_in_other_fields(sandbox, request_, flow_sid, omar, ana):
    approve(request_, ana)
    sandbox.edit_flow(flow_sid, integration_retry_count=1)
    sync_account(ACCOUNT)
    assert current(request_).status == RequestStatus.APPROVED

    assert apply(request_, omar).status == RequestStatus.DONE
    assert sandbox.flows[flow_sid]["integration"]["retry_count"] == 1


def test_outside_change_of_the_same_field_voids_and_suspends(
    sandbox, request_, flow_sid, omar, ana
):
    approve(request_, ana)
    sandbox.edit_flow(flow_sid, friendly_name="Console")
    sync_account(ACCOUNT)

    suspended = current(request_)
    assert suspended.status == RequestStatus.SUSPENDED
    assert "Name" in suspended.note or "name" in suspended.note
    assert event_actions(request_)[-2:] == ["request.suspend", "request.void"]
    with pytest.raises(TransitionNotAllowed):
        apply(request_, omar)
    assert writes(sandbox) == []


def test_outside_change_that_no_sync_saw_suspends_when_it_is_applied(
    sandbox, request_, flow_sid, omar, ana
):
    approve(request_, ana)
    sandbox.edit_flow(flow_sid, friendly_name="Console")

    assert apply(request_, omar).status == RequestStatus.SUSPENDED

    assert name_at_twilio(sandbox, flow_sid) == "Console"
    assert writes(sandbox) == []
    assert Approval.objects.get().voided_at is not None


def test_outside_change_to_the_requested_value_needs_a_new_decision(sandbox, flow_sid, omar, ana):
    """Only exactly the approved change is sent, so never a part of it."""
    set_policy(ANY)
    base = Flow.objects.get(sid=flow_sid).resource
    values = {"friendly_name": "New name", "integration_retry_count": 2}
    request = acting.request_change(
        omar, flow_changes.update_flow, sid=flow_sid, base=base, values=values
    )
    approve(request, ana)
    sandbox.edit_flow(flow_sid, friendly_name="New name")

    ended = apply(request, omar)

    assert ended.status != RequestStatus.DONE
    assert writes(sandbox) == []


def test_edit_of_a_suspended_request_begins_a_new_review(sandbox, request_, flow_sid, omar, ana):
    sandbox.edit_flow(flow_sid, friendly_name="Console")
    sync_account(ACCOUNT)

    revised = revise(request_, omar, friendly_name="Third name")

    assert revised.status == RequestStatus.IN_REVIEW
    assert revised.before["friendly_name"] == "Console"
    approve(request_, ana)
    assert apply(request_, omar).status == RequestStatus.DONE
    assert name_at_twilio(sandbox, flow_sid) == "Third name"


def test_approval_of_a_user_who_lost_the_role_is_void_at_once(request_, ana, adam):
    approve(request_, ana)
    set_roles(person=ana, role="viewer", on_accounts={}, actor=actor_of(adam), reason="Moved")

    assert current(request_).status == RequestStatus.IN_REVIEW
    assert event_actions(request_)[-1] == "request.void"
    assert "can no longer approve" in Approval.objects.get().void_reason


def test_approval_of_a_deactivated_user_is_void_at_once(request_, ana, adam):
    approve(request_, ana)
    set_active(person=ana, is_active=False, actor=actor_of(adam), reason="Left")

    assert current(request_).status == RequestStatus.IN_REVIEW
    assert event_actions(request_)[-1] == "request.void"


def test_guard_asks_for_the_role_again_when_the_change_is_sent(sandbox, request_, omar, ana):
    """Even if no review has seen the loss, such as of a role that was removed in the database."""
    approve(request_, ana)
    ChangeRequest.objects.update(status=RequestStatus.IN_PROGRESS, started_at=timezone.now())
    ana.groups.clear()
    request = current(request_)

    with pytest.raises(change_guard.OperationUnavailable, match="too few valid approvals"):
        flow_changes.update_flow(
            sid=request.target_sid,
            base=request.before,
            values=request.requested,
            reason=request.reason,
            actor=actor_of(omar),
            change_id=request.change_id,
            account_sid=ACCOUNT,
        )
    assert writes(sandbox) == []


@pytest.mark.parametrize(
    "change", [{"values": {"friendly_name": "Other"}}, {"reason": "Other"}, {"action": "switch"}]
)
def test_guard_lets_only_the_approved_content_through(sandbox, request_, omar, ana, change):
    approve(request_, ana)
    ChangeRequest.objects.update(status=RequestStatus.IN_PROGRESS, started_at=timezone.now())
    request = current(request_)
    values = {
        "base": request.before,
        "values": request.requested,
        "reason": request.reason,
        **change,
    }
    if values.pop("action", ""):
        values["values"] = {"enabled": False}

    with pytest.raises(change_guard.OperationUnavailable, match="not the one that was approved"):
        flow_changes.update_flow(
            sid=request.target_sid,
            actor=actor_of(omar),
            change_id=request.change_id,
            account_sid=ACCOUNT,
            **values,
        )
    assert writes(sandbox) == []


def test_stricter_policy_voids_approvals_and_a_weaker_one_does_not(request_, ana):
    set_policy(Terms(kinds=("any",), approvals_required=2))
    approve(request_, ana)

    set_policy(ANY)
    validity.review(request_.pk)
    assert current(request_).status == RequestStatus.APPROVED

    set_policy(Terms(kinds=("any",), approver_permission=ApproverPermission.SET_POLICY))
    validity.review(request_.pk)
    assert current(request_).status == RequestStatus.IN_REVIEW
    assert Approval.objects.get().void_reason == "The policy has become stricter."


def test_old_approval_is_void_after_a_sync_without_any_visit(request_, ana):
    approve(request_, ana)
    age(Approval, "approved_at", validity.APPROVAL_LIFETIME + timedelta(minutes=1))
    sync_with_names(ACCOUNT)

    assert current(request_).status == RequestStatus.IN_REVIEW
    assert event_actions(request_)[-1] == "request.void"


def test_request_without_a_decision_expires_with_an_event(request_):
    age(ChangeRequest, "submitted_at", validity.REQUEST_LIFETIME + timedelta(minutes=1))
    sync_with_names(ACCOUNT)

    assert current(request_).status == RequestStatus.EXPIRED
    assert event_actions(request_) == ["request.submit", "request.expire"]


def test_rejection_keeps_the_request_and_its_reason(request_, omar, ana):
    requests.reject(
        request_.pk,
        content_hash=request_.content_hash,
        actor=actor_of(ana),
        comment="Not on a Friday",
    )

    rejected = current(request_)
    assert (rejected.status, rejected.note) == (RequestStatus.REJECTED, "Not on a Friday")
    with pytest.raises(TransitionNotAllowed):
        apply(request_, omar)


def test_only_the_requester_and_administrators_cancel(request_, omar, ana):
    with pytest.raises(NotPermitted):
        requests.cancel(request_.pk, actor=actor_of(ana))
    requests.cancel(request_.pk, actor=actor_of(omar), comment="No longer needed")

    assert current(request_).status == RequestStatus.CANCELLED
    assert event_actions(request_)[-1] == "request.cancel"


def test_comments_are_events(request_, ana):
    requests.comment_on(request_.pk, actor=actor_of(ana), comment="Why today?")

    event = AuditEvent.objects.get(action="request.comment")
    assert (event.actor_label, event.reason) == ("ana", "Why today?")
    assert current(request_).status == RequestStatus.IN_REVIEW


def test_break_glass_is_for_administrators_and_marked_for_ever(
    sandbox, request_, flow_sid, omar, ana, adam
):
    with pytest.raises(NotPermitted):
        apply(request_, ana, bypass_reason="Outage")
    assert writes(sandbox) == []

    done = apply(request_, adam, bypass_reason="Outage")

    assert done.status == RequestStatus.DONE
    assert done.is_without_approval
    assert name_at_twilio(sandbox, flow_sid) == "New name"
    event = AuditEvent.objects.get(action="request.break_glass")
    assert (event.actor_label, event.reason) == ("adam", "Outage")


def test_refusal_of_twilio_fails_the_request(sandbox, request_, omar, ana):
    approve(request_, ana)
    sandbox.inject(Fault(FaultKind.REFUSE, method="POST", status=422, code=45008, message="No"))

    failed = apply(request_, omar)

    assert failed.status == RequestStatus.FAILED
    assert event_actions(request_)[-1] == "request.fail"


def test_lost_answer_leaves_it_in_progress_until_reading_tells(
    sandbox, request_, flow_sid, omar, ana
):
    approve(request_, ana)
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))

    assert apply(request_, omar).status == RequestStatus.IN_PROGRESS
    sandbox.clear_faults()
    reconcile.reconcile_one(OpenChange.objects.get())

    assert current(request_).status == RequestStatus.DONE
    assert event_actions(request_)[-1] == "request.finish"
    assert name_at_twilio(sandbox, flow_sid) == "New name"


def test_start_that_died_comes_back_with_another_change_id(request_, ana):
    approve(request_, ana)
    old = timezone.now() - validity.START_TIMEOUT - timedelta(minutes=1)
    ChangeRequest.objects.update(status=RequestStatus.IN_PROGRESS, started_at=old)

    returned = validity.review(request_.pk)

    assert returned.status == RequestStatus.APPROVED
    assert returned.change_id != request_.change_id
    assert event_actions(request_)[-1] == "request.return"


def test_unreadable_flow_sends_nothing_and_can_be_applied_later(sandbox, request_, omar, ana):
    approve(request_, ana)
    sandbox.inject(Fault(FaultKind.HTML, method="GET", times=None, status=500))
    assert apply(request_, omar).status == RequestStatus.APPROVED
    assert writes(sandbox) == []
    sandbox.clear_faults()

    assert apply(request_, omar).status == RequestStatus.DONE


def test_new_secret_is_never_stored(flow_sid, omar):
    set_policy(ANY)
    base = Flow.objects.get(sid=flow_sid).resource
    values = {
        "integration_type": "external",
        "integration_url": "https://hooks.example.com/in?token=topsecret",
    }
    with pytest.raises(change_guard.SecretInRequest):
        acting.request_change(
            omar, flow_changes.update_flow, sid=flow_sid, base=base, values=values
        )
    assert not ChangeRequest.objects.exists()


def test_secret_that_the_flow_has_stays_in_an_applied_request(sandbox, omar, ana):
    sid = sandbox.add_flow(
        friendly_name="Hook",
        channel_type="web",
        integration_type="external",
        integration_url="https://hooks.example.com/in?token=topsecret",
    )
    sync_account(ACCOUNT)
    set_policy(ANY)
    request = request_rename(omar, sid)
    assert "topsecret" not in str(request.before)
    approve(request, ana)

    assert apply(request, omar).status == RequestStatus.DONE
    assert sandbox.flows[sid]["integration"]["url"].endswith("token=topsecret")


def test_chain_is_valid_after_all_of_it(request_, omar, ana):
    approve(request_, ana)
    revise(request_, omar, friendly_name="Third name")
    approve(request_, ana)
    apply(request_, omar)

    assert verify().is_intact
    results = {event.result for event in AuditEvent.objects.filter(request_id=request_.pk)}
    assert results <= {Result.SUCCEEDED, Result.PENDING}


def test_many_waiting_requests_cost_few_queries_in_a_review(
    sandbox, flow_sid, omar, django_assert_max_num_queries
):
    set_policy(ANY)
    for number in range(12):
        request_rename(omar, flow_sid, f"Name {number}")
    with django_assert_max_num_queries(8):
        validity.on_account_updated(account_sid=ACCOUNT)

    sandbox.edit_flow(flow_sid, friendly_name="Renamed in the Console")
    sync_account(ACCOUNT)
    assert set(ChangeRequest.objects.values_list("status", flat=True)) == {"suspended"}
