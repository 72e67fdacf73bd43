"""`reconcile_changes`: finds out, by reading, what became of changes whose answer was lost. Exit status 1 if
some stay in doubt."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from flows.flexapi.errors import FlexError
from flows.lines import escaped
from flows.services import reconcile
from flows.services.audit import NotRecorded
from flows.words import RESULTS


class Command(BaseCommand):
    help = "Resolve changes with an unknown outcome by reading from Twilio."

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            for event in reconcile.reconcile():
                self.stdout.write(f"{event.change_id} {event.target_sid}: {RESULTS[event.result]}")
        except FlexError as error:
            waiting = reconcile.in_doubt().exclude(puzzle="").count()
            decide = f" Needs your decision: {waiting}, in the audit log." if waiting else ""
            raise CommandError(f"Couldn't read from Twilio: {escaped(error)}.{decide}") from None
        except (NotRecorded, DatabaseError) as error:
            raise CommandError(f"Couldn't write to the audit log: {escaped(error)}.") from None
        left = reconcile.in_doubt()
        if count := left.count():
            puzzles = left.exclude(puzzle="").count()
            raise CommandError(
                f"Unknown outcome: {count} ({puzzles} waiting for a decision in the audit log, "
                f"{count - puzzles} for a second read in a minute)."
            )
        self.stdout.write("No changes have an unknown outcome.")
