"""`export_audit --format ndjson|csv [--after SEQ] [--output FILE] [--head FILE]`: the audit log on standard
output, or into a file. `--head` also writes the chain's signed head, to be kept elsewhere. Every export is on
record itself, before it begins.
"""

from __future__ import annotations

import getpass
import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import track

from flows.models import Result, Stage
from flows.services import audit, evidence
from flows.services.audit import Actor, NotRecorded


class Command(BaseCommand):
    help = "Export the audit log as NDJSON or CSV."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--format", choices=["ndjson", "csv"], default="ndjson")
        parser.add_argument("--after", type=int, default=0, metavar="SEQ", help="go on behind this event")
        parser.add_argument("--output", type=Path, metavar="FILE", help="instead of standard output")
        parser.add_argument("--head", type=Path, metavar="FILE", help="write the chain's signed head there")

    def handle(self, *_args: Any, after: int, output: Path | None, head: Path | None, **options: Any) -> None:
        try:
            if head:
                head.write_text(json.dumps(evidence.signed_head()) + "\n")
            _put_on_record(options["format"], after)
            if output:
                with output.open("w", encoding="utf-8", newline="") as file:
                    _write(file.write, options["format"], after)
            else:
                _write(lambda text: self.stdout.write(text, ending=""), options["format"], after)
        except NotRecorded:
            raise CommandError("The export could not be put on record, so nothing was exported.") from None
        except OSError as error:
            raise CommandError(f"The export could not be written: {error}") from None


def _write(write: Callable[[str], object], form: str, after: int) -> None:
    through = audit.last_seq()
    events = track(
        evidence.exported(after=after, through=through),
        total=max(0, through - after),
        description="Exporting",
        console=Console(file=sys.stderr),
        disable=not sys.stderr.isatty(),
    )
    for line in evidence.ndjson(iter(events)) if form == "ndjson" else evidence.csv_lines(iter(events)):
        write(line)


def _put_on_record(form: str, after: int) -> None:
    audit.append(
        action="audit.export",
        stage=Stage.ACCESS,
        result=Result.SUCCEEDED,
        actor=Actor(id="", label=f"command line: {getpass.getuser()}"),
        reason=f"{form}, events after {after}",
    )
