"""A real browser on a real site: the system's Chromium, the live server, the sandbox behind it."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from flows.flexapi.sandbox import Sandbox
from tests.benchmarks.chromium import chromium, find

# Playwright keeps an event loop in this thread; the tests' own queries are synchronous all the same.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser/" in item.path.as_posix():
            item.add_marker("browser")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not find():
        pytest.fail("The browser tests need Chromium: apt-get install chromium-headless-shell")
    with chromium() as running:
        yield running


@pytest.fixture
def site(live_server: LiveServer, sandbox: Sandbox, settings: Any) -> str:
    """The address of the running site; its other end is the sandbox."""
    return live_server.url


@pytest.fixture
def open_page(site: str, browser: Browser, person: Callable[..., User]) -> Iterator[Callable[..., Page]]:
    """Opens a signed-in window: open_page("operator", name="ada", javascript=False, width=320 …). A page that
    writes an error to the console, or breaks the content policy, fails its test."""
    contexts, complaints = [], []

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
        context.set_default_timeout(10_000)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"/login/?next={path}")
        page.fill("[name=username]", name or role)
        page.fill("[name=password]", f"{name or role}-password")
        page.press("[name=password]", "Enter")
        page.wait_for_url(f"**{path}")
        return page

    make.complaints = complaints  # type: ignore[attr-defined]
    yield make
    for context in contexts:
        context.close()
    # A 4xx that the page handles is logged by the browser all the same.
    assert [text for text in complaints if "the server responded with a status of" not in text] == []
