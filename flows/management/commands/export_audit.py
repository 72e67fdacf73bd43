"""`export_audit --format ndjson|csv [--after SEQ] [--output FILE] [--head FILE]`: the audit log on standard
output, or into a file. `--head` also writes the chain's signed head, to be kept elsewhere. Every export is on
record itself, before it begins.
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

from flows.lines import escaped
from flows.management import command_line
from flows.services import evidence, export
from flows.services.audit import NotRecorded
from flows.services.export import Export


class Command(BaseCommand):
    help = "Export the audit log as NDJSON or CSV."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--format", choices=export.FORMATS, default="ndjson")
        parser.add_argument("--after", type=int, default=0, metavar="SEQ", help="start after this event")
        parser.add_argument(
            "--output", type=Path, metavar="FILE", help="write to this file instead of standard output"
        )
        parser.add_argument(
            "--head", type=Path, metavar="FILE", help="also write a signed checkpoint to this file"
        )

    def handle(self, *_args: Any, after: int, output: Path | None, head: Path | None, **options: Any) -> None:
        try:
            if head:
                head.write_text(json.dumps(evidence.signed_head()) + "\n")
            begun = export.begin(form=options["format"], after=after, actor=command_line.actor())
            if output:
                with output.open("w", encoding="utf-8", newline="") as file:
                    _write(file.write, begun)
            else:
                _write(lambda text: self.stdout.write(text, ending=""), begun)
        except NotRecorded:
            raise CommandError("Couldn't write to the audit log, so nothing was exported.") from None
        except OSError as error:
            raise CommandError(f"Couldn't write the export: {escaped(error)}") from None


def _write(write: Callable[[str], object], begun: Export) -> None:
    rows = track(
        begun.rows(),
        total=max(0, begun.through - begun.after),
        description="Exporting",
        console=Console(file=sys.stderr),
        disable=not sys.stderr.isatty(),
    )
    for line in begun.lines(rows):
        write(line)
