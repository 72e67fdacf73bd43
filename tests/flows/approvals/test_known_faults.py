"""Faults that other projects' approvals had, each as a test of ours. Sources: their bug trackers."""

from datetime import timedelta

import pytest
from django.utils import timezone

from flows.approvals import bulk_requests, reading, requests, validity
from flows.approvals.models import Approval, ChangeRequest
from flows.approvals.request_status import RequestStatus
from flows.approvals.requests import NotPermitted
from flows.approvals.transitions import TransitionNotAllowed
from flows.audit.models import AuditEvent
from flows.availability.restrictions import OperationUnavailable as Refused
from flows.changes import flow_changes
from flows.mirror.models import Flow
from flows.mirror.name_sync import sync_with_names
from flows.plans import access, follow_ups, start_and_stop
from flows.plans.models import Plan
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.flows.approvals.acting import (
    ANY,
    actor_of,
    apply,
    approve,
    current,
    event_actions,
    request_change,
    request_rename,
    revise,
    set_policy,
    writes,
)
from tests.flows.plans.running import make_plan, run_worker

pytestmark = pytest.mark.django_db(transaction=True)


def reject(request, user, comment="No"):
    requests.reject(
        request.pk,
        content_hash=current(request).content_hash,
        actor=actor_of(user),
        comment=comment,
    )


def test_flagsmith_7056_edit_did_not_void_approvals(sandbox, request_, omar, ana):
    approve(request_, ana)
    revise(request_, omar, friendly_name="Third name")

    assert current(request_).status == RequestStatus.IN_REVIEW
    assert Approval.objects.get().void_reason == "The request was edited."
    assert event_actions(request_)[-2:] == ["request.void", "request.revise"]
    with pytest.raises(TransitionNotAllowed):
        apply(request_, omar)
    assert writes(sandbox) == []


def test_unleash_admins_could_approve_and_apply_their_own(sandbox, flow_sid, adam):
    set_policy(ANY)
    request = request_rename(adam, flow_sid)

    with pytest.raises(NotPermitted, match="your own"):
        approve(request, adam)
    with pytest.raises(TransitionNotAllowed):
        apply(request, adam)
    assert writes(sandbox) == []


def test_own_approval_in_the_database_does_not_count(request_, omar):
    Approval.objects.create(
        request=request_,
        user_id=str(omar.pk),
        user_label="omar",
        content_hash=request_.content_hash,
        terms=ANY.for_approvals,
        approved_at=timezone.now(),
    )
    assert validity.review(request_.pk).status == RequestStatus.IN_REVIEW


def test_flagsmith_7064_no_reject_existed(request_, ana):
    reject(request_, ana, "Wrong number")

    assert ChangeRequest.objects.get().note == "Wrong number"
    assert event_actions(request_) == ["request.submit", "request.reject"]


def test_launchdarkly_applied_although_it_was_declined(sandbox, request_, omar, ana, adam):
    approve(request_, adam)
    reject(request_, ana)

    with pytest.raises(TransitionNotAllowed):
        apply(request_, omar)
    with pytest.raises(TransitionNotAllowed):
        apply(request_, adam, bypass_reason="Outage")
    assert writes(sandbox) == []


def test_flagsmith_commit_left_it_half_applied(sandbox, flow_sid, omar, ana):
    """A request is one call with all of its fields, so a refusal applies none."""
    set_policy(ANY)
    base = Flow.objects.get(sid=flow_sid).resource
    values = {"friendly_name": "New name", "integration_retry_count": 1}
    request = request_change(omar, flow_changes.update_flow, sid=flow_sid, base=base, values=values)
    approve(request, ana)
    sandbox.inject(Fault(FaultKind.REFUSE, method="POST", status=422, code=45008, message="No"))

    assert apply(request, omar).status == RequestStatus.FAILED
    flow = sandbox.flows[flow_sid]
    assert flow["friendly_name"] == "Réclamations Lyon"
    assert flow["integration"]["retry_count"] == 3


def test_flagsmith_half_applied_bulk_change_says_so(sandbox, omar, ana):
    """It can't be one call. So it is not done, says what is missing, and the rest needs approval."""
    plan = make_plan(sandbox, 3)
    set_policy(ANY)
    request = bulk_requests.submit(plan.pk, reason="Holidays", actor=actor_of(omar))
    approve(request, ana)
    sandbox.inject(Fault(FaultKind.REFUSE, method="POST", status=422, code=45008, message="No"))
    apply(request, omar)
    run_worker()

    assert current(request).status == RequestStatus.FAILED
    assert current(request).note == "2 of 3 changes applied: 1 failed."
    retry = follow_ups.plan_retry(plan=Plan.objects.get(), created_by="omar")
    with pytest.raises(Refused):
        start_and_stop.start(plan=plan, reason="Holidays", actor=actor_of(omar))
    assert access.judge(retry).can_request


def test_isms_197_approval_of_a_bulk_change_outlived_a_rewrite_of_a_row(sandbox, omar, ana):
    plan = make_plan(sandbox, 3)
    set_policy(ANY)
    request = bulk_requests.submit(plan.pk, reason="Holidays", actor=actor_of(omar))
    approve(request, ana)
    row = plan.changes.last()
    plan.changes.filter(pk=row.pk).update(requested={"friendly_name": "Rewritten"})

    with pytest.raises((requests.ContentChanged, TransitionNotAllowed)):
        apply(request, omar)
    assert current(request).status == RequestStatus.SUSPENDED
    assert event_actions(request)[-1] == "request.void"
    assert writes(sandbox) == []


def test_isms_197_approval_outlived_a_rewrite_of_the_content(sandbox, request_, omar, ana):
    """Even of a rewrite that no code of ours made."""
    approve(request_, ana)
    ChangeRequest.objects.update(requested={"friendly_name": "Rewritten"})

    with pytest.raises((requests.ContentChanged, TransitionNotAllowed)):
        apply(request_, omar)
    assert current(request_).status == RequestStatus.IN_REVIEW
    assert event_actions(request_)[-1] == "request.void"
    assert writes(sandbox) == []


def test_isms_197_approval_was_deleted_by_starting_the_work(request_, omar, ana):
    approve(request_, ana)
    apply(request_, omar)

    approval = Approval.objects.get()
    assert (approval.user_label, approval.voided_at) == ("ana", None)


def test_yuzu_2761_expiry_was_only_swept_when_someone_looked(request_):
    late = timezone.now() - validity.REQUEST_LIFETIME - timedelta(minutes=1)
    ChangeRequest.objects.update(submitted_at=late)
    sync_with_names(ACCOUNT)  # as the site's own syncs do

    assert current(request_).status == RequestStatus.EXPIRED
    assert AuditEvent.objects.filter(action="request.expire").exists()


def test_sysknife_251_cancel_wrote_no_event(request_, omar):
    requests.cancel(request_.pk, actor=actor_of(omar), comment="Not needed")

    event = AuditEvent.objects.get(action="request.cancel")
    assert (event.actor_label, event.reason) == ("omar", "Not needed")


def test_netbox_632_conflict_between_two_objects_was_not_named(flow_sid, omar, ana):
    """Two new flows of one identity are no conflict of one object's fields."""
    set_policy(ANY)
    values = {
        "friendly_name": "Hotline",
        "channel_type": "sms",
        "contact_identity": "+33199000999",
        "integration_type": "studio",
        "integration_flow_sid": "FW" + "1" * 32,
    }
    first = request_change(omar, flow_changes.create_flow, values=values)
    second = request_change(
        ana, flow_changes.create_flow, values={**values, "friendly_name": "Other"}
    )
    third = request_rename(omar, flow_sid)

    assert reading.find_conflicts(second) == [first]
    assert reading.find_conflicts(third) == []
