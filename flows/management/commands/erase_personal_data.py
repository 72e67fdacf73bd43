"""`erase_personal_data (--flow SID | --identity VALUE) [--reason TEXT] [--despite-open-change]`: empties what
the audit log and the copy hold of a flow, or of a contact identity and the flows that ever had it, and writes
the database anew without it. The events stand, the chain still verifies, and the erasure is an event. Exit
status 1 if anything is left to do."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from flows.flexapi import schema
from flows.management import command_line
from flows.services import compaction, erasure
from flows.services.audit import NotRecorded
from flows.services.compaction import NotCompacted
from flows.services.erasure import Erased

SHORTEST = 3  # characters of an identity; less would be found everywhere


class Command(BaseCommand):
    help = "Erase the personal data of a flow or a contact identity, for good."

    def add_arguments(self, parser: ArgumentParser) -> None:
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("--flow", metavar="SID", default="", help="the flow to erase")
        whose.add_argument("--identity", metavar="VALUE", default="", help="the contact identity to erase")
        parser.add_argument("--reason", metavar="TEXT", default="", help="kept in the audit log")

        parser.add_argument(
            "--despite-open-change",
            action="store_true",
            help="also erase changes with an unknown outcome, which someone then decides without the erased data",
        )

    def handle(
        self,
        *_args: Any,
        flow: str,
        identity: str,
        reason: str,
        despite_open_change: bool = False,
        **_options: Any,
    ) -> None:
        if flow and not schema.is_sid("FO", flow):
            raise CommandError("Not a Flex Flow SID: FO and 32 characters from 0-9 and a-f.")
        if not flow and len(identity.strip()) < SHORTEST:
            raise CommandError(f"The identity is too short. Enter at least {SHORTEST} characters.")
        if despite_open_change and not reason.strip():
            raise CommandError("--despite-open-change needs a --reason. Nothing was erased.")
        console = Console(file=sys.stderr)
        try:
            with console.status("Searching the audit log"):
                compaction.overwrite_what_is_freed()
                erased = erasure.erase(
                    sid=flow,
                    identity=identity,
                    reason=reason,
                    actor=command_line.actor(),
                    despite_open_change=despite_open_change,
                )
        except erasure.ReasonTellsIt:
            raise CommandError("The reason contains the data to erase. Nothing was erased.") from None
        except erasure.StillOpen as still:
            raise CommandError(_way_on(still)) from None
        except NotRecorded:
            raise CommandError("Couldn't write to the audit log, so nothing was erased.") from None
        self._tell(erased)
        try:
            with console.status("Compacting the database"):
                compaction.compact()
        except NotCompacted as error:
            raise CommandError(
                f"Erased from the tables, but maybe not from the database's files. {error} Stop the site and run this command again."
            ) from None
        self.stdout.write("Database compacted.")
        self.stderr.write(f"Not erased: {compaction.beyond_reach()}; browser caches and log files.")

    def _tell(self, erased: Erased) -> None:
        if erased.event is None:
            self.stdout.write("Nothing to erase: no event and no flow contains it.")
        else:
            self.stdout.write(
                f"Erased personal data from {len(erased.seqs)} events ({command_line.listed(erased.seqs) or 'none'}) and "
                f"{len(erased.flows)} flows (logged as event {erased.event.seq})."
            )
        if erased.undecided:
            events = command_line.listed(erased.undecided)
            self._warn(f"Needs your decision, without the erased data: events {events}, on their pages.")
        if erased.at_twilio:
            flows = ", ".join(erased.at_twilio)
            self._warn(
                f"Twilio still has {flows}, and the next sync restores it. Delete or change it there, then run this command again."
            )
        if erased.sealed:
            events = command_line.listed(erased.sealed)
            self._warn(
                f"Events {events} contain it in their reason, user or browser, which are part of the hash chain and can't be erased."
            )
        if erased.elsewhere:
            events = command_line.listed(erased.elsewhere)
            self._warn(f"Events {events} were not erased, though they contain it or a longer word with it.")

    def _warn(self, text: str) -> None:
        self.stderr.write(self.style.WARNING(text))


def _way_on(still: erasure.StillOpen) -> str:
    """What to do about a change that is open, as one line."""
    seq = still.event.seq
    if still.is_under_way:
        return f"A change is in progress (event {seq}). Try again in a minute. Nothing was erased."
    return (
        f"A change has an unknown outcome (event {seq}), which would restore the data. Resolve it first with "
        "reconcile_changes or on the event's page. Or add --despite-open-change and a --reason: someone then decides "
        "the outcome without the erased data. Nothing was erased."
    )
