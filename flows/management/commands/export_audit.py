"""Command that exports the audit log to standard output or to a file.

Usage: `export_audit --format ndjson|csv [--after SEQ] [--output FILE] [--head FILE]`

`--head` also writes a signed checkpoint of the hash chain, to be stored elsewhere. An export is
logged before it begins.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import track

from flows.audit import checkpoints, export
from flows.audit.export import Export
from flows.core.terminal_text import escape_line
from flows.management import command_line


class Command(BaseCommand):
    help = "Export the audit log as NDJSON or CSV."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--format", choices=export.FORMATS, default="ndjson")
        parser.add_argument(
            "--after", type=int, default=0, metavar="SEQ", help="start after this event"
        )
        parser.add_argument(
            "--output",
            type=Path,
            metavar="FILE",
            help="write to this file instead of standard output",
        )
        parser.add_argument(
            "--head", type=Path, metavar="FILE", help="also write a signed checkpoint to this file"
        )

    def handle(
        self, *_args: Any, after: int, output: Path | None, head: Path | None, **options: Any
    ) -> None:
        try:
            actor = command_line.command_actor()
            with command_line.required_log("nothing was exported"):
                if head:
                    checkpoint = checkpoints.export_checkpoint(actor)
                    head.write_text(json.dumps(checkpoint) + "\n")
                started_export = export.start_export(
                    form=options["format"], after=after, actor=actor
                )
            self._write(started_export, output)
        except OSError as error:
            raise CommandError(f"Couldn't write the export: {escape_line(error)}") from None

    def _write(self, started_export: Export, output: Path | None) -> None:
        """Write the export to the file, or to standard output without one."""
        if output is None:
            _write_lines(lambda text: self.stdout.write(text, ending=""), started_export)
            return
        with output.open("w", encoding="utf-8", newline="") as file:
            _write_lines(file.write, started_export)


def _write_lines(write: Callable[[str], object], started_export: Export) -> None:
    rows = track(
        started_export.rows(),
        total=max(0, started_export.through - started_export.after),
        description="Exporting",
        console=Console(file=sys.stderr),
        disable=not sys.stderr.isatty(),
    )
    for line in started_export.lines(rows):
        write(line)
