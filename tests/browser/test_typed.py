"""Entered data survives an expired session, a sign-in in another tab and database faults.

One button restores it and it is saved once, with JavaScript and without.
"""

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from tests.browser.looks import LOOKS, find_problems
from tests.faults.acting import own_events, own_stages, received_writes
from tests.flexadmin.http.rescued_forms import unreachable_database

pytestmark = pytest.mark.django_db(transaction=True)

JAVASCRIPT = pytest.mark.parametrize("javascript", [True, False], ids=["js", "no-js"])


def submit(page, words):
    page.get_by_role("button", name=words, exact=True).click()


def sign_in(page, name="operator"):
    page.fill("[name=username]", name)
    page.fill("[name=password]", f"{name}-password")
    submit(page, "Sign in")


def is_there(page):
    expect(page.locator("[name=friendly_name]")).to_have_value("Plaintes <Lyon>")
    expect(page.locator("[name=integration_retry_count]")).to_have_value("1")


def type_into(page):
    page.fill("[name=friendly_name]", "Plaintes <Lyon>")
    page.fill("[name=integration_retry_count]", "1")


def save(page, sandbox):
    """Save the restored form and check that the flow has it, by one change."""
    is_there(page)
    assert received_writes(sandbox) == []
    submit(page, "Review changes")
    submit(page, "Save changes")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Plaintes <Lyon>")
    assert len(received_writes(sandbox)) == 1
    assert own_stages() == [("attempt", "pending"), ("outcome", "succeeded")]


@pytest.mark.quick("while typing-js")
@JAVASCRIPT
@pytest.mark.parametrize("is_reviewed", [False, True], ids=["while typing", "while reviewing"])
def test_form_survives_the_end_of_its_session(
    open_page, sandbox, flow_sid, javascript, is_reviewed
):
    page = open_page("operator", javascript=javascript, path=f"/flows/{flow_sid}/edit/")
    type_into(page)
    if is_reviewed:
        submit(page, "Review changes")
        page.fill("[name=reason]", "New name")
    Session.objects.all().delete()

    submit(page, "Save changes" if is_reviewed else "Review changes")
    expect(page.locator("main")).to_contain_text(
        "Your session expired. Your unsaved changes are kept"
    )
    sign_in(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed in again")
    submit(page, "Back to your form")

    if is_reviewed:
        expect(page.locator("[name=reason]")).to_have_value("New name")
    save(page, sandbox)


@JAVASCRIPT
def test_choosing_a_type_after_the_session_ended_loses_nothing(
    open_page, sandbox, flow_sid, javascript
):
    page = open_page("operator", javascript=javascript, path=f"/flows/{flow_sid}/edit/")
    type_into(page)
    Session.objects.all().delete()

    page.select_option("[name=integration_type]", "external")
    if javascript:
        open_page.expected.append("Error Code 401")
        expect(page.locator("#page-problem")).to_contain_text("Your session expired.")
        is_there(page)
        submit(page, "Review changes")
    else:
        submit(page, "Update fields")
    sign_in(page)
    submit(page, "Back to your form")

    expect(page.locator("[name=friendly_name]")).to_have_value("Plaintes <Lyon>")
    expect(page.locator("[name=integration_type]")).to_have_value("external")
    page.fill("[name=integration_url]", "https://hooks.example.com/in")
    submit(page, "Review changes")
    submit(page, "Save changes")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Plaintes <Lyon>")
    assert len(received_writes(sandbox)) == 1


@JAVASCRIPT
def test_form_survives_a_sign_in_in_another_tab(open_page, sandbox, flow_sid, javascript):
    page = open_page("operator", javascript=javascript, path=f"/flows/{flow_sid}/edit/")
    type_into(page)
    other = page.context.new_page()
    other.goto("/flows/")
    submit(other, "Sign out")
    sign_in(other)
    expect(other.get_by_role("heading", level=1)).to_have_text("Overview")

    if javascript:
        open_page.expected.append("Error Code 401")
        page.select_option("[name=integration_type]", "external")
        expect(page.locator("#page-problem")).to_contain_text("Your input is kept")
        page.locator("[name=integration_type]").evaluate("select => { select.value = 'studio' }")
    submit(page, "Review changes")
    expect(page.get_by_role("heading", level=1)).to_have_text("This form has expired")
    submit(page, "Back to your form")

    save(page, sandbox)


@JAVASCRIPT
def test_form_survives_the_databases_trouble(open_page, sandbox, flow_sid, tmp_path, javascript):
    page = open_page("operator", javascript=javascript, path=f"/flows/{flow_sid}/edit/")
    type_into(page)
    submit(page, "Review changes")

    with unreachable_database(tmp_path):
        submit(page, "Save changes")
        expect(page.locator("main")).to_contain_text("The database is unavailable")
    submit(page, "Back to your form")

    save(page, sandbox)


@JAVASCRIPT
@pytest.mark.parametrize("field", ["reason", "confirm_name"])
def test_switch_and_deletion_come_back_too(open_page, sandbox, flow_sid, javascript, field):
    form = "delete" if field == "confirm_name" else "enabled"
    page = open_page("operator", javascript=javascript, path=f"/flows/{flow_sid}/{form}/")
    page.fill(f"[name={field}]", "Réclamations Lyon")
    Session.objects.all().delete()

    submit(page, "Delete flow" if form == "delete" else "Turn off")
    sign_in(page)
    submit(page, "Back to your form")

    expect(page.locator(f"[name={field}]")).to_have_value("Réclamations Lyon")
    expect(page.get_by_role("alert").filter(visible=True)).to_have_count(0)
    assert received_writes(sandbox) == []
    submit(page, "Delete flow" if form == "delete" else "Turn off")
    page.wait_for_url("**/flows/" if form == "delete" else f"**/flows/{flow_sid}/")
    assert len(received_writes(sandbox)) == 1


GUARDED = {
    "new": ("/flows/new/", "friendly_name"),
    "edit": ("/flows/{sid}/edit/", "friendly_name"),
    "details": ("/flows/{sid}/details/", "note"),
    "switch": ("/flows/{sid}/enabled/", "reason"),
    "delete": ("/flows/{sid}/delete/", "confirm_name"),
}


@pytest.mark.parametrize("form", GUARDED)
def test_stray_click_asks_before_it_leaves_what_was_typed(open_page, flow_sid, form):
    path, field = GUARDED[form]
    page = open_page("operator", path=path.format(sid=flow_sid))
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.type), dialog.dismiss()))

    page.fill(f"[name={field}]", "x")
    page.get_by_role("link", name="Audit log").click()

    expect(page.locator(f"[name={field}]")).to_have_value("x")
    assert dialogs == ["beforeunload"]


def test_sign_out_asks_too_and_can_be_pressed_again(open_page, flow_sid):
    page = open_page("operator", path=f"/flows/{flow_sid}/edit/")
    answers = ["dismiss", "accept"]
    page.on("dialog", lambda dialog: getattr(dialog, answers.pop(0))())
    page.fill("[name=friendly_name]", "x")

    submit(page, "Sign out")
    expect(page.locator("[name=friendly_name]")).to_have_value("x")
    submit(page, "Sign out")

    page.wait_for_url("**/login/")
    assert answers == []


@LOOKS
def test_pages_are_accessible_and_fit(open_page, sandbox, flow_sid, tmp_path, scheme, width):
    page = open_page("operator", scheme=scheme, width=width, path=f"/flows/{flow_sid}/edit/")
    type_into(page)
    with unreachable_database(tmp_path):
        submit(page, "Review changes")
        expect(page.get_by_role("button", name="Back to your form")).to_be_visible()
        findings = {"503": find_problems(page)}
    submit(page, "Back to your form")
    Session.objects.all().delete()
    submit(page, "Review changes")
    expect(page.locator("[name=password]")).to_be_visible()
    findings["session ended"] = find_problems(page)
    sign_in(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed in again")
    findings["signed in again"] = find_problems(page)
    page.context.clear_cookies(name="csrftoken")
    submit(page, "Back to your form")
    expect(page.get_by_role("heading", level=1)).to_have_text("This form has expired")
    findings["out of date"] = find_problems(page)

    assert {name: problems for name, problems in findings.items() if problems} == {}
    assert not own_events().exists()
