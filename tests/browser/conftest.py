"""A real browser on the real site: the system's Chromium, the live server and the sandbox."""

import os
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from flows.twilio.sandbox.server import Sandbox
from tests.benchmarks.chromium import chromium, find_chromium
from tests.patience import HANG_TIMEOUT

# What htmx logs when its request ended because the page was left.
OF_A_LEFT_PAGE = ("htmx:afterRequest", "htmx:sendError", "htmx:sendAbort")
CHROMIUM_MISSING = "The browser tests need Chromium: apt-get install chromium-headless-shell"

# Playwright keeps an event loop in this thread; the tests' own queries are synchronous all the same.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser/" in item.path.as_posix():
            item.add_marker("browser")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Report tests skipped for lack of Chromium as one line of the summary."""
    report = yield
    if (
        report.skipped
        and isinstance(report.longrepr, tuple)
        and CHROMIUM_MISSING in report.longrepr[2]
    ):
        report.longrepr = (__file__, 0, CHROMIUM_MISSING)
    return report


@pytest.fixture(scope="session", autouse=True)
def _require_chromium() -> None:
    """Skip the browser tests without Chromium, or fail them if CI is set."""
    if find_chromium():
        return
    if os.environ.get("CI", "").lower() in ("", "0", "false"):
        pytest.skip(CHROMIUM_MISSING)
    pytest.fail(CHROMIUM_MISSING, pytrace=False)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=HANG_TIMEOUT * 1000)
    with chromium() as running:
        yield running


@pytest.fixture
def site(live_server: LiveServer, sandbox: Sandbox, settings: Any) -> str:
    """Address of the running site, which uses the sandbox."""
    return live_server.url


@pytest.fixture
def open_page(
    site: str, browser: Browser, person: Callable[..., User]
) -> Iterator[Callable[..., Page]]:
    """Function that opens a signed-in window: open_page("operator", name="ada", width=320 …).

    A page fails its test if it writes an error to the console, violates the content policy, or
    stores something in the browser. A test that provokes an error names a part of its message:
    open_page.expected.append("Error Code 500"). It may come at any time, also after the test.
    """
    contexts, complaints = [], []
    expected = ["the server responded with a status of"]  # the browser's, for each 4xx

    def make(
        role: str = "operator",
        *,
        name: str = "",
        javascript: bool = True,
        scheme: Any = "light",
        width: int = 1350,
        path: str = "/flows/",
    ) -> Page:
        if not User.objects.filter(username=name or role).exists():
            person(role, name)
        context = browser.new_context(
            base_url=site,
            java_script_enabled=javascript,
            color_scheme=scheme,
            viewport={"width": width, "height": 800},
        )
        contexts.append(context)
        context.set_default_timeout(HANG_TIMEOUT * 1000)
        # Of every page of the window, those in new tabs too.
        context.on(
            "console",
            lambda message: complaints.append(message.text) if message.type == "error" else None,
        )
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        page = context.new_page()
        page.goto(f"/login/?next={path}")
        page.fill("[name=username]", name or role)
        page.fill("[name=password]", f"{name or role}-password")
        page.press("[name=password]", "Enter")
        page.wait_for_url(f"**{path}")
        return page

    make.complaints = complaints  # type: ignore[attr-defined]
    make.expected = expected  # type: ignore[attr-defined]
    yield make
    for context in contexts:
        for page in context.pages:
            complaints.extend(_find_stored_items(page))
        context.close()
    assert [
        text
        for text in complaints
        if not text.startswith(OF_A_LEFT_PAGE) and not any(part in text for part in expected)
    ] == []


def _find_stored_items(page: Page) -> list[str]:
    """Return items in the browser's stores. Pages must leave none."""
    if not page.url.startswith("http://127.0.0.1") and not page.url.startswith("http://localhost"):
        return []
    items = page.evaluate(
        """async () => [...await caches.keys(), ...(await indexedDB.databases()).map(({name}) => name),
            ...(await navigator.serviceWorker.getRegistrations()).map(({scope}) => scope)]"""
    )
    browser = page.context.new_cdp_session(page)  # the page itself may hide its stores
    for is_local in (True, False):
        of = {"securityOrigin": "/".join(page.url.split("/")[:3]), "isLocalStorage": is_local}
        items += [
            name
            for name, _ in browser.send("DOMStorage.getDOMStorageItems", {"storageId": of})[
                "entries"
            ]
        ]
    return [f"kept in the browser: {name}" for name in items]
