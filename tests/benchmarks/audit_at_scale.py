"""A large audit log: `python -m tests.benchmarks.audit_at_scale [--events 1000000]`.

It fills a database with a log of that size, verifies it, tampers with it in every known way, and
exports it while another process appends. Each step is a process of its own, whose memory is
measured (Linux only). The exit status is 1 if a promise isn't kept.

Without DATABASE_URL the database is a temporary SQLite file of some 4 kB an event.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.table import Table

STEPS = ("build", "verify", "tamper", "ndjson", "csv")
MAX_GROWTH = 100.0  # MB, of an export


@contextmanager
def create_database() -> Iterator[str]:
    """Create an empty database and return its URL."""
    import tests.faults.ready  # noqa: F401 - Django comes first

    # isort: split
    from django.db import connection

    from tests.faults.acting import database_url
    from tests.faults.databases import temporary_databases, use_database

    with temporary_databases(1) as (name,):
        use_database(name)
        url = database_url()
        connection.close()
        yield url


def run_step(name: str, url: str, events: int) -> Iterator[list[Any]]:
    """Run a step in its own process; yield its table rows as they come."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.log_steps", name, str(events)],
        env={**os.environ, "DATABASE_URL": url},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        for line in process.stdout or ():
            yield json.loads(line)
    if process.returncode:
        raise SystemExit(f"the step {name!r} broke off")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    events = max(100, parser.parse_args().events)
    console, began, all_kept = Console(), time.monotonic(), True
    table = Table(title=f"A log of {events:,} events")
    for title in ("what", "found", "seconds", "events/s", "memory, MB more", "kept"):
        table.add_column(title, justify="left" if title in ("what", "found") else "right")
    with create_database() as url, Console(stderr=True).status("") as status:
        for name in STEPS:
            status.update(f"{name}, {time.monotonic() - began:.0f} s so far")
            for step_name, finding, seconds, rate, growth, is_kept in run_step(name, url, events):
                all_kept = all_kept and is_kept
                cells = (f"{seconds:,.1f}", f"{rate:,.0f}" if rate else "", f"{growth:,.1f}")
                table.add_row(step_name, finding, *cells, "yes" if is_kept else "NO")
    console.print(table)
    return 0 if all_kept else 1


if __name__ == "__main__":
    sys.exit(main())
