"""Start, stop, rollback, retry and discard of a bulk change on its page, and the list of all."""

import uuid

import pytest
from django.urls import reverse

from flexadmin.users.roles import ROLES, ensure_groups
from flows.audit.models import AuditEvent
from flows.plans.models import Plan
from tests.faults.acting import locked_log, received_writes
from tests.flows.plans.running import run_worker
from tests.flows.plans.views.pages import create_draft, get_page, post_action

pytestmark = pytest.mark.django_db(transaction=True)


def test_stopped_deletion_asks_for_the_number_again(operator, sandbox, sids):
    plan = create_draft(operator, sids, "delete")
    post_action(operator, plan, "start", confirm="3")
    post_action(operator, plan, "stop")

    text = get_page(operator, plan).content.decode()

    assert "3 flows will be deleted. Enter this number to confirm" in text
    assert post_action(operator, plan, "start").status_code == 422
    run_worker()
    assert received_writes(sandbox) == []


def test_page_shows_the_progress_and_result_of_a_started_plan(operator, sandbox, sids):
    plan = create_draft(operator, sids)

    assert post_action(operator, plan, "start", reason="Move").url == reverse(
        "flows:plan", args=[plan.pk]
    )
    live = get_page(operator, plan).content.decode()
    run_worker()
    finished = get_page(operator, plan).content.decode()

    assert 'hx-trigger="every 2s"' in live
    assert "0 of 3 processed" in live
    assert 'hx-trigger="every' not in finished
    assert "3 of 3 flows changed" in finished
    assert "Roll back…" in finished
    assert len(received_writes(sandbox)) == 3


def test_deletion_requires_the_number_of_flows(operator, sandbox, sids):
    plan = create_draft(operator, sids, "delete")

    missing, wrong = (
        post_action(operator, plan, "start"),
        post_action(operator, plan, "start", confirm="2"),
    )
    run_worker()

    assert [missing.status_code, wrong.status_code] == [422, 422]
    assert "Enter 3 to confirm." in wrong.content.decode().replace("&#x27;", "'")
    assert received_writes(sandbox) == []
    assert post_action(operator, plan, "start", confirm="3").status_code == 302


def test_start_that_cannot_be_recorded_is_503(operator, sandbox, sids):
    plan = create_draft(operator, sids)

    with locked_log():
        response = post_action(operator, plan, "start", reason="kept")

    assert response.status_code == 503
    assert "nothing is sent" in response.content.decode()
    assert 'value="kept"' in response.content.decode()


def test_stopped_plan_offers_to_resume(operator, sandbox, sids):
    plan = create_draft(operator, sids)
    post_action(operator, plan, "start")

    post_action(operator, plan, "stop")
    run_worker()
    text = " ".join(get_page(operator, plan).content.decode().split())

    assert "<strong>Stopped.</strong> 3 flows were not processed." in text
    assert "Resume (3 left)" in text
    assert received_writes(sandbox) == []


def test_rollback_and_retry_are_drafts_of_their_own(operator, sandbox, sids):
    plan = create_draft(operator, sids)
    post_action(operator, plan, "start")
    assert (
        "has not finished yet"
        in operator.get(post_action(operator, plan, "undo").url).content.decode()
    )
    run_worker()

    rollback = Plan.objects.get(pk=post_action(operator, plan, "undo").url.split("/")[-2])
    retry_page = operator.get(post_action(operator, plan, "rest").url).content.decode()

    assert (rollback.rollback_of, rollback.changes.count()) == (plan, 3)
    assert "There is nothing to retry." in retry_page
    assert Plan.objects.count() == 2


def test_draft_can_be_discarded(operator, sids):
    plan = create_draft(operator, sids)

    assert post_action(operator, plan, "discard").url == "/flows/plans/"

    assert not Plan.objects.exists()


def test_started_plan_cannot_be_discarded(operator, sids):
    plan = create_draft(operator, sids)
    post_action(operator, plan, "start")

    post_action(operator, plan, "discard")

    assert Plan.objects.exists()


@pytest.mark.parametrize("action", ["start", "stop", "undo", "rest", "discard"])
def test_viewer_can_only_look(client_of, sids, action):
    plan = create_draft(client_of("operator"), sids)
    viewer = client_of("viewer")

    assert get_page(viewer, plan).status_code == 200
    assert post_action(viewer, plan, action).status_code == 403
    response = client_of("operator").get(reverse(f"flows:plan-{action}", args=[plan.pk]))
    assert (response.status_code, Plan.objects.get().status) == (
        302 if action == "start" else 405,
        "draft",
    )


def test_user_without_one_permission_cannot_start_the_plan(client_of, sids, monkeypatch):
    operator = client_of("operator")
    plan = create_draft(operator, sids, "delete")
    monkeypatch.setitem(ROLES, "clerk", (*ROLES["viewer"], "change_flow"))
    ensure_groups()
    clerk = client_of("clerk")

    text = get_page(clerk, plan).content.decode()
    response = post_action(clerk, plan, "start", confirm="3")

    assert "your role lacks the permission <code>flows.delete_flow</code>" in text
    assert response.status_code == 403
    assert (
        AuditEvent.objects.filter(action="plan.start", result="denied", actor_label="clerk").count()
        == 1
    )


def test_log_shows_the_changes_of_a_plan(operator, sids):
    plan, other = create_draft(operator, sids[:2]), create_draft(operator, sids[2:])
    post_action(operator, plan, "start")
    post_action(operator, other, "start")
    run_worker()

    response = operator.get("/audit/", {"plan": str(plan.pk)})

    assert {event.target_sid for event in response.context["events"]} == {*sids[:2], ""}
    assert "Bulk change: Turn off 2 flows" in response.content.decode()
    event = AuditEvent.objects.filter(target_sid=sids[0], stage="outcome").get()
    assert "Part of a bulk change" in operator.get(f"/audit/{event.event_id}/").content.decode()


def test_unknown_plan_is_404(operator):
    assert operator.get(f"/flows/plans/{uuid.uuid4()}/").status_code == 404


def test_plans_are_listed(operator, sids):
    create_draft(operator, sids)

    text = operator.get("/flows/plans/").content.decode()

    assert "Turn off 3 flows" in text
    assert "Draft" in text


def test_input_is_filled_in_again_without_being_sent(operator, sandbox, sids):
    plan = create_draft(operator, sids)

    started = post_action(operator, plan, "start", reason="Typed", edit_again="1").content.decode()
    imported = operator.post("/flows/plans/import/", {"entries": "[typed", "edit_again": "1"})

    assert 'value="Typed"' in started
    assert "Fix 1 problem to continue" not in started
    assert (imported.status_code, "[typed" in imported.content.decode()) == (200, True)
    assert Plan.objects.get().status == "draft"
