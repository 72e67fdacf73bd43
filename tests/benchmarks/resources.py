"""The list of channels beside the API's own answer: `python -m tests.benchmarks.resources`.

Options: [--channels 5000] [--runs 30] [--latency-ms 150] [--output FILE.json]. The site runs as
deployed. Its first page and a later one are measured in turns with the same pages of the API, which
is a sandbox: without a delay, and with one like Twilio's. The exit status is 1 if a promise isn't
kept.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import re
import statistics
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from html import unescape
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from flows.twilio.sandbox.server import Sandbox
from tests.benchmarks.asking import ServedSite
from tests.benchmarks.deployed import environment, run_module, serve_site
from tests.benchmarks.sizes import at_least
from tests.patience import HANG_TIMEOUT

FLOWS: Final = 300
LATER_PAGES: Final = 3  # the later page is so many pages on
MOST_OF_API: Final = 2.5  # times the API's own time, with Twilio's delay
MOST_MEMORY: Final = 10.0  # MB that a worker may grow by
WARMUP_REQUESTS: Final = 12


@contextmanager
def serve_channels(
    folder: Path, channels: int, latency: float
) -> Iterator[tuple[ServedSite, Sandbox]]:
    """Serve the site with a sandbox of so many channels."""
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox(flows=FLOWS, channels=channels))
        variables = environment(folder, f"sqlite:///{folder / 'db.sqlite3'}", sandbox)
        variables |= {
            "DJANGO_SETTINGS_MODULE": "tests.benchmarks.site_settings",
            "FLEX_RATE_LIMITS": "false",
        }
        prepared = {**variables, "DJANGO_SETTINGS_MODULE": "tests.benchmarks.admin_settings"}
        run_module(prepared, "tests.benchmarks.prepare")
        address, process = stack.enter_context(serve_site(folder, variables))
        site = ServedSite("site", address, process, variables)
        sandbox._server.latency = latency  # type: ignore[union-attr]  # not during the preparation
        yield site, sandbox


def ask(address: str, headers: dict[str, str]) -> tuple[float, bytes]:
    """Return the seconds until the whole answer has come, and its body."""
    parts = urllib.parse.urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=HANG_TIMEOUT)
    began = time.perf_counter()
    try:
        connection.request("GET", f"{parts.path}?{parts.query}", headers=headers)
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        raise RuntimeError(f"{address} answered {answer.status}")
    return time.perf_counter() - began, body


def find_later_pages(site: ServedSite, sandbox: Sandbox) -> tuple[str, str]:
    """Return the addresses of a later page at the API and at the site."""
    ours, theirs = f"{site.address}/flex/channels/", f"{sandbox.url}/Channels?PageSize=50"
    for _ in range(LATER_PAGES):
        _, page = ask(ours, {"Cookie": site.cookies})
        link = re.search(r'<a [^>]*rel="next"[^>]*>', page.decode())
        address = re.search(r'href="([^"]+)"', link[0]) if link else None
        if address is None:
            raise RuntimeError("the list has no next page")
        ours = urllib.parse.urljoin(ours, unescape(address[1]))
        _, body = ask(theirs, api_headers(sandbox))
        theirs = json.loads(body)["meta"]["next_page_url"]
    return theirs, ours


def api_headers(sandbox: Sandbox) -> dict[str, str]:
    credentials = f"{sandbox.api_key}:{sandbox.api_secret}".encode()
    return {"Authorization": f"Basic {base64.b64encode(credentials).decode()}"}


def measure(channels: int, runs: int, latency: float) -> dict[str, Any]:
    """Return the medians of both sides in milliseconds, and the growth of a worker in MB."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serve_channels(Path(folder), channels, latency) as (site, sandbox),
    ):
        theirs_later, ours_later = find_later_pages(site, sandbox)
        pages = {
            "first page": (f"{sandbox.url}/Channels?PageSize=50", f"{site.address}/flex/channels/"),
            "later page": (theirs_later, ours_later),
        }
        took: dict[tuple[str, str], list[float]] = {}
        memory = 0.0
        for turn in range(WARMUP_REQUESTS + runs):
            if turn == WARMUP_REQUESTS:
                memory = site.memory()
            for name, (theirs, ours) in pages.items():
                api_seconds, _ = ask(theirs, api_headers(sandbox))
                site_seconds, _ = ask(ours, {"Cookie": site.cookies, "Accept-Encoding": "gzip"})
                if turn >= WARMUP_REQUESTS:
                    took.setdefault((name, "api"), []).append(api_seconds)
                    took.setdefault((name, "site"), []).append(site_seconds)
        medians = {key: statistics.median(values) * 1000 for key, values in took.items()}
        return {
            "latency_ms": round(latency * 1000),
            "growth_mb": site.memory() - memory,
            "pages": {
                name: {"api": medians[name, "api"], "site": medians[name, "site"]} for name in pages
            },
        }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--channels", type=at_least(400), default=5000)
    parser.add_argument("--runs", type=at_least(1), default=30, help="requests of each page")
    parser.add_argument("--latency-ms", type=int, default=150, help="of each answer of the API")
    parser.add_argument("--output", type=Path, help="a file for the figures, as JSON")
    options = parser.parse_args()
    results = [
        measure(options.channels, options.runs, latency)
        for latency in (0.0, options.latency_ms / 1000)
    ]
    table = Table(title=f"The list of {options.channels:,} channels beside the API: medians")
    for title in ("delay, ms", "page", "API, ms", "site, ms", "ratio", "growth, MB"):
        table.add_column(title, justify="left" if title == "page" else "right")
    is_kept = True
    for result in results:
        for name, page in result["pages"].items():
            ratio = page["site"] / page["api"]
            growth = result["growth_mb"]
            table.add_row(
                str(result["latency_ms"]), name, f"{page['api']:.1f}", f"{page['site']:.1f}",
                f"{ratio:.2f}", f"{growth:.1f}",
            )  # fmt: skip
            has_delay = result["latency_ms"] > 0
            is_kept &= growth <= MOST_MEMORY and (ratio <= MOST_OF_API or not has_delay)
    console = Console()
    console.print(table)
    console.print(
        f"With the delay, at most {MOST_OF_API} of the API's own time, and a worker that grows by at "
        f"most {MOST_MEMORY:.0f} MB: {'kept' if is_kept else 'NOT kept'}"
    )
    if options.output:
        options.output.write_text(json.dumps(results, indent=2) + "\n")
    return 0 if is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
