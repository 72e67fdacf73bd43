"""Two sites on one PostgreSQL: `python -m tests.faults.two_sites [--seconds N]`.

The users' requests go to either site at random. Halfway one site is restarted as by systemd. The
exit status is 1 if a request fails, two syncs run at once, or the log is incomplete.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from unittest import mock

from rich.console import Console
from rich.table import Table

import tests.faults.ready  # noqa: F401 - Django comes first
from tests import ACCOUNT

# isort: split
from django.db import connection
from django.db.models import Max
from django.test import override_settings

from flows.audit import audit_log, verification
from flows.audit.models import AuditEvent
from flows.mirror.models import SyncState
from flows.mirror.sync import sync_account
from flows.twilio.sandbox.faults import LIST_PATH
from flows.twilio.sandbox.server import Sandbox
from tests.faults.acting import wait_for
from tests.faults.busy import DEPLOYED_OPTIONS, KnownFlows, SimulatedUser, Site
from tests.faults.databases import temporary_databases, use_database
from tests.faults.kills import create_sessions
from tests.faults.witness import VIOLATIONS, Findings, WriteObserver, compare_with_log
from tests.patience import HANG_TIMEOUT
from tests.sandbox_addresses import sandbox_addresses

CLIENTS, WORKERS, FLOWS = 16, 4, 200
LATENCY: Final = 0.02  # seconds that a request takes at the sandbox
MIN_RESPONSES: Final = 150  # so that a slow start leaves time for some of each kind
LISTING_SECONDS: Final = 0.2  # seconds that a listing takes, so that two at once would meet
# What a person is told of what others did meanwhile is no failure.
OK_STATUSES: Final = {"200", "302", "404", "409", "422"}
CONNECTION_LOST: Final = "line broke"
Progress = Callable[[int], float]  # from how often the sites answered, how far it is: 1 at the end


class Visitor(SimulatedUser):
    """User whose requests go to a random site, so that one site's form is sent to the other."""

    CHANGES = {"/flows/": 25, "/flows/?q=name": 10, "/audit/": 15, "edit": 20, "enabled": 12, "new": 8, "delete": 2, "sync": 8}  # fmt: skip

    def __init__(
        self, session: str, sites: list[Site], flows: KnownFlows, chance: random.Random
    ) -> None:
        super().__init__(session, sites[0], flows, chance)
        self._sites = sites

    @property
    def root(self) -> str:
        return self._chance.choice(self._sites).root


@dataclass(slots=True)
class Report:
    """Responses to the users, and the contents of the log."""

    heard: Counter[str] = field(default_factory=Counter)
    verdict: Findings = field(default_factory=Findings)
    syncs: int = 0
    syncs_at_once: int = 0
    events: int = 0
    is_gapless: bool = False
    chain: str = ""
    restart: float = 0.0  # seconds until the site had ended
    exit_status: int = -1
    seconds: float = 0.0

    @property
    def failed(self) -> dict[str, int]:
        return {
            status: count
            for status, count in self.heard.items()
            if status not in (*OK_STATUSES, CONNECTION_LOST)
        }

    @property
    def is_good(self) -> bool:
        return (
            not self.failed and not self.verdict.complaints and self.syncs > 1 and self.syncs_at_once == 1
            and self.is_gapless and self.chain == "valid" and self.exit_status == 0
        )  # fmt: skip


def simulate(
    *, clients: int, workers: int, flows: int, seed: int, folder: Path, progress: Progress
) -> Report:
    """Run the sites on this process's own database."""
    report, started = Report(), time.monotonic()
    with (
        Sandbox(latency=LATENCY) as sandbox,
        override_settings(**sandbox_addresses(sandbox.url), FLEX_RATE_LIMITS=False),
        ExitStack() as stack,
    ):
        known_flows = KnownFlows([sandbox.add_flow() for _ in range(flows)])
        sync_account(ACCOUNT)
        witness = WriteObserver(sandbox)
        stack.enter_context(_count_listings(sandbox, report))
        # A server takes a hundred connections by default, and these may not be the only sites on it.
        stack.enter_context(mock.patch.dict("os.environ", {"DATABASE_POOL_SIZE": "5"}))
        options = (*DEPLOYED_OPTIONS, "--workers", str(workers))
        sites = [
            Site(api=sandbox.url, folder=folder, options=options, name=name)
            for name in ("one", "two")
        ]
        for site in sites:
            stack.callback(site.close)
        crowd = [
            Visitor(session, sites, known_flows, random.Random(f"{seed} {number}"))
            for number, session in enumerate(create_sessions(clients))
        ]
        _run_load(crowd, sites[1], progress, report)
        wait_for(witness.is_quiet)
        report.verdict = compare_with_log(witness.seen)
    _check_log(report)
    report.seconds = time.monotonic() - started
    return report


def _run_load(crowd: list[Visitor], restarted: Site, progress: Progress, report: Report) -> None:
    def count_responses() -> int:
        assert not any(person.error for person in crowd), next(
            filter(None, (one.error for one in crowd))
        )
        return sum(sum(person.heard.values()) for person in crowd)

    for person in crowd:
        person.start()
    wait_for(lambda: progress(count_responses()) >= 0.5, seconds=600)
    began = time.monotonic()
    restarted.stop()
    report.exit_status = restarted.wait(HANG_TIMEOUT)
    report.restart = time.monotonic() - began
    restarted.start()
    wait_for(lambda: progress(count_responses()) >= 1, seconds=600)
    for person in crowd:
        person.stop()
    for person in crowd:
        person.join(HANG_TIMEOUT)
        assert not person.is_alive()
        if person.error:
            raise person.error
        report.heard.update(person.heard)


@contextmanager
def _count_listings(sandbox: Sandbox, report: Report) -> Iterator[None]:
    """Count listings of all flows, which only a sync requests; each takes a while."""
    respond, lock, under_way = sandbox._api.respond, threading.Lock(), [0]

    def counted(request: Any, received: Any) -> Any:
        if (request.method, request.path) != ("GET", LIST_PATH):
            return respond(request, received)
        with lock:
            under_way[0] += 1
            report.syncs += 1
            report.syncs_at_once = max(report.syncs_at_once, under_way[0])
        try:
            time.sleep(LISTING_SECONDS)
            return respond(request, received)
        finally:
            with lock:
                under_way[0] -= 1

    with mock.patch.object(sandbox._api, "respond", counted):
        yield


def _check_log(report: Report) -> None:
    report.events = AuditEvent.objects.count()
    newest = AuditEvent.objects.aggregate(newest=Max("seq"))["newest"]
    report.is_gapless = report.events == newest == audit_log.last_seq()
    chain = verification.verify()
    report.chain = "valid" if chain.bad_seq is None else f"event {chain.bad_seq} {chain.fault}"
    if SyncState.objects.exclude(started_at=None).exists():
        report.verdict.complain("a sync that never ended", "at the end")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.two_sites", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--clients", type=int, default=CLIENTS, help="who are at it at once")
    parser.add_argument("--workers", type=int, default=WORKERS, help="of each site")
    parser.add_argument("--flows", type=int, default=FLOWS, help="that are there at the start")
    parser.add_argument("--seed", type=int, default=1)
    options = vars(parser.parse_args())
    if connection.vendor != "postgresql":
        parser.error("two sites share a PostgreSQL: set DATABASE_URL")
    console, seconds = Console(), options.pop("seconds")
    with temporary_databases(1) as (own,), tempfile.TemporaryDirectory() as folder:
        use_database(own)
        began = time.monotonic()
        report = simulate(
            **options,
            folder=Path(folder),
            progress=lambda responses: min(
                (time.monotonic() - began) / seconds, responses / MIN_RESPONSES
            ),
        )
    console.print(_build_table(report))
    for complaint in report.verdict.complaints:
        console.print(f"[red]{complaint}", highlight=False)
    return 0 if report.is_good else 1


def _build_table(report: Report) -> Table:
    table = Table(title="Two sites on one PostgreSQL, one of them restarted", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for label, count in sorted(report.heard.items()):
        table.add_row(label if label == CONNECTION_LOST else f"answered {label}", f"{count:,}")
    table.add_section()
    table.add_row("requests that failed", _format_count(sum(report.failed.values())))
    table.add_row("syncs", f"{report.syncs:,}")
    table.add_row("syncs at once, at most", str(report.syncs_at_once))
    table.add_row("events in the log", f"{report.events:,}")
    table.add_row("gaps in their order", "[green]none" if report.is_gapless else "[bold red]some")
    table.add_row("chain", report.chain)
    for label in VIOLATIONS:
        table.add_row(label, _format_count(report.verdict.counts[label]))
    table.add_section()
    table.add_row("seconds until the restarted site had ended", f"{report.restart:.1f}")
    table.add_row("seconds", f"{report.seconds:.0f}")
    return table


def _format_count(count: int) -> str:
    return f"[bold red]{count}" if count else "[green]0"


if __name__ == "__main__":
    sys.exit(main())
