"""Bulk changes in the browser: selection, progress, and pages in both schemes and widths."""

import json

import pytest
from django.core.management import call_command
from django_tasks_db.models import DBTaskResult
from playwright.sync_api import expect

from flows.mirror.sync import sync_account
from flows.plans import execution
from flows.plans.models import Plan
from flows.search.flow_search import PAGE_SIZE
from tests import ACCOUNT
from tests.browser.looks import LOOKS, find_problems

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sids(sandbox, db):
    sids = [
        sandbox.add_flow(friendly_name=f"Flow {number:03}", enabled=True)
        for number in range(PAGE_SIZE + 3)
    ]
    sync_account(ACCOUNT)
    DBTaskResult.objects.all().delete()  # a check of the account would take a turn
    return sids


def work(*, turns=None):
    call_command(
        "db_worker", batch=True, interval=0, startup_delay=False, verbosity=0, max_tasks=turns
    )


def test_what_is_ticked_stays_from_page_to_page(open_page, sids):
    page = open_page("operator")
    page.get_by_label("Select Flow 001", exact=True).check()
    expect(page.locator("#chosen")).to_have_text("1 selected")
    page.get_by_role("link", name="Next").click()
    page.get_by_label("Select Flow 052", exact=True).check()
    expect(page.locator("#chosen")).to_have_text("2 selected")
    page.get_by_role("link", name="Previous").click()
    expect(page.get_by_label("Select Flow 001", exact=True)).to_be_checked()

    page.select_option("[name=kind]", "disable")
    page.get_by_role("button", name="Review…").click()

    expect(page.locator(".planned tbody tr")).to_have_count(2)
    expect(page.locator(".planned")).to_contain_text("Flow 052")


def test_page_and_all_that_match_are_ticked_at_once(open_page, sids):
    page = open_page("operator")

    page.get_by_label("Select this page").check()
    expect(page.locator("#chosen")).to_have_text(f"{PAGE_SIZE} selected")
    page.get_by_label("Select this page").uncheck()
    page.get_by_label(f"Select all {len(sids)} matching flows").check()
    page.select_option("[name=kind]", "delete")
    page.get_by_role("button", name="Review…").click()

    expect(page.get_by_role("heading", level=2).first).to_contain_text(
        f"{len(sids)} flows will be deleted"
    )
    expect(
        page.get_by_label(f"{len(sids)} flows will be deleted. Enter this number to confirm")
    ).to_be_visible()


def test_discard_stands_next_to_the_start_and_starts_nothing(open_page, sids):
    page = open_page("operator")
    page.get_by_label("Select Flow 001", exact=True).check()
    page.get_by_role("button", name="Review…").click()

    page.get_by_role("button", name="Discard draft").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Bulk changes")
    assert not Plan.objects.exists()


def test_progress_survives_a_reload_and_ends_by_itself(open_page, sids, monkeypatch):
    monkeypatch.setattr(execution, "CHANGES_PER_RUN", 20)
    page = open_page("operator")
    page.get_by_label(f"Select all {len(sids)} matching flows").check()
    page.select_option("[name=kind]", "disable")
    page.get_by_role("button", name="Review…").click()
    page.get_by_role("button", name=f"Change {len(sids)} flows").click()
    expect(page.get_by_role("progressbar")).to_be_visible()

    work(turns=1)
    expect(page.get_by_role("heading", level=2).first).to_have_text(f"20 of {len(sids)} processed")
    page.reload()
    expect(page.get_by_role("heading", level=2).first).to_have_text(f"20 of {len(sids)} processed")
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "20")
    work()

    expect(page.locator("#plan-state")).to_have_text("Finished")
    expect(page.locator("#announcement")).to_have_text(
        f"Finished. {len(sids)} of {len(sids)} flows changed"
    )
    expect(page.get_by_role("button", name="Roll back…")).to_be_visible()


def test_plan_is_stopped_and_gone_on_with(open_page, sandbox, sids, monkeypatch):
    monkeypatch.setattr(execution, "CHANGES_PER_RUN", 10)
    page = open_page("operator")
    page.goto("/flows/?q=flow+00")
    page.get_by_label("Select all 10 matching flows").check()
    page.select_option("[name=kind]", "disable")
    page.get_by_role("button", name="Review…").click()
    page.get_by_role("button", name="Change 10 flows").click()

    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#plan-state")).to_have_text("Stopped")
    work()
    page.get_by_role("button", name="Resume (10 left)").click()
    expect(page.locator("#plan-state")).to_have_text("In progress")
    work()

    expect(page.locator("#plan-state")).to_have_text("Finished")


@pytest.mark.parametrize("javascript", [True, False], ids=["js", "no-js"])
def test_file_is_copied_out_changed_and_imported(open_page, sids, tmp_path, javascript):
    page = open_page("operator", javascript=javascript)
    page.goto("/flows/?q=flow+001")
    page.locator("input[name=sid]").check()
    page.locator("select[name=format]").select_option("json")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    copied = json.loads(download.value.path().read_text())
    copied["flows"][0]["friendly_name"] = "Renamed"
    file = tmp_path / "flows.json"
    file.write_text(json.dumps(copied))

    page.get_by_role("link", name="Bulk changes").click()
    page.get_by_role("link", name="Import flows").click()
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Review changes").click()

    expect(page.locator(".planned")).to_contain_text("Renamed")


@pytest.mark.parametrize("javascript", [True, False], ids=["js", "no-js"])
def test_table_is_imported_by_way_of_its_columns(open_page, sids, tmp_path, javascript):
    page = open_page("operator", javascript=javascript, path="/flows/plans/import/")
    file = tmp_path / "flows.csv"
    file.write_bytes(f"Flow;Old name;Friendly name\n{sids[1]};Flow 001;Größer\n".encode("utf-16"))
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Review changes").click()
    expect(page.locator(".columns tbody tr")).to_have_count(3)
    expect(page.locator(".lead")).to_contain_text(
        "There is no SID column, so each row creates a new flow."
    )

    page.get_by_label("Field for column 1, Flow").select_option("sid")
    page.get_by_role("button", name="Review changes").click()

    expect(page.locator(".planned")).to_contain_text("Größer")
    expect(page.get_by_role("heading", level=2).first).to_have_text("Review: 1 flow will change")


def test_next_key_does_not_drop_a_filter_that_means_nothing(open_page, sids):
    page = open_page("operator")
    page.goto("/flows/?channel=instagram")

    page.get_by_label("Name, contact identity or SID").fill("flow")

    expect(page.locator(".chip", has_text="Search: flow")).to_be_visible()
    expect(page.locator("#results")).to_contain_text("“instagram” is not a channel of any flow.")
    expect(page.locator("#results tbody tr")).to_have_count(0)


def test_counts_follow_the_filters(open_page, sandbox, sids):
    sandbox.edit_flow(sids[0], channel_type="rcs")
    sync_account(ACCOUNT)
    page = open_page("operator")
    option = page.locator("[name=channel] option[value=rcs]")
    expect(option).to_have_text("rcs (1)")

    page.get_by_label("Name, contact identity or SID").fill("flow 01")

    expect(page.locator("#count")).to_contain_text("11 flows")
    expect(option).to_have_text("rcs (0)")


@pytest.mark.quick
def test_plan_without_javascript(open_page, sandbox, sids):
    page = open_page("operator", javascript=False)
    page.goto("/flows/?q=flow+00")
    page.get_by_label("Select all 10 matching flows").check()
    page.select_option("[name=kind]", "retry_count")
    page.get_by_role("button", name="Review…").click()
    page.get_by_label("Retry count").fill("9")
    page.get_by_role("button", name="Review changes").click()
    expect(page.get_by_role("alert")).to_contain_text("Retry count must be 3 or less.")
    page.get_by_label("Retry count").fill("1")
    page.get_by_role("button", name="Review changes").click()
    page.get_by_role("button", name="Change 10 flows").click()
    expect(page.locator("noscript p")).to_be_visible()
    work()
    page.reload()

    expect(page.locator("#plan-state")).to_have_text("Finished")
    page.get_by_role("button", name="Roll back…").click()
    page.get_by_role("button", name="Change 10 flows").click()
    work()
    assert {flow["integration"]["retry_count"] for flow in sandbox.flows.values()} == {3}


@LOOKS
def test_pages_are_accessible_and_fit(open_page, sandbox, sids, scheme, width):
    page = open_page("operator", scheme=scheme, width=width)
    page.goto("/flows/?q=flow+00")
    page.get_by_label("Select Flow 001", exact=True).check()
    expect(page.get_by_label("Select all 10 matching flows")).to_be_visible()
    findings = {"ticked": find_problems(page)}
    page.get_by_label("Select all 10 matching flows").check()
    findings["all ticked"] = find_problems(page)
    page.select_option("[name=kind]", "retry_count")
    page.get_by_role("button", name="Review…").click()
    page.get_by_role("button", name="Review changes").click()
    expect(page.locator(".field-error")).to_be_visible()
    findings["value missing"] = find_problems(page)
    page.get_by_label("Retry count").fill("1")
    page.get_by_role("button", name="Review changes").click()
    expect(page.get_by_role("button", name="Change 10 flows")).to_be_visible()
    findings["draft"] = find_problems(page)
    page.get_by_role("button", name="Change 10 flows").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    findings["in progress"] = find_problems(page)
    sandbox.edit_flow(sids[1], integration_retry_count=0)
    work()
    expect(page.locator("#plan-state")).to_have_text("Finished: 1 conflict")
    findings["ended"] = find_problems(page)
    for name, path in {"plans": "/flows/plans/", "import": "/flows/plans/import/"}.items():
        page.goto(path)
        findings[name] = find_problems(page)
    page.get_by_label("Or paste flows").fill("{")
    page.get_by_role("button", name="Review changes").click()
    expect(page.locator(".field-error")).to_be_visible()
    findings["import failed"] = find_problems(page)
    page.get_by_label("Or paste flows").fill("sid;friendly_name;notes\nFO1;One;\nFO2;Two;x")
    page.get_by_role("button", name="Review changes").click()
    expect(page.locator(".columns")).to_be_visible()
    findings["columns"] = find_problems(page)
    page.get_by_label("Field for column 3, notes").select_option("friendly_name")
    page.get_by_role("button", name="Review changes").click()
    expect(page.locator(".field-error")).to_be_visible()
    findings["columns that cannot be"] = find_problems(page)
    page.goto("/flows/?channel=instagram")
    findings["invalid filter"] = find_problems(page)

    assert {name: problems for name, problems in findings.items() if problems} == {}
    assert Plan.objects.get().status == "done"
