"""The audit log, short and long: `python -m tests.benchmarks.log`.

Options: [--events 1000000] [--small 10000] [--runs 9] [--append-seconds 5] [--output FILE.json]. It
measures the log's pages in turns, and the events appended a second by one process and by eight. The
exit status is 1 if a promise isn't kept. 10,000,000 events take some 25 GB and two hours to create.

DATABASE_URL chooses the database; the default is temporary SQLite files.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

import tests.faults.ready  # noqa: F401 - Django comes first

# isort: split
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from flexadmin.models import AccountRole
from flexadmin.users.roles import ensure_groups
from flows.audit import audit_log
from flows.audit.models import AuditEvent
from tests.benchmarks.log_filling import (
    COMMON_WORD,
    FIRST_ACTOR,
    LAST_PAGE_SEQ,
    MAIN_ACCOUNT,
    PLAN_ID,
    RARE_ACTOR,
    RARE_WORD,
    SECOND_ACCOUNT,
    VISITOR,
    fill_log,
)
from tests.benchmarks.sizes import at_least
from tests.faults.acting import database_url
from tests.faults.databases import temporary_databases, use_database

MIN_EVENTS: Final = 6000  # events: there are some of each kind, and of different days
MAX_GROWTH: Final = 1.5  # of a page's time where the log is short
MAX_LAST_PAGE_RATIO: Final = 2.0  # the last page beside the first
# Pages that can't have as many rows in both: what they show instead.
UNEQUAL_PAGES: Final = {
    "a word, long ago": "the long log's page ends 10,000 events back, before any that has it"
}


@dataclass(slots=True)
class Page:
    """Measurements of one page: seconds of each visit, and uncompressed bytes."""

    what: str
    seconds: list[float] = field(default_factory=list)
    queries: int = 0
    size: int = 0
    rows: int = 0

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


class Log:
    """One database with its log, and two users: one of every account, one of the second only."""

    def __init__(self, name: str, events: int) -> None:
        self.name, self.events = name, events
        use_database(name)
        fill_log(events)
        ensure_groups()
        self._clients = {}
        for person, account in (("everywhere", ""), ("scoped", SECOND_ACCOUNT)):
            user, _ = User.objects.get_or_create(username=person)
            role = Group.objects.get(name="viewer")
            if account:
                AccountRole.objects.get_or_create(person=user, account_sid=account, role=role)
            else:
                user.groups.set([role])
            self._clients[person] = Client()
            self._clients[person].force_login(user)
        self._asked = self._page_requests()
        self.pages = {what: Page(what) for what in self._asked}

    def _page_requests(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """Yield name, user and address of each page."""
        near, far = (
            AuditEvent.objects.get(seq=seq).at.date().isoformat()
            for seq in (self.events - 3000, self.events * 2 // 5)
        )
        busy = AuditEvent.objects.filter(action="flow.drift", account_sid=MAIN_ACCOUNT)
        flow = statistics.mode(busy.order_by("-seq").values_list("target_sid", flat=True)[:500])
        for_all = {
            "first page": {},
            "deep inside": {"before": self.events // 2},
            "last page": {"before": LAST_PAGE_SEQ},
            "a flow": {"sid": flow},
            "a person": {"actor": "person 1"},
            "a person, seldom": {"actor": RARE_ACTOR},
            "a person, long ago": {"actor": FIRST_ACTOR},
            "a person who signs in": {"actor": VISITOR},
            "a result": {"result": "failed"},
            "under way": {"result": "pending"},
            "an action": {"action": "flow.delete"},
            "an account": {"account": SECOND_ACCOUNT},
            "a day": {"from": near, "to": near},
            "a day long ago": {"from": far, "to": far},
            "up to a day": {"to": far},
            "a plan": {"plan": str(PLAN_ID)},
            "a person and a result": {"actor": "person 1", "result": "failed"},
            "those of a flow": {"actor": "person 1", "result": "failed", "sid": flow},
            "a word of a flow, nowhere": {"q": "nowhere", "sid": flow},
            "those of a plan": {"actor": "person 1", "result": "failed", "plan": str(PLAN_ID)},
            "a word, common": {"q": COMMON_WORD},
            "a word, rare": {"q": RARE_WORD},
            "a word, long ago": {"q": FIRST_ACTOR},
            "a word that is nowhere": {"q": "nowhere"},
        }
        for_one = {
            "first page": {},
            "a person": {"actor": "person 1"},
            "a result": {"result": "failed"},
        }
        return {what: ("everywhere", asked) for what, asked in for_all.items()} | {
            f"of one account: {what}": ("scoped", asked) for what, asked in for_one.items()
        }

    def visit(self, what: str) -> None:
        """Request a page again, on a connection that has shown it before."""
        use_database(self.name)
        (person, address), page = self._asked[what], self.pages[what]
        client = self._clients[person]
        client.get("/audit/", address)
        if not page.seconds:
            with CaptureQueriesContext(connection) as queries:
                client.get("/audit/", address)
            page.queries = len(queries)
        began = time.perf_counter()
        answer = client.get("/audit/", address)
        page.seconds.append(time.perf_counter() - began)
        page.size, page.rows = len(answer.content), answer.content.count(b'<td class="time">')
        assert answer.status_code == 200

    def appended(self, processes: int, seconds: float) -> float:
        """Return events a second of all processes together, which append for so many seconds."""
        use_database(self.name)
        url = database_url()
        connection.close()
        running = [
            subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.benchmarks.log",
                    "--append",
                    "--append-seconds",
                    str(seconds),
                ],
                env={**os.environ, "DATABASE_URL": url},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(processes)
        ]
        for process in running:  # each is ready
            assert process.stdout is not None
            process.stdout.readline()
        counts = [process.communicate("go\n")[0] for process in _start_all(running)]
        return sum(map(int, counts)) / seconds


def _start_all(running: list[subprocess.Popen[str]]) -> Iterator[subprocess.Popen[str]]:
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    yield from running


def append_events(seconds: float) -> None:
    """Append for some seconds after the signal, as one of several processes; print the count."""
    actor = audit_log.Actor(id="1", label="person 1", role="operator")
    fields = {
        "action": "flow.update",
        "stage": "access",
        "result": "denied",
        "account_sid": MAIN_ACCOUNT,
    }
    audit_log.append(actor=actor, **fields)
    print("ready", flush=True)  # noqa: T201
    sys.stdin.readline()
    count, until = 0, time.perf_counter() + seconds
    while time.perf_counter() < until:
        audit_log.append(actor=actor, **fields)
        count += 1
    print(count)  # noqa: T201


def build_table(short: Log, long: Log, runs: int) -> Table:
    table = Table(title=f"The audit log's page, {connection.vendor}, medians of {runs} visits, ms")
    for title in (
        "what",
        f"{short.events:,}",
        f"{long.events:,}",
        "ratio",
        "queries",
        "bytes",
        "rows",
        "",
    ):
        table.add_column(title, justify="left" if title in ("what", "") else "right")
    for what, page in long.pages.items():
        before = short.pages[what]
        figures = (f"{one.median * 1000:.1f}" for one in (before, page))
        ratio = f"{page.median / before.median:.2f}"
        said = (
            f"{before.queries}, {page.queries}",
            f"{page.size:,}",
            f"{before.rows}, {page.rows}",
        )
        table.add_row(what, *figures, ratio, *said, UNEQUAL_PAGES.get(what, ""))
    return table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=at_least(MIN_EVENTS), default=1_000_000)
    parser.add_argument("--small", type=at_least(MIN_EVENTS), default=10_000)
    parser.add_argument("--runs", type=at_least(1), default=9)
    parser.add_argument("--append-seconds", type=float, default=5.0)
    parser.add_argument("--output", type=Path, help="a file for every visit's figures, as JSON")
    parser.add_argument("--append", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.append:
        append_events(options.append_seconds)
        return 0
    with temporary_databases(2) as names, Console(stderr=True).status("") as status:
        logs = []
        for name, events in zip(names, (options.small, options.events), strict=True):
            status.update(f"making a log of {events:,} events")
            began = time.monotonic()
            logs.append(Log(name, events))
            Console().print(f"{events:,} events made in {time.monotonic() - began:.0f} s")
        for run in range(options.runs):
            status.update(f"visit {run + 1}")
            for what in logs[0].pages:
                for log in logs:
                    log.visit(what)
        status.update("appending")
        rates = {
            f"{log.events}": {
                str(count): log.appended(count, options.append_seconds) for count in (1, 8)
            }
            for log in logs
        }
    short, long = logs
    Console().print(build_table(short, long, options.runs))
    promises = check_promises(short, long)
    for said, (found, most) in promises.items():
        if found > most:
            Console().print(f"NOT KEPT: {said}: {found:.2f}, at most {most:g}")
    for events, rate in rates.items():
        each = ", ".join(f"{found:,.0f} with {count}" for count, found in rate.items())
        Console().print(f"Events a second, by processes, behind {int(events):,}: {each}")
    if options.output:
        pages = {log.events: [asdict(page) for page in log.pages.values()] for log in logs}
        results = {
            "vendor": connection.vendor,
            "pages": pages,
            "promises": promises,
            "appended": rates,
        }
        options.output.write_text(json.dumps(results, indent=2) + "\n")
    return 0 if all(found <= most for found, most in promises.values()) else 1


def check_promises(short: Log, long: Log) -> dict[str, tuple[float, float]]:
    """Return the promises with their limits and measured values."""
    grown = {
        f"{what}, beside a short log": (page.median / short.pages[what].median, MAX_GROWTH)
        for what, page in long.pages.items()
    }
    unlike = sum(
        short.pages[what].rows != page.rows
        for what, page in long.pages.items()
        if what not in UNEQUAL_PAGES
    )
    last = long.pages["last page"].median / long.pages["first page"].median
    return {
        **grown,
        "the last page beside the first": (last, MAX_LAST_PAGE_RATIO),
        "pages that have not as many rows in both": (unlike, 0),
    }


if __name__ == "__main__":
    sys.exit(main())
