"""New, cloned and restored flows on a site with two accounts."""

import uuid

import pytest

from flows.audit.models import AuditEvent, OpenDrift
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from tests.conftest import form_data
from tests.faults.acting import received_writes
from tests.flows.flex_flows.form_fields import offered_values
from tests.flows.flex_flows.views.two_accounts import FW, IS, text_of
from tests.markup import squeezed

pytestmark = pytest.mark.django_db(transaction=True)


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
    sync_account(staging.account_sid)
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
    sync_account(staging.account_sid)
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
    sync_account(staging.account_sid)
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


def test_clone_within_the_account_keeps_the_sids(client_of, flows, staging):
    page = client_of("operator").get(
        "/flows/new/", {"clone": flows[1], "account": staging.account_sid}
    )

    assert form_data(page)["integration_flow_sid"] == FW


def test_siblings_of_another_account_are_not_offered(client_of, flows, sandbox, staging):
    sandbox.add_flow(friendly_name="B", chat_service_sid="IS" + "2" * 32)
    sync_account(sandbox.account_sid)

    page = client_of("operator").get("/flows/new/", {"account": staging.account_sid})

    assert offered_values(page.context["form"], "chat_service_sid") == [IS]
