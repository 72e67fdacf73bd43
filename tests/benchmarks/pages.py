"""The list against its budgets and Django admin: `python -m tests.benchmarks.pages`.

Options: [--runs 5] [--output FILE.json]. Both lists, as deployed, are visited in turns in a slow
browser, and the medians compared with the budgets. The exit status is 1 if a budget is exceeded.

It needs Chromium only. The sites, their database and the sandbox are in a temporary folder.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.benchmarks.chromium import chromium
from tests.benchmarks.deployed import PASSWORD, USERNAME, DeployedSites, deploy_sites
from tests.benchmarks.measuring import BUDGETS, Figures, compute_medians, measure_visit, sign_in
from tests.benchmarks.sizes import at_least

SITE_PAGE, ADMIN_PAGE = "/flows/", "/admin/flows/flow/"


def compare_sites(both: DeployedSites, *, runs: int) -> tuple[list[Figures], list[Figures]]:
    """Visit both sites in turns, so that other load affects them equally."""
    ours, theirs = [], []
    with chromium() as browser, Progress(console=Console(stderr=True), transient=True) as progress:
        site = sign_in(browser, f"{both.site}/login/", name=USERNAME, password=PASSWORD)
        admin = sign_in(browser, f"{both.admin}/admin/login/", name=USERNAME, password=PASSWORD)
        for _ in progress.track(range(runs), description="Visiting both lists"):
            both.expire_mirror()
            ours.append(measure_visit(browser, both.site + SITE_PAGE, cookies=site))
            theirs.append(measure_visit(browser, both.admin + ADMIN_PAGE, cookies=admin))
    return ours, theirs


def build_table(ours: Figures, theirs: Figures, runs: int) -> Table:
    table = Table(
        title=f"The list of flows, 50 rows: medians of {runs} visits",
        caption="cold, 1.6 Mbit/s, 150 ms, CPU 4× slower, 1350×800",
    )
    for title in ("what", "ours", "Django admin", "budget", "kept"):
        table.add_column(title, justify="left" if title == "what" else "right")
    for budget in BUDGETS:
        cells = (
            budget.said(figure)
            for figure in (
                getattr(ours, budget.figure),
                getattr(theirs, budget.figure),
                budget.most,
            )
        )
        table.add_row(budget.label, *cells, "yes" if budget.is_kept(ours) else "NO")
    return table


def _exit_on_signal(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(143)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=at_least(1), default=5)
    parser.add_argument("--output", type=Path, help="a file for every visit's figures, as JSON")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _exit_on_signal)  # so that what was started is stopped then, too
    runs = max(1, options.runs)
    with tempfile.TemporaryDirectory() as folder, deploy_sites(Path(folder)) as both:
        visits = compare_sites(both, runs=runs)
    ours, theirs = map(compute_medians, visits)
    Console().print(build_table(ours, theirs, runs))
    all_kept = all(budget.is_kept(ours) for budget in BUDGETS)
    if options.output:
        results = {
            "ours": asdict(ours),
            "django_admin": asdict(theirs),
            "budgets": {budget.figure: budget.most for budget in BUDGETS},
            "kept": all_kept,
            "visits": {
                "ours": [asdict(one) for one in visits[0]],
                "django_admin": [asdict(one) for one in visits[1]],
            },
        }
        options.output.write_text(json.dumps(results, indent=2) + "\n")
    return 0 if all_kept else 1


if __name__ == "__main__":
    sys.exit(main())
