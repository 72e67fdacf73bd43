"""`reconcile_changes`: finds out, by reading, what became of changes whose answer was lost. Exit status 1 if
some stay in doubt."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from flows.flexapi.errors import FlexError
from flows.models import AuditEvent
from flows.services import reconcile
from flows.words import RESULTS


class Command(BaseCommand):
    help = "Find out what became of changes whose answer was lost."

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            for event in reconcile.reconcile():
                self.stdout.write(f"{event.change_id} {event.target_sid}: {RESULTS[event.result]}")
        except FlexError as error:
            raise CommandError(f"Twilio could not be read: {error}.") from None
        left = reconcile.in_doubt().count() + _creations()
        if left:
            raise CommandError(
                f"In doubt: {left}. That one was not made takes a second read a minute later, "
                "creations and flows that were changed elsewhere take a person."
            )
        self.stdout.write("No change is in doubt.")


def _creations() -> int:
    return AuditEvent.objects.filter(action="flow.create", stage="outcome", result="unknown").count()
