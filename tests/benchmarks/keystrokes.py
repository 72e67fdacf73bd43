"""Time from a keystroke in the list's search to its painted result, in a local browser."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.benchmarks.asking import LIST_PATHS, ServedSite
from tests.benchmarks.chromium import chromium
from tests.benchmarks.deployed import PASSWORD, USERNAME
from tests.benchmarks.fill import COMMON_WORD
from tests.benchmarks.measuring import TIMEOUT_MS, VIEWPORT, sign_in

# From the key's own time to the frame after the one that the new rows are painted in.
WATCH_SCRIPT = """() => {
  window.typed = [];
  let began = 0;
  document.querySelector("#q").addEventListener("input", (event) => { began = event.timeStamp; }, true);
  document.body.addEventListener("htmx:afterSwap", () => {
    requestAnimationFrame(() => { setTimeout(() => window.typed.push(performance.now() - began)); });
  });
}"""


def measure_keystrokes(site: ServedSite, count: int) -> tuple[list[float], int]:
    """Return the milliseconds of each keystroke, and the requests of a word typed without a pause.

    Each keystroke waits for the result of the previous one.
    """
    with chromium() as browser:
        context = browser.new_context(viewport=VIEWPORT)
        context.add_cookies(
            sign_in(browser, f"{site.address}/login/", name=USERNAME, password=PASSWORD)
        )
        page = context.new_page()
        page.goto(site.address + LIST_PATHS["site"], timeout=TIMEOUT_MS)
        page.evaluate(WATCH_SCRIPT)
        page.focus("#q")
        took: list[float] = []
        while len(took) < count:
            _press_key(
                page,
                COMMON_WORD[len(took) % len(COMMON_WORD)]
                if len(took) % 6 < len(COMMON_WORD)
                else "Backspace",
                len(took) + 1,
            )
            took = page.evaluate("() => window.typed")
        requested: list[str] = []
        page.on("request", lambda request: requested.append(request.url))
        results = count
        if page.input_value("#q"):
            page.fill("#q", "")
            results += 1
            page.wait_for_function(f"() => window.typed.length >= {results}", timeout=TIMEOUT_MS)
        requested.clear()
        page.keyboard.type("whatsapp")
        page.wait_for_function(f"() => window.typed.length > {results}", timeout=TIMEOUT_MS)
        return took, len(requested)


def _press_key(page: Page, key: str, results: int) -> None:
    page.keyboard.press(key)
    page.wait_for_function(f"() => window.typed.length >= {results}", timeout=TIMEOUT_MS)
