"""Bulk changes and imports over two accounts."""

import json

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.urls import reverse

from flows.audit.models import AuditEvent
from flows.plans.models import Plan
from tests.faults.acting import received_writes
from tests.flows.flex_flows.views.two_accounts import IS, text_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_role_on_record_is_the_one_in_the_account_of_each_planned_change(
    person, client_of, flows, sandbox, staging
):
    user = person("operator", "olga", staging.account_sid)
    user.account_roles.create(account_sid=sandbox.account_sid, role=person("admin").groups.get())
    plan = plan_of(client_of("operator", "olga"), flows)

    client_of("operator", "olga").post(
        reverse("flows:plan-start", args=[plan.pk]), {"reason": "Both"}
    )
    call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)

    outcomes = AuditEvent.objects.filter(stage="outcome", request_id=plan.pk)
    assert dict(outcomes.values_list("account_sid", "actor_role")) == {
        sandbox.account_sid: "admin",
        staging.account_sid: "operator",
    }


def test_import_that_names_a_flow_of_an_unseen_account_finds_nothing(tester, flows):
    unknown = "FO" + "9" * 32
    tester.post(
        "/flows/plans/import/",
        {"entries": json.dumps([{"sid": sid, "enabled": False} for sid in (flows[0], unknown)])},
    )

    changes = Plan.objects.get().changes.order_by("position")
    says = "No flow with this SID has been synced. An entry without a SID creates a new flow."
    assert [(one.friendly_name, one.skip_reason) for one in changes] == [
        ("", f"Entry {number}: {says}") for number in (1, 2)
    ]
    assert "Import: nothing to change" in text_of(tester.get("/flows/plans/"))


def test_plan_page_offers_only_what_the_person_may_do_in_all_its_accounts(
    person, client_of, flows, staging
):
    plan = plan_of(client_of("operator"), flows)
    user = person("viewer", "vera")
    user.account_roles.create(
        account_sid=staging.account_sid, role=User.objects.get(username="operator").groups.get()
    )

    page = text_of(client_of("viewer", "vera").get(reverse("flows:plan", args=[plan.pk])))

    assert "Discard draft" not in page


def plan_of(client, flows, **more):
    client.post("/flows/plans/new/", {"all": "1", "query": "", "kind": "disable", **more})
    return Plan.objects.latest("created_at")


def test_plan_over_both_accounts_changes_each_where_it_is(client_of, flows, sandbox, staging):
    client = client_of("operator")
    plan = plan_of(client, flows)

    client.post(reverse("flows:plan-start", args=[plan.pk]), {"reason": "Both"})
    call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)

    assert [len(received_writes(api)) for api in (sandbox, staging)] == [1, 1]


def test_plan_leaves_out_what_the_person_may_only_see(person, client_of, flows, staging):
    user = person("viewer", "vera")
    user.account_roles.create(account_sid=staging.account_sid, role=person("operator").groups.get())

    plan = plan_of(client_of("viewer", "vera"), flows)

    skip_reasons = dict(plan.changes.values_list("target_sid", "skip_reason"))
    assert skip_reasons == {
        flows[0]: "You don't have permission to change flows in production.",
        flows[1]: "",
    }


def test_plan_that_touches_another_account_is_not_shown(tester, client_of, flows):
    plan = plan_of(client_of("operator"), flows)

    assert tester.get(reverse("flows:plan", args=[plan.pk])).status_code == 403
    assert "Turn off" not in text_of(tester.get("/flows/plans/"))


def test_import_makes_a_flow_in_the_account_that_it_names(client_of, flows, sandbox, staging):
    entry = {"friendly_name": "Nova", "chat_service_sid": IS, "channel_type": "web"}
    client = client_of("operator")

    client.post(
        "/flows/plans/import/",
        {"entries": json.dumps([entry, entry | {"account_sid": staging.account_sid}])},
    )

    plan = Plan.objects.get()
    assert list(plan.changes.order_by("position").values_list("account_sid", "skip_reason")) == [
        ("", "Entry 1: The account is missing. Add an account_sid."),
        (staging.account_sid, ""),
    ]
