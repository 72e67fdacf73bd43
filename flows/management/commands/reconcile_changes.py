"""Command that resolves changes with an unknown outcome by reading from Twilio.

The exit status is 1 if some changes remain unresolved.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from flows.audit.action_registry import RESULT_LABELS
from flows.audit.models import AuditEvent
from flows.changes import reconcile
from flows.core.terminal_text import escape_line
from flows.management import command_line
from flows.twilio.errors import FlexError


class Command(BaseCommand):
    help = "Resolve changes with an unknown outcome by reading from Twilio."

    def handle(self, *_args: Any, **_options: Any) -> None:
        with command_line.required_log("no further outcome is known"):
            resolved_events = _reconcile()
        for event in resolved_events:
            prefix = command_line.account_prefix(event.account_sid)
            outcome = RESULT_LABELS[event.result]
            self.stdout.write(f"{prefix}{event.change_id} {event.target_sid}: {outcome}")
        unresolved = reconcile.unresolved_changes()
        if count := unresolved.count():
            decisions = unresolved.exclude(ambiguity="").count()
            raise CommandError(
                f"Unknown outcome: {count} ({decisions} waiting for a decision in the audit log, "
                f"{count - decisions} for a second read in a minute)."
            )
        self.stdout.write("No changes have an unknown outcome.")


def _reconcile() -> list[AuditEvent]:
    """Return the events that resolve changes. Twilio or the database can end the command."""
    try:
        return reconcile.reconcile()
    except FlexError as error:
        message = f"Couldn't read from Twilio: {escape_line(error)}."
        if decisions := reconcile.unresolved_changes().exclude(ambiguity="").count():
            message += f" Needs your decision: {decisions}, in the audit log."
        raise CommandError(message) from None
    except DatabaseError as error:
        raise CommandError(f"Couldn't write to the database: {escape_line(error)}.") from None
