"""Command that verifies the audit log's hash chain and names the first violation.

Usage: `verify_audit [--head FILE]`

With a checkpoint that `export_audit --head` wrote earlier, it also finds missing events at the end
of the log. The verification itself is logged. The exit status is 1 if the log is not intact.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from flows.audit import checkpoints, verification
from flows.core.terminal_text import escape_line
from flows.management import command_line


class Command(BaseCommand):
    help = "Verify the audit log's hash chain."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--head", type=Path, metavar="FILE", help="a signed checkpoint from an earlier export"
        )

    def handle(self, *_args: Any, head: Path | None, **_options: Any) -> None:
        checkpoint = _read_checkpoint(head) if head else None
        with Console(file=sys.stderr).status("Verifying"):
            verdict, event = verification.verify_and_record(
                actor=command_line.command_actor(), head=checkpoint
            )
        if event is None:
            self.stderr.write(self.style.WARNING("This verification could not be recorded."))
        if not verdict.is_intact:
            raise CommandError(str(verdict))
        rate = verdict.events / verdict.seconds if verdict.seconds else 0
        self.stdout.write(f"{str(verdict)[:-1]} ({verdict.seconds:.1f} s, {rate:,.0f} a second).")


def _read_checkpoint(path: Path) -> dict[str, Any]:
    try:
        checkpoint = checkpoints.parse_checkpoint(path.read_text())
    except (OSError, ValueError) as error:
        raise CommandError(f"Couldn't read the checkpoint: {escape_line(error)}") from None
    if checkpoint is None:
        raise CommandError("Invalid checkpoint: not signed with this site's AUDIT_KEY, or altered.")
    return checkpoint
