"""Two accounts on one site: visible flows, the account of a change, and roles on one account."""

import json

import pytest
from django.core.management import call_command
from django.urls import reverse

from flows.accounts import clients
from flows.audit import audit_log
from flows.audit.models import AuditEvent
from flows.availability import restrictions
from flows.mirror.models import Flow, SyncState
from flows.twilio.flex.flex_flow import FLEX_FLOW
from tests.faults.acting import received_writes
from tests.flows.flex_flows.views.two_accounts import switch_off, text_of

pytestmark = pytest.mark.django_db(transaction=True)


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
    assert '<body class="marked teal"' in page


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
        clients.resource_client(FLEX_FLOW, api.account_sid).fetch(sid)
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
