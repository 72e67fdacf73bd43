"""Worker process of the command, which runs cells on its own database."""

from __future__ import annotations

from multiprocessing.queues import SimpleQueue

import tests.faults.ready  # noqa: F401 - Django comes first

# isort: split
from tests.faults.databases import use_database
from tests.faults.matrix import consistency
from tests.faults.matrix.play import Clock, run_scenario
from tests.faults.matrix.troubles import SCENARIOS
from tests.faults.witness import Findings

_clock = Clock()


def connect_database(free: SimpleQueue[str]) -> None:
    use_database(free.get())


def run_cell(name: str, verb: str, runs: int, seed: int) -> Findings:
    return run_scenario(SCENARIOS[name], verb, runs=runs, seed=seed, clock=_clock)


def run_row(name: str, runs: int, seed: int) -> consistency.Tally:
    return consistency.run_row(name, runs=runs, seed=seed, clock=_clock)
