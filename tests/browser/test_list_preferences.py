"""The list's columns, density and theme in a browser: without scripts, in each look, and on a phone."""

import pytest
from playwright.sync_api import expect

from flows.mirror.sync import sync_account
from tests.browser.looks import LOOKS, find_problems
from tests.flows.local_details.changing import set_details

pytestmark = pytest.mark.django_db(transaction=True)

FIRST_ROW_IS_VISIBLE = (
    "() => document.querySelector('tbody tr').getBoundingClientRect().top < innerHeight"
)


def open_view_menu(page):
    page.locator(".view-menu summary").click()


@LOOKS
def test_view_menu_has_no_findings(open_page, flow_sid, scheme, width):
    page = open_page("operator", scheme=scheme, width=width)
    open_view_menu(page)

    assert find_problems(page) == []


@pytest.mark.quick
def test_columns_and_density_are_chosen_without_scripts(open_page, flow_sid):
    page = open_page("operator", javascript=False, path="/flows/?sort=-updated")

    open_view_menu(page)
    page.get_by_role("checkbox", name="Contact identity").uncheck()
    page.get_by_role("radio", name="Compact").check()
    page.get_by_role("button", name="Apply").click()

    page.wait_for_url("**/flows/?sort=-updated")
    expect(page.get_by_role("columnheader", name="Contact identity")).to_have_count(0)
    expect(page.locator("table.compact")).to_be_visible()


def test_menu_hides_no_flow_on_a_phone(open_page, flow_sid):
    page = open_page("operator", width=320)
    page.set_viewport_size({"width": 320, "height": 700})

    assert page.evaluate(FIRST_ROW_IS_VISIBLE)
    open_view_menu(page)
    assert find_problems(page) == []


def test_chosen_theme_wins_over_that_of_the_device(open_page, flow_sid):
    page = open_page("operator", scheme="light", path="/people/me/")
    page.get_by_label("Theme").select_option("Dark")
    page.get_by_role("button", name="Save profile").click()
    expect(page.get_by_text("Profile saved.")).to_be_visible()

    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(17, 18, 21)"
    assert find_problems(page) == []


@LOOKS
def test_shared_default_view_opens_without_findings(open_page, flow_sid, scheme, width):
    page = open_page("operator", scheme=scheme, width=width)
    page.goto("/flows/?channel=sms")
    page.get_by_text("Save view").click()
    page.get_by_placeholder("Name", exact=True).fill("SMS")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Share with everyone").click()
    page.get_by_role("button", name="Make default").click()
    expect(page.get_by_role("button", name="Stop using as default")).to_be_visible()

    page.goto("/flows/")

    page.wait_for_url("**/flows/?channel=sms")
    assert find_problems(page) == []
    page.get_by_role("link", name="Show all flows").click()
    page.wait_for_url("**/flows/?view=all")


NAME_WIDTH = "() => document.querySelector('.flows .name').getBoundingClientRect().width"
OWNER_NOTE = "() => getComputedStyle(document.querySelector('[value=owner]').parentElement, '::after').content"
SCROLLS_IN_ITS_BOX = """() => {
  const box = document.querySelector('.results');
  return box.scrollWidth > box.clientWidth;
}"""
LONG_NAME = "Customer care and returns, Southern Europe"


def choose_columns(page):
    open_view_menu(page)
    page.get_by_role("button", name="Apply").click()


def test_name_has_room_for_thirty_letters(open_page, sandbox, flow_sid):
    sandbox.edit_flow(flow_sid, friendly_name=LONG_NAME)
    sync_account(sandbox.account_sid)
    page = open_page("operator", width=1350)

    assert page.evaluate(NAME_WIDTH) >= 270  # pixels, beside the mark of a warning


def test_owner_that_the_user_chose_is_shown_and_the_name_stays_readable(
    open_page, sandbox, flow_sid
):
    sandbox.edit_flow(flow_sid, friendly_name=LONG_NAME)
    sync_account(sandbox.account_sid)
    set_details(flow_sid, owner="Night shift", tags=["vip"])
    page = open_page("operator", width=1350)
    heading = page.get_by_role("columnheader", name="Owner and tags")

    expect(heading).to_be_hidden()
    assert page.evaluate(OWNER_NOTE) == '"(in a wider window)"'
    choose_columns(page)

    expect(heading).to_be_visible()
    assert page.evaluate(OWNER_NOTE) == "none"
    assert page.evaluate(NAME_WIDTH) >= 200
    assert find_problems(page) == []
    page.set_viewport_size({"width": 1100, "height": 700})
    expect(heading).to_be_hidden()
    assert page.evaluate(OWNER_NOTE) == '"(in a wider window)"'


def test_all_columns_of_several_accounts_scroll_in_their_own_box(
    open_page, sandbox, staging, flow_sid
):
    set_details(flow_sid, owner="Night shift", tags=["vip"])
    page = open_page("operator", width=1350)

    choose_columns(page)

    expect(page.get_by_role("columnheader", name="Owner and tags")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Account")).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(SCROLLS_IN_ITS_BOX)
    assert find_problems(page) == []
