"""Permissions on bulk changes, with roles that differ by account: buttons match what works."""

import json
from html import unescape

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from flexadmin.models import AccountRole
from flows.audit.models import AuditEvent
from flows.mirror.sync import sync_account
from flows.plans import drafts
from flows.plans.drafts import BulkAction
from flows.plans.models import Plan
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests.faults.acting import received_writes

pytestmark = pytest.mark.django_db(transaction=True)
NEW = {"friendly_name": "Nova", "chat_service_sid": "IS" + "1" * 32, "channel_type": "web"}
ACTIONS = ("start", "stop", "undo", "rest", "discard")
# A user's roles in production and in staging.
ROLES_BY_USER = {
    "both": ("operator", "operator"),
    "mixed": ("viewer", "operator"),
    "viewer": ("viewer", "viewer"),
    "staging": ("", "operator"),
    "staging-viewer": ("", "viewer"),
}


@pytest.fixture
def flows(sandbox, staging):
    sids = []
    for server, name in ((sandbox, "Live line"), (staging, "Try line")):
        sids.append(
            server.add_flow(
                friendly_name=name, channel_type="sms", enabled=True, integration_type="studio"
            )
        )
        sync_account(server.account_sid)
    return sids


@pytest.fixture
def client_for(sandbox, staging, person):
    """Return a client that is signed in as one of ROLES_BY_USER."""
    for role in ("viewer", "operator"):
        person(role, f"spare-{role}")

    def sign_in(name):
        user, is_new = User.objects.get_or_create(username=name)
        for server, role in zip((sandbox, staging), ROLES_BY_USER[name], strict=True):
            if is_new and role:
                AccountRole.objects.create(
                    person=user, account_sid=server.account_sid, role=Group.objects.get(name=role)
                )
        client = Client()
        client.force_login(user, backend="flexadmin.users.roles.RolesBackend")
        return client

    return sign_in


def make_plan(sids, *, created_by="somebody", editable_scope=None):
    return drafts.plan_bulk_action(
        action=BulkAction("disable"),
        sids=sids,
        created_by=created_by,
        editable_scope=editable_scope,
    )


def page_of(client, plan):
    return client.get(reverse("flows:plan", args=[plan.pk]))


def post_action(client, plan, action):
    return client.post(reverse(f"flows:plan-{action}", args=[plan.pk]), {"reason": "why"})


def offered_actions(page):
    """Return the actions whose buttons the page has."""
    return {action for action in ACTIONS if f"/{action}/" in page.content.decode()}


def text_of(response):
    return unescape(response.content.decode())


def test_skipped_flow_needs_no_permission(client_for, flows, sandbox, staging):
    """The selection has flows of two accounts. The user can only view one of them."""
    client = client_for("mixed")
    answer = client.post("/flows/plans/new/", {"sid": flows, "kind": "disable"})
    plan = Plan.objects.get()

    page = page_of(client, plan)

    assert answer.url == reverse("flows:plan", args=[plan.pk])
    assert offered_actions(page) == {"start", "discard"}
    assert "You don't have permission to change flows in production." in text_of(page)
    assert post_action(client, plan, "start").status_code == 302
    assert Plan.objects.get().status == "running"
    assert [len(received_writes(server)) for server in (sandbox, staging)] == [0, 0]


@pytest.mark.parametrize(
    "included",
    [["production"], ["staging"], ["production", "staging"], ["staging", "skipped"]],
    ids="+".join,
)
@pytest.mark.parametrize("status", ["draft", "running", "done"])
@pytest.mark.parametrize("username", ROLES_BY_USER)
def test_buttons_match_the_permissions(
    client_for, flows, sandbox, staging, username, status, included
):
    """`skipped`: the flow of production is in the plan, but skipped."""
    sids = [flows[0]] if "production" in included or "skipped" in included else []
    sids += [flows[1]] if "staging" in included else []
    plan = make_plan(
        sids, editable_scope=frozenset({staging.account_sid}) if "skipped" in included else None
    )
    if status != "draft":
        now = timezone.now()
        Plan.objects.filter(pk=plan.pk).update(
            status=status,
            started_at=now,
            heartbeat_at=now,
            actor={"label": "x"},
            ended_at=now if status == "done" else None,
        )
    roles = dict(zip(("production", "staging"), ROLES_BY_USER[username], strict=True))
    effective = [name for name in included if name != "skipped"]
    can_see = all(roles[name] for name in effective)
    can_act = all(roles[name] == "operator" for name in effective)
    client = client_for(username)

    page = page_of(client, plan)
    answers = {
        action: post_action(client, plan, action).status_code
        for action in ("stop", "undo", "rest", "start", "discard")
    }

    assert page.status_code == (200 if can_see else 403)
    assert set(answers.values()) == ({302} if can_act else {403})
    expected = (
        {"draft": {"start", "discard"}, "running": {"stop"}, "done": set()}[status]
        if can_act
        else set()
    )
    assert offered_actions(page) == expected
    assert ("Live line" in text_of(page)) == (
        can_see and included != ["staging"] and bool(roles["production"])
    )


@pytest.mark.parametrize(
    ("username", "can_act"), [("both", True), ("mixed", False), ("viewer", False)]
)
def test_retry_and_roll_back_are_offered_to_those_who_can(
    client_for, flows, sandbox, staging, username, can_act
):
    plan = make_plan(flows)
    staging.inject(Fault(kind=FaultKind.REFUSE, method="POST", status=400, code=20001))
    post_action(client_for("both"), plan, "start")
    call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)
    client = client_for(username)

    page = page_of(client, plan)
    answers = [post_action(client, plan, action).status_code for action in ("undo", "rest")]

    assert offered_actions(page) == ({"undo", "rest"} if can_act else set())
    assert answers == ([302, 302] if can_act else [403, 403])
    assert Plan.objects.count() == (3 if can_act else 1)


def test_skipped_flow_of_a_hidden_account_is_not_shown(client_for, flows, staging):
    plan = make_plan(flows, editable_scope=frozenset({staging.account_sid}))
    client = client_for("staging")

    page, listed = page_of(client, plan), client.get("/flows/plans/")

    assert page.status_code == 200
    assert "Try line" in text_of(page)
    assert "Live line" not in text_of(page)
    assert "production" not in text_of(page)
    assert page.context["total_count"] == 1
    assert "Turn off 1 flow in staging" in text_of(listed)


def test_flow_skipped_during_the_run_still_needs_permission(client_for, flows):
    """It was part of the plan, so its result belongs to its account."""
    plan = make_plan(flows)
    plan.changes.filter(target_sid=flows[0]).update(
        skip_reason="Already set.", done_at=timezone.now()
    )

    assert page_of(client_for("staging"), plan).status_code == 403
    assert "Turn off" not in text_of(client_for("staging").get("/flows/plans/"))


def test_import_that_names_a_hidden_account_is_visible_to_its_maker(
    client_for, flows, sandbox, staging
):
    client = client_for("staging")
    entries = [NEW | {"account_sid": staging.account_sid}, NEW | {"account_sid": sandbox.account_sid},
               NEW | {"account_sid": "AC" + "9" * 32}, {"sid": flows[0], "friendly_name": "Taken"}]  # fmt: skip
    answer = client.post("/flows/plans/import/", {"entries": json.dumps(entries)})
    plan = Plan.objects.get()

    page = client.get(answer.url)

    assert page.status_code == 200
    assert [
        (change.account_sid, change.skip_reason) for change in plan.changes.order_by("position")
    ] == [
        (staging.account_sid, ""),
        ("", f"Entry 2: You can't create flows in account {sandbox.account_sid}."),
        ("", f"Entry 3: You can't create flows in account AC{'9' * 32}."),
        (
            "",
            "Entry 4: No flow with this SID has been synced. An entry without a SID creates a new flow.",
        ),
    ]
    assert "Live line" not in text_of(page)
    assert "Import: create 1 flow in staging" in text_of(client.get("/flows/plans/"))
    assert post_action(client, plan, "start").status_code == 302


def test_draft_without_changes_can_be_discarded_by_its_maker(client_for, flows, sandbox):
    client = client_for("staging")
    entry = NEW | {"account_sid": sandbox.account_sid}
    client.post("/flows/plans/import/", {"entries": json.dumps([entry])})
    plan = Plan.objects.get()

    page = page_of(client, plan)

    assert (offered_actions(page), "Nothing to change" in text_of(page)) == ({"discard"}, True)
    assert post_action(client, plan, "discard").url == "/flows/plans/"
    assert not Plan.objects.exists()


def test_maker_without_the_role_can_only_see_and_discard_the_draft(client_for, flows):
    client = client_for("both")
    plan = make_plan(flows, created_by="both")
    AccountRole.objects.filter(person__username="both", account_sid__endswith="5a").delete()

    page = page_of(client, plan)

    assert page.status_code == 200
    assert offered_actions(page) == {"discard"}
    assert "Live line" not in text_of(page)
    assert "You can’t start this" in text_of(page)
    assert post_action(client, plan, "start").status_code == 403
    assert str(plan.pk) in text_of(client.get("/flows/plans/"))
    assert post_action(client, plan, "discard").status_code == 302


def test_maker_without_the_role_cannot_see_the_started_plan(client_for, flows):
    client = client_for("both")
    plan = make_plan(flows, created_by="both")
    Plan.objects.update(status="running", started_at=timezone.now())
    AccountRole.objects.filter(person__username="both", account_sid__endswith="5a").delete()

    assert page_of(client, plan).status_code == 403
    assert post_action(client, plan, "discard").status_code == 403


def test_denial_is_logged_with_the_account_of_the_plan(client_for, flows, sandbox):
    plan = make_plan(flows[:1])

    post_action(client_for("mixed"), plan, "start")

    event = AuditEvent.objects.latest("seq")
    assert (event.action, event.result, event.account_sid) == (
        "plan.start",
        "denied",
        sandbox.account_sid,
    )
