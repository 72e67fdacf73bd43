"""The first contact with an account: which setting looks wrong, and what is not taken for the end of
Twilio's product."""

from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command

from flows.flexapi.errors import FlexError, NeverSent, NoConnection, NoTurn, Refused, Unknown
from flows.flexapi.sandbox import Fault, FaultKind
from flows.models import Closure, SyncState
from flows.services import closures, first_contact, mirror
from tests import ACCOUNT
from tests.faults.acting import NEW

pytestmark = pytest.mark.django_db(transaction=True)


def sync():
    with pytest.raises(FlexError):
        mirror.sync(ACCOUNT)
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
def test_address_that_is_not_twilios_is_said_to_be_wrong(sandbox, settings, client_of, fault):
    sandbox.inject(fault)

    said = sync()

    assert said.startswith(f"{settings.FLEX_API_URL} is not Twilio's Flex API (status ")
    assert said.endswith("Check FLEX_API_URL")
    assert not Closure.objects.exists()
    page = list_page(client_of)
    assert "Check FLEX_API_URL." in page
    assert "Twilio refuses" not in page
    assert "ended" not in page


def test_address_with_a_typing_mistake_in_its_path(sandbox, settings, client_of):
    settings.FLEX_API_URL = settings.FLEX_API_URL.replace("/v1", "/v11")

    said = sync()

    assert said == (
        f"Twilio has no Flex Flows at {settings.FLEX_API_URL} (status 404, code 20404). Check FLEX_API_URL. "
        "If it is right, Programmable Chat for Flex has ended for this account"
    )
    assert not Closure.objects.exists()


def test_host_that_nobody_is_at(sandbox, settings):
    settings.FLEX_API_URL = "http://user:secret@127.0.0.1:9/v1?token=secret"

    said = sync()

    assert said == ("Couldn't connect to 127.0.0.1:9. Check FLEX_API_URL, and that this server can reach it")


def test_wrong_credentials_are_said_to_be_wrong(sandbox, settings):
    settings.FLEX_ACCOUNTS = (replace(settings.FLEX_ACCOUNTS[0], auth=("SK" + "5b" * 16, "wrong")),)

    said = sync()

    assert said == (
        f"{settings.FLEX_API_URL} does not accept this site's credentials (status 401, code 20003). "
        "Check TWILIO_API_KEY and TWILIO_API_SECRET"
    )


def test_account_among_several_is_told_its_own_variables(sandbox, staging, settings):
    error = Refused(status=401, code=20003)
    token = replace(settings.FLEX_ACCOUNTS[1], auth=(staging.account_sid, "wrong"), name="stage-2")

    assert first_contact.explain(staging.account_sid, error).endswith(
        "Check TWILIO_API_KEY__STAGING and TWILIO_API_SECRET__STAGING"
    )
    settings.FLEX_ACCOUNTS = (settings.FLEX_ACCOUNTS[0], token)
    assert first_contact.explain(staging.account_sid, error).endswith("Check TWILIO_AUTH_TOKEN__STAGE_2")
    assert (
        first_contact.explain(staging.account_sid, NoConnection()).count("Check FLEX_API_URL__STAGE_2") == 1
    )
    assert "Check FLEX_API_URL," in first_contact.explain(sandbox.account_sid, NoConnection())


def test_proxy_that_wants_credentials_of_its_own(sandbox):
    assert first_contact.explain(ACCOUNT, Refused(status=401)).endswith(
        "(status 401). Check TWILIO_API_KEY and TWILIO_API_SECRET, and FLEX_API_URL"
    )


@pytest.mark.parametrize(
    "error",
    [
        Refused(status=403, code=20403), Refused(status=410, code=20410), Refused(status=429, code=20429),
        Refused(status=400, code=20007), Unknown("Twilio answered with status 502", status=502),
        Unknown("the connection to Twilio was lost"), Unknown("Twilio did not answer in time"), NoTurn("too many"),
        NeverSent("no time left"),
    ],
    ids=str,
)  # fmt: skip
def test_what_else_fails_is_no_fault_of_the_settings(sandbox, error):
    assert first_contact.explain(ACCOUNT, error) == ""
    assert not first_contact.is_misaddressed(ACCOUNT, "list", error)


@pytest.mark.parametrize(("status", "code"), [(403, 20403), (410, 20410)])
def test_end_in_twilios_own_words_is_believed_at_once(sandbox, status, code):
    sandbox.inject(Fault(FaultKind.REFUSE, times=None, status=status, code=code))

    sync()

    assert closures.state_of(ACCOUNT).why("list") is not None


@pytest.mark.parametrize("fault", ELSEWHERE, ids=lambda fault: f"{fault.kind} {fault.status or ''}")
def test_after_a_first_success_the_settings_are_not_blamed(sandbox, flow_sid, fault):
    sandbox.inject(fault)

    assert "FLEX_API_URL" not in sync()
    assert closures.state_of(ACCOUNT).why("list") is not None or fault.status not in (403, 404, 410)


def test_command_says_it_too(sandbox, settings):
    settings.FLEX_API_URL = "http://127.0.0.1:9/v1"

    with pytest.raises(CommandError, match=r"Couldn't connect to 127.0.0.1:9. Check FLEX_API_URL"):
        call_command("sync_flows")


def test_first_flow_that_can_not_be_made_says_why(sandbox, settings, client_of):
    sandbox.inject(Fault(FaultKind.HTML, times=None, status=404))
    client = client_of("operator")
    fields = {name: str(value) for name, value in NEW.items() if value is not None}
    form = client.get("/flows/new/").context["form"]
    hidden = {"change_id": str(form["change_id"].value()), "reason": "First"}

    page = client.post("/flows/new/", {**fields, **hidden, "enabled": "false"}).content.decode()

    assert "Check FLEX_API_URL" in page
    assert "Nothing was changed." in page
    assert "Twilio has no such Flex Flow" not in page
    assert not Closure.objects.exists()
