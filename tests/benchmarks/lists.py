"""The list of flows against Django admin's list: `python -m tests.benchmarks.lists`.

Options: [--flows 1000,10000,100000] [--runs 15] [--typed 30] [--output FILE.json]. Both sites run
as deployed, at several sizes, and are measured in turns. The figures are ratios. The exit status is
1 if a promise isn't kept.

It creates its own data (fill.py), in temporary SQLite files or, if DATABASE_URL names a PostgreSQL,
in databases beside that one. `--typed 0` omits the keystrokes, which need Chromium.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.status import Status
from rich.table import Table

from tests.benchmarks.asking import ServedSite, count_queries, count_rows, request_list, serve_sites
from tests.benchmarks.fill import (
    ACCENTED_WORD,
    COMMON_WORD,
    RARE_TARGET,
    RARE_TARGET_NAME,
    RARE_WORD,
)
from tests.benchmarks.sizes import ascending_sizes, at_least


@dataclass(frozen=True, slots=True)
class Question:
    """The query of our list and that of Django admin's, which has no other pages than whole ones.

    `is_typed` means that ours is asked as the browser asks while a user types: for the results alone.
    """

    ours: str
    theirs: str
    is_typed: bool = False


RARE: Final = f"q={RARE_WORD}"
MISSING: Final = "q=nothinglikeit"
SEARCHES: Final = {
    "many hits": Question(f"q={COMMON_WORD}", f"q={COMMON_WORD}"),
    "one hit": Question(RARE, RARE),
    "one hit, typed": Question(RARE, RARE, is_typed=True),
    # Django admin can't find flows by what they point to, so it searches for the name of one flow.
    "target's name": Question(f"q={RARE_TARGET_NAME.replace(' ', '+')}", RARE),
    "end of a SID": Question(f"q={RARE_TARGET[-6:]}", RARE),
    "no hit": Question(MISSING, MISSING),
    "no hit, typed": Question(MISSING, MISSING, is_typed=True),
    "one letter": Question("q=a", "q=a"),
    # Django admin only finds them as they are folded.
    "accents": Question(f"q={ACCENTED_WORD[0]}", f"q={ACCENTED_WORD[1]}"),
}
PAGES: Final = {
    "the list": Question("", ""),
    "page 10": Question("page=10", "p=10"),
    "one channel": Question("channel=sms", "channel_type__exact=sms"),
    **SEARCHES,
}
SIDES: Final = ("site", "admin")
MIN_FLOWS: Final = 500  # flows: there is a tenth page
WARMUP_REQUESTS: Final = (
    6  # requests before any is measured: each of a worker's threads opens its connection
)


@dataclass(frozen=True, slots=True)
class PageMeasurement:
    """One page at one size: median seconds, and other figures."""

    flows: int
    page: str
    ours: float
    theirs: float
    rows: int
    html: int  # bytes, gzipped
    queries: int

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs


@dataclass(frozen=True, slots=True)
class Promise:
    """A limit and the measured value."""

    what: str
    found: float
    most: float
    aim: float | None = None
    unit: str = ""

    @property
    def is_kept(self) -> bool:
        return self.found <= self.most


def measure_pages(
    sizes: dict[int, dict[str, ServedSite]], runs: int, status: Status
) -> Iterator[PageMeasurement]:
    """Measure all sizes and both sites in turns, so that other load affects them equally."""
    queries = {
        size: count_queries(both["site"], [(page.ours, page.is_typed) for page in PAGES.values()])
        for size, both in sizes.items()
    }
    for place, (page, question) in enumerate(PAGES.items()):
        status.update(page)
        took: dict[tuple[int, str], list[float]] = {}
        bodies: dict[int, bytes] = {}
        for turn in range(WARMUP_REQUESTS + runs):
            for size, both in sizes.items():
                seconds = {}
                seconds["site"], bodies[size] = request_list(
                    both["site"], question.ours, is_typed=question.is_typed
                )
                seconds["admin"], _ = request_list(both["admin"], question.theirs)
                if turn >= WARMUP_REQUESTS:
                    for side in SIDES:
                        took.setdefault((size, side), []).append(seconds[side])
        for size in sizes:
            ours, theirs = (statistics.median(took[size, side]) for side in SIDES)
            yield PageMeasurement(
                size, page, ours, theirs, *count_rows(bodies[size]), queries[size][place]
            )


def check_promises(
    figures: list[PageMeasurement], memory: float, typed: list[float], requests: int
) -> Iterator[Promise]:
    """Return the promises about the list at each size, and about the largest one."""
    most, least = max(one.flows for one in figures), min(one.flows for one in figures)
    at = {(one.flows, one.page): one for one in figures}
    for flows in sorted({one.flows for one in figures}):
        ratio = at[flows, "the list"].ratio
        yield Promise(f"the list at {flows:,}, of Django admin's time", ratio, 1 / 4, 1 / 8)
    for page in SEARCHES:
        yield Promise(f"{page}, of Django admin's time", at[most, page].ratio, 1 / 5, 1 / 15)
    if most > least:
        growth = at[most, "the list"].ours / at[least, "the list"].ours
        yield Promise(f"the list at {most:,}, of its time at {least:,}", growth, 1.5)
        queries = [at[size, "the list"].queries for size in (least, most)]
        yield Promise("queries that more flows bring", queries[1] - queries[0], 0)
    yield Promise("memory of a worker", memory, 150, unit=" MB")
    yield Promise("HTML of the list, gzipped", at[most, "the list"].html / 1000, 10, unit=" kB")
    if typed:
        yield Promise(
            "keystroke to painted result, median", statistics.median(typed), 100, unit=" ms"
        )
        yield Promise("requests of a word typed without a pause", requests, 1)


def build_table(figures: list[PageMeasurement]) -> Table:
    table = Table(title="The list of flows beside Django admin's: medians")
    for title in (
        "flows",
        "page",
        "ours, ms",
        "Django admin, ms",
        "ratio",
        "rows",
        "queries",
        "HTML gz, kB",
    ):
        table.add_column(title, justify="left" if title == "page" else "right")
    for one in figures:
        table.add_row(
            f"{one.flows:,}",
            one.page,
            f"{one.ours * 1000:.1f}",
            f"{one.theirs * 1000:.1f}",
            f"1/{1 / one.ratio:.1f}",
            str(one.rows),
            str(one.queries),
            f"{one.html / 1000:.2f}",
        )
    return table


def build_promises_table(promises: list[Promise]) -> Table:
    table = Table(title="What is promised")
    for title in ("what", "is", "at most", "aim", "kept"):
        table.add_column(title, justify="left" if title == "what" else "right")
    for one in promises:
        aim = f"{one.aim:.3f}" if one.aim else ""
        table.add_row(
            one.what,
            f"{one.found:.3f}{one.unit}",
            f"{one.most:g}{one.unit}",
            aim,
            "yes" if one.is_kept else "NO",
        )
    return table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    sizes_of = ascending_sizes(MIN_FLOWS)
    parser.add_argument(
        "--flows", type=sizes_of, default="1000,10000,100000", help="sizes, with commas between"
    )
    parser.add_argument(
        "--runs", type=at_least(1), default=15, help="requests of each page and size"
    )
    parser.add_argument("--typed", type=int, default=30, help="keystrokes at the greatest size")
    parser.add_argument("--output", type=Path, help="a file for the figures, as JSON")
    options = parser.parse_args()
    sizes: list[int] = options.flows
    keystrokes: list[float] = []
    requests = 0
    with Console(stderr=True).status("") as status, ExitStack() as stack:
        served_at: dict[int, dict[str, ServedSite]] = {}
        for flows in sizes:
            status.update(f"filling a database with {flows:,} flows")
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            served_at[flows] = stack.enter_context(serve_sites(folder, flows))
        figures = list(measure_pages(served_at, options.runs, status))
        largest = served_at[sizes[-1]]["site"]
        memory = largest.memory()
        if options.typed:
            status.update("typing")
            from tests.benchmarks.keystrokes import measure_keystrokes

            keystrokes, requests = measure_keystrokes(largest, options.typed)
    promises = list(check_promises(figures, memory, keystrokes, requests))
    console = Console()
    console.print(build_table(figures), build_promises_table(promises))
    if options.output:
        results: dict[str, Any] = {
            "pages": [asdict(one) | {"ratio": one.ratio} for one in figures],
            "promises": [asdict(one) | {"kept": one.is_kept} for one in promises],
            "memory_mb": memory,
            "keystrokes_ms": keystrokes,
            "database": os.environ.get("DATABASE_URL", "sqlite").split(":")[0],
        }
        options.output.write_text(json.dumps(results, indent=2) + "\n")
    return 0 if all(one.is_kept for one in promises) else 1


if __name__ == "__main__":
    sys.exit(main())
