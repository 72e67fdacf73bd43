"""Screenshots of the demo: `python -m tests.browser.screenshots [--output DIR] [--readme]`.

They show each page and important state, light and dark, wide and narrow. `--only NAME …` limits
them, `--readme` renews those in static/screenshots/. The site, its database and the sandbox are in
a temporary folder.

A further page is a further line in SHOTS.
"""

from __future__ import annotations

import argparse
import io
import itertools
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page
from rich.console import Console
from rich.progress import Progress

from tests.benchmarks.chromium import chromium

README_FOLDER = Path(__file__).resolve().parents[2] / "static" / "screenshots"
MAX_README_BYTES = 150_000
FLOWS = 300
SCHEMES, WIDTHS, HEIGHT = ("light", "dark"), (1350, 320), 800
USER_NUMBERS = itertools.count(1)
README_HEIGHT = 530  # eight rows: the picture stays within its bytes


@dataclass(slots=True)
class DemoSite:
    """The running site, and the addresses of its examples."""

    root: str
    sandbox: Any
    passwords: Callable[[str], str]
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


def submit_without_reason(page: Page, _world: DemoSite) -> None:
    press_button(page, "Change role")


def add_user(page: Page, _world: DemoSite) -> None:
    """Add a user, with another name in each look."""
    page.fill("[name=name]", f"nina{next(USER_NUMBERS)}")
    page.select_option("[name=role]", "operator")
    page.fill("[name=reason]", "Joins the night shift")
    press_button(page, "Add user")


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


def fit_window(page: Page, width: int) -> None:
    """Make the window as high as its page, so that sticky elements are at the page's end."""
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": width, "height": max(height, HEIGHT)})


def review_bulk_change(page: Page, world: DemoSite) -> None:
    select_flows(page, world)
    press_button(page, "Review…")


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


SHOTS = (
    Shot("sign-in", "/login/", person=""),
    Shot("sign-in-wrong", "/login/", fail_sign_in, person=""),
    Shot("me", "/people/me/"),
    Shot("password", "/people/me/password/"),
    Shot("app", "/people/me/app/add/", reauthenticate),
    Shot("codes", "/people/me/app/add/", set_up_app, person="vera"),
    Shot("me-with-factors", "/people/me/", person="vera"),
    Shot("people", "/people/"),
    Shot("person", "/people/2/"),
    Shot("person-wrong", "/people/2/", submit_without_reason),
    Shot("person-new", "/people/new/"),
    Shot("overview", "/"),
    Shot("overview-viewer", "/", person="vera"),
    Shot("list", "/flows/"),
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
    Shot("erasure", "/audit/erasure/"),
    Shot("erasure-preview", "/audit/erasure/#{sid}", preview_erasure),
    Shot("missing", "/flows/FO00000000000000000000000000000000/"),
    Shot("plan", "/flows/", review_bulk_change),
    Shot("plan-owner-value", "/flows/?tag=vip", enter_bulk_owner),
    Shot("plan-owner", "/flows/?tag=vip", review_bulk_owner),
    Shot("plans", "/flows/plans/"),
    Shot("plan-import", "/flows/plans/import/"),
    Shot("plan-columns", "/flows/plans/import/", review_import),
    Shot("accounts", "/accounts/"),
    Shot("accounts-names-refused", "/accounts/", refresh_refused_names),
    Shot("list-not-understood", "/flows/?channel=instagram&enabled=true"),
    # The last, since their changes show in the pages above.
    Shot("person-password", "/people/new/", add_user),
    Shot("conflict", "/flows/{sid}/edit/", submit_conflicting_edit),
)
README_SHOTS = ("list", "review")
README_NAMES = {"list": "flows.png"}


def take_pictures(
    world: DemoSite, browser: Browser, shots: list[Shot], folder: Path, *, for_readme: bool = False
) -> Iterator[Path | str]:
    """Take each screenshot; yield its file, or a line with the reason why there is none."""
    windows = _SignedInWindows(world, browser)
    looks = (
        [("light", 1350)]
        if for_readme
        else [(scheme, width) for scheme in SCHEMES for width in WIDTHS]
    )
    for shot in shots:
        for scheme, width in looks:
            name = README_NAMES.get(shot.name, f"{shot.name}.png")
            file = folder / (name if for_readme else f"{shot.name}-{scheme}-{width}.png")
            page = windows.page(shot.person, scheme, width)
            try:
                page.goto(world.root + shot.path.format(**world.places))
                if shot.act:
                    shot.act(page, world)
                page.wait_for_function("() => !document.querySelector('.htmx-request')")
                if for_readme:
                    page.set_viewport_size({"width": width, "height": README_HEIGHT})
                elif not page.locator("dialog[open]").count():
                    fit_window(page, width)
                page.screenshot(path=file, animations="disabled")
                yield file
            except Exception as error:  # noqa: BLE001 - the other pictures are worth having
                yield f"{file.name}: {str(error).splitlines()[0]}"
            finally:
                page.close()
    windows.close()


class _SignedInWindows:
    """Signed-in windows, one for each user, scheme and width."""

    def __init__(self, world: DemoSite, browser: Browser) -> None:
        self._world, self._browser = world, browser
        self._open: dict[tuple[str, str, int], BrowserContext] = {}
        self._cookies: dict[str, Any] = {"": []}

    def page(self, person: str, scheme: Any, width: int) -> Page:
        look = (person, scheme, width)
        if look not in self._open:
            context = self._browser.new_context(
                color_scheme=scheme, viewport={"width": width, "height": HEIGHT}
            )
            context.set_default_timeout(15_000)
            context.add_cookies(self._signed_in(person))
            self._open[look] = context
        return self._open[look].new_page()

    def close(self) -> None:
        for context in self._open.values():
            context.close()

    def _signed_in(self, person: str) -> Any:
        if person not in self._cookies:
            context = self._browser.new_context()
            page = context.new_page()
            page.goto(f"{self._world.root}/login/")
            page.fill("[name=username]", person)
            page.fill("[name=password]", self._world.passwords(person))
            with page.expect_navigation():
                page.press("[name=password]", "Enter")
            self._cookies[person] = context.cookies()
            context.close()
        return self._cookies[person]


@contextmanager
def run_demo(folder: Path) -> Iterator[DemoSite]:
    """Run the demo's users, flows and history in this process, with all its files in a folder."""
    os.environ["DATABASE_URL"] = f"sqlite:///{folder / 'db.sqlite3'}"
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = (
        "true"  # Playwright keeps an event loop in this thread
    )

    import tests.faults.ready  # noqa: F401 - Django comes first

    # isort: split
    from django.conf import settings
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
    from django.core.wsgi import get_wsgi_application

    from flexadmin.management.commands.demo import Command, build_sandbox, demo_password

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_args: Any) -> None: ...

    with build_sandbox(flows=FLOWS) as sandbox:
        settings.FLEX_API_URL, settings.TWILIO_API_URL = sandbox.url, sandbox.api_url
        Command(stdout=io.StringIO())._prepare(sandbox)
        server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet)
        server.daemon_threads = True
        server.set_app(get_wsgi_application())
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            root = f"http://127.0.0.1:{server.server_address[1]}"
            yield DemoSite(root, sandbox, demo_password, _find_examples(sandbox))
        finally:
            server.shutdown()
            server.server_close()


def _find_examples(sandbox: Any) -> dict[str, str]:
    """Return an example flow or event of each kind."""
    from flows.audit.models import AuditEvent, OpenChange
    from flows.local_details.models import LocalDetails

    changed = AuditEvent.objects.filter(action="flow.update", stage="outcome", result="succeeded")
    of_kind = {
        kind: next(
            event
            for event in changed.order_by("-seq")
            if sandbox.flows.get(event.target_sid, {}).get("integration_type") == kind
        )
        for kind in ("studio", "external")
    }
    open_change = OpenChange.objects.latest("pk")
    attempt = AuditEvent.objects.filter(target_sid=open_change.target_sid).latest("seq")
    owned_sid = LocalDetails.objects.exclude(note="").get().sid
    details_event = AuditEvent.objects.filter(action="flow.details", target_sid=owned_sid)
    turned_off = (
        sid
        for sid in changed.filter(reason__contains="holidays").values_list("target_sid", flat=True)
        if sandbox.flows.get(sid, {}).get("enabled") is False
    )
    return {
        "sid": of_kind["studio"].target_sid,
        "owned_sid": owned_sid,
        "off_sid": next(turned_off),
        "details_event": str(details_event.latest("seq").event_id),
        "webhook": of_kind["external"].target_sid,
        **_find_studio_flows(of_kind["studio"].target_sid),
        "event": str(of_kind["studio"].event_id),
        "drift": str(AuditEvent.objects.filter(action="flow.drift").latest("seq").event_id),
        "unresolved_sid": open_change.target_sid,
        "puzzle": str(attempt.event_id),
    }


def _find_studio_flows(flow_sid: str) -> dict[str, str]:
    """Return the Studio Flow that a flow uses, and one that no flow uses."""
    from flows.mirror.models import Flow
    from flows.names.models import ResourceName

    unused = ResourceName.objects.get(resource="studio_flow", name="Holiday greeting (old)")
    used_sid = Flow.objects.get(sid=flow_sid).value("integration_flow_sid")
    return {"studio_flow": used_sid, "unused_studio_flow": unused.sid}


def _exit_on_signal(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(143)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--output", type=Path, default=Path("screenshots"), help="the pictures' folder"
    )
    parser.add_argument(
        "--only", nargs="+", choices=[shot.name for shot in SHOTS], help="these alone"
    )
    parser.add_argument(
        "--readme", action="store_true", help="renew the README's pictures, and nothing else"
    )
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _exit_on_signal)  # so that what was started is stopped then, too
    names = README_SHOTS if options.readme else options.only or [shot.name for shot in SHOTS]
    folder = README_FOLDER if options.readme else options.output
    folder.mkdir(parents=True, exist_ok=True)
    console, missed = Console(stderr=True), 0
    with (
        tempfile.TemporaryDirectory() as scratch,
        run_demo(Path(scratch)) as world,
        chromium() as browser,
    ):
        shots = [shot for shot in SHOTS if shot.name in names]
        with Progress(console=console, transient=True) as progress:
            looks = 1 if options.readme else len(SCHEMES) * len(WIDTHS)
            results = take_pictures(world, browser, shots, folder, for_readme=options.readme)
            for picture in progress.track(
                results, total=len(shots) * looks, description="Taking pictures"
            ):
                if isinstance(picture, str):
                    missed += 1
                    console.print(picture)
                elif options.readme and picture.stat().st_size > MAX_README_BYTES:
                    missed += 1
                    console.print(f"{picture.name}: {picture.stat().st_size:,} bytes is too large")
    console.print(f"{len(shots) * looks - missed} pictures in {folder}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
