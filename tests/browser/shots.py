"""The screenshots that tests.browser.screenshots takes: pages, users, and how to get there.

A further page is a further line in SHOTS.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page

USER_NUMBERS = itertools.count(1)


@dataclass(slots=True)
class DemoSite:
    """The running site, and the addresses of its examples."""

    root: str
    sandbox: Any
    passwords: Callable[[str], str]
    add_account: Callable[[], None]  # adds a second account, once and for all
    places: dict[str, str] = field(default_factory=dict)

    def rename_at_twilio(self) -> None:
        """Rename a flow in the Console."""
        name = self.sandbox.flows[self.places["sid"]]["friendly_name"]
        self.sandbox.edit_flow(self.places["sid"], friendly_name=f"{name} *")


Action = Callable[[Page, DemoSite], None]


def press_button(page: Page, words: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=words).first.click()


def fail_sign_in(page: Page, _world: DemoSite) -> None:
    page.fill("[name=username]", "omar")
    page.fill("[name=password]", "x")
    press_button(page, "Sign in")


def reauthenticate(page: Page, world: DemoSite) -> None:
    if page.locator("[name=password]").count():
        page.fill("[name=password]", world.passwords(page.locator(".person bdi").inner_text()))
        press_button(page, "Confirm")


def offer_single_sign_on(page: Page, _world: DemoSite) -> None:
    from django.conf import settings

    app = {
        "provider_id": "oidc",
        "name": "Example ID",
        "client_id": "flows",
        "secret": "",
        "settings": {"server_url": "https://id.example.com"},
    }
    configured = settings.SOCIALACCOUNT_PROVIDERS
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}
    try:
        page.reload()
    finally:
        settings.SOCIALACCOUNT_PROVIDERS = configured


def show_error_page(page: Page, template: str) -> None:
    """Show a page that works without the site, as if the address of this one had failed."""
    from django.template.loader import render_to_string

    html = render_to_string(template)
    page.route(page.url, lambda route: route.fulfill(body=html, content_type="text/html"))
    page.reload()


def show_error(page: Page, _world: DemoSite) -> None:
    show_error_page(page, "500.html")


def show_unavailable(page: Page, _world: DemoSite) -> None:
    show_error_page(page, "503.html")


def set_up_app(page: Page, world: DemoSite) -> None:
    """Set up an authenticator app in the first look; the user has one in the others."""
    from tests.flexadmin.signing_in import (
        totp_code,  # it knows the models, which need the site's settings
    )

    reauthenticate(page, world)
    if page.locator("code.to-type").count():
        page.get_by_label("Authenticator code").fill(
            totp_code(page.locator("code.to-type").inner_text())
        )
        press_button(page, "Set up")
    page.goto(f"{world.root}/people/me/codes/")


def sign_in_with_app(page: Page, world: DemoSite) -> None:
    """Sign in as the user of the picture "codes", who has an authenticator app by then."""
    page.fill("[name=username]", "vera")
    page.fill("[name=password]", world.passwords("vera"))
    press_button(page, "Sign in")


def add_user(page: Page, _world: DemoSite) -> None:
    """Add a user, with another name in each look."""
    page.fill("[name=name]", f"nina{next(USER_NUMBERS)}")
    page.select_option("[name=role]", "operator")
    page.fill("[name=reason]", "Joins the night shift")
    press_button(page, "Add user")


def submit_without_reason(page: Page, _world: DemoSite) -> None:
    press_button(page, "Change role")


def submit_invalid_edit(page: Page, _world: DemoSite) -> None:
    page.fill("[name=friendly_name]", "")
    page.fill("[name=integration_retry_count]", "9")
    press_button(page, "Review changes")


def review_edit(page: Page, _world: DemoSite) -> None:
    page.fill("[name=friendly_name]", "Returns and refunds – Lyon (SMS)")
    retries = page.locator("[name=integration_retry_count]")
    retries.fill("2" if retries.input_value() == "1" else "1")
    press_button(page, "Review changes")


def submit_conflicting_edit(page: Page, world: DemoSite) -> None:
    review_edit(page, world)
    world.rename_at_twilio()
    press_button(page, "Save changes")


def submit_too_many_tags(page: Page, _world: DemoSite) -> None:
    page.fill("[name=tags]", ", ".join(f"tag {number}" for number in range(12)))
    press_button(page, "Save")


def submit_conflicting_owner(page: Page, _world: DemoSite) -> None:
    other_page = page.context.new_page()
    other_page.goto(page.url)
    owner = other_page.locator("[name=owner]")
    owner.fill("Sales" if owner.input_value() == "Claims" else "Claims")
    press_button(other_page, "Save")
    other_page.close()
    page.fill("[name=owner]", "Claims Lyon")
    press_button(page, "Save")


def confirm_wrong_name(page: Page, _world: DemoSite) -> None:
    page.fill("[name=confirm_name]", "Something else")
    press_button(page, "Delete")


def open_dialog(page: Page, _world: DemoSite) -> None:
    page.locator('main a[href$="/enabled/"]').first.click()
    page.locator("dialog[open]").wait_for()


def open_menu(page: Page, _world: DemoSite) -> None:
    """Open the menu of a phone. Elsewhere it is always open."""
    menu = page.get_by_role("button", name="Menu")
    if menu.is_visible():
        menu.click()


def open_filters(page: Page, _world: DemoSite) -> None:
    """Open the filters of a phone, or those that a wide page folds up."""
    for name in ("Filters", "More filters"):
        summary = page.locator("summary").get_by_text(name, exact=True)
        if summary.is_visible():
            summary.click()


def turn_off(page: Page, world: DemoSite) -> None:
    """Turn off a flow of the list, and then another in each further look."""
    page.get_by_role("link", name="Turn off").first.click()
    page.locator("dialog[open]").wait_for()
    page.locator("dialog[open]").get_by_role("button", name="Turn off").click()
    page.locator(".toast").wait_for()


def open_palette(page: Page, _world: DemoSite) -> None:
    page.keyboard.press("Control+k")
    page.locator("#palette .option").first.wait_for()


def search_palette(page: Page, world: DemoSite) -> None:
    open_palette(page, world)
    with page.expect_response("**/palette/?q=berlin"):
        page.keyboard.type("berlin")


def show_shortcuts(page: Page, _world: DemoSite) -> None:
    page.keyboard.press("?")
    page.locator("dialog[open]").wait_for()


def open_view_menu(page: Page, _world: DemoSite) -> None:
    page.get_by_text("View", exact=True).click()


def use_default_view(page: Page, world: DemoSite) -> None:
    """Save a view, share it and make it the default in the first look; the others open it."""
    page.goto(f"{world.root}/flows/?channel=sms&enabled=true")
    if page.get_by_role("link", name="SMS on").count() == 0:
        page.get_by_text("Save view").click()
        page.get_by_placeholder("Name", exact=True).fill("SMS on")
        press_button(page, "Save")
        press_button(page, "Share with everyone")
        press_button(page, "Make default")
    page.goto(f"{world.root}/flows/")


def choose_compact(page: Page, _world: DemoSite) -> None:
    open_view_menu(page, _world)
    for label in ("Contact identity", "Changed"):
        page.get_by_role("checkbox", name=label).uncheck()
    page.get_by_label("Compact").check()
    press_button(page, "Apply")


def select_flows(page: Page, _world: DemoSite) -> None:
    for box in page.locator("tbody input[type=checkbox]").all()[:3]:
        box.check()


def review_bulk_change(page: Page, world: DemoSite) -> None:
    select_flows(page, world)
    press_button(page, "Review…")


def finish_bulk_change(page: Page, _world: DemoSite) -> None:
    from django.core.management import call_command

    page.get_by_role("checkbox", name="Select all").check()
    page.select_option("[name=kind]", "add_tag")
    press_button(page, "Review…")
    page.fill("[name=value]", f"spring {uuid.uuid4().hex[:2]}")
    press_button(page, "Review changes")
    press_button(page, "Change")
    call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)
    page.reload()


def review_new_flow(page: Page, _world: DemoSite) -> None:
    page.fill("[name=friendly_name]", "Returns – Nantes (SMS)")
    page.select_option("[name=channel_type]", "sms")
    page.fill("[name=contact_identity]", "+33155501234")
    page.select_option("[name=chat_service_sid]", index=1)
    page.select_option("[name=integration_type]", "external")
    page.fill("[name=integration_url]", "https://hooks.example.com/returns")
    press_button(page, "Review new flow")


def verify_log(page: Page, _world: DemoSite) -> None:
    press_button(page, "Verify now")


def refresh_refused_names(page: Page, world: DemoSite) -> None:
    from flows.twilio.sandbox.faults import Fault, FaultKind

    refusal = Fault(FaultKind.REFUSE, path="/taskrouter/*", status=403, code=20003, times=None)
    world.sandbox.inject(refusal)
    press_button(page, "Refresh names")
    world.sandbox.clear_faults()


def choose_task(page: Page, _world: DemoSite) -> None:
    page.select_option("[name=integration_type]", "task")
    page.locator("[name=integration_workflow_sid]").wait_for()
    with page.expect_response(lambda response: "/flows/new/" in response.url):
        page.select_option("[name=integration_workspace_sid]", index=1)
    page.select_option("[name=integration_workflow_sid]", "_other")


def leave_sid_empty(page: Page, world: DemoSite) -> None:
    choose_task(page, world)
    press_button(page, "Review new flow")


def enter_bulk_owner(page: Page, _world: DemoSite) -> None:
    page.get_by_role("checkbox", name="Select all").check()
    page.select_option("[name=kind]", "owner")
    press_button(page, "Review…")


def review_bulk_owner(page: Page, world: DemoSite) -> None:
    enter_bulk_owner(page, world)
    page.fill("[name=value]", "Sales")
    press_button(page, "Review changes")


def review_import(page: Page, _world: DemoSite) -> None:
    page.get_by_label("Or paste flows").fill(
        "SID;Friendly name;Enabled;Notes\nFO1;Support;yes;\nFO2;Sales;no;old"
    )
    press_button(page, "Review changes")


def preview_erasure(page: Page, _world: DemoSite) -> None:
    page.fill("[name=subject]", page.url.rpartition("#")[2])
    press_button(page, "Preview")


@dataclass(frozen=True, slots=True)
class Shot:
    """Name, user, path (with places of the demo) and preparation of a screenshot."""

    name: str
    path: str
    act: Action | None = None
    person: str = "ada"
    has_two_accounts: bool = False


SHOTS = (
    Shot("sign-in", "/login/", person=""),
    Shot("sign-in-sso", "/login/", offer_single_sign_on, person=""),
    Shot("sign-in-wrong", "/login/", fail_sign_in, person=""),
    Shot("me", "/people/me/"),
    Shot("password", "/people/me/password/"),
    Shot("app", "/people/me/app/add/", reauthenticate),
    Shot("codes", "/people/me/app/add/", set_up_app, person="vera"),
    Shot("me-with-factors", "/people/me/", person="vera"),
    Shot("sign-in-code", "/login/", sign_in_with_app, person=""),
    Shot("codes-new", "/people/me/codes/new/", person="vera"),
    Shot("app-remove", "/people/me/app/remove/", person="vera"),
    Shot("confirm-password", "/people/me/app/add/", person="omar"),
    Shot("passkey", "/people/me/passkeys/add/", reauthenticate, person="aude"),
    Shot("not-allowed", "/people/", person="vera"),
    Shot("people", "/people/"),
    Shot("person-new", "/people/new/"),
    Shot("person", "/people/2/"),
    Shot("person-wrong", "/people/2/", submit_without_reason),
    Shot("overview", "/"),
    Shot("overview-viewer", "/", person="vera"),
    Shot("menu", "/", open_menu),
    Shot("list", "/flows/"),
    Shot("list-filters", "/flows/", open_filters),
    Shot("list-viewer", "/flows/", person="vera"),
    Shot("list-selected", "/flows/", select_flows),
    Shot("list-search", "/flows/?q=sms&channel=sms&enabled=true"),
    Shot("list-view", "/flows/", open_view_menu),
    Shot("list-compact", "/flows/", choose_compact, person="aude"),
    Shot("list-default-view", "/flows/", use_default_view, person="omar"),
    Shot("list-target-search", "/flows/?q=after-hours"),
    Shot("list-target", "/flows/?target=studio-flow:{studio_flow}"),
    Shot("targets", "/flows/targets/"),
    Shot("targets-search", "/flows/targets/?q=nowhere&use=none"),
    Shot("targets-unused", "/flows/targets/?use=none"),
    Shot("targets-fault", "/flows/targets/?kind=teapot"),
    Shot("target", "/flows/targets/studio-flow/{studio_flow}/"),
    Shot("target-webhook", "/flows/targets/webhook/hooks.example.com/"),
    Shot("target-unused", "/flows/targets/studio-flow/{unused_studio_flow}/"),
    Shot("list-empty", "/flows/?q=nowhere&channel=sms"),
    Shot("list-dialog", "/flows/", open_dialog),
    Shot("palette", "/flows/{sid}/", open_palette),
    Shot("palette-search", "/flows/", search_palette),
    Shot("shortcuts", "/shortcuts/"),
    Shot("shortcuts-dialog", "/flows/", show_shortcuts),
    Shot("flow", "/flows/{sid}/"),
    Shot("flow-webhook", "/flows/{webhook}/"),
    Shot("flow-in-doubt", "/flows/{unresolved_sid}/"),
    Shot("flow-owned", "/flows/{owned_sid}/"),
    Shot("flow-off", "/flows/{off_sid}/"),
    Shot("details", "/flows/{owned_sid}/details/"),
    Shot("details-errors", "/flows/{owned_sid}/details/", submit_too_many_tags),
    Shot("details-conflict", "/flows/{owned_sid}/details/", submit_conflicting_owner),
    Shot("list-owner", "/flows/?owner=Claims"),
    Shot("code", "/flows/{sid}/code/"),
    Shot("new", "/flows/new/"),
    Shot("new-review", "/flows/new/", review_new_flow),
    Shot("clone", "/flows/new/?clone={sid}"),
    Shot("restore", "/flows/{sid}/edit/?restore={event}&state=before"),
    Shot("new-task", "/flows/new/", choose_task),
    Shot("new-task-errors", "/flows/new/", leave_sid_empty),
    Shot("edit", "/flows/{sid}/edit/"),
    Shot("errors", "/flows/{sid}/edit/", submit_invalid_edit),
    Shot("review", "/flows/{sid}/edit/", review_edit),
    Shot("switch", "/flows/{sid}/enabled/"),
    Shot("delete", "/flows/{sid}/delete/"),
    Shot("delete-refused", "/flows/{sid}/delete/", confirm_wrong_name),
    Shot("drift", "/flows/drift/"),
    Shot("log", "/audit/"),
    Shot("log-filters", "/audit/", open_filters),
    Shot("log-search", "/audit/?actor=omar&result=failed"),
    Shot("log-resolved", "/audit/?result=resolved_later"),
    Shot("log-fault", "/audit/?action=flow.teleport&from=yesterday&q=https://hooks.example.com/in"),
    Shot("export-fault", "/audit/export/?action=flow.teleport"),
    Shot("event", "/audit/{event}/"),
    Shot("event-details", "/audit/{details_event}/"),
    Shot("event-drift", "/audit/{drift}/"),
    Shot("event-undecided", "/audit/{puzzle}/"),
    Shot("export", "/audit/export/"),
    Shot("verification", "/audit/verification/"),
    Shot("verification-result", "/audit/verification/", verify_log),
    Shot("erasure", "/audit/erasure/"),
    Shot("erasure-preview", "/audit/erasure/#{sid}", preview_erasure),
    Shot("error", "/flows/", show_error),
    Shot("unavailable", "/flows/", show_unavailable),
    Shot("missing", "/flows/FO00000000000000000000000000000000/"),
    Shot("plan", "/flows/", review_bulk_change),
    Shot("plan-owner-value", "/flows/?tag=vip", enter_bulk_owner),
    Shot("plan-owner", "/flows/?tag=vip", review_bulk_owner),
    Shot("plan-finished", "/flows/?tag=vip", finish_bulk_change),
    Shot("plans", "/flows/plans/"),
    Shot("plan-import", "/flows/plans/import/"),
    Shot("plan-columns", "/flows/plans/import/", review_import),
    Shot("accounts", "/accounts/"),
    Shot("accounts-names-refused", "/accounts/", refresh_refused_names),
    Shot("list-not-understood", "/flows/?channel=instagram&enabled=true"),
    # The last, since what they change shows in the pages above.
    Shot("person-password", "/people/new/", add_user),
    Shot("toast", "/flows/?enabled=true", turn_off),
    Shot("conflict", "/flows/{sid}/edit/", submit_conflicting_edit),
    *(
        Shot(f"two-{name}", path, act, has_two_accounts=True)
        for name, path, act in (
            ("overview", "/", None),
            ("menu", "/", open_menu),
            ("list", "/flows/", None),
            ("list-filters", "/flows/", open_filters),
            ("list-selected", "/flows/", select_flows),
            ("dialog", "/flows/", open_dialog),
            ("flow", "/flows/{sid}/", None),
            ("new", "/flows/new/", None),
            ("edit", "/flows/{sid}/edit/", None),
            ("delete", "/flows/{sid}/delete/", None),
            ("targets", "/flows/targets/", None),
            ("target", "/flows/targets/studio-flow/{studio_flow}/", None),
            ("log", "/audit/", None),
            ("log-filters", "/audit/", open_filters),
            ("event", "/audit/{event}/", None),
            ("plans", "/flows/plans/", None),
            ("plan", "/flows/", review_bulk_change),
            ("drift", "/flows/drift/", None),
            ("accounts", "/accounts/", None),
            ("person", "/people/2/", None),
        )
    ),
)
