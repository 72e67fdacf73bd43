"""Run of the rows of consistency.py, distributed to processes with their own databases."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.queues import SimpleQueue

from tests.faults.matrix import worker
from tests.faults.matrix.consistency import Tally


def run_rows(names: list[str], own: list[str], *, runs: int, seed: int) -> dict[str, Tally]:
    """Return the tally of each row. `own` are the databases."""
    if not names:
        return {}
    context = multiprocessing.get_context("spawn")
    free: SimpleQueue[str] = context.SimpleQueue()
    for name in own:
        free.put(name)
    with ProcessPoolExecutor(
        len(own), mp_context=context, initializer=worker.connect_database, initargs=(free,)
    ) as pool:
        rows = {name: pool.submit(worker.run_row, name, runs, seed) for name in names}
        return {name: row.result() for name, row in rows.items()}
