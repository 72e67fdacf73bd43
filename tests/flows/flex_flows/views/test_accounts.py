"""Two accounts on one site: visible flows, the account of a change, and roles on one account."""

import json
import uuid

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.urls import reverse

from flows.accounts import clients
from flows.audit import audit_log
from flows.audit.models import AuditEvent, OpenDrift
from flows.availability import restrictions
from flows.mirror import mirror
from flows.mirror.models import Flow, SyncState
from flows.plans.models import Plan
from tests.conftest import form_data
from tests.faults.acting import received_writes
from tests.markup import squeezed

pytestmark = pytest.mark.django_db(transaction=True)
IS, FW = "IS" + "1" * 32, "FW" + "1" * 32


@pytest.fixture
def flows(sandbox, staging):
    """One flow in production and one in staging, both in the mirror."""
    sids = [
        api.add_flow(
            friendly_name=name,
            chat_service_sid=IS,
            channel_type="sms",
            integration_type="studio",
            integration_flow_sid=FW,
            enabled=True,
        )
        for api, name in ((sandbox, "Live line"), (staging, "Try line"))
    ]
    for account in (sandbox, staging):
        mirror.sync(account.account_sid)
    return sids


@pytest.fixture
def tester(client_of, staging):
    """An operator on staging, without a role in production."""
    return client_of("operator", "tess", staging.account_sid)


def switch_off(client, sid):
    data = {"enabled": "false", "reason": "A try", "change_id": str(uuid.uuid4())}
    return client.post(reverse("flows:enabled", args=[sid]), data)


def text_of(response):
    return response.content.decode()


def test_list_shows_both_and_says_whose_each_is(client_of, flows):
    page = text_of(client_of("viewer").get("/flows/"))

    assert "Live line" in page
    assert "Try line" in page
    assert page.count('class="mark red"') >= 1
    assert page.count('class="mark teal"') >= 1


def test_list_narrows_to_an_account_and_wears_its_colour(client_of, flows, staging):
    page = text_of(client_of("viewer").get("/flows/", {"account": staging.account_sid}))

    assert "Live line" not in page
    assert "Try line" in page
    assert '<body class="marked teal">' in page


def test_one_account_has_no_column_and_no_choice(client_of, flow_sid):
    page = text_of(client_of("viewer").get("/flows/"))

    assert "c-account" not in page
    assert "switcher" not in page


@pytest.mark.parametrize("place", [0, 1], ids=["production", "staging"])
def test_change_goes_to_the_flows_own_account(client_of, flows, sandbox, staging, place):
    switch_off(client_of("operator"), flows[place])

    assert [len(received_writes(api)) for api in (sandbox, staging)] == (
        [1, 0] if place == 0 else [0, 1]
    )
    event = AuditEvent.objects.latest("seq")
    assert (event.account_sid, event.result) == ((sandbox, staging)[place].account_sid, "succeeded")


def test_each_account_is_asked_with_its_own_key(flows, sandbox, staging):
    assert all(
        clients.flex_client(api.account_sid).fetch(sid)
        for api, sid in zip((sandbox, staging), flows, strict=True)
    )
    assert {one.status for api in (sandbox, staging) for one in api.requests} == {200}


def test_person_of_one_account_sees_nothing_of_the_other(tester, flows):
    live, tried = flows
    pages = [
        "/flows/",
        "/flows/?q=Live",
        f"/flows/?q={live}",
        "/flows/drift/",
        "/flows/plans/",
        "/audit/",
        f"/audit/?sid={live}",
        "/audit/?action=flow.baseline",
        f"/flows/new/?clone={live}",
        f"/flows/{tried}/",
    ]

    for page in pages:
        assert "Live line" not in text_of(tester.get(page, follow=True)), page
    for name in ("detail", "code", "edit", "enabled", "delete"):
        assert tester.get(reverse(f"flows:{name}", args=[live])).status_code == 403, name


def test_refusal_is_on_record_with_the_account(tester, flows, sandbox):
    assert switch_off(tester, flows[0]).status_code == 403

    event = AuditEvent.objects.latest("seq")
    assert (event.result, event.account_sid, event.target_sid) == (
        "denied",
        sandbox.account_sid,
        flows[0],
    )
    assert received_writes(sandbox) == []


def test_role_on_one_account_is_the_role_on_record(tester, flows, staging):
    assert switch_off(tester, flows[1]).status_code == 302

    event = AuditEvent.objects.latest("seq")
    assert (event.actor_role, event.account_sid) == ("operator", staging.account_sid)


def test_viewer_who_operates_one_account_has_buttons_there_alone(person, flows, staging, client_of):
    user = person("viewer", "vera")
    user.account_roles.create(account_sid=staging.account_sid, role=person("operator").groups.get())
    client = client_of("viewer", "vera")

    page = text_of(client.get("/flows/"))

    assert reverse("flows:edit", args=[flows[1]]) in page
    assert reverse("flows:edit", args=[flows[0]]) not in page
    assert reverse("flows:edit", args=[flows[0]]) not in text_of(
        client.get(reverse("flows:detail", args=[flows[0]]))
    )
    assert switch_off(client, flows[0]).status_code == 403


def test_event_of_another_account_is_not_shown(tester, flows, sandbox, client_of):
    switch_off(client_of("operator"), flows[0])
    event = AuditEvent.objects.latest("seq")

    assert tester.get(reverse("audit:detail", args=[event.event_id])).status_code == 403
    response = tester.get(
        "/flows/new/", {"restore": event.event_id, "state": "before"}, follow=True
    )
    assert "Live line" not in text_of(response)


def test_export_of_an_auditor_of_one_account_has_that_account_alone(client_of, flows, staging):
    client = client_of("auditor", "ada", staging.account_sid)

    response = client.post("/audit/export/", {"format": "ndjson", "what": "all"})
    exported = [json.loads(line) for line in b"".join(response.streaming_content).splitlines()]

    assert {event["account_sid"] for event in exported} == {staging.account_sid}
    assert client.get("/audit/verification/").status_code == 403


def test_copy_out_leaves_out_what_the_person_may_not_see(tester, flows):
    out = tester.post("/flows/copy-out/", {"sid": flows, "format": "csv"})

    assert flows[1] in text_of(out)
    assert flows[0] not in text_of(out)


def test_new_flow_asks_for_its_account(client_of, flows, sandbox, staging):
    client = client_of("operator")
    fields = {
        "friendly_name": "Nova",
        "chat_service_sid": IS,
        "channel_type": "web",
        "change_id": str(uuid.uuid4()),
    }

    form_page = client.get("/flows/new/")
    unplaced = client.post("/flows/new/", {**fields, "reason": "New"})
    response = client.post(
        "/flows/new/", {**fields, "account": staging.account_sid, "reason": "New"}
    )

    assert "Choose an account" in text_of(form_page)
    assert (unplaced.status_code, 'value="Nova"' in text_of(unplaced)) == (422, True)
    assert response.status_code == 302
    assert [len(received_writes(api)) for api in (sandbox, staging)] == [0, 1]
    assert Flow.objects.get(friendly_name="Nova").account_sid == staging.account_sid


def test_account_that_the_person_may_not_make_flows_in_is_not_taken(
    tester, flows, sandbox, staging
):
    data = {
        "friendly_name": "Nova", "chat_service_sid": IS, "channel_type": "web", "reason": "New",
        "change_id": str(uuid.uuid4()), "account": sandbox.account_sid,
    }  # fmt: skip

    assert tester.post("/flows/new/", data).status_code == 422
    assert received_writes(sandbox) == received_writes(staging) == []


def test_copy_to_another_account_asks_for_the_sids_there(client_of, flows, staging):
    page = client_of("operator").get(
        "/flows/new/", {"clone": flows[0], "account": staging.account_sid}
    )

    data = form_data(page)
    assert (data["friendly_name"], data["enabled"], data["integration_type"]) == (
        "Live line",
        "false",
        "studio",
    )
    assert (data["chat_service_sid"], data["integration_flow_sid"]) == ("", "")
    assert f'Studio Flow SID: <span class="id">{FW}</span>' in text_of(page)
    assert "Copying from production to staging" in squeezed(text_of(page))


def test_clone_shows_no_secret_that_the_person_may_only_see_masked(
    person, client_of, sandbox, staging
):
    url = "https://user:s3cret-pass@hooks.example.com/in?token=t0k3n"
    source_sid = staging.add_flow(
        friendly_name="Hooked", integration_type="external", integration_url=url
    )
    mirror.sync(staging.account_sid)
    user = person("viewer", "vera")
    user.account_roles.create(account_sid=sandbox.account_sid, role=person("operator").groups.get())

    for account in (sandbox, staging):
        page = client_of("viewer", "vera").get(
            "/flows/new/", {"clone": source_sid, "account": account.account_sid}, follow=True
        )
        assert not any(secret in text_of(page) for secret in ("s3cret-pass", "t0k3n"))


def test_secret_is_not_handed_on_to_another_account(client_of, sandbox, staging):
    url = "https://hooks.example.com/in?token=t0k3n"
    source_sid = staging.add_flow(
        friendly_name="Hooked", integration_type="external", integration_url=url
    )
    mirror.sync(staging.account_sid)
    operator = client_of("operator")

    clone_elsewhere = operator.get(
        "/flows/new/", {"clone": source_sid, "account": sandbox.account_sid}
    )
    clone_in_account = operator.get(
        "/flows/new/", {"clone": source_sid, "account": staging.account_sid}
    )

    assert (form_data(clone_elsewhere)["integration_url"], "t0k3n" in text_of(clone_elsewhere)) == (
        "",
        False,
    )
    assert form_data(clone_in_account)["integration_url"] == url


def test_state_comes_back_only_in_its_own_account(person, client_of, flows, sandbox, staging):
    staging.remove_flow(flows[1])
    mirror.sync(staging.account_sid)
    deletion = AuditEvent.objects.get(action="flow.drift")
    user = person("viewer", "vera")
    user.account_roles.create(account_sid=sandbox.account_sid, role=person("operator").groups.get())
    address = f"/flows/new/?restore={deletion.event_id}&state=before&account={sandbox.account_sid}"

    assert client_of("viewer", "vera").get(address).status_code == 403
    response = client_of("viewer", "vera").post(
        "/flows/new/",
        {"friendly_name": "N", "chat_service_sid": IS, "channel_type": "web", "change_id": str(uuid.uuid4()),
         "account": sandbox.account_sid, "refers_to": str(deletion.event_id)},
    )  # fmt: skip

    assert response.status_code == 302
    assert AuditEvent.objects.latest("seq").refers_to is None
    assert OpenDrift.objects.filter(pk=deletion.pk).exists()
    page = client_of("admin").get(address)
    assert page.wsgi_request.account_sid == staging.account_sid


def test_page_tells_nothing_of_an_account_that_the_person_may_not_see(
    tester, flows, sandbox, actor
):
    restrictions.set_read_only(account_sid=sandbox.account_sid, reason="A hidden word", actor=actor)

    for page in (
        f"/flows/?account={sandbox.account_sid}",
        f"/audit/?account={sandbox.account_sid}",
        f"/flows/{flows[0]}/",
    ):
        page_text = text_of(tester.get(page))
        assert "A hidden word" not in page_text, page
        assert "production" not in page_text, page


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


def test_who_signs_in_is_for_those_who_may_read_everything(
    tester, client_of, flows, staging, actor
):
    for account_sid in ("", staging.account_sid):  # with one account, it stood with that account
        audit_log.append(
            action="auth.login",
            stage="access",
            result="succeeded",
            actor=actor,
            account_sid=account_sid,
        )
    event = AuditEvent.objects.latest("seq")

    listed = text_of(tester.get("/audit/", {"action": "auth.login"}))
    assert "No events match" in listed
    assert tester.get(reverse("audit:detail", args=[event.event_id])).status_code == 403
    assert (
        client_of("viewer").get(reverse("audit:detail", args=[event.event_id])).status_code == 200
    )


def test_thousands_of_made_up_sids_cost_a_query_and_not_one_each(
    tester, flows, django_assert_max_num_queries
):
    sids = [f"FO{number:032x}" for number in range(3000)]

    with django_assert_max_num_queries(20):
        tester.post("/flows/copy-out/", {"sids": " ".join(sids), "format": "csv"})


def test_clone_within_the_account_keeps_the_sids(client_of, flows, staging):
    page = client_of("operator").get(
        "/flows/new/", {"clone": flows[1], "account": staging.account_sid}
    )

    assert form_data(page)["integration_flow_sid"] == FW


def test_siblings_of_another_account_are_not_offered(client_of, flows, sandbox, staging):
    sandbox.add_flow(friendly_name="B", chat_service_sid="IS" + "2" * 32)
    mirror.sync(sandbox.account_sid)

    page = client_of("operator").get("/flows/new/", {"account": staging.account_sid})

    assert page.context["offered"]["chat_service_sid"] == [IS]


def test_refresh_renews_every_account_and_tells_of_the_one_that_fails(
    client_of, flows, sandbox, staging
):
    sandbox.add_flow(friendly_name="Later")
    staging.stop()

    page = text_of(client_of("viewer").post("/flows/sync/", headers={"HX-Request": "true"}))

    assert Flow.objects.filter(friendly_name="Later").exists()
    assert "<bdi>staging</bdi>:" in page
    assert "Last sync failed" in page
    assert SyncState.objects.get(pk=sandbox.account_sid).failed_at is None
    assert Flow.objects.get(pk=flows[1]).gone_at is None
    staging.start()


def test_refresh_of_a_person_leaves_alone_what_they_may_not_see(tester, flows, sandbox):
    before = len(sandbox.requests)

    tester.post("/flows/sync/")

    assert len(sandbox.requests) == before


def test_command_syncs_every_account(sandbox, staging):
    sandbox.add_flow(friendly_name="A")
    staging.add_flow(friendly_name="B")

    call_command("sync_flows", verbosity=0)

    assert dict(Flow.objects.values_list("friendly_name", "account_sid")) == {
        "A": sandbox.account_sid,
        "B": staging.account_sid,
    }


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


def test_account_that_the_site_has_no_more_can_still_be_read(client_of, flows, staging, settings):
    settings.FLEX_ACCOUNTS = (
        settings.FLEX_ACCOUNTS[0],
        settings.FLEX_ACCOUNTS[0].__class__("AC" + "7" * 32, auth=("a", "b"), name="third"),
    )
    client = client_of("operator")

    assert "Try line" in text_of(client.get("/flows/"))
    page = client.get(reverse("flows:detail", args=[flows[1]]))
    assert "no credentials for the account" in text_of(page)
    assert switch_off(client, flows[1]).status_code != 302
    assert AuditEvent.objects.latest("seq").result == "failed"
