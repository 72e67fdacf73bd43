"""The layout of the list of flows: rows on the first screen, lines of a row, wide windows."""

import pytest
from playwright.sync_api import expect

from flows.mirror.sync import sync_account
from tests import ACCOUNT

pytestmark = pytest.mark.django_db(transaction=True)

ROWS_ON_SCREEN = """() => [...document.querySelectorAll("tbody tr")].filter((row) => {
  const { top, bottom } = row.getBoundingClientRect();
  return top >= 0 && bottom <= innerHeight;
}).length"""
# Rows higher than one line of text.
BROKEN_LINES = """() => [...document.querySelectorAll("tbody tr")].filter((row) => {
  const { height } = row.getBoundingClientRect();
  return height > 32;
}).map((row) => row.textContent)"""
LONG_NAME = "Réclamations et remboursements du service après-vente – Lyon Part-Dieu (WhatsApp) #2"


@pytest.fixture
def flows(sandbox, db):
    """Fifty-five flows: most are usual ones, some have a long name, no settings or a long host."""
    sandbox.add_flow(
        friendly_name=LONG_NAME,
        channel_type="whatsapp",
        contact_identity="whatsapp:+13235550111",
        integration_type="external",
        integration_url="http://a-very-long-host-name.gateway.customer-service.example.com/x",
    )
    sandbox.add_flow(friendly_name="A", contact_identity="")
    for number in range(53):
        sandbox.add_flow(
            friendly_name=f"Support Berlin {number:02}",
            channel_type="whatsapp",
            contact_identity=f"whatsapp:+132355501{number:02}",
        )
    sync_account(ACCOUNT)


@pytest.mark.quick
def test_twenty_rows_of_one_line_are_on_the_first_screen(open_page, flows):
    page = open_page("operator")
    page.set_viewport_size({"width": 1350, "height": 900})

    assert page.evaluate(ROWS_ON_SCREEN) >= 20
    assert page.evaluate(BROKEN_LINES) == []


@pytest.mark.parametrize("width", [1000, 1160, 1280, 1600, 1920])
def test_row_is_one_line_at_every_width_of_a_table(open_page, flows, width):
    page = open_page("operator", width=width)

    assert page.evaluate(BROKEN_LINES) == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_long_name_ends_in_an_ellipsis_and_is_whole_in_its_tooltip(open_page, flows):
    page = open_page("operator")

    name = page.locator("a.name", has_text="Réclamations")

    assert name.evaluate("(name) => name.scrollWidth > name.clientWidth")
    assert name.evaluate("(name) => getComputedStyle(name).textOverflow") == "ellipsis"
    expect(name).to_have_attribute("title", LONG_NAME)


def test_list_fills_a_wide_window_and_its_heading_stays(open_page, flows):
    page = open_page("operator", width=1920)
    table = page.locator("table.flows")

    assert table.bounding_box()["width"] > 1600

    page.evaluate("scrollTo(0, 600)")
    heading = page.locator("th.c-name").bounding_box()
    assert 0 <= heading["y"] < 100


def test_mark_of_a_flow_reads_as_its_sentences(open_page, flows):
    page = open_page("operator")

    mark = page.locator("tr", has_text="Réclamations").get_by_role("img")

    expect(mark).to_have_accessible_name(
        "The webhook is not encrypted. Use https:// instead of http://."
    )


# On a phone


def on_phone(open_page, **options):
    page = open_page("operator", width=320, **options)
    page.set_viewport_size({"width": 320, "height": 700})
    return page


@pytest.mark.quick
@pytest.mark.parametrize("javascript", [True, False])
def test_flow_is_on_the_first_screen_of_a_phone(open_page, flows, javascript):
    page = on_phone(open_page, javascript=javascript)

    box = page.locator("tbody tr").first.bounding_box()

    assert box["y"] + box["height"] <= 700


def test_header_of_a_phone_is_one_line_with_one_menu(open_page, flows):
    page = on_phone(open_page)
    link = page.get_by_role("link", name="Audit log")

    assert page.locator(".frame").bounding_box()["height"] < 60
    expect(link).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    link.click()

    page.wait_for_url("**/audit/")


@pytest.mark.parametrize("javascript", [True, False])
def test_filters_of_a_phone_are_behind_a_button(open_page, flows, javascript):
    page = on_phone(open_page, javascript=javascript)
    channel = page.locator("#filters").get_by_label("Channel")

    expect(channel).to_be_hidden()
    page.locator("summary", has_text="Filters").click()
    channel.select_option("whatsapp")
    if not javascript:
        page.get_by_role("button", name="Search").click()

    page.wait_for_url("**/flows/?*channel=whatsapp*")
    expect(page.get_by_role("link", name="Remove Channel: WhatsApp")).to_be_visible()


def test_filters_of_a_wide_window_are_in_the_page(open_page, flows):
    page = open_page("operator", javascript=False)

    expect(page.locator("#filters").get_by_label("Channel")).to_be_visible()
    expect(page.locator("summary", has_text="Filters")).to_be_hidden()


# Many flows at once


@pytest.mark.quick
def test_bar_for_many_flows_comes_with_the_first_tick_and_moves_no_row(open_page, flows):
    page = open_page("operator")
    bar, row = page.locator("#many"), page.locator("tbody tr").nth(2)
    expect(bar).to_be_hidden()
    place = row.bounding_box()

    row.get_by_role("checkbox").check()

    expect(bar).to_be_visible()
    expect(bar).to_contain_text("1 selected")
    expect(bar.get_by_role("button", name="Review…")).to_be_visible()
    expect(bar.get_by_role("button", name="Export")).to_be_visible()
    assert row.bounding_box() == place
    bar.get_by_role("button", name="Clear").click()
    expect(bar).to_be_hidden()
    expect(page.get_by_label("Select all 55 matching flows")).to_be_focused()


def test_bar_stays_on_a_page_without_a_tick(open_page, flows):
    page = open_page("operator")
    page.locator("tbody").get_by_role("checkbox").first.check()

    page.get_by_role("link", name="Next").click()
    expect(page.locator("tbody tr")).to_have_count(5)

    expect(page.locator("#many")).to_contain_text("1 selected")
    expect(page.locator("#many")).to_be_visible()


def test_bar_covers_no_end_of_a_phones_list(open_page, flows):
    page = on_phone(open_page)
    page.get_by_label("Select all 55 matching flows").check()
    bar = page.locator("#many")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")

    next_page = page.get_by_role("link", name="Next").bounding_box()

    assert next_page["y"] + next_page["height"] <= bar.bounding_box()["y"]


def test_bar_is_always_there_without_scripts(open_page, flows):
    page = open_page("operator", javascript=False)

    expect(page.get_by_role("button", name="Review…")).to_be_visible()
    page.get_by_label("Select", exact=True).first.check()
    page.select_option("[name=kind]", "disable")
    page.get_by_role("button", name="Review…").click()

    expect(page.get_by_role("heading", level=2).first).to_contain_text("1 flow will change")


def test_choices_in_the_bar_reload_nothing_and_survive_the_next_page(open_page, flows):
    page = open_page("operator")
    page.locator("input[name=sid]").first.check()
    requested = []
    page.on("request", lambda request: requested.append(request.url))

    page.select_option("[name=kind]", "disable")
    page.select_option("[name=format]", "yaml")
    page.get_by_role("link", name="Next").click()
    page.wait_for_url("**page=2")

    assert [url for url in requested if "page=2" not in url] == []
    expect(page.locator("[name=kind]")).to_have_value("disable")
    expect(page.locator("[name=format]")).to_have_value("yaml")


# The way back


@pytest.mark.parametrize("javascript", [True, False])
def test_crumb_and_cancel_lead_back_to_the_search(open_page, flows, javascript):
    page = open_page("operator", javascript=javascript)
    page.goto("/flows/?q=berlin&size=25&page=2")
    page.locator("a.name", has_text="Support Berlin 30").click()
    page.get_by_role("link", name="Edit", exact=True).click()
    page.fill("[name=friendly_name]", "")
    page.get_by_role("button", name="Review changes").click()
    expect(page.locator(".field-error")).to_be_visible()

    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("main").get_by_role("link", name="Flows", exact=True).click()

    page.wait_for_url("**/flows/?q=berlin&size=25&page=2")


def test_dialog_over_a_flow_that_was_searched_for_opens_and_keeps_the_way_back(open_page, flows):
    page = open_page("operator")
    page.goto("/flows/?q=berlin")
    page.locator("a.name", has_text="Support Berlin 30").click()
    page.get_by_role("link", name="Turn off", exact=True).click()

    page.locator("dialog[open]").get_by_role("button", name="Turn off").click()

    page.wait_for_url("**/?list=q%3Dberlin")
    expect(page.locator("main")).to_contain_text("Turned off")
