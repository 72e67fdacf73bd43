"""The pages of schedules: the forms of a flow, a change request, the calendar and the overview."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.html import strip_tags

from flows.approvals.models import ChangeRequest
from flows.approvals.terms import Terms
from flows.audit.models import AuditEvent
from flows.schedules import services
from flows.schedules.models import Schedule
from flows.schedules.schedule_status import ScheduleStatus
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests.conftest import form_data
from tests.flows.approvals.acting import ANY, actor_of, set_policy, writes
from tests.flows.schedules.scheduling import (
    current,
    return_of,
    run_at,
    schedule_switch,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client(client_of, omar):
    return client_of("operator", "omar")


@pytest.fixture
def timing(soon):
    return {"due_at": soon, "window": "20", "return_at": "", "time_zone": "Europe/Berlin"}


def text(response):
    return re.sub(r"\s+", " ", strip_tags(response.content.decode()))


def enabled_url(sid, step=""):
    return f"/flows/{sid}/enabled/{step}"


def switch_data(client, sid):
    return form_data(client.get(enabled_url(sid))) | {"reason": "Holidays"}


def review_data(client, sid, **values):
    """Return what the review of an edit submits."""
    data = form_data(client.get(f"/flows/{sid}/edit/")) | values | {"review": "1"}
    review = client.post(f"/flows/{sid}/edit/", data)
    assert "Review your changes" in text(review)
    return form_data(review)


def test_turning_off_is_scheduled_with_its_return(client, sandbox, flow_sid, timing):
    page = client.get(enabled_url(flow_sid))
    assert "Schedule instead of sending now" in text(page)
    back = f"{timezone.now() + timedelta(days=20):%Y-%m-%d}T09:00"
    data = switch_data(client, flow_sid) | timing | {"return_at": back}

    response = client.post(enabled_url(flow_sid, "schedule/"), data, follow=True)

    first = Schedule.objects.get(return_of=None)
    assert response.redirect_chain == [(f"/requests/{first.request_id}/", 302)]
    assert (first.window_minutes, first.time_zone) == (20, "Europe/Berlin")
    assert return_of(first).request.requested == {"enabled": True}
    shown = text(response)
    assert "Scheduled. Nothing was sent yet." in shown
    assert "(Europe/Berlin)" in shown
    assert "Return: Turn on flow" in shown
    assert "Other open requests" not in shown
    assert writes(sandbox) == []


def test_an_edit_is_scheduled_from_its_review(client, sandbox, flow_sid, timing):
    data = review_data(client, flow_sid, friendly_name="Holidays", reason="Closed") | timing

    client.post(f"/flows/{flow_sid}/edit/schedule/", data)

    request = ChangeRequest.objects.get()
    assert request.requested == {"friendly_name": "Holidays"}
    assert request.reason == "Closed"
    assert request.schedule.status == ScheduleStatus.WAITING
    assert writes(sandbox) == []


@pytest.mark.parametrize("place", ["enabled", "edit"])
def test_bad_times_get_a_message_and_keep_what_was_typed(client, flow_sid, timing, place):
    if place == "enabled":
        data = switch_data(client, flow_sid)
    else:
        data = review_data(client, flow_sid, friendly_name="Holidays", reason="Holidays")
    data |= timing | {"due_at": "2020-01-01T08:00"}

    response = client.post(f"/flows/{flow_sid}/{place}/schedule/", data)

    assert response.status_code == 422
    assert "Choose a time in the future." in text(response)
    assert 'value="2020-01-01T08:00"' in response.content.decode()
    assert "Holidays" in response.content.decode()
    assert not ChangeRequest.objects.exists()


def test_a_dialog_leads_to_the_request(client, flow_sid, timing):
    data = switch_data(client, flow_sid) | timing
    response = client.post(enabled_url(flow_sid, "schedule/"), data, headers={"HX-Request": "true"})

    request = ChangeRequest.objects.get()
    assert response.headers["HX-Redirect"] == f"/requests/{request.pk}/"


def test_a_required_reason_is_asked_for(client, flow_sid, timing):
    set_policy(Terms(requires_reason=True))
    data = switch_data(client, flow_sid) | timing | {"reason": ""}

    response = client.post(enabled_url(flow_sid, "schedule/"), data)

    assert response.status_code == 422
    assert "Enter a reason" in text(response)


def test_a_return_that_cant_be_made_is_refused(client, flow_sid, timing):
    back = f"{timezone.now() + timedelta(days=20):%Y-%m-%d}T09:00"
    values = {"integration_type": "external", "integration_url": "https://example.com/hook"}
    data = review_data(client, flow_sid, **values) | timing | {"return_at": back}

    response = client.post(f"/flows/{flow_sid}/edit/schedule/", data)

    assert response.status_code == 422
    assert "t have a return. Leave this empty." in text(response)


def test_a_secret_isnt_scheduled(client, flow_sid, timing):
    url = "https://user:secret@example.com/hook"
    values = {"integration_type": "external", "integration_url": url}
    data = review_data(client, flow_sid, **values) | timing

    response = client.post(f"/flows/{flow_sid}/edit/schedule/", data)

    assert response.status_code == 422
    assert "A schedule stores no secrets" in text(response)
    assert not ChangeRequest.objects.exists()


def test_a_flow_that_has_the_setting_is_not_scheduled(client, sandbox, flow_sid, timing):
    data = switch_data(client, flow_sid) | timing
    sandbox.edit_flow(flow_sid, enabled=False)

    response = client.post(enabled_url(flow_sid, "schedule/"), data)

    assert response.status_code == 409
    assert "The flow has this setting already" in text(response)


def test_time_of_a_request_is_set_changed_and_cancelled(client, schedule, timing):
    url = f"/schedules/{schedule.request_id}/"
    page = client.get(url)
    assert 'type="datetime-local"' in page.content.decode()
    data = timing | {"content_hash": schedule.request.content_hash}

    assert client.post(url, data).status_code == 302
    assert current(schedule).window_minutes == 20

    client.post(f"{url}cancel/")
    assert current(schedule).status == ScheduleStatus.CANCELLED
    assert "still open" in text(client.get(f"/requests/{schedule.request_id}/"))
    again = client.post(f"{url}cancel/", follow=True)
    assert "Nothing was changed" in text(again)


def test_the_form_of_an_edited_request_is_refused(client, schedule, timing):
    response = client.post(
        f"/schedules/{schedule.request_id}/", timing | {"content_hash": "another"}
    )
    assert response.status_code == 409
    assert current(schedule).window_minutes == 15


def test_an_ended_request_takes_no_time(client, schedule, clock):
    run_at(clock, hours=1)
    response = client.get(f"/schedules/{schedule.request_id}/", follow=True)
    assert "can't be scheduled now" in text(response).replace("&#x27;", "'")


def test_viewers_see_the_schedule_and_cant_change_it(client_of, schedule, timing):
    viewer = client_of("viewer")
    page = viewer.get(f"/requests/{schedule.request_id}/")
    assert "(Europe/Berlin)" in text(page)
    assert "Cancel schedule" not in text(page)
    assert viewer.post(f"/schedules/{schedule.request_id}/", timing).status_code == 403
    assert AuditEvent.objects.filter(action="schedule.set", result="denied").exists()


def test_calendar_shows_the_month_and_what_needs_attention(client, flow_sid, omar, clock):
    schedule_switch(omar, flow_sid, clock)
    due_at = Schedule.objects.get().due_at
    page = text(client.get(f"/schedules/?month={timezone.localtime(due_at):%Y-%m}"))
    assert "1 scheduled" in page
    assert "Needs attention" not in page

    run_at(clock, hours=2)
    page = text(client.get("/schedules/?month=nonsense"))
    assert "Needs attention" in page
    assert "was not started by" in page


def test_calendar_of_other_months_and_accounts_has_none(client, client_of, schedule):
    assert "No scheduled changes in this month" in text(client.get("/schedules/?month=2030-02"))
    stranger = client_of("operator", "eve", "AC" + "0e" * 16)
    assert "Réclamations" not in text(stranger.get("/schedules/"))


def test_overdue_schedules_need_attention_on_the_overview(client, schedule):
    assert "not made" not in text(client.get("/"))
    Schedule.objects.update(due_at=timezone.now() - timedelta(minutes=5))

    assert "1 scheduled change was not made" in text(client.get("/"))
    request_page = text(client.get(f"/requests/{schedule.request_id}/"))
    assert "No background worker has looked at it" in request_page


def test_flow_page_says_what_is_scheduled(client, flow_sid, schedule, omar):
    page = text(client.get(f"/flows/{flow_sid}/"))
    assert "Turn off flow on" in page

    services.cancel(schedule.request_id, actor=actor_of(omar))
    assert "Turn off flow on" not in text(client.get(f"/flows/{flow_sid}/"))


def test_missing_approvals_are_named(client, flow_sid, omar, clock):
    set_policy(ANY)
    schedule = schedule_switch(omar, flow_sid, clock)
    assert "Approvals are missing" in text(client.get(f"/requests/{schedule.request_id}/"))


def test_a_scheduled_request_waits_for_nobody(client, schedule, omar):
    assert "waits for you" not in text(client.get("/"))
    assert "Réclamations Lyon" not in text(client.get("/requests/"))

    services.cancel(schedule.request_id, actor=actor_of(omar))
    assert "1 change request waits for you" in text(client.get("/"))


def test_the_schedule_of_a_failed_change_can_be_dismissed(client, sandbox, schedule, clock):
    sandbox.inject(Fault(FaultKind.REFUSE, method="POST", status=422, code=45008, message="No"))
    run_at(clock, hours=1)
    assert "1 scheduled change was not made" in text(client.get("/"))

    page = client.post(f"/schedules/{schedule.request_id}/cancel/", follow=True)

    assert "The schedule is cancelled." in text(page)
    assert "still open" not in text(page)
    assert "not made" not in text(client.get("/"))
