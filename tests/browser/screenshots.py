"""`python -m tests.browser.screenshots [--output DIR] [--only NAME …] [--readme]`: a picture of each page and of each
state that matters, light and dark, wide and narrow, of the demo's made-up data. `--readme` renews the README's own,
in static/screenshots/. The site, its database and the sandbox are its own, in a temporary folder.

A page more is a line more in SHOTS.
"""

from __future__ import annotations

import argparse
import io
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

README_PICTURES = Path(__file__).resolve().parents[2] / "static" / "screenshots"
MOST_README_BYTES = 150_000
FLOWS = 300
SCHEMES, WIDTHS, HEIGHT = ("light", "dark"), (1350, 320), 800
README_HEIGHT = 720  # a few rows less: the picture stays within its bytes


@dataclass(slots=True)
class World:
    """The running site, and what is worth a look in it."""

    root: str
    sandbox: Any
    passwords: Callable[[str], str]
    places: dict[str, str] = field(default_factory=dict)

    def rename_elsewhere(self) -> None:
        """Somebody else gives the flow a name in the Console."""
        name = self.sandbox.flows[self.places["sid"]]["friendly_name"]
        self.sandbox.edit_flow(self.places["sid"], friendly_name=f"{name} *")


Act = Callable[[Page, World], None]


def press(page: Page, words: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=words).first.click()


def bad_sign_in(page: Page, _world: World) -> None:
    page.fill("[name=username]", "omar")
    page.fill("[name=password]", "x")
    press(page, "Sign in")


def confirmed(page: Page, world: World) -> None:
    if page.locator("[name=password]").count():
        page.fill("[name=password]", world.passwords(page.locator(".person bdi").inner_text()))
        press(page, "Confirm")


def with_app(page: Page, world: World) -> None:
    """In the first of its looks only: afterwards the person has one."""
    from tests.flexadmin.signing_in import code_of  # it knows the models, which need the site's settings

    confirmed(page, world)
    if page.locator("code.to-type").count():
        page.get_by_label("Authenticator code").fill(code_of(page.locator("code.to-type").inner_text()))
        press(page, "Set up")
    page.goto(f"{world.root}/people/me/codes/")


def no_reason(page: Page, _world: World) -> None:
    press(page, "Change role")


def wrong(page: Page, _world: World) -> None:
    page.fill("[name=friendly_name]", "")
    page.fill("[name=integration_retry_count]", "9")
    press(page, "Review changes")


def changed(page: Page, _world: World) -> None:
    page.fill("[name=friendly_name]", "Returns and refunds – Lyon (SMS)")
    retries = page.locator("[name=integration_retry_count]")
    retries.fill("2" if retries.input_value() == "1" else "1")
    press(page, "Review changes")


def too_late(page: Page, world: World) -> None:
    changed(page, world)
    world.rename_elsewhere()
    press(page, "Save changes")


def not_the_name(page: Page, _world: World) -> None:
    page.fill("[name=confirm_name]", "Something else")
    press(page, "Delete")


def dialog(page: Page, _world: World) -> None:
    page.locator('main a[href$="/enabled/"]').first.click()
    page.locator("dialog[open]").wait_for()


def ticked(page: Page, _world: World) -> None:
    for box in page.locator("tbody input[type=checkbox]").all()[:3]:
        box.check()


def stretch(page: Page, width: int) -> None:
    """Makes the window as high as its page: what sticks to the window's edge stands where the page ends."""
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": width, "height": max(height, HEIGHT)})


def planned(page: Page, world: World) -> None:
    ticked(page, world)
    press(page, "Review…")


def table(page: Page, _world: World) -> None:
    page.get_by_label("Or paste flows").fill(
        "SID;Friendly name;Enabled;Notes\nFO1;Support;yes;\nFO2;Sales;no;old"
    )
    press(page, "Review changes")


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture's name, whose window it shows, the path (with places of the world), and what is done there first."""

    name: str
    path: str
    act: Act | None = None
    person: str = "ada"


SHOTS = (
    Shot("sign-in", "/login/", person=""),
    Shot("sign-in-wrong", "/login/", bad_sign_in, person=""),
    Shot("me", "/people/me/"),
    Shot("password", "/people/me/password/"),
    Shot("app", "/people/me/app/add/", confirmed),
    Shot("codes", "/people/me/app/add/", with_app, person="vera"),
    Shot("me-with-factors", "/people/me/", person="vera"),
    Shot("people", "/people/"),
    Shot("person", "/people/2/"),
    Shot("person-wrong", "/people/2/", no_reason),
    Shot("list", "/flows/"),
    Shot("list-viewer", "/flows/", person="vera"),
    Shot("list-selected", "/flows/", ticked),
    Shot("list-search", "/flows/?q=sms&channel=sms&enabled=true"),
    Shot("list-empty", "/flows/?q=nowhere&channel=sms"),
    Shot("list-dialog", "/flows/", dialog),
    Shot("flow", "/flows/{sid}/"),
    Shot("flow-webhook", "/flows/{webhook}/"),
    Shot("flow-in-doubt", "/flows/{doubtful}/"),
    Shot("code", "/flows/{sid}/code/"),
    Shot("new", "/flows/new/"),
    Shot("edit", "/flows/{sid}/edit/"),
    Shot("errors", "/flows/{sid}/edit/", wrong),
    Shot("review", "/flows/{sid}/edit/", changed),
    Shot("switch", "/flows/{sid}/enabled/"),
    Shot("delete", "/flows/{sid}/delete/"),
    Shot("delete-refused", "/flows/{sid}/delete/", not_the_name),
    Shot("drift", "/flows/drift/"),
    Shot("log", "/audit/"),
    Shot("log-search", "/audit/?actor=omar&result=failed"),
    Shot("log-resolved", "/audit/?result=resolved_later"),
    Shot("log-fault", "/audit/?action=flow.teleport&from=yesterday&q=https://hooks.example.com/in"),
    Shot("export-fault", "/audit/export/?action=flow.teleport"),
    Shot("event", "/audit/{event}/"),
    Shot("event-drift", "/audit/{drift}/"),
    Shot("event-undecided", "/audit/{puzzle}/"),
    Shot("export", "/audit/export/"),
    Shot("verification", "/audit/verification/"),
    Shot("missing", "/flows/FO00000000000000000000000000000000/"),
    Shot("plan", "/flows/", planned),
    Shot("plans", "/flows/plans/"),
    Shot("plan-import", "/flows/plans/import/"),
    Shot("plan-columns", "/flows/plans/import/", table),
    Shot("list-not-understood", "/flows/?channel=instagram&enabled=true"),
    # The last, since what is changed elsewhere here shows in the pages above.
    Shot("conflict", "/flows/{sid}/edit/", too_late),
)
README = ("list", "review")
README_NAMES = {"list": "flows.png"}


def taken(
    world: World, browser: Browser, shots: list[Shot], folder: Path, *, for_readme: bool = False
) -> Iterator[Path | str]:
    """Takes each picture; its file, or a line saying why there is none."""
    windows = _Windows(world, browser)
    looks = [("light", 1350)] if for_readme else [(scheme, width) for scheme in SCHEMES for width in WIDTHS]
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
                    stretch(page, width)
                page.screenshot(path=file, animations="disabled")
                yield file
            except Exception as error:  # noqa: BLE001 - the other pictures are worth having
                yield f"{file.name}: {str(error).splitlines()[0]}"
            finally:
                page.close()
    windows.close()


class _Windows:
    """A signed-in window for each person, scheme and width."""

    def __init__(self, world: World, browser: Browser) -> None:
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
def demo(folder: Path) -> Iterator[World]:
    """The demo's people, flows and fortnight on a site in this process, with everything it writes in that folder."""
    os.environ["DATABASE_URL"] = f"sqlite:///{folder / 'db.sqlite3'}"
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright keeps an event loop in this thread

    import tests.faults.ready  # noqa: F401 - Django comes first

    # isort: split
    from django.conf import settings
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
    from django.core.wsgi import get_wsgi_application
    from django.utils import timezone

    from flows.flexapi.sandbox import Sandbox
    from flows.management.commands.demo import Command, password_of

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_args: Any) -> None: ...

    with Sandbox(flows=FLOWS, clock=lambda: timezone.now()) as sandbox:
        settings.FLEX_API_URL = sandbox.url
        Command(stdout=io.StringIO())._prepare(sandbox)
        server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet)
        server.daemon_threads = True
        server.set_app(get_wsgi_application())
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            root = f"http://127.0.0.1:{server.server_address[1]}"
            yield World(root, sandbox, password_of, _places(sandbox))
        finally:
            server.shutdown()
            server.server_close()


def _places(sandbox: Any) -> dict[str, str]:
    """Flows and events that stand for their kind."""
    from flows.models import AuditEvent, OpenChange

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
    return {
        "sid": of_kind["studio"].target_sid,
        "webhook": of_kind["external"].target_sid,
        "event": str(of_kind["studio"].event_id),
        "drift": str(AuditEvent.objects.filter(action="flow.drift").latest("seq").event_id),
        "doubtful": open_change.target_sid,
        "puzzle": str(attempt.event_id),
    }


def _end(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(143)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("screenshots"), help="the pictures' folder")
    parser.add_argument("--only", nargs="+", choices=[shot.name for shot in SHOTS], help="these alone")
    parser.add_argument("--readme", action="store_true", help="renew the README's pictures, and nothing else")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _end)  # so that what was started is stopped then, too
    names = README if options.readme else options.only or [shot.name for shot in SHOTS]
    folder = README_PICTURES if options.readme else options.output
    folder.mkdir(parents=True, exist_ok=True)
    console, missed = Console(stderr=True), 0
    with tempfile.TemporaryDirectory() as scratch, demo(Path(scratch)) as world, chromium() as browser:
        shots = [shot for shot in SHOTS if shot.name in names]
        with Progress(console=console, transient=True) as progress:
            looks = 1 if options.readme else len(SCHEMES) * len(WIDTHS)
            made = taken(world, browser, shots, folder, for_readme=options.readme)
            for picture in progress.track(made, total=len(shots) * looks, description="Taking pictures"):
                if isinstance(picture, str):
                    missed += 1
                    console.print(picture)
                elif options.readme and picture.stat().st_size > MOST_README_BYTES:
                    missed += 1
                    console.print(f"{picture.name}: {picture.stat().st_size:,} bytes is too large")
    console.print(f"{len(shots) * looks - missed} pictures in {folder}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
