"""Main tasks by keyboard alone. Switching and its undo are in test_switching.py."""

import pytest
from django.core.management import call_command
from playwright.sync_api import expect

from flows.audit.models import AuditEvent
from flows.mirror.sync import sync_account
from flows.plans.models import Plan
from flows.twilio.flex.flex_flow import FLEX_FLOW
from tests import ACCOUNT

pytestmark = pytest.mark.django_db(transaction=True)
FURTHEST = 150  # presses of Tab within which everything must be reached


def tab_to(page, locator):
    """Press Tab until the element has the focus."""
    expect(locator).to_be_visible()
    page.wait_for_load_state()
    for _ in range(FURTHEST):
        if locator.evaluate_all(
            "(found) => found.length === 1 && found[0] === document.activeElement"
        ):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"not reached with Tab: {locator}")


def fill(page, name, text):
    tab_to(page, page.locator(f"[name={name}]:not([type=hidden])"))
    page.keyboard.press("Control+a")
    page.keyboard.type(text)


def press(page, role, name, **options):
    tab_to(page, page.get_by_role(role, name=name, **options))
    page.keyboard.press("Enter")


def value(sandbox, sid, name):
    return FLEX_FLOW.decode(sandbox.flows[sid])[name]


def test_find_edit_with_an_error_and_meet_a_conflict(open_page, sandbox, flow_sid):
    sandbox.add_flow(friendly_name="Another")
    sync_account(ACCOUNT)
    page = open_page("operator")
    page.keyboard.press("/")
    page.keyboard.type("lyon")
    expect(page.get_by_role("link", name="Another")).to_have_count(0)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Réclamations Lyon")

    press(page, "link", "Edit", exact=True)
    fill(page, "friendly_name", "Mine")
    fill(page, "integration_retry_count", "9")
    press(page, "button", "Review changes")
    expect(page.get_by_role("alert")).to_be_focused()
    press(page, "link", "Retry count must be 3 or less.")
    expect(page.locator("[name=integration_retry_count]")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("1")
    page.keyboard.press("Enter")
    sandbox.edit_flow(flow_sid, friendly_name="Theirs")
    press(page, "button", "Save changes")
    expect(page.get_by_role("alert").first).to_contain_text("Someone else changed the same field")
    expect(page.get_by_role("alert").first).to_be_focused()
    tab_to(page, page.get_by_label("Keep theirs for Friendly name"))
    page.keyboard.press("Space")
    expect(page.get_by_label("Keep theirs for Friendly name")).to_be_checked()
    press(page, "button", "Review changes")
    press(page, "button", "Save changes")

    expect(page.get_by_role("heading", level=1)).to_contain_text("Theirs")
    assert [
        value(sandbox, flow_sid, name) for name in ("friendly_name", "integration_retry_count")
    ] == [
        "Theirs",
        1,
    ]


@pytest.mark.quick
def test_create_and_delete(open_page, sandbox):
    page = open_page("operator")
    press(page, "link", "New flow")
    fill(page, "friendly_name", "Made by hand")
    tab_to(page, page.locator("[name=channel_type]"))
    page.keyboard.type("SMS")
    fill(page, "contact_identity", "+33199000100")
    tab_to(page, page.locator("[name=chat_service_sid]"))
    page.keyboard.type("Flex Chat")
    tab_to(page, page.locator("[name=integration_type]"))
    page.keyboard.type("Studio")
    expect(page.locator("[name=integration_flow_sid]")).to_be_visible()
    tab_to(page, page.locator("[name=integration_flow_sid]"))
    page.keyboard.type("Another")
    fill(page, "integration_flow_sid_other", "FW" + "1" * 32)
    press(page, "button", "Review new flow")
    fill(page, "reason", "Summer")
    press(page, "button", "Create flow")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Made by hand")
    (sid,) = sandbox.flows

    press(page, "link", "Delete")
    fill(page, "confirm_name", "Made by hand")
    press(page, "button", "Delete flow")

    expect(page.locator("main")).to_contain_text("Deleted")
    assert sid not in sandbox.flows


def test_restore_a_deleted_flow_from_the_log(open_page, sandbox, flow_sid):
    sandbox.remove_flow(flow_sid)
    sync_account(ACCOUNT)
    page = open_page("operator", path="/audit/")
    press(page, "link", "Deleted at Twilio")
    press(page, "link", "Restore previous version")
    expect(page.get_by_text("The flow’s SID will change.")).to_be_visible()

    press(page, "button", "Review new flow")
    press(page, "button", "Create flow")

    expect(page.get_by_role("heading", level=1)).to_contain_text("Réclamations Lyon")
    assert len(sandbox.flows) == 1


def test_many_at_once_and_back(open_page, sandbox):
    sids = [sandbox.add_flow(friendly_name=f"Flow {number}", enabled=True) for number in range(3)]
    sync_account(ACCOUNT)
    page = open_page("operator")
    for number in (0, 2):
        tab_to(page, page.locator("input[name=sid]").nth(number))
        page.keyboard.press("Space")
    page.keyboard.press("Shift+Tab")
    for _ in range(FURTHEST):
        if page.locator("[name=kind]").evaluate("(found) => found === document.activeElement"):
            break
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowDown")
    expect(page.locator("[name=kind]")).to_have_value("disable")
    press(page, "button", "Review…")
    expect(page.get_by_role("heading", level=2).first).to_contain_text("2 flows will change")
    fill(page, "reason", "Night")
    press(page, "button", "Change 2 flows")
    expect(page.locator("#plan-state")).to_have_text("In progress")
    call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)
    expect(page.locator("#plan-state")).to_have_text("Finished")
    assert [value(sandbox, sid, "enabled") for sid in sids] == [False, True, False]

    press(page, "button", "Roll back…")
    press(page, "button", "Change 2 flows")
    expect(page.locator("#plan-state")).to_have_text("In progress")
    call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)
    expect(page.locator("#plan-state")).to_have_text("Finished")

    assert [value(sandbox, sid, "enabled") for sid in sids] == [True, True, True]
    assert AuditEvent.objects.filter(reason="Night", stage="outcome").count() == 2
    assert Plan.objects.count() == 2
