"""The erasure of personal data in a browser, with JavaScript and without; its accessible states."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from flows.audit.models import AuditEvent
from flows.mirror.models import Flow
from tests.browser.looks import LOOKS, find_problems
from tests.faults.acting import append_attempt, clock_ahead
from tests.flows.erasure.recorded_data import NUMBER, record

pytestmark = pytest.mark.django_db(transaction=True)


def preview(page, subject):
    page.get_by_label("SID or contact identity").fill(subject)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="nothing is erased yet")).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False], ids=["js", "no-js"])
def test_data_is_erased_after_a_preview(open_page, flow_sid, javascript):
    Flow.objects.update(gone_at=timezone.now())
    page = open_page("admin", path="/audit/", javascript=javascript)

    page.get_by_role("link", name="Erase personal data").click()
    preview(page, NUMBER)
    page.get_by_label("Enter the SID or contact identity again").fill(NUMBER)
    page.get_by_role("button", name="Erase personal data").click()

    expect(page.get_by_role("heading", name="Personal data erased")).to_be_visible()
    assert not Flow.objects.exists()
    assert AuditEvent.objects.filter(action="audit.erase").count() == 1


@LOOKS
def test_states_of_an_erasure_are_accessible_and_fit(open_page, flow_sid, actor, scheme, width):
    record(actor, target_sid=flow_sid, reason=f"Calls from {NUMBER}")
    record(actor, friendly_name=f"Ext {NUMBER}77")
    append_attempt(flow_sid)
    page, findings = open_page("admin", scheme=scheme, width=width, path="/audit/erasure/"), {}
    findings["form"] = find_problems(page)
    preview(page, NUMBER)
    findings["change in progress"] = find_problems(page)
    with clock_ahead():
        page.goto("/login/?next=/audit/erasure/")
        preview(page, NUMBER)
        findings["preview"] = find_problems(page)
        page.get_by_role("button", name="Erase personal data").click()
        expect(page.get_by_role("alert").first).to_contain_text("Fix 3 problems")
        findings["errors"] = find_problems(page)
        page.get_by_label("although Twilio still has it").check()
        page.get_by_label("with an unknown outcome").check()
        page.get_by_label("Enter the SID or contact identity again").fill(NUMBER)
        page.get_by_label("Reason").fill("request 4711")
        page.get_by_role("button", name="Erase personal data").click()
        expect(page.get_by_role("heading", name="What remains to be done")).to_be_visible()
        findings["result"] = find_problems(page)

    assert {name: found for name, found in findings.items() if found} == {}
