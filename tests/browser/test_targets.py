"""The pages of targets in a browser: accessibility, and selecting a target's flows."""

import pytest
from playwright.sync_api import expect

from flows.mirror.sync import sync_account
from tests import ACCOUNT
from tests.browser.looks import LOOKS, find_problems
from tests.flows.names.adding import add_name

pytestmark = pytest.mark.django_db(transaction=True)

FW, UNUSED_FW = "FW" + "7" * 32, "FW" + "8" * 32


@pytest.fixture
def flows(sandbox):
    for name in ("Lyon", "Nice"):
        sandbox.add_flow(friendly_name=name, integration_type="studio", integration_flow_sid=FW)
    sync_account(ACCOUNT)
    add_name(FW, "Support IVR", status="draft")
    add_name(UNUSED_FW, "Holiday")


@LOOKS
def test_pages_of_targets_are_accessible(open_page, flows, staging, scheme, width):
    page = open_page("operator", scheme=scheme, width=width, path="/flows/targets/")
    findings = {"list": find_problems(page)}

    for path in (
        "?use=none",
        "?kind=identity",
        "?q=nowhere",
        "?kind=bot",
        f"studio-flow/{FW}/",
        f"studio-flow/{UNUSED_FW}/",
    ):
        page.goto(f"/flows/targets/{path}")
        findings[path] = find_problems(page)
    page.goto("/flows/?q=support")
    findings["search"] = find_problems(page)

    assert {name: problems for name, problems in findings.items() if problems} == {}


def test_all_flows_of_a_target_can_be_changed_at_once(open_page, flows, sandbox):
    sandbox.add_flow(friendly_name="Other")
    sync_account(ACCOUNT)
    page = open_page("operator", path=f"/flows/targets/studio-flow/{FW}/")
    expect(page.get_by_role("button", name="Review…")).to_be_hidden()

    page.get_by_label("Select all 2 flows").check()
    page.locator("[name=kind]").select_option("disable")
    page.get_by_role("button", name="Review…").click()

    expect(page.get_by_role("heading", name="Review: 2 flows will change")).to_be_visible()
