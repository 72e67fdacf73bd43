"""Owners, tags and notes in the browser: their form, the list's filters, and accessibility in each state."""

import re

import pytest
from playwright.sync_api import expect

from flows.mirror.sync import sync_account
from tests import ACCOUNT
from tests.browser.looks import LOOKS, find_problems
from tests.flows.local_details.changing import set_details

pytestmark = pytest.mark.django_db(transaction=True)


@LOOKS
def test_each_state_is_accessible_and_fits(open_page, flow_sid, scheme, width):
    page = open_page("admin", scheme=scheme, width=width, path=f"/flows/{flow_sid}/details/")
    page.fill("[name=tags]", "x" * 31)
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".field-error")).to_be_visible()
    findings = {"errors": find_problems(page)}
    set_details(flow_sid, owner="Sales", tags=["vip"], note="Ring Ada\nfirst")
    page.fill("[name=tags]", "lyon")
    page.fill("[name=owner]", "Claims")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("table", name="Fields in conflict")).to_be_visible()
    findings["conflict"] = find_problems(page)
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"**/flows/{flow_sid}/")
    expect(page.get_by_role("link", name="Claims")).to_be_visible()
    findings["flow"] = find_problems(page)
    page.get_by_role("link", name="Changed owner, tags").first.click()
    expect(page.get_by_role("table", name="Fields of this change")).to_be_visible()
    findings["event"] = find_problems(page)
    page.goto("/flows/?owner=Claims&tag=vip")
    findings["list"] = find_problems(page)
    page.get_by_role("checkbox", name="Select all").check()
    page.select_option("[name=kind]", "add_tag")
    page.get_by_role("button", name="Review…").click()
    expect(page.locator("[name=value]")).to_be_visible()
    findings["tags of many flows"] = find_problems(page)
    page.fill("[name=value]", "billing")
    page.get_by_role("button", name="Review changes").click()
    expect(page.get_by_role("table", name="Flows in this bulk change")).to_be_visible()
    findings["review of tags"] = find_problems(page)

    assert {name: problems for name, problems in findings.items() if problems} == {}


def test_choice_of_an_owner_filters_the_list_and_keeps_the_options(open_page, sandbox, flow_sid):
    other_sid = sandbox.add_flow(friendly_name="Other")
    sync_account(ACCOUNT)
    set_details(flow_sid, owner="Team (5)", tags=["vip"])
    set_details(other_sid, owner="Sales")
    page = open_page("viewer")

    page.get_by_text("More filters").click()
    page.locator("select[name=owner]").select_option("Team (5)")

    expect(page.get_by_role("link", name="Other")).to_have_count(0)
    expect(page.get_by_role("link", name="Réclamations Lyon")).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?owner=Team"))
    assert page.locator("select[name=owner]").locator("option").all_inner_texts() == [
        "Any owner", "Sales", "Team (5)", "No owner",
    ]  # fmt: skip
    expect(page.get_by_label("Channel").locator("option[value=sms]")).to_have_text("SMS (1)")
