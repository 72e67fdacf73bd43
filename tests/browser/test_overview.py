"""The overview in a browser: a new site, one account and ten; it renews itself after a sync."""

import uuid
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from flows.accounts.twilio_accounts import COLOURS, Account
from flows.audit.models import OpenChange
from flows.changes import flow_changes
from flows.mirror.models import Flow, SyncState
from flows.mirror.sync import sync_account
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.browser.looks import LOOKS, find_problems

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ten_accounts(sandbox, settings):
    """Ten accounts, with the sandbox's flows in the first and one flow more in each other."""
    first = settings.FLEX_ACCOUNTS[0]
    settings.FLEX_ACCOUNTS = (
        replace(first, name="production", colour="red", is_production=True),
        *(
            Account(
                f"AC{number:032}",
                auth=("SK" + "0" * 32, "secret"),
                name=f"customer-care-{number}",
                colour=COLOURS[number % len(COLOURS)],
                api_url=sandbox.url,
                is_read_only=number == 9,
            )
            for number in range(1, 10)
        ),
    )
    sync_account(ACCOUNT)
    synced_at = SyncState.objects.get(account_sid=ACCOUNT).synced_at
    for number, account in enumerate(settings.FLEX_ACCOUNTS[1:], 1):
        SyncState.objects.create(account_sid=account.sid, synced_at=synced_at, flows=number)
        Flow.objects.bulk_create(
            Flow(
                sid=f"FO{number:016}{index:016}",
                account_sid=account.sid,
                channel_type=("sms", "whatsapp", "web")[index % 3],
                enabled=index % 4 > 0,
                mirrored_at=synced_at,
            )
            for index in range(number * 7)
        )
    SyncState.objects.filter(account_sid=f"AC{4:032}").update(
        failed_at=synced_at, error="Twilio did not answer in time"
    )


@pytest.fixture
def lost_change(sandbox, flow_sid, actor):
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    flow_changes.update_flow(
        sid=flow_sid,
        account_sid=ACCOUNT,
        base=None,
        values={"friendly_name": "New"},
        reason="",
        actor=actor,
        change_id=uuid.uuid4(),
    )
    OpenChange.objects.update(ambiguity="The flow no longer exists at Twilio.")


@pytest.mark.quick
def test_overview_syncs_by_itself_and_shows_what_came(open_page, sandbox):
    sandbox.add_flow(channel_type="whatsapp", enabled=True)

    page = open_page("viewer", path="/")

    row = page.get_by_role("table", name="Flows by channel").get_by_role("row", name="WhatsApp")
    expect(row).to_be_visible()
    expect(page.locator("#copy")).to_contain_text("Synced with Twilio")
    expect(page.locator("#overview")).to_have_count(1)


def test_figures_and_bars_lead_to_the_flows_that_they_count(open_page, sandbox):
    sandbox.add_flow(friendly_name="Alpha", channel_type="sms", enabled=True)
    sandbox.add_flow(friendly_name="Beta", channel_type="sms", enabled=False)
    sync_account(ACCOUNT)
    page = open_page("viewer", path="/")

    page.locator(".chart-row a").nth(1).click()

    page.wait_for_url("**/flows/?channel=sms&enabled=false")
    expect(page.get_by_role("link", name="Beta")).to_be_visible()
    expect(page.get_by_role("link", name="Alpha")).to_have_count(0)


def test_sync_without_javascript_leads_back_to_the_overview(open_page, sandbox):
    sandbox.add_flow(channel_type="line")
    page = open_page("viewer", path="/", javascript=False)
    expect(page.get_by_role("heading", name="No flows have been synced yet")).to_be_visible()

    page.get_by_role("button", name="Refresh").click()

    expect(page.get_by_role("heading", name="1 flow: 1 on, 0 off")).to_be_visible()


@LOOKS
def test_overview_is_accessible_and_fits(open_page, request, scheme, width):
    new_site = open_page("admin", scheme=scheme, width=width, path="/")
    expect(new_site.get_by_role("heading", name="No flows yet")).to_be_visible()
    findings = {"new site": find_problems(new_site)}
    request.getfixturevalue("lost_change")
    one = open_page("operator", scheme=scheme, width=width, path="/")
    expect(one.get_by_role("link", name="1 change needs your decision")).to_be_visible()
    findings["one account"] = find_problems(one)
    one.get_by_text("Events a day as a table").click()
    findings["table of the chart"] = find_problems(one)
    request.getfixturevalue("ten_accounts")
    ten = open_page("admin", scheme=scheme, width=width, path="/")
    findings["ten accounts"] = find_problems(ten)

    assert {name: found for name, found in findings.items() if found} == {}


def test_state_of_flex_is_loaded_into_the_overview(open_page):
    page = open_page("viewer", path="/")

    panel = page.get_by_role("region", name="Flex", exact=True)
    expect(panel.get_by_text("Set up")).to_be_visible()
    panel.get_by_role("link", name="Autumn").click()
    expect(page.get_by_role("heading", name="Plugin release")).to_be_visible()
