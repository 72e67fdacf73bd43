"""Choosing what a flow points to by its name, with and without JavaScript."""

import re

import pytest
from playwright.sync_api import expect

from flows.mirror.name_sync import sync_with_names
from flows.twilio.sandbox.seed import DEMO_SIDS
from tests import ACCOUNT
from tests.browser.looks import LOOKS, find_problems
from tests.flows.names.adding import add_name

pytestmark = pytest.mark.django_db(transaction=True)

WORKSPACE_SID = DEMO_SIDS["integration_workspace_sid"]


@pytest.fixture(autouse=True)
def _names(sandbox):
    sandbox.add_flow()
    sync_with_names(ACCOUNT)


def test_input_shows_once_another_sid_is_chosen(open_page):
    page = open_page("operator", path="/flows/new/")
    typed = page.get_by_label("Another Chat service SID", exact=True)
    expect(typed).to_be_hidden()

    page.select_option("[name=chat_service_sid]", "_other")

    expect(typed).to_be_visible()


def test_workspace_swaps_in_its_workflows_and_keeps_the_focus(open_page):
    add_name("WS" + "7" * 32, "Another workspace", resource="workspace")
    add_name("WW" + "7" * 32, "Elsewhere", resource="workflow", parent_sid="WS" + "7" * 32)
    add_name("WW" + "6" * 32, "Near", resource="workflow", parent_sid=WORKSPACE_SID)
    page = open_page("operator", path="/flows/new/")
    page.select_option("[name=integration_type]", "task")
    workspace = page.locator("[name=integration_workspace_sid]")
    options = page.locator("[name=integration_workflow_sid] option")
    expect(workspace).to_have_value(WORKSPACE_SID)  # the account's own, from its configuration
    expect(options.filter(has_text="Near")).to_have_count(1)
    workspace.focus()

    workspace.select_option("WS" + "7" * 32)

    expect(options.filter(has_text="Elsewhere")).to_have_count(1)
    expect(options.filter(has_text="Near")).to_have_count(0)
    expect(workspace).to_be_focused()
    expect(workspace).to_have_value("WS" + "7" * 32)


def test_swap_does_not_take_away_a_workspace_that_is_being_typed(open_page):
    page = open_page("operator", path="/flows/new/")
    page.select_option("[name=integration_type]", "task")
    workspace = page.locator("[name=integration_workspace_sid]")

    with page.expect_response("**/flows/new/"):
        workspace.select_option("_other")
        page.locator("[name=integration_workspace_sid_other]").press_sequentially("WS12")
    page.wait_for_function("() => !document.querySelector('.htmx-request, .htmx-settling')")
    page.keyboard.type("34")

    expect(page.locator("[name=integration_workspace_sid_other]")).to_have_value("WS1234")
    expect(workspace).to_have_value("_other")


def test_name_is_chosen_without_javascript(open_page, sandbox):
    page = open_page("operator", javascript=False, path="/flows/new/")
    page.fill("[name=friendly_name]", "Without")
    page.select_option("[name=channel_type]", "web")
    page.select_option("[name=chat_service_sid]", DEMO_SIDS["chat_service_sid"])
    page.select_option("[name=integration_type]", "studio")
    page.get_by_role("button", name="Update fields").click()
    page.locator("[name=integration_flow_sid]").select_option(label="Another Studio Flow SID…")
    page.fill("[name=integration_flow_sid_other]", "FW" + "9" * 32)

    page.get_by_role("button", name="Review new flow").click()
    page.fill("[name=reason]", "A new one")
    page.get_by_role("button", name="Create flow").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("Without")
    flow = next(flow for flow in sandbox.flows.values() if flow["friendly_name"] == "Without")
    assert flow["integration"]["flow_sid"] == "FW" + "9" * 32


@LOOKS
def test_input_that_was_left_empty_is_open_with_its_error(open_page, scheme, width):
    page = open_page("operator", scheme=scheme, width=width, path="/flows/new/")
    page.select_option("[name=chat_service_sid]", "_other")

    page.get_by_role("button", name="Review new flow").click()

    typed = page.get_by_label("Another Chat service SID", exact=True)
    expect(typed).to_be_visible()
    expect(typed).to_have_accessible_description(re.compile("Chat service SID is missing."))
    assert find_problems(page) == []


def test_error_leaves_the_input_when_the_fields_are_updated(open_page):
    page = open_page("operator", path="/flows/new/")
    page.select_option("[name=integration_type]", "task")
    page.locator("[name=integration_workspace_sid]").wait_for()
    page.select_option("[name=integration_workflow_sid]", "_other")
    page.get_by_role("button", name="Review new flow").click()
    typed = page.locator("[name=integration_workflow_sid_other]")
    expect(typed).to_have_attribute("aria-invalid", "true")

    page.select_option("[name=integration_workspace_sid]", WORKSPACE_SID)

    expect(page.locator("#id_integration_workflow_sid_error")).to_have_count(0)
    expect(typed).not_to_have_attribute("aria-invalid", "true")
    expect(typed).to_be_visible()


@LOOKS
def test_pickers_are_accessible(open_page, scheme, width):
    page = open_page("operator", scheme=scheme, width=width, path="/flows/new/")
    page.select_option("[name=integration_type]", "task")
    workspace = page.locator("select[name=integration_workspace_sid]")
    workspace.select_option("_other")
    expect(page.locator("[name=integration_workspace_sid_other]")).to_be_visible()

    assert find_problems(page) == []
