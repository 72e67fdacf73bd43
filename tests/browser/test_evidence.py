"""Unknown outcomes, external changes and restored versions, with JavaScript and without.

Their pages are accessible in both schemes and widths.
"""

import uuid

import pytest
from playwright.sync_api import expect

from flows.audit.models import AuditEvent, OpenChange, OpenDrift
from flows.changes import flow_changes, reconcile
from flows.mirror.sync import sync_account
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.browser.looks import LOOKS, find_problems

pytestmark = pytest.mark.django_db(transaction=True)

JAVASCRIPT = pytest.mark.parametrize("javascript", [True, False], ids=["js", "no-js"])


@pytest.fixture
def lost(sandbox, flow_sid, actor):
    """Event of a rename whose response was lost."""
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    return flow_changes.update_flow(
        sid=flow_sid,
        account_sid=ACCOUNT,
        base=None,
        values={"friendly_name": "New"},
        reason="",
        actor=actor,
        change_id=uuid.uuid4(),
    ).event


@pytest.fixture
def puzzle(sandbox, flow_sid, lost):
    sandbox.edit_flow(flow_sid, friendly_name="Third")
    reconcile.reconcile()
    return lost


@pytest.fixture
def drift(sandbox, flow_sid):
    sandbox.edit_flow(flow_sid, friendly_name="Pilot")
    sync_account(ACCOUNT)
    return AuditEvent.objects.get(action="flow.drift")


def test_page_that_does_not_know_becomes_the_answer_by_itself(open_page, lost):
    page = open_page("viewer", path=f"/audit/{lost.event_id}/")

    expect(page.locator("#resolution")).to_contain_text("Applied · confirmed later")
    expect(page.locator("#steps")).to_contain_text("Confirmed later")
    expect(page.locator("#standing")).to_have_text("Applied · confirmed later")
    expect(page.get_by_role("button", name="Check now")).to_have_count(0)


def test_without_javascript_the_button_finds_out(open_page, lost):
    page = open_page("viewer", javascript=False, path=f"/audit/{lost.event_id}/")
    expect(page.locator("#resolution")).to_contain_text("Unknown outcome")

    page.get_by_role("button", name="Check now").click()

    expect(page.locator("#resolution")).to_contain_text("Applied · confirmed later")


@pytest.mark.quick("js")
@JAVASCRIPT
def test_person_decides_a_puzzle(open_page, puzzle, flow_sid, javascript):
    page = open_page("operator", javascript=javascript, path="/flows/")
    page.get_by_role("link", name="Change friendly name").click()
    submit = page.get_by_role("button", name="Record decision")

    submit.click()
    expect(page.locator(".field-error").first).to_be_visible()
    page.get_by_label("Mark as applied", exact=True).check()
    page.get_by_label("How you know").fill("The Console's log has it")
    submit.click()

    expect(page.locator(".messages")).to_contain_text("Decision recorded")
    assert not OpenChange.objects.exists()
    assert AuditEvent.objects.get(stage="reconciled").actor_label == "operator"


@JAVASCRIPT
def test_what_was_changed_elsewhere_is_undone(open_page, sandbox, drift, flow_sid, javascript):
    page = open_page("operator", javascript=javascript)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="External changes").click()

    page.get_by_role("button", name="Revert…").click()
    expect(page.locator("[name=friendly_name]")).to_have_value("Réclamations Lyon")
    page.get_by_role("button", name="Review changes").click()
    page.fill("[name=reason]", "Not agreed")
    page.get_by_role("button", name="Save changes").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("Réclamations Lyon")
    assert sandbox.flows[flow_sid]["friendly_name"] == "Réclamations Lyon"
    assert not OpenDrift.objects.exists()


@JAVASCRIPT
def test_what_was_changed_elsewhere_is_accepted(open_page, drift, javascript):
    page = open_page("operator", javascript=javascript, path="/flows/drift/")

    page.get_by_label("Reason").fill("Agreed")
    page.get_by_role("button", name="Accept").click()

    expect(page.locator(".messages")).to_contain_text("Accepted")
    expect(page.get_by_text("No external changes")).to_be_visible()


@JAVASCRIPT
def test_state_of_an_event_is_restored(open_page, sandbox, flow_sid, actor, javascript):
    flow_changes.update_flow(
        sid=flow_sid,
        account_sid=ACCOUNT,
        base=None,
        values={"friendly_name": "New"},
        reason="",
        actor=actor,
        change_id=uuid.uuid4(),
    )
    page = open_page("operator", javascript=javascript, path="/audit/")
    page.locator("tbody a.name").first.click()

    page.get_by_role("link", name="Restore previous version").click()
    expect(page.get_by_text("Restore an earlier version")).to_be_visible()
    page.get_by_role("button", name="Review changes").click()
    page.get_by_role("button", name="Save changes").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("Réclamations Lyon")
    expect(page.get_by_role("link", name="Related event")).to_be_visible()


@LOOKS
def test_pages_are_accessible_and_fit(open_page, sandbox, flow_sid, puzzle, scheme, width):
    other = sandbox.add_flow(friendly_name="Other", integration_type="task", integration_priority=1)
    sync_account(ACCOUNT)
    sandbox.edit_flow(other, integration_priority=2)
    sandbox.add_flow(friendly_name="Made elsewhere")
    sync_account(ACCOUNT)
    drift = AuditEvent.objects.filter(action="flow.drift", target_sid=other).latest("seq")
    paths = {
        "overview": "/",
        "list": "/flows/",
        "inbox": "/flows/drift/",
        "puzzle": f"/audit/{puzzle.event_id}/",
        "flow in doubt": f"/flows/{flow_sid}/",
        "flow with drift": f"/flows/{other}/",
        "drift": f"/audit/{drift.event_id}/",
        "restore": f"/flows/{other}/edit/?restore={drift.event_id}&state=before",
        "made anew": f"/flows/new/?restore={drift.event_id}",
        "export": "/audit/export/",
        "verification": "/audit/verification/",
    }
    page = open_page("admin", scheme=scheme, width=width)
    findings = {}
    for name, path in paths.items():
        page.goto(path)
        findings[name] = find_problems(page)
    page.goto(paths["puzzle"])
    page.get_by_role("button", name="Record decision").click()
    expect(page.locator(".field-error").first).to_be_visible()
    findings["decision with errors"] = find_problems(page)

    assert {name: problems for name, problems in findings.items() if problems} == {}
