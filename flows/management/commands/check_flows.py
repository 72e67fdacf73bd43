"""Command that prints what looks wrong at the flows, one finding a line. Scripts rely on its output.

Usage: `check_flows [--format json]`

A line is `rule severity account_sid sid message`, separated by single spaces, the worst first. The
exit status is 1 if a finding is an error. Nothing is read from Twilio: run `sync_flows` first.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from flows.accounts import twilio_accounts
from flows.checks.checking import FlowFinding, Report, check_accounts
from flows.checks.findings import Severity
from flows.core.terminal_text import escape_line
from flows.management import command_line


class Command(BaseCommand):
    help = "Print what looks wrong at the flows."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--format",
            choices=("text", "json"),
            default="text",
            help="text: a finding a line; json: a list of objects",
        )

    def handle(self, *_args: Any, format: str, **_options: Any) -> None:  # noqa: A002
        report = check_accounts(twilio_accounts.all_accounts())
        if format == "json":
            self.stdout.write(json.dumps([_as_object(each) for each in report.findings], indent=2))
        else:
            for each in report.findings:
                self.stdout.write(_as_line(each))
        self._write_unmet(report)
        errors = report.count_by_severity()[Severity.ERROR]
        if errors:
            noun = "finding is an error" if errors == 1 else "findings are errors"
            raise CommandError(f"{errors} {noun}.")

    def _write_unmet(self, report: Report) -> None:
        """Name the rules that were not checked, on standard error."""
        for need in report.unmet:
            prefix = command_line.account_prefix(need.account_sid)
            extent = "checked only in part" if need.is_partial else "not checked"
            sys.stderr.write(
                f"{prefix}{need.rule.rule_id} was {extent}: the {need.unread} were not read.\n"
            )


def _as_line(finding: FlowFinding) -> str:
    columns = (finding.rule.rule_id, finding.severity.value, finding.account_sid, finding.sid)
    return f"{' '.join(columns)} {escape_line(finding.message)}"


def _as_object(finding: FlowFinding) -> dict[str, str]:
    return {
        "rule": finding.rule.rule_id,
        "severity": finding.severity.value,
        "account_sid": finding.account_sid,
        "sid": finding.sid,
        "friendly_name": finding.flow_name,
        "message": finding.message,
    }
