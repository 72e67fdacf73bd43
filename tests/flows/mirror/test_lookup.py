"""Search for an unknown flow in each account that the user may see."""

from dataclasses import replace

import pytest

from flows.audit import audit_log
from flows.audit.models import AuditEvent
from flows.availability import restrictions
from flows.mirror import lookup
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.twilio.errors import RequestRefused
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests.faults.acting import received_writes

pytestmark = pytest.mark.django_db

NOWHERE = "FO" + "9" * 32
PAGES = ["", "code/", "edit/", "details/", "enabled/", "delete/"]


@pytest.fixture
def in_staging(sandbox, staging):
    return staging.add_flow(friendly_name="Try line", enabled=True)


def requested_paths(account_sandbox):
    return [request.path.rpartition("/")[2] for request in account_sandbox.requests]


def text_of(page):
    return page.content.decode()


@pytest.mark.parametrize("path", PAGES)
def test_flow_is_found_in_its_account_and_mirrored(client_of, sandbox, staging, in_staging, path):
    page = client_of("operator").get(f"/flows/{in_staging}/{path}")

    assert page.status_code == 200
    assert "Try line" in text_of(page)
    assert 'class="marked teal"' in text_of(page)
    assert Flow.objects.get(sid=in_staging).account_sid == staging.account_sid
    assert requested_paths(sandbox) == [in_staging]
    assert requested_paths(staging) == [in_staging]  # once, also for the page itself


def test_accounts_that_the_user_may_not_see_are_not_searched(client_of, sandbox, staging):
    sid = sandbox.add_flow(friendly_name="Live line")

    page = client_of("operator", "tess", staging.account_sid).get(f"/flows/{sid}/")

    assert page.status_code == 404
    assert "Live line" not in text_of(page)
    assert requested_paths(sandbox) == []
    assert not Flow.objects.exists()


def test_permission_in_the_owning_account_counts(client_of, person, sandbox, staging, in_staging):
    user = person("operator", "omar", sandbox.account_sid)
    user.account_roles.create(account_sid=staging.account_sid, role=person("viewer").groups.get())

    client = client_of("operator", "omar")
    assert client.get(f"/flows/{in_staging}/").status_code == 200
    answer = client.post(f"/flows/{in_staging}/enabled/", {"enabled": "false"})

    assert answer.status_code == 403
    assert AuditEvent.objects.latest("seq").account_sid == staging.account_sid
    assert received_writes(sandbox) == received_writes(staging) == []


def test_flow_that_no_account_has_is_a_404_that_names_them(client_of, sandbox, staging):
    page = client_of("operator").get(f"/flows/{NOWHERE}/")

    assert page.status_code == 404
    assert "production, staging" in text_of(page)
    assert NOWHERE in text_of(page)
    assert not AuditEvent.objects.filter(stage="observed").exists()


@pytest.mark.parametrize("trouble", ["away", "refused", "closed"])
def test_page_names_an_account_that_could_not_be_searched(client_of, sandbox, staging, trouble):
    if trouble == "away":
        sandbox.inject(Fault(FaultKind.SERVER_ERROR, times=None))
    elif trouble == "refused":
        sandbox.inject(Fault(FaultKind.REFUSE, status=401, code=20003, times=None))
    else:
        restrictions.record_response(
            sandbox.account_sid, "fetch", RequestRefused(status=403, code=20003)
        )

    page = client_of("operator").get(f"/flows/{NOWHERE}/")

    assert page.status_code == 502
    assert "It is not in staging" in text_of(page)
    assert "<strong>production</strong>" in text_of(page)
    assert trouble != "closed" or requested_paths(sandbox) == []


def test_404_proves_nothing_while_twilio_refuses_to_list_flows(sandbox, staging):
    sync_account(
        sandbox.account_sid
    )  # before a first success, a refusal says that the settings are wrong
    restrictions.record_response(sandbox.account_sid, "list", RequestRefused(status=403))

    result = lookup.find_flow(NOWHERE, scope=None)

    assert [account.name for account, _ in result.unsearched_accounts] == ["production"]
    assert [account.name for account in result.searched_accounts] == ["staging"]


def test_form_of_an_unknown_flow_keeps_the_input(client_of, sandbox, staging):
    sandbox.inject(Fault(FaultKind.SERVER_ERROR, times=None))

    page = client_of("operator").post(
        f"/flows/{NOWHERE}/enabled/", {"enabled": "false", "reason": "My reason"}
    )

    assert page.status_code == 502
    assert 'value="My reason"' in text_of(page)
    assert received_writes(sandbox) == received_writes(staging) == []


def test_user_without_the_permission_is_denied_before_any_search(client_of, sandbox, staging):
    assert client_of("viewer").get(f"/flows/{NOWHERE}/edit/").status_code == 403
    assert requested_paths(sandbox) == requested_paths(staging) == []


def test_clone_of_an_unknown_flow_searches_for_it(client_of, sandbox, staging, in_staging):
    page = client_of("operator").get(
        f"/flows/new/?clone={in_staging}&account={staging.account_sid}"
    )

    assert 'value="Try line (copy)"' in text_of(page)


def test_only_account_is_read_directly(client_of, sandbox):
    sid = sandbox.add_flow(friendly_name="Only one")

    assert "Only one" in text_of(client_of("operator").get(f"/flows/{sid}/"))
    assert client_of("operator").get(f"/flows/{NOWHERE}/").status_code == 404


def test_flow_of_a_former_account_is_not_read_from_the_only_account(
    client_of, sandbox, flow_sid, settings
):
    settings.FLEX_ACCOUNTS = (replace(settings.FLEX_ACCOUNTS[0], sid="AC" + "7" * 32),)
    read = len(sandbox.requests)

    page = client_of("operator").get(f"/flows/{flow_sid}/")

    assert len(sandbox.requests) == read
    assert "no credentials for the account" in text_of(page)
    assert f"/flows/{flow_sid}/edit/" not in text_of(page)
    assert not AuditEvent.objects.filter(action="flow.drift").exists()


def test_code_of_a_flow_of_a_former_account_does_not_name_another_api(
    client_of, sandbox, flow_sid, settings
):
    settings.FLEX_ACCOUNTS = (replace(settings.FLEX_ACCOUNTS[0], sid="AC" + "7" * 32),)

    page = text_of(client_of("operator").get(f"/flows/{flow_sid}/code/"))

    assert "https://flex-api.twilio.com/v1" in page
    assert sandbox.url not in page


def test_refresh_of_an_unknown_account_refreshes_no_other(client_of, sandbox, staging):
    answer = client_of("viewer").post(f"/flows/sync/?account=AC{'7' * 32}")

    assert answer.status_code == 302
    assert sandbox.requests == staging.requests == []


def test_event_without_an_account_requires_the_scope_of_all_accounts(
    client_of, sandbox, staging, actor
):
    event = audit_log.append(
        action="audit.verify", stage="access", result="succeeded", actor=actor, account_sid=""
    )

    assert (
        client_of("auditor", "ada", staging.account_sid)
        .get(f"/audit/{event.event_id}/")
        .status_code
        == 403
    )
    assert client_of("auditor").get(f"/audit/{event.event_id}/").status_code == 200
    restore = f"/flows/new/?restore={event.event_id}"
    assert "Restore an earlier version" not in text_of(
        client_of("operator", "omar", staging.account_sid).get(restore)
    )
