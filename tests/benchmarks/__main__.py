"""Benchmarks of the site: `python -m tests.benchmarks [NAME …] [--output FILE.json] [--short]`.

The names are lists, sync, log, pages, resources, checks, history and api. The benchmarks compare the site with alternatives, and
small with large data. Each creates its own data, measures in turns, and prints a table and its
promises. Without names all of them run, which takes half an hour. The figures go into one file. The
exit status is 1 if a promise isn't kept. With `--short` the data is so small that the figures mean
nothing; the exit status is then 1 only if a benchmark fails.

DATABASE_URL chooses the database; the default is temporary SQLite files. Each benchmark has options
of its own: `python -m tests.benchmarks.log --help`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

BENCHMARKS: Final = {
    "lists": "the list and its searches beside Django admin's, at three sizes, and from a key to its result",
    "sync": "a sync of 10,000 flows beside Twilio's own client",
    "log": "the log's pages at 10,000 and at 1,000,000 events, and its rate of appends",
    "pages": "the list beside Django admin's on a slow line and an old machine",
    "resources": "the list of 5,000 channels beside the API's own answer",
    "history": "the flows at a moment, from a log of 1,000,000 events",
    "checks": "all checks of 2,500 flows beside the reading of the flows",
    "api": "10,000 flows over the API beside a bare query, and a write beside the page's",
}
ALL: Final = "all"
SHORT_OPTIONS: Final = {
    "lists": ("--flows", "600", "--runs", "1", "--typed", "6"),
    "sync": ("--flows", "120", "--runs", "1"),
    "log": ("--events", "7000", "--small", "6000", "--runs", "1", "--append-seconds", "0.3"),
    "pages": ("--runs", "1"),
    "resources": ("--channels", "400", "--runs", "1", "--latency-ms", "1"),
    "history": ("--events", "6000", "--flows", "600", "--runs", "1"),
    "checks": ("--flows", "50", "--runs", "1"),
    "api": ("--flows", "50", "--runs", "1"),
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "names",
        nargs="*",
        choices=[*BENCHMARKS, ALL],
        default=ALL,
        metavar="NAME",
        help=", ".join(BENCHMARKS),
    )
    parser.add_argument(
        "--output", type=Path, default=Path("benchmarks.json"), help="default: %(default)s"
    )
    parser.add_argument("--short", action="store_true", help="only try them out, with little data")
    options = parser.parse_args()
    figures: dict[str, Any] = {}
    broken = []
    for name in BENCHMARKS if ALL in options.names else options.names:
        print(f"\n{name}: {BENCHMARKS[name]}", flush=True)  # noqa: T201
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / "figures.json"
            sizes = SHORT_OPTIONS[name] if options.short else ()
            command = [
                sys.executable,
                "-m",
                f"tests.benchmarks.{name}",
                "--output",
                str(output),
                *sizes,
            ]
            is_kept = subprocess.run(command, check=False).returncode == 0
            if not (output.exists() if options.short else is_kept):
                broken.append(name)
            if output.exists():  # else it broke off, and has said why
                figures[name] = json.loads(output.read_text())
    options.output.write_text(json.dumps(figures, indent=2) + "\n")
    if options.short and not broken:
        print(f"\nall of it works; figures that mean nothing: {options.output}")  # noqa: T201
        return 0
    verdict = (
        f"not kept, or not measured: {', '.join(broken)}" if broken else "all promises are kept"
    )
    print(f"\n{verdict}; figures: {options.output}")  # noqa: T201
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
