"""Weight and speed of a page in a browser with a slow line and an old machine, and their budgets.

The command and the browser test both use this module.
"""

from __future__ import annotations

import base64
import gzip
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, CDPSession

from tests.patience import HANG_TIMEOUT

LATENCY_MS = 150
BYTES_PER_SECOND = 1_600_000 / 8
CPU_SLOWDOWN = 4
VIEWPORT: Final[Any] = {"width": 1350, "height": 800}
VENDORED_PATHS = ("/django_htmx/", "/vendor/")
TIMEOUT_MS = HANG_TIMEOUT * 1000

# What has moved and what was painted until now; two frames later nothing of it is still on its way.
OBSERVE_SCRIPT = """() => new Promise((resolve) => {
  const figures = { nodes: document.querySelectorAll("*").length, paint: 0, shift: 0 };
  const observe = (type, take) => new PerformanceObserver((list) => list.getEntries().forEach(take))
    .observe({ type, buffered: true });
  observe("largest-contentful-paint", (entry) => { figures.paint = Math.max(figures.paint, entry.startTime); });
  observe("layout-shift", (entry) => { if (!entry.hadRecentInput) figures.shift += entry.value; });
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => resolve(figures))));
})"""

FRAME_SCRIPT = "() => new Promise((resolve) => { requestAnimationFrame(resolve); })"


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of one visit.

    Sizes are in bytes as transferred, the paint in seconds. `strangers` are requests to other
    hosts.
    """

    requests: float
    transferred: float
    html: float
    css: float
    own_script: float
    nodes: float
    paint: float
    shift: float
    fonts: float
    strangers: float


@dataclass(frozen=True, slots=True)
class Budget:
    """Limit of a figure of the list with 50 rows. A table shows it in units of `unit`."""

    figure: str
    label: str
    most: float
    unit: int = 1
    digits: int = 0

    def is_kept(self, figures: Figures) -> bool:
        return bool(getattr(figures, self.figure) <= self.most)

    def said(self, value: float) -> str:
        return f"{value / self.unit:,.{self.digits}f}"


BUDGETS: Final = (
    Budget("requests", "requests", 6),
    Budget("transferred", "transferred, kB", 60_000, unit=1000, digits=1),
    Budget("html", "HTML gzipped, kB", 10_000, unit=1000, digits=1),
    Budget("css", "CSS gzipped, kB", 15_000, unit=1000, digits=1),
    Budget("own_script", "own script gzipped, kB", 8_000, unit=1000, digits=1),
    Budget("nodes", "DOM nodes", 1_200),
    Budget("paint", "largest paint, s", 1.0, digits=2),
    Budget("shift", "layout shift", 0.02, digits=3),
    Budget("fonts", "web fonts", 0),
    Budget("strangers", "requests to other hosts", 0),
)


def sign_in(browser: Browser, address: str, *, name: str, password: str) -> list[Any]:
    """Sign in on that page and return the cookies."""
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto(address, timeout=TIMEOUT_MS)
        page.fill("[name=username]", name)
        page.fill("[name=password]", password)
        with page.expect_navigation(timeout=TIMEOUT_MS):
            page.press("[name=password]", "Enter")
        if page.locator("[name=password]").count():
            raise RuntimeError(f"signing in on {address} did not work")
        return context.cookies()
    finally:
        context.close()


def measure_visit(browser: Browser, address: str, *, cookies: list[Any]) -> Figures:
    """Open the page in a new window with an empty cache, under the profile above."""
    context = browser.new_context(viewport=VIEWPORT)
    try:
        context.add_cookies(cookies)
        return _measure_page(context, address)
    finally:
        context.close()


def compute_medians(visits: Iterable[Figures]) -> Figures:
    visits = list(visits)
    names = Figures.__dataclass_fields__
    return Figures(
        **{name: statistics.median(getattr(one, name) for one in visits) for name in names}
    )


def _measure_page(context: BrowserContext, address: str) -> Figures:
    page = context.new_page()
    line = context.new_cdp_session(page)
    traffic = _Traffic(line)
    line.send("Network.enable")
    line.send("Network.emulateNetworkConditions", {
        "offline": False, "latency": LATENCY_MS,
        "downloadThroughput": BYTES_PER_SECOND, "uploadThroughput": BYTES_PER_SECOND,
    })  # fmt: skip
    line.send("Emulation.setCPUThrottlingRate", {"rate": CPU_SLOWDOWN})
    answer = page.goto(address, timeout=TIMEOUT_MS)
    if answer is None or answer.status != 200 or page.url != address:
        raise RuntimeError(f"{address} led to {page.url}, status {answer and answer.status}")
    page.wait_for_function("() => !document.querySelector('.htmx-request')", timeout=TIMEOUT_MS)
    observed = page.evaluate(OBSERVE_SCRIPT)
    while traffic.is_open():
        page.evaluate(FRAME_SCRIPT)
    if traffic.failures:
        raise RuntimeError(f"{address} is incomplete: {', '.join(traffic.failures)}")
    return Figures(
        **traffic.figures(urlsplit(address).netloc),
        nodes=observed["nodes"],
        paint=observed["paint"] / 1000,
        shift=observed["shift"],
    )


class _Traffic:
    """Network traffic of a page, as the browser's protocol reports it."""

    def __init__(self, line: CDPSession) -> None:
        self._line = line
        self._asked: dict[str, tuple[str, str]] = {}
        self._heads: dict[str, dict[str, Any]] = {}
        self._sizes: dict[str, float] = {}
        self.failures: list[str] = []  # addresses that didn't load, and the errors
        line.on("Network.requestWillBeSent", self._on_request)
        line.on("Network.responseReceived", self._on_response)
        line.on("Network.loadingFinished", self._on_finished)
        line.on("Network.loadingFailed", self._on_failed)

    def _on_request(self, event: dict[str, Any]) -> None:
        if not event["request"]["url"].startswith("data:"):
            self._asked[event["requestId"]] = (event.get("type", ""), event["request"]["url"])

    def _on_response(self, event: dict[str, Any]) -> None:
        self._heads[event["requestId"]] = event["response"]

    def _on_finished(self, event: dict[str, Any]) -> None:
        self._sizes[event["requestId"]] = event["encodedDataLength"]

    def _on_failed(self, event: dict[str, Any]) -> None:
        self._sizes.setdefault(event["requestId"], 0)
        if not event.get("canceled"):
            _, url = self._asked.get(event["requestId"], ("", "a request"))
            self.failures.append(f"{url}: {event['errorText']}")

    def is_open(self) -> bool:
        return bool(self._asked.keys() - self._sizes.keys())

    def figures(self, host: str) -> dict[str, float]:
        def total(kind: str) -> float:
            return sum(
                self._body(number)
                for number, (type_, url) in tuple(self._asked.items())
                if type_ == kind and not any(part in url for part in VENDORED_PATHS)
            )

        return {
            "requests": len(self._asked),
            "transferred": sum(self._sizes.values()),
            "html": total("Document"),
            "css": total("Stylesheet"),
            "own_script": total("Script"),
            "fonts": sum(type_ == "Font" for type_, _ in self._asked.values()),
            "strangers": sum(urlsplit(url).netloc != host for _, url in self._asked.values()),
        }

    def _body(self, number: str) -> float:
        """Return the transferred size of the body.

        Pages carry up to 100 bytes of random padding against guessing by length. They are
        compressed again without it, so that the size is reproducible.
        """
        head = self._heads[number]
        encodings = {name.lower(): value for name, value in head["headers"].items()}
        answer = self._line.send("Network.getResponseBody", {"requestId": number})
        body = answer["body"]
        plain = base64.b64decode(body) if answer["base64Encoded"] else body.encode()
        return (
            len(gzip.compress(plain, 6))
            if encodings.get("content-encoding") == "gzip"
            else len(plain)
        )
