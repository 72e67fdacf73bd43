"""The pages of policies and change requests, and the forms of changes under a policy, by role."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.html import strip_tags

from flows.approvals.models import ChangePolicy, ChangeRequest
from flows.approvals.request_status import RequestStatus
from flows.approvals.terms import ApproverPermission, Terms
from flows.audit.models import AuditEvent
from flows.mirror.models import Flow
from flows.plans import drafts
from tests import ACCOUNT
from tests.conftest import form_data
from tests.flows.approvals.acting import ANY, approve, current, request_rename, set_policy, writes

pytestmark = pytest.mark.django_db(transaction=True)
POLICY_URL = f"/requests/policies/{ACCOUNT}/"


def text(page):
    return " ".join(strip_tags(page.content.decode()).split())


def url(request, step=""):
    return f"/requests/{request.pk}/{step}"


def take(client, request, step, **data):
    content_hash = current(request).content_hash
    return client.post(url(request, step), {"content_hash": content_hash, **data})


def policy_data(**values):
    return {
        "approvals_required": "1",
        "approver_permission": ApproverPermission.CHANGE,
        "time_zone": "UTC",
        "reason": "Four eyes",
        "change_id": str(uuid.uuid4()),
        **values,
    }


def test_administrator_sets_a_policy_that_can_not_be_satisfied_and_is_told(client_of):
    admin = client_of("admin")
    page = admin.post(POLICY_URL, policy_data(kinds=["delete"]), follow=True)

    assert ChangePolicy.objects.get().kinds == ["delete"]
    assert "This policy can't be satisfied for everyone" in text(page).replace("&#x27;", "'")
    assert "deletions" in text(client_of("viewer").get("/requests/policies/"))


def test_invalid_hours_keep_what_was_typed(client_of):
    data = policy_data(days=["0"], opens_at="18:00", closes_at="08:00", reason="")
    page = client_of("admin").post(POLICY_URL, data)

    assert page.status_code == 422
    assert dict(page.context["form"].errors).keys() == {"closes_at", "reason"}
    assert page.context["form"]["opens_at"].value() == "18:00"
    assert not ChangePolicy.objects.exists()


def test_times_without_days_are_not_dropped_silently(client_of):
    data = policy_data(opens_at="08:00", closes_at="18:00")

    page = client_of("admin").post(f"/requests/policies/{ACCOUNT}/", data)

    assert page.status_code == 422
    assert page.context["form"].errors["days"] == [
        "Choose the days of these hours, or empty both times."
    ]


def test_operator_can_not_set_a_policy(client_of):
    assert client_of("operator").post(POLICY_URL, policy_data()).status_code == 403
    assert AuditEvent.objects.get().result == "denied"


def test_form_of_a_flow_becomes_a_request(sandbox, flow_sid, client_of, person):
    set_policy(ANY)
    client = client_of("operator", "omar")
    form = client.get(f"/flows/{flow_sid}/edit/")
    data = {**form_data(form), "friendly_name": "New name", "reason": "Renamed"}

    page = client.post(f"/flows/{flow_sid}/edit/", data, follow=True)

    request = ChangeRequest.objects.get()
    assert page.redirect_chain[-1][0] == url(request)
    assert "Change request created." in text(page)
    assert (request.requested, request.reason) == ({"friendly_name": "New name"}, "Renamed")
    assert writes(sandbox) == []


def test_switch_and_deletion_become_requests(sandbox, flow_sid, client_of):
    set_policy(ANY)
    client = client_of("operator", "omar")
    client.post(
        f"/flows/{flow_sid}/enabled/",
        {"enabled": "false", "change_id": str(uuid.uuid4()), "reason": "Holidays"},
    )
    deletion = form_data(client.get(f"/flows/{flow_sid}/delete/"))
    client.post(f"/flows/{flow_sid}/delete/", {**deletion, "confirm_name": flow_sid})

    operations = ChangeRequest.objects.order_by("created_at").values_list("operation", flat=True)
    assert list(operations) == ["update", "delete"]
    assert writes(sandbox) == []
    first, second = ChangeRequest.objects.order_by("created_at")
    assert "Other open requests" in text(client.get(url(first)))
    assert client.get(url(second)).status_code == 200


def test_form_without_the_required_reason_has_an_error_at_it(sandbox, flow_sid, client_of):
    set_policy(Terms(requires_reason=True))
    page = client_of("operator").post(
        f"/flows/{flow_sid}/enabled/", {"enabled": "false", "change_id": str(uuid.uuid4())}
    )
    assert page.status_code == 422
    assert "reason" in page.context["form"].errors
    assert writes(sandbox) == []


def test_new_secret_is_refused_with_the_form_kept(sandbox, flow_sid, client_of):
    set_policy(ANY)
    client = client_of("operator", "omar")
    data = {
        **form_data(client.get(f"/flows/{flow_sid}/edit/")),
        "integration_type": "external",
        "integration_url": "https://hooks.example.com/in?token=topsecret",
    }
    page = client.post(f"/flows/{flow_sid}/edit/", data)

    assert page.status_code == 422
    assert "new secret" in text(page)
    assert not ChangeRequest.objects.exists()


def test_request_is_approved_and_applied_by_pages(sandbox, request_, flow_sid, client_of):
    ana = client_of("operator", "ana")
    page = text(ana.get(url(request_)))
    assert "New name" in page
    assert "0 of 1" in page
    assert "1 change request waits for you" in text(ana.get("/"))
    assert "Réclamations Lyon" in text(ana.get("/requests/"))

    assert "Apply now" in text(
        take(ana, request_, "approve/", comment="Fine") and ana.get(url(request_))
    )
    assert "waits for you" not in text(ana.get("/"))
    take(client_of("operator", "omar"), request_, "apply/")

    assert current(request_).status == RequestStatus.DONE
    assert sandbox.flows[flow_sid]["friendly_name"] == "New name"
    assert "Fine" in text(ana.get(url(request_)))
    assert "Réclamations Lyon" in text(ana.get("/requests/?show=ended"))


def test_own_request_offers_and_takes_no_approval(sandbox, request_, client_of):
    omar = client_of("operator", "omar")
    assert "Approve" not in [button.strip() for button in text(omar.get(url(request_))).split("  ")]
    assert take(omar, request_, "approve/").status_code == 403
    assert AuditEvent.objects.filter(action="request.approve", result="denied").count() == 1
    assert current(request_).status == RequestStatus.IN_REVIEW


def test_viewer_sees_it_without_any_step(request_, client_of):
    page = client_of("viewer").get(url(request_))
    assert "formaction" not in page.content.decode()
    for step in ("approve/", "reject/", "apply/", "comment/", "cancel/", "break-glass/"):
        assert take(client_of("viewer"), request_, step, comment="x").status_code == 403


def test_user_of_another_account_does_not_see_it(request_, client_of, settings, staging):
    other = client_of("admin", "other", "AC" + "0e" * 16)
    assert other.get(url(request_)).status_code == 403
    assert "Réclamations" not in text(other.get("/requests/?show=open"))


def test_rejection_takes_a_comment(request_, client_of):
    ana = client_of("operator", "ana")
    assert take(ana, request_, "reject/").status_code == 422
    take(ana, request_, "reject/", comment="Not today")

    assert current(request_).status == RequestStatus.REJECTED
    assert "Not today" in text(ana.get(url(request_)))


def test_break_glass_takes_a_ticked_box_and_a_reason(sandbox, request_, client_of):
    adam = client_of("admin", "adam")
    assert take(adam, request_, "break-glass/", comment="Outage").status_code == 422
    assert take(adam, request_, "break-glass/", confirm="on").status_code == 422
    assert writes(sandbox) == []

    take(adam, request_, "break-glass/", comment="Outage", confirm="on")

    assert current(request_).status == RequestStatus.DONE
    assert "Applied without approval" in text(adam.get(url(request_)))


def test_break_glass_stands_on_the_overview_for_a_week(sandbox, request_, client_of):
    adam, ana = client_of("admin", "adam"), client_of("operator", "ana")
    take(adam, request_, "break-glass/", comment="Outage", confirm="on")
    sentence = "1 change request was applied without approval"

    assert sentence in text(ana.get("/"))
    assert "/audit/?action=request.break_glass" in ana.get("/").content.decode()

    week_ago = timezone.now() - timedelta(days=7, seconds=1)
    ChangeRequest.objects.filter(pk=request_.pk).update(started_at=week_ago)
    assert sentence not in text(ana.get("/"))


def test_edit_page_voids_approvals(request_, client_of, ana):
    approve(request_, ana)
    omar = client_of("operator", "omar")
    page = omar.get(url(request_, "edit/"))
    data = {**form_data(page), "friendly_name": "Third name", "reason": "Better"}
    assert omar.post(url(request_, "edit/"), data).status_code == 302

    assert current(request_).requested == {"friendly_name": "Third name"}
    assert "Void: The request was edited." in text(omar.get(url(request_)))


def test_edit_page_validates_and_keeps_the_input(request_, client_of):
    omar = client_of("operator", "omar")
    data = {**form_data(omar.get(url(request_, "edit/"))), "friendly_name": ""}
    page = omar.post(url(request_, "edit/"), data)
    assert page.status_code == 422
    assert current(request_).requested == {"friendly_name": "New name"}


def test_old_page_approves_nothing(request_, client_of):
    page = client_of("operator", "ana").post(url(request_, "approve/"), {"content_hash": "0" * 64})
    assert page.status_code == 409
    assert "changed in the meantime" in text(page)


def test_bulk_change_under_policy_can_not_be_started(sandbox, flow_sid, client_of):
    set_policy(Terms(kinds=("any",)))
    plan = drafts.plan_bulk_action(
        action=drafts.BulkAction("retry_count", 2), sids=[flow_sid], created_by="omar"
    )
    client = client_of("operator", "omar")
    assert "requires 1 approval" in text(client.get(f"/flows/plans/{plan.pk}/"))
    page = client.post(f"/flows/plans/{plan.pk}/start/", {"reason": "because"})
    assert page.status_code == 403
    assert writes(sandbox) == []


def test_erased_request_shows_nothing_and_can_not_be_applied(request_, client_of, ana, adam):
    approve(request_, ana)
    ChangeRequest.objects.update(before=None, requested=None, friendly_name="", reason="")
    page = client_of("admin", "adam").get(url(request_))
    assert "Personal data erased" in text(page)
    assert take(client_of("admin", "adam"), request_, "apply/").status_code == 409


def test_second_request_for_the_flow_of_another_field_is_no_conflict(flow_sid, omar, client_of):
    set_policy(ANY)
    first = request_rename(omar, flow_sid)
    assert "Other open requests" not in text(client_of("viewer").get(url(first)))
    assert Flow.objects.get().friendly_name == "Réclamations Lyon"
