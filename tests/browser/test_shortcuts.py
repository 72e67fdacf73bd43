"""Keyboard shortcuts: rows of lists, single keys and how to turn them off, and their dialog."""

import re

import pytest
from playwright.sync_api import expect

from flows.audit.models import AuditEvent
from flows.mirror.sync import sync_account
from tests import ACCOUNT
from tests.browser.looks import LOOKS, find_problems

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def three_flows(sandbox):
    """Names of three flows, in the order of the list."""
    names = ["Alpha", "Beta", "Gamma"]
    for name in names:
        sandbox.add_flow(friendly_name=name)
    sync_account(ACCOUNT)
    return names


def link_of(page, name):
    return page.get_by_role("link", name=name, exact=True)


def press(page, keys):
    for key in keys:
        page.keyboard.press(key)


@pytest.mark.quick
def test_j_and_k_move_through_the_rows_and_x_ticks(open_page, three_flows):
    page = open_page("operator")

    press(page, "jj")
    expect(link_of(page, "Beta")).to_be_focused()
    press(page, "jjj")
    expect(link_of(page, "Gamma")).to_be_focused()
    press(page, "kx")
    expect(link_of(page, "Beta")).to_be_focused()

    expect(page.locator("input[name=sid]:checked")).to_have_count(1)
    expect(page.locator("tr", has_text="Beta").get_by_role("checkbox")).to_be_checked()
    expect(page.locator("#announcement")).to_have_text("1 selected")
    press(page, "kkk")
    expect(link_of(page, "Alpha")).to_be_focused()


def test_enter_opens_the_row_and_e_edits_it(open_page, three_flows):
    page = open_page("operator")
    press(page, "jj")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Beta")

    press(page, "e")
    expect(page.get_by_role("heading", level=1)).to_have_text("Edit flow")
    page.goto("/flows/")
    press(page, "jjj")
    expect(link_of(page, "Gamma")).to_be_focused()
    press(page, "e")

    expect(page.locator("[name=friendly_name]")).to_have_value("Gamma")


def test_rows_of_the_log_and_of_the_bulk_changes(open_page, flow_sid):
    page = open_page("operator")
    page.get_by_role("checkbox", name="Select Réclamations Lyon").check()
    page.get_by_role("button", name="Review…").click()
    page.wait_for_url("**/flows/plans/*/")

    press(page, "gb")
    page.wait_for_url("**/flows/plans/")
    press(page, "j")
    expect(page.locator(".plans a.name")).to_be_focused()
    press(page, "gl")
    page.wait_for_url("**/audit/")
    page.goto("/audit/?action=flow.baseline")
    press(page, "j")
    page.keyboard.press("Enter")

    event = AuditEvent.objects.get(action="flow.baseline")
    page.wait_for_url(f"**/audit/{event.event_id}/")


def test_arrow_keys_lead_from_the_search_to_the_rows_and_back(open_page, three_flows):
    page = open_page("viewer")
    page.keyboard.press("/")

    page.keyboard.press("ArrowDown")
    expect(link_of(page, "Alpha")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(link_of(page, "Beta")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")

    expect(page.locator("#q")).to_be_focused()


def test_keys_are_text_in_a_field_and_in_a_dialog(open_page, three_flows):
    page = open_page("operator")
    page.locator("#q").focus()
    page.keyboard.type("jkxe?g")
    expect(page.locator("#q")).to_have_value("jkxe?g")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(link_of(page, "Beta")).to_be_visible()

    page.keyboard.press("Control+k")
    page.keyboard.type("gl/j")
    expect(page.get_by_label("Flow, event, page or action")).to_have_value("gl/j")

    expect(page).to_have_url(re.compile("/flows/$"))  # once the search was cleared


@pytest.mark.parametrize("modifier", ["Control", "Alt", "Meta"])
def test_keys_with_a_modifier_are_left_to_the_browser(open_page, three_flows, modifier):
    page = open_page("operator")
    page.keyboard.press("j")

    page.keyboard.press(f"{modifier}+j")
    page.keyboard.press(f"{modifier}+x")

    expect(link_of(page, "Alpha")).to_be_focused()
    expect(page.locator("input[name=sid]:checked")).to_have_count(0)


def test_question_mark_shows_the_shortcuts_and_gives_the_focus_back(open_page, three_flows):
    page = open_page("viewer")
    page.keyboard.press("j")

    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_contain_text("Next row")
    press(page, "jx")
    page.keyboard.press("Escape")

    expect(dialog).to_be_hidden()
    expect(link_of(page, "Alpha")).to_be_focused()


def test_single_keys_can_be_turned_off_and_on(open_page, three_flows):
    page = open_page("operator")
    page.get_by_role("link", name="Keyboard shortcuts").click()
    page.get_by_role("link", name="Turn single-key shortcuts off").click()
    page.get_by_label("Use single-key shortcuts").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_contain_text("Turned single-key shortcuts off")

    page.goto("/flows/")
    press(page, "j/?e")
    expect(page.locator("body")).to_be_focused()
    expect(page.get_by_text("/", exact=True)).to_be_hidden()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog", name="Go to")).to_be_visible()
    page.goto("/shortcuts/")
    page.get_by_label("Use single-key shortcuts").check()
    page.get_by_role("button", name="Save").click()
    page.goto("/flows/")
    page.keyboard.press("j")

    expect(link_of(page, "Alpha")).to_be_focused()


def test_shortcuts_are_a_page_without_javascript(open_page):
    page = open_page("viewer", javascript=False)

    page.get_by_role("link", name="Keyboard shortcuts").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Keyboard shortcuts")
    expect(page.get_by_role("table", name="Lists")).to_contain_text("Previous row")
    expect(page.get_by_role("button", name="Go to")).to_be_hidden()


@LOOKS
def test_shortcuts_are_accessible_and_fit(open_page, flow_sid, scheme, width):
    page = open_page("admin", scheme=scheme, width=width)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    findings = {"dialog": find_problems(page)}
    page.goto("/shortcuts/")
    findings["page"] = find_problems(page)
    page.get_by_label("Use single-key shortcuts").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_contain_text("off")
    findings["turned off"] = find_problems(page)

    assert {name: problems for name, problems in findings.items() if problems} == {}
