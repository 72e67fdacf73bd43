"""The system's Chromium, for browser tests, measurements and screenshots.

The headless shell is preferred. It is the same engine, and starts and changes pages faster.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

EXECUTABLES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
LAUNCH_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_chromium() -> str:
    """Return the path of Chromium, or ""."""
    return next((path for name in EXECUTABLES if (path := shutil.which(name))), "")


@contextmanager
def chromium() -> Iterator[Browser]:
    path = find_chromium()
    if not path:
        raise SystemExit("This needs Chromium: apt-get install chromium-headless-shell")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(LAUNCH_OPTIONS))
        try:
            yield browser
        finally:
            browser.close()
