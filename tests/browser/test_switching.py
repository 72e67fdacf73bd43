"""Switching flows in a browser: dialog, toast, undo, counts and announcements.

They are tested by mouse and by keyboard.
"""

import uuid

import pytest
from playwright.sync_api import expect

from flows.audit.models import AuditEvent
from flows.mirror.sync import sync_account
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.browser.looks import LOOKS, find_problems
from tests.faults.acting import append_stage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def two_flows(sandbox, flow_sid):
    """The flow that is switched, and another one."""
    sandbox.add_flow(friendly_name="Support", channel_type="web", enabled=True)
    sync_account(ACCOUNT)
    return flow_sid


def link_of(page, name="Réclamations Lyon"):
    return page.locator("tr", has_text=name).get_by_role("link", name="Turn")


def ask(page, name="Réclamations Lyon"):
    """Open the dialog of a row."""
    link_of(page, name).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    return page.get_by_role("dialog")


def switch(page, name="Réclamations Lyon", reason=""):
    dialog = ask(page, name)
    dialog.get_by_label("Reason").fill(reason)
    dialog.get_by_role("button", name="Turn").click()
    expect(dialog).to_be_hidden()


def toasts(page):
    return page.locator("#toasts .toast")


def outcomes():
    return list(AuditEvent.objects.filter(stage="outcome").order_by("seq"))


@pytest.mark.quick
def test_switch_from_the_list_and_its_undo(open_page, sandbox, two_flows):
    page = open_page("operator")

    switch(page, reason="Holidays")

    expect(page.get_by_role("status").filter(has_text="Turned off")).to_contain_text(
        "Turned off “Réclamations Lyon”. Confirmed by Twilio."
    )
    expect(link_of(page)).to_have_text("Turn on")
    expect(link_of(page)).to_be_focused()
    assert sandbox.flows[two_flows]["enabled"] is False
    page.get_by_role("button", name="Undo").click()
    expect(toasts(page)).to_contain_text("Turned on “Réclamations Lyon”. Confirmed by Twilio.")
    expect(toasts(page)).to_have_count(1)
    expect(link_of(page)).to_have_text("Turn off")
    first, second = outcomes()
    assert (first.reason, second.reason) == ("Holidays", f"Undo event {first.seq}")
    assert second.refers_to == first.event_id
    assert sandbox.flows[two_flows]["enabled"] is True
    assert page.url.endswith("/flows/")


def test_toast_leads_to_its_event_and_is_told_once(open_page, two_flows):
    page = open_page("operator")
    switch(page)

    page.get_by_role("link", name="View event").click()

    page.wait_for_url(f"**/audit/{outcomes()[0].event_id}/")
    expect(page.locator("main")).to_contain_text("Turned off")
    expect(page.locator("body")).not_to_contain_text("Confirmed by Twilio")


def test_dialog_is_used_with_the_keyboard_alone(open_page, sandbox, two_flows):
    page = open_page("operator")
    link_of(page).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Reason")).to_be_focused()

    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(link_of(page)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Reason")).to_be_focused()
    page.keyboard.type("By hand")
    page.keyboard.press("Enter")
    expect(link_of(page)).to_have_text("Turn on")
    expect(link_of(page)).to_be_focused()
    page.keyboard.press("Control+z")
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    assert (
        sandbox.flows[two_flows]["enabled"] is False
    )  # the key leads to the button; it changes nothing
    page.keyboard.press("Enter")
    expect(link_of(page)).to_have_text("Turn off")
    expect(link_of(page)).to_be_focused()

    assert [event.refers_to is None for event in outcomes()] == [True, False]
    assert outcomes()[0].reason == "By hand"


def test_dialog_keeps_the_focus_inside_and_is_named(open_page, two_flows):
    page = open_page("operator")

    dialog = ask(page)

    expect(page.get_by_role("dialog", name="Turn off “Réclamations Lyon”?")).to_be_visible()
    assert dialog.evaluate("dialog => dialog.matches(':modal')")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()
    expect(link_of(page)).to_be_focused()
    assert outcomes() == []


def test_trouble_stays_in_the_dialog_until_it_passes(open_page, sandbox, two_flows):
    page = open_page("operator")
    dialog = ask(page)
    dialog.get_by_label("Reason").fill("Kept words")
    sandbox.inject(Fault(FaultKind.SERVER_ERROR, method="GET", times=None))

    dialog.get_by_role("button", name="Turn off").click()

    expect(dialog.get_by_role("alert")).to_contain_text("Couldn't read the flow from Twilio first")
    expect(dialog.get_by_role("alert")).to_be_focused()
    expect(dialog.get_by_label("Reason")).to_have_value("Kept words")
    expect(page.locator("#page-problem")).to_be_hidden()
    sandbox.clear_faults()
    dialog.get_by_role("button", name="Turn off").click()
    expect(toasts(page)).to_contain_text("Turned off")
    assert outcomes()[-1].reason == "Kept words"


def test_switch_that_is_held_back_stays_in_the_dialog(open_page, two_flows, actor):
    page = open_page("operator", name="ada")
    dialog = ask(page)
    dialog.get_by_label("Reason").fill("Kept words")
    append_stage(
        action="flow.update", stage="attempt", result="pending", actor=actor,
        change_id=uuid.uuid4(), target_sid=two_flows,
    )  # fmt: skip

    dialog.get_by_role("button", name="Turn off").click()

    expect(dialog.get_by_role("alert")).to_contain_text("omar is changing it")
    expect(dialog.get_by_label("Reason")).to_have_value("Kept words")
    expect(toasts(page)).to_have_count(0)


def test_dashboard_that_can_not_be_reached_is_told_within_the_dialog(open_page, two_flows):
    page = open_page("operator")
    dialog = ask(page)
    dialog.get_by_label("Reason").fill("Kept words")
    open_page.expected.append("net::ERR_FAILED")
    page.route("**/enabled/", lambda route: route.abort())

    dialog.get_by_role("button", name="Turn off").click()

    expect(dialog.get_by_role("alert")).to_contain_text("Couldn’t reach the dashboard")
    expect(dialog.get_by_role("button", name="Turn off")).to_be_enabled()
    page.unroute("**/enabled/")
    dialog.get_by_role("button", name="Turn off").click()
    expect(toasts(page)).to_contain_text("Turned off")
    assert [event.reason for event in outcomes()] == ["Kept words"]
    assert "net::ERR_FAILED" in " ".join(open_page.complaints)


def test_session_that_ended_leads_to_sign_in_and_back_with_what_was_typed(open_page, two_flows):
    page = open_page("operator")
    dialog = ask(page)
    dialog.get_by_label("Reason").fill("Kept words")
    page.context.clear_cookies(name="sessionid")

    dialog.get_by_role("button", name="Turn off").click()
    page.fill("[name=username]", "operator")
    page.fill("[name=password]", "operator-password")
    page.press("[name=password]", "Enter")
    page.get_by_role("button", name="Back to your form").click()

    expect(page.get_by_label("Reason")).to_have_value("Kept words")
    assert outcomes() == []


def test_unknown_outcome_leads_to_its_event(open_page, sandbox, two_flows):
    page = open_page("operator")
    dialog = ask(page)
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))

    dialog.get_by_role("button", name="Turn off").click()

    page.wait_for_url("**/audit/*/")
    expect(page.locator("main")).to_contain_text("Unknown outcome")


def test_toasts_stay_until_they_are_dismissed_and_are_three_at_most(open_page, sandbox):
    names = ["Alpha", "Beta", "Gamma", "Delta"]
    for name in names:
        sandbox.add_flow(friendly_name=name, enabled=True)
    sync_account(ACCOUNT)
    page = open_page("operator")

    for name in names:
        switch(page, name)
        expect(toasts(page).first).to_contain_text(name)

    expect(toasts(page)).to_have_count(3)
    expect(page.locator("#toasts")).not_to_contain_text("Alpha")
    toasts(page).first.get_by_role("button", name="Dismiss").click()
    expect(toasts(page)).to_have_count(2)
    expect(link_of(page, "Delta")).to_be_focused()


def test_row_that_leaves_the_list_does_not_hand_its_focus_to_another_rows_switch(
    open_page, two_flows
):
    page = open_page("operator", path="/flows/?enabled=true")

    switch(page)

    expect(link_of(page)).to_have_count(0)
    expect(page.locator("#main")).to_be_focused()


@pytest.mark.parametrize("width", [320, 1350])
def test_row_that_was_switched_stays_in_view(open_page, sandbox, width):
    for number in range(40):
        sandbox.add_flow(friendly_name=f"Flow {number:02}", enabled=True)
    sync_account(ACCOUNT)
    page = open_page("operator", width=width)

    switch(page, "Flow 30")

    expect(link_of(page, "Flow 30")).to_have_text("Turn on")
    expect(link_of(page, "Flow 30")).to_be_focused()
    expect(link_of(page, "Flow 30")).to_be_in_viewport()


def test_switch_of_a_flows_own_page_is_a_dialog_too(open_page, two_flows):
    page = open_page("operator", path=f"/flows/{two_flows}/")

    page.get_by_role("link", name="Turn off").click()
    page.get_by_role("dialog").get_by_role("button", name="Turn off").click()

    expect(page.locator(".messages")).to_contain_text(
        "Turned off “Réclamations Lyon”. Confirmed by Twilio."
    )
    assert page.url.endswith(f"/flows/{two_flows}/")


def test_without_javascript_the_switch_is_a_page(open_page, sandbox, two_flows):
    page = open_page("operator", javascript=False)

    link_of(page).click()
    page.wait_for_url("**/enabled/")
    page.get_by_label("Reason").fill("The old way")
    page.get_by_role("button", name="Turn off").click()

    expect(page.locator(".messages")).to_contain_text("Confirmed by Twilio")
    assert outcomes()[0].reason == "The old way"


def test_counts_of_the_filters_follow_the_search_and_what_was_found_is_read_out(
    open_page, two_flows
):
    page = open_page("viewer")
    channel = page.locator("[name=channel]")
    expect(channel.locator("[value=web]")).to_have_text("Web chat (1)")
    channel.focus()
    channel.select_option("sms")
    expect(page.locator("#announcement")).to_have_text("1 flow. Channel: SMS")
    expect(page.locator("[name=enabled] [value=false]")).to_have_text("Off (0)")
    expect(channel).to_be_focused()

    page.locator("#q").press_sequentially("support")

    expect(page.locator("#announcement")).to_have_text("0 flows. Search: support; Channel: SMS")
    expect(channel.locator("[value=sms]")).to_have_text("SMS (0)")
    expect(channel.locator("[value=web]")).to_have_text("Web chat (1)")
    expect(channel).to_have_value("sms")
    expect(page.locator("#q")).to_be_focused()


@pytest.mark.quick("light-1350")
@LOOKS
def test_dialog_and_toast_are_accessible_and_fit(open_page, sandbox, two_flows, scheme, width):
    page = open_page("operator", scheme=scheme, width=width)
    dialog = ask(page)
    findings = {"dialog": find_problems(page)}
    sandbox.inject(Fault(FaultKind.REFUSE, method="POST", status=400, code=45212))
    dialog.get_by_role("button", name="Turn off").click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    findings["trouble"] = find_problems(page)
    dialog.get_by_role("button", name="Turn off").click()
    expect(toasts(page)).to_have_count(1)
    findings["toast"] = find_problems(page)

    assert {name: problems for name, problems in findings.items() if problems} == {}
