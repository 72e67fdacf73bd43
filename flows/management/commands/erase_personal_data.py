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

from flows.audit.audit_log import NotRecorded
from flows.erasure import compaction, erasure
from flows.erasure.compaction import CompactionFailed
from flows.erasure.erasure import ErasureResult
from flows.management import command_line
from flows.twilio.flex import flex_flow

MIN_IDENTITY_LENGTH = 3  # characters of an identity; less would be found everywhere


class Command(BaseCommand):
    help = "Erase the personal data of a flow or a contact identity, for good."

    def add_arguments(self, parser: ArgumentParser) -> None:
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("--flow", metavar="SID", default="", help="of this flow")
        whose.add_argument(
            "--identity", metavar="VALUE", default="", help="wherever this identity is mentioned"
        )
        parser.add_argument("--reason", metavar="TEXT", default="", help="goes into the log, and stays there")

        parser.add_argument(
            "--despite-open-change",
            action="store_true",
            help="also erase the contents of changes with an unknown outcome, which someone then decides without them",
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
        if flow and not flex_flow.is_sid("FO", flow):
            raise CommandError("That is not a flow's SID: FO and 32 characters from 0-9 and a-f.")
        if not flow and len(identity.strip()) < MIN_IDENTITY_LENGTH:
            raise CommandError(f"That is too short to look for: {MIN_IDENTITY_LENGTH} characters or more.")
        if despite_open_change and not reason.strip():
            raise CommandError("--despite-open-change needs a --reason. Nothing was erased.")
        console = Console(file=sys.stderr)
        try:
            with console.status("Looking through the log"):
                compaction.enable_secure_delete()
                erased = erasure.erase(
                    sid=flow,
                    identity=identity,
                    reason=reason,
                    actor=command_line.command_actor(),
                    despite_open_change=despite_open_change,
                )
        except erasure.ReasonMentionsData:
            raise CommandError(
                "The reason mentions what is to be erased, and would keep it. Nothing was erased."
            ) from None
        except erasure.BlockedByOpenChange as still:
            raise CommandError(_open_change_message(still)) from None
        except NotRecorded:
            raise CommandError("The erasure could not be put on record, so nothing was erased.") from None
        self._tell(erased)
        try:
            with console.status("Writing the database anew"):
                compaction.compact()
        except CompactionFailed as error:
            raise CommandError(
                f"The tables are rid of it, the database's files may not be. {error} Stop the site, and run this again."
            ) from None
        self.stdout.write("The database was written anew without it.")
        self.stderr.write(
            f"Out of this command's reach: {compaction.describe_unreachable_copies()}; what browsers and logs have kept."
        )

    def _tell(self, erased: ErasureResult) -> None:
        if erased.event is None:
            self.stdout.write("There is nothing to erase: no payload and no flow of the copy has it.")
        else:
            self.stdout.write(
                f"Erased the contents of {len(erased.seqs)} events ({command_line.format_seqs(erased.seqs) or 'none'}), and "
                f"{len(erased.flows)} flows of the copy. Event {erased.event.seq} says so."
            )
        if erased.undecided:
            events = command_line.format_seqs(erased.undecided)
            self._warn(f"Needs your decision, without the contents: events {events}, on their pages.")
        if erased.at_twilio:
            flows = ", ".join(erased.at_twilio)
            self._warn(
                f"Twilio still has {flows}: the next sync brings it back. Delete or change it there, then repeat."
            )
        if erased.sealed:
            events = command_line.format_seqs(erased.sealed)
            self._warn(
                f"Events {events} mention it in their reason, person or browser, which are sealed and stay."
            )
        if erased.elsewhere:
            events = command_line.format_seqs(erased.elsewhere)
            self._warn(
                f"Events {events} were left alone, though their contents have it, or a longer word with it in it."
            )

    def _warn(self, text: str) -> None:
        self.stderr.write(self.style.WARNING(text))


def _open_change_message(still: erasure.BlockedByOpenChange) -> str:
    """What to do about a change that is open, as one line."""
    seq = still.event.seq
    if still.is_under_way:
        return f"A change is under way (event {seq}). Repeat this in a minute. Nothing was erased."
    return (
        f"A change is open (event {seq}), and its outcome would bring the data back. Settle it first: reconcile_changes, "
        "or the event's page. Or repeat with --despite-open-change and a --reason: someone then decides the change "
        "without its contents. Nothing was erased."
    )
