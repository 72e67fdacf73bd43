"""Screenshots of the demo: `python -m tests.browser.screenshots [--output DIR] [--readme]`.

They show each page and important state, light and dark, wide and narrow. `--only NAME …` limits
them, `--readme` renews those in static/screenshots/. The site, its database and the sandbox are in
a temporary folder.

What they show is in tests/browser/shots.py.
"""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page
from rich.console import Console
from rich.progress import Progress

from tests.benchmarks.chromium import chromium
from tests.browser.shots import SHOTS, DemoSite, Shot
from tests.patience import HANG_TIMEOUT

README_SHOTS = ("list", "review")
README_NAMES = {"list": "flows.png"}
README_FOLDER = Path(__file__).resolve().parents[2] / "static" / "screenshots"
MAX_README_BYTES = 150_000
FLOWS = 300
SCHEMES, WIDTHS, HEIGHT = ("light", "dark"), (1350, 320), 800
README_HEIGHT = 530  # eight rows: the picture stays within its bytes


def fit_window(page: Page, width: int) -> None:
    """Make the window as high as its page, so that sticky elements are at the page's end."""
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": width, "height": max(height, HEIGHT)})


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
        if shot.has_two_accounts:
            world.add_account()
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
            context.set_default_timeout(HANG_TIMEOUT * 1000)
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
    from flows.twilio.sandbox.server import Sandbox

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_args: Any) -> None: ...

    with (
        build_sandbox(flows=FLOWS) as sandbox,
        Sandbox(account_sid="AC" + "57a9" * 8, flows=FLOWS // 10, seed=2) as staging,
    ):
        settings.FLEX_API_URL, settings.TWILIO_API_URL = sandbox.url, sandbox.api_url
        Command(stdout=io.StringIO())._prepare(sandbox)
        server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet)
        server.daemon_threads = True
        server.set_app(get_wsgi_application())
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            root = f"http://127.0.0.1:{server.server_address[1]}"
            places = _find_examples(sandbox)
            yield DemoSite(root, sandbox, demo_password, partial(_add_account, staging), places)
        finally:
            server.shutdown()
            server.server_close()


def _add_account(staging: Any) -> None:
    """Give the site the account of this sandbox, unless it has it already."""
    from django.conf import settings

    from flows.mirror.name_sync import sync_with_names
    from tests.two_accounts import add_staging

    if len(settings.FLEX_ACCOUNTS) > 1:
        return
    [only_account] = settings.FLEX_ACCOUNTS
    settings.FLEX_ACCOUNTS = add_staging(only_account, staging)
    sync_with_names(staging.account_sid)


def _find_examples(sandbox: Any) -> dict[str, str]:
    """Return an example flow or event of each kind."""
    from flows.audit.models import AuditEvent, OpenChange
    from flows.local_details.models import LocalDetails
    from flows.twilio.flex.channel import CHANNEL
    from flows.twilio.flex.plugin import PLUGIN
    from flows.twilio.flex.plugin_configuration import PLUGIN_CONFIGURATION
    from flows.twilio.flex.plugin_release import PLUGIN_RELEASE
    from flows.twilio.flex.questionnaire import QUESTIONNAIRE
    from flows.twilio.sandbox.named_bodies import make_sid

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
        "channel": next(iter(sandbox.store_of(CHANNEL).snapshot())),
        "plugin": list(sandbox.store_of(PLUGIN).snapshot())[-1],
        "plugin_configuration": next(iter(sandbox.store_of(PLUGIN_CONFIGURATION).snapshot())),
        "plugin_release": next(iter(sandbox.store_of(PLUGIN_RELEASE).snapshot())),
        "address": make_sid("IG", "whatsapp:+14155550143"),
        "webhook_address": make_sid("IG", "+14155550142"),
        "interaction": (interaction := make_sid("KD", "Order 4711")),
        "interaction_channel": make_sid("UO", interaction),
        "failed_interaction": make_sid("KD", "Callback 3"),
        "questionnaire": list(sandbox.store_of(QUESTIONNAIRE).snapshot())[-1],
        "unresolved_sid": open_change.target_sid,
        "account": open_change.attempt.account_sid,
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
        "--only",
        nargs="+",
        choices=[shot.name for shot in SHOTS],
        metavar="NAME",
        help="these alone, by their names in tests/browser/shots.py",
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
