"""Main tasks with JavaScript and without: find, create, edit, conflict, switch, delete."""

import re

import pytest
from playwright.sync_api import expect

from flows.audit.models import AuditEvent
from flows.mirror.sync import sync_account
from tests import ACCOUNT

pytestmark = pytest.mark.django_db(transaction=True)

JAVASCRIPT = pytest.mark.parametrize("javascript", [True, False], ids=["js", "no-js"])
KINDS = {
    "studio": {"integration_flow_sid": "FW" + "1" * 32},
    "external": {"integration_url": "https://hooks.example.com/in"},
    "task": {
        "integration_workspace_sid": "WS" + "1" * 32,
        "integration_workflow_sid": "WW" + "1" * 32,
        "integration_priority": "5",
    },
}


def writes(sandbox):
    return [request for request in sandbox.requests if request.method != "GET"]


def choose(page, kind, javascript):
    """Choose an integration type and wait for its fields."""
    page.select_option("[name=integration_type]", kind)
    if not javascript:
        page.get_by_role("button", name="Update fields").click()
    first = next(iter(KINDS[kind]))
    expect(page.locator(f"[name={first}]:not([type=hidden])")).to_be_visible()


def submit(page, words):
    page.get_by_role("button", name=words).click()


@JAVASCRIPT
def test_search_finds_by_part_of_the_name(open_page, sandbox, javascript):
    sandbox.add_flow(friendly_name="Réclamations Lyon")
    sandbox.add_flow(friendly_name="Support 100%")
    sync_account(ACCOUNT)
    page = open_page("viewer", javascript=javascript)

    page.locator("#q").press_sequentially("RECLAM")
    if not javascript:
        page.locator("#q").press("Enter")

    expect(page.get_by_role("link", name="Support 100%")).to_have_count(0)
    expect(page.get_by_role("link", name="Réclamations Lyon")).to_be_visible()
    expect(page).to_have_url(re.compile(r"q=RECLAM(&|$)"))


@JAVASCRIPT
@pytest.mark.parametrize("kind", list(KINDS))
def test_create_a_flow_of_each_kind(open_page, sandbox, kind, javascript):
    page = open_page("operator", javascript=javascript, path="/flows/new/")
    page.fill("[name=friendly_name]", "Campagne d'été")
    page.select_option("[name=channel_type]", "sms")
    page.fill("[name=contact_identity]", "+33199000100")
    page.fill("[name=chat_service_sid]", "IS" + "1" * 32)

    choose(page, kind, javascript)
    for name, value in KINDS[kind].items():
        page.fill(f"[name={name}]", value)
    submit(page, "Review new flow")
    expect(page.locator("main table")).to_contain_text("Campagne d'été")
    assert writes(sandbox) == []
    page.fill("[name=reason]", "Summer")
    submit(page, "Create flow")

    expect(page.get_by_role("heading", level=1)).to_contain_text("Campagne d'été")
    (flow,) = sandbox.flows.values()
    assert (flow["friendly_name"], flow["integration_type"]) == ("Campagne d'été", kind)
    for name, value in KINDS[kind].items():
        assert str(flow["integration"][name.removeprefix("integration_")]) == value


@pytest.mark.quick("js")
@JAVASCRIPT
def test_edit_is_confirmed_and_in_the_log_with_before_and_after(open_page, flow_sid, javascript):
    page = open_page("operator", javascript=javascript, path=f"/flows/{flow_sid}/")

    page.get_by_role("link", name="Edit").first.click()
    page.fill("[name=friendly_name]", "Plaintes Lyon")
    submit(page, "Review changes")
    page.fill("[name=reason]", "New name")
    submit(page, "Save changes")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Plaintes Lyon")
    page.get_by_role("link", name="Audit log").first.click()
    page.get_by_role("link", name="Changed friendly name").first.click()

    expect(page.locator("main")).to_contain_text("Réclamations Lyon")
    expect(page.locator("main")).to_contain_text("Plaintes Lyon")
    expect(page.locator("main")).to_contain_text("New name")


@JAVASCRIPT
def test_error_stands_beside_its_field_and_what_was_typed_is_kept(open_page, flow_sid, javascript):
    page = open_page("operator", javascript=javascript, path=f"/flows/{flow_sid}/edit/")

    page.fill("[name=integration_retry_count]", "4")
    page.fill("[name=friendly_name]", "Kept")
    submit(page, "Review changes")

    expect(page).to_have_title(re.compile("^Error:"))
    expect(page.get_by_role("alert")).to_contain_text("Retry count must be 3 or less")
    field = page.locator("[name=integration_retry_count]")
    expect(field).to_have_value("4")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#id_integration_retry_count_error")).to_contain_text(
        "Retry count must be 3 or less"
    )
    expect(page.locator("[name=friendly_name]")).to_have_value("Kept")
    if javascript:
        expect(page.get_by_role("alert")).to_be_focused()


@pytest.mark.quick("no-js")
@JAVASCRIPT
def test_conflict_shows_three_values_and_a_way_on(open_page, sandbox, flow_sid, javascript):
    page = open_page("operator", javascript=javascript, path=f"/flows/{flow_sid}/edit/")

    page.fill("[name=friendly_name]", "Mine")
    page.fill("[name=integration_retry_count]", "1")
    submit(page, "Review changes")
    sandbox.edit_flow(flow_sid, friendly_name="Theirs", integration_retry_count=2)
    submit(page, "Save changes")

    for words in ("Réclamations Lyon", "Theirs", "Mine"):
        expect(page.locator("main")).to_contain_text(words)
    assert writes(sandbox) == []
    page.get_by_label("Keep theirs for Retry count").check()
    page.get_by_label("Use mine for Friendly name").check()
    submit(page, "Review changes")
    expect(page.locator("main table")).not_to_contain_text("Retry count")
    submit(page, "Save changes")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Mine")
    assert [request.parameters for request in writes(sandbox)] == [{"FriendlyName": "Mine"}]


@JAVASCRIPT
def test_switch_off_from_the_list(open_page, sandbox, flow_sid, javascript):
    page = open_page("operator", javascript=javascript)

    page.get_by_role("link", name="Turn off").first.click()
    page.fill("[name=reason]", "Holidays")
    submit(page, "Turn off")

    expect(page.locator("body")).to_contain_text("Confirmed by Twilio")
    assert sandbox.flows[flow_sid]["enabled"] is False
    assert AuditEvent.objects.get(stage="outcome").reason == "Holidays"


@JAVASCRIPT
def test_delete_takes_the_name(open_page, sandbox, flow_sid, javascript):
    page = open_page("operator", javascript=javascript, path=f"/flows/{flow_sid}/")

    page.get_by_role("link", name="Delete").click()
    page.fill("[name=confirm_name]", "Something else")
    submit(page, "Delete")
    expect(page.get_by_role("alert").first).to_contain_text("not the flow's name or SID")
    assert flow_sid in sandbox.flows
    page.fill("[name=confirm_name]", "Réclamations Lyon")
    submit(page, "Delete")

    page.wait_for_url("**/flows/")
    expect(page.locator("body")).to_contain_text("Confirmed by Twilio")
    assert flow_sid not in sandbox.flows


@JAVASCRIPT
def test_filters_and_sorting_work(open_page, sandbox, javascript):
    for number, channel in enumerate(("sms", "web", "sms")):
        sandbox.add_flow(friendly_name=f"Flow {number}", channel_type=channel)
    sync_account(ACCOUNT)
    page = open_page("viewer", javascript=javascript)

    page.select_option("[name=channel]", "sms")
    if not javascript:
        page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("link", name="Flow 1")).to_have_count(0)
    page.get_by_role("columnheader").get_by_role("link", name="Name").click()

    expect(page.locator("tbody tr").first).to_contain_text("Flow 2")
    expect(page).to_have_url(re.compile("channel=sms"))
    expect(page).to_have_url(re.compile("sort=-name"))


def test_viewer_is_offered_nothing_that_changes(open_page, flow_sid):
    page = open_page("viewer", path=f"/flows/{flow_sid}/")

    for name in ("Edit", "Turn off", "Delete", "New flow"):
        expect(page.get_by_role("link", name=name)).to_have_count(0)
