"""A scheduled change is made once at its time, or suspended with the reason. It never overwrites."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from flows.approvals import requests, validity
from flows.approvals.models import ChangeRequest
from flows.approvals.request_status import RequestStatus
from flows.approvals.terms import Hours, Terms
from flows.audit.models import AuditEvent, Stage
from flows.audit.verification import verify
from flows.availability.restrictions import OperationUnavailable
from flows.changes import operations, reconcile
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.schedules import services, worker
from flows.schedules.models import Schedule
from flows.schedules.schedule_status import ScheduleStatus
from flows.schedules.services import WrongOrder
from flows.schedules.steps import StepNotAllowed
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.flows.approvals import acting
from tests.flows.approvals.acting import ANY, actor_of, set_policy, writes
from tests.flows.schedules.scheduling import (
    current,
    due_in,
    proposed,
    return_of,
    run_at,
    schedule_switch,
    set_time,
    steps_of,
)

pytestmark = pytest.mark.django_db(transaction=True)


def is_on(sandbox, sid):
    return sandbox.flows[sid]["enabled"]


def test_nothing_is_sent_before_the_time(sandbox, schedule, clock):
    assert schedule.request.status == RequestStatus.APPROVED
    assert steps_of(schedule) == ["request.submit", "schedule.set"]

    run_at(clock, minutes=59)

    assert writes(sandbox) == []
    assert current(schedule).status == ScheduleStatus.WAITING


def test_it_is_made_once_at_its_time_by_the_user_who_scheduled_it(
    sandbox, schedule, flow_sid, clock
):
    run_at(clock, hours=1)
    run_at(clock, minutes=1)

    assert is_on(sandbox, flow_sid) is False
    assert len(writes(sandbox)) == 1
    ended = current(schedule)
    assert (ended.status, ended.request.status) == (ScheduleStatus.DONE, RequestStatus.DONE)
    assert ended.lateness is None
    assert steps_of(schedule) == [
        "request.submit",
        "schedule.set",
        "schedule.start",
        "request.apply",
        "flow.update attempt",
        "flow.update outcome",
        "request.finish",
        "schedule.finish",
    ]
    outcome = AuditEvent.objects.get(action="flow.update", stage=Stage.OUTCOME)
    assert (outcome.actor_label, outcome.actor_role, outcome.reason) == (
        "omar",
        "operator",
        "Christmas holidays",
    )
    assert verify().bad_seq is None


def test_a_late_worker_runs_it_within_the_window_and_its_lateness_is_kept(sandbox, schedule, clock):
    assert not schedule.is_overdue
    run_at(clock, hours=1, minutes=10)

    assert current(schedule).status == ScheduleStatus.DONE
    assert current(schedule).lateness == timedelta(minutes=10)


def test_a_schedule_that_no_worker_looks_at_is_overdue(schedule):
    Schedule.objects.update(due_at=timezone.now() - timedelta(minutes=2))

    assert current(schedule).is_overdue
    assert current(schedule).lateness >= timedelta(minutes=2)


def test_after_the_window_it_is_suspended(sandbox, schedule, clock):
    run_at(clock, hours=1, minutes=16)

    suspended = current(schedule)
    assert suspended.status == ScheduleStatus.SUSPENDED
    assert "was not started by" in suspended.note
    assert suspended.request.status == RequestStatus.APPROVED
    assert writes(sandbox) == []
    assert steps_of(schedule)[-1] == "schedule.suspend"


def test_other_fields_that_changed_are_kept(sandbox, schedule, flow_sid, clock):
    sandbox.edit_flow(flow_sid, friendly_name="Renamed in the Console")

    run_at(clock, hours=1)

    assert current(schedule).status == ScheduleStatus.DONE
    assert sandbox.flows[flow_sid]["friendly_name"] == "Renamed in the Console"
    assert is_on(sandbox, flow_sid) is False


def test_the_same_field_changed_is_never_overwritten(sandbox, flow_sid, omar, clock):
    change = proposed(omar, flow_sid, friendly_name="Holidays")
    request = services.schedule_change(change, due_in(clock, 1))
    sandbox.edit_flow(flow_sid, friendly_name="Renamed in the Console")

    run_at(clock, hours=1)

    schedule = Schedule.objects.get(request=request)
    assert schedule.status == ScheduleStatus.SUSPENDED
    assert "Someone else changed" in schedule.note
    assert sandbox.flows[flow_sid]["friendly_name"] == "Renamed in the Console"
    assert writes(sandbox) == []


def test_a_change_that_a_sync_finds_suspends_it_before_its_time(sandbox, flow_sid, omar, clock):
    change = proposed(omar, flow_sid, friendly_name="Holidays")
    request = services.schedule_change(change, due_in(clock, 1))
    sandbox.edit_flow(flow_sid, friendly_name="Renamed in the Console")

    sync_account(ACCOUNT)

    schedule = Schedule.objects.get(request=request)
    assert schedule.status == ScheduleStatus.SUSPENDED
    assert ChangeRequest.objects.get(pk=request.pk).status == RequestStatus.SUSPENDED
    assert steps_of(schedule)[-2:] == ["request.suspend", "schedule.suspend"]


def test_values_that_twilio_has_already_are_done_and_nothing_is_sent(
    sandbox, schedule, flow_sid, clock
):
    sandbox.edit_flow(flow_sid, enabled=False)

    run_at(clock, hours=1)

    assert current(schedule).status == ScheduleStatus.DONE
    assert current(schedule).note == "Twilio had these values already. Nothing was sent."
    assert writes(sandbox) == []


def test_a_user_who_lost_the_role_doesnt_make_it(sandbox, schedule, clock, omar):
    omar.groups.clear()

    run_at(clock, hours=1)

    suspended = current(schedule)
    assert suspended.status == ScheduleStatus.SUSPENDED
    assert suspended.note == "The role of omar, who scheduled it, can't make this change."
    assert writes(sandbox) == []


def test_a_deactivated_user_doesnt_make_it(sandbox, schedule, clock, omar):
    omar.is_active = False
    omar.save()

    run_at(clock, hours=1)

    assert current(schedule).note == "omar, who scheduled it, can no longer sign in."
    assert writes(sandbox) == []


def test_a_read_only_account_suspends_it(sandbox, schedule, clock, settings):
    settings.FLEX_ACCOUNTS = tuple(
        replace(each, is_read_only=True) for each in settings.FLEX_ACCOUNTS
    )

    run_at(clock, hours=1)

    suspended = current(schedule)
    assert suspended.status == ScheduleStatus.SUSPENDED
    assert "Read-only" in suspended.note
    assert writes(sandbox) == []


@pytest.mark.parametrize("kind", [FaultKind.SERVER_ERROR, FaultKind.DROP])
def test_a_flow_that_cant_be_read_suspends_it(sandbox, schedule, clock, kind):
    sandbox.inject(Fault(kind, method="GET", times=None))

    run_at(clock, hours=1)

    suspended = current(schedule)
    assert suspended.status == ScheduleStatus.SUSPENDED
    assert suspended.note
    assert suspended.request.status == RequestStatus.APPROVED
    assert writes(sandbox) == []


def test_what_twilio_refuses_is_suspended_and_its_request_failed(sandbox, schedule, clock):
    sandbox.inject(Fault(FaultKind.REFUSE, method="POST", status=422, code=45008, message="No"))

    run_at(clock, hours=1)

    suspended = current(schedule)
    assert suspended.status == ScheduleStatus.SUSPENDED
    assert suspended.request.status == RequestStatus.FAILED
    assert suspended.note == suspended.request.note != ""


def test_missing_approvals_suspend_it(sandbox, flow_sid, omar, ana, clock):
    set_policy(ANY)
    schedule = schedule_switch(omar, flow_sid, clock)
    assert schedule.request.status == RequestStatus.IN_REVIEW

    run_at(clock, hours=1)

    assert current(schedule).note == "The change request has too few valid approvals."
    assert writes(sandbox) == []


def test_an_approved_schedule_is_made(sandbox, flow_sid, omar, ana, clock):
    set_policy(ANY)
    schedule = schedule_switch(omar, flow_sid, clock)
    acting.approve(schedule.request, ana)

    run_at(clock, hours=1)

    assert current(schedule).status == ScheduleStatus.DONE
    assert is_on(sandbox, flow_sid) is False


def test_a_void_approval_suspends_it(sandbox, flow_sid, omar, ana, clock):
    set_policy(ANY)
    schedule = schedule_switch(omar, flow_sid, clock)
    acting.approve(schedule.request, ana)
    ana.groups.clear()

    run_at(clock, hours=1)

    assert current(schedule).note == "The change request has too few valid approvals."
    assert current(schedule).request.status == RequestStatus.IN_REVIEW
    assert writes(sandbox) == []


def test_hours_of_the_policy_suspend_it(sandbox, schedule, clock):
    now = timezone.now()
    closed = Hours(
        days=((now.weekday() + 2) % 7,),
        opens_at=now.time().replace(hour=1, minute=0),
        closes_at=now.time().replace(hour=2, minute=0),
        time_zone="UTC",
    )
    set_policy(Terms(hours=closed))

    run_at(clock, hours=1)

    assert "Changes of this account are sent" in current(schedule).note
    assert writes(sandbox) == []


def test_an_edited_request_has_to_be_scheduled_again(sandbox, flow_sid, omar, clock):
    change = proposed(omar, flow_sid, friendly_name="Holidays")
    request = services.schedule_change(change, due_in(clock, 1))
    schedule = Schedule.objects.get(request=request)
    acting.revise(request, omar, friendly_name="Christmas")

    run_at(clock, hours=1)
    assert current(schedule).status == ScheduleStatus.SUSPENDED
    assert "was edited" in current(schedule).note

    set_time(schedule, omar, due_in(clock, 1))
    run_at(clock, hours=1)
    assert current(schedule).status == ScheduleStatus.DONE
    assert sandbox.flows[flow_sid]["friendly_name"] == "Christmas"


@pytest.mark.parametrize(
    ("end", "words"), [(requests.cancel, "was cancelled"), (requests.reject, "was rejected")]
)
def test_a_request_that_ends_cancels_its_schedule(flow_sid, omar, ana, clock, end, words):
    set_policy(ANY)
    schedule = schedule_switch(omar, flow_sid, clock)
    request = schedule.request
    if end is requests.cancel:
        end(request.pk, actor=actor_of(omar))
    else:
        end(request.pk, content_hash=request.content_hash, actor=actor_of(ana), comment="No")

    assert current(schedule).status == ScheduleStatus.CANCELLED
    assert words in current(schedule).note


def test_a_change_applied_by_a_user_isnt_made_again(sandbox, schedule, omar, clock):
    acting.apply(schedule.request, omar)
    assert current(schedule).status == ScheduleStatus.DONE
    event = AuditEvent.objects.get(request_id=schedule.request_id, action="schedule.start")
    assert event.payload.message == "omar applied the change before its time."

    run_at(clock, hours=1)
    assert len(writes(sandbox)) == 1


def test_a_change_applied_before_its_time_that_isnt_sent_suspends_its_schedule(
    sandbox, flow_sid, schedule, omar, clock
):
    sandbox.inject(Fault(FaultKind.REFUSE, method="GET", status=403))
    acting.apply(schedule.request, omar)

    assert current(schedule).status == ScheduleStatus.SUSPENDED
    assert current(schedule).note
    assert writes(sandbox) == []


def test_a_return_doesnt_overwrite_what_someone_else_had_set(sandbox, flow_sid, omar, clock):
    schedule = schedule_switch(omar, flow_sid, clock, return_after=5)
    sandbox.flows[flow_sid]["enabled"] = False  # for good, and no sync has seen it

    run_at(clock, hours=1)
    run_at(clock, hours=4)

    assert current(schedule).status == ScheduleStatus.DONE
    assert current(return_of(schedule)).status == ScheduleStatus.SUSPENDED
    assert "The first change sent nothing" in current(return_of(schedule)).note
    assert sandbox.flows[flow_sid]["enabled"] is False


def test_an_edit_of_the_first_change_cancels_its_return(flow_sid, omar, clock):
    schedule = schedule_switch(omar, flow_sid, clock, return_after=5)
    request = schedule.request
    requests.revise(
        request.pk,
        content_hash=request.content_hash,
        values={"friendly_name": "Another name"},
        reason="Better",
        actor=actor_of(omar),
    )

    assert current(schedule).status == ScheduleStatus.SUSPENDED
    assert current(return_of(schedule)).status == ScheduleStatus.CANCELLED
    assert "The first change was edited" in current(return_of(schedule)).note


def test_a_cancelled_schedule_isnt_made_and_its_request_stays(sandbox, schedule, omar, clock):
    services.cancel(schedule.request_id, actor=actor_of(omar), comment="Not this year")
    run_at(clock, hours=1)

    assert current(schedule).request.status == RequestStatus.APPROVED
    assert writes(sandbox) == []
    with pytest.raises(StepNotAllowed):
        services.cancel(schedule.request_id, actor=actor_of(omar))


def test_a_new_time_replaces_the_earlier_one(sandbox, schedule, ana, clock):
    set_time(schedule, ana, due_in(clock, 3))
    run_at(clock, hours=1)
    assert writes(sandbox) == []

    run_at(clock, hours=2)
    assert current(schedule).status == ScheduleStatus.DONE
    outcome = AuditEvent.objects.get(action="flow.update", stage=Stage.OUTCOME)
    assert outcome.actor_label == "ana"


def test_a_started_or_ended_schedule_takes_no_new_time(schedule, omar, clock):
    run_at(clock, hours=1)
    with pytest.raises(StepNotAllowed):
        set_time(schedule, omar, due_in(clock, 1))


def test_a_schedule_in_two_months_keeps_its_request_open(schedule):
    long_ago = timezone.now() - timedelta(days=60)
    ChangeRequest.objects.update(submitted_at=long_ago)

    assert validity.review(schedule.request_id).status == RequestStatus.APPROVED


def test_a_suspended_schedule_keeps_its_request_for_some_time(schedule, clock):
    run_at(clock, hours=2)
    long_ago = timezone.now() - timedelta(days=60)
    ChangeRequest.objects.update(submitted_at=long_ago)
    assert validity.review(schedule.request_id).status == RequestStatus.APPROVED

    Schedule.objects.update(ended_at=timezone.now() - timedelta(days=31))
    assert validity.review(schedule.request_id).status == RequestStatus.EXPIRED
    assert current(schedule).status == ScheduleStatus.CANCELLED


def test_an_unknown_outcome_stays_in_progress_until_it_is_known(sandbox, schedule, clock):
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    run_at(clock, hours=1)
    run_at(clock, hours=1)
    assert current(schedule).status == ScheduleStatus.STARTED

    reconcile.reconcile()
    run_at(clock, minutes=1)
    assert current(schedule).status == ScheduleStatus.DONE
    assert len(writes(sandbox)) == 1


def test_return_takes_back_the_change(sandbox, flow_sid, omar, clock):
    schedule = schedule_switch(omar, flow_sid, clock, return_after=5)
    later = return_of(schedule)
    assert later.request.requested == {"enabled": True}

    run_at(clock, hours=1)
    sync_account(ACCOUNT)
    assert is_on(sandbox, flow_sid) is False
    assert current(later).status == ScheduleStatus.WAITING

    run_at(clock, hours=4)
    assert is_on(sandbox, flow_sid) is True
    assert current(later).status == ScheduleStatus.DONE


def test_return_waits_unharmed_until_the_first_change_is_made(sandbox, flow_sid, omar, clock):
    schedule = schedule_switch(omar, flow_sid, clock, return_after=5)
    sync_account(ACCOUNT)

    later = return_of(schedule)
    assert (later.status, later.request.status) == (
        ScheduleStatus.WAITING,
        RequestStatus.APPROVED,
    )


def test_return_is_suspended_if_the_first_change_wasnt_made(sandbox, flow_sid, omar, clock):
    schedule = schedule_switch(omar, flow_sid, clock, return_after=5)

    run_at(clock, hours=5)

    assert current(schedule).status == ScheduleStatus.SUSPENDED
    later = current(return_of(schedule))
    assert later.status == ScheduleStatus.SUSPENDED
    assert later.note == ("The first change is not done. Its request is approved.")
    assert writes(sandbox) == []


def test_return_is_suspended_if_someone_else_changed_the_field(sandbox, flow_sid, omar, clock):
    change = proposed(omar, flow_sid, friendly_name="Holidays")
    request = services.schedule_change(change, due_in(clock, 1), due_in(clock, 5))
    later = return_of(Schedule.objects.get(request=request))
    run_at(clock, hours=1)
    sandbox.edit_flow(flow_sid, friendly_name="Renamed in the Console")

    run_at(clock, hours=4)

    assert current(later).status == ScheduleStatus.SUSPENDED
    assert sandbox.flows[flow_sid]["friendly_name"] == "Renamed in the Console"


def test_return_is_made_if_the_first_change_was_applied_by_a_user(sandbox, flow_sid, omar, clock):
    schedule = schedule_switch(omar, flow_sid, clock, return_after=5)
    acting.apply(schedule.request, omar)

    run_at(clock, hours=5)

    assert current(return_of(schedule)).status == ScheduleStatus.DONE
    assert is_on(sandbox, flow_sid) is True


def test_cancelling_a_schedule_cancels_that_of_its_return(flow_sid, omar, clock):
    schedule = schedule_switch(omar, flow_sid, clock, return_after=5)
    services.cancel(schedule.request_id, actor=actor_of(omar))

    later = return_of(schedule)
    assert later.status == ScheduleStatus.CANCELLED
    assert steps_of(later)[-1] == "schedule.cancel"
    assert later.request.status == RequestStatus.APPROVED


def test_a_return_cant_be_moved_before_its_change(flow_sid, omar, clock):
    schedule = schedule_switch(omar, flow_sid, clock, return_after=5)
    with pytest.raises(WrongOrder):
        set_time(return_of(schedule), omar, due_in(clock, 1.2))
    with pytest.raises(WrongOrder):
        set_time(schedule, omar, due_in(clock, 5))


def test_a_form_that_is_sent_twice_makes_one_schedule(flow_sid, omar, clock):
    change = proposed(omar, flow_sid, enabled=False)
    pair = [
        services.schedule_change(change, due_in(clock, hours), due_in(clock, 9)) for hours in (1, 2)
    ]
    assert pair[0].pk == pair[1].pk
    assert Schedule.objects.count() == ChangeRequest.objects.count() == 2


def test_the_thread_makes_what_is_due_and_survives_an_error(sandbox, schedule, clock, caplog):
    clock.advance(hours=1)

    def broken():
        raise RuntimeError

    worker.run_once(broken)
    worker.run_once(clock)

    assert current(schedule).status == ScheduleStatus.DONE
    assert "Schedules could not be looked at: RuntimeError" in caplog.text


def test_a_process_that_was_paused_for_too_long_sends_nothing(sandbox, schedule, omar, clock):
    """Its start counts as interrupted by then, and the schedule is suspended."""
    request = schedule.request
    assert request.status == RequestStatus.APPROVED
    stale = replace(actor_of(omar), request_id=str(request.pk))

    with pytest.raises(OperationUnavailable) as refusal:
        operations.update(
            FLEX_FLOW,
            sid=request.target_sid,
            base=request.before,
            values=request.requested,
            reason=request.reason,
            actor=stale,
            change_id=request.change_id,
            account_sid=ACCOUNT,
        )

    assert "no longer in progress" in refusal.value.restriction.sentence
    assert writes(sandbox) == []


def test_a_form_that_someone_elses_change_overtook_is_suspended_at_once(flow_sid, omar, clock):
    change = proposed(omar, flow_sid, friendly_name="Holidays")
    stale = replace(change, before={**change.before, "friendly_name": "Older name"})

    request = services.schedule_change(stale, due_in(clock, 1))

    assert request.status == RequestStatus.SUSPENDED
    assert Schedule.objects.get(request=request).status == ScheduleStatus.SUSPENDED


def test_a_flow_stored_long_ago_takes_no_review_and_a_changed_one_does(
    sandbox, flow_sid, omar, clock, django_assert_max_num_queries
):
    Flow.objects.update(mirrored_at=timezone.now() - timedelta(hours=1))
    change = proposed(omar, flow_sid, friendly_name="Holidays")
    request = services.schedule_change(change, due_in(clock, 1), due_in(clock, 5))
    with django_assert_max_num_queries(7):
        validity.on_account_updated(account_sid=ACCOUNT)

    sandbox.edit_flow(flow_sid, friendly_name="Renamed in the Console")
    sync_account(ACCOUNT)
    assert ChangeRequest.objects.get(pk=request.pk).status == RequestStatus.SUSPENDED
