"""The checks of an account beside the reading of its flows: `python -m tests.benchmarks.checks`.

Options: [--flows 2500] [--runs 9] [--output FILE.json]. Flows and names come from a sandbox. In turns
it measures all rules over all flows with their names, the reading alone, and the checks of one flow
with what surrounds it. The exit status is 1 if a promise isn't kept.

DATABASE_URL chooses the database; the default is a temporary SQLite file.
"""

from __future__ import annotations

import argparse
import json
import os
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
from django.db import connection
from django.test import override_settings

from flows.accounts import twilio_accounts
from flows.checks.checking import RULES, check_accounts
from flows.checks.flow_surroundings import check_with_surroundings
from flows.checks.stored_state import load_state
from flows.mirror.name_sync import refresh_names, sync_with_names
from flows.twilio.sandbox.server import Sandbox
from tests.benchmarks.sizes import at_least
from tests.faults.databases import temporary_databases, use_database
from tests.sandbox_addresses import sandbox_addresses

REFRESHES: Final = 5  # after which all definitions and services are read
MOST_SECONDS: Final = 1.0  # for all rules over all flows, with the reading


def measure(flows: int, runs: int) -> dict[str, Any]:
    """Return the medians of each candidate in seconds, and the number of findings."""
    with Sandbox(flows=flows) as sandbox, override_settings(**sandbox_addresses(sandbox.url)):
        (account,) = twilio_accounts.all_accounts()
        sync_with_names(account.sid)
        for _ in range(REFRESHES):  # each reads a few of the definitions and services
            refresh_names(account.sid)
        state = load_state(account.sid)
        sid, snapshot = next(iter(state.flows.items()))
        candidates: dict[str, Callable[[], Any]] = {
            "all rules over all flows": lambda: check_accounts([account]),
            "reading flows and names": lambda: load_state(account.sid),
            "one flow with what surrounds it": lambda: check_with_surroundings(
                account.sid, sid, snapshot
            ),
        }
        seconds: dict[str, list[float]] = {name: [] for name in candidates}
        for turn in range(runs + 1):
            for name, run in candidates.items():
                began = time.perf_counter()
                run()
                if turn:  # the first one warms up
                    seconds[name].append(time.perf_counter() - began)
        report = check_accounts([account])
    return {
        "flows": report.flow_count,
        "rules": len(RULES),
        "findings": len(report.findings),
        "unmet": len(report.unmet),
        "seconds": {name: statistics.median(values) for name, values in seconds.items()},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flows", type=at_least(10), default=2500)
    parser.add_argument("--runs", type=at_least(1), default=9)
    parser.add_argument("--output", type=Path, help="a file for the figures, as JSON")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    with temporary_databases(1) as names:
        use_database(names[0])
        figures = measure(options.flows, options.runs)
        vendor = connection.vendor
    table = Table(title=f"{figures['flows']:,} flows, {vendor}, medians of {options.runs}")
    for heading in ("", "ms"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, seconds in figures["seconds"].items():
        table.add_row(name, f"{seconds * 1000:,.1f}")
    console = Console()
    console.print(table)
    console.print(f"{figures['rules']} rules, {figures['findings']:,} findings")
    found = figures["seconds"]["all rules over all flows"]
    is_kept = found <= MOST_SECONDS and not figures["unmet"]
    verdict = "kept" if is_kept else "NOT KEPT"
    console.print(f"all rules: {found:.2f} s, at most {MOST_SECONDS:g} s, none omitted: {verdict}")
    if options.output:
        options.output.write_text(json.dumps(figures, indent=2) + "\n")
    return 0 if is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
