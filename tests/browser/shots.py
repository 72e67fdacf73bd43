"""The screenshots that tests.browser.screenshots takes: pages, users, and how to get there.

A further page is a further line in SHOTS.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
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


def submit_empty_notification(page: Page, _world: DemoSite) -> None:
    page.select_option("[name=channel]", "webhook")
    press_button(page, "Save notification")


def add_notification(page: Page, _world: DemoSite) -> None:
    """Add a webhook, with another name in each look."""
    page.fill("[name=name]", f"Incidents {next(USER_NUMBERS)}")
    page.select_option("[name=channel]", "webhook")
    page.fill("[name=url]", "https://alerts.example.com/flows")
    press_button(page, "Save notification")


def add_messages(page: Page, _world: DemoSite) -> None:
    """Give each notification a message that arrived, one that is tried again, and one that failed."""
    from django.utils import timezone

    from flows.audit.models import AuditEvent
    from flows.notifications.models import Attempt, Message, MessageStatus, Subscription

    seqs = AuditEvent.objects.filter(action="flow.update", stage="outcome").order_by("-seq")
    at = timezone.now()
    for subscription in Subscription.objects.filter(messages=None):
        for seq, status in zip(seqs.values_list("seq", flat=True), MessageStatus, strict=False):
            message = Message.objects.create(
                subscription=subscription,
                event_seqs=[seq],
                status=status,
                queued_at=at - timedelta(minutes=8),
                next_attempt_at=at + timedelta(minutes=30),
                finished_at=at if status in ("delivered", "failed") else None,
            )
            if status in ("pending", "failed"):
                problem = "It answered with HTTP 500."
                Attempt.objects.create(
                    message=message, at=at, duration_ms=212, status=500, problem=problem
                )
            if status == "delivered":
                Attempt.objects.create(message=message, at=at, duration_ms=85, status=204)
    page.reload()


def open_notification(page: Page, world: DemoSite) -> None:
    add_messages(page, world)
    page.locator("a.name").first.click()


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


def create_token(page: Page, world: DemoSite) -> None:
    """Create an API token and show it."""
    reauthenticate(page, world)
    page.fill("[name=name]", "Nightly export")
    page.select_option("[name=scope]", "read")
    page.fill("[name=networks]", "203.0.113.0/24")
    press_button(page, "Create token")


def show_token(page: Page, world: DemoSite) -> None:
    """Show the profile of a user with an API token."""
    page.goto(f"{world.root}/people/me/tokens/new/")
    create_token(page, world)
    page.goto(f"{world.root}/people/me/")


def submit_without_reason(page: Page, _world: DemoSite) -> None:
    press_button(page, "Change role")


def compare_last_days(page: Page, _world: DemoSite) -> None:
    """Compare now with some days ago, when the demo's history has begun."""
    moment = datetime.now() - timedelta(days=3)  # noqa: DTZ005 - the input has no zone
    page.fill("[name=from]", f"{moment:%Y-%m-%dT%H:%M:%S}")
    press_button(page, "Compare")


def compare_accounts(page: Page, _world: DemoSite) -> None:
    page.select_option("[name=left]", index=1)
    page.select_option("[name=right]", index=2)
    press_button(page, "Compare")


def choose_flows_to_copy(page: Page, world: DemoSite) -> None:
    """Choose the first flows that differ, and ask to copy them."""
    compare_accounts(page, world)
    boxes = page.locator("[name=flow]")
    for number in range(min(6, boxes.count())):
        boxes.nth(number).check()
    press_button(page, "Copy to")


def submit_incomplete_copy(page: Page, world: DemoSite) -> None:
    choose_flows_to_copy(page, world)
    press_button(page, "Review changes")


def copy_again(page: Page, world: DemoSite) -> None:
    """Complete a copy, and open the next one between the same accounts."""
    choose_flows_to_copy(page, world)
    address = page.url
    for box in page.locator("select[name^=sid_]").all():
        if not box.input_value():
            box.select_option(index=1)
    if page.locator("[name=confirmed]").count():
        page.check("[name=confirmed]")
    press_button(page, "Review changes")
    page.goto(address)
    page.locator("summary", has_text="Known SIDs").click()


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


def review_turning_on(page: Page, _world: DemoSite) -> None:
    page.get_by_role("checkbox", name="Select all").check()
    page.select_option("[name=kind]", "enable")
    press_button(page, "Review…")


def ask_after_turning_on(page: Page, world: DemoSite) -> None:
    """Open the routing page for after a bulk change that isn't started."""
    review_turning_on(page, world)
    page.get_by_role("link", name="Check routing after this change").click()


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


def store_findings(page: Page, _world: DemoSite) -> None:
    """Have a worker check the accounts, as one does after each sync."""
    from django.core.management import call_command

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


def leave_text_empty(page: Page, _world: DemoSite) -> None:
    page.fill("[name=text]", "")
    press_button(page, "Review test")


def review_webhook_test(page: Page, _world: DemoSite) -> None:
    page.fill("[name=text]", "This is a test. Please ignore it.\nTicket 4711")
    page.fill("[name=reason]", "New handler, ticket 4711")
    press_button(page, "Review test")


def conflict_about_webhook(page: Page, world: DemoSite) -> None:
    """Send a test after the webhook was changed in the Console."""
    review_webhook_test(page, world)
    url = f"https://hooks.example.com/handlers?v={next(USER_NUMBERS)}"
    world.sandbox.edit_flow(world.places["webhook"], integration_url=url)
    press_button(page, "Send test")


def send_webhook_test(page: Page, world: DemoSite) -> None:
    """Send a test to a handler on this machine."""
    from django.conf import settings

    from tests.flows.webhook_tests.receiver import LOOPBACK, Receiver

    settings.WEBHOOK_TEST_ALLOWED_NETWORKS = LOOPBACK
    with Receiver(status=500, body=b"Traceback: KeyError: 'ChannelSid'") as handler:
        world.sandbox.edit_flow(world.places["webhook"], integration_url=handler.url)
        page.reload()
        review_webhook_test(page, world)
        press_button(page, "Send test")


def sign_tests(page: Page, world: DemoSite) -> None:
    """Show the page of an account with an auth token, for a webhook without secrets."""
    from dataclasses import replace

    from django.conf import settings

    url = "https://hooks.example.com/returns"
    world.sandbox.edit_flow(world.places["webhook"], integration_url=url)
    accounts = settings.FLEX_ACCOUNTS
    settings.FLEX_ACCOUNTS = tuple(replace(one, auth_token="made-up") for one in accounts)
    page.reload()
    settings.FLEX_ACCOUNTS = accounts


def begin_migrations(page: Page, _world: DemoSite) -> None:
    """Let some flows be under way, in the first look."""
    from tests.flows.migration.adding import add_sample_migrations

    add_sample_migrations()
    page.reload()


def open_suppression(page: Page, _world: DemoSite) -> None:
    """Open the form that suppresses the first finding of a check."""
    with page.expect_navigation():
        page.get_by_role("link", name="Suppress…").first.click()


def suppress_finding(page: Page, world: DemoSite) -> None:
    """Suppress the first finding of a check."""
    open_suppression(page, world)
    page.fill("[name=reason]", "Moves to the new flow next week")
    press_button(page, "Suppress finding")


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


def refuse_channels(page: Page, world: DemoSite) -> None:
    from flows.twilio.sandbox.faults import Fault, FaultKind

    world.sandbox.inject(Fault(FaultKind.REFUSE, path="/Channels", status=403, code=20403))
    page.reload()


def submit_broken_json(page: Page, _world: DemoSite) -> None:
    page.fill("[name=identity]", "ana")
    page.fill("[name=pre_engagement_data]", '{"question": "Where is my parcel?",}')
    press_button(page, "Review")


def look_up_interactions(page: Page, world: DemoSite) -> None:
    for name in ("failed_interaction", "interaction"):
        page.goto(f"{page.url.partition('/flex/')[0]}/flex/interactions/")
        page.fill("[name=sid]", world.places[name])
        press_button(page, "Look up")
    page.goto(f"{page.url.partition('/flex/')[0]}/flex/interactions/")


def fill_in_interaction(page: Page) -> None:
    page.select_option("[name=channel_type]", "sms")
    page.select_option("[name=channel_initiated_by]", "agent")
    page.fill("[name=customer_address]", "+14155550123")
    page.fill("[name=own_address]", "+14155550100")
    page.fill("[name=routing]", '{"properties": {"attributes": {"name": "Ana"}}}')


def submit_interaction_twice_set(page: Page, _world: DemoSite) -> None:
    fill_in_interaction(page)
    page.fill("[name=channel]", '{"type": "email"}')
    press_button(page, "Review")


def review_interaction(page: Page, _world: DemoSite) -> None:
    fill_in_interaction(page)
    press_button(page, "Review")


def submit_address_of_another_type(page: Page, _world: DemoSite) -> None:
    page.select_option("[name=type]", "sms")
    page.fill("[name=address]", "+14155550177")
    page.select_option("[name=auto_creation_type]", "studio")
    page.get_by_label("Message added").check()
    press_button(page, "Review")


def review_address(page: Page, _world: DemoSite) -> None:
    page.select_option("[name=auto_creation_enabled]", "true")
    page.fill("[name=auto_creation_studio_retry_count]", "1")
    press_button(page, "Review")


def review_configuration(page: Page, _world: DemoSite) -> None:
    page.fill(
        "[name=ui_attributes]",
        '{"custom_data": {"greeting": "Hello"}, "theme": {"isLight": false}}',
    )
    page.fill("[name=ui_version]", "~2.6.0")
    press_button(page, "Review")


def review_questionnaire(page: Page, _world: DemoSite) -> None:
    page.fill("[name=description]", "For the supervisors of Example Care, all languages")
    page.select_option("[name=active]", "false")
    press_button(page, "Review")


def conflict_about_questionnaire(page: Page, world: DemoSite) -> None:
    from flows.twilio.flex.questionnaire import QUESTIONNAIRE

    store = world.sandbox.store_of(QUESTIONNAIRE)
    text = f"Changed in the Console {uuid.uuid4().hex[:4]}"
    store.edit(world.places["questionnaire"], {"description": text})
    review_questionnaire(page, world)
    page.fill("[name=reason]", "All languages since May")
    press_button(page, "Save changes")


def ask_monitor(page: Page, world: DemoSite) -> None:
    """Ask Twilio's Monitor about the external changes, some of which it has no event for."""
    from django.conf import settings

    from flows.audit.models import AuditEvent
    from flows.monitor_events.lookups import ask_twilio
    from flows.monitor_events.models import MonitorState

    drift = AuditEvent.objects.get(event_id=world.places["drift"])
    if not hasattr(drift, "monitor_lookup"):
        world.sandbox.monitor.add(drift.target_sid, "updated", source="api", actor_type="account")
    MonitorState.objects.all().delete()
    settings.TWILIO_MONITOR_EVENTS = True
    ask_twilio(world.sandbox.account_sid, previous_sync_at=None)
    page.reload()


def open_stated_flow(page: Page, world: DemoSite) -> None:
    ask_monitor(page, world)
    page.locator("h1 + .sub a").first.click()


def refuse_monitor(page: Page, world: DemoSite) -> None:
    from django.utils import timezone

    from flows.monitor_events.models import MonitorState

    ask_monitor(page, world)
    MonitorState.objects.create(
        account_sid=world.sandbox.account_sid, failed_at=timezone.now(), status=403, code=20403
    )
    page.reload()


def review_migration(page: Page, world: DemoSite) -> None:
    """Open the review of a migration of a flow whose number Flex Proxy answers."""
    page.goto(f"{world.root}/migration/prepare/?sid={_flow_to_migrate()}")


def prepare_migration(page: Page, world: DemoSite) -> None:
    from flows.migration.models import FlowMigration
    from flows.migration.services import open_migration
    from flows.migration.status import RUNNING_STATUSES

    # A worker would make the steps of those that other pictures add first, and they have none.
    FlowMigration.objects.filter(actor={}, status__in=RUNNING_STATUSES).delete()
    sid = _flow_to_migrate()
    if open_migration(sid) is None:
        review_migration(page, world)
        page.fill("[name=reason]", "Flex Flows end on 1 June")
        press_button(page, "Prepare 1 flow")
        _run_worker()
    page.goto(f"{world.root}/migration/{sid}/steps/")


def review_switch_over(page: Page, world: DemoSite) -> None:
    prepare_migration(page, world)
    page.get_by_role("link", name="Switch over…").click()
    page.wait_for_url("**/switch/**")


def get_stuck(page: Page, world: DemoSite) -> None:
    """Let a switch-over fail, and its rollback as well."""
    from unittest import mock

    from flows.twilio.sandbox.faults import Fault, FaultKind

    review_switch_over(page, world)
    for box in page.locator("form.sheet [type=checkbox]").all():
        box.check()
    press_button(page, "Switch over 1 number")
    # The flow can be turned off, but the address can't be turned on, nor the flow again.
    seen = iter((False, True, True))
    refusal = Fault(FaultKind.REFUSE, method="POST")

    def refuse(method: str, path: str) -> Fault | None:
        is_late = "Addresses/" in path or "FlexFlows/" in path
        return refusal if method == "POST" and is_late and next(seen, False) else None

    with mock.patch.object(world.sandbox._faults, "take", refuse):
        _run_worker()
    page.reload()


def _flow_to_migrate() -> str:
    """Return a flow without one of the migrations that other pictures add, which no user started."""
    from flows.migration.models import FlowMigration
    from flows.mirror.models import Flow

    added = FlowMigration.objects.filter(actor={}).values("flow_sid")
    flows = Flow.objects.filter(channel_type="sms", gone_at=None).exclude(sid__in=added)
    flows = flows.order_by("name_folded")
    on = [flow for flow in flows if flow.enabled and flow.value("integration_type") == "studio"]
    return on[5].sid


def require_approval(_page: Page, _world: DemoSite) -> None:
    from flows.accounts import twilio_accounts
    from flows.approvals.models import ChangePolicy
    from flows.approvals.policies import set_policy
    from flows.approvals.terms import Terms
    from flows.audit.audit_log import Actor

    account = twilio_accounts.all_accounts()[0]
    if not ChangePolicy.objects.filter(pk=account.sid).exists():
        set_policy(
            account_sid=account.sid,
            terms=Terms(kinds=("any",), requires_reason=True),
            reason="Four eyes for production",
            actor=Actor(id="", label="ada"),
            change_id=uuid.uuid4(),
        )


def open_change_request(page: Page, world: DemoSite) -> None:
    """Open a request of another user, with a comment, under a policy that is lifted afterwards."""
    from django.contrib.auth.models import User

    from flows.approvals.models import ChangePolicy, ChangeRequest
    from flows.approvals.requests import comment_on, submit
    from flows.audit.audit_log import Actor
    from flows.changes import change_guard, flow_changes
    from flows.mirror.models import Flow

    require_approval(page, world)
    omar = User.objects.get(username="omar")
    actor = Actor(id=str(omar.pk), label="omar", role="operator")
    if not ChangeRequest.objects.exists():
        flow = Flow.objects.get(sid=world.places["sid"])
        try:
            flow_changes.update_flow(
                sid=flow.sid,
                base=flow.resource,
                values={"integration_retry_count": 1, "enabled": not flow.enabled},
                reason="Fewer retries over the holidays",
                actor=actor,
                change_id=uuid.uuid4(),
                account_sid=flow.account_sid,
            )
        except change_guard.RequestRequired as required:
            request = submit(required.change)
            comment_on(request.pk, actor=actor, comment="From 20 December on, please")
    request = ChangeRequest.objects.latest("created_at")
    page.goto(f"{world.root}/requests/{request.pk}/")
    # Other pictures make changes.
    ChangePolicy.objects.all().delete()


def open_request_edit(page: Page, world: DemoSite) -> None:
    open_change_request(page, world)
    page.goto(f"{page.url}edit/")


def list_change_requests(page: Page, world: DemoSite) -> None:
    open_change_request(page, world)
    page.goto(f"{world.root}/requests/?show=open")


def schedule_holidays(page: Page, world: DemoSite) -> None:
    """Schedule to turn a flow off and on again, once, and open its change request."""
    from django.contrib.auth.models import User
    from django.utils import timezone

    from flows.audit.audit_log import Actor
    from flows.changes.change_guard import ProposedChange
    from flows.mirror.models import Flow
    from flows.schedules import services
    from flows.schedules.models import Schedule
    from flows.schedules.timing import Timing
    from flows.twilio.flex.flex_flow import FLEX_FLOW

    omar = User.objects.get(username="omar")
    if not Schedule.objects.exists():
        flow = Flow.objects.get(sid=world.places["sid"])
        change = ProposedChange(
            resource=FLEX_FLOW,
            operation="update",
            account_sid=flow.account_sid,
            sid=flow.sid,
            parent_sid="",
            before=flow.resource,
            requested={"enabled": not flow.enabled},
            reason="Closed over the holidays",
            actor=Actor(id=str(omar.pk), label="omar", role="operator"),
            change_id=uuid.uuid4(),
        )
        now = timezone.now().replace(second=0, microsecond=0)
        services.schedule_change(
            change,
            Timing(due_at=now + timedelta(hours=30), time_zone="Europe/Berlin"),
            Timing(due_at=now + timedelta(days=9), time_zone="Europe/Berlin"),
        )
    schedule = Schedule.objects.get(return_of=None)
    page.goto(f"{world.root}/requests/{schedule.request_id}/")


def open_schedule_form(page: Page, world: DemoSite) -> None:
    schedule_holidays(page, world)
    page.goto(page.url.replace("/requests/", "/schedules/"))


def submit_past_time(page: Page, world: DemoSite) -> None:
    open_schedule_form(page, world)
    page.fill("[name=due_at]", "2020-01-01T08:00")
    press_button(page, "Schedule")


def list_schedules(page: Page, world: DemoSite) -> None:
    """Open the calendar, with a schedule that is suspended for the picture."""
    from flows.schedules.models import Schedule

    schedule_holidays(page, world)
    later = Schedule.objects.exclude(return_of=None)
    later.update(status="suspended", note="The change request has too few valid approvals.")
    page.goto(f"{world.root}/schedules/")
    later.update(status="waiting", note="")


def open_schedule_fields(page: Page, _world: DemoSite) -> None:
    page.get_by_text("Schedule instead of sending now").click()


def list_policies(page: Page, world: DemoSite) -> None:
    from flows.approvals.models import ChangePolicy

    require_approval(page, world)
    page.reload()
    ChangePolicy.objects.all().delete()


def submit_impossible_hours(page: Page, _world: DemoSite) -> None:
    page.get_by_label("Monday").check()
    page.fill("[name=opens_at]", "18:00")
    page.fill("[name=closes_at]", "08:00")
    press_button(page, "Save policy")


def _run_worker() -> None:
    from django.core.management import call_command

    call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)


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
    Shot("token-new", "/people/me/tokens/new/", reauthenticate),
    Shot("token-created", "/people/me/tokens/new/", create_token),
    Shot("me-with-token", "/people/me/", show_token),
    Shot("api", "/api/"),
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
    Shot("notifications-none", "/notifications/", person="vera"),
    Shot("notification-new", "/notifications/new/"),
    Shot("notification-wrong", "/notifications/new/", submit_empty_notification),
    Shot("notification-secret", "/notifications/new/", add_notification),
    Shot("notifications", "/notifications/", add_messages),
    Shot("notification", "/notifications/", open_notification),
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
    Shot("history", "/flows/history/"),
    Shot("history-fault", "/flows/history/?at=yesterday"),
    Shot("history-before", "/flows/history/?at=2020-01-01"),
    Shot("history-flow", "/flows/{sid}/history/"),
    Shot("history-compare", "/flows/history/compare/", compare_last_days),
    Shot(
        "history-compare-flows", "/flows/history/compare/?compare=flows&left={sid}&right={webhook}"
    ),
    Shot("checks", "/checks/"),
    Shot("check", "/checks/target-gone/"),
    Shot("flows-of-a-check", "/flows/?check=target-gone", store_findings),
    Shot("flows-with-findings", "/flows/?check=any", store_findings),
    Shot("overview-findings", "/", store_findings),
    Shot("checks-stored", "/checks/", store_findings),
    Shot("finding-log", "/audit/?action=finding.evaluated", store_findings),
    Shot("routing", "/checks/routing/"),
    Shot("routing-answer", "/checks/routing/?channel=whatsapp&identity=%2B46313900659"),
    Shot("migration", "/migration/", begin_migrations),
    Shot("migration-blocked", "/migration/?verdict=blocked", begin_migrations),
    Shot("migration-none", "/migration/?verdict=blocked&status=done"),
    Shot("migration-flow", "/migration/{sid}/"),
    Shot("migration-webhook", "/migration/{webhook}/"),
    Shot("check-suppress", "/checks/target-gone/", open_suppression),
    Shot("migration-prepare", "/", review_migration),
    Shot("migration-ready", "/", prepare_migration),
    Shot("migration-switch", "/", review_switch_over),
    Shot("migration-stuck", "/", get_stuck),
    Shot("requests", "/requests/", list_change_requests),
    Shot("requests-empty", "/requests/"),
    Shot("request", "/requests/", open_change_request),
    Shot("request-edit", "/requests/", open_request_edit, person="omar"),
    Shot("schedules", "/schedules/", list_schedules),
    Shot("schedules-empty", "/schedules/?month=2030-02"),
    Shot("scheduled-request", "/requests/", schedule_holidays),
    Shot("scheduled-flow", "/flows/{sid}/"),
    Shot("schedule", "/requests/", open_schedule_form),
    Shot("schedule-errors", "/requests/", submit_past_time),
    Shot("schedule-fields", "/flows/{sid}/enabled/", open_schedule_fields),
    Shot("policies", "/requests/policies/", list_policies),
    Shot("policy", "/requests/policies/{account}/"),
    Shot("policy-errors", "/requests/policies/{account}/", submit_impossible_hours),
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
    Shot("webhook", "/flows/{webhook}/webhook/"),
    Shot("webhook-test", "/flows/{webhook}/webhook/test/"),
    Shot("webhook-test-errors", "/flows/{webhook}/webhook/test/", leave_text_empty),
    Shot("webhook-review", "/flows/{webhook}/webhook/test/", review_webhook_test),
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
    Shot("flex", "/flex/"),
    Shot("flex-configuration", "/flex/configuration/"),
    Shot("flex-configuration-edit", "/flex/configuration/edit/"),
    Shot("flex-configuration-review", "/flex/configuration/edit/", review_configuration),
    Shot("flex-channels", "/flex/channels/"),
    Shot("flex-channels-search", "/flex/channels/?q=nowhere"),
    Shot("flex-refused", "/flex/channels/", refuse_channels),
    Shot("flex-channel", "/flex/channels/{channel}/"),
    Shot("flex-channel-new", "/flex/channels/new/", submit_broken_json),
    Shot("flex-channel-delete", "/flex/channels/{channel}/delete/"),
    Shot("flex-web-channels", "/flex/web-channels/"),
    Shot("flex-addresses", "/flex/addresses/"),
    Shot("flex-addresses-of-a-type", "/flex/addresses/?type=whatsapp"),
    Shot("flex-address", "/flex/addresses/{address}/"),
    Shot("flex-address-webhook", "/flex/addresses/{webhook_address}/"),
    Shot("flex-address-new", "/flex/addresses/new/", submit_address_of_another_type),
    Shot("flex-address-edit", "/flex/addresses/{webhook_address}/edit/"),
    Shot("flex-address-review", "/flex/addresses/{address}/edit/", review_address),
    Shot("flex-address-delete", "/flex/addresses/{address}/delete/"),
    Shot("flex-interactions", "/flex/interactions/", look_up_interactions),
    Shot("flex-interaction", "/flex/interactions/{interaction}/"),
    Shot("flex-interaction-failed", "/flex/interactions/{failed_interaction}/"),
    Shot("flex-interaction-new", "/flex/interactions/new/", submit_interaction_twice_set),
    Shot("flex-interaction-review", "/flex/interactions/new/", review_interaction),
    Shot(
        "flex-interaction-channel",
        "/flex/interactions/{interaction}/channels/{interaction_channel}/",
    ),
    Shot(
        "flex-interaction-channel-edit",
        "/flex/interactions/{interaction}/channels/{interaction_channel}/edit/",
    ),
    Shot("flex-plugins", "/flex/plugins/"),
    Shot("flex-plugin", "/flex/plugins/{plugin}/"),
    Shot("flex-plugin-version-new", "/flex/plugins/{plugin}/versions/new/"),
    Shot("flex-plugin-archive", "/flex/plugins/{plugin}/archive/"),
    Shot("flex-plugin-configuration", "/flex/plugin-configurations/{plugin_configuration}/"),
    Shot("flex-plugin-configuration-new", "/flex/plugin-configurations/new/"),
    Shot("flex-plugin-releases", "/flex/plugin-releases/"),
    Shot("flex-plugin-release", "/flex/plugin-releases/{plugin_release}/"),
    Shot("flex-questionnaires", "/flex/questionnaires/"),
    Shot("flex-questionnaire", "/flex/questionnaires/{questionnaire}/"),
    Shot("flex-questionnaire-edit", "/flex/questionnaires/{questionnaire}/edit/"),
    Shot(
        "flex-questionnaire-review",
        "/flex/questionnaires/{questionnaire}/edit/",
        review_questionnaire,
    ),
    Shot(
        "flex-questionnaire-conflict",
        "/flex/questionnaires/{questionnaire}/edit/",
        conflict_about_questionnaire,
    ),
    Shot("flex-questions", "/flex/questions/"),
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
    Shot("plan-findings", "/flows/?enabled=false", review_turning_on),
    Shot("plan-routing", "/flows/?enabled=false", ask_after_turning_on),
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
            ("checks", "/checks/", None),
            ("history", "/flows/history/", None),
            ("history-compare", "/flows/history/compare/?compare=accounts", compare_accounts),
            (
                "history-copy",
                "/flows/history/compare/?compare=accounts",
                choose_flows_to_copy,
            ),
            (
                "history-copy-fault",
                "/flows/history/compare/?compare=accounts",
                submit_incomplete_copy,
            ),
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
    Shot(
        "two-history-copy-known",
        "/flows/history/compare/?compare=accounts",
        copy_again,
        has_two_accounts=True,
    ),
    # Last, because they change a flow or an external change that other pictures show.
    Shot("drift-stated", "/flows/drift/", ask_monitor),
    Shot("event-stated", "/audit/{drift}/", ask_monitor),
    Shot("flow-stated", "/audit/{drift}/", open_stated_flow),
    Shot("drift-refused", "/flows/drift/", refuse_monitor),
    Shot("check-suppressed", "/checks/target-gone/", suppress_finding),
    Shot("webhook-signed", "/flows/{webhook}/webhook/", sign_tests),
    Shot("webhook-conflict", "/flows/{webhook}/webhook/test/", conflict_about_webhook),
    Shot("webhook-tested", "/flows/{webhook}/webhook/test/", send_webhook_test),
)
