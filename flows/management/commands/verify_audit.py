"""`verify_audit [--head FILE]`: walks the audit log's chain and names the first event that is not as it was
sealed. With a head that `export_audit --head` wrote earlier, it also finds a cut-off tail. The verification goes on
record. Exit status 1 if not all is well.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from flows.lines import escaped
from flows.management import command_line
from flows.services import evidence


class Command(BaseCommand):
    help = "Verify the audit log's hash chain."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--head", type=Path, metavar="FILE", help="a signed checkpoint from an earlier export"
        )

    def handle(self, *_args: Any, head: Path | None, **_options: Any) -> None:
        signed = _read(head) if head else None
        with Console(file=sys.stderr).status("Verifying"):
            verdict, event = evidence.verify_on_record(actor=command_line.actor(), head=signed)
        if event is None:
            self.stderr.write(self.style.WARNING("This verification could not be recorded."))
        if not verdict.is_intact:
            raise CommandError(str(verdict))
        rate = verdict.events / verdict.seconds if verdict.seconds else 0
        self.stdout.write(f"{str(verdict)[:-1]} ({verdict.seconds:.1f} s, {rate:,.0f} a second).")


def _read(path: Path) -> dict[str, Any]:
    try:
        head = evidence.read_head(path.read_text())
    except (OSError, ValueError) as error:
        raise CommandError(f"Couldn't read the checkpoint: {escaped(error)}") from None
    if head is None:
        raise CommandError("Invalid checkpoint: not signed with this site's AUDIT_KEY, or altered.")
    return head
