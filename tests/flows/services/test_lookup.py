"""A flow that nobody here knows is looked for in each account that the user may see, and never guessed."""

from dataclasses import replace

import pytest

from flows.flexapi.errors import Refused
from flows.flexapi.sandbox import Fault, FaultKind
from flows.models import AuditEvent, Flow
from flows.services import closures, lookup, mirror
from tests.faults.acting import writes

pytestmark = pytest.mark.django_db

NOWHERE = "FO" + "9" * 32
PAGES = ["", "code/", "edit/", "enabled/", "delete/"]


@pytest.fixture
def in_staging(sandbox, staging):
    return staging.add_flow(friendly_name="Try line", enabled=True)


def asked(there):
    return [request.path.rpartition("/")[2] for request in there.requests]


def text_of(page):
    return page.content.decode()


@pytest.mark.parametrize("path", PAGES)
def test_flow_is_found_in_its_own_account_and_taken_over(client_of, sandbox, staging, in_staging, path):
    page = client_of("operator").get(f"/flows/{in_staging}/{path}")

    assert page.status_code == 200
    assert "Try line" in text_of(page)
    assert 'class="marked teal"' in text_of(page)
    assert Flow.objects.get(sid=in_staging).account_sid == staging.account_sid
    assert asked(sandbox) == [in_staging]
    assert asked(staging) == [in_staging]  # once, also for the page itself


def test_flow_of_an_account_that_the_user_may_not_see_is_not_asked_for(client_of, sandbox, staging):
    sid = sandbox.add_flow(friendly_name="Live line")

    page = client_of("operator", "tess", staging.account_sid).get(f"/flows/{sid}/")

    assert page.status_code == 404
    assert "Live line" not in text_of(page)
    assert asked(sandbox) == []
    assert not Flow.objects.exists()


def test_permission_is_the_owners(client_of, person, sandbox, staging, in_staging):
    user = person("operator", "omar", sandbox.account_sid)
    user.account_roles.create(account_sid=staging.account_sid, role=person("viewer").groups.get())

    client = client_of("operator", "omar")
    assert client.get(f"/flows/{in_staging}/").status_code == 200
    answer = client.post(f"/flows/{in_staging}/enabled/", {"enabled": "false"})

    assert answer.status_code == 403
    assert AuditEvent.objects.latest("seq").account_sid == staging.account_sid
    assert writes(sandbox) == writes(staging) == []


def test_flow_that_no_account_has_is_a_404_that_names_them(client_of, sandbox, staging):
    page = client_of("operator").get(f"/flows/{NOWHERE}/")

    assert page.status_code == 404
    assert "production, staging" in text_of(page)
    assert NOWHERE in text_of(page)
    assert not AuditEvent.objects.filter(stage="observed").exists()


@pytest.mark.parametrize("trouble", ["away", "refused", "closed"])
def test_account_that_could_not_be_asked_is_said(client_of, sandbox, staging, trouble):
    if trouble == "away":
        sandbox.inject(Fault(FaultKind.SERVER_ERROR, times=None))
    elif trouble == "refused":
        sandbox.inject(Fault(FaultKind.REFUSE, status=401, code=20003, times=None))
    else:
        closures.hear(sandbox.account_sid, "fetch", Refused(status=403, code=20003))

    page = client_of("operator").get(f"/flows/{NOWHERE}/")

    assert page.status_code == 502
    assert "It is not in staging" in text_of(page)
    assert "<strong>production</strong>" in text_of(page)
    assert trouble != "closed" or asked(sandbox) == []


def test_404_proves_nothing_where_twilio_does_not_even_list(sandbox, staging):
    mirror.sync(sandbox.account_sid)  # before a first success, a refusal says that the settings are wrong
    closures.hear(sandbox.account_sid, "list", Refused(status=403))

    found = lookup.find(NOWHERE, scope=None)

    assert [account.name for account, _ in found.unasked] == ["production"]
    assert [account.name for account in found.asked] == ["staging"]


def test_what_was_typed_comes_back_from_a_form_whose_flow_is_not_found(client_of, sandbox, staging):
    sandbox.inject(Fault(FaultKind.SERVER_ERROR, times=None))

    page = client_of("operator").post(
        f"/flows/{NOWHERE}/enabled/", {"enabled": "false", "reason": "My reason"}
    )

    assert page.status_code == 502
    assert 'value="My reason"' in text_of(page)
    assert writes(sandbox) == writes(staging) == []


def test_viewer_without_the_permission_is_refused_before_anybody_is_asked(client_of, sandbox, staging):
    assert client_of("viewer").get(f"/flows/{NOWHERE}/edit/").status_code == 403
    assert asked(sandbox) == asked(staging) == []


def test_clone_of_a_flow_that_nobody_here_knows_is_looked_for_too(client_of, sandbox, staging, in_staging):
    page = client_of("operator").get(f"/flows/new/?clone={in_staging}&account={staging.account_sid}")

    assert 'value="Try line (copy)"' in text_of(page)


def test_one_account_alone_is_asked_as_before(client_of, sandbox):
    sid = sandbox.add_flow(friendly_name="Only one")

    assert "Only one" in text_of(client_of("operator").get(f"/flows/{sid}/"))
    assert client_of("operator").get(f"/flows/{NOWHERE}/").status_code == 404


def test_flow_of_an_account_that_the_site_had_before_is_not_asked_for_in_its_only_one(
    client_of, sandbox, flow_sid, settings
):
    settings.FLEX_ACCOUNTS = (replace(settings.FLEX_ACCOUNTS[0], sid="AC" + "7" * 32),)
    read = len(sandbox.requests)

    page = client_of("operator").get(f"/flows/{flow_sid}/")

    assert len(sandbox.requests) == read
    assert "no credentials for the account" in text_of(page)
    assert f"/flows/{flow_sid}/edit/" not in text_of(page)
    assert not AuditEvent.objects.filter(action="flow.drift").exists()


def test_code_of_a_flow_of_an_account_that_the_site_had_before_names_no_other_ones_api(
    client_of, sandbox, flow_sid, settings
):
    settings.FLEX_ACCOUNTS = (replace(settings.FLEX_ACCOUNTS[0], sid="AC" + "7" * 32),)

    page = text_of(client_of("operator").get(f"/flows/{flow_sid}/code/"))

    assert "https://flex-api.twilio.com/v1" in page
    assert sandbox.url not in page


def test_refresh_of_an_account_that_is_none_refreshes_no_other(client_of, sandbox, staging):
    answer = client_of("viewer").post(f"/flows/sync/?account=AC{'7' * 32}")

    assert answer.status_code == 302
    assert sandbox.requests == staging.requests == []


def test_event_of_no_account_is_for_those_who_may_read_everything(client_of, sandbox, staging, actor):
    from flows.services import audit

    event = audit.append(
        action="audit.verify", stage="access", result="succeeded", actor=actor, account_sid=""
    )

    assert (
        client_of("auditor", "ada", staging.account_sid).get(f"/audit/{event.event_id}/").status_code == 403
    )
    assert client_of("auditor").get(f"/audit/{event.event_id}/").status_code == 200
    restore = f"/flows/new/?restore={event.event_id}"
    assert "Restore an earlier version" not in text_of(
        client_of("operator", "omar", staging.account_sid).get(restore)
    )
