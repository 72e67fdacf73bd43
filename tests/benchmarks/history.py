"""The flows at a moment, from a long audit log: `python -m tests.benchmarks.history`.

Options: [--events 1000000] [--flows 2500] [--runs 5] [--output FILE.json]. It measures the list's page
and its CSV file with all flows, at three moments, and a comparison of two of them. The exit status is
1 if a promise isn't kept.

DATABASE_URL chooses the database; the default is a temporary SQLite file.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

import tests.faults.ready  # noqa: F401 - Django comes first

# isort: split
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client

from flexadmin.users.roles import ensure_groups
from flows.audit.models import AuditEvent
from flows.history.known_states import states_at
from flows.history.moments import find_position, format_moment
from tests.benchmarks.log_filling import MAIN_ACCOUNT, fill_log
from tests.benchmarks.sizes import at_least
from tests.faults.databases import temporary_databases, use_database

MOST_SECONDS: Final = 2.0  # for a list of flows at a moment
MIN_EVENTS: Final = 3000  # events: all flows have a first state, and then some change
SHARES: Final = (0.1, 0.5, 0.99)  # of the log that come before the moments


def measure(events: int, flows: int, runs: int) -> dict[str, Any]:
    """Return the medians of each candidate in seconds, and the number of flows at each moment."""
    fill_log(events, {MAIN_ACCOUNT: flows}, flows)
    moments = [AuditEvent.objects.get(seq=int(events * share)).at for share in SHARES]
    client = _sign_in()
    candidates: dict[str, Callable[[], Any]] = {}
    for share, moment in zip(SHARES, moments, strict=True):
        at = format_moment(moment)
        candidates[f"page at {share:.0%} of the log"] = _get(client, "/flows/history/", at=at)
        candidates[f"states at {share:.0%} of the log"] = _read_states(moment)
    middle, late = map(format_moment, moments[1:])
    candidates["all flows as CSV"] = _post(client, "/flows/history/export/", at=middle)
    compare_url = "/flows/history/compare/"
    candidates["comparison of two moments"] = _get(
        client, compare_url, **{"from": middle, "to": late}
    )
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for turn in range(runs + 1):
        for name, run in candidates.items():
            began = time.perf_counter()
            run()
            if turn:  # the first one warms up
                seconds[name].append(time.perf_counter() - began)
    return {
        "events": AuditEvent.objects.count(),
        "flows": [len(states_at(find_position(moment))) for moment in moments],
        "seconds": {name: statistics.median(values) for name, values in seconds.items()},
    }


def _sign_in() -> Client:
    ensure_groups()
    user, _ = User.objects.get_or_create(username="reader")
    user.groups.set([Group.objects.get(name="viewer")])
    client = Client()
    client.force_login(user)
    return client


def _get(client: Client, path: str, **parameters: str) -> Callable[[], None]:
    def visit() -> None:
        response = client.get(path, parameters)
        if response.status_code != 200 or b"Invalid filter" in response.content:
            raise RuntimeError(f"{path} answered {response.status_code}")

    return visit


def _post(client: Client, path: str, **form: str) -> Callable[[], None]:
    def visit() -> None:
        response = client.post(path, form)
        if response.status_code != 200:
            raise RuntimeError(f"{path} answered {response.status_code}")

    return visit


def _read_states(moment: Any) -> Callable[[], Any]:
    return lambda: states_at(find_position(moment))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=at_least(MIN_EVENTS), default=1_000_000)
    parser.add_argument("--flows", type=at_least(10), default=2500)
    parser.add_argument("--runs", type=at_least(1), default=5)
    parser.add_argument("--output", type=Path, help="a file for the figures, as JSON")
    options = parser.parse_args()
    with temporary_databases(1) as names:
        use_database(names[0])
        figures = measure(options.events, options.flows, options.runs)
        vendor = connection.vendor
    title = f"{figures['events']:,} events, {options.flows:,} flows, {vendor}"
    table = Table(title=f"{title}, medians of {options.runs}")
    for heading in ("", "ms"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, seconds in figures["seconds"].items():
        table.add_row(name, f"{seconds * 1000:,.0f}")
    console = Console()
    console.print(table)
    slowest = max(
        seconds for name, seconds in figures["seconds"].items() if not name.startswith("comparison")
    )
    is_kept = slowest <= MOST_SECONDS and set(figures["flows"]) == {options.flows}
    verdict = "kept" if is_kept else "NOT KEPT"
    console.print(f"slowest list: {slowest:.2f} s, at most {MOST_SECONDS:g} s: {verdict}")
    if options.output:
        options.output.write_text(json.dumps(figures, indent=2) + "\n")
    return 0 if is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
