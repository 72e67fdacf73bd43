"""`sync_flows`: pulls every Flex Flow from Twilio and makes the copy equal to it. Cron runs it."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from rich.console import Console

from flows.flexapi.errors import FlexError
from flows.services import mirror, reconcile
from flows.services.audit import NotRecorded


class Command(BaseCommand):
    help = "Refresh the copy of Twilio's Flex Flows."

    def handle(self, *_args: Any, **_options: Any) -> None:
        console = Console(file=sys.stderr)
        try:
            with console.status("Reading the flows from Twilio"):
                report = mirror.sync()
        except mirror.SyncBusy:
            raise CommandError("Another sync is under way; its result will do.") from None
        except (FlexError, NotRecorded, DatabaseError) as error:
            raise CommandError(f"The copy stays as it was: {error}.") from None
        self.stdout.write(
            f"{report.flows} flows: {report.created} new, {report.changed} changed, {report.gone} gone."
        )
        try:
            settled = reconcile.reconcile()
        except (FlexError, NotRecorded, DatabaseError) as error:
            raise CommandError(f"What is in doubt could not be looked at: {error}.") from None
        if settled:
            self.stdout.write(f"Settled by reading: {len(settled)} that were in doubt.")
