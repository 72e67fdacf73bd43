"""The inbox of external changes: several at once, reasons, and states that need attention.

They are tested with JavaScript and without, in both schemes and widths.
"""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from flows.audit.models import AuditEvent, OpenDrift
from flows.mirror.models import SyncState
from flows.mirror.sync import sync_account
from flows.plans.models import Plan
from flows.twilio.sandbox.consistency import Lag
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.browser.looks import LOOKS, find_problems
from tests.faults.acting import age_history, create_flow

pytestmark = pytest.mark.django_db(transaction=True)

JAVASCRIPT = pytest.mark.parametrize("javascript", [True, False], ids=["js", "no-js"])


def picture(page, name):
    """Save a screenshot if PICTURES is set."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@pytest.fixture
def many(sandbox):
    """Twelve flows with changed retries, one renamed and two new ones, all from the Console."""
    names = [
        "Störungsmeldung Köln",
        "Réclamations Lyon",
        "予約 東京",
        *(f"Support {number}" for number in range(9)),
    ]
    sids = [
        sandbox.add_flow(friendly_name=name, integration_type="studio", integration_retry_count=3)
        for name in names
    ]
    other = sandbox.add_flow(friendly_name="Bookings Bristol")
    sync_account(ACCOUNT)
    for sid in sids:
        sandbox.edit_flow(sid, integration_retry_count=1, janitor_enabled=True)
    sandbox.edit_flow(other, friendly_name="Bookings Bristol 2")
    for name in ("Pilot A", "Pilot B"):
        sandbox.add_flow(friendly_name=name)
    sync_account(ACCOUNT)
    return sids


def entry(page, heading):
    return page.locator("section.drift").filter(has=page.get_by_role("heading", name=heading))


@JAVASCRIPT
def test_many_are_accepted_at_once(open_page, many, javascript):
    page = open_page("operator", javascript=javascript, path="/flows/drift/")
    group = entry(page, "12 flows changed")

    group.get_by_label("Reason").fill("Agreed with the team")
    group.get_by_role("button", name="Accept 12").click()

    expect(page.locator(".messages")).to_contain_text("Accepted for 12 flows")
    assert (
        AuditEvent.objects.filter(action="flow.accept", reason="Agreed with the team").count() == 12
    )


@JAVASCRIPT
def test_many_are_reverted_by_a_bulk_change(open_page, many, javascript):
    page = open_page("operator", javascript=javascript, path="/flows/drift/")
    group = entry(page, "12 flows changed")

    group.get_by_label("Reason").fill("Not agreed")
    group.get_by_role("button", name="Revert 12…").click()

    expect(page.get_by_label("Reason")).to_have_value("Not agreed")
    assert "Not" not in page.url
    assert Plan.objects.get().status == "draft"
    picture(page, f"plan-{javascript}")


@JAVASCRIPT
def test_reason_goes_along_into_the_form(open_page, sandbox, many, javascript):
    page = open_page("operator", javascript=javascript, path="/flows/drift/")
    one = entry(page, "Bookings Bristol 2")

    one.get_by_label("Reason").fill("Not agreed")
    one.get_by_role("button", name="Revert…").click()
    expect(page.get_by_label("Reason")).to_have_value("Not agreed")
    page.get_by_role("button", name="Review changes").click()
    expect(page.get_by_label("Reason")).to_have_value("Not agreed")
    page.get_by_role("button", name="Save changes").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("Bookings Bristol")
    assert AuditEvent.objects.get(stage="outcome").reason == "Not agreed"
    assert "Not" not in page.url


@LOOKS
def test_inbox_is_accessible(open_page, many, scheme, width):
    page = open_page("operator", scheme=scheme, width=width, path="/flows/drift/")
    picture(page, f"inbox-{scheme}-{width}")

    assert find_problems(page) == []


@LOOKS
@pytest.mark.parametrize("state", ["never", "failed", "partial", "checked"])
@pytest.mark.parametrize("path", ["/flows/drift/", "/accounts/"])
def test_states_of_a_check_are_accessible(open_page, sandbox, state, path, scheme, width):
    if state != "never":
        sync_account(ACCOUNT)
    if state == "failed":
        sandbox.inject(Fault(FaultKind.SERVER_ERROR, times=None))
        with pytest.raises(Exception, match="500"):
            sync_account(ACCOUNT)
    if state == "partial":
        SyncState.objects.update(missing=480, missing_checked=20)
    page = open_page("operator", scheme=scheme, width=width, path=path)
    picture(page, f"{path.strip('/').replace('/', '-')}-{state}-{scheme}-{width}")

    assert find_problems(page) == []


@LOOKS
def test_list_whose_flows_are_being_checked_is_accessible(open_page, sandbox, scheme, width):
    sids = [sandbox.add_flow(friendly_name=f"Support {number:02}") for number in range(24)]
    sync_account(ACCOUNT)
    for sid in sids[:23]:
        sandbox.remove_flow(sid)
    sync_account(ACCOUNT)
    page = open_page("operator", scheme=scheme, width=width)
    picture(page, f"list-{scheme}-{width}")

    assert find_problems(page) == []


@LOOKS
def test_flow_that_twilio_does_not_show_yet_is_accessible(
    open_page, sandbox, flow_sid, scheme, width
):
    age_history(sandbox)
    sid = create_flow().event.target_sid
    sandbox.lag(Lag("stale", times=None, seconds=3600))
    page = open_page("operator", scheme=scheme, width=width, path=f"/flows/{sid}/")
    picture(page, f"settling-{scheme}-{width}")

    expect(page.get_by_text("Not visible at Twilio yet")).to_be_visible()
    assert find_problems(page) == []
    assert not OpenDrift.objects.exists()
