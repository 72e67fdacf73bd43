"""Behaviour of the browser: htmx swaps, focus, the back button, expired sessions, accessibility."""

import pytest
from playwright.sync_api import expect

from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.browser.looks import EVENT_URL, LOOKS, find_problems

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.quick
def test_search_swaps_the_table_alone_and_the_back_button_restores_the_page(open_page, sandbox):
    sandbox.add_flow(friendly_name="Alpha")
    sandbox.add_flow(friendly_name="Beta")
    sync_account(ACCOUNT)
    page = open_page("viewer")
    page.locator("#q").focus()

    page.keyboard.insert_text("alp")  # at once: slow keys would be two entries of the history
    expect(page.get_by_role("link", name="Beta")).to_have_count(0)

    expect(page.locator("#q")).to_be_focused()
    page.get_by_role("link", name="Alpha").click()
    page.wait_for_url("**/flows/FO*/")
    page.go_back()
    expect(page.get_by_role("navigation").first).to_be_visible()
    expect(page.get_by_role("link", name="Alpha")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("link", name="Beta")).to_be_visible()


def test_slash_focuses_the_search(open_page, flow_sid):
    page = open_page("viewer")

    page.keyboard.press("/")

    expect(page.locator("#q")).to_be_focused()


def test_list_refreshes_itself_after_it_has_come_up(open_page, sandbox):
    sandbox.add_flow(friendly_name="Made elsewhere")

    page = open_page("viewer")

    expect(page.get_by_role("link", name="Made elsewhere")).to_be_visible()
    assert Flow.objects.count() == 1


def test_list_says_that_twilio_does_not_answer(open_page, sandbox):
    sandbox.inject(Fault(FaultKind.SERVER_ERROR, times=None))

    page = open_page("viewer")

    expect(page.locator("#copy")).to_contain_text("status 500")


def test_type_can_be_switched_back_and_forth_and_loses_nothing(open_page):
    page = open_page("operator", path="/flows/new/")
    kind = page.locator("[name=integration_type]")
    kind.select_option("external")
    page.fill("[name=integration_url]", "https://typed.example/")
    kind.focus()

    kind.select_option("studio")
    expect(page.locator("[name=integration_flow_sid]")).to_be_visible()
    expect(page.locator("#form-status")).to_contain_text("Studio Flow")
    expect(kind).to_be_focused()
    kind.select_option("external")

    expect(page.locator("[name=integration_url]:not([type=hidden])")).to_have_value(
        "https://typed.example/"
    )
    assert "typed" not in page.url


def test_ended_session_leads_to_sign_in_and_not_into_the_table(open_page, flow_sid):
    page = open_page("viewer")
    page.context.clear_cookies()

    page.locator("#q").press_sequentially("x")

    page.wait_for_url("**/login/**")
    expect(page.locator("[name=password]")).to_be_visible()


PAGES = {
    "list": "/flows/",
    "nothing found": "/flows/?q=nowhere&channel=sms",
    "targets": "/flows/targets/",
    "targets not understood": "/flows/targets/?kind=teapot",
    "no targets": "/flows/targets/?q=nowhere&use=none",
    "target": "/flows/targets/studio-flow/FW" + "5c" * 16 + "/",
    "flow found by its target": "/flows/?q=FW5c5c",
    "flow": "/flows/{sid}/",
    "new": "/flows/new/",
    "edit": "/flows/{sid}/edit/",
    "code": "/flows/{sid}/code/",
    "details": "/flows/{sid}/details/",
    "switch": "/flows/{sid}/enabled/",
    "delete": "/flows/{sid}/delete/",
    "log": "/audit/",
    "log not understood": "/audit/?action=flow.teleport&from=yesterday",
    "log without events": "/audit/?q=nowhere",
    "accounts": "/accounts/",
    "missing": "/flows/FO" + "0" * 32 + "/",
}


@LOOKS
def test_pages_are_accessible_and_fit(open_page, sandbox, flow_sid, scheme, width):
    page = open_page("admin", scheme=scheme, width=width, path=f"/flows/{flow_sid}/edit/")
    page.fill("[name=integration_retry_count]", "9")
    page.get_by_role("button", name="Review changes").click()
    expect(page.locator(".field-error")).to_be_visible()
    findings = {"error": find_problems(page)}
    page.fill("[name=integration_retry_count]", "2")
    page.get_by_role("button", name="Review changes").click()
    expect(page.get_by_role("button", name="Save changes")).to_be_visible()
    findings["review"] = find_problems(page)
    sandbox.edit_flow(flow_sid, integration_retry_count=1)
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("button", name="Review changes")).to_be_visible()
    findings["conflict"] = find_problems(page)
    page.get_by_role("button", name="Review changes").click()
    expect(page.locator(".field-error")).to_be_visible()
    findings["conflict without a choice"] = find_problems(page)
    page.get_by_label("Use mine").check()
    page.get_by_role("button", name="Review changes").click()
    page.get_by_role("button", name="Save changes").click()
    page.wait_for_url(f"**/flows/{flow_sid}/")
    findings["saved"] = find_problems(page)
    page.goto("/audit/")
    page.locator("#results a.name").first.click()
    page.wait_for_url(EVENT_URL)
    findings["event"] = find_problems(page)
    for name, path in PAGES.items():
        page.goto(path.format(sid=flow_sid))
        findings[name] = find_problems(page)
    page.goto("/audit/")
    page.get_by_text("Events a day as a table").click()
    expect(page.get_by_role("table", name="Events a day by result")).to_be_visible()
    findings["log with the table of its chart"] = find_problems(page)
    page.context.clear_cookies()
    page.goto("/login/")
    findings["sign-in"] = find_problems(page)

    assert {name: problems for name, problems in findings.items() if problems} == {}
