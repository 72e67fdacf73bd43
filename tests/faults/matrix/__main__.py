"""`python -m tests.faults.matrix [--runs N]`: plays every trouble at every kind of change N times, and prints what
came of it. Exit status 1 if anything that must be zero is not.
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
from tests.faults.databases import databases, use
from tests.faults.matrix import consistency, families, worker
from tests.faults.matrix.play import COPY_DIFFERS, RUNS
from tests.faults.matrix.troubles import TROUBLES
from tests.faults.witness import (
    APPLIED,
    APPLIED_BUT_NOT,
    FAILED_BUT_APPLIED,
    LEFT_UNKNOWN,
    NEVER,
    TWICE,
    WAITING,
    WITHOUT_ATTEMPT,
    Verdict,
)

WIDTH = 160  # where there is no terminal to say
NOT_APPLIED = "not applied"
HEADINGS = {
    RUNS: "runs",
    APPLIED: "\napplied",
    NOT_APPLIED: "not\napplied",
    WITHOUT_ATTEMPT: "applied,\nno attempt",
    TWICE: "applied\ntwice",
    FAILED_BUT_APPLIED: "applied, but\nsaid failed",
    APPLIED_BUT_NOT: "not applied, but\nsaid applied",
    LEFT_UNKNOWN: "left\nunknown",
    WAITING: "waits for\na person",
}
COMPLAINTS = 40  # that are printed in full


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.matrix", description=__doc__)
    parser.add_argument("--runs", type=int, default=20, help="of each trouble at each kind of change")
    parser.add_argument("--seed", type=int, default=1, help="of all that is drawn at random")
    parser.add_argument("--only", default="", help="the troubles whose name has this in it")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    names = [
        name
        for name, trouble in TROUBLES.items()
        if options.only in name and trouble.vendor in ("", connection.vendor)
    ]
    started = time.monotonic()
    lags = [name for name in consistency.ROWS if options.only in name]
    with databases(options.processes) as own:
        verdicts = _play_all(console, names, own, options)
        tallies = families.play_rows(lags, own, runs=options.runs, seed=options.seed)
        chains = [_chain(name) for name in own]
    console.print(_table(names, verdicts))
    if tallies:
        console.print(consistency.table_of(tallies))
    total = Verdict()
    for verdict in verdicts.values():
        total.add(verdict)
    total.complaints += [one for tally in tallies.values() for one in tally.complaints]
    return _say_how_it_ended(console, total, chains, time.monotonic() - started)


def _play_all(
    console: Console, names: list[str], own: list[str], options: argparse.Namespace
) -> dict[str, Verdict]:
    """A cell at a time to each process, which has a database of its own."""
    context = multiprocessing.get_context("spawn")
    free: SimpleQueue[str] = context.SimpleQueue()
    for name in own:
        free.put(name)
    verdicts: defaultdict[str, Verdict] = defaultdict(Verdict)
    with ProcessPoolExecutor(
        len(own), mp_context=context, initializer=worker.begin, initargs=(free,)
    ) as pool:
        cells = {
            pool.submit(worker.play_cell, name, verb, options.runs, options.seed): name
            for name in names
            for verb in TROUBLES[name].verbs
        }
        for cell in track(
            as_completed(cells), "Playing", len(cells), console=console, disable=not console.is_terminal
        ):
            verdicts[cells[cell]].add(cell.result())
    return verdicts


def _chain(name: str) -> verification.Verdict:
    use(name)
    return verification.verify()


def _table(names: list[str], verdicts: dict[str, Verdict]) -> Table:
    table = Table(
        title="What was done at Twilio's end, held against what the audit log says", show_footer=True
    )
    total = Verdict()
    for verdict in verdicts.values():
        total.add(verdict)
    table.add_column("what goes wrong", f"{len(names)} in all", no_wrap=True)
    for column, heading in HEADINGS.items():
        table.add_column(heading, _cell(column, total), justify="right")
    group = ""
    for name in names:
        if TROUBLES[name].group != group:
            group = TROUBLES[name].group
            table.add_section()
            table.add_row(f"[bold]{group}")
        table.add_row(f"  {name}", *(_cell(column, verdicts[name]) for column in HEADINGS))
    return table


def _cell(column: str, verdict: Verdict) -> str:
    count = (
        verdict.counts[RUNS] - verdict.counts[APPLIED] if column == NOT_APPLIED else verdict.counts[column]
    )
    if column in NEVER:
        return f"[bold red]{count}" if count else "[green]0"
    return str(count)


def _say_how_it_ended(
    console: Console, total: Verdict, chains: list[verification.Verdict], seconds: float
) -> int:
    for complaint in total.complaints[:COMPLAINTS]:
        console.print(f"[red]{complaint}", highlight=False)
    if len(total.complaints) > COMPLAINTS:
        console.print(f"… and {len(total.complaints) - COMPLAINTS} more")
    broken = [chain for chain in chains if chain.bad_seq is not None]
    events = sum(chain.events for chain in chains)
    console.print(
        f"{total.counts[RUNS]:,} changes on {connection.vendor} in {seconds:.0f} s; "
        f"{events:,} events in {len(chains)} logs, {len(broken)} with a broken chain; "
        f"copies unlike Twilio: {total.counts[COPY_DIFFERS]}"
    )
    return 1 if total.complaints or broken else 0


if __name__ == "__main__":
    sys.exit(main())
