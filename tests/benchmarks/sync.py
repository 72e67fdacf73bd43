"""A whole sync against other clients: `python -m tests.benchmarks.sync`.

Options: [--flows 10000] [--runs 7] [--output FILE.json]. It compares a sync without changes with
Twilio's own client, which only lists, and with bare requests, at latencies of 0 and 150 ms, in
turns. It also measures the first sync, and what names for 300 Studio Flows and 40 workflows add to
a sync within Twilio's rates. The exit status is 1 if a promise isn't kept.

DATABASE_URL chooses the database; the default is a temporary SQLite file. The sandbox is a process
of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import requests
from rich.console import Console
from rich.table import Table
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

import tests.faults.ready  # noqa: F401 - Django comes first

# isort: split
from django.db import connection
from django.test import override_settings

from flows.accounts import twilio_accounts
from flows.mirror import name_sync
from flows.mirror.sync import sync_account
from flows.names.models import ResourceName
from flows.twilio.sandbox.server import DEMO_ACCOUNT_SID, DEMO_API_KEY, DEMO_API_SECRET
from tests.benchmarks.sizes import at_least
from tests.faults.databases import temporary_databases, use_database
from tests.sandbox_addresses import sandbox_addresses

LATENCIES: Final = (0, 150)  # ms
PAGE_SIZE: Final = 1000  # flows, the most that Twilio gives
MAX_RATIO_TO_TWILIO: Final = 1.0  # of Twilio's own client, where requests take no time of their own
MAX_RATIO_TO_REQUESTS: Final = 1.15  # of the requests' own time, where they take their time
# A sync says that it is under way, and that it is done; nothing else is written if nothing changed.
MAX_WRITES: Final = 2
MAX_SECONDS_FOR_NAMES: Final = 2.0  # added to a sync, where requests take no time of their own
STUDIO_FLOWS, WORKFLOWS = 300, 40


@dataclass(frozen=True, slots=True)
class Measurement:
    """Seconds of each run of one candidate at one latency."""

    what: str
    latency: int
    seconds: list[float]
    queries: int = 0
    writes: int = 0
    received: int = 0  # bytes

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


@contextmanager
def run_sandbox(flows: int, latency: int) -> Iterator[str]:
    """Run a sandbox in its own process, which takes no time from this one; yield its address."""
    command = [
        "django",
        "sandbox",
        "--port",
        "0",
        "--flows",
        str(flows),
        "--latency-ms",
        str(latency),
        "--studio-flows",
        str(STUDIO_FLOWS),
        "--workflows",
        str(WORKFLOWS),
    ]
    process = subprocess.Popen([sys.executable, "-m", *command], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        addresses = (
            line.strip().removeprefix("FLEX_API_URL=")
            for line in process.stdout
            if "FLEX_API_URL=" in line
        )
        yield next(addresses)
    finally:
        process.terminate()
        process.communicate()


def list_with_twilio(address: str) -> int:
    http = TwilioHttpClient()
    client = Client(DEMO_API_KEY, DEMO_API_SECRET, DEMO_ACCOUNT_SID, http_client=http)
    client.flex_api.base_url = address.removesuffix("/v1")
    flows = len(client.flex_api.v1.flex_flow.list(page_size=PAGE_SIZE))
    http.session.close()
    return flows


def list_with_requests(address: str) -> tuple[int, int]:
    """Return the number of flows and bytes of a listing by bare requests."""
    url, flows, size = f"{address}/FlexFlows?PageSize={PAGE_SIZE}", 0, 0
    with requests.Session() as session:
        session.auth, session.trust_env = (DEMO_API_KEY, DEMO_API_SECRET), False
        while url:
            answer = session.get(url)
            page = answer.json()
            flows, size, url = (
                flows + len(page["flex_flows"]),
                size + len(answer.content),
                page["meta"]["next_page_url"],
            )
    return flows, size


def measure(address: str, flows: int, latency: int, runs: int) -> list[Measurement]:
    account_sid = twilio_accounts.all_accounts()[0].sid
    with override_settings(**sandbox_addresses(address)):
        sync = partial(sync_account, account_sid)
        first = time_call(sync)
        counted = Counter[str]()
        with connection.execute_wrapper(_count_queries(counted)):
            report = sync()
        assert (report.flows, report.has_changes) == (flows, False)
        size = list_with_requests(address)[1]
        acts: dict[str, Callable[[], Any]] = {
            "sync": sync,
            "twilio": lambda: list_with_twilio(address),
            "bare": lambda: list_with_requests(address),
        }
        seconds: dict[str, list[float]] = {name: [] for name in acts}
        for _ in range(runs):
            for name, act in acts.items():
                seconds[name].append(time_call(act))
    first_names, *later_names = measure_names(address, account_sid, runs)
    writes = sum(count for verb, count in counted.items() if verb in ("INSERT", "UPDATE", "DELETE"))
    figures = {"queries": counted.total(), "writes": writes, "received": size}
    return [
        Measurement("the first sync, all on record", latency, [first]),
        Measurement("a sync, nothing changed", latency, seconds["sync"], **figures),
        Measurement("twilio-python, listing only", latency, seconds["twilio"], received=size),
        Measurement("bare requests, parsing only", latency, seconds["bare"], received=size),
        Measurement("the first names, all stored", latency, [first_names]),
        Measurement("names, nothing changed", latency, later_names),
    ]


def measure_names(address: str, account_sid: str, runs: int) -> list[float]:
    """Return the seconds of each reading of all names, within Twilio's rates."""
    api_url = f"{address.removesuffix('/v1')}/{{product}}"
    refresh = partial(name_sync.refresh_names, account_sid)
    with override_settings(FLEX_API_URL=address, TWILIO_API_URL=api_url, FLEX_RATE_LIMITS=True):
        report = refresh()
        assert not report.failures
        assert (
            ResourceName.objects.filter(resource="studio_flow", gone_at=None).count()
            >= STUDIO_FLOWS
        )
        ResourceName.objects.all().delete()
        seconds = []
        for _ in range(runs + 1):
            time.sleep(2)  # turns that the reading before took are free again
            seconds.append(time_call(refresh))
    return seconds


def time_call(act: Callable[[], Any]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _count_queries(counted: Counter[str]) -> Callable[..., Any]:
    """Count database statements by verb, without those that only set up the connection."""

    def count(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        verb = sql.split(None, 1)[0].upper()
        # A deletion of what is not there, or an update that finds no row, writes nothing.
        if verb not in ("PRAGMA", "SET", "RESET", "BEGIN") and (
            verb == "SELECT" or context["cursor"].rowcount
        ):
            counted[verb] += 1
        return result

    return count


def check_promises(rows: list[Measurement]) -> dict[str, tuple[float, float]]:
    """Return the promises with their limits and measured values."""
    by = {(row.what.split(",")[0], row.latency): row for row in rows}
    ours = {latency: by["a sync", latency] for latency in LATENCIES}
    return {
        "beside twilio-python at 0 ms": (
            ours[0].median / by["twilio-python", 0].median, MAX_RATIO_TO_TWILIO
        ),
        "beside the bare requests at 150 ms": (
            ours[150].median / by["bare requests", 150].median, MAX_RATIO_TO_REQUESTS
        ),
        "seconds for names at 0 ms": (
            max(by["names", 0].median, by["the first names", 0].median), MAX_SECONDS_FOR_NAMES
        ),
        "writes, if nothing changed": (max(row.writes for row in ours.values()), MAX_WRITES),
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flows", type=at_least(1), default=10_000)
    parser.add_argument("--runs", type=at_least(1), default=7)
    parser.add_argument("--output", type=Path, help="a file for every run's figures, as JSON")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    rows: list[Measurement] = []
    vendor = connection.vendor
    with temporary_databases(len(LATENCIES)) as names, Console(stderr=True).status("") as status:
        for latency, name in zip(LATENCIES, names, strict=True):
            status.update(f"{options.flows:,} flows at {latency} ms a request")
            use_database(name)
            with run_sandbox(options.flows, latency) as address:
                rows += measure(address, options.flows, latency, max(1, options.runs))
    promises = check_promises(rows)
    Console().print(
        build_table(rows, f"{options.flows:,} flows, {vendor}, medians of {options.runs}")
    )
    for what, (found, most) in promises.items():
        Console().print(
            f"{what}: {found:.2f}, at most {most:g}: {'kept' if found <= most else 'NOT KEPT'}"
        )
    if options.output:
        results = {"vendor": vendor, "rows": [asdict(row) for row in rows], "promises": promises}
        options.output.write_text(json.dumps(results, indent=2) + "\n")
    return 0 if all(found <= most for found, most in promises.values()) else 1


def build_table(rows: list[Measurement], title: str) -> Table:
    table = Table(title=title)
    for name in (
        "what",
        "ms a request",
        "seconds",
        "to the bare requests",
        "queries",
        "writes",
        "bytes received",
    ):
        table.add_column(name, justify="left" if name == "what" else "right")
    for row in rows:
        bare_one = next(
            one for one in rows if one.latency == row.latency and one.what.startswith("bare")
        )
        figures = (
            f"{number:,}" if number else "" for number in (row.queries, row.writes, row.received)
        )
        ratio = f"{row.median / bare_one.median:.2f}"
        table.add_row(row.what, str(row.latency), f"{row.median:.3f}", ratio, *figures)
    return table


if __name__ == "__main__":
    sys.exit(main())
