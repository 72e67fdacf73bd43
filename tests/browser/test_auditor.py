"""The auditor's pages: repeated downloads, from the log's filters to a file, accessibility."""

import json

import pytest
from playwright.sync_api import expect

from flows.audit import audit_log
from flows.audit.audit_log import Payload
from flows.audit.models import AuditPayload
from tests.browser.looks import LOOKS, find_problems

pytestmark = pytest.mark.django_db(transaction=True)

JAVASCRIPT = pytest.mark.parametrize("javascript", [True, False], ids=["js", "no-js"])


@pytest.fixture
def log(actor):
    for result in ("succeeded", "failed", "succeeded"):
        payload = Payload(friendly_name=f"That {result}")
        audit_log.append(
            action="flow.update", stage="outcome", result=result, actor=actor, payload=payload
        )


@JAVASCRIPT
def test_filters_of_the_log_are_behind_a_button_on_a_phone(open_page, log, javascript):
    page = open_page("auditor", javascript=javascript, width=320, path="/audit/")
    result = page.locator("select[name=result]")
    expect(result).to_be_hidden()

    page.get_by_text("Filters", exact=True).click()
    result.select_option("failed")
    if not javascript:
        page.get_by_role("button", name="Search").click()

    expect(page.locator("#count")).to_contain_text("1 event")


@JAVASCRIPT
def test_filters_of_the_log_are_those_of_the_file(open_page, log, javascript):
    page = open_page("auditor", javascript=javascript, path="/audit/")
    page.locator("select[name=result]").select_option("failed")
    if not javascript:
        page.get_by_role("button", name="Search").click()
    expect(page.locator("#count")).to_contain_text("1 event")

    page.get_by_role("link", name="Export these events").click()
    page.get_by_label("NDJSON").check()
    with page.expect_download() as first:
        page.get_by_role("button", name="Export").click()
    with page.expect_download() as second:  # the button is still there for it
        page.get_by_role("button", name="Export").click()

    for download in (first, second):
        lines = download.value.path().read_text().splitlines()
        assert [json.loads(line)["friendly_name"] for line in lines] == ["That failed"]
    assert first.value.suggested_filename.endswith("-after-0-through-5-filtered.ndjson")


@pytest.mark.quick("js")
@JAVASCRIPT
def test_head_is_downloaded_and_pasted(open_page, log, javascript):
    page = open_page("auditor", javascript=javascript, path="/audit/verification/")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download checkpoint").click()

    page.get_by_label("Earlier checkpoint").fill(download.value.path().read_text())
    page.get_by_role("button", name="Verify now").click()

    expect(page.get_by_role("heading", name="Intact: events 1–5 verified")).to_be_visible()


@LOOKS
def test_pages_are_accessible_and_fit(open_page, log, scheme, width):
    page = open_page("auditor", scheme=scheme, width=width, path="/audit/verification/")
    findings = {"never verified": find_problems(page)}
    page.fill("#head", "x")
    page.get_by_role("button", name="Verify now").click()
    expect(page.locator("#head")).to_be_focused()
    findings["no checkpoint"] = find_problems(page)
    page.fill("#head", "")
    page.get_by_role("button", name="Verify now").click()
    expect(page.get_by_role("heading", name="Intact")).to_be_visible()
    findings["verified"] = find_problems(page)
    AuditPayload.objects.filter(pk=2).update(friendly_name="other")
    page.get_by_role("button", name="Verify now").click()
    expect(page.get_by_role("heading", name="Event 2 has a payload")).to_be_visible()
    findings["a fault"] = find_problems(page)
    page.goto("/audit/?result=failed&q=That")
    findings["log"] = find_problems(page)
    page.goto("/audit/export/?result=failed&q=That")
    findings["export"] = find_problems(page)
    page.fill("#after", "x")
    page.get_by_role("button", name="Export").click()
    expect(page.locator("#after")).to_be_focused()
    findings["no number"] = find_problems(page)

    assert {name: problems for name, problems in findings.items() if problems} == {}
