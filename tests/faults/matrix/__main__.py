"""Run of the matrix: `python -m tests.faults.matrix [--runs N]`.

It plays every fault during every kind of change N times and prints the results. The exit status is
1 if a violation is found.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing.queues import SimpleQueue

from rich.console import Console
from rich.progress import track
from rich.table import Table

import tests.faults.ready  # noqa: F401 - Django comes first

# isort: split
from django.db import connection

from flows.audit import verification
from tests.faults.databases import temporary_databases, use_database
from tests.faults.matrix import consistency, families, worker
from tests.faults.matrix.play import MIRROR_DIFFERS, RUNS
from tests.faults.matrix.troubles import SCENARIOS
from tests.faults.witness import (
    APPLIED,
    APPLIED_TWICE,
    APPLIED_WITHOUT_ATTEMPT,
    LEFT_UNKNOWN,
    NEEDS_DECISION,
    RECORDED_APPLIED_BUT_NOT,
    RECORDED_FAILED_BUT_APPLIED,
    VIOLATIONS,
    Findings,
)

WIDTH = 160  # where there is no terminal to say
NOT_APPLIED = "not applied"
HEADINGS = {
    RUNS: "runs",
    APPLIED: "\napplied",
    NOT_APPLIED: "not\napplied",
    APPLIED_WITHOUT_ATTEMPT: "applied,\nno attempt",
    APPLIED_TWICE: "applied\ntwice",
    RECORDED_FAILED_BUT_APPLIED: "applied, but\nsaid failed",
    RECORDED_APPLIED_BUT_NOT: "not applied, but\nsaid applied",
    LEFT_UNKNOWN: "left\nunknown",
    NEEDS_DECISION: "waits for\na person",
}
MAX_COMPLAINTS = 40  # that are printed in full


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.matrix", description=__doc__)
    parser.add_argument(
        "--runs", type=int, default=20, help="of each trouble at each kind of change"
    )
    parser.add_argument("--seed", type=int, default=1, help="of all that is drawn at random")
    parser.add_argument("--only", default="", help="the troubles whose name has this in it")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    names = [
        name
        for name, trouble in SCENARIOS.items()
        if options.only in name and trouble.vendor in ("", connection.vendor)
    ]
    started = time.monotonic()
    lags = [name for name in consistency.ROWS if options.only in name]
    with temporary_databases(options.processes) as own:
        verdicts = _run_all(console, names, own, options)
        tallies = families.run_rows(lags, own, runs=options.runs, seed=options.seed)
        chains = [_verify_chain(name) for name in own]
    console.print(_build_table(names, verdicts))
    if tallies:
        console.print(consistency.build_table(tallies))
    total = Findings()
    for verdict in verdicts.values():
        total.add(verdict)
    total.complaints += [one for tally in tallies.values() for one in tally.complaints]
    return _print_summary(console, total, chains, time.monotonic() - started)


def _run_all(
    console: Console, names: list[str], own: list[str], options: argparse.Namespace
) -> dict[str, Findings]:
    """Distribute the cells to processes, each with its own database."""
    context = multiprocessing.get_context("spawn")
    free: SimpleQueue[str] = context.SimpleQueue()
    for name in own:
        free.put(name)
    verdicts: defaultdict[str, Findings] = defaultdict(Findings)
    with ProcessPoolExecutor(
        len(own), mp_context=context, initializer=worker.connect_database, initargs=(free,)
    ) as pool:
        cells = {
            pool.submit(worker.run_cell, name, verb, options.runs, options.seed): name
            for name in names
            for verb in SCENARIOS[name].verbs
        }
        for cell in track(
            as_completed(cells),
            "Playing",
            len(cells),
            console=console,
            disable=not console.is_terminal,
        ):
            verdicts[cells[cell]].add(cell.result())
    return verdicts


def _verify_chain(name: str) -> verification.VerificationResult:
    use_database(name)
    return verification.verify()


def _build_table(names: list[str], verdicts: dict[str, Findings]) -> Table:
    table = Table(
        title="What was done at Twilio's end, held against what the audit log says",
        show_footer=True,
    )
    total = Findings()
    for verdict in verdicts.values():
        total.add(verdict)
    table.add_column("what goes wrong", f"{len(names)} in all", no_wrap=True)
    for column, heading in HEADINGS.items():
        table.add_column(heading, _format_cell(column, total), justify="right")
    group = ""
    for name in names:
        if SCENARIOS[name].group != group:
            group = SCENARIOS[name].group
            table.add_section()
            table.add_row(f"[bold]{group}")
        table.add_row(f"  {name}", *(_format_cell(column, verdicts[name]) for column in HEADINGS))
    return table


def _format_cell(column: str, verdict: Findings) -> str:
    count = (
        verdict.counts[RUNS] - verdict.counts[APPLIED]
        if column == NOT_APPLIED
        else verdict.counts[column]
    )
    if column in VIOLATIONS:
        return f"[bold red]{count}" if count else "[green]0"
    return str(count)


def _print_summary(
    console: Console, total: Findings, chains: list[verification.VerificationResult], seconds: float
) -> int:
    for complaint in total.complaints[:MAX_COMPLAINTS]:
        console.print(f"[red]{complaint}", highlight=False)
    if len(total.complaints) > MAX_COMPLAINTS:
        console.print(f"… and {len(total.complaints) - MAX_COMPLAINTS} more")
    broken = [chain for chain in chains if chain.bad_seq is not None]
    events = sum(chain.events for chain in chains)
    console.print(
        f"{total.counts[RUNS]:,} changes on {connection.vendor} in {seconds:.0f} s; "
        f"{events:,} events in {len(chains)} logs, {len(broken)} with a broken chain; "
        f"copies unlike Twilio: {total.counts[MIRROR_DIFFERS]}"
    )
    return 1 if total.complaints or broken else 0


if __name__ == "__main__":
    sys.exit(main())
