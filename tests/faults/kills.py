"""Kills of a busy site: `python -m tests.faults.kills [--kills N]`.

The site is killed with SIGKILL N times, usually one worker, sometimes all of it. Then the sandbox's
applied writes are compared with the log. The exit status is 1 if a violation is found, or if the
database or the chain is damaged.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

import tests.faults.ready  # noqa: F401 - Django comes first
from tests import ACCOUNT

# isort: split
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client, override_settings

from flexadmin.users.roles import ensure_groups
from flows.accounts import clients
from flows.audit import verification
from flows.audit.models import AuditEvent, OpenChange
from flows.changes import reconcile
from flows.mirror.models import Flow
from flows.mirror.sync import SYNC_LEASE, sync_account
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.sandbox.server import Sandbox
from tests.faults.acting import wait_for
from tests.faults.busy import KnownFlows, SimulatedUser, Site
from tests.faults.databases import temporary_databases, use_database
from tests.faults.matrix.play import MIRROR_DIFFERS, Clock, is_mirrored
from tests.faults.witness import (
    APPLIED,
    NEEDS_DECISION,
    VIOLATIONS,
    Findings,
    WriteObserver,
    compare_with_log,
)
from tests.patience import HANG_TIMEOUT
from tests.sandbox_addresses import sandbox_addresses

LATENCY = 0.02  # seconds that a request takes at the sandbox before it is carried out
KILL_SPREAD = 0.06  # seconds behind a write's arrival within which the kill comes
WHOLE_SITE_INTERVAL = 15  # kills
PEOPLE, FLOWS = 8, 200
NOT_CHECKED = "SQLite's alone"


@dataclass(slots=True)
class Report:
    """Writes, findings and durations of a run."""

    verdict: Findings
    kills: Counter[str]
    heard: Counter[str] = field(default_factory=Counter)
    changes: int = 0
    cut_off: int = 0  # changes that a kill left without an outcome
    open_after_kills: int = 0
    events: int = 0
    chain: str = ""
    integrity: str = NOT_CHECKED
    seconds: float = 0.0

    @property
    def is_good(self) -> bool:
        return (
            not self.verdict.complaints
            and self.integrity in ("ok", NOT_CHECKED)
            and self.chain == "valid"
        )


def simulate(
    *,
    kills: int,
    people: int,
    flows: int,
    seed: int,
    folder: Path,
    tell: Callable[[], object] = lambda: None,
) -> Report:
    """Run the site on this process's own database and kill it repeatedly."""
    started, chance = time.monotonic(), random.Random(seed)
    keys, clock = create_sessions(people), Clock()
    with (
        Sandbox(latency=LATENCY, clock=clock.now) as sandbox,
        override_settings(**sandbox_addresses(sandbox.url), FLEX_RATE_LIMITS=False),
        mock.patch("django.utils.timezone.now", clock.now),
    ):
        known_flows = KnownFlows([sandbox.add_flow() for _ in range(flows)])
        sync_account(ACCOUNT)
        witness = WriteObserver(sandbox)
        site = Site(api=sandbox.url, folder=folder)
        try:
            crowd = [
                SimulatedUser(session, site, known_flows, random.Random(f"{seed} {number}"))
                for number, session in enumerate(keys)
            ]
            report = Report(Findings(), _kill_repeatedly(site, witness, crowd, kills, chance, tell))
            for person in crowd:
                report.heard.update(person.heard)
            wait_for(witness.is_quiet)
            _reconcile_all(report, clock)
        finally:
            site.close()
        _check_report(report, witness, sandbox)
    report.seconds = time.monotonic() - started
    return report


def create_sessions(people: int) -> list[str]:
    """Create operators and return the session key of each."""
    ensure_groups()
    keys = []
    for number in range(people):
        user = User.objects.create_user(f"person-{number}")
        user.groups.set([Group.objects.get(name="operator")])
        client = Client()
        client.force_login(user)
        keys.append(client.cookies[settings.SESSION_COOKIE_NAME].value)
    return keys


def _kill_repeatedly(
    site: Site,
    witness: WriteObserver,
    crowd: list[SimulatedUser],
    kills: int,
    chance: random.Random,
    tell: Callable[[], object],
) -> Counter[str]:
    """Kill at random moments, each after some more writes, so that the site is busy each time.

    The last kill is of the whole site under full load. It is then started again without users.
    """
    kill_counts: Counter[str] = Counter()
    for person in crowd:
        person.start()
    for number in range(1, kills + 1):
        enough = len(witness.seen) + chance.randint(1, 6)
        wait_for(lambda: len(witness.seen) >= enough, seconds=HANG_TIMEOUT)  # noqa: B023 - called at once
        time.sleep(chance.random() * KILL_SPREAD)
        if number % WHOLE_SITE_INTERVAL == 0 or number == kills:
            site.kill()
            kill_counts["the whole site"] += 1
            if number == kills:
                for person in crowd:
                    person.stop()
            site.start()
        else:
            wait_for(lambda: site.kill_worker(chance))
            kill_counts["a worker"] += 1
        tell()
    for person in crowd:
        person.join(HANG_TIMEOUT)
        assert not person.is_alive()
        if person.error:
            raise person.error
    return kill_counts


def _reconcile_all(report: Report, clock: Clock) -> None:
    stories = AuditEvent.objects.filter(stage="attempt")
    report.changes = stories.count()
    outcomes = AuditEvent.objects.filter(stage="outcome").values("change_id")
    report.cut_off = stories.exclude(change_id__in=outcomes).count()
    report.open_after_kills = OpenChange.objects.count()
    for wait in (clients.ATTEMPT_TIMEOUT, reconcile.CONFIRMATION_DELAY):
        clock.move(wait)
        reconcile.reconcile(limit=100_000)
    clock.move(SYNC_LEASE)  # of a sync that was killed
    sync_account(ACCOUNT)


def _check_report(report: Report, witness: WriteObserver, sandbox: Sandbox) -> None:
    report.verdict = compare_with_log(witness.seen)
    puzzling = set(OpenChange.objects.exclude(target_sid="").values_list("target_sid", flat=True))
    mirrored_flows = {flow.sid: flow.resource for flow in Flow.objects.filter(gone_at=None)}
    twilio_flows = {sid: FLEX_FLOW.decode(flow) for sid, flow in sandbox.flows.items()}
    if not puzzling and not is_mirrored(mirrored_flows, twilio_flows):
        report.verdict.complain(MIRROR_DIFFERS, "at the end")
    chain = verification.verify()
    report.events = AuditEvent.objects.count()
    report.chain = "valid" if chain.bad_seq is None else f"event {chain.bad_seq} {chain.fault}"
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA integrity_check")
            report.integrity = ", ".join(line for (line,) in cursor.fetchall())


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--people", type=int, default=PEOPLE, help="who change flows at once")
    parser.add_argument("--flows", type=int, default=FLOWS, help="that are there at the start")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    console = Console()
    with temporary_databases(1) as (own,), tempfile.TemporaryDirectory() as folder:
        use_database(own)
        with Progress(console=console, disable=not console.is_terminal) as progress:
            bar = progress.add_task("Killing", total=options.kills)
            report = simulate(
                **vars(options), folder=Path(folder), tell=lambda: progress.advance(bar)
            )
    console.print(_build_table(report))
    for complaint in report.verdict.complaints:
        console.print(f"[red]{complaint}", highlight=False)
    return 0 if report.is_good else 1


def _build_table(report: Report) -> Table:
    table = Table(title=f"kill -9 of a busy site on {connection.vendor}", show_header=False)
    table.add_column()
    table.add_column(justify="right")

    def rows(**values: object) -> None:
        for name, value in values.items():
            table.add_row(
                name.replace("_", " "), f"{value:,}" if isinstance(value, int) else str(value)
            )
        table.add_section()

    rows(**{f"kills_of_{label.replace(' ', '_')}": count for label, count in report.kills.items()})
    rows(**{f"the_site_said_{label}": count for label, count in sorted(report.heard.items())})
    rows(
        changes_with_an_attempt=report.changes,
        cut_off_before_their_outcome=report.cut_off,
        open_when_the_killing_ended=report.open_after_kills,
        applied_at_the_sandbox=report.verdict.counts[APPLIED],
        not_applied=report.changes - report.verdict.counts[APPLIED],
        events_in_the_log=report.events,
    )
    for label in VIOLATIONS:
        count = report.verdict.counts[label]
        table.add_row(label, f"[bold red]{count}" if count else "[green]0")
    rows(waits_for_a_person=report.verdict.counts[NEEDS_DECISION])
    rows(chain=report.chain, integrity_check=report.integrity, seconds=f"{report.seconds:.0f}")
    return table


if __name__ == "__main__":
    sys.exit(main())
