"""Behaviour of the browser: htmx swaps, focus, the back button, expired sessions, accessibility."""

import pytest
from playwright.sync_api import expect

from flows.accounts.clients import resource_client
from flows.checks import evaluation
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.twilio.flex.channel import CHANNEL
from flows.twilio.flex.questionnaire import QUESTIONNAIRE
from flows.twilio.sandbox.faults import Fault, FaultKind
from flows.twilio.sandbox.named_bodies import make_sid
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


CHANNEL_VALUES = {
    "identity": "ana",
    "chat_user_friendly_name": "Ana",
    "chat_friendly_name": "Chat with Ana",
}
PAGES = {
    "list": "/flows/",
    "nothing found": "/flows/?q=nowhere&channel=sms",
    "targets": "/flows/targets/",
    "flows at a date": "/flows/history/",
    "flows at no date": "/flows/history/?at=yesterday",
    "flows before the log": "/flows/history/?at=2020-01-01",
    "flow at a date": "/flows/{sid}/history/",
    "comparison of moments": "/flows/history/compare/?all=1",
    "comparison of flows": "/flows/history/compare/?compare=flows&left={sid}&right={external_sid}",
    "checks": "/checks/",
    "change requests": "/requests/",
    "schedules": "/schedules/",
    "policies": "/requests/policies/",
    "check": "/checks/number-not-owned/",
    "notifications": "/notifications/",
    "new notification": "/notifications/new/",
    "preparation of a migration": "/migration/prepare/?sid={sid}&sid={external_sid}",
    "switch-over": "/migration/switch/?sid={sid}",
    "steps of a migration": "/migration/{sid}/steps/",
    "routing": "/checks/routing/",
    "routing answer": "/checks/routing/?channel=web",
    "routing after an unknown bulk change": "/checks/routing/?plan=none",
    "flows of a check": "/flows/?check=any",
    "check without findings": "/checks/same-name/",
    "migration": "/migration/",
    "migration without matches": "/migration/?verdict=blocked&status=done",
    "migration of a flow": "/migration/{sid}/",
    "migration of a flow with a webhook": "/migration/{external_sid}/",
    "targets not understood": "/flows/targets/?kind=teapot",
    "no targets": "/flows/targets/?q=nowhere&use=none",
    "target": "/flows/targets/studio-flow/FW" + "5c" * 16 + "/",
    "flow found by its target": "/flows/?q=FW5c5c",
    "flow": "/flows/{sid}/",
    "new": "/flows/new/",
    "edit": "/flows/{sid}/edit/",
    "code": "/flows/{sid}/code/",
    "details": "/flows/{sid}/details/",
    "flow with a webhook": "/flows/{external_sid}/",
    "webhook": "/flows/{external_sid}/webhook/",
    "webhook test": "/flows/{external_sid}/webhook/test/",
    "switch": "/flows/{sid}/enabled/",
    "delete": "/flows/{sid}/delete/",
    "log": "/audit/",
    "log not understood": "/audit/?action=flow.teleport&from=yesterday",
    "log without events": "/audit/?q=nowhere",
    "flex api": "/flex/",
    "channels": "/flex/channels/",
    "channel": "/flex/channels/{channel}/",
    "new channel": "/flex/channels/new/?flex_flow_sid={sid}",
    "deletion of a channel": "/flex/channels/{channel}/delete/",
    "conversations of a flow": "/flex/channels/?flow={sid}",
    "usage of a flow": "/flows/{sid}/usage/",
    "no web channels": "/flex/web-channels/",
    "questionnaires": "/flex/questionnaires/",
    "addresses": "/flex/addresses/",
    "address": "/flex/addresses/{address}/",
    "new address": "/flex/addresses/new/",
    "edit of an address": "/flex/addresses/{address}/edit/",
    "interactions": "/flex/interactions/",
    "interaction": "/flex/interactions/{interaction}/",
    "new interaction": "/flex/interactions/new/",
    "end of an interaction's channel": "/flex/interactions/{interaction}/channels/{interaction_channel}/edit/",
    "new version of a plugin": "/flex/plugins/{plugin}/versions/new/",
    "edit of a questionnaire": "/flex/questionnaires/{questionnaire}/edit/",
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
    external_sid = sandbox.add_flow(
        integration_type="external", integration_url="http://127.0.0.1:9/in?token=x1y2z3"
    )
    sync_account(ACCOUNT)
    evaluation.evaluate(ACCOUNT)
    channel = resource_client(CHANNEL, ACCOUNT).create(CHANNEL_VALUES | {"flex_flow_sid": flow_sid})
    places = {
        "sid": flow_sid,
        "external_sid": external_sid,
        "channel": channel.snapshot["sid"],
        "address": make_sid("IG", "+14155550142"),
        "interaction": (interaction := make_sid("KD", "Order 4711")),
        "interaction_channel": make_sid("UO", interaction),
        "plugin": make_sid("FP", "plugin-callbacks"),
        "questionnaire": next(iter(sandbox.store_of(QUESTIONNAIRE).snapshot())),
    }
    for name, path in PAGES.items():
        page.goto(path.format(**places))
        findings[name] = find_problems(page)
    page.goto(PAGES["webhook test"].format(**places))
    page.get_by_role("button", name="Review test").click()
    page.get_by_role("button", name="Send test").wait_for()
    findings["webhook review"] = find_problems(page)
    page.get_by_role("button", name="Send test").click()
    page.get_by_role("heading", name="Latest test").wait_for()
    findings["webhook after a test"] = find_problems(page)
    page.goto("/audit/")
    page.get_by_text("Events a day as a table").click()
    expect(page.get_by_role("table", name="Events a day by result")).to_be_visible()
    findings["log with the table of its chart"] = find_problems(page)
    page.context.clear_cookies()
    page.goto("/login/")
    findings["sign-in"] = find_problems(page)

    assert {name: problems for name, problems in findings.items() if problems} == {}
