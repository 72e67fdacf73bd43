"""`reconcile_changes`: finds out, by reading, what became of changes whose answer was lost. Exit status 1 if
some stay in doubt."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from flows.audit.actions import RESULTS
from flows.audit.audit_log import NotRecorded
from flows.changes import reconcile
from flows.core.terminal_text import escaped
from flows.twilio.errors import FlexError


class Command(BaseCommand):
    help = "Find out what became of changes whose answer was lost."

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            for event in reconcile.reconcile():
                self.stdout.write(f"{event.change_id} {event.target_sid}: {RESULTS[event.result]}")
        except FlexError as error:
            waiting = reconcile.in_doubt().exclude(puzzle="").count()
            decide = f" Needs your decision: {waiting}, on their pages in the audit log." if waiting else ""
            raise CommandError(f"Twilio could not be read: {escaped(error)}.{decide}") from None
        except (NotRecorded, DatabaseError) as error:
            raise CommandError(f"What was found could not be put on record: {escaped(error)}.") from None
        left = reconcile.in_doubt()
        if count := left.count():
            puzzles = left.exclude(puzzle="").count()
            raise CommandError(
                f"In doubt: {count}. Of these, {puzzles} wait for a person to decide, on their pages in the audit "
                f"log; {count - puzzles} for a second read a minute later."
            )
        self.stdout.write("No change is in doubt.")
