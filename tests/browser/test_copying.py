"""Copying flows to another account in the browser: every look, the keyboard, and no JavaScript."""

import pytest
from playwright.sync_api import expect

from flows.audit.audit_log import Actor
from flows.plans.models import Plan
from flows.sid_map.mappings import Direction, change_map
from flows.sid_map.models import SidMapping
from tests import ACCOUNT
from tests.browser.looks import LOOKS, find_problems
from tests.flows.copying.samples import (
    SERVICE,
    STAGING_SERVICE,
    STAGING_STUDIO,
    STUDIO,
    add_flows,
    name_object,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def two(sandbox, staging):
    two = add_flows(sandbox, staging)
    name_object(ACCOUNT, STUDIO, "Support IVR")
    name_object(two.target, STAGING_STUDIO, "Support IVR")
    return two


@pytest.fixture
def comparison(two):
    return f"/flows/history/compare/?compare=accounts&left={ACCOUNT}&right={two.target}"


@LOOKS
def test_pages_have_no_findings_in_any_look(open_page, two, comparison, scheme, width):
    page = open_page("operator", scheme=scheme, width=width)
    page.goto(comparison)
    problems = {"comparison": find_problems(page)}
    page.get_by_label("All 2 flows").check()
    page.get_by_role("button", name="Copy to staging…").click()
    page.wait_for_url("**/history/copy/**")
    problems["copy"] = find_problems(page)
    page.get_by_role("button", name="Review changes in staging").click()
    expect(page.get_by_role("alert")).to_be_visible()
    problems["faults"] = find_problems(page)
    change_map(
        Direction(ACCOUNT, two.target),
        {SERVICE: STAGING_SERVICE, "FW" + "7" * 32: STAGING_STUDIO},
        Actor(id="1", label="omar"),
    )
    page.goto(f"/flows/history/copy/?left={ACCOUNT}&right={two.target}&every=1")
    page.locator("summary", has_text="Known SIDs").click()
    problems["known SIDs"] = find_problems(page)

    assert {name: found for name, found in problems.items() if found} == {}


@pytest.mark.parametrize("javascript", [True, False])
def test_flows_are_copied_with_the_keyboard(open_page, two, comparison, javascript):
    page = open_page("operator", javascript=javascript)
    page.goto(comparison)
    page.get_by_label("Copy Bookings to staging").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Copy to staging…").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/history/copy/**")

    page.locator(f"[name=sid_{SERVICE}]").focus()
    page.keyboard.press("End")  # "Another SID…" is the last option
    page.keyboard.press("Tab")
    page.keyboard.type(STAGING_SERVICE)
    page.get_by_label("I've checked the suggested matches").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Review changes in staging").focus()
    page.keyboard.press("Enter")

    page.wait_for_url("**/flows/plans/**")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("Copy of 1 flow to staging")
    assert Plan.objects.count() == 1
    stored = dict(SidMapping.objects.values_list("source_sid", "target_sid"))
    assert stored == {SERVICE: STAGING_SERVICE, STUDIO: STAGING_STUDIO}


def test_known_sid_is_removed_on_the_page(open_page, two):
    change_map(
        Direction(ACCOUNT, two.target), {STUDIO: STAGING_STUDIO}, Actor(id="1", label="omar")
    )
    page = open_page("operator")
    page.goto(f"/flows/history/copy/?left={ACCOUNT}&right={two.target}&every=1")

    page.locator("summary", has_text="Known SIDs").click()
    page.get_by_role("button", name="Remove Support IVR from the mapping").click()

    expect(page.get_by_text(f"Removed {STUDIO} from the mapping")).to_be_visible()
    expect(page.locator(f"[name=sid_{STUDIO}]")).to_have_value("")
    assert not SidMapping.objects.exists()
