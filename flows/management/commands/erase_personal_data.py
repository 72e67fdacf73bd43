"""Command that erases the personal data of a flow or of a contact identity.

Usage: `erase_personal_data (--flow SID | --identity VALUE) [--reason TEXT] [--despite-open-change]`

It empties the audit log's payloads, removes the flows from the mirror, and compacts the database.
The events stay, the hash chain stays intact, and the erasure is an event itself. The exit status is
1 if nothing was erased, if the files may still contain the data, or if Twilio still has a flow.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from flows.erasure import compaction, erasure
from flows.erasure.compaction import CompactionFailed
from flows.erasure.erasure import MIN_IDENTITY_LENGTH, ErasureResult
from flows.erasure.seq_text import format_seqs
from flows.management import command_line
from flows.mirror.ownership import find_account_sid
from flows.twilio.registry import resources_with_sid


class Command(BaseCommand):
    help = "Erase the personal data of a flow or a contact identity, for good."

    def add_arguments(self, parser: ArgumentParser) -> None:
        subject = parser.add_mutually_exclusive_group(required=True)
        subject.add_argument("--flow", metavar="SID", default="", help="the flow to erase")
        subject.add_argument(
            "--identity", metavar="VALUE", default="", help="the contact identity to erase"
        )
        parser.add_argument("--reason", metavar="TEXT", default="", help="kept in the audit log")
        parser.add_argument(
            "--despite-open-change",
            action="store_true",
            help=(
                "also erase changes with an unknown outcome, "
                "which someone then decides without the erased data"
            ),
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
        _check_subject(flow, identity)
        if despite_open_change and not reason.strip():
            raise CommandError("--despite-open-change needs a --reason. Nothing was erased.")
        console = Console(file=sys.stderr)
        with console.status("Searching the audit log"):
            result = _erase(flow, identity, reason, despite_open_change=despite_open_change)
        self._report(result)
        with console.status("Compacting the database"):
            compaction_error = _compact()
        if not compaction_error:
            self.stdout.write("Database compacted.")
        self.stderr.write(
            f"Not erased: {compaction.describe_unreachable_copies()}; browser caches and log files."
        )
        problems = " ".join(filter(None, [compaction_error, _twilio_message(result)]))
        if problems:
            raise CommandError(problems)

    def _report(self, result: ErasureResult) -> None:
        """Write the numbers of the erasure, and warnings about what remains to be done."""
        if result.event is None:
            self.stdout.write("Nothing to erase: no event and no flow contains it.")
        else:
            events = format_seqs(result.erased_seqs) or "none"
            self.stdout.write(
                f"Erased personal data from {len(result.erased_seqs)} events ({events}) and "
                f"{len(result.removed_sids)} flows (logged as event {result.event.seq})."
            )
        if result.undecided_seqs:
            events = format_seqs(result.undecided_seqs)
            self._warn(
                f"Needs your decision, without the erased data: events {events}, on their pages."
            )
        if result.unerasable_seqs:
            events = format_seqs(result.unerasable_seqs)
            self._warn(
                f"Events {events} contain it in their reason, user or browser, "
                "which are part of the hash chain and can't be erased."
            )
        if result.possible_seqs:
            events = format_seqs(result.possible_seqs)
            self._warn(
                f"Events {events} were not erased, though they contain it or a longer word with it."
            )

    def _warn(self, text: str) -> None:
        self.stderr.write(self.style.WARNING(text))


def _check_subject(flow: str, identity: str) -> None:
    """Raise `CommandError` if the SID is malformed, or the identity is too short."""
    if flow and not resources_with_sid(flow):
        raise CommandError(
            "Not the SID of a Flex Flow (FO and 32 characters from 0-9 and a-f) or of another object "
            "whose changes are recorded."
        )
    if not flow and len(identity.strip()) < MIN_IDENTITY_LENGTH:
        raise CommandError(
            f"The identity is too short. Enter at least {MIN_IDENTITY_LENGTH} characters."
        )


def _erase(flow: str, identity: str, reason: str, *, despite_open_change: bool) -> ErasureResult:
    try:
        compaction.enable_secure_delete()
        with command_line.required_log("nothing was erased"):
            return erasure.erase(
                sid=flow,
                identity=identity,
                reason=reason,
                actor=command_line.command_actor(),
                despite_open_change=despite_open_change,
            )
    except erasure.ReasonMentionsData:
        raise CommandError("The reason contains the data to erase. Nothing was erased.") from None
    except erasure.BlockedByOpenChange as blocked:
        raise CommandError(_open_change_message(blocked)) from None


def _twilio_message(result: ErasureResult) -> str:
    """Return the next step for the flows that Twilio still has, or ""."""
    if not result.sids_at_twilio:
        return ""
    flows = ", ".join(
        f"{command_line.account_prefix(find_account_sid(sid))}{sid}"
        for sid in result.sids_at_twilio
    )
    return (
        f"Twilio still has {flows}, and the next sync restores it. "
        "Delete or change it there, then run this command again."
    )


def _compact() -> str:
    """Compact the database, and return the next step if that failed, or ""."""
    try:
        compaction.compact()
    except CompactionFailed as error:
        return (
            "Erased from the tables, but maybe not from the database's files. "
            f"{error} Stop the site and run this command again."
        )
    return ""


def _open_change_message(blocked: erasure.BlockedByOpenChange) -> str:
    """Return the next step for the open change that prevents the erasure, on one line."""
    seq = blocked.event.seq
    if blocked.is_in_progress:
        return f"A change is in progress (event {seq}). Try again in a minute. Nothing was erased."
    return (
        f"A change has an unknown outcome (event {seq}), which would restore the data. "
        "Resolve it first with reconcile_changes or on the event's page. "
        "Or add --despite-open-change and a --reason: "
        "someone then decides the outcome without the erased data. Nothing was erased."
    )
