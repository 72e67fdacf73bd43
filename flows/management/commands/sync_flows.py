"""Command that syncs the mirror with Twilio and resolves unknown outcomes. Cron runs it."""

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
from flows.management import command_line
from flows.mirror import first_contact, freshness
from flows.mirror.name_sync import sync_with_names
from flows.mirror.sync import SyncBusy, sync_state
from flows.twilio.errors import FlexError


class Command(BaseCommand):
    help = "Sync the Flex Flows with Twilio."

    def handle(self, *_args: Any, **_options: Any) -> None:
        sync_results = [self._sync(account) for account in twilio_accounts.all_accounts()]
        sync_problems = " ".join(filter(None, sync_results))
        reconcile_problem = self._reconcile()
        # If a sync failed, reconciling failed for the same cause.
        problems = sync_problems or reconcile_problem
        if problems:
            raise CommandError(problems)

    def _reconcile(self) -> str:
        """Resolve unknown outcomes, and return a problem as a sentence, or ""."""
        try:
            resolved_events = reconcile.reconcile()
        except (FlexError, NotRecorded, DatabaseError) as error:  # the flows are synced
            return f"Couldn't check the changes with an unknown outcome: {escape_line(error)}."
        if resolved_events:
            self.stdout.write(f"Resolved {len(resolved_events)} changes with an unknown outcome.")
        return ""

    def _sync(self, account: Account) -> str:
        """Sync one account, and return a problem or an unfinished check as a sentence, or ""."""
        prefix = command_line.account_prefix(account.sid)
        try:
            with Console(file=sys.stderr).status(f"{prefix}Reading the flows from Twilio"):
                report = sync_with_names(account.sid)
        except SyncBusy:
            return f"{prefix}Another sync is in progress."
        except FlexError as error:
            settings_problem = first_contact.explain_failure(account.sid, error)
            explanation = settings_problem or str(error)
            return f"{prefix}Sync failed: {escape_line(explanation)}."
        except (NotRecorded, DatabaseError) as error:  # the other accounts are synced
            return f"{prefix}Sync failed: {escape_line(error)}."
        self.stdout.write(
            f"{prefix}{report.flows} flows: {report.created} new, {report.changed} changed, "
            f"{report.deleted} deleted."
        )
        progress = freshness.describe_missing(sync_state(account.sid))
        if not progress:
            return ""
        return f"{prefix}{progress}"
