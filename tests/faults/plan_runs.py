"""A bulk change under faults: `python -m tests.faults.plan_runs [--flows N]`.

The API answers a fifth of all calls with 429 or 5xx. Halfway the worker is killed with SIGKILL and
another one started. Then the bulk change is rolled back. The sandbox's applied writes are compared
with the log. The exit status is 1 if a violation is found.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from unittest import mock

from rich.console import Console
from rich.table import Table

import tests.faults.ready  # noqa: F401 - Django comes first
from tests import ACCOUNT

# isort: split
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import override_settings
from django_tasks_db.models import DBTaskResult

from flexadmin.users.roles import ensure_groups
from flows.accounts import clients
from flows.audit import verification
from flows.audit.audit_log import Actor
from flows.audit.models import OpenChange
from flows.changes import reconcile
from flows.mirror.sync import sync_account
from flows.plans import drafts, execution, follow_ups, items, start_and_stop
from flows.plans.models import Plan
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.sandbox.faults import Fault, FaultKind
from flows.twilio.sandbox.server import Sandbox
from tests.faults.acting import database_url, wait_for
from tests.faults.databases import temporary_databases, use_database
from tests.faults.matrix.play import Clock
from tests.faults.witness import APPLIED, VIOLATIONS, Findings, WriteObserver, compare_with_log
from tests.sandbox_addresses import sandbox_addresses

FLOWS: Final = 200
FAULT_RATE: Final = 0.2  # of the calls
LATENCY: Final = 0.01  # seconds that a request takes at the sandbox before it is carried out
FAULTS: Final = (
    Fault(kind=FaultKind.TOO_MANY, retry_after=0),
    Fault(kind=FaultKind.SERVER_ERROR, status=500),
    Fault(kind=FaultKind.SERVER_ERROR, status=503),
    Fault(kind=FaultKind.APPLY_THEN_SERVER_ERROR, status=500),
)
ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(slots=True)
class Report:
    """Results of the plan's flows, and the findings of the comparison."""

    verdict: Findings
    calls: int = 0
    faulty: int = 0
    killed_after: int = 0  # writes that had reached the sandbox
    fates: Counter[str] = field(default_factory=Counter)
    rest: Counter[str] = field(default_factory=Counter)  # of the plan of what was not made
    undone: Counter[str] = field(default_factory=Counter)
    unfinished: int = 0
    is_as_before: bool = False
    chain: str = ""
    seconds: float = 0.0

    @property
    def is_good(self) -> bool:
        return (
            not self.verdict.complaints
            and self.is_as_before
            and not self.unfinished
            and self.chain == "valid"
        )


def simulate(*, flows: int, seed: int) -> Report:
    """Run the bulk change on this process's own database."""
    started, clock = time.monotonic(), Clock()
    person = _create_operator()
    with (
        Sandbox(latency=LATENCY, clock=clock.now) as sandbox,
        override_settings(**sandbox_addresses(sandbox.url)),
        mock.patch("django.utils.timezone.now", clock.now),
    ):
        sids = [
            sandbox.add_flow(integration_retry_count=3 if number % 2 else 1)
            for number in range(flows)
        ]
        sync_account(ACCOUNT)
        before = _writable_fields(sandbox)
        witness = WriteObserver(sandbox)
        report = Report(Findings())
        plan = drafts.plan_bulk_action(
            action=drafts.BulkAction(drafts.RETRY_COUNT, 2),
            sids=sids,
            created_by=person.username,
            reason="tests",
        )
        start_and_stop.start(plan=plan, reason="", actor=_make_actor(person))
        with _inject_faults(sandbox, random.Random(seed)) as troubles:
            _run_and_kill(sandbox, witness, flows // 2)
            report.killed_after = len(witness.seen)
            execution.requeue_all()  # as the demo does when it starts again
            _run_worker(sandbox)
            report.calls, report.faulty = troubles["calls"], troubles["faulty"]
        _reconcile_all(clock)
        report.fates = Counter(item.status for item in items.plan_items(plan))
        report.unfinished = (
            report.fates["planned"] + report.fates["running"] + report.fates["unknown"]
        )
        report.rest = _run_plan(
            sandbox, follow_ups.plan_retry(plan=plan, created_by=person.username), person
        )
        report.undone = _run_plan(
            sandbox, follow_ups.plan_rollback(plan=plan, created_by=person.username), person
        )
        rest = Plan.objects.filter(title__startswith="Retry ").first()
        if rest:
            _run_plan(
                sandbox, follow_ups.plan_rollback(plan=rest, created_by=person.username), person
            )
        report.is_as_before = _writable_fields(sandbox) == before
        report.verdict = compare_with_log(witness.seen)
    chain = verification.verify()
    report.chain = "valid" if chain.bad_seq is None else f"event {chain.bad_seq} {chain.fault}"
    report.seconds = time.monotonic() - started
    return report


@contextmanager
def _inject_faults(sandbox: Sandbox, chance: random.Random) -> Iterator[Counter[str]]:
    counted: Counter[str] = Counter()

    def take(_method: str, _path: str) -> Fault | None:
        counted["calls"] += 1
        if chance.random() >= FAULT_RATE:
            return None
        counted["faulty"] += 1
        return chance.choice(FAULTS)

    with mock.patch.object(sandbox._faults, "take", take):
        yield counted


def _start_worker(sandbox: Sandbox) -> subprocess.Popen[bytes]:
    connection.close()  # so that SQLite's file has all of it
    environment = {**os.environ, "DATABASE_URL": database_url(), "LOG_LEVEL": "CRITICAL"}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.plan_worker", sandbox.url], cwd=ROOT, env=environment
    )


def _run_and_kill(sandbox: Sandbox, witness: WriteObserver, writes: int) -> None:
    worker = _start_worker(sandbox)
    try:
        wait_for(lambda: len(witness.seen) >= writes or worker.poll() is not None, seconds=300)
    finally:
        worker.kill()
        worker.wait()
    wait_for(witness.is_quiet)


def _run_worker(sandbox: Sandbox) -> None:
    worker = _start_worker(sandbox)
    try:
        assert worker.wait(600) == 0
    finally:
        worker.kill()
        worker.wait()


def _run_plan(sandbox: Sandbox, plan: Plan, person: User) -> Counter[str]:
    if not plan.changes.exists():
        drafts.discard_draft(plan=plan)
        return Counter()
    start_and_stop.start(plan=plan, reason="", actor=_make_actor(person))
    _run_worker(sandbox)
    return Counter(item.status for item in items.plan_items(plan))


def _reconcile_all(clock: Clock) -> None:
    for wait in (clients.ATTEMPT_TIMEOUT, reconcile.CONFIRMATION_DELAY):
        clock.move(wait)
        reconcile.reconcile(limit=100_000)
    assert not OpenChange.objects.exists()
    DBTaskResult.objects.all().delete()  # what looks after a dead worker later has nothing to look after


def _writable_fields(sandbox: Sandbox) -> dict[str, dict[str, Any]]:
    names = [entry.name for entry in FLEX_FLOW.writable_fields]
    return {
        sid: {name: value for name, value in FLEX_FLOW.decode(flow).items() if name in names}
        for sid, flow in sandbox.flows.items()
    }


def _create_operator() -> User:
    ensure_groups()
    user = User.objects.create_user("plan-operator")
    user.groups.set([Group.objects.get(name="operator")])
    return user


def _make_actor(person: User) -> Actor:
    return Actor(id=str(person.pk), label=person.username, role="operator")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.plan_runs", description=__doc__)
    parser.add_argument("--flows", type=int, default=FLOWS)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    console = Console()
    with temporary_databases(1) as (own,):
        use_database(own)
        report = simulate(**vars(options))
    table = Table(
        title=f"A plan of {options.flows} changes on {connection.vendor}", show_header=False
    )
    table.add_column()
    table.add_column(justify="right")
    summary: dict[str, object] = {
        "calls to the API": report.calls,
        "of them answered 429 or 5xx": report.faulty,
        "writes when the worker was killed": report.killed_after,
        **{f"fate: {state}": count for state, count in sorted(report.fates.items())},
        "without a fate": report.unfinished,
        **{
            f"the rest, planned again: {state}": count
            for state, count in sorted(report.rest.items())
        },
        **{f"the way back: {state}": count for state, count in sorted(report.undone.items())},
        "applied at the sandbox": report.verdict.counts[APPLIED],
        **{violation: report.verdict.counts[violation] for violation in VIOLATIONS},
        "exactly as before": "yes" if report.is_as_before else "NO",
        "chain": report.chain,
        "seconds": f"{report.seconds:.0f}",
    }
    for name, value in summary.items():
        table.add_row(name, str(value))
    console.print(table)
    for complaint in report.verdict.complaints:
        console.print(f"[red]{complaint}", highlight=False)
    return 0 if report.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
