"""`sync_flows`: pulls every Flex Flow from Twilio and makes the copy equal to it. Cron runs it."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from rich.console import Console

from flows.accounts import twilio_accounts
from flows.accounts.twilio_accounts import Account
from flows.audit.audit_log import NotRecorded
from flows.changes import reconcile
from flows.core.terminal_text import escape_line
from flows.mirror import first_contact, freshness, mirror
from flows.twilio.errors import FlexError


class Command(BaseCommand):
    help = "Sync the Flex Flows with Twilio."

    def handle(self, *_args: Any, **_options: Any) -> None:
        troubles = [
            trouble
            for account in twilio_accounts.all_accounts()
            if (trouble := self._sync(account))
        ]
        try:
            settled = reconcile.reconcile()
        except (FlexError, NotRecorded, DatabaseError) as error:
            settled = []
            troubles = troubles or [
                f"Couldn't check the changes with an unknown outcome: {escape_line(error)}."
            ]
        if settled:
            self.stdout.write(f"Resolved {len(settled)} changes with an unknown outcome.")
        if troubles:
            raise CommandError(" ".join(troubles))

    def _sync(self, account: Account) -> str:
        """Renews the copy of one account; what went wrong or is not checked yet, if anything."""
        whose = f"{account.name}: " if account.name else ""
        try:
            with Console(file=sys.stderr).status(f"{whose}Reading the flows from Twilio"):
                report = mirror.sync(account.sid)
        except mirror.SyncBusy:
            return f"{whose}Another sync is in progress."
        except FlexError as error:
            why = first_contact.explain_failure(account.sid, error) or str(error)
            return f"{whose}Sync failed: {escape_line(why)}."
        except (NotRecorded, DatabaseError) as error:
            return f"{whose}Sync failed: {escape_line(error)}."
        found = f"{report.flows} flows: {report.created} new, {report.changed} changed, {report.deleted} deleted."
        self.stdout.write(whose + found)
        progress = freshness.describe_missing(mirror.sync_state(account.sid))
        return f"{whose}{progress}" if progress else ""
