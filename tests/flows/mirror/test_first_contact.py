"""The first contact with an account: settings that look wrong, and refusals that do not count."""

from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command

from flows.availability import restrictions
from flows.availability.models import Closure
from flows.mirror import first_contact
from flows.mirror.models import SyncState
from flows.mirror.sync import sync_account
from flows.twilio.errors import (
    ConnectionFailed,
    FlexError,
    NotSent,
    OutcomeUnknown,
    RateLimitTimeout,
    RequestRefused,
)
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import NEW_FLOW

pytestmark = pytest.mark.django_db(transaction=True)


def sync():
    with pytest.raises(FlexError):
        sync_account(ACCOUNT)
    return SyncState.objects.get().error


def list_page(client_of):
    return client_of("viewer").get("/flows/").content.decode()


ELSEWHERE = [
    Fault(FaultKind.HTML, times=None, status=404),
    Fault(FaultKind.HTML, times=None, status=403),
    Fault(FaultKind.HTML, times=None, status=410),
    Fault(FaultKind.HTML, times=None, status=405),
    Fault(FaultKind.HTML_OK, times=None),
    Fault(FaultKind.EMPTY, times=None),
    Fault(FaultKind.GARBAGE, times=None),
    Fault(FaultKind.REDIRECT, times=None),
]


@pytest.mark.parametrize("fault", ELSEWHERE, ids=lambda fault: f"{fault.kind} {fault.status or ''}")
def test_address_of_another_server_is_reported_as_wrong(sandbox, settings, client_of, fault):
    sandbox.inject(fault)

    message = sync()

    assert message.startswith(f"{settings.FLEX_API_URL} is not Twilio's Flex API (status ")
    assert message.endswith("Check FLEX_API_URL")
    assert not Closure.objects.exists()
    page = list_page(client_of)
    assert "Check FLEX_API_URL." in page
    assert "Twilio refuses" not in page
    assert "ended" not in page


def test_address_with_a_typing_mistake_in_its_path(sandbox, settings, client_of):
    settings.FLEX_API_URL = settings.FLEX_API_URL.replace("/v1", "/v11")

    message = sync()

    assert message == (
        f"Twilio has no Flex Flows at {settings.FLEX_API_URL} (status 404, code 20404). Check FLEX_API_URL. "
        "If it is right, Programmable Chat for Flex has ended for this account"
    )
    assert not Closure.objects.exists()


def test_unreachable_host(sandbox, settings):
    settings.FLEX_API_URL = "http://user:secret@127.0.0.1:9/v1?token=secret"

    message = sync()

    assert message == (
        "Couldn't connect to 127.0.0.1:9. Check FLEX_API_URL, and that this server can reach it"
    )


def test_wrong_credentials_are_reported(sandbox, settings):
    settings.FLEX_ACCOUNTS = (replace(settings.FLEX_ACCOUNTS[0], auth=("SK" + "5b" * 16, "wrong")),)

    message = sync()

    assert message == (
        f"{settings.FLEX_API_URL} does not accept this site's credentials (status 401, code 20003). "
        "Check TWILIO_API_KEY and TWILIO_API_SECRET"
    )


def test_message_names_the_variables_of_the_account(sandbox, staging, settings):
    error = RequestRefused(status=401, code=20003)
    token = replace(settings.FLEX_ACCOUNTS[1], auth=(staging.account_sid, "wrong"), name="stage-2")

    assert first_contact.explain_failure(staging.account_sid, error).endswith(
        "Check TWILIO_API_KEY__STAGING and TWILIO_API_SECRET__STAGING"
    )
    settings.FLEX_ACCOUNTS = (settings.FLEX_ACCOUNTS[0], token)
    assert first_contact.explain_failure(staging.account_sid, error).endswith(
        "Check TWILIO_AUTH_TOKEN__STAGE_2"
    )
    assert (
        first_contact.explain_failure(staging.account_sid, ConnectionFailed()).count(
            "Check FLEX_API_URL__STAGE_2"
        )
        == 1
    )
    assert "Check FLEX_API_URL," in first_contact.explain_failure(
        sandbox.account_sid, ConnectionFailed()
    )


def test_proxy_that_requires_credentials(sandbox):
    assert first_contact.explain_failure(ACCOUNT, RequestRefused(status=401)).endswith(
        "(status 401). Check TWILIO_API_KEY and TWILIO_API_SECRET, and FLEX_API_URL"
    )


@pytest.mark.parametrize(
    "error",
    [
        RequestRefused(status=403, code=20403), RequestRefused(status=410, code=20410), RequestRefused(status=429, code=20429),
        RequestRefused(status=400, code=20007), OutcomeUnknown("Twilio answered with status 502", status=502),
        OutcomeUnknown("the connection to Twilio was lost"), OutcomeUnknown("Twilio did not answer in time"), RateLimitTimeout("too many"),
        NotSent("no time left"),
    ],
    ids=str,
)  # fmt: skip
def test_other_failures_do_not_blame_the_settings(sandbox, error):
    assert first_contact.explain_failure(ACCOUNT, error) == ""
    assert not first_contact.is_misconfigured(ACCOUNT, "list", error)


@pytest.mark.parametrize(("status", "code"), [(403, 20403), (410, 20410)])
def test_refusal_with_twilios_own_code_counts_at_once(sandbox, status, code):
    sandbox.inject(Fault(FaultKind.REFUSE, times=None, status=status, code=code))

    sync()

    assert restrictions.account_availability(ACCOUNT).restriction_of("list") is not None


@pytest.mark.parametrize("fault", ELSEWHERE, ids=lambda fault: f"{fault.kind} {fault.status or ''}")
def test_after_a_first_success_the_settings_are_not_blamed(sandbox, flow_sid, fault):
    sandbox.inject(fault)

    assert "FLEX_API_URL" not in sync()
    assert restrictions.account_availability(ACCOUNT).restriction_of(
        "list"
    ) is not None or fault.status not in (
        403,
        404,
        410,
    )


def test_command_explains_the_failure(sandbox, settings):
    settings.FLEX_API_URL = "http://127.0.0.1:9/v1"

    with pytest.raises(CommandError, match=r"Couldn't connect to 127.0.0.1:9. Check FLEX_API_URL"):
        call_command("sync_flows")


def test_failed_creation_of_the_first_flow_explains_the_failure(sandbox, settings, client_of):
    sandbox.inject(Fault(FaultKind.HTML, times=None, status=404))
    client = client_of("operator")
    fields = {name: str(value) for name, value in NEW_FLOW.items() if value is not None}
    form = client.get("/flows/new/").context["form"]
    hidden = {"change_id": str(form["change_id"].value()), "reason": "First"}

    page = client.post("/flows/new/", {**fields, **hidden, "enabled": "false"}).content.decode()

    assert "Check FLEX_API_URL" in page
    assert "Nothing was changed." in page
    assert "Twilio has no such Flex Flow" not in page
    assert not Closure.objects.exists()
