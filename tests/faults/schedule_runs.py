"""Many schedules, two workers: `python -m tests.faults.schedule_runs [--schedules N]`.

The workers are killed with SIGKILL again and again, also while a write is at Twilio. Their clock runs
ahead, is set back, and leaps over whole windows. Afterwards each schedule must have run once, within
its window, or be suspended with nothing sent. The exit status is 1 if a violation is found.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final
from unittest import mock

from rich.console import Console
from rich.table import Table

import tests.faults.ready  # noqa: F401 - Django comes first
from tests import ACCOUNT

# isort: split
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from flexadmin.users.roles import ensure_groups
from flows.accounts import clients
from flows.approvals.validity import START_TIMEOUT
from flows.audit import verification
from flows.audit.audit_log import Actor
from flows.audit.models import OpenChange
from flows.changes import reconcile
from flows.changes.change_guard import ProposedChange
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.schedules import running, services
from flows.schedules.models import Schedule
from flows.schedules.schedule_status import ScheduleStatus
from flows.schedules.timing import Timing
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.sandbox.server import Sandbox
from tests.faults.acting import database_url, wait_for
from tests.faults.databases import temporary_databases, use_database
from tests.faults.matrix.play import Clock
from tests.faults.witness import WriteObserver, compare_with_log
from tests.sandbox_addresses import sandbox_addresses

SCHEDULES: Final = 1000
SECONDS_BETWEEN: Final = 60  # of the due times
LATENCY: Final = 0.005  # seconds that a request takes at the sandbox before it is carried out
WINDOW: Final = 15  # minutes
MAX_BACKLOG: Final = 8  # schedules that are due, while the clock waits for the workers
RUNS_BETWEEN_KILLS: Final = (4, 40)  # schedules that start from one kill to the next
STEP_BACK_CHANCE: Final = 0.02  # at each turn
ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(slots=True)
class Report:
    """How the schedules ended, what was done to the workers, and the violations."""

    statuses: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    late: int = 0  # started more than a minute after their time, and marked so
    kills: int = 0
    kills_during_write: int = 0
    steps_back: int = 0
    leaps: int = 0
    violations: list[str] = field(default_factory=list)
    chain: str = ""
    seconds: float = 0.0

    @property
    def is_good(self) -> bool:
        return not self.violations and self.chain == "valid"


class Workers:
    """Two worker processes, and the clock that they share."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self._offset_file = folder / "offset"
        self._url = sandbox.url
        self.offset = 0.0
        self.set_clock(0)
        self._running = [self._start(), self._start()]

    def set_clock(self, seconds: float) -> None:
        """Set the clock this many seconds ahead, in one step."""
        self.offset = seconds
        draft = self._offset_file.with_suffix(".new")
        draft.write_text(str(seconds))
        draft.replace(self._offset_file)

    def kill_one(self, chance: random.Random) -> None:
        """Kill a worker and start another one."""
        number = chance.randrange(len(self._running))
        self._kill(self._running[number])
        self._running[number] = self._start()

    def kill_all(self) -> None:
        for worker in self._running:
            self._kill(worker)

    def _start(self) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "DATABASE_URL": database_url(), "LOG_LEVEL": "CRITICAL"}
        command = [sys.executable, "-m", "tests.faults.schedule_worker"]
        return subprocess.Popen(
            [*command, self._url, str(self._offset_file)], cwd=ROOT, env=environment
        )

    def _kill(self, worker: subprocess.Popen[bytes]) -> None:
        worker.kill()
        worker.wait()


def simulate(*, schedules: int, seed: int) -> Report:
    """Run the schedules on this process's own database."""
    started, chance, report = time.monotonic(), random.Random(seed), Report()
    user = _create_operator()
    with (
        Sandbox(latency=LATENCY) as sandbox,
        override_settings(**sandbox_addresses(sandbox.url)),
        tempfile.TemporaryDirectory() as folder,
    ):
        for _ in range(schedules):
            sandbox.add_flow(enabled=True)
        sync_account(ACCOUNT)
        Flow.objects.update(mirrored_at=timezone.now() - timedelta(hours=1))
        _schedule_all(user)
        witness = WriteObserver(sandbox)
        connection.close()  # so that SQLite's file has all of it
        workers = Workers(sandbox, Path(folder))
        try:
            _run(workers, witness, chance, report)
        finally:
            workers.kill_all()
        wait_for(witness.is_quiet)
        with _later(workers.offset) as clock:
            _settle_all(clock)
        _judge(sandbox, report)
        report.violations += compare_with_log(witness.seen).complaints
    chain = verification.verify()
    report.chain = "valid" if chain.bad_seq is None else f"event {chain.bad_seq} {chain.fault}"
    report.seconds = time.monotonic() - started
    return report


def _schedule_all(user: User) -> None:
    """Schedule to turn off each flow, one some seconds after the other."""
    start = timezone.now() + timedelta(minutes=1)
    actor = Actor(id=str(user.pk), label=user.username, role="operator")
    for number, flow in enumerate(Flow.objects.order_by("sid")):
        change = ProposedChange(
            resource=FLEX_FLOW,
            operation="update",
            account_sid=ACCOUNT,
            sid=flow.sid,
            parent_sid="",
            before=flow.resource,
            requested={"enabled": False},
            reason="Holidays",
            actor=actor,
            change_id=uuid.uuid4(),
        )
        due_at = start + timedelta(seconds=number * SECONDS_BETWEEN)
        services.schedule_change(change, Timing(due_at=due_at, window=WINDOW))


def _run(workers: Workers, witness: WriteObserver, chance: random.Random, report: Report) -> None:
    """Let the clock run, step and leap, and kill workers, until no schedule waits."""
    last = Schedule.objects.order_by("due_at").last()
    assert last is not None
    end = (last.not_later_than - timezone.now()).total_seconds() + 60
    leaps = sorted(
        chance.uniform(0.1, 0.9) * end for _ in range(1 + Schedule.objects.count() // 200)
    )
    deadline = time.monotonic() + 1800
    total, next_kill = Schedule.objects.count(), chance.randint(*RUNS_BETWEEN_KILLS)
    while waiting := Schedule.objects.filter(status=ScheduleStatus.WAITING).count():
        assert time.monotonic() < deadline, "the schedules did not end"
        time.sleep(0.03)
        if total - waiting >= next_kill:
            next_kill = total - waiting + chance.randint(*RUNS_BETWEEN_KILLS)
            _kill(workers, witness, chance, report)
        if leaps and workers.offset > leaps[0]:
            leaps.pop(0)
            report.leaps += 1
            workers.set_clock(workers.offset + (WINDOW + 5) * 60)
        elif chance.random() < STEP_BACK_CHANCE:
            report.steps_back += 1
            workers.set_clock(max(0, workers.offset - 300))
        elif _count_due(workers.offset) < MAX_BACKLOG:
            workers.set_clock(min(end, workers.offset + 2 * SECONDS_BETWEEN))


def _kill(workers: Workers, witness: WriteObserver, chance: random.Random, report: Report) -> None:
    """Kill a worker now, or with the next write on its way to Twilio."""
    report.kills += 1
    if chance.random() < 0.5:
        workers.kill_one(chance)
        return
    report.kills_during_write += 1
    arrived: list[bool] = []
    witness.on_write = lambda: arrived.append(True)
    deadline = time.monotonic() + 2
    while not arrived and time.monotonic() < deadline:
        time.sleep(0.001)
    workers.kill_one(chance)


def _count_due(offset: float) -> int:
    now = timezone.now() + timedelta(seconds=offset)
    return Schedule.objects.filter(status=ScheduleStatus.WAITING, due_at__lte=now).count()


@contextmanager
def _later(offset: float) -> Iterator[Clock]:
    """Set the clock of this process to a time at which every worker counts as dead."""
    clock = Clock()
    clock.move(timedelta(seconds=offset) + START_TIMEOUT)
    with mock.patch("django.utils.timezone.now", clock.now):
        yield clock


def _settle_all(clock: Clock) -> None:
    """Find the outcome of every change whose worker was killed, as the site does after a while."""
    for wait in (clients.ATTEMPT_TIMEOUT, reconcile.CONFIRMATION_DELAY):
        clock.move(wait)
        reconcile.reconcile(limit=100_000)
    running.run_due(clock.now)
    assert not OpenChange.objects.exists()


def _judge(sandbox: Sandbox, report: Report) -> None:
    """Compare each schedule with what reached Twilio."""
    writes = Counter(
        one.path.rpartition("/")[2]
        for one in sandbox.requests
        if one.method != "GET" and one.applied
    )
    for schedule in Schedule.objects.select_related("request"):
        sid, status = schedule.request.target_sid, schedule.status
        report.statuses[status] += 1
        report.notes[schedule.note[:24]] += bool(schedule.note)
        report.late += schedule.started_at is not None and schedule.lateness is not None
        expected = {ScheduleStatus.DONE: 1, ScheduleStatus.SUSPENDED: 0}.get(ScheduleStatus(status))
        if writes[sid] != expected:
            report.violations.append(f"{status} schedule of {sid}: {writes[sid]} writes")
        if status == ScheduleStatus.SUSPENDED and not schedule.note:
            report.violations.append(f"suspended without a reason: {sid}")
        start = schedule.started_at
        if start and not schedule.due_at <= start <= schedule.not_later_than:
            report.violations.append(f"started outside its window: {sid}")


def _create_operator() -> User:
    ensure_groups()
    user = User.objects.create_user("schedule-operator")
    user.groups.set([Group.objects.get(name="operator")])
    return user


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults.schedule_runs", description=__doc__
    )
    parser.add_argument("--schedules", type=int, default=SCHEDULES)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with temporary_databases(1) as (own,):
        use_database(own)
        report = simulate(**vars(options))
        vendor = connection.vendor
    console = Console()
    table = Table(title=f"{options.schedules} schedules on {vendor}", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    summary: dict[str, object] = {
        **dict(sorted(report.statuses.items())),
        **{f"because: {note}…": count for note, count in sorted(report.notes.items()) if count},
        "started late, and marked so": report.late,
        "workers killed": report.kills,
        "of them with a write at Twilio": report.kills_during_write,
        "clock set back": report.steps_back,
        "clock leapt over a window": report.leaps,
        "violations": len(report.violations),
        "chain": report.chain,
        "seconds": f"{report.seconds:.0f}",
    }
    for name, value in summary.items():
        table.add_row(name, str(value))
    console.print(table)
    for violation in report.violations:
        console.print(f"[red]{violation}", highlight=False)
    return 0 if report.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
