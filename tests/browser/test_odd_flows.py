"""Pages of unusual flows: legible and accessible in both schemes and widths."""

import os

import pytest

from flows.mirror.sync import sync_account
from tests import ACCOUNT
from tests.browser.looks import LOOKS, find_problems

pytestmark = pytest.mark.django_db(transaction=True)
DEEP: object = "x"
for _ in range(600):
    DEEP = [DEEP]
FIELDS = {
    "friendly_name": "Support\u200b Lyon", "enabled": "maybe", "integration_type": None, "integration_flow_sid": "FW" + "1" * 32,
    "integration_retry_count": [3], "unknown": {"token": "abc", "deep": DEEP}, "date_updated": "Fri, 20 Nov 2026 10:00:00 +0000",
}  # fmt: skip
HOOK = {
    "integration_type": "external",
    "integration_url": "https://u:p@hooks.slack.example/services/T0A/B0B/S3CRET?team=care&data=S3CRET",
}


@LOOKS
def test_pages_of_odd_flows_are_accessible(open_page, sandbox, scheme, width):
    odd, hook = sandbox.add_flow(), sandbox.add_flow(**HOOK)
    sandbox.edit_flow(odd, **FIELDS)
    sync_account(ACCOUNT)
    page, findings = open_page("admin", scheme=scheme, width=width), {}

    for number, path in enumerate(
        (
            f"/flows/{odd}/",
            "/flows/",
            f"/flows/{hook}/",
            f"/flows/{odd}/delete/",
            f"/flows/{odd}/edit/",
        )
    ):
        page.goto(path, wait_until="networkidle")  # a list renews its copy by itself
        findings[path] = find_problems(page)
        if folder := os.environ.get("SHOTS"):
            page.screenshot(path=f"{folder}/{number}-{scheme}-{width}.png", full_page=True)
    page.goto("/flows/new/?account=")
    page.select_option("[name=integration_type]", "external")
    page.fill("[name=friendly_name]", "x")
    page.fill("[name=integration_url]:not([type=hidden])", "https://h.example/a b")
    page.get_by_role("button", name="Review").click()
    page.wait_for_selector(".field-error")
    findings["an address with a space"] = find_problems(page)
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=f"{folder}/9-{scheme}-{width}.png", full_page=True)

    assert {path: problems for path, problems in findings.items() if problems} == {}
