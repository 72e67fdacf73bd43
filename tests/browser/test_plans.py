"""Many at once in the browser: what is ticked, a plan's progress, and its pages in both schemes and widths."""

import json

import pytest
from django.core.management import call_command
from playwright.sync_api import expect

from flows.models import Plan
from flows.search import PAGE_SIZE
from flows.services import mirror, plans
from tests import ACCOUNT
from tests.browser.looks import LOOKS, found

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sids(sandbox, db):
    made = [
        sandbox.add_flow(friendly_name=f"Flow {number:03}", enabled=True) for number in range(PAGE_SIZE + 3)
    ]
    mirror.sync(ACCOUNT)
    return made


def work(*, turns=None):
    call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0, max_tasks=turns)


def test_what_is_ticked_stays_from_page_to_page(open_page, sids):
    page = open_page("operator")
    page.get_by_label("Select Flow 001", exact=True).check()
    expect(page.locator("#chosen")).to_have_text("With the 1 selected:")
    page.get_by_role("link", name="Next").click()
    page.get_by_label("Select Flow 052", exact=True).check()
    expect(page.locator("#chosen")).to_have_text("With the 2 selected:")
    page.get_by_role("link", name="Previous").click()
    expect(page.get_by_label("Select Flow 001", exact=True)).to_be_checked()

    page.select_option("[name=kind]", "disable")
    page.get_by_role("button", name="Plan…").click()

    expect(page.locator(".planned tbody tr")).to_have_count(2)
    expect(page.locator(".planned")).to_contain_text("Flow 052")


def test_page_and_all_that_match_are_ticked_at_once(open_page, sids):
    page = open_page("operator")

    page.get_by_label("Select this page").check()
    expect(page.locator("#chosen")).to_have_text(f"With the {PAGE_SIZE} selected:")
    page.get_by_label("Select this page").uncheck()
    page.get_by_label(f"All {len(sids)} that match").check()
    page.select_option("[name=kind]", "delete")
    page.get_by_role("button", name="Plan…").click()

    expect(page.get_by_role("heading", level=2).first).to_contain_text(f"{len(sids)} flows will change")
    expect(
        page.get_by_label(f"{len(sids)} flows will be deleted. Type the number to confirm")
    ).to_be_visible()


def test_progress_survives_a_reload_and_ends_by_itself(open_page, sids, monkeypatch):
    monkeypatch.setattr(plans, "A_TURN", 20)
    page = open_page("operator")
    page.get_by_label(f"All {len(sids)} that match").check()
    page.select_option("[name=kind]", "disable")
    page.get_by_role("button", name="Plan…").click()
    page.get_by_role("button", name=f"Change {len(sids)} flows").click()
    expect(page.get_by_role("progressbar")).to_be_visible()

    work(turns=1)
    expect(page.get_by_role("heading", level=2).first).to_have_text(f"20 of {len(sids)} tried")
    page.reload()
    expect(page.get_by_role("heading", level=2).first).to_have_text(f"20 of {len(sids)} tried")
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "20")
    work()

    expect(page.locator("#plan-state")).to_have_text("Ended")
    expect(page.locator("#said")).to_have_text(f"Ended. {len(sids)} of {len(sids)} flows changed")
    expect(page.get_by_role("button", name="Plan the way back")).to_be_visible()


def test_plan_is_stopped_and_gone_on_with(open_page, sandbox, sids, monkeypatch):
    monkeypatch.setattr(plans, "A_TURN", 10)
    page = open_page("operator")
    page.goto("/flows/?q=flow+00")
    page.get_by_label("All 10 that match").check()
    page.select_option("[name=kind]", "disable")
    page.get_by_role("button", name="Plan…").click()
    page.get_by_role("button", name="Change 10 flows").click()

    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#plan-state")).to_have_text("Stopped")
    work()
    page.get_by_role("button", name="Go on with the 10 left").click()
    expect(page.locator("#plan-state")).to_have_text("Under way")
    work()

    expect(page.locator("#plan-state")).to_have_text("Ended")


@pytest.mark.parametrize("javascript", [True, False], ids=["js", "no-js"])
def test_file_is_copied_out_changed_and_imported(open_page, sids, tmp_path, javascript):
    page = open_page("operator", javascript=javascript)
    page.goto("/flows/?q=flow+001")
    page.locator("input[name=sid]").check()
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON").click()
    copied = json.loads(download.value.path().read_text())
    copied["flows"][0]["friendly_name"] = "Renamed"
    file = tmp_path / "flows.json"
    file.write_text(json.dumps(copied))

    page.get_by_role("link", name="Plans").click()
    page.get_by_role("link", name="Import flows").click()
    if javascript:
        page.get_by_label("Or take it from a file").set_input_files(file)
        expect(page.get_by_label("Flows as JSON")).to_have_value(file.read_text())
    else:
        page.get_by_label("Flows as JSON").fill(file.read_text())
    page.get_by_role("button", name="Show the plan").click()

    expect(page.locator(".planned")).to_contain_text("Renamed")


@pytest.mark.quick
def test_plan_without_javascript(open_page, sandbox, sids):
    page = open_page("operator", javascript=False)
    page.goto("/flows/?q=flow+00")
    page.get_by_label("All 10 that match").check()
    page.select_option("[name=kind]", "retry_count")
    page.get_by_role("button", name="Plan…").click()
    page.get_by_label("Retry count").fill("9")
    page.get_by_role("button", name="Show the plan").click()
    expect(page.get_by_role("alert")).to_contain_text("Retry count must be 3 or less.")
    page.get_by_label("Retry count").fill("1")
    page.get_by_role("button", name="Show the plan").click()
    page.get_by_role("button", name="Change 10 flows").click()
    expect(page.locator("noscript p")).to_be_visible()
    work()
    page.reload()

    expect(page.locator("#plan-state")).to_have_text("Ended")
    page.get_by_role("button", name="Plan the way back").click()
    page.get_by_role("button", name="Change 10 flows").click()
    work()
    assert {flow["integration"]["retry_count"] for flow in sandbox.flows.values()} == {3}


@LOOKS
def test_pages_are_accessible_and_fit(open_page, sandbox, sids, scheme, width):
    page = open_page("operator", scheme=scheme, width=width)
    page.goto("/flows/?q=flow+00")
    page.get_by_label("Select Flow 001", exact=True).check()
    expect(page.get_by_label("All 10 that match")).to_be_visible()
    findings = {"ticked": found(page)}
    page.get_by_label("All 10 that match").check()
    findings["all ticked"] = found(page)
    page.select_option("[name=kind]", "retry_count")
    page.get_by_role("button", name="Plan…").click()
    page.get_by_role("button", name="Show the plan").click()
    expect(page.locator(".field-error")).to_be_visible()
    findings["value missing"] = found(page)
    page.get_by_label("Retry count").fill("1")
    page.get_by_role("button", name="Show the plan").click()
    expect(page.get_by_role("button", name="Change 10 flows")).to_be_visible()
    findings["draft"] = found(page)
    page.get_by_role("button", name="Change 10 flows").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    findings["under way"] = found(page)
    sandbox.edit_flow(sids[1], integration_retry_count=0)
    work()
    expect(page.locator("#plan-state")).to_have_text("Ended")
    findings["ended"] = found(page)
    for name, path in {"plans": "/flows/plans/", "import": "/flows/plans/import/"}.items():
        page.goto(path)
        findings[name] = found(page)
    page.get_by_label("Flows as JSON").fill("{")
    page.get_by_role("button", name="Show the plan").click()
    expect(page.locator(".field-error")).to_be_visible()
    findings["import failed"] = found(page)

    assert {name: what for name, what in findings.items() if what} == {}
    assert Plan.objects.get().state == "done"
