"""A process of the command's, with a database of its own, in which one cell is played after the other."""

from __future__ import annotations

from multiprocessing.queues import SimpleQueue

import tests.faults.ready  # noqa: F401 - Django comes first

# isort: split
from tests.faults.databases import use
from tests.faults.matrix import consistency
from tests.faults.matrix.play import Clock, play
from tests.faults.matrix.troubles import TROUBLES
from tests.faults.witness import Verdict

_clock = Clock()


def begin(free: SimpleQueue[str]) -> None:
    use(free.get())


def play_cell(name: str, verb: str, runs: int, seed: int) -> Verdict:
    return play(TROUBLES[name], verb, runs=runs, seed=seed, clock=_clock)


def play_row(name: str, runs: int, seed: int) -> consistency.Tally:
    return consistency.play(name, runs=runs, seed=seed, clock=_clock)
