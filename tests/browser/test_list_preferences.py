"""The list's columns, density and theme in a browser: without scripts, in each look, and on a phone."""

import pytest
from playwright.sync_api import expect

from tests.browser.looks import LOOKS, find_problems

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
