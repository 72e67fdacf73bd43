"""Rate limits under load: `python -m tests.faults.rates [--seconds N]`.

Two sites under gunicorn and the worker of bulk changes share one database and one Twilio account.
Their users want more calls than Twilio allows. The exit status is 1 if more calls than allowed
arrive at the sandbox, or if an operator's change fails.
"""

from __future__ import annotations

import argparse
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from html import unescape
from pathlib import Path
from typing import Any, Final
from unittest import mock
from urllib.parse import urlsplit

import requests
from rich.console import Console
from rich.table import Table

import tests.faults.ready  # noqa: F401 - Django comes first
from tests import ACCOUNT

# isort: split
from django.contrib.auth.models import User
from django.db import connection
from django.test import override_settings

from flows.accounts.clients import resource_client
from flows.audit.audit_log import Actor
from flows.mirror.sync import sync_account
from flows.plans import drafts, items, start_and_stop
from flows.twilio.description import FLEX_PRODUCT
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.rates import calls_per_second, operation_of_product
from flows.twilio.sandbox.faults import API_ROOT
from tests.benchmarks.sync import run_sandbox as sandbox_process
from tests.faults.acting import NEW_FLOW, wait_for
from tests.faults.busy import DEPLOYED_OPTIONS, HIDDEN_FIELDS, ROOT, KnownFlows, SimulatedUser, Site
from tests.faults.databases import temporary_databases, use_database
from tests.faults.kills import create_sessions
from tests.patience import HANG_TIMEOUT
from tests.sandbox_addresses import sandbox_addresses

SECONDS: Final = 30
WORKERS, VIEWERS, OPERATORS, PLANNED = 4, 16, 2, 20
LATENCY: Final = 0.05  # seconds that a request takes at the sandbox
# Seconds. Of calls that leave a second apart, the first can be held up on its way: a busy machine squeezes
# them.
BURST_WINDOW: Final = 0.75
OK_STATUSES: Final = (200, 302)
SID_AT_END: Final = re.compile(r"/[A-Z]{2}[0-9a-f]{32}(\.json)?$")


class Viewer(SimulatedUser):
    """User who opens one flow's page repeatedly and sometimes refreshes the list."""

    def __init__(
        self, session: str, sites: Sequence[Site], sid: str, chance: random.Random
    ) -> None:
        super().__init__(session, sites[0], KnownFlows([]), chance)
        self._sites, self._sid = sites, sid
        self.seconds: list[float] = []

    @property
    def root(self) -> str:
        return self._chance.choice(self._sites).root

    def _change(self) -> None:
        if self._chance.random() < 0.1:
            self._post("/flows/sync/", form="/flows/")
            return
        began = time.monotonic()
        status = self._session.get(
            f"{self.root}/flows/{self._sid}/", timeout=HANG_TIMEOUT
        ).status_code
        self.seconds.append(time.monotonic() - began)
        self.heard[str(status)] += 1


class Operator(Viewer):
    """User who turns a flow on and off, and creates and deletes another one in between."""

    def __init__(
        self, session: str, sites: Sequence[Site], sid: str, chance: random.Random
    ) -> None:
        super().__init__(session, sites, sid, chance)
        self.failed: list[str] = []
        self._turns = 0

    def _change(self) -> None:
        self._turns += 1
        enabled = "true" if self._turns % 2 else "false"
        began = time.monotonic()
        self._send(f"/flows/{self._sid}/enabled/", enabled=enabled)
        self.seconds.append(time.monotonic() - began)
        if self._turns % 3 == 0:
            number = f"{self._chance.randrange(10**12):012}"
            own = {
                "friendly_name": f"Load {number}",
                "contact_identity": f"+1555{number}",
                "enabled": "false",
            }
            fields = {key: str(value) for key, value in NEW_FLOW.items() if value is not None}
            if created_url := self._send("/flows/new/", **fields | own):
                self._send(
                    f"{created_url}delete/", confirm_name=created_url.rstrip("/").rpartition("/")[2]
                )

    def _send(self, path: str, **typed: str) -> str:
        """Fill in and submit the form at a path; return the address it redirects to, or ""."""
        root = self.root
        page = self._session.get(root + path, timeout=HANG_TIMEOUT)
        hidden = {name: unescape(value) for name, value in HIDDEN_FIELDS.findall(page.text)}
        data = {**hidden, **typed, "reason": "the load"}
        answer = self._session.post(
            self.root + path, data=data, timeout=HANG_TIMEOUT, allow_redirects=False
        )
        self.heard[str(answer.status_code)] += 1
        if page.status_code not in OK_STATUSES or answer.status_code != 302:
            self.failed.append(f"{path.split('/')[-2]}: {page.status_code}, {answer.status_code}")
            return ""
        return urlsplit(answer.headers["Location"]).path


@dataclass(frozen=True, slots=True)
class ArrivedCalls:
    """Arrival times of one kind of call at the sandbox, in seconds of its clock."""

    operation: str
    at: list[float]

    @property
    def rate(self) -> int:
        return calls_per_second(self.operation)

    def max_within(self, seconds: float) -> int:
        first, most = 0, 0
        for last, moment in enumerate(self.at):
            while moment - self.at[first] >= seconds:
                first += 1
            most = max(most, last - first + 1)
        return most

    @property
    def average(self) -> float:
        """Return calls a second, without the first ones, which don't wait for others."""
        spent = self.at[-1] - self.at[0] if len(self.at) > 1 else 0.0
        return max(0, len(self.at) - self.rate) / spent if spent else 0.0

    @property
    def is_within(self) -> bool:
        return self.max_within(BURST_WINDOW) <= self.rate and self.average <= self.rate


@dataclass(slots=True)
class Report:
    """Calls that arrived, and waiting times of the users."""

    arrived: list[ArrivedCalls] = field(default_factory=list)
    pages: list[float] = field(default_factory=list)  # seconds
    switches: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)  # changes of the operators'
    uncoordinated: int = 0  # how often a process could not agree with the others
    planned: int = 0  # bulk changes that were made
    seconds: float = 0.0

    @property
    def is_good(self) -> bool:
        return (
            not self.failed and bool(self.switches) and all(kind.is_within for kind in self.arrived)
        )


def simulate(
    *,
    seconds: float,
    workers: int,
    viewers: int,
    operators: int,
    planned: int,
    seed: int,
    folder: Path,
) -> Report:
    """Run the sites on this process's own database.

    The sandbox is a process of its own, so that nothing here delays its clock.
    """
    report, started = Report(), time.monotonic()
    with (
        sandbox_process(0, round(LATENCY * 1000)) as api,
        override_settings(**sandbox_addresses(api)),
        ExitStack() as stack,
    ):
        stack.enter_context(mock.patch.dict("os.environ", {"DATABASE_POOL_SIZE": "5"}))
        looked_at, *switched = (_create_flow(number) for number in range(operators + 1))
        in_bulk = [_create_flow(number) for number in range(100, 100 + planned)]
        sync_account(ACCOUNT)
        sites = _start_sites(api, workers, folder, stack)
        keys = create_sessions(viewers + operators)
        chances = [random.Random(f"{seed} {number}") for number in range(len(keys))]
        crowd = [Viewer(keys[at], sites, looked_at, chances[at]) for at in range(viewers)]
        working = [
            Operator(keys[viewers + at], sites, sid, chances[-at])
            for at, sid in enumerate(switched)
        ]
        plan = drafts.plan_bulk_action(
            action=drafts.BulkAction(drafts.RETRY_COUNT, 2),
            sids=in_bulk,
            created_by="person-0",
            reason="the load",
        )
        person = User.objects.get(username="person-0")
        start_and_stop.start(
            plan=plan, reason="", actor=Actor(id=str(person.pk), label="person-0", role="operator")
        )
        before = len(_received_requests(api))
        with _run_bulk_worker(sites[0], folder / "worker.log"):
            _keep_busy([*crowd, *working], seconds)
        report.arrived = group_by_operation(_received_requests(api)[before:])
        logs = [*(site.log() for site in sites), (folder / "worker.log").read_text()]
        report.uncoordinated = sum(log.count("keeps to them by itself") for log in logs)
        report.pages = [spent for one in crowd for spent in one.seconds]
        report.switches = [spent for one in working for spent in one.seconds]
        report.failed = [failure for one in working for failure in one.failed]
        report.planned = sum(item.status == "made" for item in items.plan_items(plan))
    report.seconds = time.monotonic() - started
    return report


def _create_flow(number: int) -> str:
    """Create a flow that is off, with a unique number; return its SID."""
    identity = {"contact_identity": f"+1666{number:07}", "integration_retry_count": 3}
    flow = resource_client(FLEX_FLOW, ACCOUNT).create(
        {**NEW_FLOW, **identity, "friendly_name": f"Flow {number}"}
    )
    return str(flow.snapshot["sid"])


def _received_requests(api: str) -> list[dict[str, Any]]:
    """Return the requests that the sandbox has received."""
    answer = requests.get(f"{api.removesuffix('/v1')}/_sandbox/requests", timeout=HANG_TIMEOUT)
    return list(answer.json())


def _start_sites(api: str, workers: int, folder: Path, stack: ExitStack) -> list[Site]:
    options = (*DEPLOYED_OPTIONS, "--workers", str(workers))
    connection.close()  # so that SQLite's file has all of it
    sites = [
        Site(
            api=api,
            folder=folder,
            options=options,
            name=name,
            application="flexadmin.wsgi:application",
            log_level="WARNING",
        )
        for name in ("one", "two")
    ]
    for site in sites:
        stack.callback(site.close)
    wait_for(lambda: all(len(site.workers()) == workers for site in sites), seconds=HANG_TIMEOUT)
    return sites


@contextmanager
def _run_bulk_worker(site: Site, log: Path) -> Iterator[None]:
    command = [sys.executable, "manage.py", "db_worker", "--interval", "0.2"]
    with log.open("wb") as written:
        worker = subprocess.Popen(
            command, cwd=ROOT, env=site.environment, stdout=written, stderr=written
        )
    try:
        yield
    finally:
        worker.terminate()
        worker.wait(HANG_TIMEOUT)


def _keep_busy(crowd: Sequence[Viewer], seconds: float) -> None:
    for person in crowd:
        person.start()
    # Nobody's first page is counted: it waits until a worker has come up.
    wait_for(lambda: all(person.seconds or person.error for person in crowd), seconds=HANG_TIMEOUT)
    for person in crowd:
        person.seconds.clear()
    time.sleep(seconds)
    for person in crowd:
        person.stop()
    for person in crowd:
        person.join(HANG_TIMEOUT)
        assert not person.is_alive()
        if person.error:
            raise person.error


def group_by_operation(received: Sequence[dict[str, Any]]) -> list[ArrivedCalls]:
    """Return the calls of each product and kind in the order of their arrival."""
    at: dict[str, list[float]] = defaultdict(list)
    for request in received:
        at[_operation(request)].append(datetime.fromisoformat(request["at"]).timestamp())
    return [ArrivedCalls(operation, sorted(times)) for operation, times in at.items()]


def _operation(request: dict[str, Any]) -> str:
    """Return the name of a call, as the table of bookings has it."""
    path = request["path"]
    product = FLEX_PRODUCT if path.startswith(f"{API_ROOT}/") else path.split("/")[1]
    is_of_one = SID_AT_END.search(path) is not None
    operations = {
        "GET": "fetch" if is_of_one else "list",
        "POST": "update" if is_of_one else "create",
        "DELETE": "delete",
    }
    return operation_of_product(product, operations[request["method"]])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.rates", description=__doc__)
    parser.add_argument("--seconds", type=int, default=SECONDS)
    parser.add_argument("--workers", type=int, default=WORKERS, help="of each site")
    parser.add_argument(
        "--viewers", type=int, default=VIEWERS, help="who look at one flow's page all the time"
    )
    parser.add_argument(
        "--operators", type=int, default=OPERATORS, help="who turn flows on and off all the time"
    )
    parser.add_argument("--planned", type=int, default=PLANNED, help="flows of a bulk change")
    parser.add_argument("--seed", type=int, default=1)
    options = vars(parser.parse_args())
    console = Console()
    with temporary_databases(1) as (own,), tempfile.TemporaryDirectory() as folder:
        use_database(own)
        report = simulate(**options, folder=Path(folder))
    for table in _build_tables(report):
        console.print(table)
    for failure in report.failed:
        console.print(f"[red]did not go through: {failure}", highlight=False)
    return 0 if report.is_good else 1


def _build_tables(report: Report) -> Iterator[Table]:
    table = Table(title=f"Calls that arrived, two sites on one {connection.vendor}")
    for name in (
        "kind",
        "a second allowed",
        "calls",
        "a second",
        "most in a second",
        f"most in {BURST_WINDOW} s",
        "",
    ):
        table.add_column(name, justify="left" if name in ("kind", "") else "right")
    for kind in report.arrived:
        table.add_row(
            kind.operation, str(kind.rate), str(len(kind.at)), f"{kind.average:.2f}", str(kind.max_within(1.0)),
            str(kind.max_within(BURST_WINDOW)), "[green]kept" if kind.is_within else "[bold red]NOT KEPT",
        )  # fmt: skip
    yield table
    waits = Table(title="How long people waited", show_header=True)
    for name in ("what", "how many", "median s", "slowest s"):
        waits.add_column(name, justify="left" if name == "what" else "right")
    for label, seconds in (
        ("a flow's page", report.pages),
        ("an operator's switch", report.switches),
    ):
        if seconds:
            waits.add_row(
                label, str(len(seconds)), f"{statistics.median(seconds):.2f}", f"{max(seconds):.2f}"
            )
    waits.add_section()
    waits.add_row("times a process kept to the rates by itself", str(report.uncoordinated), "", "")
    waits.add_row("bulk changes made", str(report.planned), "", "")
    waits.add_row("changes that did not go through", str(len(report.failed)), "", "")
    yield waits


if __name__ == "__main__":
    sys.exit(main())
