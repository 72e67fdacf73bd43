"""The palette that Ctrl K opens: search, keys, focus, announcements, accessibility."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from flows.audit.models import AuditEvent
from flows.mirror.sync import sync_account
from tests import ACCOUNT
from tests.browser.looks import LOOKS, find_problems

pytestmark = pytest.mark.django_db(transaction=True)


def open_palette(page):
    page.keyboard.press("Control+k")
    palette = page.get_by_role("dialog", name="Go to")
    expect(palette.get_by_role("option").first).to_be_visible()
    return palette


def active_option(page):
    return page.locator("#palette [aria-selected=true]")


@pytest.mark.quick
def test_find_a_flow_from_any_page_by_keyboard_alone(open_page, sandbox, flow_sid):
    sandbox.add_flow(friendly_name="Support")
    sync_account(ACCOUNT)
    page = open_page("viewer", path="/audit/")
    palette = open_palette(page)
    field = palette.get_by_role("combobox")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-expanded", "true")

    page.keyboard.type("lyon récl")

    expect(palette.get_by_role("option").first).to_contain_text("Réclamations Lyon")
    expect(palette.get_by_role("group", name="Flows")).not_to_contain_text("Support")
    expect(palette.get_by_role("status")).to_have_text("1 result")
    expect(field).to_have_attribute(
        "aria-activedescendant", active_option(page).get_attribute("id")
    )
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/flows/{flow_sid}/")


def test_arrow_keys_move_through_all_options_and_around(open_page, flow_sid):
    page = open_page("operator")
    palette = open_palette(page)
    options = palette.get_by_role("option")
    expect(active_option(page)).to_have_text("New flow")

    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(options.last).to_have_attribute("aria-selected", "true")
    expect(options.last).to_be_in_viewport()
    page.keyboard.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    expect(active_option(page)).to_have_count(1)
    expect(palette.get_by_role("combobox")).to_be_focused()


@pytest.mark.parametrize("close", ["Escape", "Control+k"])
def test_closing_gives_the_focus_back(open_page, flow_sid, close):
    page = open_page("operator")
    link = page.get_by_role("link", name="Réclamations Lyon", exact=True)
    link.focus()
    palette = open_palette(page)

    page.keyboard.press(close)

    expect(palette).to_be_hidden()
    expect(link).to_be_focused()


def test_button_opens_it_and_a_click_outside_closes_it(open_page, flow_sid):
    page = open_page("viewer")
    button = page.get_by_role("button", name="Go to")

    button.click()
    palette = page.get_by_role("dialog", name="Go to")
    expect(palette).to_be_visible()
    page.mouse.click(5, 400)

    expect(palette).to_be_hidden()
    expect(button).to_be_focused()


def test_closing_leads_back_to_the_menu_of_a_phone(open_page, flow_sid):
    page = open_page("viewer", width=320)
    menu = page.get_by_role("button", name="Menu")
    menu.click()
    page.get_by_role("button", name="Go to").click()
    palette = page.get_by_role("dialog", name="Go to")

    palette.get_by_role("button", name="Close").click()

    expect(palette).to_be_hidden()
    expect(menu).to_be_focused()


def test_enter_waits_for_the_results_of_the_text(open_page, flow_sid):
    page = open_page("operator", path=f"/flows/{flow_sid}/")
    palette = open_palette(page)
    expect(active_option(page)).to_have_text("Edit this flow")

    palette.get_by_role("combobox").press_sequentially("bulk")
    page.keyboard.press("Enter")

    page.wait_for_url("**/flows/plans/")


def test_only_the_last_text_is_answered(open_page, flow_sid):
    page = open_page("viewer")
    palette = open_palette(page)
    answers = []
    page.on("response", lambda response: answers.append(response.url))

    palette.get_by_role("combobox").press_sequentially("lyon")
    expect(palette.get_by_role("status")).to_have_text("1 result")

    assert [url.rpartition("?")[2] for url in answers] == ["q=lyon"]


def test_nothing_found(open_page, flow_sid):
    page = open_page("viewer")
    palette = open_palette(page)

    page.keyboard.type("nowhere")

    expect(palette.get_by_role("status")).to_have_text("No results")
    expect(palette).to_contain_text("Nothing matches “nowhere”.")
    expect(palette.get_by_role("combobox")).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Enter")
    expect(palette).to_be_visible()


def test_flow_of_the_page_is_turned_off_in_the_dialog(open_page, sandbox, flow_sid):
    page = open_page("operator", path=f"/flows/{flow_sid}/")
    open_palette(page)
    page.keyboard.type("turn")
    expect(active_option(page)).to_have_text("Turn off this flow")

    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_label("Reason").fill("Holidays")
    page.keyboard.press("Enter")

    expect(page.locator("body")).to_contain_text("Confirmed by Twilio")
    assert sandbox.flows[flow_sid]["enabled"] is False


def test_sync_and_export_from_the_palette(open_page, sandbox, flow_sid):
    sandbox.add_flow(friendly_name="Made elsewhere")
    page = open_page("viewer", path="/audit/")
    open_palette(page)
    page.keyboard.type("sync")
    expect(active_option(page)).to_have_text("Sync with Twilio")

    page.keyboard.press("Enter")

    expect(page.get_by_role("link", name="Made elsewhere")).to_be_visible()
    open_palette(page)
    page.keyboard.type("csv")
    expect(active_option(page)).to_have_text("Export all flows as CSV")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert "Made elsewhere" in download.value.path().read_text()
    expect(page.get_by_role("dialog", name="Go to")).to_be_hidden()


def test_event_is_found_by_its_number(open_page, flow_sid):
    event = AuditEvent.objects.latest("seq")
    page = open_page("viewer")
    palette = open_palette(page)

    page.keyboard.type(f"#{event.seq}")

    option = palette.get_by_role("option", name=f"Event {event.seq}")
    expect(option).to_have_attribute("href", reverse("audit:detail", args=[event.event_id]))


def test_palette_waits_for_another_dialog(open_page, flow_sid):
    page = open_page("operator")
    page.get_by_role("link", name="Turn off").first.click()
    expect(page.get_by_label("Reason")).to_be_focused()

    page.keyboard.press("Control+k")

    expect(page.get_by_role("dialog")).to_have_count(1)
    expect(page.get_by_label("Reason")).to_be_focused()


def test_problem_is_shown_in_the_palette(open_page, flow_sid):
    page = open_page("viewer")
    palette = open_palette(page)
    open_page.expected.append("Error Code 500 from /palette/")  # htmx's words, once per request
    page.route("**/palette/**", lambda route: route.fulfill(status=500))

    page.keyboard.type("lyon")

    expect(palette.get_by_role("alert")).to_contain_text(
        "The dashboard returned an error (HTTP 500)"
    )


@LOOKS
def test_open_palette_is_accessible_and_fits(open_page, flow_sid, scheme, width):
    page = open_page("admin", scheme=scheme, width=width, path=f"/flows/{flow_sid}/")
    palette = open_palette(page)
    findings = {"commands": find_problems(page)}
    page.keyboard.type("lyon")
    expect(palette.get_by_role("group", name="Flows")).to_be_visible()
    findings["results"] = find_problems(page)
    page.keyboard.type("nowhere")
    expect(palette.get_by_role("status")).to_have_text("No results")
    findings["nothing found"] = find_problems(page)

    assert {name: problems for name, problems in findings.items() if problems} == {}
