"""Command that changes flows to the desired state in a file. Scripts rely on its exit status.

Usage: `apply FILE [--plan] [--prune] [--reason TEXT] [--expect DIGEST]`, `apply --schema`

The exit status is 0 if all flows are as in the file, or with `--plan` if they can be made so.
"""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.urls import reverse
from rich.console import Console
from rich.status import Status

from flows.audit.audit_log import Actor, NotRecorded
from flows.changes import reconcile
from flows.core.terminal_text import escape_line
from flows.desired_state import applying, differences
from flows.desired_state.file_errors import FileError, InvalidFile, Place
from flows.desired_state.flow_file import FlowFile, read_flow_file
from flows.desired_state.json_schema import build_schema
from flows.desired_state.planning import Preparation, accounts_to_read, prepare
from flows.management import command_line
from flows.mirror.sync import SyncBusy, sync_account
from flows.plans import start_and_stop
from flows.plans.import_text import decode_file
from flows.plans.items import included_items, plan_items
from flows.plans.models import Plan
from flows.twilio.errors import FlexError

DETAILS_NOT_APPLIED = "Owners, tags and notes are kept in the dashboard only. They are not applied."


class Command(BaseCommand):
    help = "Change flows to the desired state in a file (YAML or JSON)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", nargs="?", metavar="FILE", help="the file, or - for standard input"
        )
        parser.add_argument(
            "--plan", action="store_true", help="print the differences and change nothing"
        )
        parser.add_argument(
            "--prune",
            action="store_true",
            help="delete flows of the file's accounts that the file doesn't have",
        )
        parser.add_argument("--reason", default="", help="shown in the audit log")
        parser.add_argument(
            "--expect",
            default="",
            metavar="DIGEST",
            help="apply only the changes that --plan printed with this digest",
        )
        parser.add_argument(
            "--schema", action="store_true", help="print the JSON Schema of the file"
        )

    def handle(self, *_args: Any, file: str | None, **options: Any) -> None:
        if options["schema"]:
            self.stdout.write(json.dumps(build_schema(), indent=2, ensure_ascii=False))
            return
        if not file:
            raise CommandError("Name a file, or - for standard input.")
        try:
            self._apply(file, **options)
        except InvalidFile as invalid:
            for error in invalid.errors:
                sys.stderr.write(f"{escape_line(f'{file}, {error}')}\n")
            count = len(invalid.errors)
            errors = "1 error" if count == 1 else f"{count:,} errors"
            raise CommandError(f"{escape_line(file)} has {errors}. Nothing was sent.") from None
        except DatabaseError as error:
            raise CommandError(f"The database failed: {escape_line(error)}.") from None

    def _apply(
        self, file: str, *, plan: bool, prune: bool, reason: str, expect: str, **_options: Any
    ) -> None:
        flow_file = read_flow_file(_read_text(file))
        if flow_file.has_local_details:
            sys.stderr.write(f"{DETAILS_NOT_APPLIED}\n")
        with command_line.required_log("nothing was sent"):
            _read_flows(flow_file)
        preparation = prepare(flow_file, prune=prune)
        for line in differences.describe_changes(preparation):
            self.stdout.write(line)
        self.stdout.write(differences.summarize(preparation))
        _check_applicable(preparation, expect)
        if preparation.included and plan:
            self.stdout.write(f"Nothing was changed. Digest: {preparation.digest}")
            self._describe_policy(preparation)
        elif preparation.included:
            self._run(preparation, _file_name(file), reason or f"Applied {_file_name(file)}")
        _report_skipped(preparation)

    def _describe_policy(self, preparation: Preparation) -> None:
        """Say that a start would make a change request. Raise `CommandError` if it can't be made."""
        decision = applying.judge_changes(preparation)
        if decision.refusal and not decision.can_request:
            raise CommandError(f"{decision.refusal} Nothing was changed.")
        if decision.refusal:
            self.stdout.write(f"{decision.refusal} Applying it makes a change request.")

    def _run(self, preparation: Preparation, file_name: str, reason: str) -> None:
        """Apply the changes, print their results, and raise `CommandError` for those that failed."""
        actor = command_line.command_actor()
        try:
            with command_line.required_log("nothing was sent"):
                plan = applying.start_apply(
                    preparation=preparation,
                    file_name=file_name,
                    created_by=actor.label,
                    reason=reason,
                    actor=actor,
                )
        except applying.ApplyInProgress as other:
            raise CommandError(
                "Another apply changes the same account, or has just changed it: "
                f"{_page(other.plan)}. Nothing was sent. Try again later."
            ) from None
        except applying.ApprovalRequired as required:
            request = f" Change request: {required.url}." if required.url else ""
            raise CommandError(f"{required.sentence}{request} Nothing was sent.") from None
        _run_to_end(plan, actor)
        items = included_items(plan_items(plan, with_payloads=True))
        for line in differences.describe_results(items):
            self.stdout.write(line)
        problems = differences.summarize_problems(items)
        if problems:
            stop_reason = f"{plan.stop_reason} " if plan.stop_reason else ""
            raise CommandError(
                f"{escape_line(stop_reason)}Not everything was applied: {problems}. "
                f"See {_page(plan)}. Run the command again to apply the rest."
            )


def _read_text(file: str) -> str:
    """Return the text of the file. Raises `CommandError` or `InvalidFile`."""
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise CommandError(f"Couldn't read the file: {escape_line(error)}") from None
    try:
        return decode_file(data)
    except ValidationError as error:
        raise InvalidFile([FileError(Place(1), str(error.message))]) from None


def _file_name(file: str) -> str:
    return "standard input" if file == "-" else Path(file).name


def _read_flows(flow_file: FlowFile) -> None:
    """Sync the file's accounts with Twilio, and resolve unknown outcomes. Raises `CommandError`."""
    for account in accounts_to_read(flow_file):
        prefix = command_line.account_prefix(account.sid)
        try:
            with Console(file=sys.stderr).status(f"{prefix}Reading the flows from Twilio"):
                sync_account(account.sid)
        except SyncBusy:
            raise CommandError(
                f"{prefix}Another sync is in progress. Nothing was sent. Try again later."
            ) from None
        except FlexError as error:
            raise CommandError(
                f"{prefix}Couldn't read the flows from Twilio: {escape_line(error)}. "
                "Nothing was sent."
            ) from None
    try:
        reconcile.reconcile()
    except FlexError as error:  # the flows that it concerns are skipped
        sys.stderr.write(f"Unknown outcomes couldn't be resolved: {escape_line(error)}.\n")


def _check_applicable(preparation: Preparation, expect: str) -> None:
    """Raise `CommandError` if these changes can't be applied now, or aren't the expected ones."""
    if expect and expect != preparation.digest:
        raise CommandError(
            f"The changes are not those with the digest {escape_line(expect)}: the file or the "
            "flows have changed since. Nothing was sent."
        )
    if preparation.restriction:
        raise CommandError(f"{escape_line(preparation.restriction)} Nothing was sent.")


def _report_skipped(preparation: Preparation) -> None:
    if preparation.skipped:
        flows = differences.count_flows(len(preparation.skipped))
        raise CommandError(f"{flows} can't be changed at the moment.")


def _run_to_end(plan: Plan, actor: Actor) -> None:
    """Run a started bulk change. The first interrupt lets the current change finish."""
    total = plan.included_changes.count()
    console = Console(file=sys.stderr)
    with _catch_interrupts() as interrupts, console.status("Applying") as status:
        applying.run_to_end(
            plan, before_each=partial(_on_each, plan, actor, total, status, interrupts)
        )


def _on_each(plan: Plan, actor: Actor, total: int, status: Status, interrupts: list[int]) -> None:
    """Show the progress, and stop the bulk change after an interrupt."""
    remaining = plan.remaining_changes.count()
    status.update(f"Applying: {total - remaining:,} of {total:,}")
    if interrupts:
        with contextlib.suppress(NotRecorded):  # tried again before the next change
            start_and_stop.stop(plan=plan, actor=actor)


@contextmanager
def _catch_interrupts() -> Iterator[list[int]]:
    """Collect the signals to end. After the first one, the next ends the process as usual."""
    received: list[int] = []
    signals = (signal.SIGINT, signal.SIGTERM)
    handlers = {number: signal.getsignal(number) for number in signals}

    def collect(number: int, _frame: object) -> None:
        received.append(number)
        signal.signal(number, handlers[signal.Signals(number)])

    for number in signals:
        signal.signal(number, collect)
    try:
        yield received
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _page(plan: Plan) -> str:
    return reverse("flows:plan", args=[plan.pk])
