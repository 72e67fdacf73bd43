"""The pages of the checks: all of them, one of them, and what could not be checked."""

from dataclasses import replace

import pytest
from django.utils.html import strip_tags

from flows.checks.models import Suppression
from flows.mirror import flow_rows
from tests import ACCOUNT
from tests.conftest import form_data
from tests.flows.checks.complete_flows import flow
from tests.flows.checks.test_checking import (
    READ,
    STUDIO_FLOWS,
    add_objects,
    add_reading,
    read_completely,
    store,
)
from tests.flows.names.adding import add_name
from tests.flows.search.mirrored_flows import DAY

pytestmark = pytest.mark.django_db
GONE = "FW" + "3" * 32
OTHER_ACCOUNT = "AC" + "7" * 32


def text(page):
    return " ".join(strip_tags(page.content.decode()).split())


@pytest.fixture
def gone_target():
    add_name(GONE, "Night <IVR>", gone_at=DAY)


def pointing_at_it(name, **fields):
    return flow(
        "studio", "web", friendly_name=name, integration_flow_sid=GONE, enabled=True, **fields
    )


def test_list_has_each_rule_with_its_reason_and_number(client_of, gone_target):
    store(
        pointing_at_it("A"),
        pointing_at_it("B"),
        flow("external", "web", integration_url="http://h.example/"),
    )
    read_completely(*READ)

    page = client_of("viewer").get("/checks/")

    assert "2 errors 1 warning 3 flows checked" in text(page)
    assert (
        "Error Points to something that Twilio no longer has "
        "Twilio has nothing to hand the message to, so customers get no answer. 2" in text(page)
    )
    assert "25 checks found nothing" in text(page)
    assert "Not checked" not in text(page)


def test_check_has_its_flows_and_what_to_do(client_of, gone_target):
    store(pointing_at_it("Réclamations <b>"), pointing_at_it("Off") | {"enabled": False})

    page = client_of("viewer").get("/checks/target-gone/")

    assert "Choose another target in the flow" in text(page)
    assert "Réclamations &lt;b&gt;" in page.content.decode()
    assert "The Studio Flow “Night &lt;IVR&gt;” was deleted at Twilio." in text(page)
    assert "Warning The flow isn’t on." in text(page)
    assert f'href="/flows/FO{0:032}/"' in page.content.decode()


def test_rule_whose_flows_are_all_off_is_no_error(client_of, gone_target):
    store(pointing_at_it("Off") | {"enabled": False})

    page = client_of("viewer").get("/checks/")

    assert "1 warning 1 flow checked" in text(page)
    assert "1 error" not in text(page)


@pytest.mark.parametrize("path", ["/checks/", "/checks/number-not-owned/"])
def test_page_says_what_could_not_be_checked(client_of, path):
    store(flow("studio", "sms", enabled=True))

    page = client_of("viewer").get(path)

    shown = text(page).replace("&#x27;", "'")
    assert "“The number doesn't belong to this account”" in shown
    assert "not checked, because the phone numbers of the account were not read." in shown
    assert "No flow has this finding" not in text(page)


def test_page_without_findings_says_so(client_of):
    read_completely(*READ)
    store(flow("external", "web", enabled=True))

    client = client_of("viewer")

    assert "Nothing looks wrong" in text(client.get("/checks/"))
    assert "No flow has this finding" in text(client.get("/checks/target-gone/"))


def test_page_before_the_first_sync_says_so(client_of):
    assert "Nothing to check yet" in text(client_of("viewer").get("/checks/"))


def test_long_list_has_pages(client_of, gone_target):
    store(*(pointing_at_it(f"Flow {number:03}") for number in range(51)))
    client = client_of("viewer")

    first, second = client.get("/checks/target-gone/"), client.get("/checks/target-gone/?page=2")

    assert "1–50 of 51 findings" in text(first)
    assert "51–51 of 51 findings" in text(second)
    assert 'href="?page=2"' in first.content.decode()
    assert client.get("/checks/target-gone/?page=99").context["page"].number == 2


@pytest.mark.parametrize(
    "path", ["/checks/nothing-like-it/", "/checks/?account=AC1", "/checks/target-gone/?account=x"]
)
def test_unknown_rule_or_account_is_not_found(client_of, path):
    assert client_of("viewer").get(path).status_code == 404


@pytest.fixture
def two_accounts(settings):
    first = settings.FLEX_ACCOUNTS[0]
    settings.FLEX_ACCOUNTS = (
        replace(first, name="production"),
        replace(first, sid=OTHER_ACCOUNT, name="staging"),
    )
    snapshot = flow(
        "external", "web", friendly_name="Elsewhere", integration_url=None, enabled=True
    )
    flow_rows.save_snapshots({"FO" + "9" * 32: snapshot | {"sid": "FO" + "9" * 32}}, OTHER_ACCOUNT)
    store(flow("external", "web", friendly_name="Here", integration_url=None, enabled=True))


def test_account_can_be_chosen(client_of, two_accounts):
    client = client_of("viewer")

    assert "2 errors" in text(client.get("/checks/"))
    page = client.get(f"/checks/required-value-missing/?account={OTHER_ACCOUNT}")
    assert "Elsewhere" in text(page)
    assert "Here" not in text(page)
    assert (
        f'href="/checks/required-value-missing/?account={OTHER_ACCOUNT}"'
        in client.get(f"/checks/?account={OTHER_ACCOUNT}").content.decode()
    )


def test_links_keep_the_chosen_account(client_of, two_accounts):
    query = f"?account={OTHER_ACCOUNT}"
    rule_url, sid = "/checks/required-value-missing/", "FO" + "9" * 32
    client = client_of("operator")
    detail = client.get(rule_url + query).content.decode()
    suppress_url = f"{rule_url}{sid}/suppress/{query}"

    assert f'href="/checks/{query}"' in detail
    assert f'href="{suppress_url}"' in detail
    page = client.get(suppress_url)
    assert page.content.decode().count(f'href="{rule_url}{query}"') == 2
    answer = client.post(suppress_url, {**form_data(page), "reason": "A lab"})
    assert answer.url == rule_url + query
    assert f'href="{rule_url}{query}"' in client.get(f"/checks/{query}").content.decode()
    end_url = f"{rule_url}{sid}/show-again/{query}"
    assert f'action="{end_url}"' in client.get(rule_url + query).content.decode()
    assert client.post(end_url).url == rule_url + query


def test_suppression_in_an_unknown_account_is_not_found_and_changes_nothing(
    client_of, two_accounts
):
    url = f"/checks/required-value-missing/FO{'9' * 32}/suppress/"
    client = client_of("operator")
    data = {**form_data(client.get(url)), "reason": "A lab"}

    assert client.post(f"{url}?account=AC1", data).status_code == 404
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("path", ["/checks/", "/checks/number-not-owned/"])
def test_page_says_how_old_the_names_are(client_of, path):
    client = client_of("viewer")
    assert "Targets, numbers and senders have not been read from Twilio yet." in text(
        client.get(path)
    )
    read_completely("phone_number", read_at=DAY)
    read_completely("workspace")

    assert "Targets, numbers and senders read from Twilio at 1 Mar 2026" in text(client.get(path))


@pytest.mark.parametrize("path", ["/checks/", "/checks/number-not-owned/"])
def test_page_says_which_flows_are_newer_than_the_names(client_of, path):
    read_completely(*READ, read_at=DAY)
    store(flow("studio", "sms", enabled=True))

    page = client_of("viewer").get(path)

    assert (
        "1 flow was changed after the names and numbers were read. “The number doesn't belong to "
        "this account” was not checked for it."
    ) in text(page).replace("&#x27;", "'")
    assert "No flow has this finding" not in text(page)
    assert "Nothing looks wrong" not in text(page)


def add_studio_flow_with_a_later_draft():
    add_objects()
    add_reading(STUDIO_FLOWS[3], "studio_definition", revision=4, trigger_events=[])
    add_name(STUDIO_FLOWS[3], "Later", status="draft", revision=5)
    read_completely(*READ)
    store(flow("studio", "web", integration_flow_sid=STUDIO_FLOWS[3], enabled=True))


@pytest.mark.parametrize(
    ("path", "rest"),
    [
        (
            "/checks/",
            (
                ", “The Studio Flow sends to a workflow or task channel that Twilio no longer has” and "
                "“Both message triggers of the Studio Flow lead to Send to Flex” were not checked for it."
            ),
        ),
        ("/checks/studio-flow-takes-no-message/", " was not checked for it."),
    ],
)
def test_page_says_which_definitions_are_not_known(client_of, path, rest):
    add_studio_flow_with_a_later_draft()

    page = text(client_of("viewer").get(path)).replace("&#x27;", "'")

    assert (
        "1 flow points to a Studio Flow whose published definition isn't known, such as one with a "
        f"later draft. “Points to a Studio Flow that does nothing with its message”{rest}"
    ) in page
    assert "No flow has this finding" not in page


@pytest.mark.parametrize(
    ("unread", "sentence"),
    [
        ("service_number", "“Something else is set up to answer the same messages” was checked only in part, because the Messaging Service numbers of the account were not read."),
        ("service_number", "“Nothing hands the number's messages to the flow” was not checked, because the Messaging Service numbers"),
        ("workflow", "“The Studio Flow sends to a workflow or task channel that Twilio no longer has” were checked only in part, because the Workflows"),
        ("configuration", "“The flow uses another chat service than Flex does” was not checked, because"),
    ],
)  # fmt: skip
def test_page_says_which_rules_judged_only_a_part(client_of, unread, sentence):
    add_objects()
    read_completely(*(each for each in READ if each != unread))
    store(flow("studio", "sms", enabled=True))

    page = text(client_of("viewer").get("/checks/")).replace("&#x27;", "'")

    assert sentence in page


def test_user_of_one_account_sees_only_its_findings(client_of, two_accounts):
    client = client_of("viewer", name="staging-only", account_sid=OTHER_ACCOUNT)

    page = client.get("/checks/required-value-missing/")

    assert "Elsewhere" in text(page)
    assert "Here" not in text(page)
    assert client.get(f"/checks/?account={ACCOUNT}").status_code == 404
